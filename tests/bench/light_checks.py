"""The lab's check: latency, and throughput beside what the library does alone and beside two Python services."""

import json
import statistics

import peers
from bodies import lab_check
from connection import measure
from table import listed, row
from traffic import processor_seconds
from wrk import throughput

CONNECTIONS = 8


def latency(ours, torch_service, body, count):
    print(f"\nLab-sized check (XOR, 2-3-2-1, {len(body)} bytes), one keep-alive connection: median of {count} requests "
          "(of the peer, Python's own HTTP server around PyTorch: a fifth)")
    seconds, steps = measure(ours.port, body, count, 200)
    peer = measure(torch_service.port, body, max(count // 5, 50), 50)[0]
    row("latency", seconds * 1e6, peer * 1e6, "us")
    row("  of that inside the daemon (Server-Timing)", sum(steps.values()) * 1e3, None, "us", listed(steps, factor=1e3))


def by_turns(ours, peer, body, turns, seconds, threads=1):
    """Requests a second of both, which take turns, so that other work on the machine slows both: medians, and that of the
    ratios."""
    rates = [tuple(throughput(server.port, body, seconds, CONNECTIONS, threads) for server in (ours, peer)) for _ in range(turns)]
    return (*(statistics.median(column) for column in zip(*rates)), statistics.median(a / b for a, b in rates))


def processor_time(server, body, seconds):
    """Seconds of a core that a request takes, the kernel's part of it included: other work hardly changes it."""
    before = processor_seconds(server)
    rate = throughput(server.port, body, seconds, CONNECTIONS)
    return (processor_seconds(server) - before) / (rate * seconds)


def throughputs(ours, torch_service, fastapi_service, body, turns, seconds):
    print(f"\nThroughput of the same check, {CONNECTIONS} connections by wrk: median of {turns} turns of {seconds} s each, "
          "and of the ratios of two turns")
    with peers.ceiling(ours, body) as ceiling:
        for threads in (1, 2):
            rate, most, share = by_turns(ours, ceiling, body, turns, seconds, threads)
            row(f"libmicrohttpd alone, wrk -t{threads}", rate, most, "1/s", "at least 0.42 is wanted", ratio=share)
        row("  time of a core a request", *(processor_time(server, body, 2 * seconds) * 1e6 for server in (ours, ceiling)), "us")
    for name, peer, note in (("Python's own HTTP server, PyTorch", torch_service, ""),
                             ("FastAPI, PyTorch, two workers", fastapi_service, "at least 100x is wanted")):
        rate, peer_rate, ratio = by_turns(ours, peer, body, turns, seconds)
        row(name, rate, peer_rate, "1/s", note, ratio=ratio)


def run(ours, torch_service, fastapi_service, quick):
    body = json.dumps(lab_check()).encode()
    latency(ours, torch_service, body, 500 if quick else 5000)
    throughputs(ours, torch_service, fastapi_service, body, 3 if quick else 7, 1 if quick else 2)

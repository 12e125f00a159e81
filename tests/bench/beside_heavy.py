"""How long light checks wait, alone and beside heavy ones."""

import json
import statistics
import time

from bodies import classifier_check, lab_check, parameter_count
from connection import Connection, hold
from daemon import post
from table import row
from wrk import loading, rate_of

HEAVY, BATCH = [784, 1000, 200, 10], 64
HEAVY_CONNECTIONS = 4
HEAD_START = 1  # seconds of heavy checks without light ones
RATE = 200      # light checks a second


def waits(port, message, seconds):
    """Of light checks at a steady rate, so far as the server keeps up: seconds from when each was due to its answer, but for
    what this program itself was late."""
    found = []
    with Connection(port) as connection:
        hold(*connection.exchange(message))
        begin = time.perf_counter()
        while time.perf_counter() < begin + seconds:
            start = begin + len(found) / RATE
            early = start - time.perf_counter()
            if early > 0:
                time.sleep(early)
                start = time.perf_counter()
            head, answer = connection.exchange(message)
            found.append(time.perf_counter() - start)
            hold(head, answer)
    return found


def waits_beside(port, message, heavy, seconds):
    """The same while heavy checks are sent all the time, and how many of those were done a second."""
    with loading(port, heavy, seconds + HEAD_START + 1, HEAVY_CONNECTIONS) as process:
        time.sleep(HEAD_START)
        found = waits(port, message, seconds)
        return found, rate_of(process)


def print_waits(where, ours, peer):
    for name, summary in (("median", statistics.median), ("p99", lambda found: statistics.quantiles(found, n=100)[98])):
        row(f"{where}, {name}", summary(ours) * 1e3, summary(peer) * 1e3, "ms", f"of {len(ours)} and {len(peer)}")


def run(ours, _, fastapi_service, quick):
    seconds = 5 if quick else 20
    message = post(json.dumps(lab_check()).encode())
    heavy = json.dumps(classifier_check(HEAVY, BATCH)).encode()
    print(f"\nThe lab's check, {RATE} a second on one connection for {seconds} s, alone and beside {HEAVY_CONNECTIONS} connections "
          f"that send checks of {parameter_count(HEAVY)} parameters ({len(heavy) / 1e6:.1f} MB) all the time (peer: FastAPI, PyTorch)")
    with_heavy, rates = zip(*(waits_beside(server.port, message, heavy, seconds) for server in (ours, fastapi_service)))
    print_waits("alone", *(waits(server.port, message, seconds) for server in (ours, fastapi_service)))
    print_waits("beside heavy checks", *with_heavy)
    row("heavy checks meanwhile", *rates, "1/s", larger_is_better=True)

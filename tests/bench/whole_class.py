"""A class of 10,000 as NDJSON in one request, what all share in its first line."""

import concurrent.futures
import json
import multiprocessing
import statistics
import time

import torch_reference
from bodies import lab_check
from connection import Connection
from daemon import post
from table import row
from torch_service import compare
from traffic import processor_seconds

SUBMISSIONS = 10_000
CORES = 2
END = b"\r\n0\r\n\r\n"  # of an answer in chunks


# --- what they hand in -----------------------------------------------------------------------------------------------


def scaled(values, factor):
    return [scaled(value, factor) for value in values] if isinstance(values, list) else values * factor


def times(gradients, **factors):
    return {name: scaled(values, factors.get(name, 1)) for name, values in gradients.items()}


def wrong_ones(gradients):
    """Some of the mistakes that are made: a sign, a factor in one layer and in all, a mean for a sum, nothing at all."""
    return [times(gradients, W1=-1), times(gradients, W3=2, b3=2), times(gradients, **dict.fromkeys(gradients, 4)),
            times(gradients, b2=0.25), times(gradients, W1=0, b1=0)]


def submissions(gradients, wrong_every):
    """(gradients, whether they are right) of each, no two with the same last digits. One in `wrong_every` is wrong, with 0
    none."""
    wrong = wrong_ones(gradients)
    for number in range(SUBMISSIONS):
        is_right = not wrong_every or number % wrong_every != 0
        chosen = gradients if is_right else wrong[number // wrong_every % len(wrong)]
        yield times(chosen, **dict.fromkeys(chosen, 1 + number * 2**-52)), is_right


# --- the daemon ------------------------------------------------------------------------------------------------------


def unchunked(raw):
    pieces, at = [], 0
    while True:
        end = raw.index(b"\r\n", at)
        size = int(raw[at:end], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(raw[end + 2:end + 2 + size])
        at = end + 2 + size + 2


def seconds_of(port, message, verdicts):
    """From the first byte sent to the last one received, which is looked at afterwards."""
    pieces, tail = [], b""
    with Connection(port) as connection:
        start = time.perf_counter()
        connection.socket.sendall(message)
        while not tail.endswith(END):
            pieces.append(connection.received())
            tail = (tail + pieces[-1])[-len(END):]
        took = time.perf_counter() - start
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    found = [json.loads(line) for line in unchunked(body).splitlines()]
    assert [line["id"] for line in found] == list(range(SUBMISSIONS)), len(found)
    assert [line["passed"] for line in found] == verdicts
    return took


# --- the peer: Python on both cores, without HTTP ----------------------------------------------------------------------


def judge(common, lines):
    """PyTorch once, then NumPy's comparison of each line; lines of JSON."""
    reference = torch_reference.evaluate(common, with_intermediates=False).gradients
    tolerance, reports = {"atol": 1e-6, "rtol": 0.0}, []
    for line in map(json.loads, lines):
        entries = [compare(name, line["gradients"].get(name), values, tolerance) for name, values in reference.items()]
        reports.append(json.dumps({"id": line["id"], "passed": all(entry["passed"] for entry in entries), "parameters": entries}))
    return reports


def seconds_of_python(pool, common, lines, verdicts):
    start, share = time.perf_counter(), len(lines) // CORES
    parts = [pool.submit(judge, common, lines[part * share:(part + 1) * share]) for part in range(CORES)]
    reports = [report for part in parts for report in part.result()]
    took = time.perf_counter() - start
    assert [json.loads(report)["passed"] for report in reports] == verdicts
    return took


# --- both ------------------------------------------------------------------------------------------------------------


def run(ours, _, __, quick):
    count = 3 if quick else 9
    common = lab_check()
    gradients = common.pop("gradients")
    print(f"\nA class of {SUBMISSIONS:,}, the lab's check as NDJSON with `common` on one connection: median of {count}, after one more "
          f"(peer: Python on {CORES} cores, the reference once by PyTorch, NumPy's comparison, no diagnosis, no HTTP)")
    with concurrent.futures.ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        for name, wrong_every in (("right only", 0), ("every other one wrong", 2)):
            handed_in = list(submissions(gradients, wrong_every))
            lines = [json.dumps({"id": number, "gradients": one}).encode() for number, (one, _) in enumerate(handed_in)]
            verdicts = [is_right for _, is_right in handed_in]
            message = post(b"\n".join([json.dumps({"common": common}).encode(), *lines]), kind=b"application/x-ndjson")
            seconds_of(ours.port, message, verdicts)
            before = processor_seconds(ours)
            seconds = [seconds_of(ours.port, message, verdicts) for _ in range(count)]
            of_cores = (processor_seconds(ours) - before) / count / SUBMISSIONS
            peer = min(seconds_of_python(pool, common, lines, verdicts) for _ in range(2))
            row(f"{name}, {len(message) / 1e6:.1f} MB", SUBMISSIONS / statistics.median(seconds), SUBMISSIONS / peer,
                "1/s", f"{statistics.median(seconds) * 1e3:.0f} ms in all, {of_cores * 1e6:.1f} us of a core each", larger_is_better=True)

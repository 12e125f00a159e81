"""One check of 1.1 million numbers as JSON and as files: time, and memory."""

import io
import json

import numpy as np

from bodies import classifier_check
from connection import JSON, measure
from daemon import Daemon
from table import listed, row
from test_files import multipart, safetensors
from traffic import MIB, memory, processor_seconds

WIDTHS, BATCH = [784, 512, 256, 10], 64
PARTS = b"multipart/form-data; boundary=----boundary"
TYPES = {"float64": "F64", "int64": "I64"}


def npz(arrays, save):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def as_safetensors(arrays):
    return safetensors({name: (TYPES[array.dtype.name], array.shape, array.tobytes()) for name, array in arrays.items()})


FILES = [("npz, stored", lambda arrays: npz(arrays, np.savez)),
         ("npz, deflated", lambda arrays: npz(arrays, np.savez_compressed)),
         ("safetensors", as_safetensors)]


def in_parts(request, write):
    """A part for what is no numbers, and a file for each member that is."""
    members = ("parameters", "gradients", "data")
    rest = {name: value for name, value in request.items() if name not in members}
    files = [(member, write({name: np.asarray(value) for name, value in request[member].items()})) for member in members]
    return multipart([("request", json.dumps(rest).encode()), *files])


def bodies(request):
    """(name, media type, body) of each encoding."""
    yield "JSON", JSON, json.dumps(request).encode()
    for name, write in FILES:
        yield name, PARTS, in_parts(request, write)


def most_memory(daemon, work):
    """Most MiB of the process while it works, counted anew."""
    with open(f"/proc/{daemon.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    work()
    return memory(daemon, "VmHWM")


def run(_, __, fastapi_service, quick):
    count = 3 if quick else 9
    request = classifier_check(WIDTHS, BATCH)
    print(f"\n{'-'.join(map(str, WIDTHS))}, batch {BATCH}, sent whole, a new daemon for each: median of {count}, after one more; "
          "most memory of the daemon as a multiple of the body (peer: FastAPI, PyTorch)")
    for name, kind, body in bodies(request):
        megabytes = len(body) / 1e6
        with Daemon() as daemon:
            idle, before = memory(daemon), processor_seconds(daemon)
            seconds, steps = measure(daemon.port, body, count, 1, kind=kind)
            of_cores = (processor_seconds(daemon) - before) / (1 + count)
            most = most_memory(daemon, lambda: measure(daemon.port, body, 1, 0, kind=kind))
        peer = measure(fastapi_service.port, body, count, 1)[0] if kind == JSON else None
        row(f"{name}, {megabytes:.1f} MB", seconds * 1e3, peer and peer * 1e3, "ms",
            f"{megabytes / seconds:.0f} MB/s; {listed(steps)}; {of_cores * 1e3:.0f} ms of cores; memory {most * MIB / len(body):.2f}x "
            f"({most:.0f} MiB, {idle:.0f} when new)")

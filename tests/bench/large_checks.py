"""Checks of larger networks as JSON, and how fast that is read."""

import json

from bodies import classifier_check, parameter_count
from connection import measure, timed
from table import listed, row

# name, widths of the layers, batch
NETWORKS = [("10^4 parameters", [64, 128, 12], 32), ("10^5 parameters", [256, 320, 60], 64),
            ("10^6 parameters", [784, 1000, 200, 10], 64)]


def checks(ours, torch_service, count):
    """The last body in float64, and our steps for it."""
    print(f"\nLarger networks, one keep-alive connection, JSON body made once: median of {count} requests, after one more")
    last = None
    for name, widths, batch in NETWORKS:
        for dtype in ("float64", "float32"):
            body = json.dumps(classifier_check(widths, batch, dtype)).encode()
            seconds, steps = measure(ours, body, count, 1)
            peer_seconds, _ = measure(torch_service, body, count, 1)
            row(f"{name} ({parameter_count(widths)}), {dtype}, {len(body) / 1e6:.1f} MB", seconds * 1e3, peer_seconds * 1e3,
                "ms", listed(steps, 2))
            if dtype == "float64":
                last = (body, steps)
    return last


def json_reading(body, steps, count):
    megabytes = len(body) / 1e6
    print(f"\nReading the JSON of the largest body ({megabytes:.1f} MB): median of {count}; ours is the step `read` of the "
          "requests above")
    row("JSON read (peer: Python's json.loads)", megabytes / (steps["read"] / 1e3),
        megabytes / timed(lambda: json.loads(body), count), "MB/s", larger_is_better=True)


def run(ours, torch_service, _, quick):
    count = 3 if quick else 9
    body, steps = checks(ours.port, torch_service.port, count)
    json_reading(body, steps, count)

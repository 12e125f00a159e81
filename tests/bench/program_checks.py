"""Checks of programs, beside lists of layers and beside PyTorch's passes."""

import json
import statistics

import numpy as np
import torch

from bodies import lab_check
from connection import measure, timed
from table import row

RECURRENT = ("h = np.zeros((32, 128))\nfor t in range(100):\n    h = np.tanh(x[:, t] @ Wx + h @ Wh + b)\n"
             "loss = np.mean((h @ Wo + bo - y) ** 2)")


def lab_program_body():
    """The lab's check, its forward pass as a program."""
    request = lab_check()
    program = ("z1 = x @ W1 + b1\nh1 = np.maximum(0, z1)\nz2 = h1 @ W2 + b2\nh2 = np.maximum(0, z2)\n"
               "y_hat = 1 / (1 + np.exp(-(h2 @ W3 + b3)))\nloss = np.mean((y_hat - y) ** 2)")
    return json.dumps({"program": program, **{name: request[name] for name in ("parameters", "data", "gradients")}}).encode()


def recurrent_request(dtype):
    """An RNN over 100 steps, batch 32, 64 inputs, 128 units; and the same pass by PyTorch, forward and backward."""
    random = np.random.RandomState(0)
    parameters = {"Wx": 0.1 * random.randn(64, 128), "Wh": 0.05 * random.randn(128, 128), "b": np.zeros(128),
                  "Wo": 0.1 * random.randn(128, 10), "bo": np.zeros(10)}
    data = {"x": np.round(random.randn(32, 100, 64), 3), "y": random.randn(32, 10)}
    leaves = {name: torch.tensor(value, dtype=getattr(torch, dtype), requires_grad=True) for name, value in parameters.items()}
    x, y = (torch.tensor(data[name], dtype=getattr(torch, dtype)) for name in ("x", "y"))

    def run_pass():
        for leaf in leaves.values():
            leaf.grad = None
        h = torch.zeros(32, 128, dtype=x.dtype)
        for t in range(100):
            h = torch.tanh(x[:, t] @ leaves["Wx"] + h @ leaves["Wh"] + leaves["b"])
        ((h @ leaves["Wo"] + leaves["bo"] - y) ** 2).mean().backward()

    run_pass()
    request = {"program": RECURRENT, "dtype": dtype, "diagnose": False, "parameters": {n: v.tolist() for n, v in parameters.items()},
               "data": {n: v.tolist() for n, v in data.items()}, "gradients": {n: v.grad.tolist() for n, v in leaves.items()},
               "tolerance": {"atol": 1e-4 if dtype == "float32" else 1e-10, "rtol": 0}}
    return json.dumps(request).encode(), run_pass


def lab_as_program(port, count):
    """Measured by turns, as other work on the machine would else be taken for the difference."""
    listed, program, inside = json.dumps(lab_check()).encode(), lab_program_body(), {"list": [], "program": []}
    for _ in range(8):
        for name, body in (("list", listed), ("program", program)):
            inside[name].append(sum(measure(port, body, count // 8, 20)[1].values()))
    row("XOR as a program, inside the daemon (peer: as a list)", statistics.median(inside["program"]) * 1e3,
        statistics.median(inside["list"]) * 1e3, "us")


def recurrent(port):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for dtype in ("float64", "float32"):
        body, run_pass = recurrent_request(dtype)
        passes, peers = [], []
        for _ in range(12):
            passes.append(measure(port, body, 1, 0)[1]["pass"])
            peers.append(timed(run_pass, 1) * 1e3)
        row(f"RNN, 100 steps, the step `pass`, {dtype}", statistics.median(passes), statistics.median(peers), "ms",
            "PyTorch on 1 thread, forward and backward")
    torch.set_num_threads(threads)


def run(ours, _, __, quick):
    print("\nPrograms. A ratio of 0.67 and more is wanted of the first, of 1 and more of the others")
    lab_as_program(ours.port, 800 if quick else 4000)
    recurrent(ours.port)

"""Trainings, beside NumPy's and PyTorch's loops."""

import json
import os

import numpy as np
import torch

import lab_training
import torch_peer
from bodies import VECTORS
from connection import measure, timed
from table import listed, row


def lab_request():
    layers = [{"type": "linear", "out_features": 3}, {"type": "relu"}, {"type": "linear", "out_features": 2},
              {"type": "relu"}, {"type": "linear", "out_features": 1}, {"type": "sigmoid"}]
    return {"network": {"input": 2, "layers": layers, "loss": "mse"},
            "parameters": {"init": {"scheme": "he_normal", "seed": 123, "generator": "numpy"}},
            "data": {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]},
            "optimizer": {"type": "sgd", "lr": 1.0}, "epochs": 1000}


def digits_request(dtype, epochs):
    """As large as a course's MNIST exercise: 784-256-10 on 2048 samples in batches of 64. Pixels have two digits."""
    random = np.random.RandomState(0)
    y = random.randint(10, size=2048)
    x = np.round(np.clip(0.3 * random.rand(2048, 784) + 0.5 * random.rand(10, 784)[y], 0, 1), 2)
    layers = [{"type": "linear", "out_features": 256}, {"type": "relu"}, {"type": "linear", "out_features": 10}]
    return {"network": {"input": 784, "layers": layers, "loss": "cross_entropy"}, "dtype": dtype,
            "parameters": {"init": {"scheme": "he_normal", "seed": 1, "generator": "numpy"}},
            "data": {"x": x.tolist(), "y": y.tolist()},
            "optimizer": {"type": "sgd", "lr": 0.05}, "epochs": epochs, "batch_size": 64}


def same_curve(found, expected, allowed):
    return len(found) == len(expected) and all(abs(a - b) <= allowed * abs(b) for a, b in zip(found, expected))


def lab_training_run(port, count):
    request = lab_request()
    body, epochs = json.dumps(request).encode(), request["epochs"]
    curve = json.loads((VECTORS / "train" / "lab_curve.json").read_text(encoding="ascii"))
    seconds, steps = measure(port, body, count, 5, "/v1/train", lambda answer: same_curve(answer["loss"], curve, 1e-9))
    print(f"\nThe lab's training (XOR, 2-3-2-1, {epochs} epochs, {len(body)} bytes), median of {count} requests; of the peers' "
          f"loops, which record the losses alone: of {max(count // 20, 5)}")
    numpy_loop = timed(lambda: lab_training.train(epochs), max(count // 20, 5)) * 1e3
    torch_loop = timed(lambda: torch_peer.train(request), max(count // 20, 5)) * 1e3
    row("whole request (peer: the lab's NumPy loop)", seconds * 1e3, numpy_loop, "ms", listed(steps, 3))
    row("  the step `train` (peer: the same)", steps["train"], numpy_loop, "ms", "at least 60x is wanted")
    sparse = json.dumps({**request, "record_every": 10}).encode()
    sparse_seconds, steps_of_sparse = measure(port, sparse, count, 5, "/v1/train",
                                              lambda answer: same_curve(answer["loss"], curve[::10], 1e-9))
    row("whole request with every 10th epoch recorded", sparse_seconds * 1e3, numpy_loop, "ms",
        listed(steps_of_sparse, 3))
    row("whole request (peer: a PyTorch loop)", seconds * 1e3, torch_loop, "ms")
    row("  the step `train` (peer: the same)", steps["train"], torch_loop, "ms")


def digits_training_run(port, count, epochs):
    """PyTorch's loop on one thread and on two: which is the faster depends on what else the cores have to do."""
    print(f"\n784-256-10, cross_entropy, sgd, 2048 samples in batches of 64, {epochs} epochs: fastest of {count}, after one "
          f"more; the peer is the faster of PyTorch's loop on 1 and on 2 threads (load average {os.getloadavg()[0]:.1f})")
    threads = torch.get_num_threads()
    for dtype, allowed in (("float64", 1e-9), ("float32", 1e-3)):
        request = digits_request(dtype, epochs)
        body, curve = json.dumps(request).encode(), torch_peer.train(request)
        seconds, steps = measure(port, body, count, 1, "/v1/train",
                                 lambda answer: same_curve(answer["loss"], curve, allowed), min)
        peers = []
        for number in (1, 2):
            torch.set_num_threads(number)
            peers.append(timed(torch_peer.prepared(request), count, min))
        reading = timed(lambda: torch_peer.prepared(json.loads(body)), 2, min)
        row(f"{dtype}, the step `train`", steps["train"], min(peers) * 1e3, "ms",
            "PyTorch on 1 thread {:.1f} ms, on 2 {:.1f} ms".format(*(peer * 1e3 for peer in peers)))
        row(f"{dtype}, whole request, {len(body) / 1e6:.1f} MB", seconds * 1e3, (min(peers) + reading) * 1e3, "ms",
            listed(steps) + "; peer with json.loads and tensors")
    torch.set_num_threads(threads)


def run(ours, _, __, quick):
    lab_training_run(ours.port, 40 if quick else 200)
    digits_training_run(ours.port, 3 if quick else 9, 3 if quick else 5)

"""The checks that several subjects send."""

import json
import pathlib

import numpy as np

import torch_reference

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"


def lab_check():
    """The lab's XOR network with right gradients, from the committed vectors."""
    with (VECTORS / "lab.ndjson").open(encoding="ascii") as lines:
        vector = json.loads(next(lines))
    return {**vector["request"], "gradients": vector["expected"]["gradients"]}


def classifier_check(widths, batch, dtype="float64"):
    """A classifier with ReLUs, and its gradients by PyTorch as a student's float64 or float32 program would give them."""
    random = np.random.RandomState(0)
    layers = []
    for width in widths[1:]:
        layers += [{"type": "linear", "out_features": width}, {"type": "relu"}]
    parameters = {}
    for k, (fan_in, fan_out) in enumerate(zip(widths, widths[1:]), 1):
        parameters[f"W{k}"] = (random.randn(fan_in, fan_out) * np.sqrt(2.0 / fan_in)).tolist()
        parameters[f"b{k}"] = (random.randn(fan_out) * 0.01).tolist()
    request = {"network": {"input": widths[0], "layers": layers[:-1], "loss": "cross_entropy"}, "dtype": dtype,
               "parameters": parameters,
               "data": {"x": random.randn(batch, widths[0]).tolist(), "y": random.randint(widths[-1], size=batch).tolist()},
               "tolerance": {"atol": 1e-4 if dtype == "float32" else 1e-10, "rtol": 0}}
    result = torch_reference.evaluate(request, with_intermediates=False)
    request["gradients"] = {name: torch_reference.to_json(values) for name, values in result.gradients.items()}
    return request


def parameter_count(widths):
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in zip(widths, widths[1:]))

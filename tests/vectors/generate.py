#!/usr/bin/python3
"""Makes the test vectors beside this file: *.ndjson and train/*.ndjson (from PyTorch), numpy_random.* and
train/lab_curve.json (from NumPy). Those of networks that are graphs, graphs.ndjson and large_graphs.ndjson, come from graphs.py.

The results are committed, so nobody needs PyTorch to run the tests. To make them anew, on Debian 12:

    apt-get install python3-torch python3-numpy
    /usr/bin/python3 tests/vectors/generate.py
    /usr/bin/python3 tests/vectors/graphs.py

A line of an .ndjson file is one case: {"name", "request": a complete body of POST /v1/check without its gradients,
"expected": {"loss", "gradients", "intermediates"}}, all in the request's convention. The cases come from fixed seeds
of Python's own random module, so a second run writes the same files (to the last bits of the machine's libm).

A line of train/*.ndjson is a training run: {"name", "request": a complete body of POST /v1/train, "expected": its answer
without `boundary`, `health`, `device` and `dtype`}.
"""

import copy
import json
import pathlib
import random

import numpy as np
import torch

import lab_training
import torch_reference
import torch_training

HERE = pathlib.Path(__file__).resolve().parent

CONVENTIONS = ("numpy", "pytorch", "columns")
REDUCTIONS = ("mean", "sum", "batchmean")

MOST_SENSITIVE = 1e4  # of a training run, per relative change of its initial parameters: 1e-15 must not become 1e-10

ACTIVATIONS = [
    {"type": "relu"},
    {"type": "leaky_relu"},
    {"type": "leaky_relu", "negative_slope": 0.2},
    {"type": "leaky_relu", "negative_slope": 1.5},
    {"type": "elu"},
    {"type": "elu", "alpha": 0.5},
    {"type": "elu", "alpha": 2.25},
    {"type": "sigmoid"},
    {"type": "tanh"},
    {"type": "softplus"},
    {"type": "silu"},
    {"type": "gelu"},
    {"type": "gelu", "approximate": "none"},
    {"type": "gelu", "approximate": "tanh"},
    {"type": "softmax"},
    {"type": "log_softmax"},
]


def label_of(definition):
    attributes = [f"{key}={value}" for key, value in definition.items() if key != "type"]
    return " ".join([definition["type"]] + attributes)


def linear(out_features, **attributes):
    return {"type": "linear", "out_features": out_features, **attributes}


class Maker:
    """Makes the requests of one file, with a random generator of its own."""

    def __init__(self, seed):
        self.random, self.cases = random.Random(seed), []

    def numbers(self, shape, scale=1.0):
        """Normal numbers of a few digits, which keeps the files small and is as general."""
        if not shape:
            return round(self.random.gauss(0.0, scale), 5)
        return [self.numbers(shape[1:], scale) for _ in range(shape[0])]

    def uniform(self, shape, low, high):
        if not shape:
            return round(self.random.uniform(low, high), 5)
        return [self.uniform(shape[1:], low, high) for _ in range(shape[0])]

    def classes(self, batch, count):
        return [self.random.randrange(count) for _ in range(batch)]

    def distribution(self, batch, count):
        rows = []
        for _ in range(batch):
            row = [self.random.random() + 0.05 for _ in range(count)]
            rows.append([value / sum(row) for value in row])
        return rows

    def target(self, loss, batch, shape):
        """A target that fits the loss, rows first."""
        kind = loss["type"]
        if kind in torch_reference.BATCH_LOSSES:
            return self.classes(batch, shape[-1])
        if kind in ("bce", "bce_with_logits"):
            return [[float(self.random.randrange(2)) for _ in range(shape[0])] for _ in range(batch)]
        return self.numbers((batch, *shape))

    def request(self, network, batch, convention="numpy", x=None, y=None, parameters=None, bias_axes=1, scale=1.0,
                dtype=None):
        """A request for the network. x and y are given rows first, weights [in, out]; what is not given is drawn.

        bias_axes 2 writes the biases as [1, n], or [n, 1] in columns.
        """
        request = {"network": network}
        if convention != "numpy":
            request["convention"] = convention
        if dtype:
            request["dtype"] = dtype
        drawn = {}
        for _, layer, fan_in, weight, bias in torch_reference.parameter_layers(request):
            fan_out = layer["out_features"]
            if parameters is not None:
                W, b = parameters.pop(0)
            else:
                W = self.numbers((fan_in, fan_out), scale / fan_in**0.5)
                b = self.numbers((fan_out,), 0.3)
            drawn[weight] = W if convention == "numpy" else transposed(W)
            if bias:
                drawn[bias] = b if bias_axes == 1 else [[v] for v in b] if convention == "columns" else [b]
        request["parameters"] = drawn
        shape = torch_reference.shape_of_input(network)
        x = self.numbers((batch, *shape)) if x is None else x
        if y is None:
            y = self.target(network["loss"] if isinstance(network["loss"], dict) else {"type": network["loss"]}, batch,
                            output_shape(network))
        if convention == "columns":
            x, y = transposed(x), transposed(y) if isinstance(y[0], list) else y
        request["data"] = {"x": x, "y": y}
        return request

    def add(self, name, *arguments, **keywords):
        """Adds one case, and checks that PyTorch finds nothing but finite numbers in it."""
        request = self.request(*arguments, **keywords)
        result = torch_reference.evaluate(request)
        everything = {**result.gradients, **result.intermediates}
        for what, values in everything.items():
            assert np.isfinite(values).all(), f"{name}: {what} is not finite"
        assert np.isfinite(result.loss), name
        assert all(case["name"] != name for case in self.cases), f"{name} is there already"
        as_float32 = request.get("dtype") == "float32"
        self.cases.append({
            "name": name,
            "request": request,
            "expected": {
                "loss": float(str(np.float32(result.loss))) if as_float32 else result.loss,
                "gradients": {key: torch_reference.to_json(value) for key, value in result.gradients.items()},
                "intermediates": {key: torch_reference.to_json(value) for key, value in result.intermediates.items()},
            },
        })

    def add_training(self, name, network, batch, optimizer=None, epochs=20, batch_size=None, record_every=None,
                     **keywords):
        """Adds one training run, and checks that it is no lottery: rounding in it must stay rounding."""
        request = self.request(network, batch, **keywords)
        for key, value in (("optimizer", optimizer), ("epochs", epochs), ("batch_size", batch_size),
                           ("record_every", record_every)):
            if value is not None:
                request[key] = value
        answer = torch_training.train(request)
        grows = torch_training.sensitivity(request, answer)
        as_float32 = request.get("dtype") == "float32"
        assert as_float32 or grows < MOST_SENSITIVE, f"{name}: rounding grows by {grows:g}"
        assert all(case["name"] != name for case in self.cases), f"{name} is there already"
        self.cases.append({"name": name, "request": request, "expected": answer})

    def write(self, file_name):
        lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) + "\n" for case in self.cases]
        (HERE / file_name).write_text("".join(lines), encoding="ascii")
        print(f"{file_name}: {len(lines)} cases, {sum(map(len, lines))} bytes")


def transposed(rows):
    return [list(column) for column in zip(*rows)]


def output_shape(network):
    shape = torch_reference.shape_of_input(network)
    for layer in network["layers"]:
        if layer["type"] == "flatten":
            shape = (int(np.prod(shape)),)
        elif layer["type"] == "linear":
            shape = shape[:-1] + (layer["out_features"],)
    return shape


def identity(n):
    return [[float(i == j) for j in range(n)] for i in range(n)]


# --- the files -------------------------------------------------------------------------------------------------------


def activations():
    """Every activation with its attributes, hidden and last, in every convention."""
    make = Maker(1)
    for activation in ACTIVATIONS:
        for convention in CONVENTIONS:
            layers = [linear(4), dict(activation), linear(3), dict(activation), linear(2)]
            make.add(f"{label_of(activation)}, hidden, {convention}",
                     {"input": 3, "layers": layers, "loss": "mse"}, 5, convention)
            make.add(f"{label_of(activation)}, last, {convention}",
                     {"input": 2, "layers": [linear(3), dict(activation)], "loss": "mse"}, 4, convention,
                     bias_axes=2, scale=2.0)
    softmax, log_softmax = {"type": "softmax"}, {"type": "log_softmax"}
    make.add("an activation before any parameters", {"input": 3, "layers": [{"type": "tanh"}, linear(2)], "loss": "mse"}, 3)
    make.add("two activations in a row",
             {"input": 3, "layers": [linear(4), {"type": "tanh"}, {"type": "softplus"}, linear(2)], "loss": "mse"}, 3)
    make.add("softmax upon softmax",
             {"input": 3, "layers": [linear(4), softmax, softmax, linear(2), log_softmax], "loss": "nll"}, 3)
    make.add("softplus on both sides of its threshold",
             {"input": 1, "layers": [linear(1), {"type": "softplus"}], "loss": "mse"}, 7,
             x=[[-30.0], [-19.5], [0.0], [19.5], [20.0], [20.5], [30.0]], y=[[0.25]] * 7, parameters=[([[1.0]], [0.0])])
    make.write("activations.ndjson")


def losses():
    """Every loss with every reduction and its attributes; l2 with each of them."""
    make = Maker(2)
    elementwise = [{"type": "mse"}, {"type": "l1"}, {"type": "smooth_l1"}, {"type": "smooth_l1", "beta": 0.4},
                   {"type": "smooth_l1", "beta": 2.5}, {"type": "smooth_l1", "beta": 0.0}, {"type": "huber"},
                   {"type": "huber", "delta": 0.4}, {"type": "huber", "delta": 2.5}]
    for loss in elementwise + [{"type": "bce_with_logits"}, {"type": "bce"}]:
        for number, reduction in enumerate(REDUCTIONS):
            for l2 in (0.0, 0.037):
                definition = {**loss, "reduction": reduction}
                if l2:
                    definition["l2"] = l2
                layers = [linear(4), {"type": "tanh"}, linear(3)]
                if loss["type"] == "bce":
                    layers.append({"type": "sigmoid"})
                make.add(label_of(definition), {"input": 3, "layers": layers, "loss": definition}, 5,
                         CONVENTIONS[(number + (l2 > 0)) % 3])
    for kind, last in (("bce", [{"type": "sigmoid"}]), ("bce_with_logits", [])):
        for reduction in REDUCTIONS:
            make.add(f"{kind} reduction={reduction}, soft targets",
                     {"input": 3, "layers": [linear(2), *last], "loss": {"type": kind, "reduction": reduction}}, 4,
                     y=make.uniform((4, 2), 0.0, 1.0))
    make.add("bce after a softmax, soft targets",
             {"input": 3, "layers": [linear(4), {"type": "softmax"}], "loss": "bce"}, 4, y=make.distribution(4, 4))

    classifying = [({"type": "cross_entropy"}, []),
                   ({"type": "cross_entropy", "from": "logits"}, []),
                   ({"type": "cross_entropy", "from": "probabilities"}, [{"type": "softmax"}]),
                   ({"type": "nll"}, [{"type": "log_softmax"}]),
                   ({"type": "hinge"}, [])]
    for loss, last in classifying:
        for number, reduction in enumerate(REDUCTIONS):
            for targets in ("indices", "probabilities"):
                if targets == "probabilities" and loss["type"] != "cross_entropy":
                    continue
                for l2 in (0.0, 0.11):
                    definition = {**loss, "reduction": reduction}
                    if l2:
                        definition["l2"] = l2
                    layers = [linear(5), {"type": "relu"}, linear(4), *last]
                    make.add(f"{label_of(definition)}, {targets}", {"input": 3, "layers": layers, "loss": definition}, 6,
                             CONVENTIONS[(number + (l2 > 0)) % 3],
                             y=make.distribution(6, 4) if targets == "probabilities" else make.classes(6, 4))
    make.add("cross_entropy, one-hot targets", {"input": 3, "layers": [linear(3)], "loss": "cross_entropy"}, 3,
             y=[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    make.add("cross_entropy, targets that do not sum to 1",
             {"input": 3, "layers": [linear(3)], "loss": "cross_entropy"}, 3, y=make.uniform((3, 3), 0.0, 1.0))
    make.add("cross_entropy, two classes, columns", {"input": 3, "layers": [linear(2)], "loss": "cross_entropy"}, 2,
             "columns")
    make.add("nll on a linear output", {"input": 3, "layers": [linear(4)], "loss": "nll"}, 3)
    make.add("l2 on weights alone: no biases anywhere",
             {"input": 3, "layers": [linear(4, bias=False), {"type": "silu"}, linear(2, bias=False)],
              "loss": {"type": "mse", "l2": 0.5}}, 3)
    make.write("losses.ndjson")


def penalties():
    """scale, l2 and l1, these two for all weights or by parameter; and the convention numpy_out_in."""
    make = Maker(21)
    hidden, on = [linear(4), {"type": "tanh"}, linear(3)], (*CONVENTIONS, "numpy_out_in")
    for number, kind in enumerate(("mse", "l1", "smooth_l1", "huber", "bce_with_logits", "cross_entropy", "hinge")):
        for scale in (0.5, 3.0):
            definition = {"type": kind, "reduction": REDUCTIONS[number % 3], "scale": scale}
            make.add(label_of(definition), {"input": 3, "layers": hidden, "loss": definition}, 5,
                     on[(number + (scale > 1)) % 4])
    make.add("bce behind a sigmoid, scale", {"input": 3, "layers": [linear(1), {"type": "sigmoid"}],
                                             "loss": {"type": "bce", "scale": 0.5}}, 4)
    make.add("cross_entropy behind a softmax, scale",
             {"input": 3, "layers": [linear(4), {"type": "softmax"}],
              "loss": {"type": "cross_entropy", "from": "probabilities", "scale": 2.0}}, 4)
    for convention in on:
        pytorch = convention == "pytorch"
        W1, b1, W2, b2 = ("0.weight", "0.bias", "2.weight", "2.bias") if pytorch else ("W1", "b1", "W2", "b2")
        for name, terms in (("l1", {"l1": 0.03}), ("l1 and l2", {"l1": 0.03, "l2": 0.2}),
                            ("l2 of one weight", {"l2": {W2: 0.3}}), ("l2 of a bias", {"l2": {b1: 0.7, W1: 0.1}}),
                            ("l1 by parameter", {"l1": {W1: 0.02, b2: 0.4}}),
                            ("l1 by parameter, l2 on all", {"l1": {W1: 0.02}, "l2": 0.05, "scale": 0.5}),
                            ("both by parameter", {"l1": {W1: 0.02, W2: 0.1}, "l2": {W2: 0.05, b2: 0.2}})):
            make.add(f"{name}, {convention}",
                     {"input": 3, "layers": [*hidden[:2], linear(2)], "loss": {"type": "mse", **terms}}, 4, convention)
    make.add("l1 at weights of 0", {"input": 2, "layers": [linear(2)], "loss": {"type": "mse", "l1": 0.25}}, 3,
             parameters=[([[0.0, 0.5], [-0.25, 0.0]], [0.0, 0.1])])
    make.add("float32", {"input": 3, "layers": hidden, "loss": {"type": "mse", "scale": 0.5, "l1": 0.1, "l2": 0.3}}, 4,
             dtype="float32")
    make.write("penalties.ndjson")


def train_penalties():
    """scale, l2 and l1 in trainings, in batches too."""
    make = Maker(22)
    for loss in ({"type": "mse", "scale": 0.5}, {"type": "mse", "l1": 0.01}, {"type": "mse", "l2": {"W2": 0.1, "b1": 0.2}},
                 {"type": "mse", "l1": {"W1": 0.02}, "l2": 0.03, "scale": 2.0}):
        for batch_size in (6, 4):
            make.add_training(f"{label_of(loss)}, batches of {batch_size}",
                              {"input": 2, "layers": [linear(3), {"type": "tanh"}, linear(2)], "loss": loss}, 6,
                              {"type": "sgd", "lr": 0.1}, epochs=12, batch_size=batch_size)
    make.write("train/penalties.ndjson")


def networks():
    """Depth, widths, conventions, names, biases, axes, batch sizes."""
    make = Maker(3)
    cycle = ["relu", "tanh", "leaky_relu", "sigmoid", "gelu", "elu", "silu", "softplus"]
    for depth in range(1, 11):
        for number, convention in enumerate(CONVENTIONS):
            layers = []
            for index in range(depth - 1):
                layers += [linear(2 + (index * 3 + number) % 4), {"type": cycle[(index + number) % len(cycle)]}]
            layers.append(linear(2))
            make.add(f"{depth} linear layers, {convention}", {"input": 3, "layers": layers, "loss": "mse"},
                     2 + (depth + number) % 6, convention, scale=1.7)
    for depth in (2, 5, 10):
        make.add(f"{depth} linear layers with nothing between them",
                 {"input": 3, "layers": [linear(3) for _ in range(depth)], "loss": "mse"}, 3)
    for batch in range(1, 8):
        for convention in CONVENTIONS:
            make.add(f"batch {batch}, {convention}",
                     {"input": 2, "layers": [linear(3), {"type": "tanh"}, linear(1)], "loss": "mse"}, batch, convention)
        make.add(f"batch {batch}, cross_entropy",
                 {"input": 2, "layers": [linear(3)], "loss": "cross_entropy"}, batch)
    for convention in CONVENTIONS:
        for biases in ((False, False, False), (False, True, True), (True, False, True), (True, True, False)):
            first, second, third = biases
            layers = [linear(4, bias=first), {"type": "tanh"}, linear(3, bias=second), {"type": "sigmoid"},
                      linear(2, bias=third)]
            make.add(f"bias {first}, {second}, {third}, {convention}",
                     {"input": 3, "layers": layers, "loss": "mse"}, 4, convention)
        make.add(f"biases of two axes, {convention}",
                 {"input": 3, "layers": [linear(4), {"type": "relu"}, linear(2)], "loss": "mse"}, 4, convention,
                 bias_axes=2)
        make.add(f"one unit everywhere, {convention}",
                 {"input": 1, "layers": [linear(1), {"type": "tanh"}, linear(1)], "loss": "mse"}, 2, convention)
        make.add(f"in_features given, {convention}",
                 {"input": [4], "layers": [linear(3, in_features=4), {"type": "tanh"}, linear(2, in_features=3)],
                  "loss": "mse"}, 3, convention)
    named = [linear(4, name="encoder"), {"type": "relu", "name": "kink"}, linear(3), {"type": "tanh"},
             linear(2, name="head")]
    make.add("pytorch names by name and by index", {"input": 3, "layers": named, "loss": "mse"}, 4, "pytorch")
    make.add("pytorch names with dots",
             {"input": 3, "layers": [linear(4, name="encoder.fc1"), {"type": "relu"}, linear(2, name="decoder.fc1")],
              "loss": "mse"}, 4, "pytorch")
    make.add("names in the numpy convention name no parameters", {"input": 3, "layers": named, "loss": "mse"}, 4)

    for shape in ([2, 3], [2, 2, 2], [1, 4], [2, 1, 3, 1]):
        for convention in ("numpy", "pytorch"):
            what = "x".join(map(str, shape))
            make.add(f"flatten first, input {what}, {convention}",
                     {"input": shape, "layers": [{"type": "flatten"}, linear(4), {"type": "relu"}, linear(2)],
                      "loss": "mse"}, 3, convention)
            make.add(f"linear on the last axis, input {what}, {convention}",
                     {"input": shape, "layers": [linear(3), {"type": "tanh"}, linear(2)], "loss": "mse"}, 3, convention)
            make.add(f"linear, then flatten, then linear, input {what}, {convention}",
                     {"input": shape, "layers": [linear(2), {"type": "softmax"}, {"type": "flatten"}, linear(3)],
                      "loss": "cross_entropy"}, 3, convention)
    for reduction in REDUCTIONS:
        make.add(f"output of several axes, reduction={reduction}",
                 {"input": [3, 2], "layers": [linear(2), {"type": "log_softmax"}],
                  "loss": {"type": "smooth_l1", "reduction": reduction, "l2": 0.3}}, 4)
    make.add("flatten of a vector changes nothing",
             {"input": 3, "layers": [{"type": "flatten"}, linear(2), {"type": "flatten"}], "loss": "mse"}, 3)
    make.add("flatten last", {"input": [2, 2], "layers": [linear(3), {"type": "relu"}, {"type": "flatten"}], "loss": "mse"},
             2)
    for sizes in ([17, 9, 5], [33, 3], [4, 40, 3]):
        layers = []
        for size in sizes[1:]:
            layers += [linear(size), {"type": "gelu"}]
        make.add("wider: " + "-".join(map(str, sizes)), {"input": sizes[0], "layers": layers[:-1], "loss": "mse"}, 6)
    make.write("networks.ndjson")


def edges():
    """Saturated inputs, exact kinks and exact zeros."""
    make = Maker(4)

    def direct(name, x, y, loss, activation=(), out=None, convention="numpy"):
        """One linear layer with the unit matrix: what it is given reaches the activation or the loss as it is."""
        width = len(x[0])
        make.add(name, {"input": width, "layers": [linear(width), *activation], "loss": loss}, len(x), convention,
                 x=x, y=y, parameters=[(identity(width), [0.0] * width)])

    huge = [[1e4, 0.0, -1e4], [1e4, 1e4, -1e4], [-1e4, 3.0, 1e4], [0.5, -1.25, 2.0]]
    for reduction in REDUCTIONS:
        direct(f"cross_entropy on logits of 1e4, {reduction}", huge, [0, 2, 1, 2],
               {"type": "cross_entropy", "reduction": reduction})
    direct("cross_entropy on logits of 1e4, probabilities", huge, make.distribution(4, 3), "cross_entropy")
    direct("log_softmax and nll on logits of 1e4", huge, [0, 2, 1, 2], "nll", [{"type": "log_softmax"}])
    direct("softmax and mse on logits of 1e4", huge, make.numbers((4, 3)), "mse", [{"type": "softmax"}])
    direct("log_softmax and mse on logits of 1e4", huge, make.numbers((4, 3)), "mse", [{"type": "log_softmax"}])
    direct("cross_entropy from probabilities, logits of 30", [[30.0, 0.0, -2.0], [1.0, -30.0, 2.0]], [0, 1],
           {"type": "cross_entropy", "from": "probabilities"}, [{"type": "softmax"}])
    direct("hinge on scores of 1e4", huge, [0, 2, 1, 2], "hinge")

    wide = [[-800.0], [-40.0], [-20.0], [-0.5], [0.0], [0.5], [20.0], [40.0], [800.0]]
    for activation in ACTIVATIONS:
        if activation["type"] not in ("softmax", "log_softmax"):
            direct(f"{label_of(activation)} at +-800, +-40, +-20, 0", wide, [[0.25]] * 9, "mse", [dict(activation)])
            direct(f"{label_of(activation)} at its kink", [[0.0, -0.0], [1.0, -1.0], [0.0, 2.0]],
                   [[0.5, -0.5], [0.0, 1.0], [-2.0, 0.0]], "mse", [dict(activation)])
    for reduction in REDUCTIONS:
        loss = {"type": "bce_with_logits", "reduction": reduction}
        direct(f"bce_with_logits at +-800, target 0, {reduction}", wide, [[0.0]] * 9, loss)
        direct(f"bce_with_logits at +-800, target 1, {reduction}", wide, [[1.0]] * 9, loss)
    direct("bce_with_logits at +-800, soft targets", wide, [[0.3]] * 9, "bce_with_logits")
    for target in (0.0, 1.0):
        direct(f"sigmoid at +-40 into bce, target {target:g}", [[-40.0], [-30.0], [0.25], [40.0]], [[target]] * 4, "bce",
               [{"type": "sigmoid"}])
        direct(f"sigmoid at 18 to 27 into bce, target {target:g}", [[18.0], [20.0], [22.5], [25.0], [27.0]], [[target]] * 5,
               "bce", [{"type": "sigmoid"}])
        direct(f"sigmoid at +-800 into bce, target {target:g}", [[-800.0], [800.0]], [[target]] * 2, "bce",
               [{"type": "sigmoid"}])
        direct(f"bce at exactly 0 and 1, target {target:g}", [[0.0], [1.0], [0.5]], [[target]] * 3, "bce")
    direct("bce at exactly 0 and 1, soft targets", [[0.0], [1.0], [0.25]], [[0.5], [0.25], [0.75]], "bce")
    direct("bce at tiny probabilities", [[1e-300], [1e-50], [1e-13], [1e-11]], [[1.0], [0.0], [1.0], [0.5]], "bce")

    steps = [[-3.0], [-1.0], [-0.5], [0.0], [0.5], [1.0], [2.75], [4.0]]  # lopsided: no sum vanishes but for rounding
    for loss in ({"type": "l1"}, {"type": "smooth_l1"}, {"type": "smooth_l1", "beta": 0.5}, {"type": "huber"},
                 {"type": "huber", "delta": 0.5}, {"type": "mse"}):
        direct(f"{label_of(loss)} at its kinks and at no error", steps, [[0.0]] * len(steps), loss)
    direct("hinge at its kink", [[2.0, 1.0, 3.0], [0.0, 0.0, -1.0], [5.0, 0.0, 1.0]], [0, 0, 0], "hinge")
    direct("hinge: all scores equal", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], [1, 2], "hinge")
    for convention in CONVENTIONS:
        make.add(f"relu: zero biases and a row of zeros, {convention}",
                 {"input": 2, "layers": [linear(4), {"type": "relu"}, linear(3), {"type": "relu"}, linear(1)],
                  "loss": "mse"}, 4, convention, x=[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
                 parameters=[(make.numbers((2, 4)), [0.0] * 4), (make.numbers((4, 3)), [0.0] * 3),
                             (make.numbers((3, 1)), [0.0])])
    make.add("relu: all units dead", {"input": 2, "layers": [linear(3), {"type": "relu"}, linear(1)], "loss": "mse"}, 3,
             parameters=[(make.numbers((2, 3), 0.1), [-9.0] * 3), (make.numbers((3, 1)), [0.5])])
    make.add("all parameters zero", {"input": 2, "layers": [linear(3), {"type": "sigmoid"}, linear(2)], "loss": "mse"}, 3,
             parameters=[([[0.0] * 3] * 2, [0.0] * 3), ([[0.0] * 2] * 3, [0.0] * 2)])
    make.add("very small numbers", {"input": 2, "layers": [linear(3), {"type": "tanh"}, linear(2)], "loss": "mse"}, 3,
             x=[[1e-120, 2e-121], [-3e-120, 1e-122], [0.0, 1e-119]], y=[[1e-3, 2e-3], [3e-3, -1e-3], [0.0, 1e-3]])
    make.add("very large numbers", {"input": 2, "layers": [linear(3), {"type": "relu"}, linear(2)], "loss": "l1"}, 3,
             x=[[1e100, 2e101], [-3e100, 1e102], [0.0, 1e99]])
    make.write("edges.ndjson")


def lab():
    """The networks of the manual backpropagation lab, with NumPy's own draws as explicit tensors."""
    make = Maker(5)
    xor_x, xor_y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]]

    def he_normal(seed, sizes):
        np.random.seed(seed)
        drawn = [np.random.randn(a, b) * np.sqrt(2.0 / a) for a, b in zip(sizes, sizes[1:])]
        return [(W.tolist(), [0.0] * W.shape[1]) for W in drawn]

    def network(sizes, loss):
        layers = []
        for size in sizes[1:]:
            layers += [linear(size), {"type": "relu"}]
        layers[-1] = {"type": "sigmoid"}
        return {"input": sizes[0], "layers": layers, "loss": loss}

    for convention in CONVENTIONS:
        make.add(f"XOR, 2-3-2-1, seed 42, {convention}", network([2, 3, 2, 1], "mse"), 4, convention, x=xor_x, y=xor_y,
                 parameters=he_normal(42, [2, 3, 2, 1]), bias_axes=2)
    make.add("XOR, 2-3-2-1, seed 123", network([2, 3, 2, 1], "mse"), 4, x=xor_x, y=xor_y,
             parameters=he_normal(123, [2, 3, 2, 1]), bias_axes=2)
    make.add("XOR, 2-4-3-2-1, seed 42", network([2, 4, 3, 2, 1], "mse"), 4, x=xor_x, y=xor_y,
             parameters=he_normal(42, [2, 4, 3, 2, 1]), bias_axes=2)
    make.add("XOR, 2-3-2-1, seed 42, bce", network([2, 3, 2, 1], "bce"), 4, x=xor_x, y=xor_y,
             parameters=he_normal(42, [2, 3, 2, 1]), bias_axes=2)
    for activation in ("sigmoid", "relu"):
        make.add(f"one neuron, {activation}",
                 {"input": 1, "layers": [linear(1), {"type": activation}], "loss": "mse"}, 1, x=[[2.0]], y=[[1.0]],
                 parameters=[([[0.5]], [0.1])])
    make.write("lab.ndjson")


def float32():
    """A sample of everything, computed by PyTorch in float32."""
    make = Maker(6)
    for number, activation in enumerate(ACTIVATIONS):
        make.add(f"float32: {label_of(activation)}",
                 {"input": 3, "layers": [linear(5), dict(activation), linear(4), dict(activation), linear(2)],
                  "loss": "mse"}, 5, CONVENTIONS[number % 3], dtype="float32")
    definitions = [({"type": "mse"}, []), ({"type": "l1"}, []), ({"type": "smooth_l1", "beta": 0.5}, []),
                   ({"type": "huber", "delta": 0.5}, []), ({"type": "bce"}, [{"type": "sigmoid"}]),
                   ({"type": "bce_with_logits"}, []), ({"type": "cross_entropy"}, []),
                   ({"type": "cross_entropy", "from": "probabilities"}, [{"type": "softmax"}]),
                   ({"type": "nll"}, [{"type": "log_softmax"}]), ({"type": "hinge"}, [])]
    for number, (loss, last) in enumerate(definitions):
        for reduction in REDUCTIONS:
            definition = {**loss, "reduction": reduction, "l2": 0.05}
            make.add(f"float32: {label_of(definition)}",
                     {"input": 3, "layers": [linear(4), {"type": "tanh"}, linear(3), *last], "loss": definition}, 5,
                     CONVENTIONS[number % 3], dtype="float32")
    for depth in range(1, 11):
        layers = []
        for _ in range(depth - 1):
            layers += [linear(4), {"type": "tanh"}]
        make.add(f"float32: {depth} linear layers", {"input": 3, "layers": layers + [linear(2)], "loss": "mse"}, 5,
                 dtype="float32")
    make.add("float32: input of several axes",
             {"input": [2, 3], "layers": [linear(4), {"type": "silu"}, {"type": "flatten"}, linear(2)], "loss": "mse"}, 3,
             dtype="float32")
    make.add("float32: logits of 1e4", {"input": 3, "layers": [linear(3)], "loss": "cross_entropy"}, 2,
             x=[[1e4, 0.0, -1e4], [-1e4, 1e4, 1e4]], y=[0, 0], parameters=[(identity(3), [0.0] * 3)], dtype="float32")
    make.add("float32: bce_with_logits at +-800", {"input": 1, "layers": [linear(1)], "loss": "bce_with_logits"}, 4,
             x=[[-800.0], [-40.0], [40.0], [800.0]], y=[[1.0]] * 4, parameters=[([[1.0]], [0.0])], dtype="float32")
    make.add("float32: bce at exactly 0 and 1", {"input": 1, "layers": [linear(1)], "loss": "bce"}, 4,
             x=[[0.0], [1.0], [0.0], [1.0]], y=[[1.0], [1.0], [0.0], [0.0]], parameters=[([[1.0]], [0.0])], dtype="float32")
    make.write("float32.ndjson")


# --- training runs -----------------------------------------------------------------------------------------------------


OPTIMIZERS = [
    {"type": "sgd"},
    {"type": "sgd", "lr": 0.1},
    {"type": "sgd", "lr": 0.05, "momentum": 0.9},
    {"type": "sgd", "lr": 0.05, "momentum": 0.8, "dampening": 0.5},
    {"type": "sgd", "lr": 0.05, "dampening": 0.5},
    {"type": "sgd", "lr": 0.05, "momentum": 0.8, "nesterov": True},
    {"type": "sgd", "lr": 0.1, "weight_decay": 0.03},
    {"type": "sgd", "lr": 0.05, "momentum": 0.7, "dampening": 0.2, "nesterov": False, "weight_decay": 0.02},
    {"type": "sgd", "lr": 0.05, "momentum": 0.7, "dampening": 0, "nesterov": True, "weight_decay": 0.02},
    {"type": "adam"},
    {"type": "adam", "lr": 0.05},
    {"type": "adam", "lr": 0.02, "betas": [0.6, 0.8]},
    {"type": "adam", "lr": 0.02, "betas": [0, 0.9]},
    {"type": "adam", "lr": 0.02, "eps": 0.01},
    {"type": "adam", "lr": 0.02, "weight_decay": 0.1},
    {"type": "adam", "lr": 0.03, "betas": [0.8, 0.95], "eps": 1e-4, "weight_decay": 0.05},
    {"type": "adamw"},
    {"type": "adamw", "lr": 0.05},
    {"type": "adamw", "lr": 0.02, "betas": [0.6, 0.8]},
    {"type": "adamw", "lr": 0.02, "eps": 0.01},
    {"type": "adamw", "lr": 0.02, "weight_decay": 0},
    {"type": "adamw", "lr": 0.02, "weight_decay": 0.5},
    {"type": "adamw", "lr": 0.03, "betas": [0.8, 0.95], "eps": 1e-4, "weight_decay": 0.2},
    {"type": "rmsprop"},
    {"type": "rmsprop", "lr": 0.02},
    {"type": "rmsprop", "lr": 0.01, "alpha": 0.7},
    {"type": "rmsprop", "lr": 0.01, "eps": 0.05},
    {"type": "rmsprop", "lr": 0.005, "momentum": 0.8},
    {"type": "rmsprop", "lr": 0.01, "weight_decay": 0.1},
    {"type": "rmsprop", "lr": 0.005, "alpha": 0.9, "eps": 1e-4, "momentum": 0.5, "weight_decay": 0.05},
    {"type": "adagrad"},
    {"type": "adagrad", "lr": 0.1},
    {"type": "adagrad", "lr": 0.1, "lr_decay": 0.05},
    {"type": "adagrad", "lr": 0.1, "weight_decay": 0.1},
    {"type": "adagrad", "lr": 0.1, "initial_accumulator_value": 0.3},
    {"type": "adagrad", "lr": 0.1, "eps": 0.01},
    {"type": "adagrad", "lr": 0.1, "lr_decay": 0.02, "weight_decay": 0.05, "initial_accumulator_value": 0.1, "eps": 1e-4},
]
QUICK = [{"type": "sgd", "lr": 0.1}, {"type": "sgd", "lr": 0.05, "momentum": 0.9}, {"type": "adam", "lr": 0.02},
         {"type": "adamw", "lr": 0.02}, {"type": "rmsprop", "lr": 0.005}, {"type": "adagrad", "lr": 0.1}]

LAST = {"bce": [{"type": "sigmoid"}], "nll": [{"type": "log_softmax"}]}


def train_optimizers():
    """Every optimizer with every option, on all samples at once and in batches of which the last is smaller."""
    make = Maker(11)
    networks = [
        {"input": 2, "layers": [linear(4), {"type": "tanh"}, linear(1), {"type": "sigmoid"}], "loss": "bce"},
        {"input": 3, "layers": [linear(3), {"type": "relu"}, linear(3)], "loss": "cross_entropy"},
        {"input": 2, "layers": [linear(3), {"type": "gelu"}, linear(2)], "loss": {"type": "mse", "l2": 0.05}},
        {"input": 3, "layers": [linear(1)], "loss": "mse"},
    ]
    for number, optimizer in enumerate(OPTIMIZERS):
        for small in (False, True):
            make.add_training(f"{label_of(optimizer)}, {'batches' if small else 'all samples'}",
                              copy.deepcopy(networks[(number + 2 * small) % 4]), 7, optimizer, epochs=21 if small else 40,
                              batch_size=3 if small else None, record_every=None if small else 2,
                              convention=CONVENTIONS[(number + small) % 3])
    make.add_training("no optimizer", networks[0], 5, None, epochs=12)
    make.write("train/optimizers.ndjson")


def train_networks():
    """Depths, activations, conventions, biases, axes."""
    make = Maker(12)
    cycle = ["tanh", "relu", "sigmoid", "gelu", "elu", "silu", "softplus", "leaky_relu"]
    for depth in range(1, 5):
        for number, convention in enumerate(CONVENTIONS):
            layers = []
            for index in range(depth - 1):
                layers += [linear(2 + (index + number) % 3), {"type": cycle[(index + 2 * depth + number) % len(cycle)]}]
            layers.append(linear(1 + number % 2))
            make.add_training(f"{depth} linear layers, {convention}", {"input": 3, "layers": layers, "loss": "mse"}, 6,
                              QUICK[(depth + number) % len(QUICK)], batch_size=(None, 4)[number % 2],
                              convention=convention)
    for number, activation in enumerate(ACTIVATIONS):
        last = {"softmax": {"type": "cross_entropy", "from": "probabilities"}, "log_softmax": "nll"}.get(activation["type"])
        layers = [linear(4), dict(activation), linear(3)] + ([dict(activation)] if last else [])
        make.add_training(f"{label_of(activation)}", {"input": 2, "layers": layers, "loss": last or "mse"}, 5,
                          QUICK[number % len(QUICK)], convention=CONVENTIONS[number % 3], batch_size=(None, 2, 3)[number % 3])
    for convention in CONVENTIONS:
        make.add_training(f"no bias in the first layer, {convention}",
                          {"input": 2, "layers": [linear(3, bias=False), {"type": "tanh"}, linear(1)], "loss": "mse"}, 5,
                          QUICK[2], convention=convention)
        make.add_training(f"biases of two axes, {convention}",
                          {"input": 2, "layers": [linear(3), {"type": "tanh"}, linear(2)], "loss": "mse"}, 5,
                          QUICK[1], convention=convention, bias_axes=2, batch_size=2)
    make.add_training("pytorch names by name and by index",
                      {"input": 2, "layers": [linear(3, name="encoder"), {"type": "tanh"}, linear(1)], "loss": "mse"}, 5,
                      QUICK[0], convention="pytorch")
    for convention in ("numpy", "pytorch"):
        make.add_training(f"input of several axes, flatten, {convention}",
                          {"input": [2, 3], "layers": [linear(2), {"type": "tanh"}, {"type": "flatten"}, linear(3)],
                           "loss": "cross_entropy"}, 5, QUICK[1], convention=convention, batch_size=2)
        make.add_training(f"output of several axes, {convention}",
                          {"input": [2, 3], "layers": [linear(4), {"type": "tanh"}, linear(2)], "loss": "mse"}, 5,
                          QUICK[2], convention=convention, batch_size=3)
    make.add_training("wider: 17-9-5",
                      {"input": 17, "layers": [linear(9), {"type": "relu"}, linear(5)], "loss": "mse"}, 12, QUICK[2],
                      epochs=10, batch_size=5)
    xor = {"x": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "y": [[0.0], [1.0], [1.0], [0.0]]}
    for optimizer in QUICK:
        make.add_training(f"XOR, {label_of(optimizer)}",
                          {"input": 2, "layers": [linear(8), {"type": "tanh"}, linear(1)], "loss": "bce_with_logits"}, 4,
                          optimizer, epochs=60, record_every=3, **xor)
    make.write("train/networks.ndjson")


def train_losses():
    """Every loss with every reduction, with and without l2; targets with an accuracy and without."""
    make = Maker(13)
    definitions = [({"type": "mse"}, None), ({"type": "l1"}, None), ({"type": "smooth_l1", "beta": 0.5}, None),
                   ({"type": "huber", "delta": 0.5}, None), ({"type": "bce"}, None), ({"type": "bce_with_logits"}, None),
                   ({"type": "cross_entropy"}, None), ({"type": "cross_entropy"}, "soft"), ({"type": "nll"}, None),
                   ({"type": "hinge"}, None)]
    for number, (loss, target) in enumerate(definitions):
        for at, reduction in enumerate(REDUCTIONS):
            for l2 in (0.0, 0.04):
                definition = {**loss, "reduction": reduction, **({"l2": l2} if l2 else {})}
                width = 3 if loss["type"] in torch_reference.BATCH_LOSSES else 1 + at % 2
                layers = [linear(4), {"type": "tanh"}, linear(width), *LAST.get(loss["type"], [])]
                make.add_training(f"{label_of(definition)}{', soft targets' if target else ''}",
                                  {"input": 2, "layers": layers, "loss": definition}, 6, QUICK[(number + at) % len(QUICK)],
                                  epochs=16, batch_size=4 if l2 else None, convention=CONVENTIONS[(number + at) % 3],
                                  y=make.distribution(6, 3) if target else None)
    one_hot = [[float(column == row % 3) for column in range(3)] for row in range(6)]
    for kind, y in (("cross_entropy", one_hot), ("mse", one_hot), ("bce_with_logits", one_hot),
                    ("mse", [[float(row % 2)] for row in range(6)]), ("l1", [[float(row % 2)] for row in range(6)]),
                    ("mse", [[row % 2 / 2] for row in range(6)])):
        what = "one-hot" if y is one_hot else "0 and 0.5" if [0.5] in y else "0 and 1"
        make.add_training(f"{kind}, targets {what}",
                          {"input": 2, "layers": [linear(4), {"type": "tanh"}, linear(len(y[0]))], "loss": kind}, 6,
                          QUICK[0], batch_size=4, y=y)
    make.write("train/losses.ndjson")


def train_batches():
    """Batch sizes, and how often an epoch is recorded."""
    make = Maker(14)
    network = {"input": 2, "layers": [linear(3), {"type": "tanh"}, linear(1), {"type": "sigmoid"}], "loss": "bce"}
    for size in range(1, 9):
        make.add_training(f"8 samples in batches of {size}", network, 8, QUICK[size % len(QUICK)], batch_size=size,
                          epochs=12, convention=CONVENTIONS[size % 3])
    make.add_training("one sample", network, 1, QUICK[0])
    make.add_training("momentum over many batches", network, 9, QUICK[1], batch_size=2, epochs=60, record_every=6)
    for epochs, every in ((1, None), (1, 1), (20, 1), (20, 2), (20, 3), (20, 7), (20, 19), (20, 20)):
        make.add_training(f"{epochs} epochs, every {every or 'default'}", network, 5, QUICK[2], epochs=epochs,
                          record_every=every, batch_size=2)
    make.write("train/batches.ndjson")


def train_float32():
    """A few runs in float32."""
    make = Maker(15)
    for optimizer in QUICK:
        make.add_training(f"float32: {label_of(optimizer)}",
                          {"input": 2, "layers": [linear(3), {"type": "tanh"}, linear(3)], "loss": "cross_entropy"}, 6,
                          optimizer, epochs=12, batch_size=4, dtype="float32")
    make.write("train/float32.ndjson")


def lab_curve():
    """The loss of each of the 1000 epochs that the lab trains."""
    curve = lab_training.train(1000)
    (HERE / "train" / "lab_curve.json").write_text("[\n" + ",\n".join(map(repr, curve)) + "\n]\n", encoding="ascii")
    print(f"train/lab_curve.json: {len(curve)} epochs, {curve[0]!r} to {curve[-1]!r}")


# --- NumPy's generator -----------------------------------------------------------------------------------------------


def numpy_random():
    """What np.random.seed(seed) and the schemes give, bit for bit.

    numpy_random.json: [{"init": the request's init without "generator", "layers": [{"in", "out", "values"}]}].
    numpy_random.txt: the same for C, a line for each layer: seed scheme a b in out value...
    The seed is `+` where the line goes on with the generator of the line above (a further layer of one network);
    a and b are the scheme's own numbers (`normal` std 0, `uniform` low high, else 0 0); numbers that are not integers
    are C99 hexadecimal floats.
    """
    odd = [(3, 3), (3, 1), (1, 1)]  # odd counts: the second normal of a pair waits for the next layer
    draws = []
    for seed in (0, 42, 123, 2**32 - 1):
        draws += [({"scheme": scheme, "seed": seed}, odd)
                  for scheme in ("he_normal", "he_uniform", "xavier_normal", "xavier_uniform")]
        draws.append(({"scheme": "normal", "std": 0.02, "seed": seed}, odd))
        draws.append(({"scheme": "uniform", "low": -0.3, "high": 0.7, "seed": seed}, odd))
    draws += [
        ({"scheme": "he_normal", "seed": 42}, [(2, 3), (3, 2), (2, 1)]),
        ({"scheme": "he_normal", "seed": 42}, [(2, 4), (4, 3), (3, 2), (2, 1)]),
        ({"scheme": "he_normal", "seed": 1}, [(25, 31), (31, 3)]),  # 868 draws: past one block of the Mersenne twister
        ({"scheme": "xavier_uniform", "seed": 2**31}, [(20, 33), (33, 1)]),
        ({"scheme": "normal", "std": 1.0, "seed": 7}, [(1, 5), (5, 1), (1, 7)]),
        ({"scheme": "uniform", "low": 0.0, "high": 1.0, "seed": 7}, [(5, 1), (1, 3)]),
        ({"scheme": "uniform", "low": -2.5, "high": -1.0, "seed": 624}, [(4, 3)]),
        ({"scheme": "zeros", "seed": 42}, [(2, 3), (3, 1)]),
    ]
    cases, lines = [], ["# seed scheme a b in out value... (made by generate.py; + goes on with the line above)\n"]
    for init, shapes in draws:
        np.random.seed(init["seed"])
        layers, lead = [], str(init["seed"])
        a, b = {"normal": (init.get("std"), 0.0), "uniform": (init.get("low"), init.get("high"))}.get(
            init["scheme"], (0.0, 0.0))
        for fan_in, fan_out in shapes:
            values = torch_reference.draw(init, fan_in, fan_out)
            layers.append({"in": fan_in, "out": fan_out, "values": values.tolist()})
            flat = " ".join(float(value).hex() for value in values.ravel())
            lines.append(f"{lead} {init['scheme']} {a.hex()} {b.hex()} {fan_in} {fan_out} {flat}\n")
            lead = "+"
        cases.append({"init": copy.deepcopy(init), "layers": layers})
    (HERE / "numpy_random.json").write_text(
        "[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n", encoding="ascii")
    (HERE / "numpy_random.txt").write_text("".join(lines), encoding="ascii")
    count = sum(layer["in"] * layer["out"] for case in cases for layer in case["layers"])
    print(f"numpy_random.json, numpy_random.txt: {len(cases)} draws, {count} values")


def main():
    torch.set_num_threads(1)
    (HERE / "train").mkdir(exist_ok=True)
    for part in (activations, losses, networks, edges, lab, float32, numpy_random, train_optimizers, train_networks,
                 train_losses, train_batches, train_float32, lab_curve, penalties, train_penalties):
        part()


if __name__ == "__main__":
    main()

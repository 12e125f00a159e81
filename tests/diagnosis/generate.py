#!/usr/bin/python3
"""Makes the diagnosis's test set beside this file: *.ndjson, one case a line, from fixed seeds.

    apt-get install python3-numpy
    /usr/bin/python3 tests/diagnosis/generate.py

Another set, to see whether the diagnosis fits only this one:

    /usr/bin/python3 tests/diagnosis/generate.py --seed 1000 --to build/diagnosis
    python3 tests/diagnosis/report.py --cases build/diagnosis

A line:

    {"name", "kind": "single" | "pair" | "triple" | "equal" | "right" | "noise" | "wild",
     "truth": [{"id", "layers", "equivalent": [ids]}], "first_wrong": [names], "request": {a body of POST /v1/check}}

`equal`: two mistakes whose numbers one alone gives as well. That one is to be claimed, and both are to be listed.
`equivalent`: other ids that give the same numbers, to the tolerance, in place of this one. `first_wrong`: the failing
parameters of the layer that the backward pass reaches first; naming either of them is right.
"""

import argparse
import itertools
import json
import pathlib
import random

import numpy as np

import student
from student import Blunder

HERE = pathlib.Path(__file__).resolve().parent
CLEAR = 20       # a kept case is off by this many tolerances somewhere
BLURRED = (0.2, 5)  # and no parameter is so near the tolerance that rounding could decide

# How often an id is wanted: more where wild programs have it more often.
WEIGHTS = {name: 1.0 for name in student.ALL_IDS}
WEIGHTS.update(
    missing_activation_derivative=2.2, wrong_activation_derivative=2.6, derivative_at_output=1.6, upstream_dropped=1.4,
    derivative_of_gradient=1.4, softmax_jacobian_diagonal=1.3, not_averaged_over_batch=1.4, averaged_twice=1.3,
    missing_factor_two=1.3, updated_weights_propagated=1.8, raw_error_propagated=1.5, relu_gradient_at_zero=1.5,
    bias_not_summed=1.4, bias_averaged=1.3, transposed=1.3, all_zero=1.5, single_sample=1.6, clipped=1.6,
    constant_factor=1.6, low_precision=1.5, cross_entropy_shortcut=1.4, mse_shortcut=1.3, parameter_as_gradient=1.2,
)

SLOPES = (0.01, 0.05, 0.1, 0.2, 0.3)
SMOOTH = ("sigmoid", "tanh", "softplus", "silu", "gelu", "elu")


# --- programs without mistakes ---------------------------------------------------------------------------------------


class Base:
    """A network with its parameters and data, all its single mistakes, and the numbers that each of them gives."""

    def __init__(self, definition, params, x, y, convention="numpy", bias_axes=1, tolerance=None, init=None, alias=""):
        self.net = student.Net(definition)
        self.params, self.x, self.y = params, np.asarray(x, float), np.asarray(y)
        self.convention, self.bias_axes, self.tolerance, self.init = convention, bias_axes, tolerance, init
        self.alias = alias
        if self.y.dtype.kind == "i" and self.net.loss["type"] not in student.BATCH_LOSSES:
            self.y = self.y.astype(float)
        self.atol = tolerance["atol"] if tolerance else 1e-6
        self.rtol = tolerance["rtol"] if tolerance else 0.0
        self.right = self.run([])
        self._pool = None

    def run(self, blunders):
        grads = student.run(self.net, self.params, self.x, self.y, blunders)
        if grads is None or not all(np.isfinite(value).all() for value in grads.values()):
            return None
        return grads

    def usable(self):
        return self.right is not None and max(np.abs(value).max() for value in self.right.values()) > 1e-3

    def judge(self, grads):
        return student.fails(self.net, self.right, grads, self.atol, self.rtol)

    def same(self, a, b):
        """Whether two submissions are the same numbers, to the tolerance."""
        for name in a:
            if name not in b or np.shape(a[name]) != np.shape(b[name]):
                return False
            if not np.all(np.abs(a[name] - b[name]) <= self.atol + self.rtol * np.abs(b[name])):
                return False
        return True

    def pool(self):
        """[(blunder, gradients)] of all single mistakes that fail here."""
        if self._pool is None:
            self._pool = []
            for blunder in candidates(self):
                grads = self.run([blunder])
                if grads is not None and max(self.judge(grads).values()) > 1:
                    self._pool.append((blunder, grads))
        return self._pool

    def later_pool(self):
        """The same of the mistakes that came to be known later."""
        found = []
        for blunder in later_candidates(self):
            grads = self.run([blunder])
            if grads is not None and max(self.judge(grads).values()) > 1:
                found.append((blunder, grads))
        return found

    def latest_pool(self):
        """The same of those that came after these."""
        runs = [(blunder, self.run([blunder])) for blunder in latest_candidates(self)]
        return [(b, grads) for b, grads in runs if grads is not None and max(self.judge(grads).values()) > 1]

    def equivalents(self, grads, own_ids):
        """Other ids that give the same numbers. A plain factor is none of them: it is what is left when no id says more."""
        return sorted({b.id for b, other in self.pool()
                       if b.id not in own_ids and not plain_factor(b) and self.same(grads, other)})

    def clear(self, grads):
        ratios = self.judge(grads).values()
        return max(ratios) >= CLEAR and not any(BLURRED[0] < ratio < BLURRED[1] for ratio in ratios)

    def layers_of(self, blunder):
        net = self.net
        if blunder.id in student.ACTIVATION_IDS + student.SLIPS:
            return [net.act_at[k] for k in blunder.places]
        if blunder.places == ["loss"]:
            return ["loss"]
        return sorted({net.linear_at[p[0] if isinstance(p, tuple) else p] for p in blunder.places})

    def request(self, grads, **more):
        y = self.y.tolist()
        x = self.x
        if isinstance(self.net.definition["input"], list):
            x = x.reshape([len(x)] + self.net.definition["input"])
        if self.convention == "columns":
            x, y = x.T, self.y.T.tolist()
        request = {"network": self.net.definition}
        if self.convention != "numpy":
            request["convention"] = self.convention
        request["parameters"] = self.init or {
            student.parameter_name(self.net, self.convention, k, which):
                short(student.laid_out(self.convention, which, self.params[k, which], self.bias_axes))
            for k, which in self.net.names()}
        request["data"] = {"x": short(x.tolist()), "y": short(y)}
        if self.tolerance:
            request["tolerance"] = self.tolerance
        request["gradients"] = student.submission(self.net, self.convention, grads, self.bias_axes, self.alias)
        request.update(more)
        return request

    def first_wrong(self, grads):
        return [student.parameter_name(self.net, self.convention, k, which)
                for k, which in student.first_wrong(self.net, self.judge(grads))]

    def label(self):
        net = self.net
        words = ["-".join(map(str, [net.inputs] + [size for _, size in net.linears]))]
        words += [act["type"] if act else "none" for act in net.acts]
        words.append(net.loss["type"])
        if "reduction" in net.loss:
            words.append(net.loss["reduction"])
        if net.l2:
            words.append("l2")
        if self.convention != "numpy":
            words.append(self.convention)
        return " ".join(words + ["batch %d" % len(self.x)])


def plain_factor(blunder):
    return blunder.id == "constant_factor" or "scale" in blunder.options


def short(value):
    """2.0 becomes 2, which a request may hold as well."""
    if isinstance(value, list):
        return [short(v) for v in value]
    return int(value) if isinstance(value, float) and value == int(value) and abs(value) < 1e6 else value


# --- all single mistakes at a program --------------------------------------------------------------------------------


def others_of(act):
    """What a student takes for this activation's derivative."""
    kind, options = act["type"], []
    if kind == "softmax":
        return [{"other": {"type": "log_softmax"}}, {"other": {"type": "sigmoid"}}]
    if kind == "log_softmax":
        return [{"other": {"type": "softmax"}}]
    options += [{"other": {"type": name}} for name in SMOOTH + ("relu",) if name != kind]
    for slope in SLOPES:
        if not (kind == "leaky_relu" and slope == act.get("negative_slope", 0.01)):
            options.append({"other": {"type": "leaky_relu", "negative_slope": slope}})
    if kind == "elu":
        options += [{"other": {"type": "elu", "alpha": a}} for a in (0.1, 0.5, 1.0, 2.0) if a != act.get("alpha", 1.0)]
    for formula in ("sigmoid", "tanh"):
        if formula != kind:
            options.append({"output_formula": formula})
    options += [{"other": act, "scale": scale} for scale in (0.5, 2, 0.25)]
    return options


def everywhere(name, places, options=({},)):
    """The mistake at each place, and at all of them."""
    for option in options:
        for place in places:
            yield Blunder(name, [place], **option)
        if len(places) > 1:
            yield Blunder(name, places, **option)


def candidates(base):
    net, n = base.net, len(base.x)
    acts = [k for k in range(net.depth) if net.acts[k]]
    linears = list(range(net.depth))
    inner = linears[1:]  # those that send a gradient on
    square = [k for k in linears if net.linears[k][0] == net.linears[k][1]]
    biases = [k for k in linears if net.has_bias[k]]

    yield from everywhere("missing_activation_derivative", acts, ({}, {"only": "W"}, {"only": "b"}))
    kinds = {}
    for k in acts:
        kinds.setdefault(json.dumps(net.acts[k]), []).append(k)
    for kind, places in kinds.items():
        act = json.loads(kind)
        of = {name: [k for k in places if act["type"] == name] for name in ("relu", "tanh", "softmax")}
        yield from everywhere("wrong_activation_derivative", places, others_of(act))
        yield from everywhere("wrong_activation_derivative", places[:1], [dict(o, only="W") for o in others_of(act)[:2]])
        yield from everywhere("derivative_at_output", places, ({}, {"only": "b"}))
        yield from everywhere("output_formula_at_input", places)
        yield from everywhere("relu_gradient_at_zero", of["relu"], ({}, {"only": "W"}, {"only": "b"}))
        yield from everywhere("mask_from_gradient", of["relu"])
        yield from everywhere("operator_precedence", of["tanh"])
        yield from everywhere("softmax_jacobian_diagonal", of["softmax"])
        for name in ("activation_instead_of_derivative", "derivative_of_gradient", "upstream_dropped"):
            yield from everywhere(name, places)
    if len(kinds) > 1:
        for name in ("derivative_at_output", "activation_instead_of_derivative", "derivative_of_gradient",
                     "upstream_dropped"):
            yield Blunder(name, acts)

    yield from everywhere("raw_error_propagated", [k for k in inner if net.acts[k]])
    yield from everywhere("weight_not_transposed", [k for k in inner if k in square])
    yield from everywhere("updated_weights_propagated", inner, [{"lr": lr} for lr in (0.01, 0.05, 0.1, 0.5, 1.0)])
    yield from everywhere("weight_gradient_as_weight", inner)
    yield from everywhere("weight_skipped", [k for k in inner if k in square or net.linears[k][1] == 1])

    yield from everywhere("transposed", linears)
    if net.l2:
        yield from everywhere("transposed", square, ({"before_l2": True},))
    yield from everywhere("wrong_memory_order", linears, ({"way": "flattened by columns"}, {"way": "read by columns"}))
    yield from everywhere("input_not_activated", [k for k in inner if net.acts[k - 1]])
    yield from everywhere("own_output_as_input", square)
    yield from everywhere("input_ignored", linears)
    yield from everywhere("weight_as_input", linears)
    for names in ([(k, "W") for k in linears], [(k, "b") for k in biases]):
        yield from everywhere("parameter_as_gradient", names)
    yield Blunder("parameter_as_gradient", net.names())

    yield from everywhere("bias_not_summed", biases)
    yield from everywhere("bias_averaged", biases)
    yield from everywhere("bias_summed_over_units", biases, ({}, {"scalar": True}, {"keepdims": True}))
    yield from everywhere("bias_from_weight_gradient", biases)

    for name in ("not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped",
                 "missing_bce_term", "l1_sign_lost", "target_broadcast"):
        yield Blunder(name, ["loss"])
    for softmax, over in itertools.product((False, True), ("loss", "batch")):
        if softmax and net.loss["type"] not in ("nll", "hinge"):
            continue
        yield Blunder("cross_entropy_shortcut", ["loss"], softmax=softmax, over=over)
    for factor, over, raw in itertools.product((2, 1), ("loss", "elements"), (False, True)):
        if raw and net.loss["type"] == "bce":
            continue
        yield Blunder("mse_shortcut", ["loss"], factor=factor, over=over, raw=raw)
    if net.l2:
        yield from everywhere("regularization_missing", linears)
        yield from everywhere("regularization_sign", linears)
        yield from everywhere("bias_regularized", [k for k in biases if np.abs(base.params[k, "b"]).max() > 0])

    names = net.names()
    for times in (2, 3, 4, 5, 10):
        yield Blunder("gradient_accumulated", names, times=times)
    for times in (2, 3):
        for name in names:
            if base.params[name].size >= 3:
                yield Blunder("gradient_accumulated", [name], times=times)
        for k in linears if net.depth > 1 else ():
            if net.has_bias[k]:
                yield Blunder("gradient_accumulated", [(k, "W"), (k, "b")], times=times)
    for divided in (False, True):
        for sample in range(n):
            yield Blunder("single_sample", names, sample=sample, divided=divided)
    for a, b in itertools.combinations(names, 2):
        if base.params[a].shape == base.params[b].shape:
            yield Blunder("swapped_parameters", [a, b], sources=[b, a])
    for which in ("W", "b"):
        same = [name for name in names if name[1] == which]
        if len(same) > 2 and len({base.params[name].shape for name in same}) == 1:
            yield Blunder("swapped_parameters", same, sources=same[::-1])
    values = np.concatenate([value.ravel() for value in base.right.values()])
    largest, norm = np.abs(values).max(), float(np.sqrt((values**2).sum()))
    for limit in student.ROUND_LIMITS:
        if 0.1 * largest < limit < 0.9 * largest:
            yield Blunder("clipped", names, by="value", limit=limit)
        if 0.1 * norm < limit < 0.9 * norm:
            yield Blunder("clipped", names, by="norm", limit=limit)
            yield Blunder("clipped", names, by="norm", limit=limit, eps=1e-6)
    yield Blunder("low_precision", names, how="rounded")
    yield Blunder("low_precision", names, how="computed")
    yield Blunder("all_zero", names)
    yield Blunder("all_zero", [name for name in names if name[1] == "b"])
    yield Blunder("all_zero", [name for name in names if name[1] == "W"])
    for name in names:
        yield Blunder("all_zero", [name])
    for factor in (0.1, 0.5, 1 / 3, -2, 7, 1.5, 0.25, 100, -0.1):
        yield Blunder("constant_factor", names, factor=factor)
        for k in linears:
            if net.linears[k][0] * net.linears[k][1] >= 3:
                yield Blunder("constant_factor", [(k, "W")], factor=factor)
        if net.l2:
            yield Blunder("constant_factor", ["loss"], factor=factor)


def later_candidates(base):
    """The single mistakes that came to be known later: sets that were drawn before stay as they are."""
    net = base.net
    acts = [k for k in range(net.depth) if net.acts[k]]
    linears = list(range(net.depth))
    biases = [k for k in linears if net.has_bias[k]]
    ways = {"squared_derivative_slip": ("-h2", "1+h2", "1-h", "h-(1-h)", "arctan"), "inverted_mask": (0, 1), "elu_offset": (0, 1),
            "inner_derivative_missing": ("first", "second")}
    kinds = {}
    for k in acts:
        kinds.setdefault(json.dumps(net.acts[k]), []).append(k)
    for places in kinds.values():
        for name in (slip for slip in student.SLIPS if slip != "product_for_elementwise"):  # which came after these
            yield from everywhere(name, places, [{"way": way} for way in ways.get(name, (0,))])
    for name, options in (("gradient_of_output", ({},)), ("bce_term_sign", ({},)), ("clamp_ignored", ({"way": 0}, {"way": 1})),
                          ("hinge_own_class", ({"way": 0}, {"way": 1}))):
        yield from everywhere(name, ["loss"], options)
    yield from everywhere("bias_summed_over_wrong_axis", biases)
    if len(biases) > 1:
        yield Blunder("bias_of_ones", biases)
    for k, other in itertools.permutations(linears, 2):
        yield Blunder("wrong_layer_used", [k], what="input", other=other)
        if k > 0:
            yield Blunder("wrong_layer_used", [k], what="weight", other=other)
    yield from everywhere("wrong_layer_used", linears[1:], [{"what": "again"}])
    if not net.l2:
        yield from everywhere("regularization_unasked", linears, [{"l2": 0.1}, {"l2": 0.01}])
    else:
        yield from everywhere("bias_from_weight_gradient", biases, [{"before_l2": True}])
    names = net.names()
    for factor in (0.1, 0.01, 0.001, 0.05):
        yield Blunder("learning_rate_applied", names, factor=factor)
        yield Blunder("updated_parameter", names, lr=factor)
    yield Blunder("velocity", names, factor=1.9)


def latest_candidates(base):
    """Those that came after the later ones."""
    acts = [k for k in range(base.net.depth) if base.net.acts[k]]
    yield from everywhere("loss_as_gradient", ["loss"], [{"way": "each"}, {"way": "all"}])
    yield from everywhere("epsilon_in_log", ["loss"], [{"eps": eps} for eps in (1e-3, 1e-5)])
    yield from everywhere("product_for_elementwise", acts, [{"way": "units"}, {"way": "samples"}])


# --- random programs -------------------------------------------------------------------------------------------------


class Programs:
    """Draws networks with parameters and data."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def numbers(self, shape, scale, digits=3):
        flat = [round(self.random.gauss(0, scale), digits) for _ in range(int(np.prod(shape)))]
        return np.array(flat, float).reshape(shape)

    def activation(self):
        r = self.random
        kind = r.choices(
            ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "softplus", "silu", "gelu", "softmax", "log_softmax"),
            (22, 18, 20, 9, 7, 6, 6, 6, 4, 2))[0]
        act = {"type": kind}
        if kind == "leaky_relu" and r.random() < 0.5:
            act["negative_slope"] = r.choice((0.1, 0.2, 0.3))
        if kind == "elu" and r.random() < 0.4:
            act["alpha"] = r.choice((0.5, 2.0))
        if kind == "gelu" and r.random() < 0.5:
            act["approximate"] = "tanh"
        return act

    def head(self, outputs):
        """The last activation and the loss."""
        r = self.random
        one = outputs == 1
        choice = r.choices(("mse", "l1", "smooth", "bce", "bce_logits", "ce", "ce_probabilities", "nll", "hinge"),
                           (34, 7, 7, 12, 7, 0 if one else 10, 0 if one else 8, 0 if one else 6, 0 if one else 5))[0]
        if choice == "mse":
            act = r.choice((None, None, {"type": "sigmoid"}, {"type": "sigmoid"}, {"type": "tanh"}, self.activation()))
            loss = {"type": "mse"}
        elif choice == "l1":
            act, loss = r.choice((None, {"type": "tanh"}, {"type": "sigmoid"})), {"type": "l1"}
        elif choice == "smooth":
            kind = r.choice(("smooth_l1", "huber"))
            act, loss = r.choice((None, {"type": "tanh"})), {"type": kind}
            if r.random() < 0.6:
                loss["beta" if kind == "smooth_l1" else "delta"] = r.choice((0.3, 0.5, 0.8))
        elif choice == "bce":
            act = {"type": "sigmoid"} if one or r.random() < 0.85 else {"type": "softmax"}
            loss = {"type": "bce"}
        elif choice == "bce_logits":
            act, loss = None, {"type": "bce_with_logits"}
        elif choice == "ce":
            act, loss = None, {"type": "cross_entropy"}
        elif choice == "ce_probabilities":
            act, loss = {"type": "softmax"}, {"type": "cross_entropy", "from": "probabilities"}
        elif choice == "nll":
            act, loss = {"type": "log_softmax"}, {"type": "nll"}
        else:
            act, loss = None, {"type": "hinge"}
        if r.random() < 0.3:
            loss["reduction"] = r.choice(("sum", "batchmean", "mean"))
        return act, loss

    def target(self, loss, n, outputs):
        r = self.random
        kind = loss["type"]
        if kind in student.BATCH_LOSSES:
            if kind == "cross_entropy" and r.random() < 0.35:
                return np.eye(outputs)[[r.randrange(outputs) for _ in range(n)]]
            return np.array([r.randrange(outputs) for _ in range(n)])
        if kind in ("bce", "bce_with_logits"):
            return np.array([[float(r.random() < 0.5) for _ in range(outputs)] for _ in range(n)])
        return self.numbers((n, outputs), 1.0, 2)

    def program(self, family):
        r = self.random
        if family == "lab":
            return self.lab()
        depth = r.choices((1, 2, 3, 4, 5), (14, 30, 28, 16, 12))[0]
        widths = [r.choices((1, 2, 3, 4, 5), (6, 26, 34, 22, 12))[0] for _ in range(depth + 1)]
        if family == "square":
            widths = [r.choice((2, 3, 4))] * (depth + 1)
        elif family == "one output" or r.random() < 0.2:
            widths[-1] = 1
        n = 1 if family == "batch 1" else r.choices((2, 3, 4, 5, 6), (16, 26, 28, 16, 14))[0]
        same = self.activation() if r.random() < 0.55 else None
        acts = [dict(same) if same else self.activation() for _ in range(depth - 1)]
        if r.random() < 0.06 and acts:
            acts[r.randrange(len(acts))] = None
        act, loss = self.head(widths[-1])
        acts.append(act)
        if family == "relu at zero":
            acts = [{"type": "relu"} if r.random() < 0.85 else a for a in acts[:-1]] + [
                {"type": "relu"} if depth == 1 and loss["type"] == "mse" else acts[-1]]
        if family == "softmax":
            acts[r.randrange(len(acts))] = {"type": "softmax"}
            if loss["type"] not in ("mse", "l1", "bce", "cross_entropy") or acts[-1] != {"type": "softmax"}:
                loss = {"type": "mse"}
            elif loss["type"] == "cross_entropy":
                loss["from"] = "probabilities"
        if family == "hidden tanh":
            acts = [{"type": "tanh"} for _ in acts[:-1]] + acts[-1:]
        if family == "l2" or r.random() < 0.05:
            loss["l2"] = r.choice((0.01, 0.05, 0.1, 0.5))
        for a in acts:
            if a and a["type"] in ("softmax", "log_softmax") and widths[acts.index(a) + 1] == 1:
                return None
        layers = []
        no_bias = r.random() < 0.05
        for k in range(depth):
            layers.append({"type": "linear", "out_features": widths[k + 1]})
            if no_bias and r.random() < 0.5:
                layers[-1]["bias"] = False
            if acts[k]:
                layers.append(acts[k])
        definition = {"input": widths[0], "layers": layers, "loss": loss["type"] if set(loss) == {"type"} else loss}
        if family == "flatten":
            definition["input"] = [2, 2]
            layers.insert(0, {"type": "flatten"})
            widths[0] = 4
        convention = r.choices(("numpy", "pytorch", "columns"), (60, 20, 20))[0]
        if family == "flatten":
            convention = "numpy"
        net = student.Net(definition)
        zero_bias = family == "relu at zero" or r.random() < 0.15
        params = {}
        for k, which in net.names():
            fan_in, out = net.linears[k]
            if family == "relu at zero":
                flat = [r.choice((-1.0, -0.5, 0.5, 1.0, 1.5, 0.0)) for _ in range(fan_in * out)]
                params[k, which] = np.array(flat).reshape(fan_in, out) if which == "W" else np.zeros(out)
            elif which == "W":
                params[k, which] = self.numbers((fan_in, out), 1.4 / fan_in**0.5)
            else:
                params[k, which] = np.zeros(out) if zero_bias else self.numbers((out,), 0.4)
        if family == "relu at zero":
            x = np.array([[float(r.randrange(-1, 3)) for _ in range(widths[0])] for _ in range(n)])
        else:
            x = self.numbers((n, widths[0]), 1.0, 2)
        y = self.target(loss, n, widths[-1])
        tolerance = None
        if family == "low precision":
            x = x * 100
            for k, which in net.names():
                if which == "W" and k == 0:
                    params[k, which] = np.round(params[k, which] / 50, 4)
            tolerance = r.choice(({"atol": 1e-10, "rtol": 0}, {"atol": 1e-9, "rtol": 0}, {"atol": 1e-12, "rtol": 1e-9}))
        elif r.random() < 0.05:
            tolerance = r.choice(({"atol": 1e-8, "rtol": 1e-6}, {"atol": 1e-5, "rtol": 0}))
        alias = r.choices(("", "d", "dL_d"), (86, 10, 4))[0]
        return Base(definition, params, x, y, convention, r.choice((1, 1, 2)), tolerance, alias=alias)

    def lab(self):
        """The lab's networks on XOR: zero biases, so that z1 is exactly 0 for the input [0, 0]."""
        r = self.random
        sizes = r.choice(((2, 3, 2, 1), (2, 3, 2, 1), (2, 4, 3, 2, 1), (2, 4, 1), (2, 3, 3, 1)))
        return xor(sizes, r.choice((42, 123, 7, 1, 2024, 5)), r.choice(("mse", "mse", "mse", "bce")),
                   r.choice(("relu", "relu", "relu", "tanh", "sigmoid", "leaky_relu")))


def xor(sizes=(2, 3, 2, 1), seed=42, loss="mse", hidden="relu", scale=2.0, **more):
    layers = []
    for size in sizes[1:]:
        layers += [{"type": "linear", "out_features": size}, {"type": hidden}]
    layers[-1] = {"type": "sigmoid"}
    draw = np.random.RandomState(seed)
    params = {}
    for k, (a, b) in enumerate(zip(sizes, sizes[1:])):
        params[k, "W"], params[k, "b"] = draw.randn(a, b) * np.sqrt(scale / a), np.zeros(b)
    return Base({"input": 2, "layers": layers, "loss": loss}, params, [[0, 0], [0, 1], [1, 0], [1, 1]],
                [[0], [1], [1], [0]], bias_axes=2,
                init={"init": {"scheme": "he_normal", "seed": seed, "generator": "numpy"}}, **more)


FAMILIES = ("any", "any", "any", "lab", "lab", "square", "square", "one output", "relu at zero", "softmax", "l2", "l2",
            "hidden tanh", "batch 1", "low precision", "flatten", "any")


def programs(seed):
    """Usable programs without end, the families in turn."""
    draw = Programs(seed)
    for family in itertools.cycle(FAMILIES):
        base = draw.program(family)
        if base is not None and base.usable():
            base.family = family
            yield base


# --- the cases -------------------------------------------------------------------------------------------------------


class Cases:
    def __init__(self, prefix):
        self.prefix, self.list = prefix, []

    def add(self, kind, what, truth, first_wrong, request):
        name = "%s%04d %s" % (self.prefix, len(self.list) + 1, what)
        self.list.append({"name": name, "kind": kind, "truth": truth, "first_wrong": first_wrong, "request": request})

    def write(self, folder, file_name):
        lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) + "\n" for case in self.list]
        (folder / file_name).write_text("".join(lines), encoding="ascii")
        print("%s: %d cases, %d bytes" % (file_name, len(lines), sum(map(len, lines))))


def truth_of(base, blunder, equivalent):
    truth = {"id": blunder.id, "layers": base.layers_of(blunder)}
    if equivalent:
        truth["equivalent"] = equivalent
    return truth


def describe(blunder):
    options = " ".join("%s=%s" % (key, value["type"] + "".join(" %s" % v for k, v in value.items() if k != "type")
                                  if isinstance(value, dict) else value)
                       for key, value in blunder.options.items() if key != "sources")
    places = ["".join(map(str, p)) if isinstance(p, tuple) else str(p) for p in blunder.places]
    return blunder.id + (" at " + ",".join(places) if len(places) < 4 else "") + (" (%s)" % options if options else "")


def acceptable(base, blunder, grads):
    if not base.clear(grads):
        return False
    if plain_factor(blunder):
        if "scale" in blunder.options and (multiple(base, grads) or blunder.places == [base.net.depth - 1]):
            return False  # a factor of everything below, like any other
        if base.equivalents(grads, [blunder.id]):
            return False
    if blunder.id == "low_precision":
        if base.family != "low precision":
            return False
        return all(np.all(np.abs(grads[name] - value) <= 1e-5 * np.abs(value).max()) for name, value in base.right.items())
    return base.family != "low precision"


def least_first(random_source, counts, entries, key):
    return sorted(entries, key=lambda e: counts.get(key(e), 0) / WEIGHTS[key(e)] + random_source.random())


def singles(count, seed, per_base=6):
    cases, counts, variants, choose = Cases("s"), {}, {}, random.Random(seed)
    for base in programs(seed):
        short_of = [name for name in student.ALL_IDS if counts.get(name, 0) < 13]
        if len(cases.list) >= count and not short_of:
            break
        usable = [(b, g) for b, g in base.pool() if acceptable(base, b, g)]
        if len(cases.list) >= count:
            usable = [(b, g) for b, g in usable if b.id in short_of]
        by_id = {}
        for blunder, grads in usable:
            by_id.setdefault(blunder.id, []).append((blunder, grads))
        for name in least_first(choose, counts, by_id, lambda e: e)[:per_base]:
            def rarity(entry):
                b = entry[0]
                return variants.get((b.id, repr(b.options), len(b.places) > 1), 0) + choose.random()
            blunder, grads = min(by_id[name], key=rarity)
            key = (blunder.id, repr(blunder.options), len(blunder.places) > 1)
            variants[key] = variants.get(key, 0) + 1
            counts[name] = counts.get(name, 0) + 1
            cases.add("single", "%s: %s" % (describe(blunder), base.label()),
                      [truth_of(base, blunder, base.equivalents(grads, [blunder.id]))], base.first_wrong(grads),
                      base.request(grads))
    rounded_singles(cases, choose, seed + 76)
    unsubmitted_singles(cases, choose, seed + 77)
    return cases


def rounded_singles(cases, choose, seed, count=24):
    """Mistakes whose numbers were kept in float32."""
    done = 0
    for base in programs(seed):
        if done == count:
            return
        usable = [(b, g) for b, g in base.pool() if acceptable(base, b, g) and b.id != "low_precision"]
        if not usable or base.family == "low precision":
            continue
        blunder, grads = choose.choice(usable)
        rounded = {name: np.float32(value).astype(float) for name, value in grads.items()}
        if not base.clear(rounded):
            continue
        done += 1
        cases.add("single", "%s, in float32: %s" % (describe(blunder), base.label()),
                  [truth_of(base, blunder, base.equivalents(grads, [blunder.id]))], base.first_wrong(rounded),
                  base.request(rounded))


def unsubmitted_singles(cases, choose, seed, count=20):
    """A mistake that shows in at least two of the parameters, and one more that was not submitted."""
    done = 0
    for base in programs(seed):
        if done == count:
            return
        usable = [(b, g) for b, g in base.pool()
                  if acceptable(base, b, g) and b.id in student.ACTIVATION_IDS + student.SENDING_IDS + ("sign_flipped",)]
        if not usable or base.net.depth < 3:
            continue
        blunder, grads = choose.choice(usable)
        failing = [name for name, ratio in base.judge(grads).items() if ratio > CLEAR]
        gone = choose.choice(list(grads))
        left = {name: value for name, value in grads.items() if name != gone}
        if len(set(failing) - {gone}) < 2:
            continue
        done += 1
        cases.add("single", "%s, %s%d not submitted: %s" % (describe(blunder), gone[1], gone[0] + 1, base.label()),
                  [truth_of(base, blunder, base.equivalents(left, [blunder.id]))], base.first_wrong(left),
                  base.request(left))


EXCLUSIVE_AT_LOSS = {"wrong_normalization", "cross_entropy_shortcut", "mse_shortcut", "missing_bce_term", "l1_sign_lost",
                     "target_broadcast"}
SCALES = {"not_averaged_over_batch", "averaged_twice", "wrong_normalization", "missing_factor_two", "sign_flipped",
          "gradient_accumulated", "constant_factor"}


def go_together(a, b):
    """Whether one program can have both, and both are more than one."""
    if a.id == b.id:
        return False
    if a.id in EXCLUSIVE_AT_LOSS and b.id in EXCLUSIVE_AT_LOSS:
        return False
    if a.id in SCALES and b.id in SCALES:
        return False
    if "low_precision" in (a.id, b.id):
        return False
    for group in (student.SENDING_IDS, student.BIAS_IDS, student.WEIGHT_IDS):
        if a.id in group and b.id in group and set(a.places) & set(b.places):
            return False
    if a.id in student.ACTIVATION_IDS and b.id in student.ACTIVATION_IDS and set(a.places) & set(b.places):
        return {a.options.get("only"), b.options.get("only")} == {"W", "b"}
    for one, other in ((a, b), (b, a)):
        if one.id == "cross_entropy_shortcut" and other.id == "missing_factor_two":
            return False
        if one.id == "single_sample" and other.id in ("target_broadcast", "not_averaged_over_batch", "averaged_twice"):
            return False
    return True


def shown(base, blunders, together):
    """Whether each of several mistakes changes the numbers clearly."""
    for left_out in range(len(blunders)):
        rest = blunders[:left_out] + blunders[left_out + 1:]
        without = base.run(rest)
        if without is None:
            return False
        ratios = student.fails(base.net, without, together, base.atol, base.rtol) if all(
            np.shape(without[n]) == np.shape(base.right[n]) for n in without) else None
        if ratios is None:
            if base.same(without, together):
                return False
        elif max(ratios.values()) < CLEAR:
            return False
    return True


def replacements(base, blunders, together):
    """For each of several mistakes, the other ids that give the same numbers in its place."""
    result = []
    ids = {blunder.id for blunder in blunders}
    for index in range(len(blunders)):
        rest = blunders[:index] + blunders[index + 1:]
        found = set()
        for other, _ in base.pool():
            if other.id not in ids | found and not plain_factor(other):
                grads = base.run([*rest, other])
                if grads is not None and base.same(together, grads):
                    found.add(other.id)
        result.append(sorted(found))
    return result


def several(size, count, seed, prefix, kind):
    cases, counts, choose = Cases(prefix), {}, random.Random(seed)
    for base in programs(seed):
        if len(cases.list) >= count:
            return cases
        by_id = {}
        if base.family in ("low precision",):
            continue
        for blunder, grads in base.pool():
            if base.clear(grads):
                by_id.setdefault(blunder.id, []).append(blunder)
        made_here = 0
        for _ in range(12):
            if made_here == 2 or len(cases.list) >= count or len(by_id) < size:
                break
            names = least_first(choose, counts, by_id, lambda e: e)[:size + 6]
            blunders = [choose.choice(by_id[name]) for name in choose.sample(names, size)]
            if not all(go_together(a, b) for a, b in itertools.combinations(blunders, 2)):
                continue
            together = base.run(blunders)
            if together is None or not base.clear(together) or not shown(base, blunders, together):
                continue
            if any(base.same(together, single) for _, single in base.pool()) or multiple(base, together):
                continue  # one mistake explains as much
            made_here += 1
            for blunder in blunders:
                counts[blunder.id] = counts.get(blunder.id, 0) + 1
            truth = [truth_of(base, b, e) for b, e in zip(blunders, replacements(base, blunders, together))]
            cases.add(kind, "%s: %s" % (" + ".join(map(describe, blunders)), base.label()), truth,
                      base.first_wrong(together), base.request(together))
    return cases


EACH_EQUAL = 8  # cases with the same two ids, at most


def cancelling(base):
    """Two mistakes that often come to one: the output's derivative lost and another scale, or a scale that biases lose."""
    net = base.net
    biases = [k for k in range(net.depth) if net.has_bias[k]]
    for name in ("missing_factor_two", "wrong_normalization", "averaged_twice"):
        if net.acts[-1]:
            yield [Blunder("missing_activation_derivative", [net.depth - 1]), Blunder(name, ["loss"])]
    if sum(net.linears[k][1] for k in biases) > 1:  # that a single number is right proves nothing
        yield [Blunder("not_averaged_over_batch", ["loss"]), Blunder("bias_averaged", biases)]


def equals(count, seed):
    """Pairs that another single mistake explains as well."""
    cases, counts = Cases("e"), {}
    for base in programs(seed):
        if len(cases.list) >= count:
            return cases
        for blunders in cancelling(base):
            ids = tuple(blunder.id for blunder in blunders)
            together = base.run(blunders)
            if base.family == "low precision" or together is None or not base.clear(together):
                continue
            if counts.get(ids, 0) == EACH_EQUAL or not shown(base, blunders, together):
                continue
            if not any(base.same(together, single) for _, single in base.pool()) or multiple(base, together):
                continue
            counts[ids] = counts.get(ids, 0) + 1
            cases.add("equal", "%s: %s" % (" + ".join(map(describe, blunders)), base.label()),
                      [truth_of(base, b, []) for b in blunders], base.first_wrong(together), base.request(together))
            break
    return cases


def multiple(base, grads):
    """Whether the gradients are one multiple of the right ones."""
    if any(np.shape(grads[n]) != np.shape(base.right[n]) for n in grads):
        return False
    a = np.concatenate([base.right[n].ravel() for n in base.right])
    b = np.concatenate([grads[n].ravel() for n in base.right])
    factor = float(a @ b) / float(a @ a)
    return bool(np.all(np.abs(b - factor * a) <= base.atol * 2))


def right_submissions(count, seed):
    cases = Cases("r")
    for base in programs(seed):
        if len(cases.list) >= count:
            return cases
        way = len(cases.list) % 5
        grads = base.right
        if way == 1:
            grads = student.run(base.net, base.params, base.x[::-1], base.y[::-1])
        elif way == 2:
            grads = {name: np.float32(value).astype(float) for name, value in grads.items()}
        elif way == 3:
            wiggle = np.random.RandomState(len(cases.list))
            grads = {name: value + base.atol * 0.4 * (2 * wiggle.rand(*value.shape) - 1) for name, value in grads.items()}
        elif way == 4:
            grads = base.run([Blunder("low_precision", base.net.names(), how="computed")])
        if grads is None or max(base.judge(grads).values()) > 0.5:
            continue
        what = ("as it is", "samples summed backwards", "rounded to float32", "noise below the tolerance",
                "computed in float32")[way]
        request = base.request(grads)
        if way >= 3:  # small tensors, of which 1e-6 is no small part, are to pass by this tolerance alone
            request.setdefault("tolerance", {"atol": base.atol})
        cases.add("right", "%s: %s" % (what, base.label()), [], [], request)
    return cases


def noise(count, seed):
    cases, choose = Cases("n"), random.Random(seed)
    where = ("one tensor", "one layer", "everything", "one element", "one bias of one unit", "one element replaced",
             "one element zero")
    for base in programs(seed):
        if len(cases.list) >= count:
            return cases
        if base.family == "low precision":
            continue
        kind = where[len(cases.list) % len(where)]
        draw = np.random.RandomState(1000 + len(cases.list))
        size = 10 ** choose.uniform(-3, 0)
        names = list(base.net.names())
        grads = {name: value.copy() for name, value in base.right.items()}
        k = choose.randrange(base.net.depth)
        if kind == "one bias of one unit":
            ones = [name for name in names if name[1] == "b" and base.params[name].size == 1]
            if not ones:
                continue
            name = choose.choice(ones)
            grads[name] = grads[name] + size * draw.randn(1)
        elif kind in ("one element", "one element replaced", "one element zero"):
            name = choose.choice([name for name in names if grads[name].size > 1] or names)
            index = choose.randrange(grads[name].size)
            if kind == "one element":
                grads[name].flat[index] += size * draw.randn()
            elif kind == "one element zero":
                grads[name].flat[index] = 0
            else:
                grads[name].flat[index] = draw.randn()
        else:
            chosen = {"one tensor": [choose.choice(names)], "everything": names,
                      "one layer": [name for name in names if name[0] == k]}[kind]
            for name in chosen:
                grads[name] = grads[name] + size * draw.randn(*grads[name].shape)
        if not base.clear(grads):
            continue
        if base.equivalents(grads, []):
            continue
        what = "%s, %.3g: %s" % (kind, size, base.label())
        cases.add("noise", what, [], base.first_wrong(grads), base.request(grads))
    return cases


# --- programs from public code ---------------------------------------------------------------------------------------


def network(sizes, acts, loss, seed, n=4, bias=True, x=None, y=None, convention="numpy", scale=1.4):
    """A small network with the activations named."""
    draw = Programs(seed)
    layers = []
    for size, act in zip(sizes[1:], acts):
        layers.append({"type": "linear", "out_features": size, **({} if bias else {"bias": False})})
        if act:
            layers.append({"type": act})
    definition = {"input": sizes[0], "layers": layers, "loss": loss}
    params = {}
    for k, (a, b) in enumerate(zip(sizes, sizes[1:])):
        params[k, "W"] = draw.numbers((a, b), scale / a**0.5)
        if bias:
            params[k, "b"] = draw.numbers((b,), 0.4)
    x = draw.numbers((n, sizes[0]), 1.0, 2) if x is None else np.array(x, float)
    y = draw.target(loss if isinstance(loss, dict) else {"type": loss}, len(x), sizes[-1]) if y is None else np.array(y)
    base = Base(definition, params, x, y, convention)
    base.family = "wild"
    return base


XOR_X, XOR_Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
HALF_STEPS_X = [[1, 0], [0, 1], [1, 1], [0, 0], [1, -1]]


def everything(base):
    return base.net.names()


def wild():
    """What public programs did (see the sources' issue threads), at the size of a test: (source, program, mistakes)."""
    s, t = "sigmoid", "tanh"
    zeros = xor((2, 4, 1), 1)
    zeros.family = "wild"
    lab = xor()
    lab.family = "wild"
    bits = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
    digits = network((5, 4, 3), (s, s), "mse", 102, n=3)
    half_square = network((5, 4, 3), (s, s), {"type": "mse", "reduction": "sum"}, 103, n=2)
    jorgenkg = network((2, 3, 1), (s, s), "mse", 104, x=XOR_X, y=XOR_Y)
    planar = network((2, 4, 3), (t, None), "cross_entropy", 105, n=6)
    iris = network((4, 3, 3), (s, s), "mse", 106, n=5)
    kaiming = network((3, 3, 3, 1), ("relu", "relu", None), "mse", 107)
    nnet = network((3, 4, 4, 2), (t, t, None), {"type": "cross_entropy", "l2": 0.05}, 108, n=5)
    softplus = network((3, 4, 2), ("softplus", None), "mse", 109)
    own_network = network((3, 3, 3), (s, s), {"type": "mse", "reduction": "sum"}, 110, n=2, bias=False)
    toy = network((2, 3, 2), (s, s), "mse", 111)
    two_matrices = network((4, 3, 2), ("relu", None), {"type": "mse", "reduction": "sum"}, 112, n=5, bias=False)
    blocks = network((3, 4, 4, 4, 2), ("relu", "relu", "relu", None), "mse", 113)
    same_widths = network((3, 3, 3, 3), ("relu", "relu", s), "bce", 114)
    deep = network((2, 4, 4, 1), (t, t, None), {"type": "mse", "reduction": "sum"}, 115, n=6)
    columns = network((3, 4, 3, 1), ("relu", "relu", s), "bce", 116, n=5, convention="columns")
    softmax_net = network((3, 4, 3), (t, "softmax"), "mse", 117)
    softmax_ce = network((3, 4, 3), ("relu", "softmax"), {"type": "cross_entropy", "from": "probabilities"}, 118)
    from_probabilities = {"type": "cross_entropy", "from": "probabilities"}
    softmax_plain = network((3, 4, 3), (t, "softmax"), from_probabilities, 140, n=3, bias=False)
    wide_softmax = network((3, 4, 3, 3), ("softmax", t, "softmax"), "mse", 119)
    regression = network((3, 4, 1), ("relu", None), "mse", 120, n=6)
    logistic = network((3, 1), (s,), "bce", 121, n=6)
    svm = network((4, 5, 3), ("relu", None), {"type": "hinge", "l2": 0.1}, 122, n=5)
    housing = network((3, 1), (None,), {"type": "mse", "l2": 0.2}, 123, n=6)
    half_steps = network((2, 3, 2), ("relu", None), "mse", 124, x=HALF_STEPS_X)
    half_steps.params[0, "W"], half_steps.params[0, "b"] = np.array([[1, -1, 0.5], [1, 1, -0.5]]), np.zeros(3)
    half_steps = Base(half_steps.net.definition, half_steps.params, half_steps.x, half_steps.y)
    half_steps.family = "wild"
    gelus = network((3, 4, 4, 2), ("gelu", "gelu", None), "cross_entropy", 125)
    elus = network((3, 4, 2), ("elu", None), "mse", 126)
    leaky = network((3, 4, 3, 1), ("leaky_relu", "leaky_relu", s), "bce", 127)
    pytorch = network((4, 3, 3), ("relu", None), "cross_entropy", 128, n=5, convention="pytorch")
    sigmoid3 = network((3, 4, 3, 2), (s, s, s), "mse", 129, n=5)
    sigmoid_bits = network((3, 4, 1), (s, s), "mse", 130, x=bits, y=XOR_Y)

    def B(name, *places, **options):
        return Blunder(name, places, **options)

    missing, output, updated = "missing_activation_derivative", "derivative_at_output", "updated_weights_propagated"
    yield "jiexunsee/Neural-Network-with-Python#1", sigmoid_bits, [B(missing, 1)]
    yield "Bot-Academy/NeuralNetworkFromScratch#3", digits, [B(missing, 1)]
    yield "Bot-Academy/NeuralNetworkFromScratch#3, half the squared error", half_square, [
        B("cross_entropy_shortcut", "loss")]
    yield "jorgenkg/python-neural-network#2, the output", jorgenkg, [B(missing, 1)]
    yield "jorgenkg/python-neural-network#2, the hidden layer", jorgenkg, [B(output, 0)]
    yield "jorgenkg/python-neural-network#2, both", jorgenkg, [B(missing, 1), B(output, 0)]
    yield "casper-hansen/Neural-Network-From-Scratch#1", sigmoid3, [B(missing, 2)]
    yield "arthurdouillard/deepcourse#6", planar, [B(missing, 0, only="W")]
    yield "arthurdouillard/deepcourse#9", planar, [B(missing, 0, only="b")]
    yield "dwhitena/gophernet#6", iris, [B(output, 0, 1)]
    yield "dmelcaz/simple-backprop#5", sigmoid_bits, [B(output, 0, 1)]
    yield "farzaa/SimpleMultilayerPerceptron#3, at the output", sigmoid3, [B(output, 0, 1, 2)]
    yield "farzaa/SimpleMultilayerPerceptron#3, of the gradient", sigmoid3, [B("derivative_of_gradient", 0, 1, 2)]
    yield "farzaa/SimpleMultilayerPerceptron#3, both", sigmoid3, [B(output, 2), B("derivative_of_gradient", 0, 1)]
    yield "BoltzmannEntropy/interviews.ai#15", iris, [B("output_formula_at_input", 0, 1)]
    yield "discuss.pytorch 187917", deep, [B("output_formula_at_input", 0, 1)]
    yield "denggaoshan/DeepLearningStudy#1", kaiming, [B("activation_instead_of_derivative", 0, 1)]
    yield "andersbll/nnet#4, tanh for its derivative", nnet, [B("activation_instead_of_derivative", 0, 1)]
    yield "andersbll/nnet#4, the regularization's sign", nnet, [B("regularization_sign", 0, 1, 2)]
    yield "andersbll/nnet#4, both", nnet, [B("activation_instead_of_derivative", 0, 1), B("regularization_sign", 0, 1, 2)]
    yield "yizt/numpy_neural_network#3, times the gradient", deep, [B("derivative_of_gradient", 0, 1)]
    yield "yizt/numpy_neural_network#6", iris, [B("derivative_of_gradient", 0, 1)]
    yield "haifengl/smile#528", softplus, [B("upstream_dropped", 0)]
    yield "SilasMarvin/dnns-from-scratch-in-zig#5", kaiming, [B("upstream_dropped", 0, 1)]
    yield "mratsim/Arraymancer#222", iris, [B("upstream_dropped", 0)]
    yield "apache/tvm#7340", deep, [B("operator_precedence", 0, 1)]
    yield "apache/tvm#7340, one layer", planar, [B("operator_precedence", 0)]
    yield "iamtrask/Grokking-Deep-Learning#9", zeros, [B("relu_gradient_at_zero", 0)]
    yield "uptake/numpynet#35", lab, [B("relu_gradient_at_zero", 0, 1)]
    yield "ufal/npfl114#9", half_steps, [B("relu_gradient_at_zero", 0)]
    yield "makeyourownneuralnetwork#88", own_network, [B("raw_error_propagated", 1)]
    yield "CodingTrain/Toy-Neural-Network-JS", toy, [B("raw_error_propagated", 1)]
    yield "CodingTrain/Toy-Neural-Network-JS and #72", toy, [B("raw_error_propagated", 1), B(updated, 1, lr=0.1)]
    yield "kim-marcel/basic_neural_network#7", sigmoid3, [B("raw_error_propagated", 1, 2)]
    yield "louisjc/mnist-neural-network#1", iris, [B(updated, 1, lr=0.5)]
    yield "VikParuchuri/zero_to_gpt#12", blocks, [B(updated, 1, 2, 3, lr=0.1)]
    yield "joelgrus/data-science-from-scratch#31", sigmoid_bits, [B(updated, 1, lr=1.0)]
    yield "CodingTrain/Toy-Neural-Network-JS#72", toy, [B(updated, 1, lr=0.1)]
    yield "ImagineAILab/ai-by-hand-excel#9", same_widths, [B("weight_skipped", 1)]
    yield "Kulbear/deep-learning-coursera#27", columns, [B("weight_skipped", 2)]
    yield "jcjohnson/pytorch-examples#5", two_matrices, [B("weight_gradient_as_weight", 1)]
    yield "maziarraissi/backprop#1", deep, [B("input_not_activated", 1, 2)]
    yield "kvfrans/notes#5", kaiming, [B("bias_averaged", 0, 1, 2)]
    yield "rasbt/mlxtend#58", logistic, [B("bias_averaged", 0)]
    yield "jimfleming/differentiation#1", sigmoid_bits, [B("bias_not_summed", 0, 1)]
    yield "deeplearning4j/nd4j#2424", columns, [B("bias_not_summed", 0, 1, 2)]
    yield "raskr/rust-autograd#38", pytorch, [B("bias_not_summed", 1)]
    yield "rust0258 NLP-Specialization#62", two_layers_with_bias(), [B("bias_from_weight_gradient", 0, 1)]
    yield "rust0258 NLP-Specialization#64", columns, [B("bias_from_weight_gradient", 0)]
    yield "rasbt/stat453-deep-learning-ss21#5", planar, [B("bias_summed_over_units", 0, 1)]
    yield "rasbt/stat453-deep-learning-ss21#5, one number", planar, [B("bias_summed_over_units", 1, scalar=True)]
    yield "mattm/simple-neural-network#5", jorgenkg, [B("all_zero", (0, "b"), (1, "b"))]
    yield "glouw/tinn#30", iris, [B("all_zero", (0, "b"), (1, "b"))]
    yield "dennybritz/nn-from-scratch#13", planar, [B("not_averaged_over_batch", "loss")]
    yield "davharris/mistnet#33", regression, [B("not_averaged_over_batch", "loss")]
    yield "eriklindernoren/ML-From-Scratch#135", softmax_ce, [B("not_averaged_over_batch", "loss")]
    yield "d2l-ai/d2l-en#1000", housing, [B("averaged_twice", "loss")]
    yield "Grokking Deep Learning, chapter 9", softmax_plain, [B("averaged_twice", "loss")]
    yield "davisking/dlib#1169", regression, [B("missing_factor_two", "loss")]
    yield "schalkdaniel/compboost#260", housing, [B("missing_factor_two", "loss")]
    yield "Burton2000/CS231n-2017#9", svm, [B("regularization_missing", 0, 1)]
    yield "JWarmenhoven/Coursera-Machine-Learning#3", network((3, 1), (s,), {"type": "bce", "l2": 0.1}, 141, n=6), [
        B("bias_regularized", 0)]
    yield "dennybritz/nn-from-scratch#11", planar, [B("sign_flipped", "loss")]
    yield "pytorch/pytorch#1871", softmax_ce, [B("sign_flipped", "loss")]
    yield "pjreddie/darknet#212", softmax_net, [B("cross_entropy_shortcut", "loss")]
    yield "deeplearning4j/libnd4j#440", wide_softmax, [B("softmax_jacobian_diagonal", 0, 2)]
    yield "wkcn/mobula#3", softmax_net, [B("softmax_jacobian_diagonal", 1)]
    yield "eriklindernoren/ML-From-Scratch, Softmax", softmax_ce, [B("softmax_jacobian_diagonal", 1)]
    yield "deeplearning4j/nd4j#1320", logistic, [B("missing_bce_term", "loss")]
    yield "LaurentMazare/tch-rs#510", regression, [B("target_broadcast", "loss")]
    yield "pytorch/pytorch#19991", kaiming, [B("target_broadcast", "loss")]
    yield "karpathy/micrograd#53", kaiming, [B("gradient_accumulated", *everything(kaiming), times=3)]
    yield "karpathy/llm.c#548", gelus, [B("gradient_accumulated", *everything(gelus), times=2)]
    yield "Oneflow-Inc/oneflow#6149", blocks, [
        B("swapped_parameters", (1, "b"), (2, "b"), sources=[(2, "b"), (1, "b")])]
    yield "an ELU by the derivative of a ReLU", elus, [B("wrong_activation_derivative", 0, other={"type": "relu"})]
    yield "a leaky ReLU of another slope", leaky, [
        B("wrong_activation_derivative", 0, 1, other={"type": "leaky_relu", "negative_slope": 0.2})]
    yield "a GELU by its approximation", gelus, [
        B("wrong_activation_derivative", 0, 1, other={"type": "gelu", "approximate": "tanh"})]
    yield "biases summed into one, and no average", planar, [
        B("bias_summed_over_units", 0, 1), B("not_averaged_over_batch", "loss")]
    yield "the lab: no sum over the batch", lab, [B("bias_not_summed", 0, 1, 2)]
    yield "the lab: ReLU at zero, and no division by the batch", lab, [
        B("relu_gradient_at_zero", 0, 1), B("not_averaged_over_batch", "loss")]
    yield "the lab: no division by the batch", lab, [B("not_averaged_over_batch", "loss")]
    yield "the lab: the order of the product", lab, [B("transposed", 0, 1, 2)]
    yield "three at once", sigmoid3, [B("missing_factor_two", "loss"), B(output, 0, 1, 2), B("bias_averaged", 0, 1, 2)]


def two_layers_with_bias():
    return network((4, 3, 2), ("relu", "softmax"), {"type": "cross_entropy", "from": "probabilities"}, 142, n=5)


def later(count, seed):
    """Single mistakes of the later kinds, as many of each as programs have them."""
    cases, counts, choose = Cases("l"), {}, random.Random(seed)
    for base in programs(seed):
        if len(cases.list) >= count:
            break
        if base.family == "low precision":
            continue
        by_id = {}
        for blunder, grads in base.later_pool():
            if base.clear(grads):
                by_id.setdefault(blunder.id, []).append((blunder, grads))
        for name in sorted(by_id, key=lambda n: counts.get(n, 0) + choose.random())[:3]:
            blunder, grads = choose.choice(by_id[name])
            counts[name] = counts.get(name, 0) + 1
            others = {b.id for pool in (base.pool(), base.later_pool()) for b, g in pool if b.id != name and base.same(grads, g)}
            cases.add("single", describe(blunder) + ": " + base.label(), [truth_of(base, blunder, sorted(others))],
                      base.first_wrong(grads), base.request(grads))
    return cases


def wild_cases():
    cases = Cases("w")
    for source, base, blunders in wild():
        grads = base.run(blunders)
        assert grads is not None, source
        assert base.clear(grads), (source, base.judge(grads))
        if len(blunders) == 1:
            equivalent = [base.equivalents(grads, [blunders[0].id])]
        else:
            equivalent = replacements(base, blunders, grads)
        cases.add("wild", source, [truth_of(base, b, e) for b, e in zip(blunders, equivalent)], base.first_wrong(grads),
                  base.request(grads))
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="another seed, another set (default: 0, the committed one)")
    parser.add_argument("--to", type=pathlib.Path, default=HERE, help="where to write (default: beside this file)")
    parser.add_argument("--only", default="singles,pairs,triples,equals,right,noise,wild,later", help="files, with commas between them")
    arguments = parser.parse_args()
    seed = arguments.seed
    makers = {
        "singles": lambda: singles(960, seed + 1),
        "pairs": lambda: several(2, 330, seed + 2, "p", "pair"),
        "triples": lambda: several(3, 70, seed + 3, "t", "triple"),
        "equals": lambda: equals(24, seed + 4),
        "right": lambda: right_submissions(180, seed + 5),
        "noise": lambda: noise(140, seed + 6),
        "wild": wild_cases,
        "later": lambda: later(260, seed + 7),
    }
    arguments.to.mkdir(parents=True, exist_ok=True)
    for name in arguments.only.split(","):
        makers[name]().write(arguments.to, name + ".ndjson")


if __name__ == "__main__":
    main()

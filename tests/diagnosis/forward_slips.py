#!/usr/bin/python3
"""Plants slips in the forward pass of random networks, and sees what the diagnosis says of them.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/diagnosis/forward_slips.py [--seed N] [--count N]

Each program goes back by the chain rule from the values that it computed. It is sent once with its forward values, of which
the first wrong one has to be named first, and once with its gradients alone: there the slip has to be named, or nothing that
is not so. Exit status 1 where the value or the slip is not named in one case of fifty, or anything false is said.
"""

import argparse
import collections
import json
import random
import sys

import numpy as np

import student
from report import Client, Daemon, post

ACTS = ("relu", "leaky_relu", "elu", "sigmoid", "tanh", "softplus", "silu", "gelu")
SHOWN = ("over the batch", "over everything", "instead of", "left out")  # by gradients alone, of activations


def spread(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


class Network:
    def __init__(self, draw):
        self.widths = [draw.choice((2, 3, 4, 5)) for _ in range(draw.choice((2, 3, 4)))]
        if draw.random() < 0.3:
            self.widths = [self.widths[0]] * len(self.widths)
        self.widths[-1] = max(self.widths[-1], 2)
        self.batch = draw.choice((3, 4, 7))
        rng = self.rng = np.random.RandomState(draw.randrange(2**31))
        n = lambda *shape: np.round(rng.randn(*shape), 3)
        self.depth = len(self.widths) - 1
        self.W = [n(a, b) for a, b in zip(self.widths, self.widths[1:])]
        self.b = [n(b) for b in self.widths[1:]]
        self.x = n(self.batch, self.widths[0])
        self.acts = [draw.choice(ACTS) for _ in range(self.depth)]
        self.loss = draw.choice(("mse", "probabilities", "logits"))
        if self.loss == "probabilities":
            self.acts[-1] = "softmax"
        elif self.loss == "logits":
            self.acts[-1] = None
        self.y = n(self.batch, self.widths[-1]) if self.loss == "mse" else rng.randint(0, self.widths[-1], self.batch)

    def slips(self):
        """(what it looks like, level, kind): a level is a linear layer and its activation."""
        for k, act in enumerate(self.acts):
            if act == "softmax" or (act is None and k == self.depth - 1):
                yield "softmax over the batch", k, "batch"
                yield "softmax over everything", k, "all"
            if act in ACTS:
                for other in ("relu", "sigmoid", "tanh"):
                    if other != act:
                        yield "%s instead of %s" % (other, act), k, other
                yield "%s left out" % act, k, "left out"
                yield "%s applied twice" % act, k, "twice"
            yield "the bias left out", k, "no bias"
            if self.W[k].shape[0] == self.W[k].shape[1]:
                yield "the bias added before the product", k, "before"
                yield "the weight transposed", k, "transposed"

    def place(self, looks, k):
        if self.acts[k] is None and looks.startswith("softmax"):
            return "loss"
        return 2 * k + (0 if looks.startswith("the ") else 1)

    def run(self, level=None, kind=None):
        """({name: value} of the forward pass, gradients)."""
        values, stack, h = {}, [], self.x
        for k in range(self.depth):
            W, b, here = self.W[k], self.b[k], k == level
            if here and kind == "before":
                z = (h + b) @ W
            else:
                z = h @ (W.T if here and kind == "transposed" else W) + (0 if here and kind == "no bias" else b)
            act = self.acts[k]
            step = act if act != "softmax" else "rows"
            if here and kind in ACTS + ("batch", "all", "left out", "twice"):
                step = kind
            f = {"rows": lambda v: spread(v, 1), "batch": lambda v: spread(v, 0), "all": lambda v: spread(v, None),
                 "left out": lambda v: v, None: lambda v: v,
                 "twice": lambda v: student.activate({"type": act}, student.activate({"type": act}, v))}
            out = f[step](z) if step in f else student.activate({"type": step}, z)
            if act is None:  # the softmax is the loss's
                prediction, out = out if here and step in ("batch", "all") else spread(z, 1), z
            stack.append((h, z, step, act))
            values["z%d" % (k + 1)], values["h%d" % (k + 1)], h = z, out, out
        values["y_hat"] = h
        return values, self.back(stack, h, prediction if self.acts[-1] is None else h)

    def back(self, stack, h, prediction):
        grads = {}
        for k in reversed(range(self.depth)):
            below, z, step, act = stack[k]
            if k == self.depth - 1 and self.loss != "mse":
                dz = (prediction - np.eye(self.widths[-1])[self.y]) / self.batch
            else:
                if k == self.depth - 1:
                    dh = 2 * (h - self.y) / h.size
                if step in ("left out", None):
                    dz = dh
                else:
                    dz = dh * student.derivative({"type": act if step == "twice" else step}, z)
            grads["W%d" % (k + 1)], grads["b%d" % (k + 1)] = below.T @ dz, dz.sum(axis=0)
            dh = dz @ self.W[k].T
        return grads

    def request(self, grads, values=None):
        layers = []
        for k, act in enumerate(self.acts):
            layers.append({"type": "linear", "out_features": self.widths[k + 1]})
            layers += [{"type": act}] if act else []
        loss = {"mse": "mse", "logits": "cross_entropy", "probabilities": {"type": "cross_entropy", "from": "probabilities"}}
        listed = lambda some: {name: value.tolist() for name, value in some.items()}
        request = {
            "network": {"input": self.widths[0], "layers": layers, "loss": loss[self.loss]},
            "parameters": listed({**{"W%d" % (k + 1): w for k, w in enumerate(self.W)},
                                  **{"b%d" % (k + 1): b for k, b in enumerate(self.b)}}),
            "data": {"x": self.x.tolist(), "y": self.y.tolist()}, "gradients": listed(grads)}
        if values is not None:
            request["intermediates"] = listed(values)
        return request


def first_wrong(right, values):
    for name in right:
        if np.abs(right[name] - values[name]).max() > 1e-3 * np.abs(right[name]).max():
            return name
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1500)
    arguments = parser.parse_args()
    draw, counts, told = random.Random(arguments.seed), collections.Counter(), []
    with Daemon() as daemon, Client(daemon, 60) as client:
        ask = lambda request: client.ask(post(json.dumps(request).encode())).json()
        while counts["asked"] < arguments.count:
            net = Network(draw)
            right, good = net.run()
            if not ask(net.request(good, right))["passed"]:
                told.append("right, and refused: %s" % net.request(good))
            slips = list(net.slips())
            for looks, k, kind in draw.sample(slips, min(3, len(slips))):
                values, grads = net.run(k, kind)
                if all(np.abs(grads[name] - good[name]).max() < 1e-3 for name in good):
                    continue
                counts["asked"] += 1
                place = net.place(looks, k)
                name = first_wrong(right, values)
                found = ask(net.request(grads, values))["diagnosis"]
                mistake = (found["mistakes"] or [{}])[0]
                if name is not None:
                    counts["value wrong"] += 1
                    counts["value named"] += mistake.get("id") == "forward_wrong" and mistake.get("name") == name
                    counts["slip named"] += mistake.get("looks_like") == looks and mistake["layers"] == [place]
                    counts["all explained"] += found["explained"]
                    wrong = [step["name"] for step in found["steps"] if step["state"] == "wrong_here"]
                    if wrong != [same for same in list(values)[list(values).index(name):] if values[same] is values[name]]:
                        told.append("%s at %s: wrong here are %s" % (looks, place, wrong))
                found = ask(net.request(grads))["diagnosis"]
                mistake = (found["mistakes"] or [{}])[0]
                if not looks.startswith("the ") and any(word in looks for word in SHOWN):
                    counts["to be seen in gradients"] += 1
                    counts["seen there"] += mistake.get("looks_like") == looks and mistake["layers"] == [place]
                if mistake.get("id") == "forward_wrong" and (mistake["looks_like"] != looks or mistake["layers"] != [place]):
                    told.append("%s at %s: told %s at %s" % (looks, place, mistake["looks_like"], mistake["layers"]))
    print(dict(counts))
    print("%d false:" % len(told), *told[:20], sep="\n")
    sys.exit(bool(told) or counts["value named"] < 0.98 * counts["value wrong"] or
             counts["slip named"] < 0.95 * counts["value wrong"] or
             counts["seen there"] < 0.9 * counts["to be seen in gradients"])


if __name__ == "__main__":
    main()

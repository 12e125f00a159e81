#!/usr/bin/python3
"""Whether the formulas of traces hold: NumPy itself runs every `backward` line of many programs, the exercises of courses
below and random ones, on the values and gradients of the trace, and has to get the gradient that stands beside it.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/programs/trace.py [--seed N] [--programs N] [--show N]

Exit status 0 where that is so, and where nearly all values have a formula.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE)]

import numpy as np  # noqa: E402

import draw  # noqa: E402
from daemon import Client, Daemon, post  # noqa: E402

warnings.filterwarnings("ignore")


def random(*shape, seed=0, low=-1.0, high=1.0):
    return np.random.RandomState(seed + sum(shape)).uniform(low, high, shape)


# Program, parameters, data, and how many of its values may be without a formula.
EXERCISES = {
    "chain rule": ("g = x**2\nloss = 2 * g + 1", {"x": 3.0}, {}, 0),
    "single neuron": ("z = w * x + b\ny_hat = 1 / (1 + np.exp(-z))\nloss = (y_hat - y)**2", {"w": 0.5, "b": 0.1}, {"x": 2.0, "y": 1.0}, 0),
    "micrograd": ("z = 2 * x + 2 + x\nq = relu(z) + z * x\nh = relu(z * z)\nloss = h + q + q * x", {"x": -4.0}, {}, 0),
    "MLP": (
        "z1 = X @ W1 + b1\nh1 = np.maximum(0, z1)\nz2 = h1 @ W2 + b2\nh2 = relu(z2)\ny_hat = sigmoid(h2 @ W3 + b3)\nloss = np.mean((y_hat - y)**2)",
        {"W1": random(2, 3), "b1": random(1, 3), "W2": random(3, 2), "b2": random(2), "W3": random(2, 1), "b3": random(1, 1)},
        {"X": random(4, 2, seed=5), "y": random(4, 1)}, 0),
    "columns, cross-entropy": (
        "A1 = np.tanh(W1 @ X + b1)\nA2 = sigmoid(np.dot(W2, A1) + b2)\nlogs = Y * np.log(A2) + (1 - Y) * np.log(1 - A2)\nloss = -np.sum(logs) / X.shape[1]",
        {"W1": random(4, 2), "b1": random(4, 1), "W2": random(1, 4), "b2": random(1, 1)}, {"X": random(2, 5), "Y": (random(1, 5) > 0) * 1}, 0),
    "softmax cross-entropy in atoms": (
        "m = logits.max(1, keepdims=True)\nnorm = logits - m\ncounts = np.exp(norm)\ntotal = counts.sum(1, keepdims=True)\ninverse = total**-1\n"
        "probs = counts * inverse\nlogprobs = np.log(probs)\nloss = -logprobs[range(4), y].mean()", {"logits": random(4, 3)}, {"y": [0, 2, 1, 2]}, 0),
    "softmax cross-entropy": ("loss = cross_entropy(x @ W, y)", {"W": random(3, 4)}, {"x": random(5, 3), "y": [0, 1, 2, 3, 0]}, 0),
    "batch norm": (
        "mu = x.mean(0)\nxc = x - mu\nvar = (xc**2).mean(0)\nstd = np.sqrt(var + 1e-5)\nxhat = xc / std\nout = gamma * xhat + beta\nloss = np.sum(out * dout)",
        {"x": random(4, 3), "gamma": random(3), "beta": random(3)}, {"dout": random(4, 3, seed=2)}, 0),
    "batch norm in one line": (
        "xhat = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)\nout = gamma * xhat + beta\nloss = np.sum(out * out)",
        {"x": random(4, 3), "gamma": random(3), "beta": random(3)}, {}, 1),
    "layer norm": (
        "mu = x.mean(axis=1, keepdims=True)\nvar = x.var(axis=1, keepdims=True, ddof=1)\nxhat = (x - mu) * (var + 1e-5)**-0.5\nloss = np.sum((g * xhat + b)**3)",
        {"x": random(4, 3), "g": random(3), "b": random(3)}, {}, 0),
    "RNN in a loop": (
        "h = np.zeros((2, 3))\nhs = []\nfor t in range(4):\n    h = np.tanh(x[:, t] @ Wx + h @ Wh + b)\n    hs.append(h)\nloss = sum((s**2).mean() for s in hs)",
        {"Wx": random(2, 3), "Wh": random(3, 3), "b": random(3)}, {"x": random(2, 4, 2)}, 2),
    "LSTM step": (
        "a = x @ Wx + h @ Wh + b\ni = sigmoid(a[:, :2])\nf = sigmoid(a[:, 2:4])\no = sigmoid(a[:, 4:6])\ng = np.tanh(a[:, 6:])\nc2 = f * c + i * g\nh2 = o * np.tanh(c2)\nloss = np.sum(h2 * dh2)",
        {"Wx": random(2, 8), "Wh": random(2, 8), "b": random(8)}, {"x": random(3, 2), "h": random(3, 2, seed=3), "c": random(3, 2, seed=4), "dh2": random(3, 2, seed=6)}, 0),
    "GRU cell": (
        "r = sigmoid(Wr @ x + Ur @ h)\nz = sigmoid(Wz @ x + Uz @ h)\nn = tanh(Wn @ x + r * (Un @ h))\nout = (1 - z) * n + z * h\nloss = np.sum(out * delta)",
        {n: random(3, 2, seed=i) if n[0] == "W" else random(3, 3, seed=i) for i, n in enumerate(["Wr", "Wz", "Wn", "Ur", "Uz", "Un"])},
        {"x": random(2), "h": random(3), "delta": random(3, seed=9)}, 0),
    "attention": (
        "q = x @ Wq\nk = x @ Wk\nv = x @ Wv\ns = q @ k.transpose(0, 2, 1) / np.sqrt(4)\np = softmax(s)\nout = p @ v\nloss = np.sum(out**2) / 2",
        {n: random(3, 4, seed=i) for i, n in enumerate(["Wq", "Wk", "Wv"])}, {"x": random(2, 5, 3)}, 3),
    "embedding": ("e = C[y]\nflat = e.reshape(3, -1)\nloss = np.sum(np.tanh(flat @ W))", {"C": random(5, 2), "W": random(4, 2)}, {"y": [[0, 1], [1, 4], [2, 2]]}, 1),
    "dropout and a residual": ("np.random.seed(1)\nmask = (np.random.rand(4, 3) < 0.8) / 0.8\nh = np.tanh(x @ W) * mask\nout = h + x\nloss = out.std()", {"W": random(3, 3), "x": random(4, 3)}, {}, 0),
    "norms and products": ("n = np.linalg.norm(x, axis=1)\nu = x / n[:, None]\nd = u @ u.T\np = np.prod(n)\nl = logsumexp(d, axis=1)\nloss = l.sum() * p + np.abs(d).max()", {"x": random(4, 3)}, {}, 0),
    "sparse autoencoder": (
        "a2 = sigmoid(W1 @ x + b1)\na3 = sigmoid(W2 @ a2 + b2)\nrho_hat = np.mean(a2, axis=1, keepdims=True)\nkl = np.sum(0.01 * np.log(0.01 / rho_hat) + 0.99 * np.log(0.99 / (1 - rho_hat)))\n"
        "loss = np.sum((a3 - x)**2) / (2 * 10) + 0.0001 / 2 * (np.sum(W1**2) + np.sum(W2**2)) + 3 * kl",
        {"W1": random(3, 4), "b1": random(3, 1), "W2": random(4, 3), "b2": random(4, 1)}, {"x": random(4, 10, low=0)}, 0),
    "activations": (
        "a = leaky_relu(x)\nb = elu(x)\nc = softplus(x)\nd = silu(x)\ne = log_softmax(x)\nf = softmax(x, axis=0)\ng = np.clip(x, -0.5, 0.5)\nh = np.where(x > 0, x**3, np.sin(x))\n"
        "i = np.minimum(x, 0.25)\nj = np.sign(x) * x\nk = np.expm1(x) + np.log1p(x * x) - np.cos(x)\nloss = np.sum((a + b * c - d * e + f * g) * h) + np.mean(i * j / (k**2 + 1))",
        {"x": random(4, 3)}, {}, 2),
    "losses": (
        "p = sigmoid(z)\na = bce(p, y)\nb = bce_with_logits(z, y)\nc = mse(z, y, reduction=\"sum\")\nd = l1(z, y)\ne = huber(z * 4, y)\nf = smooth_l1(z * 4, y, beta=0.5)\ng = nll(log_softmax(z), k)\n"
        "loss = a + 2 * b + c * d + e * f + g", {"z": random(4, 3)}, {"y": (random(4, 3, seed=3) > 0) * 1, "k": [0, 1, 2, 1]}, 1),
    "an upstream gradient": ("out = x @ W + b", {"x": random(3, 2), "W": random(2, 4), "b": random(4)}, {"upstream": random(3, 4)}, 0),
    "names again": ("h = x * 2\nh = h * h + x\nh = np.exp(h)\ny = h\nloss = np.sum(y * h)", {"x": random(3)}, {}, 0),
    "a function": ("def layer(x, W, b):\n    z = x @ W + b\n    return np.maximum(z, 0)\nh = layer(X, W1, b1)\nout = layer(h, W2, b2)\nloss = np.sum(out**2)",
                   {"W1": random(2, 3), "b1": random(3), "W2": random(3, 2), "b2": random(2)}, {"X": random(4, 2)}, 0),
    "written into": ("z = X @ W\nout = np.zeros((4, 5))\nout[:, :3] = z\nout[:, 3] += z[:, 0]\nlast = out[-1]\nloss = np.sum(out**2) + last.sum()", {"W": random(2, 3)}, {"X": random(4, 2)}, 1),
    "SVM": (
        "scores = X @ W\ncorrect = scores[np.arange(4), y]\nmargins = np.maximum(0, scores - correct[:, None] + 1)\nmargins[np.arange(4), y] = 0\nloss = margins.sum() / 4 + 0.5 * np.sum(W * W)",
        {"W": random(3, 5)}, {"X": random(4, 3), "y": [0, 4, 2, 2]}, 0),
    "cleared": ("h = np.tanh(x)\nh[1] = 0\nh[:, 2:] = 3\nz = h * 2\nz[z <= 0] = 0\nloss = np.sum(z * z)", {"x": random(4, 3)}, {}, 0),
    "views": ("a = x[::2, 1:]\nb = x[:, ::-1]\nc = x[None, 1, :2]\nd = np.concatenate([a, c], axis=0)\ne = np.stack([b, x])\nf = x.T[0]\nloss = np.sum(d**2) + np.sum(e**3) + np.sum(f) + np.mean(np.transpose(e, (2, 0, 1))[1])", {"x": random(4, 3)}, {}, 2),
    "what the loss does not need": ("h = np.tanh(x)\nunused = h * 3\ndh = 5\nloss = np.sum(h.detach() * h)", {"x": random(3)}, {}, 0),
    "linear with a bias row": ("h = linear(x, W, b)\nk = linear(h, V)\nloss = np.mean(k.sum(1)**2)", {"W": random(2, 3), "b": random(1, 3), "V": random(3, 3)}, {"x": random(4, 2)}, 0),
}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def logsumexp(x, axis=None, keepdims=False):
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


FUNCTIONS = {
    "np": np, "softmax": softmax, "logsumexp": logsumexp, "log_softmax": lambda x: np.log(softmax(x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "softplus": lambda x: np.log1p(np.exp(x)),
}


def bind(names, name, tensor, dtype=None):
    """A name, or one of several that a name stood for: "h[2]"."""
    array = np.array(tensor, dtype)
    match = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    if match:
        versions = names.setdefault(match.group(1), [])
        versions.extend([None] * (int(match.group(2)) + 1 - len(versions)))
        versions[int(match.group(2))] = array
    else:
        names[name] = array


def judge(trace, counts):
    """What is wrong with a trace, or None."""
    names = dict(FUNCTIONS)
    for entry in trace:
        if "value" in entry:
            bind(names, entry["name"], entry["value"])
    for entry in trace:
        if "gradient" in entry:
            bind(names, entry["gradient_name"], entry["gradient"], float)
    for entry in trace:
        if "gradient" not in entry:
            continue
        if "backward" not in entry:
            counts["without a formula"] += 1
            continue
        scope = {key: list(value) if isinstance(value, list) else value for key, value in names.items()}
        try:
            exec(entry["backward"], scope)
            made = eval(entry["gradient_name"], scope)
        except NameError:  # a value, or its gradient, is too large to be shown, or has no formula itself
            counts["not evaluated"] += 1
            continue
        except Exception as error:
            return "%s: %s" % (entry["backward"], error)
        gradient = np.array(entry["gradient"], dtype=float)
        if np.shape(made) != gradient.shape:
            return "%s: shape %s, not %s" % (entry["backward"], np.shape(made), gradient.shape)
        if not np.allclose(made, gradient, rtol=1e-7, atol=1e-9 * max(1e-3, np.abs(gradient).max())):
            return "%s: %s, not %s" % (entry["backward"], np.array(made).tolist(), gradient.tolist())
        counts["formulas"] += 1
    return None


def ask(client, text, parameters, data):
    request = {"program": text, "parameters": parameters, "data": data, "gradients": {}, "trace": True}
    if "loss" not in text:
        request["output"] = "out"
    return client.ask(post(json.dumps(request, default=lambda x: x.tolist()).encode()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--show", type=int, default=5)
    arguments = parser.parse_args()
    wrong = []
    own, drawn = collections.Counter(), collections.Counter()
    with Daemon() as daemon, Client(daemon) as client:
        for name, (text, parameters, data, without) in EXERCISES.items():
            answer = ask(client, text, parameters, data)
            before = own["without a formula"]
            problem = answer.body.decode() if answer.status != 200 else judge(answer.json()["trace"], own)
            if problem is None and own["without a formula"] - before > without:
                missing = [e["name"] for e in answer.json()["trace"] if "gradient" in e and "backward" not in e]
                problem = "no formula for %s" % ", ".join(missing)
            if problem is not None:
                wrong.append("%s: %s" % (name, problem))
        for seed in range(arguments.programs):
            text, parameters, data, _ = draw.program(arguments.seed * 1000003 + seed)
            answer = ask(client, text, parameters, data)
            if answer.status != 200:  # not this test's business
                continue
            problem = judge(answer.json()["trace"], drawn)
            if problem is not None:
                wrong.append("seed %d: %s\n%s" % (seed, problem, text))
    for what in wrong[:arguments.show]:
        print("---- " + what)
    print("exercises: %s\nrandom programs: %s\n%d wrong" % (dict(own), dict(drawn), len(wrong)))
    sys.exit(1 if wrong or not own["formulas"] or not drawn["formulas"] else 0)


if __name__ == "__main__":
    main()

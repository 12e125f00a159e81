#!/usr/bin/python3
"""Writes tests/vectors/programs/vectors.ndjson anew: programs over the language's table of names, and what PyTorch makes
of them in float64: the loss, the gradient of every parameter and of every value on the way, and these values.

    /usr/bin/python3 tests/vectors/programs.py

A program that is written in PyTorch's words is run by PyTorch as it stands. Beside one in NumPy's words stands what it
means in PyTorch's.
"""

import json
import math
import pathlib
import re

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

HERE = pathlib.Path(__file__).resolve().parent
random = np.random.RandomState(7)


def drawn(*shape, low=-2.0, high=2.0):
    return np.round(random.uniform(low, high, shape), 4)


PARAMETERS = {
    "x": drawn(4, 6), "w": drawn(6, 3), "b": drawn(3), "v": drawn(6), "p": drawn(4, 6, low=0.2, high=3.0),
    "q": drawn(4, 6), "x3": drawn(2, 3, 4), "y3": drawn(2, 4, 5), "x4": drawn(2, 4, 6, 5), "g4": drawn(4, low=0.5, high=2), "b4": drawn(4),
    "g6": drawn(6, low=0.5, high=2), "E": drawn(5, 3), "k2": drawn(3, 4, 3, 2), "k1": drawn(2, 3, 2), "kt": drawn(4, 2, 3, 2),
    "s": drawn(6, 6), "u": drawn(3), "u2": drawn(3), "lstm": drawn(6, 16), "hh": drawn(4, 16),
}
DATA = {
    "y": np.array([0, 2, 1, 5]), "i": np.array([0, 2, 4, 0]), "ii": np.array([[0, 1], [4, 1]]),
    "mask": (random.rand(4, 6) < 0.6).astype(int), "m": np.array([1, 0, 1, 1]), "t": drawn(4, 6, low=0.05, high=0.95),
    "sign": np.where(random.rand(4, 6) < 0.5, -1, 1), "n": np.array(3), "mean4": drawn(4), "var4": drawn(4, low=0.5, high=2),
    "seq": drawn(4, 5, 6), "classes": random.randint(0, 4, (2, 6, 5)), "weights6": drawn(6, low=0.5, high=2),
}

# What each function makes of parameters: in the program, and what that is in PyTorch; None where it is the same.
VALUES = [
    # element by element
    ("np.exp(x)", "torch.exp(x)"), ("np.log(p)", "torch.log(p)"), ("np.log1p(p)", "torch.log1p(p)"),
    ("np.expm1(x)", "torch.expm1(x)"), ("np.sqrt(p)", "torch.sqrt(p)"), ("np.square(x)", "x ** 2"), ("np.abs(x)", "x.abs()"),
    ("np.sign(x) * x", "torch.sign(x) * x"), ("np.maximum(x, q)", "torch.maximum(x, q)"), ("np.minimum(x, 0.3)", "torch.clamp(x, max=0.3)"),
    ("np.clip(x, -1, 1)", "torch.clamp(x, -1, 1)"), ("p ** x", None), ("2.0 ** x", None), ("np.power(p, 1.5)", "p ** 1.5"),
    ("np.tanh(x) / np.cosh(x) + np.sinh(x)", "torch.tanh(x) / torch.cosh(x) + torch.sinh(x)"), ("np.sin(x) * np.cos(q)", "torch.sin(x) * torch.cos(q)"),
    ("np.tan(p / 3)", "torch.tan(p / 3)"), ("np.arctan(x)", "torch.atan(x)"), ("torch.erf(x)", None), ("np.reciprocal(p)", "1 / p"),
    ("np.log2(p) + np.log10(p) + np.exp2(x)", "torch.log2(p) + torch.log10(p) + torch.exp2(x)"), ("torch.rsqrt(p)", None),
    ("np.logaddexp(x, q)", "torch.logaddexp(x, q)"), ("np.hypot(x, q)", "torch.hypot(x, q)"), ("np.where(x > q, x, q * q)", "torch.where(x > q, x, q * q)"),
    ("np.arctanh(np.tanh(x))", "torch.atanh(torch.tanh(x))"), ("(x > 0) * x + (x <= q) * q", None), ("-x / (1 + x * x) - q % 1", None),
    # activations; PyTorch's own celu and hardsigmoid have constants of float32 on the way back
    ("F.relu(x) + F.leaky_relu(q, 0.2)", None), ("F.elu(x, alpha=0.7)", None), ("torch.sigmoid(x) * F.softplus(q, beta=2)", None), ("F.silu(x) + F.gelu(q)", None),
    ("F.gelu(x, approximate='tanh')", None), ("F.selu(x) + F.celu(q, 0.8)", "F.selu(x) + torch.where(q > 0, q, 0.8 * torch.expm1(q / 0.8))"), ("F.softsign(x) + F.hardtanh(q, -0.5, 0.8)", None),
    ("F.relu6(4 * x) + F.hardsigmoid(2 * q)", "F.relu6(4 * x) + torch.clamp(2 * q + 3, 0, 6) / 6"), ("F.hardswish(2 * x) + F.mish(q)", None), ("F.logsigmoid(x)", None),
    ("F.softmax(x, dim=0) * F.softmin(q, dim=1)", None), ("F.log_softmax(x3, dim=1)", None), ("F.threshold(x, 0.1, 0.5)", None),
    ("F.softshrink(x) + F.hardshrink(q) + F.tanhshrink(x)", None), ("F.glu(x, dim=1)", None), ("F.prelu(x4, g4)", None), ("F.normalize(x, dim=1)", None),
    # products
    ("x @ w + b", None), ("np.dot(x, v) + x.dot(v)", "2 * (x @ v)"), ("np.outer(v, u)", "torch.outer(v, u)"), ("x3 @ y3", None),
    ("np.einsum('bij,bjk->kib', x3, y3)", "torch.einsum('bij,bjk->kib', x3, y3)"), ("np.einsum('ij,ij->i', x, q)", "(x * q).sum(1)"),
    ("np.tensordot(x, w, axes=1) * np.inner(v, v)", "(x @ w) * (v @ v)"), ("np.tensordot(x3, y3, axes=([0, 2], [0, 1]))", "torch.tensordot(x3, y3, dims=([0, 2], [0, 1]))"),
    ("torch.bmm(x3, y3) * torch.mv(x, v)[0]", None), ("torch.addmm(b, x, w)", None), ("np.cross(u, u2)", "torch.linalg.cross(u, u2)"), ("np.trace(s) * np.diag(s) + np.diag(v)[1]", "torch.trace(s) * torch.diag(s) + torch.diag(v)[1]"),
    # reductions
    ("x.sum(0) + x.mean(0) + np.sum(x)", "x.sum(0) + x.mean(0) + x.sum()"), ("np.var(x, axis=0, ddof=1) + np.std(x, axis=0)", "x.var(0) + x.std(0, unbiased=False)"),
    ("torch.var(x, dim=1) + torch.std(q, 1, unbiased=False)", None), ("np.max(x, axis=1) * np.min(q, axis=1)", "x.max(1).values * q.min(1).values"),
    ("torch.max(x, dim=1)[0] + x.min(dim=1).values", None), ("np.prod(p, axis=1)", "p.prod(1)"), ("torch.logsumexp(x, dim=(0, 1)) * x", None),
    ("np.linalg.norm(x, axis=1) + np.linalg.norm(q)", "torch.linalg.norm(x, dim=1) + torch.linalg.norm(q)"), ("np.linalg.norm(x, 1, axis=0) + np.linalg.norm(v, np.inf)", "x.abs().sum(0) + v.abs().max()"),
    ("np.cumsum(x, axis=1)", "torch.cumsum(x, dim=1)"), ("np.average(x, axis=1, weights=v)", "(x * v).sum(1) / v.sum()"), ("np.sort(x, axis=1) + np.median(q)", "torch.sort(x, dim=1)[0] + q.reshape(-1).sort()[0][11:13].mean()"),
    ("np.diff(x, axis=1) * np.ptp(x)", "torch.diff(x, dim=1) * (x.max() - x.min())"), ("F.cosine_similarity(x, q, dim=1) + F.pairwise_distance(x, q)", None),
    # shapes
    ("x3.transpose(0, 2, 1).reshape(4, -1)", "x3.permute(0, 2, 1).reshape(4, -1)"), ("x3.view(x3.size(0), -1).t() * 2", None), ("np.moveaxis(x3, 0, 2)[None].squeeze(0)", "torch.movedim(x3, 0, 2)"),
    ("torch.flatten(x4, 1, 2).unsqueeze(1)", None), ("np.concatenate([x, q], axis=1) * np.tile(v, 2)", "torch.cat([x, q], 1) * v.repeat(2)"), ("torch.stack([x, q], dim=1)", None),
    ("np.vstack([x, v]) * np.hstack([v[:3], u])", "torch.vstack([x, v]) * torch.hstack([v[:3], u])"), ("np.split(x, 3, axis=1)[1] * np.split(x, [2], axis=1)[0]", "x[:, 2:4] * x[:, :2]"), ("torch.split(x, 4, dim=1)[0] * x.split([4, 2], dim=1)[0]", None),
    ("np.pad(x, ((1, 0), (0, 2)), constant_values=1)", "F.pad(x, (0, 2, 1, 0), value=1)"), ("F.pad(x4, (1, 2, 0, 1))", None), ("np.flip(x, axis=1) * x[::-1]", "torch.flip(x, [1]) * torch.flip(x, [0])"),
    ("np.roll(x, 2, axis=1) + np.repeat(v[:3], 2)", "torch.roll(x, 2, 1) + v[:3].repeat_interleave(2)"), ("np.tril(s) @ np.triu(s, 1)", "torch.tril(s) @ torch.triu(s, 1)"), ("np.broadcast_to(v, (4, 6)) * x", "v.expand(4, 6) * x"), ("np.rot90(x) + np.append(v, u)[:4]", "torch.rot90(x) + torch.cat([v, u])[:4]"),
    # subscripts
    ("x[1:, ::2] * x[:-1, 1::2]", None), ("x[np.arange(4), y] + x[range(4), 0]", "x[torch.arange(4), y] + x[:, 0]"), ("E[i] * E[ii][:, 0][0]", None), ("x[m == 1] * q[m > 0]", None), ("x[mask == 1]", None), ("x[x > q]", None),
    ("x[np.where(m == 1)[0]] * x[np.nonzero(m)]", "x[m == 1] ** 2"), ("torch.gather(x, 1, y.view(-1, 1)).squeeze(1) + x.gather(1, y.unsqueeze(1))[:, 0]", None), ("np.take(x, [5, 0], axis=1)", "x[:, [5, 0]]"), ("np.take_along_axis(x, np.argsort(q, axis=1), axis=1)", "x.gather(1, q.argsort(1))"),
    ("x.masked_fill(mask == 0, -1.5) * torch.index_select(x, 1, torch.tensor([5, 4, 3, 2, 1, 0]))", None), ("x[:, :n] * (2 if y[1] == 2 else 3) * int(n)", "x[:, :3] * 6"),
    # constants
    ("np.eye(6)[y] * x + one_hot(y, 6) * q", "F.one_hot(y, 6) * (x + q)"), ("F.one_hot(y) * x", None), ("np.linspace(0, 1, 6) * x + np.full((4, 6), 0.5) * q", "torch.linspace(0, 1, 6) * x + 0.5 * q"), ("x.detach() * x + q.clone()", None),
    # layers
    ("F.linear(x, w.T, b)", None), ("F.conv2d(x4, k2, b, stride=(2, 1), padding=1)", None), ("F.conv1d(x3, k1)", None), ("F.conv_transpose2d(x4, kt, stride=2)", None), ("F.max_pool2d(x4, 2) + F.avg_pool2d(x4, 2)", None),
    ("F.adaptive_avg_pool2d(x4, (3, 2)) + F.adaptive_max_pool2d(x4, (3, 2))", None), ("batch_norm(x, g6, v)", "F.batch_norm(x, None, None, g6, v, training=True)"), ("batch_norm(x4, g4, b4, eps=1e-3)", "F.batch_norm(x4, None, None, g4, b4, training=True, eps=1e-3)"),
    ("F.batch_norm(x4, mean4, var4, g4, b4)", None), ("layer_norm(x, g6, v)", "F.layer_norm(x, (6,), g6, v)"), ("F.layer_norm(x4, (6, 5))", None), ("F.group_norm(x4, 2, g4, b4)", None), ("F.instance_norm(x4, weight=g4, bias=b4)", None),
    ("rms_norm(x, g6)", "x / torch.sqrt((x * x).mean(1, keepdim=True) + 1e-5) * g6"), ("F.embedding(ii, E)", None), ("dropout(x, mask, p=0.4)", "x * mask / 0.6"), ("F.scaled_dot_product_attention(x3, x3, x3)", "torch.softmax(x3 @ x3.transpose(1, 2) / 2.0, dim=-1) @ x3"),
]

# Losses, which are programs' last lines as they stand.
LOSSES = [
    ("F.mse_loss(x, t)", None), ("F.mse_loss(x, t, reduction='none').sum() * 0.5", None), ("F.l1_loss(x, t, reduction='sum')", None), ("F.smooth_l1_loss(x, t, beta=0.5)", None), ("F.huber_loss(x, t, delta=0.7)", None),
    ("F.binary_cross_entropy(torch.sigmoid(x), t)", None), ("F.binary_cross_entropy_with_logits(x, t, pos_weight=weights6)", None), ("F.cross_entropy(x, y)", None), ("F.cross_entropy(x, y, reduction='none')[1]", None),
    ("F.cross_entropy(x, y, weight=weights6, label_smoothing=0.2)", None), ("F.cross_entropy(x, y, ignore_index=2)", None), ("F.cross_entropy(x4 + 0 * x[0, 0], classes)", None), ("F.nll_loss(F.log_softmax(x, dim=1), y)", None), ("F.kl_div(F.log_softmax(x, dim=1), t, reduction='batchmean')", None),
    ("F.poisson_nll_loss(x, t)", None), ("F.gaussian_nll_loss(x, t, p)", None), ("F.soft_margin_loss(x, sign)", None), ("F.multi_margin_loss(x, y)", None), ("F.margin_ranking_loss(x, q, sign, margin=0.3)", None),
    ("F.cosine_embedding_loss(x, q, torch.tensor([1.0, -1.0, 1.0, -1.0]), margin=-0.9)", None), ("F.hinge_embedding_loss(x, sign)", None), ("F.triplet_margin_loss(x, q, p)", None), ("hinge(x, y)", "((x - x.gather(1, y[:, None]) + 1).clamp(min=0).sum() - 4) / 4"),
    ("log_cosh(x, t)", "torch.log(torch.cosh(x - t)).mean()"), ("rmse(x, t)", "torch.sqrt(F.mse_loss(x, t))"),
]

# Whole programs, which PyTorch runs as they stand; where they write into arrays, what that comes to stands beside them.
PROGRAMS = [
    ("recurrent", "h = torch.zeros(4, 3)\nfor k in range(5):\n    h = torch.tanh(seq[:, k] @ w + h * u + b)\nloss = (h ** 2).sum()"),
    ("lstm", "h = torch.zeros(4, 4)\nc = torch.zeros(4, 4)\nfor k in range(3):\n    a = seq[:, k] @ lstm + h @ hh\n    f = torch.sigmoid(a[:, :4])\n    g = torch.sigmoid(a[:, 4:8])\n    o = torch.sigmoid(a[:, 8:12])\n    c = f * c + g * torch.tanh(a[:, 12:])\n    h = o * torch.tanh(c)\nloss = h.sum()"),
    ("residual", "h = torch.relu(x @ s)\nf = torch.tanh(h @ s)\nout = h + f\nloss = (out * q).mean()"),
    ("batch norm by hand", "mu = x.mean(0)\nxc = x - mu\nvar = (xc ** 2).mean(0)\nxhat = xc / torch.sqrt(var + 1e-5)\nout = g6 * xhat + v\nloss = (out * q).sum()"),
    ("svm with branches", "loss = 0.0 * x.sum()\nfor j in range(4):\n    own = x[j, y[j]]\n    for k in range(6):\n        if k == y[j]:\n            continue\n        margin = x[j, k] - own + 1\n        if margin > 0:\n            loss = loss + margin"),
    ("written step by step", "a = torch.zeros(8)\na[0] = v[0]\nfor k in range(1, 6):\n    a[k] = a[k - 1] * v[k] + 0.5\nloss = (a ** 2).sum()",
     "r = [v[0]]\nfor k in range(1, 6):\n    r.append(r[-1] * v[k] + 0.5)\nloss = (torch.stack(r) ** 2).sum()"),
    ("states in an array", "h = torch.zeros(4, 6, 3)\nfor k in range(1, 6):\n    h[:, k] = torch.tanh(seq[:, k - 1] @ w + h[:, k - 1] * u)\nloss = (h ** 2).sum()",
     "r = [torch.zeros(4, 3)]\nfor k in range(1, 6):\n    r.append(torch.tanh(seq[:, k - 1] @ w + r[-1] * u))\nloss = (torch.stack(r) ** 2).sum()"),
    ("a mask is written", "a = x * 1.0\na[mask == 1] = 0.5\na[x > 1] *= 2\nloss = (a * q).sum()",
     "a = torch.where(mask == 1, torch.tensor(0.5), x)\na = torch.where(x > 1, 2 * a, a)\nloss = (a * q).sum()"),
    ("functions", "f = lambda a: a * torch.sigmoid(a)\ndef twice(a, g=f):\n    return g(g(a))\nout = twice(x)\nloss = (out ** 2).sum()"),
    ("a sum over classes", "loss = 0.0 * x.sum()\nfor k in [0, 1, 2]:\n    part = x[m == (1 if k > 0 else 0)]\n    loss = loss + (part.mean(0) ** 2).sum() * (k + 1)"),
]


def used(text):
    return set(re.findall(r"[A-Za-z_]\w*", text))


def run(text, names):
    """What PyTorch makes of a text: its names, all values that have a gradient keeping it."""
    tensors = {n: torch.tensor(v, requires_grad=True) for n, v in PARAMETERS.items() if n in names}
    data = {n: torch.tensor(v) for n, v in DATA.items() if n in names}
    scope = {"torch": torch, "F": F, "math": math, **tensors, **data}
    exec(text, scope)
    return scope, tensors, data


def vector(name, program, text, on_the_way):
    names = used(program)
    scope, tensors, data = run(text, names)
    values = {n: scope[n] for n in on_the_way if isinstance(scope.get(n), torch.Tensor) and scope[n].requires_grad and n not in tensors}
    for value in values.values():
        value.retain_grad()
    loss = scope["loss"]
    loss.backward()
    leaves = {n: v for n, v in {**tensors, **values}.items() if v.grad is not None}
    unused = {n: torch.zeros_like(v) for n, v in tensors.items() if v.grad is None}
    return {"name": name,
            "request": {"program": program, "parameters": {n: PARAMETERS[n].tolist() for n in tensors}, "data": {n: DATA[n].tolist() for n in data}},
            "expected": {"loss": loss.item(), "gradients": {**{n: v.grad.tolist() for n, v in leaves.items()}, **{n: v.tolist() for n, v in unused.items()}},
                         "values": {n: v.detach().tolist() for n, v in values.items()}}}


def vectors():
    for expression, means in VALUES:
        program = f"out = {expression}\nc = np.cos(np.arange(out.size) + 1.0).reshape(out.shape)\nloss = np.sum(c * out)"
        text = f"out = {means or expression}\nc = torch.cos(torch.arange(out.numel()) + 1.0).reshape(out.shape)\nloss = torch.sum(c * out)"
        yield vector(expression, program, text.replace("np.arange", "torch.arange"), ["out"])
    for expression, means in LOSSES:
        line = "z = 1.5 * x\nloss = "
        yield vector(expression, line + of_z(expression), line + of_z(means or expression), ["z"])
    for name, text, *means in PROGRAMS:
        assigned = [n for n in re.findall(r"^ *(\w+)(?:\[.*\])? (?:\*|\+)?= ", text, re.MULTILINE) if n not in ("loss", "a", "h", "c", "part", "own", "margin")]
        yield vector(name, text, means[0] if means else text, list(dict.fromkeys(assigned)))


def of_z(expression):
    return re.sub(r"\bx\b", "z", expression)


def main():
    (HERE / "programs").mkdir(exist_ok=True)
    with (HERE / "programs" / "vectors.ndjson").open("w", encoding="ascii") as file:
        count = 0
        for made in vectors():
            json.dump(made, file)
            file.write("\n")
            count += 1
    print(count, "vectors")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Writes tests/programs/cases.ndjson anew: programs that once went wrong, with what Python makes of them.

    /usr/bin/python3 tests/programs/make_cases.py > tests/programs/cases.ndjson
"""

import json

import numpy as np

import reference

W = {"W": [[0.5, -0.25, 1.5], [2.0, -1.0, 0.75]]}
X = {"X": [[1.5, 2.0, -0.5], [0.25, 4.0, 1.0]], "y": [1, 0]}

C = {"c": 0.6, **W}

# Name, program, values that are graded besides W.
PROGRAMS = [
    ("a second name for a parameter", "a = W\nloss = np.sum(a * a) + np.sum(W)", ["a"]),
    ("a second name for a value", "h = np.tanh(W)\nk = h.copy()\nloss = np.sum(k ** 3) + np.sum(h)", ["h", "k"]),
    ("array() of truth values is a mask", "loss = np.sum(W[np.array([False, True])] ** 2)", []),
    ("array() of data keeps its type", "loss = np.sum(W[np.array(y)] ** 2)", []),
    ("written where no gradient flows", "u = np.zeros(X.shape)\nu[:, 1:] = X[:, 1:]\nloss = np.sum(u * W)", []),
    ("put where no gradient flows", "u = np.zeros(X.shape)\nu[[0, 1], y] = 2.0\nloss = np.sum(u * W)", []),
    ("add.at counts every index", "g = np.zeros(3)\nnp.add.at(g, [0, 2, 0], W[0])\nloss = np.sum(g * W)", ["g"]),
    ("add.at over two axes", "g = W * 2\nnp.add.at(g, (np.array([0, 1, 0]), np.array([1, 1, 1])), W[1])\nloss = np.sum(g ** 2)", []),
    ("stars", "np.random.seed(4)\nloss = np.sum(W * np.random.rand(*W.shape))", []),
    ("a target that is graded", "loss = mse(W * W, W)", []),
    ("linear without a bias", "loss = np.sum(linear(X.T, W) ** 2)", []),
    ("layer_norm without parameters", "h = W @ W.T\nloss = np.sum(layer_norm(W, np.ones(3), np.zeros(3)) ** 3) + h.sum()", ["h"]),
    ("subscripts that stand apart", "q = np.stack([W, X])\nloss = np.sum(q[[0, 1], :, [2, 0]] * np.linspace(1, 2, 4).reshape(2, 2))", []),
    ("an integer apart from a list", "q = np.stack([W, X])\nloss = np.sum(q[[0, 1, 0], :, -1] * np.linspace(1, 2, 6).reshape(3, 2))", []),
    ("written where subscripts stand apart", "q = np.stack([W, X])\nq[0, :, [2, 0]] *= np.arange(4).reshape(2, 2)\nloss = np.sum(q ** 2)", []),
    ("argmax among values", "loss = np.sum(np.argmax(W, axis=1) * W[:, 0]) + np.sum(W ** 2)", []),
    ("the shape of a number", "a = np.exp(0.5)\nloss = np.sum(W) * a", []),
    ("a product of masks", "m = (W > 0.2) * (W < 1.8)\nloss = np.sum(W[m] ** 2)", []),
    ("a sum of masks", "m = (W > 0.2) + (W < 1)\nloss = np.sum(W[m] ** 2) + np.sum(m * W)", []),
    ("the larger of masks", "m = np.maximum(W > 0.6, W < -0.5)\nloss = np.sum(W[m] ** 2) + np.sum(W[:, np.max(W > 0.6, axis=0)])", []),
    ("a mask of a choice", "loss = np.sum(W[np.where(X > 1, W > 0, W < 0)] ** 2)", []),
    ("constructors of masks", "m = np.zeros(3, dtype=bool)\nm[1] = 5\nn = np.ones(3, bool)\nn[2] = 0\nloss = np.sum(W[:, m] ** 2) + np.sum(W[:, n] ** 3)", []),
    ("a mask like another", "m = np.zeros_like(W > 0)\nm[0, 2] = True\nloss = np.sum(W[m] ** 2)", []),
    ("a mask of numbers", "loss = np.sum(W[np.array([[1, 0, 2], [0, 1, 0]], dtype=bool)] ** 2)", []),
    ("integers stay integers", "a = np.zeros(3, int)\na[1] = 2.7\na[2] += 1.9\nb = (W * 3).astype(np.int32)\nb[0, 0] = -7.9\nb[1] += 0.7\nloss = np.sum(a * W) + np.sum(b * W)", []),
    ("integers are counted", "a = np.zeros(3, np.int64)\nnp.add.at(a, [0, 2, 0], 1)\nloss = np.sum(a * W)", []),
    ("a type behind the shape", "a = np.zeros((2, 3), float)\na[0] = 0.5\nloss = np.sum((a + W) ** 2)", []),
    ("numbers of data are no integers", "a = np.zeros_like(y)\na[0] = 0.5\nloss = np.sum(a[:, None] * W)", []),
]

# The same of W and a number c.
OF_A_NUMBER = [
    ("clipped at a parameter", "loss = np.sum(np.clip(W, -0.5, c) ** 2)", []),
    ("clipped from a parameter", "loss = np.sum(np.clip(W, -c * c, 3 * c) ** 2)", []),
    ("clipped at a list", "loss = np.sum(np.clip(W, [0.1, 0.2, 0.3], c) ** 2)", []),
    ("filled with a parameter", "loss = np.sum(np.full((2, 3), c) * W) + np.sum(np.full_like(W, c * c) * W)", []),
    ("drawn around a parameter", "np.random.seed(3)\nloss = np.sum(np.random.normal(c, c * c, (2, 3)) * W)", []),
    ("drawn up to a parameter", "np.random.seed(3)\nloss = np.sum(np.random.uniform(-c, 2 * c, (2, 3)) * W)", []),
    ("drawn around an array", "np.random.seed(3)\nloss = np.sum(np.random.normal(W, c) * W)", []),
    ("padded with a parameter", "h = np.pad(W, 1, constant_values=c)\nloss = np.sum(h ** 3)", ["h"]),
    ("hinges by Python's max", "loss = 0\nfor i in range(3):\n    loss += max(0, W[0, i] - c) + max(0, 1, W[1, i] * c)", []),
    ("Python's min of three", "loss = min(W[0, 2], 2 * c, 3) * W[0, 0] + min(W[1, 0], W[0, 0]) ** 2", []),
    ("Python's max of a tie", "loss = max(c, W[0, 0] + 0.1) + max(0.6, c) + c * min(c, 0.6)", []),
    ("the sum of a list of arrays", "h = [W[0], W[1] * c]\nloss = np.sum(sum(h) ** 2) + np.sum(h)", []),
    ("the sum of truths", "loss = np.sum(W) * c * sum([W[0, 0] > 0.1, W[0, 1] > 0.1, W[0, 2] > 0.1])", []),
    ("a sum that begins", "loss = sum([W[0, 0], W[0, 1]], c) + sum(range(4)) * c + sum([1, 2], 5) * c", []),
    ("a lambda in a def", "a = 10\ndef f(x, a):\n    g = lambda t: t * a\n    return g(x)\nloss = np.sum(f(W, 2 * c))", []),
    ("a def in a def, which is late", "a = 10\ndef f(x, a):\n    def g(t):\n        return t * a + b\n    b = c\n    a = 3\n    return g(x)\nloss = np.sum(f(W, 2) ** 2)", []),
    ("functions that are handed back", "def make(n):\n    return lambda x: x * n\ng = make(3)\nh = make(c)\nloss = np.sum(g(W) + h(W) ** 2)", []),
    ("lambdas of a loop", "fs = [lambda x: x * k for k in range(3)]\ngs = [lambda x, k=k: x * k for k in range(3)]\nloss = np.sum(fs[0](W)) + np.sum(gs[1](W) * c)", []),
    ("a comprehension's own names", "t = 2\nq = [t * W for t in range(2)]\ndef f(x):\n    k = 1\n    r = {k: x * k for k in range(3)}\n    return r[2] * k\nloss = np.sum(W[:, t] * c) + np.sum(f(W)) + np.sum(q[1])", []),
    ("comprehensions within each other", "k = 3\nloss = c * sum([sum([W[i, j] * k for j in range(i, 3)]) for i in range(2)])", []),
    ("a default of the place of its def", "k = 2\ndef f(x, a=k * c):\n    return x * a\nk = 5\nloss = np.sum(f(W)) + np.sum(f(W, k))", []),
    ("columns first", "h = W.reshape(3, 2, order='F')\nloss = np.sum(h * np.arange(6).reshape(3, 2) * c) + np.sum(W.ravel('F') * np.arange(6)) + np.sum(np.reshape(W, (6, 1), order='F')[:, 0] ** 2 * W.flatten('F'))", ["h"]),
    ("all axes are turned", "loss = np.sum(np.flip(W, (0, 1)) * X * c) + np.sum(np.flip(W, 1) * X)", []),
    ("an element in a list", "loss = 0\nfor i, label in enumerate(y):\n    if label in [1]:\n        loss += np.sum(W[i] ** 2)\n    if label not in (1, 2):\n        loss += c * W[i, 0]", []),
    ("lists of lists are equal", "q = [[1, 2], ['a', (3, None)]]\nloss = np.sum(W) * c * ((q == [[1, 2], ['a', (3, None)]]) + 2 * (q != [[1, 2], ['a', (4, None)]]) + 4 * ({'a': [1]} == {'a': [1]}))", []),
    ("the last of a key holds", "d = {'a': W, 'b': c, 'a': 2 * W, 1: c, 1.0: 3 * c}\nloss = np.sum(d['a']) * d['b'] * d[1] * len(d)", []),
    ("as many as a parameter says", "loss = np.sum(W) * np.arange(4 * c).size + c", []),
]


def write(name, text, wanted, parameters):
    names, leaves = reference.run(text, parameters, X)
    loss, found = reference.gradients(names, leaves, wanted)
    request = {"program": text, "parameters": parameters, "data": X, "tolerance": {"atol": 1e-9, "rtol": 1e-7},
               "gradients": {n: np.asarray(g).tolist() for n, g in found.items()}}
    print(json.dumps({"name": name, "loss": loss, "request": request}))


def main():
    for name, text, wanted in PROGRAMS:
        write(name, text, wanted, W)
    for name, text, wanted in OF_A_NUMBER:
        write(name, text, wanted, C)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Programs that are at fault: each is refused with the place where it is and words that help. Hostile ones are refused,
or answered, at once and without much memory; and the daemon is still there.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/programs/test_faults.py
"""

import json
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http")]

from daemon import PROGRAM, Client, DaemonTest, post  # noqa: E402

PARAMETERS = {"W": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "b": [0.1, 0.2, 0.3], "s": 0.5}
DATA = {"x": [[1.5, 2], [3, 4], [5, 6], [7, 8]], "y": [0, 1, 2, 1]}

# The program, line and column of the fault, and what its detail has to hold.
FAULTS = [
    # names
    ("t = [i * s for i in range(3)]\nloss = s * i", 2, 12, ["\"i\""]),
    ("def f(a, c=q):\n    return a\nloss = f(s, 1)", 1, 12, ["q"]),
    ("def f(a, c=1):\n    return a * c\nloss = f(s, a=2)", 3, 8, ["f", "a", "twice"]),
    ("loss = np.sum(V)", 1, 15, ["V"]),
    ("hidden = x @ W\nloss = np.sum(hiden)", 2, 15, ["hiden", "hidden"]),
    ("z = x @ W\nh = np.tahn(z)\nloss = np.sum(h)", 2, 8, ["tahn", "tanh"]),
    ("loss = np.summ(W)", 1, 11, ["summ", "sum"]),
    ("loss = W.summ()", 1, 10, ["summ", "sum"]),
    ("loss = np.maximun(W, 0).sum()", 1, 11, ["maximun", "maximum"]),
    ("loss = sofmax(x @ W).sum()", 1, 8, ["sofmax", "softmax"]),
    ("loss = np.sum(W, axs=0)", 1, 11, ["axs", "axis"]),
    ("def f(a):\n    return q * a\nloss = np.sum(f(W))", 2, 12, ["q"]),
    ("total = np.sum(W)", None, None, ["loss", "output"]),
    ("loss = W.shap[0]", 1, 10, ["shap", "shape"]),
    # shapes
    ("z = W @ x\nloss = np.sum(z)", 1, 7, ["[2,3]", "[4,2]"]),
    ("z = x @ W + y\nloss = np.sum(z)", 1, 11, ["[4,3]", "[4]"]),
    ("z = (x @ W) * x\nloss = np.sum(z)", 1, 13, ["[4,3]", "[4,2]"]),
    ("loss = np.sum(np.maximum(W, x))", 1, 18, ["[2,3]", "[4,2]"]),
    ("loss = np.sum(np.where(W > 0, x, b))", 1, 18, ["[2,3]", "[4,2]"]),
    ("loss = np.sum(W.reshape(4, 2))", 1, 17, ["[2,3]", "[4,2]"]),
    ("loss = np.sum(W.reshape(-1, -1))", 1, 17, ["-1"]),
    ("loss = np.sum(np.concatenate([W, x], axis=1))", 1, 18, ["[2,3]", "[4,2]"]),
    ("loss = np.sum(np.stack([W, x]))", 1, 18, ["[2,3]", "[4,2]"]),
    ("loss = np.sum(W, axis=2)", 1, 11, ["axis 2", "2"]),
    ("loss = np.sum(W.transpose(0, 0))", 1, 17, ["axis"]),
    ("loss = np.sum(np.broadcast_to(b, (3, 4)))", 1, 18, ["[3]", "[3,4]"]),
    ("loss = np.sum(np.split(W, 2, axis=1)[0])", 1, 18, ["3", "2"]),
    ("loss = np.sum(np.einsum('ij,kl->ijl', W, b))", 1, 18, ["letter"]),
    ("loss = np.sum(np.einsum('ij,jk->ik', W, x))", 1, 18, ["j", "3", "4"]),
    ("loss = np.sum(np.einsum('ij->iq', W))", 1, 18, ["q"]),
    ("loss = W", 1, 1, ["[2,3]", "upstream"]),
    ("loss = mse(x @ W, x)", 1, 8, ["[4,3]", "[4,2]"]),
    ("loss = cross_entropy(x @ W, y[:3])", 1, 8, ["[4,3]", "[3]"]),
    ("loss = linear(x, W, np.ones(2)).sum()", 1, 8, ["[2]", "[3]"]),
    ("z = np.zeros((2, 2))\nz[:] = W\nloss = np.sum(z)", 2, 1, ["[2,3]", "[2,2]"]),
    # subscripts
    ("loss = np.sum(W[2])", 1, 15, ["2"]),
    ("loss = np.sum(W[0, 1, 2])", 1, 15, ["3 subscripts", "[2,3]"]),
    ("loss = np.sum(W[::0])", 1, 15, ["step"]),
    ("loss = np.sum(W[0.5])", 1, 15, ["0.5"]),
    ("loss = np.sum(W['a'])", 1, 15, ["string"]),
    ("loss = np.sum(W[[0, 5]])", 1, 15, ["5"]),
    ("loss = np.sum(W[np.array([True, False, True])])", 1, 15, ["[3]", "[2]"]),
    ("d = {'a': W}\nloss = np.sum(d['b'])", 2, 15, ["\"b\""]),
    ("l = [W, b]\nloss = np.sum(l[2])", 2, 15, ["2"]),
    ("W[0, 7] = 1\nloss = np.sum(W)", 1, 1, ["7"]),
    # grammar
    ("loss = np.sum(W", 1, 14, ["closed"]),
    ("loss = np.sum(W))", 1, 17, [")"]),
    ("loss = np.sum(W]", 1, 16, ["]", ")"]),
    ("loss = 3 +", 1, 11, ["value"]),
    ("loss == np.sum(W)\nx y", 2, 3, ["y"]),
    ("if True\n    loss = np.sum(W)", 1, 8, ["\":\""]),
    ("for t in range(3):\nloss = np.sum(W)", 2, 1, ["further in"]),
    ("a = 1\n  loss = np.sum(W)", 2, 3, ["further in"]),
    ("for t in range(3):\n      a = t\n   loss = np.sum(W)", 3, 4, ["far in"]),
    ("while True:\n    loss = np.sum(W)", 1, 1, ["while"]),
    ("loss = (lambda q: r)(W)", 1, 19, ["r"]),
    ("break\nloss = s", 1, 1, ["break", "loop"]),
    ("for i in range(3):\n    def f(a):\n        continue\nloss = s", 3, 9, ["continue", "loop"]),
    ("if True: raise ValueError('no')\nloss = s", 1, 10, ["ValueError"]),
    ("loss = np.sum(batch_norm(b, b, b))", 1, 15, ["batch_norm"]),
    ("loss = np.sum(batch_norm(W, x, b))", 1, 15, ["[4,2]", "[1,3]"]),
    ("loss = np.sum(batch_norm(W, gama=b))", 1, 15, ["gama", "batch_norm"]),
    ("loss = np.sum(batch_norm(W, b, b, 1, 2, 3, 4, 5, 6))", 1, 15, ["batch_norm"]),
    ("loss = np.linalg.norm(W, 2)", 1, 18, ["norm", "axis"]),
    ("a = 'no end\nloss = np.sum(W)", 1, 5, ["end"]),
    ("a = 1.2.3\nloss = np.sum(W)", 1, 5, ["1.2.3"]),
    ("loss = np.sum(W) ? 1 : 2", 1, 18, ["?"]),
    ("3 = loss", 1, 1, ["assigned"]),
    ("f(W) = 3\nloss = np.sum(W)", 1, 1, ["assigned"]),
    ("a, c = W, b, s\nloss = np.sum(W)", 1, 1, ["2", "3"]),
    ("return W", 1, 1, ["def"]),
    ("class A:\n    pass", 1, 1, ["class"]),
    ("def f(a):\n    return f(a)\nloss = f(s)", 2, 12, ["recursion"]),
    ("def f(a, c):\n    return a\nloss = f(s)", 3, 8, ["f", "c"]),
    ("def f(a):\n    return a\nloss = f(s, s)", 3, 8, ["f", "1", "2"]),
    ("def f(a):\n    return a\nloss = f(s, c=1)", 3, 8, ["c"]),
    # what is done with what
    ("loss = np.sum(W + 'a')", 1, 17, ["string"]),
    ("loss = s(3)", 1, 8, ["called"]),
    ("loss = np.sum(W) / 0 + 1 // 0", 1, 26, ["zero"]),
    ("if W > 0:\n    loss = s", 1, 6, ["several"]),
    ("for i in s:\n    loss = s", 1, 10, ["run over"]),
    ("loss = np.sum(np.random.randn(3) * b)", 1, 25, ["seed"]),
    ("loss = np.sum(W) + np.max(W[W > 2])", 1, 23, ["no elements"]),
    ("loss = 3.0", 1, 1, ["depend"]),
    ("loss = np.argmax(W)", 1, 1, ["depend"]),
    ("loss = np.sum(x)", 1, 1, ["depend"]),
    ("l = [W]\nl.push(b)\nloss = np.sum(W)", 2, 3, ["push"]),
    ("loss = np.sum(W.T @ W @ b @ s)", 1, 27, ["number"]),
    ("loss = softmax(W, axis=3).sum()", 1, 8, ["axis 3"]),
    ("loss = mse(x @ W, 0.5, reduction='avg')", 1, 8, ["mean"]),
    ("loss = np.sum(W, 0, True, 5)", 1, 11, ["sum", "axis"]),
    ("loss = np.clip(W).sum(axis='a')", 1, 19, ["axis"]),
    ("loss = s + a" + "\u00e9" * 60, 1, 12, ["a" + "\u00e9" * 39 + "\""]),
    ("loss = np.linalg.norm(W, 'nuc')", 1, 18, ["norm", "fro"]),
    ("loss = s * np.interp(1, 2, 3)", 1, 15, ["np.interp"]),
    ("loss = F.interpolate(W)", 1, 10, ["F.interpolate"]),
    ("a = '%d' % W\nloss = s", 1, 10, ["%d"]),
    ("a = '%s %s' % (1,)\nloss = s", 1, 13, ["values"]),
    ("a = '%s' % (1, 2)\nloss = s", 1, 10, ["1", "2"]),
    ("loss = F.mse_loss((x @ W)[:, :1], y)", 1, 10, ["mse_loss", "[4,1]", "[4]"]),
    ("loss = nn.functional.l1_loss(input=(x @ W)[:, :1], target=y, reduction='none').sum()", 1, 22, ["l1_loss", "[4,1]", "[4]"]),
    ("loss = F.binary_cross_entropy(sigmoid(x @ W)[:, 0], y[:, None], reduction='sum')", 1, 10, ["[4]", "[4,1]"]),
    ("loss = F.cross_entropy(x @ W, y - 1)", 1, 10, ["-1", "class"]),
    ("loss = np.sum(one_hot(y - 1, 3) * s)", 1, 15, ["-1", "class"]),
    ("loss = np.sum(W.reshape(3, 2, order='B'))", 1, 17, ["reshape", "order"]),
    ("loss = np.sum(b.mT)", 1, 17, ["mT", "1"]),
    ("loss = s if W in [b, 1] else 2 * s", 1, 15, ["array", "equal"]),
    ("d = {W: 1}\nloss = s", 1, 9, ["[2,3]", "key"]),
    ("loss = np.sum(W[True])", 1, 15, ["True", "subscript"]),
    ("loss = np.sum(b[s > 0])", 1, 15, ["True", "subscript"]),
    ("loss = np.sum(np.zeros(3, dtype='complex') + b)", 1, 18, ["complex", "type"]),
    ("loss = np.sum(np.zeros(3, dtype=b) + b)", 1, 18, ["type", "[3]"]),
    ("for i in range(3):\n    loss = s\nelse:\n    loss = 2 * s", 3, 1, ["else", "loop"]),
    # gradients that would be lost
    ("loss = np.sum(b * np.linspace(0, s, 3))", 1, 22, ["linspace", "gradient", "detach"]),
    ("loss = np.sum(b * np.arange(s, 3))", 1, 22, ["arange", "gradient", "detach"]),
    ("loss = np.sum(np.unique(b))", 1, 18, ["unique", "gradient", "detach"]),
    ("loss = np.var(b, ddof=s)", 1, 11, ["var", "gradient", "detach"]),
]

LONG = 64 << 10
# A name, the program, and whether it has to be refused.
HOSTILE = [
    ("brackets", "loss = " + "(" * 30000 + "W" + ")" * 30000, True),
    ("signs", "loss = " + "-" * 60000 + "s", True),
    ("nots", "loss = " + "not " * 15000 + "s", True),
    ("powers", "loss = s" + "**2" * 20000, None),
    ("sums", "loss = s" + "+s" * 30000, None),
    ("attributes", "loss = W" + ".T" * 30000, True),
    ("subscripts", "loss = W" + "[0]" * 20000, True),
    ("choices", "loss = " + "s if True else " * 4000 + "s", True),
    ("elifs", "if False:\n    pass\n" + "elif False:\n    pass\n" * 3000 + "loss = s", False),
    ("elifs on a line", "if 0:1\n" + "elif 0:1\n" * 7200 + "loss = s", False),
    ("levels", "loss = " + "(" * 31 + "s" + ")" * 31, False),
    ("signs within", "loss = " + "(-" * 15 + "s" + ")" * 15, False),
    ("blocks", "".join(" " * i + "if True:\n" for i in range(300)) + " " * 300 + "loss = s", True),
    ("iterations", "for i in range(10**9):\n    s = s * 1\nloss = s", True),
    ("many", "for i in range(10**15):\n    a = 1\nloss = s", True),
    ("nested loops", "for i in range(3000):\n  for j in range(3000):\n    for k in range(3000):\n      a = 1\nloss = s", True),
    ("empty loops", "for i in range(1000):\n  for j in range(1000):\n    for k in range(0):\n      a = 1\nloss = s", True),
    ("comprehensions", "a = [i for i in range(10**8)]\nloss = s", True),
    ("comprehensions within", "a = [[j for j in range(5000)] for i in range(5000)]\nloss = s", True),
    ("nodes", "h = s\nfor i in range(200000):\n    h = h * 1.0\nloss = h", True),
    ("large", "a = np.zeros((100000, 100000))\nloss = s", True),
    ("overflow", "a = np.zeros((10**9, 10**9, 10**9))\nloss = s", True),
    ("broadcast", "a = np.broadcast_to(s, (10**6, 10**6))\nloss = np.sum(a)", True),
    ("broadcast sum", "a = np.broadcast_to(s, (10**5, 10**4))\nloss = np.sum(a)", True),
    ("outer", "a = np.broadcast_to(s, (10**5,))\nloss = np.sum(np.outer(a, a))", True),
    ("tile", "a = np.tile(W, (10**5, 10**5))\nloss = np.sum(a)", True),
    ("repeat", "a = np.repeat(W, 10**12)\nloss = np.sum(a)", True),
    ("pad", "a = np.pad(W, 10**8)\nloss = np.sum(a)", True),
    ("lists double", "a = [1]\nfor i in range(64):\n    a = a + a\nloss = s", True),
    ("lists times", "a = [1] * 10**9\nloss = s", True),
    ("lists times lists", "a = [0] * 1000\nfor i in range(50):\n    a = a * 1000\nloss = s", True),
    ("strings double", "a = 'ab'\nfor i in range(64):\n    a = a + a\nloss = s", True),
    ("strings grow", "a = 'a'\nfor i in range(400000):\n    b2 = 'a' * 1 if False else a + 'b' if i < 4000 else a + ''\n    a = b2 if i < 4000 else a\nloss = s", None),
    ("concatenate", "a = b\nfor i in range(64):\n    a = np.concatenate([a, a])\nloss = np.sum(a)", True),
    ("constants", "a = np.ones(10)\nfor i in range(64):\n    a = np.concatenate([a, a])\nloss = s * np.sum(a)", True),
    ("constants again", "a = np.ones((4000, 1000))\nfor i in range(10**6):\n    a = a * 1\nloss = s", True),
    ("sum of a constant", "a = np.ones(4000000)\nfor i in range(400000):\n    c = np.sum(a)\nloss = s", True),
    ("product of constants", "a = np.ones((10, 400000))\nfor i in range(100000):\n    c = a @ a.T\nloss = s", True),
    ("sum of a list", "a = [1] * 400000\nfor i in range(100000):\n    c = sum(a)\nloss = s", True),
    ("max of a list", "a = [1] * 400000\nfor i in range(100000):\n    c = max(a)\nloss = s", True),
    ("in a list", "a = [1] * 400000\nfor i in range(100000):\n    c = 2 in a\nloss = s", True),
    ("list of a list", "a = [1] * 400000\nfor i in range(100000):\n    c = list(a)\nloss = s", True),
    ("keys", "d = {}\nfor i in range(100000):\n    d[i] = i\nloss = s", None),
    ("einsum", "a = np.broadcast_to(s, (100,100,100))\nloss = np.einsum('ijk,lmn->', a, a)", None),
    ("einsum out", "a = np.broadcast_to(s, (100,100,100))\nloss = np.sum(np.einsum('ijk,lmn->ijklmn', a, a))", True),
    ("einsum many", "loss = np.sum(np.einsum('abcdefghijklmnop,qrstuvwxyz->az', W, W))", True),
    ("list in itself", "a = [1]\na.append(a)\nloss = np.sum(a) * s", True),
    ("list in itself twice", "a = [1]\na.append(a)\na.append(a)\nc = a == a\nprint(a)\nloss = np.sum(np.array(a)) * s", True),
    ("dictionary in itself", "d = {}\nd['a'] = d\nc = d == d\nloss = np.stack(d) * s", True),
    ("lists within", "a = [s]\nfor i in range(1000):\n    a = [a, a]\nloss = np.sum(a)", True),
    ("tuple within", "a = (1, 2)\nfor i in range(1000):\n    a = (a, a)\nloss = s * 2 if a == a else s", None),
    ("append while running", "a = [1]\nfor v in a:\n    a.append(v)\nloss = s * len(a)", False),
    ("insert", "a = []\nfor i in range(300000):\n    a.insert(0, i)\nloss = s", True),
    ("calls", "def f(a):\n    return a\n" + "".join("def f%d(a):\n    return f%s(f%s(a))\n" % (i, i - 1 or "", i - 1 or "") for i in range(1, 40)) + "loss = f39(s)", True),
    ("calls of calls", "def k():\n    return k\ndef f(n):\n    if n == 0:\n        return k\n    return " + "(" * 13 + "f(n-1)" + (")" + "()" * 31) * 13 + "\ny = f(30)\nloss = s", True),
    ("sums in a loop", "for i in range(400000):\n    " + "+".join(["1"] * 30000) + "\nloss = s", True),
    ("seeds", "for i in range(400000):\n    np.random.seed(i)\nloss = s", True),
    ("draws", "np.random.seed(1)\na = np.random.randn(16000000)\nloss = s", True),
    ("format", "a = f'" + "{1}" * 21000 + "'\nloss = s", True),
    ("locals", "def f(a):\n" + "".join("    a%d = 1\n" % i for i in range(4000)) + "    return a\nfor i in range(200):\n    c = f(1)\nloss = s", True),
    ("recursion", "def f(a):\n    return f(a) + f(a)\nloss = f(s)", True),
    ("defaults", "def f(a=f()):\n    return a\nloss = f(s)", True),
    ("default of itself", "def f(a=1):\n    return a\ndef f(a=f()):\n    return a\nloss = f()", True),
    ("names", "\n".join("n%d=s" % i for i in range(6500)) + "\nloss=s", False),
    ("wrong names", "\n".join("n%d=1" % i for i in range(6000)) + "\nloss=m10", True),
    ("one name", "loss = " + "q" * (LONG - 100), True),
    ("number", "loss = s * " + "9" * 60000, True),
    ("number of a string", "loss = s * int('9')", True),
    ("writes", "a = np.zeros(20000)\nfor i in range(20000):\n    a[i] = s\nloss = np.sum(a)", None),
    ("writes and reads", "a = np.zeros(2000)\nfor i in range(1, 2000):\n    a[i] = a[i - 1] + s\nloss = np.sum(a)", None),
    ("writes and reads of many", "a = np.zeros(1000000)\nfor i in range(1, 15000):\n    a[i] = a[i - 1] + s\nloss = np.sum(a)", None),
    ("writes and reads of early ones", "a = np.zeros(1000000)\nfor i in range(1, 20000):\n    a[i] = a[0] + a[i // 2] + s\nloss = np.sum(a)", None),
    ("branches on what is computed", "h = s\nfor i in range(30000):\n    if h > 0:\n        h = h * 1.0001\nloss = h", None),
    ("branches on large arrays", "h = np.broadcast_to(s, (1000, 1000)) * 1\nfor i in range(3000):\n    h = h * 1.0001\n    if h[0, 0] > 1e9:\n        break\nloss = np.sum(h)", True),
    ("bounds that are computed", "for i in range(int(s * 1e15)):\n    a = 1\nloss = s", True),
    ("lambdas", "f = lambda a: f(a) + f(a)\nloss = f(s)", True),
    ("lambdas within", "loss = " + "(lambda a: " * 4000 + "s" + ")(1)" * 4000, True),
    ("sorts", "a = np.ones(1000000)\nfor i in range(1000):\n    c = np.sort(a)\nloss = s", True),
    ("the library in a loop", "h = W\nfor i in range(100000):\n    h = batch_norm(h)\nloss = np.sum(h)", True),
    ("masks of few", "a = np.zeros(4000000)\na[7] = 1\nfor i in range(100000):\n    c = np.nonzero(a)\nloss = s", True),
    ("masks of few that are computed", "a = np.broadcast_to(s, (1000000,)) * np.eye(1, 1000000)[0]\nfor i in range(20000):\n    c = a[a > 0]\nloss = np.sum(c)", True),
    ("unique", "a = np.ones(1000000)\nfor i in range(100000):\n    c = np.unique(a)\nloss = s", True),
    ("classes", "a = np.zeros(1000000)\nfor i in range(100000):\n    c = np.argmax(a)\nloss = s", True),
    ("pooling into many", "loss = np.sum(adaptive_avg_pool2d(np.broadcast_to(s, (1, 1, 3, 3)), 100000))", True),
    ("continue for ever", "for i in range(10**9):\n    continue\nloss = s", True),
    ("tower", "loss = s * 9**9**9**9", None),
    ("power", "a = 10.0**400\nloss = s * a", None),
    ("ranges", "a = [range(10**14)] * 100\nloss = s * len(a)", False),
    ("arange", "a = np.arange(10**12)\nloss = s", True),
    ("linspace", "a = np.linspace(0, 1, 10**12)\nloss = s", True),
    ("eye", "a = np.eye(10**6)\nloss = s", True),
    ("one_hot", "a = one_hot(y, 10**9)\nloss = s", True),
    ("random", "np.random.seed(1)\nfor i in range(1000):\n    a = np.random.randn(1000, 1000)\nloss = s", True),
    ("split", "a = np.split(np.ones(1000000), 1000000)\nloss = s * a[0][0]", True),
    ("zip", "a = [0] * 300000\nfor i in range(100):\n    c = zip(a, a, a)\nloss = s", True),
    ("enumerate", "a = [0] * 200000\nfor i in range(100):\n    c = enumerate(a)\nloss = s", True),
    ("slices", "a = [0] * 200000\nfor i in range(1000):\n    c = a[::-1]\nloss = s", True),
    ("array of numbers", "a = np.array([[0] * 1000] * 900)\nloss = s * a[0, 0]", None),
    ("stars", "def f(a):\n    return a\nloss = f(*[s] * 500000)", True),
    ("nothing", "", True),
    ("zeros", "loss\0 = s", True),
    ("bytes", "loss = s \u00e9\u2028", True),
    ("tabs", "\t" * 30000 + "loss = s", None),
    ("lines", "\n" * 60000 + "loss = s", False),
    ("semicolons", ";" * 60000 + "loss = s", False),
    ("backslashes", "loss = \\\n" * 1 + "\\\n" * 20000 + "s", None),
    ("comment", "#" * 60000 + "\nloss = s", False),
    ("too long", "#" * (LONG + 1) + "\nloss = s", True),
]


def body(text):
    return {"program": text, "parameters": PARAMETERS, "data": DATA, "diagnose": False,
            "gradients": {"W": [[0, 0, 0]] * 2, "b": [0, 0, 0], "s": 0}}


def memory(process):
    """Bytes that a process has had at most."""
    for line in open("/proc/%d/status" % process.pid):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    return 0


def seconds_of(process):
    """What a process has computed: other work on the machine does not count."""
    fields = open("/proc/%d/stat" % process.pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class FaultsTest(DaemonTest):
    def ask(self, text):
        with Client(self.daemon, 60) as client:
            begin = seconds_of(self.daemon.process)
            answer = client.ask(post(json.dumps(body(text)).encode()))
            return answer, seconds_of(self.daemon.process) - begin

    def test_each_fault_has_its_place_and_words(self):
        for text, line, column, words in FAULTS:
            with self.subTest(program=text):
                answer, _ = self.ask(text)
                problem = self.assertProblem(answer, 400, "program_error")
                self.assertEqual((problem.get("line"), problem.get("column")), (line, column), problem["detail"])
                for word in words:
                    self.assertIn(word, problem["detail"])

    def test_hostile_programs_end_soon(self):
        for name, text, refused in HOSTILE:
            with self.subTest(program=name):
                before = memory(self.daemon.process)
                answer, seconds = self.ask(text)
                self.assertIn(answer.status, {True: (400, 413, 422, 503), False: (200,), None: (200, 400, 413, 422)}[refused], answer.body[:300])
                self.assertLess(seconds, self.seconds, answer.body[:300])
                self.assertLess(memory(self.daemon.process) - before, self.bytes)

    slow = any(word in PROGRAM for word in ("asan", "tsan", "coverage"))
    seconds, bytes = (40, 4 << 30) if slow else (2, 600 << 20)


if __name__ == "__main__":
    unittest.main()

"""What Python means by a student's code that NumPy has another word for: right work is right, and each line of it."""

import json
import unittest

from daemon import DaemonTest, post

PROGRAM = "z = X @ W + b\nloss = np.sum((z - y)**2)"
PARAMETERS = {"W": [[0.5, -1.0, 0.25], [2.0, 0.75, -0.5]], "b": [0.1, 0.2, 0.3]}
DATA = {"X": [[1.0, 2.5], [-0.5, 1.5]], "y": [[0.5, 1.0, -1.0], [0.25, 0.0, 2.0]]}

RIGHT = {
    "the sum along the first axis": "dz = 2 * (z - y)\ndW = X.T @ dz\ndb = sum(dz)",
    "a function within a function": """def backward(X, z, y):
    scale = 2

    def back(error):
        return scale * error

    dz = back(z - y)
    dW = X.T @ dz
    db = dz.sum(axis=0)
    return dW, db
""",
    "names of comprehensions": """m = len(X)
dz = 2 * (z - y)
dW = sum([np.outer(X[m], dz[m]) for m in range(m)])
db = sum(dz[i] for i in range(m))
""",
    "targets within each other, and what is sorted": """(dz, n), m = (2 * (z - y), len(X)), {}
for k in sorted({"b": 1, "W": 2}):
    m.setdefault(k, []).append(k)
d = dict.fromkeys(m, 0)
rows = slice(0, n)
dW = X[rows].T @ dz
db = sum(map(lambda i: dz[i], range(n))) + d["b"]
if __name__ != "__main__" or sorted([2, 3, 1], reverse=True) != [3, 2, 1]:
    db = 0
""",
    "places in an array": """dz = np.zeros((2, 3))
np.copyto(dz, 2 * (z - y))
dW = np.zeros((2, 3))
for i, j in np.ndindex(2, 3):
    dW[i, j] = X[:, i] @ dz[:, j]
for place in np.ndindex(dW.shape):
    dW[place] *= 1
most = np.unravel_index(np.argmax(dz), dz.shape)
if dz[most] == dz.max() and np.diagflat([[1, 2]]).shape == (2, 2) and np.diagflat([1, 2])[1, 1] == 2:
    db = np.atleast_1d(dz).sum(0)
""",
    "a default that nobody needs": """def backward(X, z, y, rng=np.random.default_rng(0)):
    dz = 2 * (z - y)
    return X.T @ dz, dz.sum(axis=0)

dW, db = backward(X, z, y, None)
""",
}

# What the program's functions keep of where they were defined is numbers in the code.
MAKER = "def make(a, f=None):\n    g = lambda t: t @ a\n    return g\nh = make(W)\nz = h(X) + b\nloss = np.sum((z - y)**2)"
OF_THE_PROGRAM = "q = h(X) + b\ndz = 2 * (q - y)\ndW = X.T @ dz\ndb = dz.sum(0)"


class PythonTest(DaemonTest):
    def test_right_code(self):
        for name, code in RIGHT.items():
            with self.subTest(name):
                request = {"program": PROGRAM, "parameters": PARAMETERS, "data": DATA, "backward": code}
                answer = self.client().ask(post(json.dumps(request).encode()))
                self.assertEqual(answer.status, 200, answer.body)
                report = answer.json()
                self.assertTrue(report["passed"], report)
                self.assertEqual([line for line in report["lines"] if line["mark"] in ("wrong", "fault", "inherited")], [])

    def test_functions_of_the_program(self):
        request = {"program": MAKER, "parameters": PARAMETERS, "data": DATA, "backward": OF_THE_PROGRAM}
        answer = self.client().ask(post(json.dumps(request).encode()))
        self.assertEqual(answer.status, 200, answer.body)
        self.assertTrue(answer.json()["passed"], answer.json())


if __name__ == "__main__":
    unittest.main()

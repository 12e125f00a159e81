"""POST /v1/check with `backward`: what the answer has, with a program and with a network, whatever the code is."""

import json
import unittest

from daemon import DaemonTest, post

PROGRAM = {
    "program": "z1 = X @ W1 + b1\nh1 = np.tanh(z1)\np = sigmoid(h1 @ W2 + b2)\nloss = np.mean((p - y)**2)",
    "parameters": {"W1": [[0.5, -0.3, 0.8], [0.1, 0.9, -0.4]], "b1": [0.1, -0.2, 0.3], "W2": [[0.7], [-0.6], [0.2]], "b2": [0.05]},
    "data": {"X": [[1, 2], [3, -1], [0, 1], [2, 2]], "y": [[1], [0], [1], [0]]},
}
CODE = """dp = 2 * (p - y) / len(y)
dz2 = dp * p * (1 - p)
dW2 = h1.T @ dz2
db2 = dz2.sum(0)
dh1 = dz2 @ W2.T
dz1 = dh1 * (1 - h1**2)
dW1 = X.T @ dz1
db1 = dz1.sum(0)
"""
NETWORK = {
    "network": {
        "input": 2,
        "layers": [{"type": "linear", "out_features": 3}, {"type": "tanh"}, {"type": "linear", "out_features": 1}, {"type": "sigmoid"}],
        "loss": "mse",
    },
    "parameters": PROGRAM["parameters"],
    "data": {"x": PROGRAM["data"]["X"], "y": PROGRAM["data"]["y"]},
}


class AnswersTest(DaemonTest):
    def ask(self, asked, query=""):
        return self.client().ask(post(json.dumps(asked).encode(), path="/v1/check" + query))

    def check(self, code, base=PROGRAM, **more):
        answer = self.ask(dict(base, backward=code, **more))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def marks(self, report):
        return {line["line"]: line["mark"] for line in report["lines"]}

    def test_a_wrong_line(self):
        report = self.check(CODE.replace("1 - h1**2", "1 - h1"))
        self.assertEqual(self.marks(report), dict(zip(range(1, 9), ["right"] * 5 + ["wrong"] + ["inherited"] * 2)))
        line = report["lines"][5]
        self.assertEqual(line["message"], "line 6: dz1 = dh1 * (1 - h1) should be dh1 * (1 - h1**2)")
        self.assertEqual((line["name"], line["gradient_of"], line["should_be"]), ("dz1", "z1", "dz1 = dh1 * (1 - h1**2)"))
        self.assertEqual([entry["passed"] for entry in report["parameters"]], [False, False, True, True])
        self.assertEqual(report["points"], 2)
        self.assertEqual({entry["name"]: entry["passed"] for entry in report["intermediates"]}, {"dp": True, "dh1": True, "dz1": False})

    def test_what_stands_last_is_handed_in(self):
        """What a gradient's name stands for at the end is graded: no tensor, or what cannot be evaluated, is none."""
        for last in ("db1 = None", "db1 = 'a'", "db1 = {}", "db1 = db1 + np.ones(7)", "db1 += np.ones(7)", "db1 = foo", "db1[5] = 1",
                     "db1 = db1.foo()"):
            with self.subTest(last):
                report = self.check(CODE + last)
                self.assertEqual([entry["passed"] for entry in report["parameters"]], [True, False, True, True])
                self.assertEqual(self.marks(report)[9], "fault")
        for last in ("db1 = [1, 2]", "db1 = [1, 2, 3]", "db1 = 3", "n = 3\ndb1 = n"):
            with self.subTest(last):
                report = self.check(CODE + last)
                self.assertEqual([entry["passed"] for entry in report["parameters"]], [True, False, True, True])
                self.assertEqual(report["lines"][-1]["mark"], "wrong")

    def test_what_a_function_returns_is_handed_in(self):
        """What it made of a gradient on the way to its return counts, not what that was before; under any name."""
        body = "def backward(X, y):\n  " + CODE.strip().replace("\n", "\n  ") + "\n"
        names = "dW1, db1, dW2, db2"
        for returned, wrong in (
            (names, []),
            ("db2, dW2, db1, dW1", []),
            ("dW1 * 0, db1, dW2, db2", ["W1"]),
            ("dW1 * 2 / 2, db1, dW2, db2", []),
            ("{'W1': dW1, 'b1': db1 * 2, 'W2': dW2, 'b2': db2}", ["b1"]),
            ("dW1[::-1], db1, -dW2, db2", ["W1", "W2"]),
        ):
            with self.subTest(returned):
                report = self.check(body + "  return " + returned)
                self.assertEqual([p["name"] for p in report["parameters"] if not p["passed"]], wrong)
                self.assertEqual(self.marks(report)[10], "wrong" if wrong else "right")
        helpers = body.replace("dW2", "u").replace("db2", "v")
        self.assertTrue(self.check(helpers + "  return dW1, db1, u, v")["passed"])
        report = self.check(helpers + "  return dW1, db1, u * 0, v")
        self.assertEqual([p["name"] for p in report["parameters"] if not p["passed"]], ["W2"])
        self.assertIn("should be return dW1, db1, u, v", report["lines"][-1]["message"])
        scaled = body.replace(" / len(y)", "")
        self.assertTrue(self.check(scaled + "  return dW1 / len(y), db1 / len(y), dW2 / len(y), db2 / len(y)")["passed"])

    def test_what_is_changed_in_place(self):
        """fill, sort, out=, update, dict and comprehensions over several names do what they do in Python."""
        for code, passed in (
            (CODE.replace("dh1 = dz2 @ W2.T", "dh1 = np.zeros_like(h1)\nnp.matmul(dz2, W2.T, out=dh1)"), True),
            (CODE.replace("dh1 = dz2 @ W2.T", "dh1 = np.zeros_like(h1)\ndh1.fill(1)\ndh1 *= dz2 @ W2.T"), True),
            (CODE + "db1.sort()\n", False),
            (CODE + "np.negative(dW1, out=dW1)\n", False),
            (CODE + "dW1.fill(0)\n", False),
            (CODE.replace("dW1 =", "u =") + "grads = {}\ngrads.update({'W1': u})\n", True),
            (CODE.replace("dW1 =", "u =") + "grads = dict(W1=u)\n", True),
            (CODE.replace("dW1 =", "u =") + "grads = dict(W1=-u)\n", False),
            (CODE.replace("dW1 =", "u =") + "grads = {k: v for k, v in zip(['W1', 'b1'], [u, db1])}\n", True),
            ("\ufeff" + CODE.replace("\n", "\r\n"), True),
        ):
            with self.subTest(code):
                self.assertEqual(self.check(code)["passed"], passed)

    def test_what_cannot_be_evaluated_is_lost(self):
        """In Python the code ends there: what a name stood for before is not what anything after it is made of."""
        for after, line in (
            ("dz1 = dh1", "dz1 = dz1 * foo"),
            ("dz1 = dh1", "dz1 = foo(dz1)"),
            ("dz1 = dh1", "dz1 *= np.ones(7)"),
            ("dz1 = dh1", "dz1[0] = foo"),
            ("dz1 = dh1", "dz1[:, 0] += foo"),
            ("dz1 = dh1", "t, dz1 = foo(dz1)"),
            ("dz1 = dh1", "if foo:\n    dz1 = 2 * dz1"),
            ("dz1 = dh1", "for i in foo:\n    dz1 = 2 * dz1"),
            ("dW1 =", "np.add.at(dW1, [0], foo)"),
            ("dW1 =", "dW1.fill(foo)"),
        ):
            with self.subTest(line):
                lines = CODE.splitlines()
                at = 1 + next(i for i, text in enumerate(lines) if text.startswith(after))
                lines[at:at] = line.split("\n")
                report = self.check("\n".join(lines))
                self.assertFalse(report["passed"])
                self.assertEqual(report["parameters"][0]["status"], "missing")
                self.assertEqual([number for number, mark in self.marks(report).items() if mark in ("fault", "wrong")], [at + 1])
        report = self.check(CODE + "dW1, db1 = foo(dW1, db1)")
        self.assertEqual([entry["status"] for entry in report["parameters"]], ["missing", "missing", "match", "match"])
        kept = CODE.replace("dz1", "c['z']").replace("dp =", "c = {}\ndp =")
        self.assertTrue(self.check(kept)["passed"])
        report = self.check(kept.replace("dW1 =", "c['z'] = c['z'] * foo\ndW1 ="))
        self.assertEqual([entry["status"] for entry in report["parameters"]], ["missing", "missing", "match", "match"])
        self.assertEqual([number for number, mark in self.marks(report).items() if mark in ("fault", "wrong")], [8])
        body = "def backward(X, y):\n" + "".join(f"    {line}\n" for line in CODE.splitlines())
        for end in ("return foo(dW1), db1, dW2, db2", "return dW1 / foo, db1, dW2, db2", "return {'W1': dW1 / foo, 'b1': db1}",
                    "grads = {'W1': dW1, 'b1': db1}\n    grads['W1'] = grads['W1'] @ foo\n    return grads"):
            with self.subTest(end):
                report = self.check(body + "    " + end)
                self.assertEqual([entry["status"] for entry in report["parameters"]][:2], ["missing", "match"])
        layer = "def layer(x, dz):\n    db = dz.sum(0)\n    return foo(x.T @ dz), db\n"
        head = CODE[: CODE.index("dW1 =")]
        for end, statuses in (("dW1, db1 = layer(X, dz1)", ["missing", "match"]), ("both = layer(X, dz1)\ndb1 = both[1]\ndW1 = both[0]", ["missing", "match"]),
                              ("dW1 = X.T @ dz1 + layer(X, dz1)[0]\ndb1 = dz1.sum(0)", ["missing", "match"])):
            with self.subTest(end):
                report = self.check(layer + head + end)
                self.assertEqual([entry["status"] for entry in report["parameters"]][:2], statuses)
                self.assertEqual([number for number, mark in self.marks(report).items() if mark in ("fault", "wrong")], [3])
        for end in ("grads = {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}", "grads = {}\n    grads['b2'] = db2\n    grads.update(foo)"):
            with self.subTest(end):
                whole = body.replace("dW1 = X.T @", "dW1 = X @")
                report = self.check(whole + f"    {end}\n    return grads")
                self.assertNotIn(1, self.marks(report))
        for harmless in ("print(foo)", "plt.plot([1, 2])"):
            self.assertTrue(self.check(harmless + "\n" + CODE)["passed"], harmless)

    def test_what_python_makes_of_it(self):
        """Where NumPy ends with an error, or makes other numbers of it, the code is not right."""
        for old, new in (
            ("db1 = dz1.sum(0)", "db1 = np.zeros(3)\nfor i in range(5):\n    db1 += dz1[i]"),
            ("db1 = dz1.sum(0)", "db1 = np.zeros(3)\ndb1 += dz1.sum(0, keepdims=True)"),
            ("db1 = dz1.sum(0)", "db1 = np.zeros(3, int)\ndb1 += dz1.sum(0)"),
            ("db1 = dz1.sum(0)", "db1 = np.full(3, 0)\ndb1 += dz1.sum(0)"),
            ("db1 = dz1.sum(0)", "db1 = np.array([0, 0, 0])\nfor j in range(3):\n    db1[j] = dz1[:, j].sum()"),
            ("db1 = dz1.sum(0)", "db1 = sum(dz1, 1)"),
            ("db1 = dz1.sum(0)", "db1 = dz1.sum(0)\nif all([1, 0]) == any([1, 0]):\n    pass\nelse:\n    db1 = 2 * db1"),
            ("db1 = dz1.sum(0)", "db1 = dz1.sum(0)\ndef f():\n    raise ValueError('no')\nf()"),
        ):
            with self.subTest(new):
                self.assertFalse(self.check(CODE.replace(old, new))["passed"])
        for old, new in (
            ("db1 = dz1.sum(0)", "db1 = np.zeros(3)\ndb1[:] = dz1.sum(0, keepdims=True)"),
            ("db1 = dz1.sum(0)", "db1 = np.array([0., 0, 0])\nfor j in range(3):\n    db1[j] = dz1[:, j].sum()"),
            ("db1 = dz1.sum(0)", "db1 = sum(dz1, 0)\nif all([0, 0]):\n    db1 = 2 * db1"),
            ("dp = ", "def f(x):\n    if x is None:\n        raise ValueError('no')\nf(p)\ndp = "),
        ):
            with self.subTest(new):
                self.assertTrue(self.check(CODE.replace(old, new))["passed"])

    def test_what_there_is_none_of(self):
        """Indices and masks that pick nothing, and what NumPy makes of arrays without elements."""
        for line in (
            "dz1[dz1 > 100] *= 0.01",
            "dz1[np.where(dz1 > 100)] = 0",
            "i, j = np.where(dz1 > 100)\nfor a, b in zip(i, j):\n    dz1[a, b] = 0",
            "dz1[np.nonzero(dz1 > 100)] *= 0.5",
            "for i in np.argwhere(dz1 > 100):\n    dz1[i[0], i[1]] = 0",
            "dz1[np.flatnonzero(dz1[:, 0] > 100), 0] = 0",
            "dz1 += dz1[dz1 > 100].sum()",
            "dz1[3:3] = 7",
            "dz1[[]] = 0",
            "dz1[np.arange(0), np.arange(0)] -= 1",
            "np.add.at(dz1, np.where(dz1[:, 0] > 100)[0], 3)",
            "dz1 = np.vstack([np.zeros((0, 3)), dz1])",
            "dz1 += (dz1[:0] + dz1[:1]).sum(0)",
            "t = dz1[:0]\nt *= 2",
            "if len(np.where(dz1 > 100)[0]) > 0:\n    dz1 = 2 * dz1",
            "if np.any(dz1[dz1 > 100] > 0) or not np.all(dz1[dz1 > 100] > 0):\n    dz1 = 2 * dz1",
            "dz1 = dz1 * np.prod(np.zeros(0)) + (np.zeros((4, 0)) @ np.zeros((0, 3)))",
            "a = [0]\na[0] = a\nnp.sum(dz1, dtype=a)\ngrads = []\ngrads.extend([X])",
        ):
            with self.subTest(line):
                report = self.check(CODE.replace("dW1 =", line + "\ndW1 ="))
                self.assertTrue(report["passed"], report["lines"])
                self.assertNotIn("fault", self.marks(report).values())
        for line, status in (
            ("dW1 = dW1[dW1 > 100]", "shape_mismatch"),
            ("dW1 = np.array([])", "shape_mismatch"),
            ("dW1 = []", "missing"),
            ("dW1 = ['a']", "missing"),
            ("dW1 = [dW1, db1]", "missing"),
            ("dW1 = [0, dW1]", "missing"),
            ("dW1 = [[], dW1]", "missing"),
            ("dW1 = [list(row) for row in dW1]", "match"),
            ("dW1 = (dW1,)", "match"),
        ):
            with self.subTest(line):
                report = self.check(CODE + line)
                self.assertEqual(report["parameters"][0]["status"], status)
                self.assertEqual(self.marks(report)[9], "right" if status == "match" else "wrong" if "shape" in status else "fault")

    def test_lists_that_hold_themselves(self):
        for code in ("a = [0] * 100\nfor i in range(100):\n    a[i] = a\ndW1 = a\n", "a = [0]\na[0] = a\ngrads = {'W1': a}\nnp.sum(X, dtype=a)\n"):
            self.assertFalse(self.check(code)["passed"])

    def test_long_code_ends(self):
        """The search through it has its time, however many lines there are."""
        chain = "".join(f"q{i + 1} = q{i} * 1.01\n" for i in range(1500))
        report = self.check("dp = (p - y)\nq0 = dp\n" + chain + "dz2 = q1500 * p * (1 - p)\ndW2 = h1.T @ dz2\ndb2 = dz2.sum(0)\n")
        self.assertFalse(report["passed"])

    def test_what_comes_back_to_a_target(self):
        """Nobody means that: dL_dy is the gradient of y_hat. But dx is that of x, whatever x_hat is."""
        hat = dict(PROGRAM, program=PROGRAM["program"].replace("p =", "y_hat =").replace("p - y", "y_hat - y"))
        code = CODE.replace("dp", "dL_dy").replace("(p - y)", "(y_hat - y)").replace("p * (1 - p)", "y_hat * (1 - y_hat)")
        report = self.check(code, hat)
        self.assertTrue(report["passed"], report["parameters"])
        self.assertEqual([entry["name"] for entry in report["parameters"]], ["W1", "b1", "W2", "b2"])
        report = self.check(code.replace("2 * (y_hat", "(y_hat"), hat)
        self.assertEqual([line["line"] for line in report["lines"] if line["mark"] == "wrong"], [1])
        request = {"program": "x_hat = x * g\nloss = np.sum(x_hat * x_hat)", "parameters": {"g": [2.0, 3]}, "data": {"x": [1.5, 1]}}
        report = self.check("dx_hat = 2 * x_hat\ndg = dx_hat * x\ndx = dx_hat * g", request)
        self.assertTrue(report["passed"])
        self.assertEqual([entry["name"] for entry in report["parameters"]], ["g", "x"])

    def test_what_stood_there_before_does_not_matter(self):
        report = self.check("db1 = None\ndW1 = 0\n" + CODE)
        self.assertTrue(report["passed"])
        self.assertNotIn("fault", self.marks(report).values())
        self.assertNotIn("wrong", self.marks(report).values())

    def test_a_list_of_numbers_is_a_tensor(self):
        self.assertTrue(self.check(CODE.replace("db1 = dz1.sum(0)", "db1 = [dz1[:, j].sum() for j in range(3)]"))["passed"])

    def test_follow_through(self):
        report = self.check(CODE.replace("1 - h1**2", "1 - h1"), carry_forward=0.5)
        self.assertEqual(report["points"], 3)
        self.assertEqual([entry.get("carried", False) for entry in report["parameters"]], [True, True, False, False])
        own = self.check(CODE.replace("X.T @ dz1", "2 * X.T @ dz1"), carry_forward=True)
        self.assertEqual(own["points"], 3)

    def test_shapes_that_do_not_fit(self):
        report = self.check(CODE.replace("h1.T @ dz2", "h1 @ dz2"))
        self.assertEqual(self.marks(report), dict(zip(range(1, 9), ["right"] * 2 + ["fault"] + ["right"] * 5)))
        message = report["lines"][2]["message"]
        for part in ("line 3", "[4,3]", "[4,1]", "should be h1.T @ dz2"):
            self.assertIn(part, message)
        self.assertEqual([entry["status"] for entry in report["parameters"]], ["match", "match", "missing", "match"])

    def test_what_depends_on_a_fault(self):
        """A gradient that could not be made is taken as it should be; what reads a helper that could not is inherited."""
        report = self.check(CODE.replace("dz2 @ W2.T", "dz2 @ W2"))
        self.assertEqual(self.marks(report), dict(zip(range(1, 9), ["right"] * 4 + ["fault"] + ["inherited"] * 3)))
        report = self.check("m = len(yy)\ndz2 = (p - y) / m\nq = 3")
        self.assertEqual(report["lines"][0]["mark"], "fault")
        self.assertIn("did you mean y?", report["lines"][0]["message"])
        self.assertEqual(report["lines"][1]["mark"], "inherited")

    def test_no_code_at_all(self):
        for code, line, column in (("dW1 = (X", 1, 7), ("dW1 = X\ndb1 = ?", 2, 7), ("while True:\n    pass", 1, 1), ("\x01", 1, 1)):
            report = self.check(code)
            self.assertFalse(report["passed"])
            self.assertEqual([(entry["line"], entry["column"], entry["mark"]) for entry in report["lines"]], [(line, column, "fault")])
        self.assertEqual(self.check("")["lines"], [])
        self.assertEqual(self.check("x" * 70000)["lines"][0]["mark"], "fault")

    def test_code_without_end(self):
        for code in (
            "for i in range(10000000):\n    a = i",
            "def f(n):\n    return f(n)\nf(1)",
            "a = np.ones((3000, 3000))\nfor i in range(1000):\n    a = a @ a",
            "a = [1]\nfor i in range(100):\n    a = a + a",
            "a = 'x'\nfor i in range(100):\n    a = f'{a}{a}'",
            "s = " + "(" * 200 + "1" + ")" * 200,
            "x = np.zeros((100000, 100000))",
        ):
            report = self.check(code)
            self.assertFalse(report["passed"])
            self.assertTrue(any(line["mark"] in ("fault", "inherited") for line in report["lines"]), report["lines"])

    def test_a_network(self):
        code = "m = len(y)\ndy_hat = 2 * (y_hat - y) / m\ndz2 = dy_hat * y_hat * (1 - y_hat)\n" + CODE.split("\n", 2)[2].replace("X", "x")
        report = self.check(code, NETWORK)
        self.assertTrue(report["passed"], report["parameters"])
        self.assertEqual(set(self.marks(report).values()), {"right"})
        report = self.check(code.replace("h1.T @ dz2", "x.T @ dz2"), NETWORK)
        self.assertEqual([line["line"] for line in report["lines"] if line["mark"] == "wrong"], [4])

    def test_a_convention(self):
        """Samples in columns, and dZ without the 1/m that dW has: right as it is, m times the gradient of Z."""
        network = dict(NETWORK, convention="columns", data={"x": [[1, 3, 0, 2], [2, -1, 1, 2]], "y": [[1, 0, 1, 0]]})
        network["network"] = dict(NETWORK["network"], loss="bce")
        network["parameters"] = {"W1": [[0.5, 0.1], [-0.3, 0.9], [0.8, -0.4]], "b1": [[0.1], [-0.2], [0.3]], "W2": [[0.7, -0.6, 0.2]], "b2": [[0.05]]}
        code = """m = Y.shape[1]
dZ2 = A2 - Y
dW2 = 1 / m * np.dot(dZ2, A1.T)
db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
dW1 = 1 / m * np.dot(dZ1, X.T)
db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
"""
        report = self.check(code, network)
        self.assertTrue(report["passed"], report["parameters"])
        self.assertEqual(set(self.marks(report).values()), {"right"})
        self.assertEqual(report["lines"][1]["scale"], 4)
        report = self.check(code.replace("dW1 = 1 / m *", "dW1 ="), network)
        self.assertEqual([line["line"] for line in report["lines"] if line["mark"] == "wrong"], [6])
        report = self.check(code.replace("A2 - Y", "Y - A2"), network)
        self.assertEqual([line["line"] for line in report["lines"] if line["mark"] == "wrong"], [2])

    def test_a_gradient_of_data(self):
        report = self.check(CODE + "dX = dz1 @ W1.T\n")
        self.assertEqual([entry["name"] for entry in report["parameters"]], ["W1", "b1", "W2", "b2", "X"])
        self.assertTrue(report["passed"])
        report = self.check(CODE + "dX = dz1 @ W1.T * 2\n")
        self.assertFalse(report["passed"])
        self.assertEqual([line["line"] for line in report["lines"] if line["mark"] == "wrong"], [9])

    def test_names_of_one_letter_in_two_cases(self):
        base = {"program": "loss = np.sum(w * W) + np.sum(b * B)", "parameters": {"w": [0.5, 2], "b": [1, 3]},
                "data": {"W": [3, -1], "B": [0.5, 2]}}
        report = self.check("dw = W\ndb = B", base)
        self.assertEqual([p["name"] for p in report["parameters"]], ["w", "b"])
        self.assertTrue(report["passed"])
        report = self.check("dw = W\ndb = B\ndW = w", base)
        self.assertEqual(sorted(p["name"] for p in report["parameters"] if p["passed"]), ["W", "b", "w"])

    def test_a_name_that_means_something_else(self):
        """dz1 for the derivative alone: all that is graded is right, and nobody is accused."""
        code = CODE.replace("dz1 = dh1 * (1 - h1**2)\n", "dz1 = 1 - h1**2\ndelta1 = dh1 * dz1\n").replace("@ dz1", "@ delta1").replace("dz1.sum", "delta1.sum")
        report = self.check(code)
        self.assertTrue(report["passed"])
        self.assertNotIn("wrong", set(self.marks(report).values()))
        report = self.check(code.replace("X.T @ delta1", "X.T @ delta1 * 2"))
        self.assertEqual([line["line"] for line in report["lines"] if line["mark"] == "wrong"], [8])

    def test_names(self):
        report = self.check(CODE.replace("dz1", "delta1"), names={"delta1": "z1"})
        self.assertTrue(report["passed"])
        self.assertEqual(report["lines"][5]["gradient_of"], "z1")
        answer = self.ask(dict(PROGRAM, backward=CODE, names={"delta1": "zz1"}))
        self.assertProblem(answer, 400, "out_of_range")

    def test_as_text(self):
        answer = self.ask(dict(PROGRAM, backward=CODE.replace("1 - h1**2", "1 - h1")), "?format=text")
        self.assertEqual(answer.status, 200)
        text = answer.body.decode()
        self.assertIn("line by line", text)
        self.assertIn("✗    6  wrong      dz1 = dh1 * (1 - h1)", text)
        self.assertIn("should be dh1 * (1 - h1**2)", text)

    def test_requests_that_are_wrong(self):
        self.assertProblem(self.ask(dict(PROGRAM, backward=CODE, gradients={})), 400, "out_of_range")
        self.assertProblem(self.ask(dict(PROGRAM, backward=[1])), 400, "wrong_type")
        self.assertProblem(self.ask(dict(PROGRAM)), 400, "missing_member")


if __name__ == "__main__":
    unittest.main()

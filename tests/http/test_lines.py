"""What is said of wrong gradients of programs: the mistake and its line."""

import json
import math
import os
import struct
import unittest

from daemon import DaemonTest, post

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs", "wrong.ndjson")

NETWORK = """z1 = X @ W1 + b1
h1 = np.tanh(z1)
p = h1 @ W2 + b2
loss = np.mean((p - y)**2)"""
RECURRENT = """h = h0
for t in range(3):
    h = np.tanh(x[:, t] * w + h * u)
loss = np.sum(h)"""


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def turned(a):
    return [list(row) for row in zip(*a)]


def apply(f, *matrices):
    return [[f(*numbers) for numbers in zip(*rows)] for rows in zip(*matrices)]


def numbers(rows, columns, start):
    return [[math.sin(start + 1.7 * (i * columns + j)) for j in range(columns)] for i in range(rows)]


class Network:
    """Two layers with the way back by hand, in which single steps can be put in place."""

    def __init__(self):
        self.X, self.y = numbers(5, 3, 0.3), numbers(5, 2, 2.0)
        self.W1, self.W2 = numbers(3, 4, 1.1), numbers(4, 2, 0.7)
        self.b1, self.b2 = numbers(1, 4, 5.0)[0], numbers(1, 2, 4.0)[0]
        self.h = apply(math.tanh, apply(lambda a, b: a + b, product(self.X, self.W1), [self.b1] * 5))
        self.p = apply(lambda a, b: a + b, product(self.h, self.W2), [self.b2] * 5)

    def back(self, dp=lambda d: d, dz=lambda dh, h: dh * (1 - h * h), sums=sum):
        g = apply(lambda p, y: dp(2 * (p - y) / 10), self.p, self.y)
        dh = product(g, turned(self.W2))
        dz1 = apply(dz, dh, self.h)
        return {
            "W2": product(turned(self.h), g),
            "b2": [sums(column) for column in zip(*g)],
            "W1": product(turned(self.X), dz1),
            "b1": [sums(column) for column in zip(*dz1)],
            "p": g,
            "h1": dh,
            "z1": dz1,
        }

    def request(self, gradients, **members):
        return dict(
            {
                "program": NETWORK,
                "parameters": {"W1": self.W1, "b1": self.b1, "W2": self.W2, "b2": self.b2},
                "data": {"X": self.X, "y": self.y},
                "gradients": gradients,
            },
            **members,
        )


def parameters_of(gradients):
    return {name: gradients[name] for name in ("W1", "b1", "W2", "b2")}


class LinesTest(DaemonTest):
    def check(self, request, query=""):
        answer = self.client().ask(post(json.dumps(request).encode(), path="/v1/check" + query))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json() if query == "" else answer.body.decode()

    def mistakes(self, report):
        return [(mistake["id"], mistake["line"]) for mistake in report["diagnosis"]["mistakes"]]

    def test_cases(self):
        """Slips of an independent implementation are named at their line; right work and noise never are."""
        with open(CASES, encoding="utf-8") as lines:
            cases = [json.loads(line) for line in lines]
        self.assertGreater(len(cases), 150)
        for case in cases:
            with self.subTest(case["name"]):
                report = self.check(case["request"])
                if "noise" in case:
                    self.assertEqual(report["diagnosis"]["mistakes"], [])
                    self.assertFalse(report["diagnosis"]["explained"])
                    self.assertTrue(set(report["diagnosis"]["suspects"]) & set(case["noise"]))
                elif "answers" not in case:
                    self.assertTrue(report["passed"])
                    self.assertNotIn("diagnosis", report)
                else:
                    self.assertTrue(report["diagnosis"]["mistakes"])
                    for mistake in report["diagnosis"]["mistakes"]:
                        self.assertTrue(
                            any(
                                mistake["id"] in answer["ids"]
                                and (not answer["lines"] or set(mistake["lines"]) & set(answer["lines"]))
                                for answer in case["answers"]
                            ),
                            mistake,
                        )

    def test_the_line_is_told_as_it_stands(self):
        network = Network()
        report = self.check(network.request(parameters_of(network.back(dz=lambda dh, h: dh))))
        self.assertEqual(self.mistakes(report), [("missing_activation_derivative", 2)])
        mistake = report["diagnosis"]["mistakes"][0]
        self.assertEqual((mistake["value"], mistake["parameters"]), ("z1", ["W1", "b1"]))
        self.assertTrue(mistake["message"].startswith("Line 2 (h1 = np.tanh(z1)): "), mistake["message"])
        self.assertEqual(report["diagnosis"]["first_wrong"]["line"], 1)
        self.assertTrue(report["diagnosis"]["explained"])
        text = self.check(network.request(parameters_of(network.back(dz=lambda dh, h: dh))), "?format=text")
        self.assertIn("missing_activation_derivative at line 2", text)

    def test_step_by_step(self):
        """What was handed in on the way divides the search: two mistakes are found one by one."""
        network = Network()
        gradients = network.back(dp=lambda d: -d, dz=lambda dh, h: dh)
        report = self.check(network.request(gradients))
        self.assertEqual(self.mistakes(report), [("sign_flipped", 4), ("missing_activation_derivative", 2)])
        states = {step["name"]: step["state"] for step in report["diagnosis"]["steps"]}
        self.assertEqual(states["p"], "wrong_here")
        self.assertEqual(states["h1"], "right_given_input")
        self.assertEqual(states["z1"], "wrong_here")
        self.assertEqual(states["W1"], "right_given_input")
        report = self.check(network.request(gradients, carry_forward=True))
        carried = {entry["name"]: entry.get("carried", False) for entry in report["parameters"]}
        self.assertEqual(carried, {"W1": True, "b1": True, "W2": True, "b2": True, "p": False, "h1": True, "z1": False})

    def test_two_at_once(self):
        network = Network()
        gradients = parameters_of(network.back(dp=lambda d: -d, dz=lambda dh, h: dh))
        report = self.check(network.request(gradients))
        self.assertEqual(self.mistakes(report), [("sign_flipped", 4), ("missing_activation_derivative", 2)])

    def test_single_tensors(self):
        network = Network()
        right = parameters_of(network.back())
        wrong = dict(right, b1=[x / 5 for x in right["b1"]])
        self.assertEqual(self.mistakes(self.check(network.request(wrong))), [("broadcast_averaged", 1)])
        wrong = dict(right, W2=turned(right["W2"]))
        self.assertEqual(self.mistakes(self.check(network.request(wrong))), [("transposed", 3)])
        wrong = dict(right, b2=network.back()["p"])
        self.assertEqual(self.mistakes(self.check(network.request(wrong))), [("broadcast_not_summed", 3)])
        wrong = dict(right, W1=network.W1)
        self.assertEqual(self.mistakes(self.check(network.request(wrong))), [("parameter_as_gradient", 1)])

    def test_nothing_fits(self):
        network = Network()
        right = parameters_of(network.back())
        wrong = dict(right, W1=apply(lambda a, b: a + 0.01 * b, right["W1"], numbers(3, 4, 9.0)))
        report = self.check(network.request(wrong))
        self.assertEqual(report["diagnosis"]["mistakes"], [])
        self.assertEqual(report["diagnosis"]["suspects"], [1])

    def test_a_loop_is_one_line(self):
        """The same slip in each turn is one mistake; a state that is not carried, too."""
        x, w, u, h0 = numbers(2, 3, 0.2), 0.8, -0.6, [0.3, -0.4]
        h = [list(h0)]
        for t in range(3):
            h.append([math.tanh(x[n][t] * w + h[t][n] * u) for n in range(2)])

        def back(slope, carried):
            dh, dw, du = [1.0, 1.0], 0.0, 0.0
            for t in reversed(range(3)):
                dz = [d * slope(y) for d, y in zip(dh, h[t + 1])]
                dw += sum(d * x[n][t] for n, d in enumerate(dz))
                du += sum(d * h[t][n] for n, d in enumerate(dz))
                dh = [carried * d * u for d in dz]
            return {"w": dw, "u": du, "h0": dh}

        request = {"program": RECURRENT, "parameters": {"w": w, "u": u, "h0": h0}, "data": {"x": x}}
        right = lambda y: 1 - y * y
        self.assertTrue(self.check(dict(request, gradients=back(right, 1)))["passed"])
        report = self.check(dict(request, gradients=back(lambda y: 1 - y, 1)))
        self.assertEqual(self.mistakes(report), [("squared_derivative_slip", 3)])
        self.assertEqual(len(report["diagnosis"]["mistakes"][0]["lines"]), 1)

    def test_which_turn(self):
        """Where one line has all shares of a value, it says of which turn the one is that is left, or missing."""
        x, w = [0.7, -1.1, 1.6], numbers(1, 4, 0.4)[0]
        shares = [[3 * (b * a) ** 2 * a for b in w] for a in x]
        program = "s = 0\nfor t in range(3):\n    s = s + np.sum((w * x[t])**3)\nloss = s"
        request = {"program": program, "parameters": {"w": w}, "data": {"x": x}}

        def total(parts):
            return [sum(column) for column in zip(*parts)]

        self.assertTrue(self.check(dict(request, gradients={"w": total(shares)}))["passed"])
        for gradient, name, words in (
            (shares[0], "gradient_overwritten", "only the share of the first time is left"),
            (shares[-1], "gradient_overwritten", "only the share of the last time is left"),
            (total(shares[1:]), "contribution_missing", "the share of the first time is missing"),
            (total(shares[:-1]), "contribution_missing", "the share of the last time is missing"),
        ):
            with self.subTest(words):
                report = self.check(dict(request, gradients={"w": gradient}))
                self.assertEqual(self.mistakes(report), [(name, 3)])
                self.assertIn(words, report["diagnosis"]["mistakes"][0]["message"])

    def test_one_repetition(self):
        network = Network()
        for which, words in ((0, "through the first of these"), (-1, "through the last of these")):
            wrong = dict(parameters_of(network.back()), b1=network.back(sums=lambda column: column[which])["b1"])
            report = self.check(network.request(wrong))
            self.assertEqual(self.mistakes(report), [("broadcast_single", 1)])
            self.assertIn(words, report["diagnosis"]["mistakes"][0]["message"])

    def test_sums_of_a_softmax(self):
        z, c = numbers(3, 4, 0.4), numbers(3, 4, 2.2)
        p = [[math.exp(a) / sum(map(math.exp, row)) for a in row] for row in z]
        inner = [sum(a * b for a, b in zip(*rows)) for rows in zip(p, c)]
        across = [sum(a * b for a, b in zip(*columns)) for columns in zip(zip(*p), zip(*c))]
        request = {"program": "p = softmax(z)\nloss = np.sum(p * c)", "parameters": {"z": z}, "data": {"c": c}}

        def gradient(subtracted):
            return [[p[i][j] * (c[i][j] - subtracted(i, j)) for j in range(4)] for i in range(3)]

        self.assertTrue(self.check(dict(request, gradients={"z": gradient(lambda i, j: inner[i])}))["passed"])
        for subtracted, words in (
            (lambda i, j: sum(c[i]), "the sum of dh, without h"),
            (lambda i, j: -inner[i], "the sum of dh * h, but added"),
            (lambda i, j: across[j], "the sum of dh * h over another axis"),
        ):
            with self.subTest(words):
                report = self.check(dict(request, gradients={"z": gradient(subtracted)}))
                self.assertEqual(self.mistakes(report), [("wrong_activation_derivative", 1)])
                self.assertIn(words, report["diagnosis"]["mistakes"][0]["message"])

    def test_what_an_operation_takes_has_its_own_name(self):
        """One operation may be several: softmax along another axis turns its input first."""
        z, c = numbers(3, 4, 0.4), numbers(3, 4, 2.2)
        request = {"program": "p = softmax(z * 2, axis=0)\nloss = np.sum(p * c)", "parameters": {"z": z}, "data": {"c": c}}
        report = self.check(dict(request, gradients={"z": [[2 * a for a in row] for row in c]}))
        self.assertEqual(self.mistakes(report), [("missing_activation_derivative", 1)])
        self.assertIn(": the gradient of z * 2 was set to the gradient of p.", report["diagnosis"]["mistakes"][0]["message"])

    def test_an_odd_number_explains_nothing_that_a_plain_one_does(self):
        """Twice at line 1 is some number at line 2, too."""
        w = 0.3
        e = math.exp(2 * w)
        request = {"program": "e = np.exp(2 * w)\nloss = (e - 1) / (e + 1)", "parameters": {"w": w}}
        report = self.check(dict(request, gradients={"w": 2 * 4 * e / (e + 1) ** 2}))
        self.assertEqual(self.mistakes(report), [("constant_factor", 1)])
        self.assertEqual(report["diagnosis"]["mistakes"][0]["factor"], 2)

    def test_small_rows_beside_large_ones(self):
        """What is wrong with a row is no rounding of another that is a million times as large."""
        x, w = [[1e6, 2e6], [1.0, 3.0]], numbers(2, 2, 0.7)
        request = {"program": "h = w * x\nloss = np.sum(h * h)", "parameters": {"w": w}, "data": {"x": x}}
        h = [[2 * a * b for a, b in zip(*rows)] for rows in zip(w, x)]
        wrong = [h[0], [-a for a in h[1]]]
        report = self.check(dict(request, gradients={"w": apply(lambda a, b: a * b, wrong, x), "h": wrong}))
        self.assertIn({"name": "h", "state": "wrong_here"}, report["diagnosis"]["steps"])
        self.assertEqual(report["diagnosis"]["suspects"], [2])

    def test_float32_of_nothing(self):
        """A bias in front of a normalization has no gradient: whatever rounding leaves of it in float32 is right."""
        x, w, b = numbers(6, 3, 0.3), numbers(3, 2, 1.1), [0.5, -0.25]
        request = {
            "program": "z = x @ w + b\nn = z - np.mean(z, axis=0)\nloss = np.sum(np.tanh(n) * c)",
            "parameters": {"w": w, "b": b},
            "data": {"x": x, "c": numbers(6, 2, 0.9)},
        }
        answer = self.check(dict(request, gradients={}, reveal=True))
        single = lambda a: struct.unpack("f", struct.pack("f", a))[0]
        right = [[single(a) for a in row] for row in answer["reference"]["w"]]
        report = self.check(dict(request, gradients={"w": right, "b": [single(3e-8), single(-5.5e-8)]}))
        self.assertTrue(report["passed"], report)
        self.assertEqual(report["parameters"][1]["precision"], "float32")
        report = self.check(dict(request, gradients={"w": right, "b": [single(3e-4), single(-5.5e-4)]}))
        self.assertFalse(report["passed"])

    def test_names_of_the_program_come_first(self):
        """dp is the gradient that the program calls dp, and not that of data p."""
        request = {"program": "dp = w * p\nloss = np.sum(dp**2)", "parameters": {"w": [1.0, 2]}, "data": {"p": [3.0, 4]}}
        report = self.check(dict(request, gradients={"w": [18, 64], "dp": [6, 16]}))
        self.assertTrue(report["passed"], report)
        self.assertEqual([entry["name"] for entry in report["parameters"]], ["w", "dp"])


if __name__ == "__main__":
    unittest.main()

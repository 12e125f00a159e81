"""What is said of wrong gradients of programs: the mistake and its line."""

import json
import math
import os
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

    def test_names_of_the_program_come_first(self):
        """dp is the gradient that the program calls dp, and not that of data p."""
        request = {"program": "dp = w * p\nloss = np.sum(dp**2)", "parameters": {"w": [1.0, 2]}, "data": {"p": [3.0, 4]}}
        report = self.check(dict(request, gradients={"w": [18, 64], "dp": [6, 16]}))
        self.assertTrue(report["passed"], report)
        self.assertEqual([entry["name"] for entry in report["parameters"]], ["w", "dp"])


if __name__ == "__main__":
    unittest.main()

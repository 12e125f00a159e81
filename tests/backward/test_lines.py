"""Students' backward passes as code: right ones have no wrong line, and of wrong ones the line of the slip is wrong alone."""

import json
import unittest

from ask import each, request
from daemon import DaemonTest, post


class LinesTest(DaemonTest):
    def check(self, asked):
        answer = self.client().ask(post(json.dumps(asked).encode()))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def wrong(self, report):
        return [line["line"] for line in report["lines"] if line["mark"] in ("wrong", "fault")]

    def test_right_code(self):
        for case, _ in each(0):
            with self.subTest(case["name"]):
                report = self.check(request(case)[0])
                self.assertTrue(report["passed"], report["parameters"])
                marks = {line["mark"] for line in report["lines"]}
                self.assertLessEqual(marks, {"right", "unused"}, report["lines"])
                self.assertIn("right", marks)

    def test_one_slip(self):
        for case, slips in each(1):
            with self.subTest(case["name"], slip=slips[0][1]):
                asked, lines = request(case, slips)
                report = self.check(asked)
                self.assertFalse(report["passed"])
                self.assertEqual(self.wrong(report), lines, report["lines"])

    def test_two_slips(self):
        """Most pairs are told apart; of the others at least one line is found. No more than that is asked of two slips
        that hide each other."""
        exact = count = 0
        for case, slips in list(each(2))[::3]:
            asked, lines = request(case, slips)
            report = self.check(asked)
            if report["passed"]:
                continue  # the two make up for each other
            count += 1
            exact += self.wrong(report) == sorted(set(lines))
        self.assertGreater(count, 50)
        self.assertGreaterEqual(exact / count, 0.8)

    def test_what_comes_of_it(self):
        """What a wrong line spoils is inherited; the line says what it should be, and that is right."""
        for case, slips in each(1):
            asked, lines = request(case, slips)
            report = self.check(asked)
            line = next(line for line in report["lines"] if line["line"] == lines[0])
            if "should_be" not in line:
                continue
            with self.subTest(case["name"], slip=slips[0][1], should_be=line["should_be"]):
                code = asked["backward"].split("\n")
                indent = code[lines[0] - 1][: len(code[lines[0] - 1]) - len(code[lines[0] - 1].lstrip())]
                code[lines[0] - 1] = indent + line["should_be"]
                if not slips[0][0].count("\n") and "\\" not in slips[0][1]:
                    self.assertTrue(self.check(dict(asked, backward="\n".join(code)))["passed"])

    def test_no_accident_of_the_numbers(self):
        """u and v are equal here, but only one of them is what stands there by right."""
        for used, other in ("uv", "vu"):
            program = f"z = {used} * X\nh = z * {other}\nloss = np.sum(h * y)"
            code = f"dh = y\nd{other} = dh * z\ndz = dh * y\nd{used} = dz * X"
            report = self.check({"program": program, "parameters": {"u": [1.5, 0.5, -1], "v": [1.5, 0.5, -1]},
                                 "data": {"X": [0.3, -1.2, 0.7], "y": [0.4, 2.1, -0.6]}, "backward": code})
            self.assertEqual(self.wrong(report), [3])
            self.assertEqual(report["lines"][2]["should_be"], f"dz = {other} * y")

    def test_right_until_then(self):
        """What spoils a gradient that was done is wrong alone, and no mask by its sign is made up to explain it."""
        report = self.check({"program": "z = X @ W + b\nloss = np.mean((z - y)**2)", "parameters": {"W": [[0.3], [-0.8]], "b": [0.1]},
                             "data": {"X": [[1, 2], [0.5, -1], [2, 0.3]], "y": [[3], [4], [5]]},
                             "backward": "dz = 2 * (z - y) / len(y)\ndW = X.T @ dz\ndb = dz.sum(0)\ndb += 5"})
        self.assertEqual(self.wrong(report), [4])
        self.assertNotIn("should_be", report["lines"][3])

    def test_what_a_call_hands_over(self):
        """A function that is right for another call is not what is wrong, whether its numbers are wrong or it cannot be evaluated."""
        functions = "def back(d, x, W):\n    dW = x.T @ d\n    dx = d @ W.T\n    return dx, dW\n"
        program = "h = np.tanh(X @ W1)\nk = np.tanh(h @ W2)\np = k @ W3\nloss = np.mean((p - y)**2)"
        rows = [[0.4, -0.7], [1.1, 0.3]]
        asked = {"program": program, "parameters": {"W1": rows, "W2": [[0.2, 0.8], [-0.5, 0.6]], "W3": [[0.9], [-0.4]]},
                 "data": {"X": [[1, 2], [0.5, -1], [2, 0.3]], "y": [[3], [4], [5]]}}
        code = functions + ("dp = 2 * (p - y) / len(y)\ndk, dW3 = back(dp, k, W3)\ndh, dW2 = back(dk * (1 - k**2), h, W2)\n"
                            "dX, dW1 = back(dh * (1 - h**2), X, W1)")
        self.assertTrue(self.check(dict(asked, backward=code))["passed"])
        for right, wrong, line in (("k**2), h, W2", "k**2), k, W2", 7), ("k**2), h, W2", "k**2), X, W2", 7), ("(dp, k, W3)", "(dp, k, y)", 6),
                                   ("h**2), X, W1", "h**2), np.exp(h) * np.cos(X)**2, W1", 8)):
            with self.subTest(wrong):
                report = self.check(dict(asked, backward=code.replace(right, wrong)))
                self.assertEqual(self.wrong(report), [line], report["lines"])
        self.assertEqual([entry["message"] for entry in report["lines"] if entry["mark"] == "wrong"],
                         ["line 8: with what it hands over, line 2 does not make the gradient of W1; called from elsewhere it does"])

    def test_steps_of_a_loop(self):
        """A state's gradient is judged step by step: the share of the next step that is left out is named there."""
        program = "h = h0\nhs = [h0]\nloss = 0\nfor t in range(3):\n    h = np.tanh(x[t] @ W + h @ U)\n    hs.append(h)\n    loss = loss + np.sum(h * w[t])"
        code = ("dW = np.zeros_like(W)\ndU = np.zeros_like(U)\ndnext = np.zeros_like(h0)\nfor t in reversed(range(3)):\n    dh = w[t] + dnext\n"
                "    da = dh * (1 - hs[t + 1]**2)\n    dW += x[t].T @ da\n    dU += hs[t].T @ da\n    dnext = da @ U.T")
        asked = {"program": program, "parameters": {"W": [[0.4, -0.7], [1.1, 0.3]], "U": [[0.2, 0.8], [-0.5, 0.6]]},
                 "data": {"x": [[[1, 2]], [[0.5, -1]], [[2, 0.3]]], "w": [[[0.3, 1]], [[-0.8, 0.5]], [[0.7, -1.2]]], "h0": [[0.1, -0.2]]}}
        self.assertTrue(self.check(dict(asked, backward=code))["passed"])
        report = self.check(dict(asked, backward=code.replace("dh = w[t] + dnext", "dh = w[t]")))
        self.assertEqual(self.wrong(report), [5], report["lines"])
        self.assertEqual(report["lines"][3]["should_be"], "dh = w[t] + dnext")


if __name__ == "__main__":
    unittest.main()

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


if __name__ == "__main__":
    unittest.main()

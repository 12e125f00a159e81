#!/usr/bin/python3
"""Programs that once went wrong (cases.ndjson, made by make_cases.py): the right gradients pass, and each that is off
fails, alone."""

import copy
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http")]

from daemon import Client, DaemonTest, post  # noqa: E402


def with_one_off(numbers):
    """The same nested lists, the first number of them changed."""
    if isinstance(numbers, list):
        return [with_one_off(numbers[0])] + numbers[1:]
    return numbers + 0.25


class CasesTest(DaemonTest):
    def ask(self, request):
        with Client(self.daemon) as client:
            return client.ask(post(json.dumps(request).encode()))

    def test_they_are_right_now(self):
        for line in (HERE / "cases.ndjson").read_text().splitlines():
            case = json.loads(line)
            with self.subTest(case=case["name"]):
                answer = self.ask(case["request"])
                self.assertEqual(answer.status, 200, answer.body)
                report = answer.json()
                self.assertTrue(report["passed"], report)
                self.assertAlmostEqual(report["loss"], case["loss"], delta=1e-10 * max(1, abs(case["loss"])))
                for name in case["request"]["gradients"]:
                    wrong = copy.deepcopy(case["request"])
                    wrong["gradients"][name] = with_one_off(wrong["gradients"][name])
                    answer = self.ask(wrong)
                    self.assertEqual(answer.status, 200, answer.body)
                    failed = {e["name"]: e["mismatches"] for e in answer.json()["parameters"] if not e["passed"]}
                    self.assertEqual(failed, {name: 1})


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Programs over the whole table of names against PyTorch (tests/vectors/programs/vectors.ndjson, made by
tests/vectors/programs.py): losses, values and gradients agree to rounding, and one number that is off by a thousandth
of itself is found where it is."""

import copy
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http")]

from daemon import DaemonTest, post  # noqa: E402

VECTORS = HERE.parent / "vectors" / "programs" / "vectors.ndjson"
TOLERANCE = {"atol": 1e-9, "rtol": 1e-7}
STRICT = {"atol": 1e-12, "rtol": 1e-10}
PLANTED = 1e-3
PLANTED_EACH = 4  # numbers of a tensor


def places(values, lead=()):
    if not isinstance(values, list):
        yield lead, values
        return
    for position, part in enumerate(values):
        yield from places(part, lead + (position,))


def with_planted(values, place, factor):
    if not place:
        return values * factor
    changed = list(values)
    changed[place[0]] = with_planted(values[place[0]], place[1:], factor)
    return changed


class VectorsTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vectors = [json.loads(line) for line in VECTORS.read_text(encoding="ascii").splitlines()]

    def ask(self, client, request):
        answer = client.ask(post(json.dumps(request).encode()))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(self.vectors), 140)
        self.assertEqual(len({vector["name"] for vector in self.vectors}), len(self.vectors))

    def test_they_agree_with_pytorch(self):
        client = self.client()
        for vector in self.vectors:
            with self.subTest(name=vector["name"]):
                expected = vector["expected"]
                request = dict(vector["request"], gradients=expected["gradients"], intermediates=expected["values"], tolerance=STRICT)
                report = self.ask(client, request)
                self.assertEqual([e for e in report["parameters"] + report.get("intermediates", []) if not e["passed"]], [])
                self.assertTrue(report["passed"])
                self.assertEqual({e["name"] for e in report["parameters"]}, set(expected["gradients"]))
                self.assertEqual({e["name"] for e in report.get("intermediates", [])}, set(expected["values"]))
                self.assertAlmostEqual(report["loss"], expected["loss"], delta=1e-12 * max(1, abs(expected["loss"])))

    def test_what_is_off_by_a_thousandth_is_found(self):
        client, planted = self.client(), 0
        for vector in self.vectors:
            right = vector["expected"]["gradients"]
            request = dict(vector["request"], tolerance=TOLERANCE, diagnose=False)
            for name, values in right.items():
                large = [place for place, number in places(values) if abs(number) > 1e-4]
                for place in large[:: max(1, len(large) // PLANTED_EACH)]:
                    with self.subTest(name=vector["name"], tensor=name, place=place):
                        planted += 1
                        gradients = dict(right)
                        gradients[name] = with_planted(values, place, 1 + PLANTED)
                        report = self.ask(client, dict(request, gradients=gradients))
                        failed = {e["name"]: (e["mismatches"], tuple(e["worst"])) for e in report["parameters"] if not e["passed"]}
                        self.assertEqual(failed, {name: (1, place)})
        self.assertGreater(planted, 1000)


if __name__ == "__main__":
    unittest.main()

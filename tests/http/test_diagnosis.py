"""The diagnosis over its whole test set (tests/diagnosis): how many mistakes it must name, and whom it may not accuse."""

import json
import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "diagnosis"))

import report
from daemon import DaemonTest, post


class DiagnosisTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with report.Client(cls.daemon, timeout=60) as client:
            cls.outcomes = [report.ask(client, case) for case in report.read_cases()]

    def of(self, *kinds):
        some = [outcome for outcome in self.outcomes if outcome.kind in kinds]
        self.assertTrue(some, kinds)
        return some

    def assert_none(self, outcomes):
        if outcomes:
            self.fail("%d:\n%s" % (len(outcomes), "\n".join(o.summary() for o in outcomes[:20])))

    def assert_named(self, kind, floor):
        some = self.of(kind)
        unnamed = [outcome.summary() for outcome in some if not outcome.named]
        self.assertLessEqual(len(unnamed), (1 - floor) * len(some),
                             "%d of %d not named:\n%s" % (len(unnamed), len(some), "\n".join(unnamed[:20])))

    def test_the_set_is_large_enough(self):
        self.assertGreaterEqual(len(self.of("single")), 900)
        self.assertGreaterEqual(len(self.of("pair")), 300)
        self.assertGreaterEqual(len(self.of("triple")), 60)
        self.assertGreaterEqual(len(self.of("equal")), 20)
        self.assertGreaterEqual(len(self.of("right")), 150)
        self.assertGreaterEqual(len(self.of("noise")), 100)
        self.assertGreaterEqual(len(self.of("wild")), 30)

    def test_every_case_is_answered_and_what_fails_has_failed(self):
        for outcome in self.outcomes:
            self.assertEqual(outcome.status, 200, (outcome.name, outcome.answer))
            self.assertIs(outcome.passed, outcome.kind == "right", outcome.name)

    def test_single_mistakes_are_named(self):
        self.assert_named("single", report.FLOORS["single"])

    def test_pairs_are_named(self):
        self.assert_named("pair", report.FLOORS["pair"])

    def test_one_mistake_is_claimed_where_it_explains_as_much_as_two_and_those_are_listed(self):
        self.assert_named("equal", report.FLOORS["equal"])

    def test_first_wrong_is_where_the_first_mistake_shows(self):
        self.assert_none([o for o in self.outcomes if o.kind != "right" and not o.located])

    def test_right_submissions_are_not_accused(self):
        self.assert_none([o for o in self.of("right") if o.accused])

    def test_noise_is_not_explained(self):
        self.assert_none([o for o in self.of("noise") if o.explained or o.mistakes])


class PublicTest(DaemonTest):
    """Programs whose gradients were wrong in public, or right and doubted: which parameters fail, and what may be named."""

    def check(self, case):
        answer = self.client().ask(post(json.dumps(case["request"]).encode())).json()
        wrong = [entry["name"] for entry in answer["parameters"] if not entry["passed"]]
        self.assertEqual((answer["passed"], sorted(wrong)), (case["passed"], sorted(case["wrong_parameters"])))
        diagnosis = answer.get("diagnosis", {})
        self.assertIn(sorted(m["id"] for m in diagnosis.get("mistakes", [])), case["mistakes"])
        if "first_wrong_layer" in case:
            self.assertEqual(diagnosis["first_wrong"]["layer"], case["first_wrong_layer"])

    def test_all(self):
        path = pathlib.Path(report.HERE) / "public" / "cases.ndjson"
        cases = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertGreaterEqual(len(cases), 70)
        for case in cases:
            with self.subTest(case["name"]):
                self.check(case)


def noise(count, begin):
    """Numbers without a pattern, not the same for another begin."""
    return [math.sin(begin + 12.9898 * i * i) for i in range(count)]


class DeepAndWideTest(DaemonTest):
    """Wrong gradients of the largest graphs: the search ends by its time limit, and not by the end of its stack."""

    def ask(self, request):
        answer = self.client().ask(post(json.dumps(request).encode()))
        self.assertEqual(answer.status, 200, answer.body[:300])
        report = answer.json()
        self.assertFalse(report["passed"])
        self.assertEqual(report["diagnosis"]["mistakes"], [])

    def test_many_inputs_again_and_again(self):
        layers = [{"type": "linear", "out_features": 2, "name": "l0"}]
        for i in range(300):
            layers.append({"type": "tanh"} if i % 2 else {"type": "add", "inputs": ["l%d" % i] * 64})
            layers[-1]["name"] = "l%d" % (i + 1)
        self.ask({"network": {"input": 2, "layers": layers, "loss": "mse"},
                  "parameters": {"W1": [[0.1, 0.2], [0.3, 0.4]], "b1": [0, 0.1]},
                  "data": {"x": [[0.1, 0.2], [0.3, -0.4]], "y": [[0, 1], [1, 0]]},
                  "gradients": {"W1": [noise(2, 1), noise(2, 2)], "b1": noise(2, 3), "dx": [noise(2, 4), noise(2, 5)]}})

    def test_a_weight_that_all_layers_share(self):
        layers = [{"type": "linear", "out_features": 8, "name": "f"}] + [{"type": "linear", "shares": "f"}] * 999
        self.ask({"network": {"input": 8, "layers": layers, "loss": "mse"},
                  "parameters": {"W1": [[0.9 * (i == j) for j in range(8)] for i in range(8)], "b1": noise(8, 1)},
                  "data": {"x": [noise(8, 2)], "y": [noise(8, 3)]},
                  "gradients": {"W1": [noise(8, 4 + i) for i in range(8)], "b1": noise(8, 20)}})

    def test_many_layers_that_are_all_wrong(self):
        n = 1000
        request = {"network": {"input": 2, "layers": [{"type": "linear", "out_features": 2}] * n, "loss": "mse"},
                   "parameters": {}, "data": {"x": [[0.1, 0.2]], "y": [[0, 1]]}, "gradients": {}}
        for k in range(1, n + 1):
            request["parameters"] |= {"W%d" % k: [[0.9, 0.1], [-0.1, 0.9]], "b%d" % k: [0.01, 0]}
            request["gradients"] |= {"W%d" % k: [noise(2, k), noise(2, -k)], "b%d" % k: noise(2, k + 0.5)}
        self.ask(request)


if __name__ == "__main__":
    unittest.main()

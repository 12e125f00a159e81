"""The diagnosis over its whole test set (tests/diagnosis): how many mistakes it must name, and whom it may not accuse."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "diagnosis"))

import report
from daemon import DaemonTest


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


if __name__ == "__main__":
    unittest.main()

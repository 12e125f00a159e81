"""The recipe that most others use: a student's backward() becomes JSON, whatever it does."""

import json
import unittest

import stage


class RunStudentTest(unittest.TestCase):
    def test_right(self):
        done = stage.ran("right")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual({name: len(value) for name, value in json.loads(done.stdout).items()}, {"W1": 2, "b1": 3, "W2": 3, "b2": 1})
        self.assertTrue(stage.report("right")["passed"])

    def test_what_is_printed_is_not_among_the_numbers(self):
        done = stage.ran("chatty")
        self.assertEqual(json.loads(done.stdout), stage.gradients("right"))
        self.assertIn(b'{"scores"', done.stderr)

    def test_nothing_to_grade(self):
        for student in sorted(stage.GIVE_NOTHING):
            done = stage.ran(student)
            self.assertTrue(done.returncode != 0 or done.stdout in (b"", b"[]"), (student, done.stdout))
            self.assertEqual({entry["status"] for entry in stage.report(student)["parameters"]}, {"missing"})

    def test_wrong_types(self):
        for value in ("None", "[[1], [2, 3]]", "{1: np}"):
            done = stage.ran(stage.changed("return grads", "return {'W1': %s}" % value))
            if done.returncode == 0:
                json.loads(done.stdout)
            else:
                self.assertIn(b"Error", done.stderr, value)


if __name__ == "__main__":
    unittest.main()

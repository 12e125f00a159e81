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
            self.assertIn(done.stdout, (b" ", b" []"), student)
            self.assertEqual({entry["status"] for entry in stage.report(student)["parameters"]}, {"missing"})

    def test_wrong_types(self):
        for value in ("[[1], [2, 3]]", "{1: np}", "np.array([1j])"):
            done = stage.ran(stage.changed("return grads", "return {'b1': [1], 'W1': %s}" % value))
            self.assertEqual((done.returncode, done.stdout), (1, b" "), value)
            self.assertIn(b"Error", done.stderr, value)
        self.assertEqual(json.loads(stage.ran(stage.changed("return grads", "return {'W1': None}")).stdout), {"W1": None})

    def test_what_is_no_fault_of_the_student_prints_nothing(self):
        labs = {"numpy": stage.LAB, "ValueError": dict(stage.LAB, parameters={"W1": [[1], [2, 3]]}), "KeyError": {}}
        for said, lab in labs.items():
            with stage.folder() as here:
                stage.lay(here, "right", lab)
                done = stage.run([stage.python(), stage.runner(here, stage.NO_NUMPY if said == "numpy" else "right"), "lab.json"], here)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertIn(said, done.stderr.decode())


if __name__ == "__main__":
    unittest.main()

"""PrairieLearn: the external grader's container, and a question that is graded by its own server.py."""

import contextlib
import json
import sys
import types
import unittest
from unittest import mock

import fake
import numpy as np
import stage
import test_formats
from daemon import DaemonTest


class ExternalGraderTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        jobs = {student: lambda student=student: cls.grade(student) for student in ("right", "wrong", "hostile", "crash", "silent", "empty")}
        jobs["bad request"] = lambda: cls.grade("right", stage.BROKEN)
        jobs["endless"] = lambda: cls.grade(stage.ENDLESS)
        jobs["no numpy"] = lambda: cls.grade(stage.NO_NUMPY)
        cls.done = stage.together(jobs)

    @classmethod
    def grade(cls, student, lab=stage.LAB):
        with stage.folder() as here:
            root = here / "grade"
            for made in (root / "tests", root / "student"):
                made.mkdir(parents=True)
            stage.lay(root / "tests", "", lab)
            (root / "tests" / "student.py").unlink()
            (root / "student" / "student.py").write_text(stage.STUDENTS.get(student, student))
            stage.runner(root / "tests", student)
            script = stage.recipe("prairielearn.sh", root / "tests", ("/grade", root), ("timeout -v 20", "timeout -v 60"), called="grade.sh")
            done = stage.run([script], here)
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done
            return (root / "results" / "results.json").read_text()

    def test_graded(self):
        for student in ("right", "wrong", "hostile", "empty"):
            with self.subTest(student=student):
                stage.judge(test_formats.PrairielearnTest, "test_all", student, self.done[student])
        self.assertEqual(json.loads(self.done["right"])["score"], 1)
        self.assertEqual(json.loads(self.done["wrong"])["score"], 0.5)

    def assertNotGraded(self, name, why):
        document = json.loads(self.done[name])
        self.assertEqual((set(document), document["gradable"]), ({"gradable", "format_errors"}, False))
        self.assertIn(why, document["format_errors"][0])

    def test_code_that_does_not_run_costs_no_attempt(self):
        self.assertNotGraded("crash", "I am <lost>")
        self.assertNotGraded("endless", "Your code did not run: timeout: sending signal TERM")
        self.assertNotGraded("silent", "Your code did not run")
        self.assertIs(json.loads(self.done["empty"])["gradable"], False)  # as the format has it

    def test_a_fault_of_the_question(self):
        self.assertNotGraded("bad request", "Not graded, tell the staff")
        self.assertNotGraded("bad request", "/network/loss")
        self.assertNotGraded("no numpy", "Not graded, tell the staff")
        self.assertNotGraded("no numpy", "No module named 'numpy'")


def from_json(value):
    """PrairieLearn's, of matrices."""
    return np.array(value["_value"]) if isinstance(value, dict) and value.get("_type") == "ndarray" else value


def set_weighted_score_data(data):
    parts = data["partial_scores"].values()
    data["score"] = sum(part["score"] * part["weight"] for part in parts) / sum(part["weight"] for part in parts)


class ServerTest(DaemonTest):
    """The question's server.py, called as PrairieLearn calls it."""

    def grade(self, student, state="up", lab=stage.LAB):
        answers = {name: {"_type": "ndarray", "_value": value} for name, value in dict(stage.gradients(student) or {}).items()}
        data = {"params": {"lab": lab}, "submitted_answers": answers, "format_errors": {}, "partial_scores": {}, "feedback": {}}
        fake.load()
        prairielearn = types.SimpleNamespace(from_json=from_json, set_weighted_score_data=set_weighted_score_data)
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(stage.service(state, self.daemon))
            stack.enter_context(mock.patch.dict(sys.modules, prairielearn=prairielearn))
            patience = ("timeout=5", "timeout=0.2" if state in ("sick", "down") else "timeout=60")
            module = {}
            exec(stage.text("prairielearn_server.py", ("https://gradcheckd.example.edu", url), patience), module)
            module["grade"](data)
        if data["format_errors"]:  # PrairieLearn takes it for an answer that cannot be graded
            self.assertEqual((data["partial_scores"], data["feedback"]), ({}, {}))
            self.assertNotIn("score", data)
            return None, data
        self.assertTrue(0 <= data["score"] <= 1)
        for part in data["partial_scores"].values():
            self.assertTrue(0 <= part["score"] <= 1 and part["weight"] >= 0)
        return data["score"], data

    def test_students(self):
        for student in ("right", "wrong", "not finite", "empty"):
            score, data = self.grade(student)
            self.assertEqual(score, stage.report(student)["score"], student)
            self.assertEqual(list(data["partial_scores"]), list(stage.LAB["parameters"]))
        self.assertEqual(self.grade("right")[1]["feedback"], {"diagnosis": ""})
        wrong = self.grade("wrong")[1]
        mistake, = stage.report("wrong")["diagnosis"]["mistakes"]
        self.assertEqual(wrong["feedback"]["diagnosis"], "%(message)s %(hint)s" % mistake)
        self.assertIn("elements differ", wrong["partial_scores"]["W1"]["feedback"])

    def test_points_are_weights(self):
        score, data = self.grade("wrong", lab=dict(stage.LAB, points={"W1": 3, "b1": 0}))
        self.assertEqual((score, data["partial_scores"]["W1"]["weight"], data["partial_scores"]["b1"]["score"]), (0.4, 3, 0))

    def test_late(self):
        self.assertEqual(self.grade("wrong", "late")[0], 0.5)

    def test_no_report_is_no_grade(self):
        for state, lab in (("sick", stage.LAB), ("down", stage.LAB), ("up", stage.BROKEN)):
            score, data = self.grade("right", state, lab)
            self.assertIsNone(score)
            self.assertIn("Not graded, and no attempt lost", data["format_errors"]["gradients"])


if __name__ == "__main__":
    unittest.main()

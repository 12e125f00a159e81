"""otter and nbgrader, whose rules are written anew here: what makes a test fail there, and what makes a grade."""

import ast
import contextlib
import io
import os
import sys
import types
import unittest
from unittest import mock

import fake
import numpy as np
import stage
from daemon import DaemonTest


class NotebookTest(DaemonTest):
    """A notebook's names, with the work of a student in them, and the client in a service's state."""

    @contextlib.contextmanager
    def notebook(self, student, state, lab):
        names = {"NETWORK": lab["network"], "params": {name: np.array(value) for name, value in lab["parameters"].items()}}
        names.update(X=np.array(lab["data"]["x"]), Y=np.array(lab["data"]["y"]))
        exec(stage.STUDENTS[student], names)
        client = fake.load()
        if state in ("sick", "down"):
            client.check.__kwdefaults__["timeout"] = 0.2
        with stage.service(state, self.daemon) as url, mock.patch.dict(os.environ, GRADCHECKD_URL=url):
            yield names


class test_case:
    """otter's decorator."""

    def __init__(self, name=None, points=None, hidden=False, success_message=None, failure_message=None):
        self.points, self.function = points, None

    def __call__(self, function):
        self.function = function
        return self


class OtterTest(NotebookTest):
    def grade(self, student, state="up", lab=stage.LAB):
        """(points, message), as otter's runner finds them. What is no Exception goes through it."""
        modules = {"otter": types.ModuleType("otter"), "otter.test_files": types.SimpleNamespace(test_case=test_case)}
        with self.notebook(student, state, lab) as names, mock.patch.dict(sys.modules, modules):
            file = {}
            exec(compile(stage.text("otter_q1.py"), "q1.py", "exec"), file)
            self.assertEqual((file["OK_FORMAT"], file["name"]), (False, "q1"))
            case, = (value for value in file.values() if isinstance(value, test_case))
            self.assertEqual(case.points, file["points"])
            try:
                case.function(names)
            except Exception as error:
                return 0, "%s: %s" % (type(error).__name__, error)
            return case.points, ""

    def test_students(self):
        self.assertEqual(self.grade("right"), (4, ""))
        points, message = self.grade("wrong")
        self.assertEqual(points, 0)
        self.assertIn("AssertionError: FAILED: 2 of 4 points", message)
        self.assertIn("missing_activation_derivative", message)
        self.assertEqual(self.grade("crash"), (0, "ValueError: I am <lost> \x1b[31m"))
        self.assertEqual(self.grade("hostile"), (4, ""))

    def test_late(self):
        self.assertEqual(self.grade("right", "late"), (4, ""))
        self.assertEqual(self.grade("wrong", "late")[0], 0)

    def test_no_report_is_no_failed_test(self):
        for state, lab in (("sick", stage.LAB), ("down", stage.LAB), ("up", stage.BROKEN)):
            with self.assertRaisesRegex(SystemExit, "Not graded: "):
                self.grade("wrong", state, lab)


class NbgraderTest(NotebookTest):
    POINTS = 5.0

    def outputs(self, source, names):
        """(type, text) of each output of a cell."""
        found, streams = [], {"stdout": io.StringIO(), "stderr": io.StringIO()}
        *first, last = ast.parse(source).body
        with contextlib.redirect_stdout(streams["stdout"]), contextlib.redirect_stderr(streams["stderr"]):
            try:
                exec(compile(ast.Module(first, []), "cell", "exec"), names)
                value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
                found += [("execute_result", repr(value))] if value is not None else []
            except Exception as error:
                found.append(("error", repr(error)))
        return [(name, stream.getvalue()) for name, stream in streams.items() if stream.getvalue()] + found

    def determine(self, outputs):
        """nbgrader's rule: an error or a word on standard error is 0; a number above 0 is the grade, and may not be more than the
        cell is worth; anything else is all of it."""
        for kind, text in outputs:
            if kind in ("error", "stderr"):
                return 0
            if kind == "execute_result":
                try:
                    grade = float(text)
                except ValueError:
                    return self.POINTS
                if grade > self.POINTS:
                    raise ValueError("more than the cell is worth")
                return grade if grade > 0 else self.POINTS
        return self.POINTS

    def grade(self, student, state="up", lab=stage.LAB):
        with self.notebook(student, state, lab) as names:
            outputs = self.outputs(stage.text("nbgrader_cell.py"), names)
        self.said = dict(outputs).get("stdout", "")
        return self.determine(outputs)

    def test_the_rule(self):
        for text, grade in (("2.5", 2.5), ("nan", 5), ("-1", 5), ("0", 5), ("report", 5), ("1e-300", 1e-300)):
            self.assertEqual(self.determine([("execute_result", text)]), grade)
        self.assertEqual(self.determine([("stderr", "a warning")]), 0)
        self.assertEqual(self.determine([("stdout", "a word")]), 5)

    def test_students(self):
        self.assertEqual(self.grade("right"), 5)
        self.assertIn("PASSED: 4 of 4 points", self.said)
        self.assertEqual(self.grade("wrong"), 2.5)
        self.assertIn("missing_activation_derivative", self.said)
        self.assertEqual(self.grade("crash"), 0)
        self.assertLess(self.grade("empty"), 1e-9)
        self.assertEqual(self.grade("not finite"), 2.5)
        self.assertEqual(self.grade("hostile"), 5)

    def test_late(self):
        self.assertEqual(self.grade("wrong", "late"), 2.5)

    def test_no_report_is_no_grade(self):
        for state, lab in (("sick", stage.LAB), ("down", stage.LAB), ("up", stage.BROKEN)):
            with self.assertRaisesRegex(ValueError, "more than the cell is worth"):
                self.grade("wrong", state, lab)
            self.assertIn("Not graded: ", self.said)


if __name__ == "__main__":
    unittest.main()

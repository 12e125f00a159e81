"""Platforms without a network, whose recipes call `gradcheckd check`: Autolab, Submitty and CodeRunner."""

import json
import tarfile
import unittest

import stage
import test_formats

STUDENTS = ("right", "wrong", "crash", "silent", "chatty", "hostile")


class OfflineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        jobs = {student: lambda student=student: cls.grade(student, stage.LAB) for student in STUDENTS}
        jobs["bad request"] = lambda: cls.grade("wrong", stage.BROKEN)
        jobs["no numpy"] = lambda: cls.grade(stage.NO_NUMPY, stage.LAB)
        jobs["forger"] = lambda: cls.grade(stage.FORGER, stage.LAB)
        cls.done = stage.together(jobs)


class AutolabTest(OfflineTest):
    @classmethod
    def grade(cls, student, lab):
        """All that make wrote, as Tango has it: both streams in one."""
        with stage.folder() as here:
            for made in ("course", "work"):
                (here / made).mkdir()
            stage.lay(here / "course", student, lab)
            stage.runner(here / "course", student)
            (here / "course" / "student.py").rename(here / "work" / "student.py")
            with tarfile.open(here / "work" / "autograde.tar", "w") as tar:
                for path in (here / "course").iterdir():
                    tar.add(path, path.name)
            stage.recipe("autolab.mk", here / "work", ("timeout -v 20", "timeout -v 60"), called="autograde-Makefile")
            done = stage.run(["sh", "-c", "exec make -f autograde-Makefile 2>&1"], here / "work")
            assert done.returncode == 0, done
            return done.stdout.decode()

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                first, last = (json.loads(line) for line in self.done[student].splitlines()[-2:])
                graded = [entry for entry in stage.report(student)["parameters"] if entry["status"] != "unexpected"]
                self.assertEqual(last, {"scores": {entry["name"]: entry["points"] for entry in graded}})
                self.assertEqual({name: shown["passed"] for name, shown in first["Gradients"].items()}, {entry["name"]: entry["passed"] for entry in graded})
        self.assertIn("I am <lost>", self.done["crash"])
        self.assertIn("no end of line\n", self.done["chatty"])

    def test_forger(self):
        self.assertEqual(self.done["forger"].splitlines()[-2:], self.done["wrong"].splitlines()[-2:])

    def test_not_graded(self):
        for name, why in (("bad request", "/network/loss"), ("no numpy", "it is empty")):
            *_, problem, last = self.done[name].splitlines()
            self.assertEqual(last, "Not graded: tell the staff.")
            self.assertIn(why, problem)
            self.assertNotIn('{"scores"', self.done[name])
        self.assertIn("No module named 'numpy'", self.done["no numpy"])


class SubmittyTest(OfflineTest):
    @classmethod
    def grade(cls, student, lab):
        """validation_results.json of a validator that runs beside the folder of its test case."""
        with stage.folder() as here:
            case = here / "test01"
            case.mkdir()
            stage.lay(case, student, lab)
            stage.runner(case, student)
            with_output = stage.run(["sh", "-c", "python3 run_student.py lab.json > STDOUT.txt"], case)
            assert (case / "STDOUT.txt").exists(), with_output
            stage.lay(here, "", lab)
            (here / "gradcheckd").symlink_to(stage.PROGRAM)
            told = {"method": "custom_validator", "actual_file": "STDOUT.txt", "testcase_prefix": "test01/", "username": "student"}
            (here / "custom_validator_input.json").write_text(json.dumps(told))
            stage.recipe("submitty_grade.sh", here)
            done = stage.run(["sh", "submitty_grade.sh"], here)
            assert (done.returncode, done.stdout) == (0, b""), done
            return (here / "validation_results.json").read_text()

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                stage.judge(test_formats.OtherFormatsTest, "test_submitty", student, self.done[student])

    def test_not_graded(self):
        for name, why in (("bad request", "/network/loss"), ("no numpy", "it is empty")):
            document = json.loads(self.done[name])
            self.assertEqual((set(document), document["status"]), ({"status", "message"}, "failure"))
            self.assertIn(why, document["message"])

    def test_forger(self):
        self.assertEqual(self.done["forger"], self.done["wrong"])


class CoderunnerTest(OfflineTest):
    @classmethod
    def grade(cls, student, lab):
        """What the template prints once Twig has put the answer into it."""
        with stage.folder() as here:
            stage.lay(here, student, lab)
            stage.runner(here, student)
            code = (here / "student.py").read_text()
            (here / "student.py").unlink()
            escaped = code.replace("\\", "\\\\").replace('"', '\\"')  # what e('py') does
            script = stage.recipe("coderunner_template.py", here, ("{{ STUDENT_ANSWER | e('py') }}", escaped), ('"10"', '"60"'))
            done = stage.run(["python3", script], here)
            assert (done.returncode, done.stderr) == (0, b""), done
            assert (here / "student.py").read_text() == code
            return done.stdout.decode()

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                document = json.loads(self.done[student])
                said = document.pop("epiloguehtml")
                self.assertRegex(said, r"\A<pre>[^<>]*</pre>\Z")
                stage.judge(test_formats.OtherFormatsTest, "test_coderunner", student, json.dumps(document))
        self.assertIn("I am &lt;lost&gt;", self.done["crash"])

    def test_without_a_fraction_the_question_is_at_fault(self):
        for name, why in (("bad request", "/network/loss"), ("no numpy", "No module named 'numpy'")):
            said = self.done[name]
            self.assertTrue(said.startswith("Not graded: "))
            self.assertIn(why, said)
            with self.assertRaises(ValueError):
                json.loads(said)

    def test_forger(self):
        self.assertEqual(self.done["forger"], self.done["wrong"])


if __name__ == "__main__":
    unittest.main()

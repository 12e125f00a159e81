"""GitHub's and GitLab's runners, and what reads their steps' outputs: GitHub Classroom's reporter and Classroom 50's."""

import base64
import json
import re
import unittest

import stage
import test_formats
from daemon import DaemonTest

STUDENTS = ("right", "wrong", "crash", "hostile")
STATES = ("late", "sick", "down")


class RunnerTest(DaemonTest):
    """grade(student, state, lab) runs a recipe as its runner does; `done` has what came of each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        jobs = {student: lambda student=student: cls.grade(student) for student in STUDENTS}
        jobs.update({state: lambda state=state: cls.grade("wrong", state) for state in STATES})
        jobs["bad request"] = lambda: cls.grade("wrong", lab=stage.BROKEN)
        jobs.update({name: lambda code=code: cls.grade(code) for name, code in {"no numpy": stage.NO_NUMPY, **cls.OTHERS}.items()})
        cls.done = stage.together(jobs)

    @classmethod
    def workspace(cls, here, student, lab):
        stage.lay(here, student, lab)
        stage.runner(here, student)

    OTHERS = {}  # code, by a name
    NOT_GRADED = ("sick", "down", "bad request", "no numpy")


def github_step(name, url, here, impatient):
    """Runs the step with a script of a workflow, behind that which installs NumPy; returns it, its summary and its outputs."""
    install, step = (step for step in stage.steps(name)["steps"] if "run" in step)
    assert install == {"run": "pip install numpy"}
    assert step["env"] == {"URL": "${{ vars.GRADCHECKD_URL }}"}
    (here / "step.sh").write_text(step["run"])
    summary, output = here / "summary.md", here / "output"
    for file in (summary, output):
        file.touch()
    done = stage.run(["bash", "-e", "step.sh"], here, impatient, URL=url, GITHUB_STEP_SUMMARY=summary, GITHUB_OUTPUT=output)
    return done, summary.read_text(), output.read_text()


class GithubActionsTest(RunnerTest):
    @classmethod
    def grade(cls, student, state="up", lab=stage.LAB):
        with stage.folder() as here, stage.service(state, cls.daemon) as url:
            cls.workspace(here, student, lab)
            done, summary, _ = github_step("github_actions.yml", url, here, state in ("sick", "down", "tired"))
            return done.returncode, done.stdout.decode(), summary

    def check(self, name, student):
        status, log, summary = self.done[name]
        report = stage.report(student)
        self.assertEqual(status, 0 if report["passed"] else 1)
        stage.judge(test_formats.MarkdownTest, "test_all", student, summary)
        lines = log.splitlines(keepends=True)
        commands = [line for line in lines if line.strip().startswith("::")]
        self.assertEqual(lines[: len(commands)], commands)  # then the report
        plain = "".join(commands).replace("file=student.py,line=1,", "")
        stage.judge(test_formats.GithubTest, "test_all", student, plain)
        self.assertTrue(lines[len(commands)].startswith("PASSED: " if report["passed"] else "FAILED: "))

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                self.check(student, student)

    def test_late(self):
        self.check("late", "wrong")

    def test_not_graded(self):
        tired = self.grade("wrong", "tired")
        for name, done in [*((name, self.done[name]) for name in self.NOT_GRADED), ("tired", tired)]:
            status, log, summary = done
            self.assertEqual((status, summary), (75, ""), name)
            self.assertEqual(re.findall("(?m)^::.*", log), ["::error title=Not graded::There is no report. Run this job again."])


class GithubClassroomTest(RunnerTest):
    @classmethod
    def grade(cls, student, state="up", lab=stage.LAB):
        with stage.folder() as here, stage.service(state, cls.daemon) as url:
            cls.workspace(here, student, lab)
            done, _, output = github_step("github_classroom.yml", url, here, state in ("sick", "down"))
            return done.returncode, output

    def document(self, name):
        """What the reporter reads of the step's output."""
        status, output = self.done[name]
        self.assertEqual(status, 0)
        found = re.fullmatch(r"result=([A-Za-z0-9+/]+=*)\n", output)
        return base64.b64decode(found.group(1)).decode()

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                stage.judge(test_formats.ClassroomTest, "test_all", student, self.document(student))
        self.assertEqual(sum(test["score"] for test in json.loads(self.document("wrong"))["tests"]), 2)

    def test_late(self):
        self.assertEqual(self.document("late"), self.document("wrong"))

    def test_without_a_report_nothing_reaches_the_reporter(self):
        for name in self.NOT_GRADED:
            status, output = self.done[name]
            self.assertNotEqual(status, 0)  # and so the steps that follow do not run
            self.assertEqual(output, "")

    def test_the_reporter_gets_it(self):
        *_, step, reporter = stage.steps("github_classroom.yml")["steps"]
        runner = reporter["with"]["runners"]
        self.assertEqual(reporter["env"], {runner.upper() + "_RESULTS": "${{ steps.%s.outputs.result }}" % step["id"]})


class Classroom50Test(RunnerTest):
    OTHERS = {"forger": stage.FORGER}
    IDENTITY = {"CLASSROOM": "cs", "ASSIGNMENT": "lab", "SUBMISSION_TAG": "submit/1", "COMMIT_URL": "https://example.org/c", "RELEASE_URL": "https://example.org/r"}

    @classmethod
    def grade(cls, student, state="up", lab=stage.LAB):
        with stage.folder() as here, stage.service(state, cls.daemon) as url:
            checkout, bundle = here / "checkout", here / "bundle"
            checkout.mkdir(), bundle.mkdir()
            cls.workspace(bundle, student, lab)
            (bundle / "student.py").rename(checkout / "student.py")
            script = stage.recipe("classroom50_autograder.py", bundle, ("https://gradcheckd.example.edu", url), called="autograder.py")
            impatient = state in ("sick", "down")
            assert "time.monotonic() + 60" in stage.CLIENT
            client = stage.CLIENT.replace("time.monotonic() + 60", "time.monotonic() + 0.2") if impatient else stage.CLIENT
            (bundle / "gradcheckd.py").write_text(client, encoding="utf-8")
            review = {"REVIEW_URL": "https://example.org/v"} if student == "right" else {}
            done = stage.run([stage.python(), script], checkout, **cls.IDENTITY, **review)
            result = checkout / "result.json"
            return done.returncode, done.stderr.decode(), json.loads(result.read_text()) if result.exists() else None

    def document(self, name):
        status, said, result = self.done[name]
        self.assertEqual(status, 0, said)
        identity = {"schema": "classroom50/result/v1", "classroom": "cs", "assignment": "lab", "submission": "submit/1"}
        identity.update(commit="https://example.org/c", release="https://example.org/r", review="https://example.org/" + ("v" if name == "right" else "c"))
        self.assertEqual({member: result.pop(member) for member in identity}, identity)
        self.assertRegex(result.pop("datetime"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        return json.dumps(result)

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                stage.judge(test_formats.ClassroomTest, "test_its_successor", student, self.document(student))

    def test_late(self):
        self.assertEqual(self.done["late"][0], 0)
        stage.judge(test_formats.ClassroomTest, "test_its_successor", "wrong", self.document("late"))

    def test_forger(self):
        stage.judge(test_formats.ClassroomTest, "test_its_successor", "wrong", self.document("forger"))

    def test_without_a_report_the_runner_notes_an_error(self):
        for name in self.NOT_GRADED:
            status, said, result = self.done[name]
            self.assertEqual((status, result), (1, None), name)
            self.assertIn("Not graded: ", said)


class GitlabTest(RunnerTest):
    @classmethod
    def grade(cls, student, state="up", lab=stage.LAB):
        job, = stage.steps("gitlab.yml").values()
        with stage.folder() as here, stage.service(state, cls.daemon) as url:
            cls.workspace(here, student, lab)
            (here / job["artifacts"]["reports"]["junit"]).write_text("A student's own.")
            (here / "script.sh").write_text("set -eo pipefail\n" + "\n".join(job["script"]))
            done = stage.run(["bash", "script.sh"], here, state in ("sick", "down"), GRADCHECKD_URL=url)
            artifact = here / job["artifacts"]["reports"]["junit"]
            return done.returncode, done.stdout.decode(), artifact.read_text() if artifact.exists() else None

    def check(self, name, student):
        status, _, document = self.done[name]
        self.assertEqual(status, 0 if stage.report(student)["passed"] else 1)
        self.assertIn('classname="lab" file="student.py"', document)
        plain = document.replace('classname="lab"', 'classname="gradients"').replace(' file="student.py"', "")  # which Jenkins refuses
        stage.judge(test_formats.JunitTest, "test_all", student, plain)

    def test_students(self):
        for student in STUDENTS:
            with self.subTest(student=student):
                self.check(student, student)

    def test_late(self):
        self.check("late", "wrong")

    def test_not_graded_is_a_warning(self):
        job, = stage.steps("gitlab.yml").values()
        for name in self.NOT_GRADED:
            status, said, document = self.done[name]
            self.assertIn(status, job["allow_failure"]["exit_codes"])
            self.assertIsNone(document)
            self.assertIn("Not graded: ", said)
        self.assertNotIn(1, job["allow_failure"]["exit_codes"])


if __name__ == "__main__":
    unittest.main()

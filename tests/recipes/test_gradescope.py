"""Gradescope: /autograder as its harness lays it, what run_autograder leaves there, and what the student's code cannot read."""

import json
import os
import types
import unittest

import stage
import test_formats
from daemon import DaemonTest

# Reads what it can; and leaves a process behind that looks at what others are called with while they are.
THIEF = stage.RIGHT + """
import glob, os, sys, time

def read(*paths):
    for path in paths:
        try:
            yield "READ %s: %r\\n" % (path, open(path, "rb").read())
        except OSError:
            pass

sys.stderr.writelines(read(*glob.glob("/proc/[0-9]*/environ"), TOKEN_FILE))
if os.fork() == 0:
    end = time.monotonic() + 30
    with open(LOOT_FILE, "w") as loot:
        while os.path.exists(LOOT_FILE) and time.monotonic() < end:
            loot.writelines(line for line in read(*glob.glob("/proc/[0-9]*/cmdline")) if "/v1/check" in line)
            loot.flush()
            time.sleep(0.02)
    os._exit(0)
"""


class GradescopeTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        students = {student: lambda student=student: cls.grade(student) for student in stage.STUDENTS}
        states = {state: lambda state=state: cls.grade("wrong", state) for state in ("late", "sick", "down")}
        others = {
            "bad request": lambda: cls.grade("right", lab=stage.BROKEN),
            "endless": lambda: cls.grade(stage.ENDLESS),
            "thief": lambda: cls.grade(THIEF, "late"),
            "no numpy": lambda: cls.grade(stage.NO_NUMPY),
            "no su": lambda: cls.grade("right", su="echo 'su: user nobody does not exist' >&2; exit 1"),
        }
        cls.done = stage.together({**students, **states, **others})

    @classmethod
    def grade(cls, student, state="up", lab=stage.LAB, su=None):
        """What came of a submission; su: a script in its place."""
        asked = []
        with stage.folder() as here, stage.service(state, cls.daemon, asked) as url:
            root = here / "autograder"
            source, results = root / "source", root / "results"
            for made in (source, results, root / "submission"):
                made.mkdir(parents=True)
            (source / "token").write_text("Authorization: Bearer %s\n" % stage.TOKEN)
            stage.lay(source, "", lab)
            (source / "student.py").unlink()
            loot = here / "loot"
            loot.touch()
            loot.chmod(0o666)
            code = stage.STUDENTS.get(student, student).replace("TOKEN_FILE", repr(str(source / "token"))).replace("LOOT_FILE", repr(str(loot)))
            (root / "submission" / "student.py").write_text(code)
            (source / "url").write_text(url + "\n")
            stage.runner(source, student)
            script = stage.recipe("gradescope.sh", root, ("/autograder", root), called="run_autograder")
            (results / "results.json").write_text("of a run before")
            if su:
                stage.stand_in("su", su, here)
            done = stage.run([script], here, impatient=state in ("sick", "down"))
            left = results / "results.json"
            return types.SimpleNamespace(
                status=done.returncode,
                results=left.read_text() if left.exists() else None,
                said=done.stdout.decode() + done.stderr.decode(),  # staff see it
                asked=asked,  # of the service
                loot=loot.read_text(),
                mode=(source / "token").stat().st_mode & 0o777,
            )

    def document(self, name):
        done = self.done[name]
        retried = "curl: (22) The requested URL returned error: 503\n" if name in ("late", "thief") else ""
        self.assertEqual((done.status, done.said), (0, retried))
        return json.loads(done.results)

    def test_all_students(self):
        for student in stage.STUDENTS:
            with self.subTest(student=student):
                document = self.document(student)
                judge, report = test_formats.GradescopeTest(), stage.report(student)
                graded = [entry for entry in report["parameters"] if entry["status"] != "unexpected"]
                tests = judge.check(report, graded, document)
                self.assertEqual([test["output"] for test in tests], [entry["status"] for entry in graded])
                told = [test["visibility"] for test in document["tests"][len(tests):]]
                self.assertEqual(told, [] if report["passed"] else ["after_due_date"])
        self.assertEqual(self.document("right")["score"], 4)
        self.assertEqual(self.document("wrong")["score"], 2)
        for student in stage.GIVE_NOTHING:
            self.assertEqual(self.document(student)["score"], 0)

    def test_what_a_student_reads(self):
        self.assertIn("I am <lost>", self.document("crash")["output"])
        self.assertIn("SyntaxError", self.document("syntax")["output"])
        self.assertIn("no end of line", self.document("chatty")["output"])
        self.assertEqual(self.document("endless")["score"], 0)
        self.assertIn("timeout: sending signal TERM", self.document("endless")["output"])

    def test_a_service_that_is_late(self):
        self.assertEqual(self.document("late"), self.document("wrong"))
        self.assertEqual([headers["Authorization"] for _, _, headers, _ in self.done["late"].asked], ["Bearer " + stage.TOKEN] * 2)

    def test_no_report_is_no_score(self):
        for name in ("sick", "down", "bad request", "no numpy", "no su"):
            done = self.done[name]
            self.assertEqual((done.status, done.results), (1, None), name)
            self.assertIn("Not graded: there is no report.", done.said)
        self.assertIn("No module named 'numpy'", self.done["no numpy"].said)
        self.assertIn("user nobody does not exist", self.done["no su"].said)

    def test_the_token_cannot_be_read(self):
        read, done = self.document("thief")["output"], self.done["thief"]
        self.assertIn("READ /proc/", read)  # his own
        self.assertEqual(done.mode, 0o600)
        self.assertNotIn(stage.TOKEN, done.loot)
        if os.getuid() != 0:
            self.skipTest("only root can run code as another user; the token's mode and the arguments of su have been looked at")
        self.assertNotIn(stage.TOKEN, read)


if __name__ == "__main__":
    unittest.main()

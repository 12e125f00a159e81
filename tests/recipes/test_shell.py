"""A shell with curl and jq: one check, and a class of them."""

import csv
import json
import shutil
import unittest

import stage
from daemon import DaemonTest
from fake import Fake

PROBLEM = {"Content-Type": "application/problem+json"}




def watched(here):
    """Writes down in here/arguments what curl is called with, which all users of a machine may read."""
    stage.stand_in("curl", 'echo "$@" >> %s/arguments\nexec %s "$@"\n' % (here, shutil.which("curl")), here)


class CurlTest(DaemonTest):
    def check(self, student, state="up", lab=stage.LAB, name="gradients.json", url=None, **variables):
        """(exit status, report, tokens that were sent)"""
        asked = []
        with stage.folder() as here, stage.service(state, self.daemon, asked) as address:
            (here / "lab.json").write_text(json.dumps(lab))
            (here / "report.txt").write_text("PASSED: of a run before\n")
            (here / name).write_text(json.dumps(stage.gradients(student)))
            watched(here)
            words = [] if name == "gradients.json" else [name]
            done = stage.run(["sh", stage.recipe("curl.sh", here), *words], here, state in ("sick", "down"), URL=url or address, **variables)
            self.assertIn("gradients=@", (here / "arguments").read_text())
            self.assertNotIn(stage.TOKEN, (here / "arguments").read_text())
        return done.returncode, done.stdout.decode(), [headers["Authorization"] for _, _, headers, _ in asked]

    def test_students(self):
        for student, status, head in (("right", 0, "PASSED: 4 of 4 points\n"), ("wrong", 1, "FAILED: 2 of 4 points\n"), ("hostile", 0, "PASSED: 4 of 4 points\n")):
            found, said, _ = self.check(student)
            self.assertEqual((found, said[: len(head)]), (status, head))

    def test_names_of_files(self):
        for name in ("my work; type=a,b.json", "a'$(exit 1).json"):
            self.assertEqual(self.check("right", name=name)[0], 0, name)

    def test_late(self):
        done = stage.together({"wrong": lambda: self.check("wrong", "late", TOKEN=stage.TOKEN), "right": lambda: self.check("right", "late")})
        self.assertEqual((done["wrong"][0], done["wrong"][2]), (1, ["Bearer " + stage.TOKEN] * 2))
        self.assertEqual((done["right"][0], done["right"][2]), (0, [None, None]))

    def test_not_graded(self):
        jobs = {state: lambda state=state: self.check("wrong", state) for state in ("sick", "down")}
        jobs["bad request"] = lambda: self.check("wrong", lab=stage.BROKEN)
        for name, (status, said, _) in stage.together(jobs).items():
            self.assertEqual(status, 75, name)
            self.assertNotIn("PASSED", said)

    def test_a_422_that_is_no_report(self):
        """Too much work is a problem with the status that ?strict=1 gives to what did not pass."""
        with Fake((422, PROBLEM, b'{"status": 422, "code": "too_much_work"}')) as service:
            self.assertEqual(self.check("wrong", url=service.url)[0], 75)
        with Fake((200, {"Content-Type": "text/html"}, b"<h1>Log in</h1>")) as service:
            self.assertEqual(self.check("wrong", url=service.url)[0], 75)


class ClassTest(DaemonTest):
    def grades(self, files, state="up", url=None, **variables):
        """(exit status, grades.csv by student); what was asked is in `asked`."""
        self.asked = []
        with stage.folder() as here, stage.service(state, self.daemon, self.asked) as address:
            watched(here)
            (here / "lab.json").write_text(json.dumps(stage.LAB))
            (here / "submissions").mkdir()
            (here / "grades.csv").write_text("submissions/of a run before,4")
            for name, content in files.items():
                (here / "submissions" / name).write_text(content)
            done = stage.run(["sh", stage.recipe("class.sh", here)], here, state in ("sick", "down"), URL=url or address, **variables)
            self.assertIn("class.ndjson", (here / "arguments").read_text())
            self.assertNotIn(stage.TOKEN, (here / "arguments").read_text())
            table = here / "grades.csv"
            rows = list(csv.reader(table.open(newline=""))) if table.exists() else []
            self.assertTrue(all(name.startswith("submissions/") for name, _ in rows))
            self.assertEqual(len({name for name, _ in rows}), len(rows))
            return done.returncode, {name[len("submissions/"):]: points for name, points in rows}

    FILES = {
        "ann.json": json.dumps(stage.LAB["parameters"]),
        "b,e\"n\n=1+1.json": "{}",
        "$(touch owned).json": "null",
        "empty.json": "",
        "half.json": '{"W1": [[1,',
        "two.json": "{}{}",
    }

    def test_a_class(self):
        files = dict(self.FILES, **{student + ".json": json.dumps(stage.gradients(student)) for student in ("right", "wrong", "not finite", "hostile")})
        status, grades = self.grades(files)
        self.assertEqual((status, set(grades)), (0, set(files)))
        expected = {"right.json": "4", "wrong.json": "2", "not finite.json": "2", "hostile.json": "4", "ann.json": "0", "$(touch owned).json": "0"}
        self.assertEqual({name: points for name, points in grades.items() if not points.startswith("not graded: ")}, expected)

    def test_late(self):
        files = {"a.json": json.dumps(stage.gradients("right"))}
        for variables, sent in (({"TOKEN": stage.TOKEN}, "Bearer " + stage.TOKEN), ({}, None)):
            self.assertEqual(self.grades(files, "late", **variables), (0, {"a.json": "4"}))
            self.assertEqual([headers["Authorization"] for _, _, headers, _ in self.asked], [sent] * 2)

    def test_nobody(self):
        done = stage.together({state: lambda state=state: self.grades({"a.json": "{}"}, state) for state in ("sick", "down")})
        self.assertEqual(done, {"sick": (75, {}), "down": (75, {})})

    def test_some_were_not_judged(self):
        """The service gave up in the middle: who is behind that has no grade, and is told so."""
        lines = [{"id": "submissions/a.json", "points": 0}, {"status": 503, "code": "overloaded", "detail": "From line 3 on nothing was judged."}]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        with Fake((200, {"Content-Type": "application/x-ndjson"}, body)) as service:
            status, grades = self.grades({"a.json": "{}", "b.json": "{}"}, url=service.url)
        self.assertEqual((status, grades), (0, {"a.json": "0", "b.json": "not graded: send it again"}))


if __name__ == "__main__":
    unittest.main()

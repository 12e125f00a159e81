"""Octave, R and Julia. Where an interpreter is there, its recipe is run; else what it once sent is sent again, byte for byte.

RECORD=1 in the environment writes down anew what interpreters that are there send (recorded/).
"""

import hashlib
import json
import os
import pathlib
import shutil
import unittest

import stage
from daemon import Client, DaemonTest, post

RECORDED = pathlib.Path(__file__).resolve().parent / "recorded"


class LanguageTest(DaemonTest):
    """Not a test by itself: `recipe` is run by `program` behind `work`, in which `slip` replaces what is right."""

    recipe = program = words = work = slip = version = None

    def run_it(self, student, state="up"):
        """(exit status, what it printed); what was asked is in `asked`."""
        program, self.asked = shutil.which(self.program), []
        if program is None:
            self.skipTest("not run: no %s here" % self.program)
        with stage.folder() as here, stage.service(state, self.daemon, self.asked) as url:
            (here / "lab.json").write_text(json.dumps(stage.LAB))
            work = self.work.replace(*self.slip) if student == "wrong" else self.work
            (here / self.recipe).write_text(work + stage.text(self.recipe, ("http://127.0.0.1:8080", url)))
            done = stage.run([program, *self.words, self.recipe], here)
            return done.returncode, done.stdout.decode() + done.stderr.decode()

    def code(self):
        """A mark of the recipe: comments may change, and what it sends stays."""
        lines = [line for line in stage.text(self.recipe).splitlines() if line[:1] not in ("%", "#")]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def check_run(self):
        for student, points in (("right", "4 of 4 points"), ("wrong", "2 of 4 points")):
            status, said = self.run_it(student)
            self.assertEqual(status, 0, said)
            self.assertIn(points, said)
            self.assertEqual("derivative" in said, student == "wrong", said)

    def check_no_report(self):
        for state in ("sick", "down"):
            status, said = self.run_it("right", state)
            self.assertNotEqual(status, 0)
            self.assertNotIn(" points", said)
            self.assertEqual(bool(self.asked), state == "sick")

    def check_recorded(self):
        file = RECORDED / (self.recipe + ".json")
        if os.environ.get("RECORD") and shutil.which(self.program):
            sent = {}
            for student in ("right", "wrong"):
                self.run_it(student, "late")
                _, path, headers, body = self.asked[-1]
                sent[student] = {"path": path, "type": headers["Content-Type"], "body": body.decode()}
            RECORDED.mkdir(exist_ok=True)
            file.write_text(json.dumps({"code": self.code(), "made_by": self.version, "sent": sent}, indent=1) + "\n")
        recorded = json.loads(file.read_text())
        self.assertEqual(recorded["code"], self.code(), "%s has changed since its requests were recorded" % self.recipe)
        for student, points in (("right", 4), ("wrong", 2)):
            sent = recorded["sent"][student]
            answer = self.client().ask(post(sent["body"].encode(), sent["path"].replace("?format=text", ""), kind=sent["type"].encode()))
            self.assertEqual((answer.status, answer.json().get("points")), (200, points), answer.body)
            self.assertEqual([mistake["id"] for mistake in answer.json().get("diagnosis", {}).get("mistakes", [])],
                             ["missing_activation_derivative"] if student == "wrong" else [])


class OctaveTest(LanguageTest):
    recipe, program, words, version = "octave.m", "octave-cli", ["--norc", "--quiet"], "GNU Octave 7.3"
    slip = ("(W2' * dp) .* (1 - h.^2)", "W2' * dp")
    work = """
W1 = [0.5 0.1; -0.3 0.9; 0.2 -0.7]; b1 = [0.1; -0.2; 0.3]; W2 = [0.7 -0.6 0.4]; b2 = 0.05; X = [1 3 0; 2 -1 1]; Y = [1 0 1];
h = tanh(W1 * X + b1); dp = 2 * (W2 * h + b2 - Y) / numel(Y); dz = (W2' * dp) .* (1 - h.^2);
dW2 = dp * h'; db2 = sum(dp, 2); dW1 = dz * X'; db1 = sum(dz, 2);
"""

    def test_run(self):
        self.check_run()

    def test_no_report(self):
        self.check_no_report()

    def test_recorded(self):
        self.check_recorded()


class RTest(LanguageTest):
    recipe, program, words, version = "client.R", "Rscript", ["--vanilla"], "R 4.2, httr2 0.2, jsonlite 1.8"
    slip = ("(dp %*% t(W2)) * (1 - h^2)", "dp %*% t(W2)")
    work = """
lab <- jsonlite::fromJSON("lab.json")
W1 <- lab$parameters$W1; b1 <- lab$parameters$b1; W2 <- lab$parameters$W2; b2 <- lab$parameters$b2
h <- tanh(sweep(lab$data$x %*% W1, 2, b1, "+")); dp <- 2 * (h %*% W2 + b2 - lab$data$y) / 3; dz <- (dp %*% t(W2)) * (1 - h^2)
grads <- list(W1 = t(lab$data$x) %*% dz, b1 = colSums(dz), W2 = t(h) %*% dp, b2 = colSums(dp))
"""

    def test_run(self):
        self.check_run()

    def test_no_report(self):
        self.check_no_report()

    def test_recorded(self):
        self.check_recorded()


class JuliaTest(LanguageTest):
    recipe, program, words = "julia.jl", "julia", ["--startup-file=no"]
    slip = ("(dp * W2') .* (1 .- h .^ 2)", "dp * W2'")
    work = """
W1 = [0.5 -0.3 0.2; 0.1 0.9 -0.7]; b1 = [0.1, -0.2, 0.3]; W2 = [0.7; -0.6; 0.4;;]; b2 = [0.05]; X = [1 2; 3 -1; 0 1]; Y = [1; 0; 1;;]
h = tanh.(X * W1 .+ b1'); dp = 2 * (h * W2 .+ b2' - Y) / 3; dz = (dp * W2') .* (1 .- h .^ 2)
grads = Dict("W1" => X' * dz, "b1" => vec(sum(dz, dims = 1)), "W2" => h' * dp, "b2" => vec(sum(dp, dims = 1)))
"""

    def test_run(self):
        self.check_run()

    def test_rows(self):
        """Why the recipe has rows(): a matrix that is written as its columns has another shape."""
        right = stage.gradients("right")
        columns = dict(right, W1=[list(column) for column in zip(*right["W1"])])
        statuses = {}
        for name, gradients in (("rows", right), ("columns", columns)):
            with Client(self.daemon) as client:
                answer = client.ask(post(json.dumps(dict(stage.LAB, gradients=gradients)).encode())).json()
            statuses[name] = answer["parameters"][0]["status"]
        self.assertEqual(statuses, {"rows": "match", "columns": "shape_mismatch"})


if __name__ == "__main__":
    unittest.main()

"""Every function of the language with arrays without elements: a result or a fault, and the daemon goes on."""

import json
import pathlib
import re
import unittest

from daemon import DaemonTest, post

LANGUAGE = pathlib.Path(__file__).resolve().parents[2] / "core" / "language"
OPS = LANGUAGE.parent / "ops"
EMPTY = ("np.zeros(0)", "np.zeros((0, 2))", "np.zeros((2, 0))")
CALLS = ("np.{f}({e})", "({e}).{f}()", "np.{f}({e}, 0)", "np.{f}({e}, axis=1)", "np.{f}({e}, {e})", "np.{f}(X, {e})",
         "np.{f}({e}, X)", "np.{f}({e}, (2, 2))", "np.{f}({e}, {e}, {e})", "np.{f}([{e}, {e}])", "torch.{f}({e}, dim=0)")
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "@", "<", "==", "&", "|")


def names():
    found = set()
    for path in [*LANGUAGE.glob("*_functions.c"), LANGUAGE / "library.c"]:
        found.update(re.findall(r'(?:\{|WRITTEN\()"([A-Za-z_.0-9]+)"', path.read_text()))
    for path in OPS.glob("*.c"):
        found.update(re.findall(r'\.name = "([a-z_0-9]+)"', path.read_text()))
    return sorted({name.split(".")[-1] for name in found if not name.startswith("_")})


class EmptyTest(DaemonTest):
    def run_lines(self, client, lines):
        code = "".join(f"q{i} = {line}\n" for i, line in enumerate(lines)) + "dw = np.ones(2)\n"
        answer = client.ask(post(json.dumps({"program": "loss = np.sum(w)", "parameters": {"w": [1.0, 2.0]},
                                             "data": {"X": [[1.0, 2.0], [3.0, 4.0]]}, "backward": code}).encode()))
        self.assertEqual(answer.status, 200, (lines, answer.body))
        self.assertTrue(answer.json()["passed"], lines)

    def test_functions(self):
        found, client = names(), self.client()
        self.assertGreater(len(found), 250)
        for f in found:
            for call in CALLS:
                self.run_lines(client, [call.format(f=f, e=EMPTY[len(call) % len(EMPTY)])])

    def test_rolled(self):
        lines = "dw = np.ones(2)\nt = np.roll(dw, 2)\nt *= 5\ne = np.roll(np.zeros((0, 2)), 3, axis=0)\nf = dw + e.sum(0) + t"
        answer = self.client().ask(post(json.dumps({"program": "loss = np.sum(w)", "parameters": {"w": [1.0, 2.0]}, "data": {},
                                                    "backward": lines}).encode())).json()
        self.assertTrue(answer["passed"], "a copy, even where nothing moves")
        self.assertEqual([line["mark"] for line in answer["lines"]], ["right", "right", "right", "right", "unused"])

    def test_operators(self):
        client, sides = self.client(), (*EMPTY, "X", "2")
        for a in sides:
            self.run_lines(client, [f"({a}) {operator} ({b})" for b in sides for operator in OPERATORS])


if __name__ == "__main__":
    unittest.main()

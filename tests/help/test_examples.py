"""What the pages and the README show is done, and comes out as shown."""

import decimal
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import pages
import shown
from daemon import PROGRAM, Client, DaemonTest, post

ADDRESS = "http://127.0.0.1:8080"  # which the examples speak to


def read(text):
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def is_incomplete(command):
    """Whether a shell waits for more lines."""
    done = subprocess.run(["bash", "-n"], input=command + "\n", capture_output=True, text=True)
    return done.returncode != 0 or done.stderr != "" or command.endswith("\\")


def readme_blocks():
    """(kind, text) of what is fenced in the README."""
    kind, found = None, []
    for line in (pages.ROOT / "README.md").read_text(encoding="utf-8").split("\n"):
        if line.startswith("```"):
            kind = line[3:] if kind is None else None
            if kind is not None:
                found.append((kind, ""))
        elif kind is not None:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def readme_commands(text):
    """(command, output) of each line that begins with "$ "."""
    found, lines = [], text.split("\n")
    while lines:
        line = lines.pop(0)
        if line.startswith("$ "):
            command = line[2:]
            while is_incomplete(command) and lines:
                command += "\n" + lines.pop(0)
            found.append((command, ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


class Place:
    """A directory in which the examples of one page are done, with what somebody who does them has."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        (self.path / "bin").mkdir()
        (self.path / "bin" / "gradcheckd").symlink_to(PROGRAM)
        (self.path / "bin" / "python3").symlink_to(sys.executable)
        (self.path / "tests").symlink_to(pages.ROOT / "tests")
        (self.path / "gradcheckd.py").write_bytes((pages.ROOT / "static" / "client.py").read_bytes())
        variables = {name: value for name, value in os.environ.items() if not name.startswith("GRADCHECKD_")}
        self.environment = {**variables, "PATH": "%s:%s" % (self.path / "bin", variables["PATH"]), "PYTHONDONTWRITEBYTECODE": "1"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def here(self, text):
        return text.replace(ADDRESS, "http://%s:%d" % (self.daemon.host, self.daemon.port))

    def run(self, *words):
        """What a program says on its standard output."""
        return subprocess.run(
            [self.here(word) for word in words], cwd=self.path, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120
        )

    def shell(self, command):
        return self.run("bash", "-c", command).stdout


class ExamplesTest(DaemonTest):
    def shows(self, place, commands):
        for command, output in commands:
            real = place.shell(command)
            self.assertTrue(shown.text_is(output, real), "%s\n--- shown:\n%s\n--- came:\n%s" % (command, output, real))

    def python(self, place, code, output):
        done = place.run(sys.executable, "-c", code)
        self.assertEqual(done.returncode, 0, code)
        self.assertTrue(shown.text_is(output, done.stdout), "%s\n--- shown:\n%s\n--- came:\n%s" % (code, output, done.stdout))

    def request(self, block, answer):
        with Client(self.daemon) as client:
            came = client.ask(post(block.text.encode(), block.attributes["data-path"]))
        self.assertEqual(came.status, int(block.attributes.get("data-status", 200)), came.body)
        self.assertIsNone(shown.difference(read(answer.text), read(came.body)), block.text)

    def test_pages(self):
        done = {"console": 0, "python": 0, "request": 0}
        for name, page in pages.load(self.daemon).items():
            with self.subTest(page=name), Place(self.daemon) as place:
                for block, behind in zip(page.blocks, page.blocks[1:] + [None]):
                    kind, after = block.kind, behind.kind if behind is not None else ""
                    if kind == "file":
                        (place.path / block.attributes["data-name"]).write_text(block.text + "\n", encoding="utf-8")
                    elif kind == "console":
                        self.assertTrue(block.commands())
                        self.shows(place, block.commands())
                    elif kind == "python":
                        self.python(place, block.text, behind.text if after == "output" else "")
                    elif kind == "request":
                        self.assertEqual(after, "answer", block.text)
                        self.request(block, behind)
                    else:
                        self.assertIn(kind, ("answer", "output", "shell", "lines", "recipe"), block.text)
                    done[kind] = done.get(kind, 0) + 1
        self.assertGreaterEqual(done["console"], 10)
        self.assertGreaterEqual(done["python"], 3)
        self.assertGreaterEqual(done["request"], 8)

    def test_readme(self):
        done = 0
        with Place(self.daemon) as place:
            for kind, text in readme_blocks():
                if kind == "console":
                    self.shows(place, readme_commands(text))
                    done += 1
        self.assertGreaterEqual(done, 1)

    def test_readme_class(self):
        """Files that are no JSON are a line of the answer, and so are all behind them."""
        block, = (text for _, text in readme_blocks() if "class.ndjson" in text)
        work = '{"W1": [[1], [2]], "b1": [0]}'
        lab = '{"network": {"input": 2, "layers": [{"type": "linear", "out_features": 1}], "loss": "mse"}, "parameters": %s, "data": {"x": [[1, 2]], "y": [[5]]}}' % work
        files = {"a.json": '{"W1": [[0], [0]], "b1": [0]}', "b.json": '{"W1": [[1', "c.json": "", "d.json": '{"W1": [[0], [0]], "b1": [1]}'}
        with Place(self.daemon) as place:
            (place.path / "lab.json").write_text(lab, encoding="utf-8")
            (place.path / "submissions").mkdir()
            for name, text in files.items():
                (place.path / "submissions" / name).write_text(text, encoding="utf-8")
            self.assertEqual(place.shell("rm -f reports.ndjson; " + block), "")
            reports = [json.loads(line) for line in (place.path / "reports.ndjson").read_text(encoding="utf-8").splitlines()]
        self.assertEqual([report["id"] for report in reports], ["submissions/" + name for name in files])
        self.assertEqual([report.get("points") for report in reports], [2, None, None, 1])


class ShownTest(unittest.TestCase):
    """That the comparison would notice."""

    def test_text(self):
        self.assertTrue(shown.text_is("a 0.292\n...\nend 3", "a 0.2924\nb\nc\nend 3\n"))
        self.assertTrue(shown.text_is("diff 1.39e-17", "diff 6.94e-18"))
        self.assertTrue(shown.text_is('{"a":1.5,...', '{"a":1.5,"b":2}'))
        for one, other in (("a 0.292", "a 0.294"), ("end 3", "end 4"), ("diff 1.39e-17", "diff 1.39e-02"), ("a\n...\nb", "a\nc"), ("a", "a\nb"), ("a", "")):
            self.assertFalse(shown.text_is(one, other), (one, other))

    def test_json(self):
        same = lambda one, other: shown.difference(read(one), read(other)) is None
        self.assertTrue(same('{"a": [0.29, null], "b": 1}', '{"a": [0.292, null], "b": 1, "c": 2}'))
        for one, other in (('{"a": 1}', "{}"), ("[1]", "[1, 2]"), ("[1]", "[1.001]"), ('"x"', '"y"'), ("true", "1"), ("0.29", "0.31")):
            self.assertFalse(same(one, other), (one, other))

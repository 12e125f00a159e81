"""The program that makes the pages: recipes, and that a slip in a source is no page."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from daemon import PROGRAM
from pages import ROOT, SOURCES, Page

MAKER = os.path.join(os.path.dirname(PROGRAM), "help", "pages")
DESCRIPTION = str(ROOT / "static" / "openapi.json")


class MakerTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def make(self, *words):
        return subprocess.run([MAKER, *words], capture_output=True, text=True)

    def test_recipes(self):
        """Each is headed by its first comment, and stands there as it is."""
        texts = {
            "shell.sh": ("#!/bin/sh\n# For <Course> & co: its grader. And: more\necho 1 > x\n", "For <Course> & co"),
            "octave.m": ("% Octave\nx = 1;\n", "Octave"),
            "plain.txt": ("x < y\n", "plain.txt"),
            "doc.py": ('"""A grader."""\nimport json\n', "A grader."),
        }
        done = self.make(str(SOURCES / "recipes.html"), DESCRIPTION, *[self.write(name, text) for name, (text, _) in texts.items()])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = Page(done.stdout)
        recipes = [block for block in page.blocks if block.kind == "recipe"]
        self.assertEqual([block.text for block in recipes], [text for text, _ in texts.values()])
        for name, (_, title) in texts.items():
            self.assertIn(name, page.ids)
            self.assertIn("recipes/" + name, page.links)
            self.assertIn("#" + name, page.links)
            self.assertIn("\n%s\n%s\n" % (title, name), page.text)

    def test_no_such_table(self):
        for directive in ("table: nothing", "members: Nobody", "recipe", "tables: codes"):
            done = self.make(self.write("codes.html", "<h1>x</h1>\n<!-- %s -->\n" % directive), DESCRIPTION)
            self.assertEqual((done.returncode, done.stderr), (1, 'there is nothing to put in the place of "%s"\n' % directive))

    def test_no_such_page(self):
        done = self.make(self.write("codex.html", "<h1>x</h1>\n"), DESCRIPTION)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no page of that name is in the menu", done.stderr)

    def test_no_such_file(self):
        for words in ((str(self.directory / "codes.html"), DESCRIPTION), (str(SOURCES / "codes.html"), str(self.directory / "none.json")),
                      (str(SOURCES / "recipes.html"), DESCRIPTION, str(self.directory / "none.sh"))):  # fmt: skip
            done = self.make(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertNotEqual(done.stderr, "")

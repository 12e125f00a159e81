"""What holds for every recipe: short, told in one line, without what older tools lack, and tried by a test."""

import pathlib
import re
import shutil
import subprocess
import unittest

import stage

COMMENT = {".sh": "#", ".py": "#", ".yml": "#", ".mk": "#", ".R": "#", ".jl": "#", ".m": "%"}
# What curl 7.76 (2021) knows, and is used.
CURL = {"--fail", "--fail-with-body", "--retry", "--retry-connrefused", "--max-time", "--data-binary"}


class FilesTest(unittest.TestCase):
    def test_each(self):
        names = sorted(path.name for path in stage.RECIPES.iterdir())
        self.assertGreater(len(names), 15)
        here = pathlib.Path(__file__).parent
        tried = {name for path in here.glob("*.py") for name in re.findall(r'\b(?:text|recipe|github_step|steps)\("(\w+\.\w+)"', path.read_text())}
        tried |= {stage.RUNNER} | {path.stem for path in (here / "recorded").iterdir()}
        for name in names:
            with self.subTest(recipe=name):
                lines = [line for line in stage.text(name).splitlines() if not line.startswith("#!")]
                mark = COMMENT[pathlib.Path(name).suffix]
                self.assertRegex(lines[0], r"^%s \w" % mark)
                code = [line for line in lines if line.strip() and not line.startswith(mark)]
                self.assertLessEqual(len(code), 16)
                self.assertLessEqual(max(map(len, lines)), 160)
                self.assertEqual("not tried by the tests" in lines[0], name not in tried)

    def test_curl(self):
        for path in stage.RECIPES.iterdir():
            for command in re.findall(r"\bcurl -(?:.|\\\n)*", path.read_text()):
                command = command.split("jq")[0]
                self.assertLessEqual(set(re.findall(r"(?<=\s)--[a-z-]+", command)), CURL, path.name)
                self.assertTrue("--retry" in command, path.name)

    def test_python_compiles(self):
        for path in stage.RECIPES.glob("*.py"):
            compile(path.read_text(), path.name, "exec")

    @unittest.skipUnless(shutil.which("shellcheck"), "not run: no shellcheck here")
    def test_shellcheck(self):
        scripts = [step["run"] for name in ("github_actions.yml", "github_classroom.yml") for step in stage.steps(name)["steps"] if "env" in step and "run" in step]
        scripts += [line for job in stage.steps("gitlab.yml").values() for line in job["script"]]
        self.assertEqual(len(scripts), 3)
        for script in scripts:
            done = subprocess.run(["shellcheck", "--shell=bash", "-"], input=script.encode(), capture_output=True)
            self.assertEqual(done.stdout.decode(), "")


if __name__ == "__main__":
    unittest.main()

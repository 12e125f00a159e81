"""Every folder of tests/cases is a POST: request.json (any bytes), status, and response.json or response.txt.

Of response.json every member must be in the answer and equal; the answer may hold more, but arrays are as long. Of
response.txt every line must be there, "*" standing for anything. A file `path` names another endpoint than /v1/check,
`query` holds what goes behind the "?", `absent` the members that the answer must not have.
A bug report becomes a folder.
"""

import fnmatch
import json
import pathlib
import re
import unittest

from daemon import Client, DaemonTest, post

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"


def differences(expected, got, place=""):
    """What of `expected` is not in `got`, as lines."""
    if isinstance(expected, dict) and isinstance(got, dict):
        lines = []
        for name, value in expected.items():
            if name in got:
                lines += differences(value, got[name], place + "/" + name)
            else:
                lines.append("%s/%s is missing" % (place, name))
        return lines
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return ["%s has %d elements, expected %d" % (place, len(got), len(expected))]
        return [line for i, pair in enumerate(zip(expected, got)) for line in differences(*pair, "%s/%d" % (place, i))]
    same = expected == got and isinstance(expected, bool) == isinstance(got, bool)
    return [] if same else ["%s is %r, expected %r" % (place, got, expected)]


def text_differences(expected, got):
    wanted, lines = expected.split("\n"), got.split("\n")
    if len(wanted) != len(lines):
        return ["%d lines, expected %d:\n%s" % (len(lines), len(wanted), got)]
    pattern = lambda line: re.sub(r"[\[?]", r"[\g<0>]", line)
    return ["%r, expected %r" % pair for pair in zip(lines, wanted) if not fnmatch.fnmatchcase(pair[0], pattern(pair[1]))]


class Cases(DaemonTest):
    def check(self, client, folder):
        path, query = folder / "path", folder / "query"
        path = path.read_text().strip() if path.exists() else "/v1/check"
        path += "?" + query.read_text().strip() if query.exists() else ""
        answer = client.ask(post((folder / "request.json").read_bytes(), path))
        self.assertEqual(answer.status, int((folder / "status").read_text()), answer.body[:500])
        if (folder / "response.txt").exists():
            self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
            found = text_differences((folder / "response.txt").read_text(), answer.body.decode())
        else:
            problem = answer.status >= 400 and query_is_not_strict(path)
            self.assertEqual(answer.headers["content-type"], "application/%sjson" % ("problem+" if problem else ""))
            found = differences(json.loads((folder / "response.json").read_text()), answer.json())
            absent = (folder / "absent").read_text().split() if (folder / "absent").exists() else []
            self.assertEqual([name for name in absent if name in answer.json()], [])
        self.assertEqual(found, [])

    def test_all(self):
        folders = sorted(path for path in CASES.iterdir() if path.is_dir())
        self.assertGreater(len(folders), 80)
        with Client(self.daemon) as client:
            for folder in folders:
                with self.subTest(folder.name):
                    self.check(client, folder)

    def test_the_comparison_notices(self):
        self.assertEqual(differences({"a": [1, {"b": None}]}, {"a": [1, {"b": None, "c": 2}], "d": 3}), [])
        for wrong in ({}, {"a": 2}, {"a": True}, {"a": None}):
            self.assertEqual(len(differences({"a": 1}, wrong)), 1)
        self.assertEqual(len(differences([1, 2], [1])), 1)
        self.assertEqual(text_differences("a [1] *\nb", "a [1] x\nb"), [])
        self.assertEqual(len(text_differences("a\nb", "a\nc")), 1)


def query_is_not_strict(path):
    return "strict=1" not in path


if __name__ == "__main__":
    unittest.main()

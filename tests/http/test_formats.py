"""The report of a check in the formats of platforms: every rule of each, on reports of all kinds.

Each format has a class here, which reads a document as its platform does and compares it with the report as JSON. JUnit is
validated by xmllint against formats/junit.xsd, TAP is read by Perl's prove.
"""

import json
import math
import pathlib
import re
import subprocess
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

from daemon import Client, Daemon, DaemonTest, post

HERE = pathlib.Path(__file__).resolve().parent
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
# What Rails' Hash.from_xml makes of an attribute called `type`; GitLab reads JUnit with it.
RAILS_TYPES = {"symbol", "date", "datetime", "dateTime", "integer", "float", "decimal", "boolean", "string", "yaml", "base64Binary",
               "file", "array", "hash", "hexBinary", "duration", "time"}

NETWORK = {"input": 2, "layers": [{"type": "linear", "out_features": 3}, {"type": "tanh"}, {"type": "linear", "out_features": 1}], "loss": "mse"}
ASSIGNMENT = {
    "network": NETWORK,
    "parameters": {"W1": [[0.5, -0.3, 0.2], [0.1, 0.9, -0.7]], "b1": [0.1, -0.2, 0.3], "W2": [[0.7], [-0.6], [0.4]], "b2": [0.05]},
    "data": {"x": [[1, 2], [3, -1], [0, 1]], "y": [[1], [0], [1]]},
}
HOSTILE = [
    "a\n::error::owned", "\x1b[31mred\x1b[0m", "x # SKIP", "# TODO", "<b>bold</b>", "p|q`r`|", "::stop-commands::token", "]]>", 'say "\\"',
    "same\x01", "same\x02", "\x7f\x9b", "é" * 250, "é" * 251, "\ufffe\uffff", "@everyone", "100%0A::error::x", "-2", "1..3", "ok 1 - no", "\u202ereversed",
    "[link](http://example.org) https://example.org www.example.org", "*a* _b_ ~~c~~ $d$ :e: &amp;", "__proto__", "Diagnosis", "a\\|b", "'", "..", "---",
]
CODE = {
    "program": "z1 = X @ W1 + b1\nh1 = np.tanh(z1)\np = sigmoid(h1 @ W2 + b2)\nloss = np.mean((p - y)**2)",
    "parameters": {"W1": [[0.5, -0.3], [0.1, 0.9]], "b1": [0.1, -0.2], "W2": [[0.7], [-0.6]], "b2": [0.05]},
    "data": {"X": [[1, 2], [3, -1], [0, 1]], "y": [[1], [0], [1]]},
    "backward": "dp = 2 * (p - y) / len(y)\ndz2 = dp * p * (1 - p)\ndW2 = h1.T @ dz2\ndb2 = dz2.sum(0) * q\n"
                "dh1 = dz2 @ W2.T\ndz1 = dh1 * (1 - h1)\ndW1 = X.T @ dz1\ndb1 = dz1.sum(0)",
}


def reference():
    """The right gradients of the assignment, as the daemon has them."""
    with Daemon() as daemon, Client(daemon) as client:
        request = dict(ASSIGNMENT, gradients={}, reveal=True)
        return client.ask(post(json.dumps(request).encode())).json()["reference"]


def submissions():
    """Requests by name."""
    right = reference()
    off = [[a + 0.1 * (j != 1) for j, a in enumerate(row)] for row in right["W1"]]
    found = {name: dict(ASSIGNMENT, gradients=gradients) for name, gradients in {
        "right": right,
        "wrong": dict(right, W1=off, b1=[1, None, 2], W2=[1, 2]),
        "diagnosed": dict(right, b2=[right["b2"][0] / 3], b1=[b / 3 for b in right["b1"]]),
        "hostile": dict({"W1": off, "W2": right["W2"], "b1": "<script>\n"}, **{name: 1 for name in HOSTILE}),
        "nothing": {"W1": None, "b1": "none", "W9": 1},
        "fractional": dict(right, b1=[9, 9, 9], W1=off),
    }.items()}
    found["fractional"].update(points={"W1": 0.1, "b1": 0.2, "W2": 0.7, "b2": 1e-3})
    found["worthless"] = dict(ASSIGNMENT, gradients=dict(right, W1=off), points={"W1": 0})
    scaled = dict(right, W2=[[3 * a for a in row] for row in right["W2"]])
    found["nearly"] = dict(ASSIGNMENT, gradients=scaled, points={"W1": 0.002, "b1": 1.004, "W2": 0.004, "b2": 1000})
    # What a mistake made elsewhere has spoilt has nearly all its points.
    relu = json.loads((HERE.parent / "demo" / "relu-at-zero.json").read_text())
    found["relu"] = relu
    carried = json.loads((HERE.parent / "cases" / "carry-forward" / "request.json").read_text())
    found["carried"] = dict(carried, carry_forward=0.9999)
    found["carried whole"] = dict(carried, carry_forward=True)
    found["huge"] = dict(carried, carry_forward=0.9999, points={"W1": 1e307, "b1": 1e307, "x": 1e-300})
    found["code"] = CODE
    found["layers"] = dict(ASSIGNMENT, convention="pytorch", parameters={"init": {"scheme": "he_normal", "seed": 1}}, gradients={"0.weight": [[1]]},
                           network=dict(NETWORK, layers=[dict(NETWORK["layers"][0], name="<i>|\n# &\"'`")] + NETWORK["layers"][1:]))
    return found


class FormatsTest(DaemonTest):
    at = ""  # which report and format a failure is about

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.requests = submissions()
        cls.reports = {}
        with Client(cls.daemon) as client:
            for name, request in cls.requests.items():
                answer = client.ask(post(json.dumps(request).encode()))
                assert answer.status == 200, answer.body
                cls.reports[name] = answer.json()

    def ask(self, name, query, accept=None, status=200):
        request = self.requests[name] if isinstance(name, str) else name
        extra = b"Accept: %s\r\n" % accept.encode() if accept else b""
        answer = self.client().ask(post(json.dumps(request).encode(), "/v1/check" + query, extra))
        self.assertEqual(answer.status, status, answer.body[:500])
        return answer

    def document(self, name, query):
        """The body as text: nothing in it steers a terminal."""
        text = self.ask(name, "?format=" + query).body.decode("utf-8")
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", text), repr(text[:2000]))
        self.assertTrue(text.endswith("\n"))
        return text

    def object(self, name, query):
        text = self.document(name, query)
        self.assertEqual(text.count("\n"), 1)
        return self.read(text)

    def read(self, text):
        def refuse(word):
            raise AssertionError(word)

        def once(pairs):
            self.assertEqual(len(dict(pairs)), len(pairs), "a member is there twice")
            return dict(pairs)

        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)

    def graded(self, name):
        return [entry for entry in self.reports[name]["parameters"] if entry["status"] != "unexpected"]

    def unexpected(self, name):
        return [entry for entry in self.reports[name]["parameters"] if entry["status"] == "unexpected"]

    def each(self, query):
        """(name, report, its graded entries, the document as JSON) of each report."""
        for name, report in self.reports.items():
            self.at = "%s as %s: " % (name, query)
            yield name, report, self.graded(name), self.object(name, query)
        self.at = ""

    def _formatMessage(self, said, standard):
        return self.at + super()._formatMessage(said, standard)

    def assertTotal(self, parts, total):
        """In any order: a reader adds up as it likes."""
        self.assertTrue(math.isclose(math.fsum(parts), total, rel_tol=1e-12, abs_tol=1e-300), (parts, total))

    def assertReason(self, name, entry, reason):
        """Is complete where it stands: the status, the detail, how far off, and each mistake that touches it with its hint."""
        self.assertTrue(reason.startswith(entry["status"]), reason)
        if "detail" in entry:
            self.assertIn(entry["detail"], reason)
        if entry["max_abs_diff"] is not None:
            self.assertIn("max diff %.2e" % entry["max_abs_diff"], reason)
        for mistake in self.reports[name].get("diagnosis", {}).get("mistakes", []):
            touches = entry["name"] in mistake["parameters"]
            for word in (mistake["id"], mistake["message"], mistake["hint"]):
                self.assertEqual(word in reason, touches, (word, reason))
        if entry["passed"]:
            self.assertNotIn("Hint:", reason)

    def assertNames(self, found, entries):
        """Titles are the names, cleaned and each once."""
        self.assertEqual(len(set(found)), len(found))
        self.assertEqual(len(found), len(entries))
        for title, entry in zip(found, entries):
            if re.fullmatch(r"\w+", entry["name"]):
                self.assertEqual(title, entry["name"])
            self.assertLessEqual(len(title), 200 + len(" (99)"))


class ReportsTest(FormatsTest):
    """That the reports are what the tests below are to be about."""

    def test_kinds(self):
        kinds = {name: {entry["status"] for entry in report["parameters"]} for name, report in self.reports.items()}
        self.assertEqual(kinds["right"], {"match"})
        self.assertEqual(kinds["wrong"], {"match", "mismatch", "not_finite", "shape_mismatch"})
        self.assertEqual(kinds["hostile"], {"match", "mismatch", "missing", "not_a_tensor", "unexpected"})
        self.assertEqual(kinds["nothing"], {"not_a_tensor", "missing", "unexpected"})
        self.assertEqual(len(self.unexpected("hostile")), len(HOSTILE))
        for name in ("diagnosed", "nearly", "relu", "carried"):
            self.assertTrue(self.reports[name]["diagnosis"]["explained"], name)
        self.assertTrue(any(entry.get("carried") for entry in self.graded("carried")))
        self.assertTrue(any(line["mark"] == "wrong" for line in self.reports["code"]["lines"]))
        self.assertTrue(any(line["mark"] == "fault" for line in self.reports["code"]["lines"]))


class QueryTest(FormatsTest):
    """What is asked of formats."""

    def formats(self):
        answer = self.client().ask(b"GET /v1/capabilities HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return answer.json()["formats"]

    def test_media_types(self):
        types = {"text": "text/plain", "junit": "application/xml", "markdown": "text/markdown", "tap": "text/plain", "github": "text/plain",
                 "autolab": "text/plain"}
        known = self.formats()
        self.assertEqual(len(known), 16)
        types["client"] = "application/vnd.gradcheckd+json"
        for name in known:
            answer = self.ask("relu", "?format=" + name)
            self.assertEqual(answer.headers["content-type"].split(";")[0], types.get(name, "application/json"), name)
            self.assertIn("write;dur=", answer.headers["server-timing"])

    def test_accept(self):
        for accept, kind in (("application/xml", "application/xml"), ("text/markdown", "text/markdown"), ("text/plain", "text/plain"),
                             ("text/*", "text/plain"), ("*/*", "application/json"), ("application/json", "application/json"),
                             ("text/markdown;q=0.5, application/xml;q=0.7", "application/xml"), ("application/xml, */*", "application/json"),
                             ("image/png", "application/json"), ("text/markdown, application/json;q=0.9", "text/markdown")):
            answer = self.ask("wrong", "", accept)
            self.assertEqual(answer.headers["content-type"].split(";")[0], kind, accept)
        self.assertIn(b"PASSED: ", self.ask("right", "", "text/plain").body)
        self.assertEqual(self.ask("right", "?format=tap", "application/xml").body[:3], b"TAP")

    def test_unknown(self):
        for query, detail in (("format=grade_scope", "(did you mean gradescope?)"), ("format=Junit", "(did you mean junit?)"),
                              ("format=classrom50", "(did you mean classroom50?)"), ("format=", "format is empty, it must be one of: json, text, gradescope"),
                              ("format=sarif", "it must be one of: json, text, gradescope"), ("format=" + "x" * 1000, "it must be one of"),
                              ("format=gradescope&visibility=hiden", "(did you mean hidden?)"), ("format=gradescope&hints=", "hints is empty"),
                              ("format=autolab&scores=all", "it must be one of: total")):
            answer = self.client().ask(post(json.dumps(self.requests["right"]).encode(), "/v1/check?" + query))
            problem = self.assertProblem(answer, 400, "out_of_range")
            self.assertIn(detail, problem["detail"])
            self.assertNotIn("pointer", problem)

    def test_options_of_others(self):
        takes = {"gradescope": {"visibility": "hidden", "hints": "hidden"}, "junit": {"suite": "a", "file": "a.py"},
                 "github": {"suite": "a", "file": "a.py"}, "autolab": {"scores": "total"}}
        every = {name: value for options in takes.values() for name, value in options.items()}
        for kind in self.formats():
            for name, value in every.items():
                query = "/v1/check?format=%s&%s=%s" % (kind, name, value)
                answer = self.client().ask(post(json.dumps(self.requests["right"]).encode(), query))
                if name in takes.get(kind, ()):
                    self.assertEqual(answer.status, 200, query)
                else:
                    problem = self.assertProblem(answer, 400, "out_of_range")
                    takers = ", ".join(other for other in self.formats() if name in takes.get(other, ()))
                    self.assertEqual(problem["detail"], "the format %s takes no %s; these do: %s" % (kind, name, takers))
        for length, status in ((0, 400), (1, 200), (200, 200), (201, 400)):
            self.ask("right", "?format=junit&suite=" + "x" * length, status=status)
        # Without ?format= it is JSON, which takes none; and what nobody takes is passed over.
        self.ask("right", "?suite=a", status=400)
        self.ask("right", "?format=junit&colour=blue")

    def test_strict(self):
        for kind in self.formats():
            for name in ("right", "wrong", "hostile"):
                plain = self.ask(name, "?format=" + kind)
                strict = self.ask(name, "?strict=1&format=" + kind, status=200 if name == "right" else 422)
                self.assertEqual((plain.body, plain.headers["content-type"]), (strict.body, strict.headers["content-type"]))

    def test_problems(self):
        for kind in self.formats():
            for accept in (b"", b"Accept: application/xml\r\n"):
                answer = self.client().ask(post(b'{"network": 1}', "/v1/check?format=" + kind, accept))
                self.assertProblem(answer, 400, "missing_member" if b"missing_member" in answer.body else "wrong_type")

    def test_never_the_reference(self):
        """Whatever is asked for: no number of the reference, and nothing that was asked for beside the report."""
        bare = {name: self.requests[name] for name in ("wrong", "relu", "hostile")}
        for kind in set(self.formats()) - {"json", "text", "client"}:  # the last is the first two together
            for name, request in bare.items():
                plain = self.ask(request, "?format=" + kind).body.decode()
                asked = self.ask(dict(request, reveal=True, numeric=True), "?format=" + kind).body.decode()
                if kind != "coderunner":
                    self.assertEqual(plain, asked)
                else:
                    revealed = json.loads(asked)
                    self.assertIn("W2 = ", revealed.pop("instructorhtml"))
                    self.assertEqual(revealed, json.loads(plain))
        answer = self.ask(dict(self.requests["wrong"], reveal=True), "").json()
        number = repr(answer["reference"]["W1"][0][0])
        for kind in self.formats()[2:]:
            self.assertNotIn(number, self.ask("wrong", "?format=" + kind).body.decode())


class GradescopeTest(FormatsTest):
    TOP = {"score", "output", "output_format", "test_output_format", "test_name_format", "visibility", "tests"}
    TEST = {"name", "number", "score", "max_score", "status", "output", "visibility"}

    def check(self, report, entries, document):
        self.assertLessEqual(set(document), self.TOP)
        self.assertEqual(document["score"], report["points"])
        for member in ("output_format", "test_output_format", "test_name_format"):
            self.assertEqual(document[member], "text")
        tests = [test for test in document["tests"] if "number" in test]
        self.assertNames([test["name"] for test in tests], entries)
        self.assertTotal([test.get("score", 0) for test in tests], document["score"])
        self.assertTotal([test.get("max_score", 0) for test in tests], report["max_points"])
        for test, entry in zip(tests, entries):
            self.assertLessEqual(set(test), self.TEST)
            self.assertIsInstance(test["number"], str)
            self.assertIn(test["status"], ("passed", "failed"))
            if entry["max_points"] > 0:
                self.assertEqual(test["status"] == "passed", test["score"] == test["max_score"])
                self.assertEqual((test["score"], test["max_score"]), (entry["points"], entry["max_points"]))
            else:
                self.assertNotIn("max_score", test)
                self.assertEqual(test["status"] == "passed", entry["passed"])
        self.assertEqual([test["number"] for test in tests], [str(i + 1) for i in range(len(tests))])
        return tests

    def test_all(self):
        for name, report, entries, document in self.each("gradescope"):
            tests = self.check(report, entries, document)
            self.assertEqual(len(tests), len(document["tests"]))
            self.assertNotIn("visibility", document)
            for test, entry in zip(tests, entries):
                self.assertReason(name, entry, test["output"])

    def test_hints_for_others(self):
        for hints in sorted(VISIBILITIES):
            for visibility in ("", "&visibility=hidden", "&visibility=visible"):
                for name, report, entries, document in self.each("gradescope&hints=%s%s" % (hints, visibility)):
                    tests = self.check(report, entries, document)
                    asked = visibility.rpartition("=")[2]
                    self.assertEqual(document.get("visibility"), asked or None)
                    apart = hints != (asked or "visible")
                    told = document["tests"][len(tests):]
                    self.assertEqual(len(told), int(apart and not report["passed"]))
                    for test, entry in zip(tests, entries):
                        if apart:
                            self.assertEqual(test["output"], entry["status"])
                        else:
                            self.assertReason(name, entry, test["output"])
                    for test in told:
                        self.assertEqual((set(test), test["visibility"]), ({"name", "output", "visibility"}, hints))
                        for mistake in report.get("diagnosis", {}).get("mistakes", []):
                            for word in ("id", "message", "hint"):
                                self.assertEqual(test["output"].count(mistake[word]), 1)

    def test_unexpected_names_are_told(self):
        document = self.object("nothing", "gradescope")
        self.assertTrue(document["output"].endswith("Not asked for: W9."), document["output"])
        self.assertIn("and %d more." % (len(HOSTILE) - 10), self.object("hostile", "gradescope")["output"])


class PrairielearnTest(FormatsTest):
    def test_all(self):
        for name, report, entries, document in self.each("prairielearn"):
            self.assertTrue(0 <= document["score"] <= 1)
            if all(entry["status"] in ("missing", "not_a_tensor") for entry in entries):
                self.assertIs(document["gradable"], False)
                self.assertNotIn("tests", document)
                self.assertEqual(len(document["format_errors"]), 1 + len(entries))
                if name == "nothing":
                    self.assertIn("W1: not_a_tensor: not a tensor: it is null", document["format_errors"][1])
                continue
            self.assertIs(document["gradable"], True)
            self.assertNotIn("format_errors", document)
            self.assertTrue(math.isclose(document["score"], report["score"]))
            self.assertNames([test["name"] for test in document["tests"]], entries)
            scale = document["tests"][0]["max_points"] / entries[0]["max_points"] if entries[0]["max_points"] else 1
            for test, entry in zip(document["tests"], entries):
                self.assertReason(name, entry, test["message"])
                if 0 < entry["max_points"] * scale < 0.005:
                    self.assertEqual((name, test["points"], test["max_points"]), ("huge", 0, 0))
                    continue
                self.assertTrue(math.isclose(test["max_points"], entry["max_points"] * scale))
                full = entry["points"] == entry["max_points"]
                self.assertTrue(0 <= test["points"] <= test["max_points"])
                # The page shows what is equal after rounding as right.
                shown = [math.floor(points * 100 + 0.5) if points < 1e15 else points for points in (test["points"], test["max_points"])]
                self.assertEqual(shown[0] == shown[1], full, (test, entry))
                self.assertTrue(full or test["points"] <= entry["points"] * scale * (1 + 1e-12))
                self.assertLess(abs(test["points"] - entry["points"] * scale), max(0.0201, 1e-9 * test["points"]))

    def runs(self, url):
        """The elements that a picture marks, and its size."""
        prefix = "data:image/svg+xml,"
        self.assertTrue(url.startswith(prefix))
        self.assertRegex(url, r"^[!-~]+$")
        root = ElementTree.fromstring(urllib.parse.unquote(url[len(prefix):]))
        columns, rows = (int(n) for n in root.get("viewBox").split()[2:])
        path = root.find("{http://www.w3.org/2000/svg}path").get("d")
        self.assertRegex(path, r"^(M\d+,\d+\.5h\d+)+$")
        wrong = {(int(i), int(j) + k) for j, i, n in re.findall(r"M(\d+),(\d+)\.5h(\d+)", path) for k in range(int(n))}
        return rows, columns, wrong

    def test_pictures(self):
        document = self.object("wrong", "prairielearn")
        pictures = {test["name"]: test["images"] for test in document["tests"] if "images" in test}
        self.assertEqual(list(pictures), ["W1"])  # the other that fails has another shape, and no elements to compare
        self.assertEqual(pictures["W1"][0]["label"], "wrong elements of W1")
        self.assertEqual(self.runs(pictures["W1"][0]["url"]), (2, 3, {(0, 0), (0, 2), (1, 0), (1, 2)}))
        self.assertNotIn("images", json.dumps(self.object("right", "prairielearn")))

    def matrices(self, count, rows, columns, **members):
        """As many matrices as that, of whose gradients every other element is wrong."""
        names = ["W%d" % i for i in range(count)]
        zeros, wrong = [[0] * columns] * rows, [[(i + j) % 2 for j in range(columns)] for i in range(rows)]
        return dict({"program": "loss = " + " + ".join("np.sum(x * %s)" % name for name in names), "parameters": dict.fromkeys(names, zeros),
                     "data": {"x": zeros}, "gradients": dict.fromkeys(names, wrong), "diagnose": False}, **members)

    def test_pictures_have_limits(self):
        for rows, columns, there in ((64, 64, True), (65, 2, False), (2, 65, False), (1, 64, True)):
            document = self.object(self.matrices(1, rows, columns), "prairielearn")
            self.assertEqual("images" in document["tests"][0], there)
        self.assertEqual(self.runs(self.object(self.matrices(1, 3, 2), "prairielearn")["tests"][0]["images"][0]["url"]),
                         (3, 2, {(0, 1), (1, 0), (2, 1)}))
        answer = self.ask(self.matrices(60, 64, 64), "?format=prairielearn")
        self.assertLess(len(answer.body), 1e6)
        pictures = [image for test in answer.json()["tests"] for image in test.get("images", [])]
        self.assertGreater(len(pictures), 5)
        self.assertLess(sum(len(json.dumps(image)) for image in pictures), 256 << 10)
        self.assertEqual(len(answer.json()["tests"]), 60)
        # A rule about the whole tensor, by which no element is wrong alone.
        document = self.object(self.matrices(1, 2, 2, tolerance={"relative_norm": 0.5}), "prairielearn")
        self.assertEqual(document["tests"][0]["points"], 0)


class JunitTest(FormatsTest):
    def validate(self, text):
        """What xmllint says of it."""
        command = ["xmllint", "--noout", "--nonet", "--schema", str(HERE / "formats" / "junit.xsd"), "-"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60)
        return "" if done.returncode == 0 else done.stderr.decode()

    def test_all(self):
        for name, report in self.reports.items():
            with self.subTest(report=name):
                text = self.document(name, "junit")
                self.assertEqual(self.validate(text), "")
                root = ElementTree.fromstring(text)
                suite, = root
                cases, entries = suite.findall("testcase"), report["parameters"]
                self.assertNames([case.get("name") for case in cases], entries)
                self.assertEqual({case.get("classname") for case in cases}, {"gradients"})
                counts = {"tests": len(cases), "failures": len(suite.findall("testcase/failure")), "errors": 0}
                for element in (root, suite):
                    self.assertEqual({name: int(element.get(name)) for name in counts}, counts)
                self.assertEqual(int(suite.get("skipped")), len(suite.findall("testcase/skipped")))
                properties = {property.get("name"): float(property.get("value")) for property in suite.iter("property")}
                self.assertEqual(properties, {"score": report["score"], "points": report["points"], "max_points": report["max_points"]})
                for case, entry in zip(cases, entries):
                    self.assertEqual(case.find("skipped") is not None, entry["status"] == "unexpected")
                    failure = case.find("failure")
                    self.assertEqual(failure is None, entry["passed"])
                    if failure is not None:
                        self.assertReason(name, entry, failure.text)
                        self.assertReason(name, entry, failure.get("message"))
                        self.assertNotIn("\n", failure.get("message"))
                        self.assertEqual(failure.get("type"), entry["status"])
                        self.assertNotIn(failure.get("type"), RAILS_TYPES)

    def test_expected(self):
        """Byte for byte, with names that are made to break it."""
        expected = HERE / "formats" / "junit-hostile.xml"
        self.assertEqual(self.document("hostile", "junit"), expected.read_text(encoding="utf-8"))

    def test_options(self):
        root = ElementTree.fromstring(self.document("wrong", "junit&suite=%3Ca%22%0A%26%1B&file=src/%22lab%22.py"))
        self.assertEqual(root[0].get("name"), '<a"?&?')
        self.assertEqual({(case.get("classname"), case.get("file")) for case in root.iter("testcase")}, {('<a"?&?', 'src/"lab".py')})

    def test_the_schema_notices(self):
        text = self.document("hostile", "junit")
        for old, new in (('<testsuites tests', '<testsuites skipped="1" tests'), (' errors="0" skipped', ' skipped'),
                         ('<testcase name="W2"', '<testcase file="a" name="W2"'), ('name="W2"', 'name="W1"'), ('type="mismatch"', 'type="integer"'),
                         ('<testcase name="W2" classname="gradients"/>', '<testcase name="W2" classname="gradients"><error/></testcase>'),
                         ('<testsuite name', '<testsuite time="1e-05" name'), ('skipped="29"', 'skipped="29" seed="1"')):
            self.assertIn(old, text)
            self.assertNotEqual(self.validate(text.replace(old, new, 1)), "", new)


class TapTest(FormatsTest):
    def parse(self, text):
        """(number, ok, description, directive, block) of each line."""
        lines = text.splitlines()
        self.assertEqual(lines[0], "TAP version 13")
        self.assertRegex(lines[1], r"^1\.\.\d+$")
        tests = []
        for line in lines[2:]:
            if line.startswith("  "):
                tests[-1][4].append(line)
                continue
            ok, number, rest = re.fullmatch(r"(ok|not ok) (\d+) - (.*)", line).groups()
            description, directive = re.fullmatch(r"((?:[^#\\]|\\.)*?)(?: # (SKIP .*))?", rest).groups()
            tests.append((int(number), ok == "ok", re.sub(r"\\(.)", r"\1", description), directive, []))
        self.assertEqual([test[0] for test in tests], list(range(1, int(lines[1][3:]) + 1)))
        return tests

    def test_all(self):
        for name, report in self.reports.items():
            with self.subTest(report=name):
                tests, entries = self.parse(self.document(name, "tap")), report["parameters"]
                self.assertNames([test[2] for test in tests], entries)
                mistakes = {mistake["id"]: mistake for mistake in report.get("diagnosis", {}).get("mistakes", [])}
                for (_, ok, _, directive, block), entry in zip(tests, entries):
                    self.assertEqual(ok, entry["passed"])
                    self.assertEqual(directive is not None, entry["status"] == "unexpected")
                    self.assertEqual(block != [], not ok)
                    if ok:
                        continue
                    self.assertEqual((block[0], block[-1]), ("  ---", "  ..."))
                    pairs = [re.fullmatch(r"  (?:    |  - )?(\w+):(?: (.*))?", line).groups() for line in block[1:-1]]
                    values = [(key, json.loads(value) if value else None) for key, value in pairs]
                    self.assertEqual(values[0], ("status", entry["status"]))
                    self.assertTrue(values[1][1].startswith(entry.get("detail", "")))
                    ids = [value for key, value in values if key == "id"]
                    self.assertEqual(set(ids) & set(mistakes), {id for id in mistakes if entry["name"] in mistakes[id]["parameters"]})
                    for id in set(ids) & set(mistakes):
                        self.assertIn(("message", mistakes[id]["message"]), values)
                        self.assertIn(("hint", mistakes[id]["hint"]), values)

    def test_prove_reads_it(self):
        """The exit status is that of the tests, and it finds nothing wrong with the text."""
        with tempfile.TemporaryDirectory() as folder:
            for name, report in self.reports.items():
                path = pathlib.Path(folder) / "report.tap"
                path.write_text(self.document(name, "tap"), encoding="utf-8")
                done = subprocess.run(["prove", "--exec", "cat", str(path)], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode == 0, report["passed"], done.stdout)
                self.assertNotIn("Parse errors", done.stdout)
                self.assertIn("Tests=%d," % len(report["parameters"]), done.stdout)
                failed = sum(not entry["passed"] for entry in report["parameters"])
                if failed:
                    self.assertIn("Failed: %d)" % failed, done.stdout)


class MarkdownTest(FormatsTest):
    def rows(self, text):
        """The cells of the table's rows, as GitHub cuts them."""
        return [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]

    def plain(self, cell):
        """What a reader sees."""
        cell = re.sub(r"</?code>", "", cell)
        self.assertIsNone(re.search(r"[\\`*_{}<>\[\]~$]", cell), cell)
        return re.sub(r"&#(\d+);", lambda match: chr(int(match.group(1))), cell)

    def test_all(self):
        for name, report in self.reports.items():
            with self.subTest(report=name):
                text = self.document(name, "markdown")
                self.assertTrue(text.startswith("**Passed:** " if report["passed"] else "**Failed:** "))
                rows = self.rows(text)
                self.assertEqual({len(row) for row in rows}, {6})
                self.assertEqual(rows[0][1].strip(), "parameter")
                entries = report["parameters"]
                self.assertNames([self.plain(row[1]).strip() for row in rows[2:]], entries)
                for row, entry in zip(rows[2:], entries):
                    mark = "?" if entry["status"] == "unexpected" else "✓" if entry["passed"] else "✗"
                    self.assertEqual(row[0].strip(), mark)
                    self.assertEqual(self.plain(row[3]).strip(), entry["status"])
                    self.assertEqual(self.plain(row[5]).strip(), entry.get("detail", ""))
                for mistake in report.get("diagnosis", {}).get("mistakes", []):
                    quoted = [self.plain(line[2:]) for line in text.splitlines() if line.startswith("> ")]
                    self.assertEqual((quoted.count(mistake["message"]), quoted.count(mistake["hint"])), (1, 1))
                outside = [line for line in text.splitlines() if not line.startswith(("|", ">"))]
                self.assertFalse([line for line in outside if line.startswith(("#", "```", "<", "    "))], text)

    def test_nobody_is_mentioned(self):
        text = self.document("hostile", "markdown")
        self.assertNotIn("<b>", text)
        self.assertIn("<code>@everyone</code>", text)
        self.assertIsNone(re.search(r"https?://|www\.", text))
        code = self.document(dict(CODE, backward="dW1 = X.T@dz1\n" + CODE["backward"]), "markdown")
        self.assertIsNone(re.search(r"(?<!<code>)@(?! )", code), code)


class GithubTest(FormatsTest):
    def commands(self, text):
        """(command, properties, message) of each line, read as the runner does."""
        found = []
        for line in text.splitlines():
            command, properties, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()
            decode = lambda text, codes: re.sub("%(" + codes + ")", lambda match: chr(int(match.group(1), 16)), text)
            pairs = dict(pair.split("=", 1) for pair in properties.split(","))
            pairs = {name: decode(value, "25|0A|0D|3A|2C") for name, value in pairs.items()}
            found.append((command, pairs, decode(message, "25|0A|0D")))
        return found

    def test_all(self):
        for name, report in self.reports.items():
            with self.subTest(report=name):
                commands = self.commands(self.document(name, "github"))
                failed = [entry for entry in self.graded(name) if not entry["passed"]]
                self.assertEqual([command[0] for command in commands], ["error"] * len(failed) + ["notice"])
                self.assertEqual({tuple(command[1]) for command in commands}, {("title",)})
                self.assertNames([command[1]["title"] for command in commands[:-1]], failed)
                for (_, _, message), entry in zip(commands, failed):
                    self.assertReason(name, entry, message)
                points = "%s of %s points." % tuple(re.sub(r"\.0$", "", repr(report[member])) for member in ("points", "max_points"))
                self.assertTrue(commands[-1][2].startswith(points), commands[-1])

    def test_a_file(self):
        commands = self.commands(self.document("wrong", "github&file=a%2Cb%3A1%0A.py&suite=100%25%3A%20done"))
        self.assertEqual({command[1]["file"] for command in commands}, {"a,b:1?.py"})
        self.assertEqual({command[1]["line"] for command in commands}, {"1"})
        self.assertEqual(commands[-1][1]["title"], "100%: done")

    def test_ten_are_shown(self):
        for count, shown in ((9, 9), (10, 10), (12, 10)):
            names = ["p%d" % i for i in range(count)]
            request = {"program": "loss = " + " + ".join(names), "parameters": dict.fromkeys(names, 1), "gradients": dict.fromkeys(names, 7)}
            commands = self.commands(self.document(request, "github"))
            errors = [command for command in commands if command[0] == "error"]
            self.assertEqual(len(errors), shown)
            if count >= 10:
                self.assertEqual(errors[-1][2], "and %d more" % (count - 9))


class ClassroomTest(FormatsTest):
    def test_all(self):
        for name, report, entries, document in self.each("classroom"):
            self.assertEqual(set(document), {"version", "status", "max_score", "tests"})
            self.assertEqual((document["version"], document["status"]), (1, "pass" if report["passed"] else "fail"))
            self.assertNames([test["name"] for test in document["tests"]], entries)
            self.assertTotal([test["score"] for test in document["tests"]], report["points"])
            self.assertLessEqual(sum(test["score"] for test in document["tests"]), document["max_score"] * (1 + 1e-15))
            self.assertEqual(document["max_score"], report["max_points"])
            for test, entry in zip(document["tests"], entries):
                self.assertEqual(set(test), {"name", "status", "score", "message", "test_code", "filename", "line_no", "duration"})
                self.assertEqual(test["status"], "pass" if entry["passed"] else "fail")
                self.assertReason(name, entry, test["message"])
                self.assertEqual(test["test_code"], "" if entry["passed"] else test["message"])

    def test_its_successor(self):
        for name, report, entries, document in self.each("classroom50"):
            self.assertEqual(set(document), {"score", "max-score", "tests"})
            self.assertNames([test["test-name"] for test in document["tests"]], entries)
            for total in ("score", "max-score"):
                self.assertIs(type(document[total]), int)
                self.assertEqual(document[total], sum(test[total] for test in document["tests"]))
            for test, entry in zip(document["tests"], entries):
                self.assertIs(test["passed"], entry["passed"])
                self.assertEqual((test["score"], test["max-score"]), tuple(min(math.floor(entry[member]), 1 << 32) for member in ("points", "max_points")))
                self.assertTrue(type(test["score"]) is int and type(test["max-score"]) is int)
                exact = (test["score"], test["max-score"]) == (entry["points"], entry["max_points"])
                self.assertEqual("exact-score" in test, not exact)
                if not exact:
                    self.assertEqual((test["exact-score"], test["exact-max-score"]), (entry["points"], entry["max_points"]))
                self.assertReason(name, entry, test["message"])


class AutolabTest(FormatsTest):
    def test_all(self):
        for name, report in self.reports.items():
            for query in ("autolab", "autolab&scores=total"):
                with self.subTest(report=name, query=query):
                    text, entries = self.document(name, query), self.graded(name)
                    first, last = (self.read(line) for line in text.splitlines())
                    self.assertEqual(list(first), ["_presentation", "stages", "Gradients"])
                    self.assertEqual((first["_presentation"], first["stages"]), ("semantic", ["Gradients"]))
                    self.assertNames(list(first["Gradients"]), entries)
                    for shown, entry in zip(first["Gradients"].values(), entries):
                        self.assertEqual((shown["passed"], "hint" in shown), (entry["passed"], not entry["passed"]))
                        if "hint" in shown:
                            self.assertReason(name, entry, shown["hint"])
                    self.assertEqual(list(last), ["scores"])
                    self.assertTotal(list(last["scores"].values()), report["points"])
                    self.assertEqual(list(last["scores"]), ["Gradients"] if "total" in query else list(first["Gradients"]))


class OtherFormatsTest(FormatsTest):
    def test_submitty(self):
        for name, report, entries, document in self.each("submitty"):
            self.assertEqual((set(document), document["status"]), ({"status", "data"}, "success"))
            self.assertEqual(set(document["data"]), {"score", "message"})
            self.assertTrue(0 <= document["data"]["score"] <= 1)
            self.assertEqual(document["data"]["score"], report["score"])
            first, *messages = document["data"]["message"]
            self.assertEqual(first["status"], "information")
            self.assertEqual([message["status"] for message in messages], ["success" if entry["passed"] else "failure" for entry in entries])
            for message, entry in zip(messages, entries):
                self.assertEqual(set(message), {"message", "status"})
                self.assertReason(name, entry, message["message"].split(": ", 1)[1])

    def test_coderunner(self):
        for name, report, entries, document in self.each("coderunner"):
            self.assertEqual(set(document), {"fraction", "prologuehtml", "testresults", "columnformats"})
            self.assertEqual(document["fraction"], report["score"])
            head, *rows = document["testresults"]
            self.assertEqual(head, ["iscorrect", "Parameter", "Verdict", "Points", "Detail"])
            self.assertEqual(document["columnformats"], ["%s"] * (len(head) - 1))
            self.assertEqual({len(row) for row in rows}, {len(head)})
            self.assertNames([row[1] for row in rows], entries)
            for row, entry in zip(rows, entries):
                self.assertIs(row[0], entry["passed"])
                self.assertEqual(row[2], entry["status"])
                if not entry["passed"]:
                    self.assertReason(name, entry, row[4])
            self.assertRegex(document["prologuehtml"], r"^<p>[^<>\"']*</p>$")

    def test_coderunner_for_staff(self):
        request = dict(self.requests["wrong"], reveal=True)
        html = self.object(request, "coderunner")["instructorhtml"]
        shown = {name: json.loads(numbers) for name, numbers in re.findall(r"(?:<pre>|\n)(.*?) = (.*)", html)}
        self.assertEqual(shown, self.ask(request, "").json()["reference"])
        html = self.object(dict(self.requests["layers"], reveal=True), "coderunner")["instructorhtml"]
        self.assertIn("&lt;i&gt;|?# &amp;&quot;&#39;`.weight = ", html)

    def test_check50(self):
        for name, report, entries, document in self.each("check50"):
            self.assertEqual(set(document), {"slug", "results", "version"})
            self.assertNames([result["name"] for result in document["results"]], entries)
            for result, entry in zip(document["results"], entries):
                self.assertEqual(set(result), {"name", "description", "passed", "log", "cause", "data", "dependency"})
                self.assertIs(result["passed"], entry["passed"])
                self.assertEqual(result["cause"] is None, result["passed"])
                self.assertTrue(all(type(line) is str for line in result["log"]))
                if result["cause"]:
                    self.assertEqual(set(result["cause"]), {"rationale", "help"})
                    self.assertReason(name, entry, result["cause"]["rationale"])

    def test_edulinq(self):
        for name, report, entries, document in self.each("edulinq"):
            self.assertEqual(set(document), {"name", "questions", "prologue", "epilogue"})
            self.assertNames([question["name"] for question in document["questions"]], entries)
            self.assertTotal([question["score"] for question in document["questions"]], report["points"])
            self.assertTotal([question["max_points"] for question in document["questions"]], report["max_points"])
            for question, entry in zip(document["questions"], entries):
                self.assertEqual(set(question), {"name", "max_points", "score", "message"})
                self.assertReason(name, entry, question["message"])


class CodeTest(FormatsTest):
    """Where a student's code was handed in, reasons have its marked lines."""

    def test_marked_lines(self):
        report = self.reports["code"]
        slip, = (line for line in report["lines"] if line["mark"] == "wrong")
        fault, = (line for line in report["lines"] if line["mark"] == "fault")
        outputs = {test["name"]: test["output"] for test in self.object("code", "gradescope")["tests"]}
        for name in ("W1", "b1"):  # which come of it
            self.assertIn("wrong: " + slip["message"], outputs[name].replace(slip.get("mistake") or "wrong", "wrong"))
        self.assertIn(fault["message"], outputs["b2"])
        self.assertNotIn(slip["message"], outputs["b2"])
        self.assertNotIn("line", outputs["W2"])
        for kind in ("junit", "markdown", "github", "tap", "prairielearn", "classroom", "autolab", "submitty", "coderunner", "check50", "edulinq"):
            text = self.document("code", kind)
            self.assertIn("line %d" % slip["line"], text, kind)
            self.assertIn("line %d" % fault["line"], text, kind)

    def test_many_wrong_lines(self):
        code = "\n".join("dW1 = nothing%d" % i for i in range(100))
        outputs = self.object(dict(CODE, backward=code), "gradescope")["tests"]
        self.assertIn("92 more lines of the code are wrong.", outputs[0]["output"])


class LargeTest(FormatsTest):
    """Thousands of parameters, and as many names that nobody asked for as are listed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        count, values = 4000, 2000  # about as much as a program has room for
        names = ["p%d" % i for i in range(count)]
        program = "\n".join("v%d=p0*2" % i for i in range(values)) + "\nloss=np.sum((%s)*x)" % "+".join(names + ["v%d" % i for i in range(values)])
        wrong = dict.fromkeys(names, [-3, -4])
        wrong.update(("dv%d" % i, [-1, -1]) for i in range(values))
        wrong.update(("\n%d %s" % (i, "é|<\"" * 80), 1) for i in range(1000))
        cls.requests["large"] = {"program": program, "parameters": dict.fromkeys(names, [1, 2]), "data": {"x": [3, 4]}, "gradients": wrong}
        with Client(cls.daemon, timeout=60) as client:
            cls.reports = {"large": client.ask(post(json.dumps(cls.requests["large"]).encode())).json()}

    def test_sizes(self):
        self.assertEqual(len(self.reports["large"]["parameters"]), 7000)
        most = {"prairielearn": 1e6, "markdown": 1 << 20, "github": 64 << 10}
        for kind in ("gradescope", "prairielearn", "junit", "tap", "markdown", "github", "classroom", "classroom50", "autolab", "submitty",
                     "coderunner", "check50", "edulinq"):
            answer = self.ask("large", "?format=" + kind)
            self.assertLess(len(answer.body), most.get(kind, 8e6), kind)

    def test_the_rest_is_counted(self):
        text = self.document("large", "markdown")
        rows = [line for line in text.splitlines() if line.startswith("| ✗") or line.startswith("| ?") or line.startswith("| ✓")]
        self.assertEqual(len(rows), 1000)
        self.assertTrue(all(row.startswith("| ✗") for row in rows))  # what failed comes first
        self.assertIn("\nand 6000 more\n", text)
        document = self.object("large", "prairielearn")
        *tests, rest = document["tests"]
        self.assertEqual(rest["name"], "%d more" % (6000 - len(tests)))
        self.assertEqual(sum(test["max_points"] for test in document["tests"]), 6000)

    def test_words_have_an_end(self):
        """A mistake that touches 2000 parameters: beyond what is enough, reasons have its name alone."""
        names = ["W%d" % i for i in range(1, 1001)] + ["b%d" % i for i in range(1, 1001)]
        values = {name: [[1]] if name[0] == "W" else [0] for name in names}
        zeros = {name: [[0]] if name[0] == "W" else [0] for name in names}
        request = {"network": {"input": 1, "layers": [{"type": "linear", "out_features": 1}] * 1000, "loss": "mse"}, "parameters": values,
                   "data": {"x": [[1], [2]], "y": [[3], [5]]}, "gradients": zeros}
        mistake, = self.ask(request, "").json()["diagnosis"]["mistakes"]
        reasons = [test["output"] for test in self.object(request, "gradescope")["tests"]]
        self.assertEqual(len(reasons), 2000)
        for reason in reasons:
            self.assertTrue(reason.startswith("mismatch: 1 of 1 elements differ") and mistake["id"] in reason, reason)
        told = [mistake["message"] in reason and mistake["hint"] in reason for reason in reasons]
        self.assertTrue(told[0] and not told[-1])
        self.assertEqual(told, sorted(told, reverse=True))
        self.assertLess(sum(len(reason) for reason, whole in zip(reasons, told) if whole), 300 << 10)
        self.assertLess(len(self.ask(request, "?format=tap").body), 600 << 10)


if __name__ == "__main__":
    unittest.main()

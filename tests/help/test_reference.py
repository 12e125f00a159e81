"""That the pages leave nothing out: held against the description, the capabilities, --help and what the daemon answers."""

import json
import re
import subprocess

import pages
from daemon import PROGRAM, DaemonTest
from pages import ROOT, ask

# Which page has which endpoint's request.
REQUESTS = {"CheckRequest": "checks", "TrainRequest": "training", "StepRequest": "training", "LandscapeRequest": "training", "SvdRequest": "training"}
ROW = re.compile(r"<tr><th scope=\"row\"><code>([a-z_]+)</code></th><td>([^<]*)</td>")


class ReferenceTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pages = pages.load(cls.daemon)
        cls.description = json.loads((ROOT / "static" / "openapi.json").read_text(encoding="utf-8"))
        cls.capabilities = ask(cls.daemon, "/v1/capabilities").json()

    def stand(self, page, names):
        names = set(names)
        self.assertTrue(names)
        self.assertEqual(names - self.pages[page].words, set(), page)

    def schema(self, name):
        return self.description["components"]["schemas"][name]

    def test_members(self):
        for request, page in REQUESTS.items():
            self.stand(page, self.schema(request)["properties"])
            for name in self.schema(request)["properties"]:
                self.assertIn("%s.%s" % (request, name), self.pages[page].ids)
        for answer in ("Report", "ParameterEntry", "Diagnosis"):
            self.stand("checks", self.schema(answer)["properties"])
        self.stand("training", self.schema("Training")["properties"])
        self.stand("codes", self.schema("Problem")["properties"])

    def test_query(self):
        names = [one["name"] for one in self.description["paths"]["/v1/check"]["post"]["parameters"] if one["in"] == "query"]
        self.stand("formats", names)
        self.assertIn("strict", names)

    def test_formats(self):
        self.stand("formats", self.capabilities["formats"])
        self.assertEqual(
            [one[len("format-") :] for one in self.pages["formats"].ids if one.startswith("format-")], self.capabilities["formats"]
        )
        for names in self.capabilities["bodies"].values():
            self.stand("formats", names)

    def test_codes(self):
        codes = self.schema("Problem")["properties"]["code"]["enum"]
        self.stand("codes", codes)
        self.assertLessEqual(set(codes), set(self.pages["codes"].ids))

    def test_flags(self):
        listed = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True).stdout
        flags = re.findall(r"^  --([a-z-]+) ", listed, re.MULTILINE)
        self.assertGreaterEqual(len(flags), 13)
        self.assertLessEqual(set(flags), set(self.pages["running"].ids))
        for flag in flags:
            self.assertIn("GRADCHECKD_" + flag.upper().replace("-", "_"), self.pages["running"].words)

    def test_layers(self):
        for kind in ("layers", "activations", "losses"):
            self.stand("layers", [one["name"] for one in self.capabilities[kind]])
            self.stand("layers", [a["name"] for one in self.capabilities[kind] for a in one["attributes"]])
        self.stand("layers", self.capabilities["initializers"])
        self.stand("layers", self.capabilities["reductions"])
        self.stand("checks", self.capabilities["conventions"])
        self.stand("training", [one["name"] for one in self.capabilities["optimizers"]])
        self.stand("training", [a["name"] for one in self.capabilities["optimizers"] for a in one["attributes"]])
        self.stand("training", [one["id"] for one in self.capabilities["health"]])

    def test_mistakes(self):
        known = [one["id"] for one in self.capabilities["mistakes"]]
        self.assertLessEqual(set(known), set(self.pages["mistakes"].ids))
        counts = [int(number) for number in re.findall(r"There are (\d+) of a gradient and (\d+)", self.pages["mistakes"].text)[0]]
        self.assertEqual(sum(counts), len(known))

    def test_readme(self):
        """The figures that it names."""
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        named = re.findall(r"(\d+) of a gradient and (\d+) of", text) + re.findall(r"(\d+) of a gradient and (\d+) of", self.pages["mistakes"].text)
        self.assertEqual(len(named), 2)
        self.assertEqual(named[0], named[1])
        self.assertIn("%d reports" % len(self.capabilities["formats"]), text)

    def test_marks(self):
        self.stand("backward", self.schema("Line")["properties"]["mark"]["enum"])

    def test_limits(self):
        """Each of the capabilities, and as much as is said of it."""
        limits = self.capabilities["limits"]
        said = dict(ROW.findall((pages.SOURCES / "running.html").read_text(encoding="utf-8")))
        self.assertEqual(set(said), set(limits))
        for name, value in said.items():
            if value:
                self.assertEqual(float(value), limits[name], name)

    def test_paths(self):
        """Every endpoint is spoken of."""
        text = " ".join(page.text for page in self.pages.values())
        links = {link.lstrip("./") for page in self.pages.values() for link in page.links}
        for path in self.description["paths"]:
            self.assertTrue(path in text or path.lstrip("/") in links, path)

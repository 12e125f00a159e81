"""The client with the real daemon."""

import ast
import contextlib
import email.parser
import email.policy
import html.parser
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from unittest import mock

import fake
from daemon import PROGRAM, Client, DaemonTest, get, post
from fake import SOURCE, Fake

try:
    import numpy as np
except ImportError:
    np = None
try:
    import torch
except ImportError:
    torch = None

HERE = pathlib.Path(__file__).resolve().parent
DEMO, CASES = HERE.parent / "demo", HERE.parent / "cases"
JSON = {"Content-Type": "application/json"}


def demo(name):
    return json.loads((DEMO / (name + ".json")).read_text())


def nbgrader(output, errors, possible):
    """What nbgrader makes of a test cell that is worth `possible` points: its last expression as it is shown, if there is one."""
    if errors:
        return 0
    try:
        points = float(output)
    except ValueError:
        return possible
    if points > possible:
        raise ValueError("more than there are")
    return points if points > 0 else possible


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]

    def handle_data(self, data):
        self.words += data + " "


class ClientTest(DaemonTest):
    arguments = ("--static", str(SOURCE.parent))

    def setUp(self):
        self.gc = fake.load()
        self.url = "http://%s:%d" % (self.daemon.host, self.daemon.port)
        self.gc.connect(self.url)
        self.errors = io.StringIO()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(contextlib.redirect_stderr(self.errors))
        self.addCleanup(lambda: self.assertEqual(self.errors.getvalue(), ""))

    def problem(self, code, *arguments, **options):
        with self.assertRaises(self.gc.Problem) as caught:
            self.gc.check(*arguments, **options)
        self.assertEqual(caught.exception.code, code)
        return caught.exception


class FileTest(ClientTest):
    def test_source(self):
        source = SOURCE.read_text()
        ast.parse(source, feature_version=(3, 8))
        self.assertLess(source.count("\n"), 400)
        self.assertTrue(source.isascii())
        imported = {name.name.split(".")[0] for node in ast.parse(source).body if isinstance(node, ast.Import) for name in node.names}
        self.assertFalse({"numpy", "torch", "js", "pyodide"} & imported)
        if hasattr(sys, "stdlib_module_names"):
            self.assertLessEqual(imported, sys.stdlib_module_names)
        version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout
        self.assertIn(self.gc.__version__, version)

    def test_served(self):
        client = self.client()
        answer = client.ask(get("/client.py"))
        self.assertEqual((answer.status, answer.body), (200, SOURCE.read_bytes()))
        self.assertEqual(answer.headers["content-type"], "text/x-python")
        self.assertEqual(answer.headers["content-disposition"], 'inline; filename="gradcheckd.py"')
        again = client.ask(get("/client.py", b"If-None-Match: %s\r\n" % answer.headers["etag"].encode()))
        self.assertEqual(again.status, 304)
        self.assertNotIn("content-disposition", client.ask(get("/openapi.json")).headers)

    def test_version_is_told_to_the_client_alone(self):
        client = self.client()
        for path in ("/healthz", "/v1/capabilities", "/nope", "/client.py"):
            answer = client.ask(get(path, b"User-Agent: gradcheckd.py/0.0.1\r\n"))
            self.assertEqual(answer.headers["x-gradcheckd-client"], self.gc.__version__, path)
            for agent in (b"", b"User-Agent: curl/8\r\n", b"User-Agent: not gradcheckd.py/1\r\n"):
                self.assertNotIn("x-gradcheckd-client", client.ask(get(path, agent)).headers)

    def test_other_pythons(self):
        """It is imported by every Python 3.8 and newer that is here, and checks."""
        found = [*pathlib.Path("/usr/bin").glob("python3.*[0-9]"), *pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python")]
        tried = 0
        for python in found:
            version = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True).stdout
            if tuple(map(int, version.split())) < (3, 8):
                continue
            done = subprocess.run([python, SOURCE, DEMO / "right.json"], capture_output=True, env=dict(os.environ, GRADCHECKD_URL=self.url))
            self.assertEqual((done.returncode, done.stderr, done.stdout[:7]), (0, b"", b"PASSED:"), python)
            tried += 1
        self.assertGreater(tried, 0)

    def test_loaded_into_a_notebook(self):
        """%load puts the text into a cell, where __name__ is __main__, too: nothing of a shell's happens there."""
        cell = {"__name__": "__main__"}
        with mock.patch.object(sys, "argv", ["ipykernel_launcher.py", "-f", "x.json"]):
            exec(compile(SOURCE.read_text(), "<cell>", "exec"), cell)
        self.assertTrue(callable(cell["check"]))


class ReportTest(ClientTest):
    def test_wrong(self):
        report = self.gc.check(**demo("relu-at-zero"))
        self.assertFalse(report)
        self.assertEqual((report.passed, report.points, report.max_points), (False, 4, 6))
        self.assertAlmostEqual(report.score, 4 / 6)
        self.assertEqual([m["id"] for m in report.mistakes], ["relu_gradient_at_zero"])
        self.assertEqual(report["b2"]["mismatches"], 2)
        with self.assertRaises(KeyError):
            report["W9"]
        self.assertEqual(report.data["parameters"][3], report["b2"])
        self.assertNotIn("text", report.data)
        with self.assertRaises(AssertionError) as caught:
            self.gc.assert_gradients(**demo("relu-at-zero"))
        self.assertEqual(str(caught.exception), str(report))

    def test_right(self):
        report = self.gc.assert_gradients(**demo("right"))
        self.assertTrue(report)
        self.assertEqual((report.score, report.mistakes), (1, []))

    def test_printed_as_text(self):
        """Word for word what ?format=text says, and the data what JSON does, for every case of the tests."""
        compared = 0
        for folder in sorted(CASES.iterdir()):
            request = folder / "request.json"
            if (folder / "status").read_text().strip() != "200" or not request.exists() or (folder / "path").exists():
                continue
            body = request.read_bytes()
            answers = []
            for query in ("text", "json", "client"):
                with Client(self.daemon) as client:
                    answers.append(client.ask(post(body, "/v1/check?format=" + query)))
            if answers[0].status != 200 or any(b'"search":"stopped"' in answer.body for answer in answers[1:]):
                continue  # where a search was stopped depends on the time
            shown = self.gc.Report(answers[2].json())
            self.assertEqual(answers[2].headers["content-type"], "application/vnd.gradcheckd+json")
            self.assertEqual((repr(shown) + "\n", str(shown)), (answers[0].body.decode(), repr(shown)), folder.name)
            self.assertEqual(shown.data, answers[1].json(), folder.name)
            Page(shown._repr_html_())
            compared += 1
        self.assertGreater(compared, 100)

    def test_credit(self):
        """By nbgrader's rule: a wrong submission must not get all points, which is what it makes of 0."""
        right, wrong, half = demo("right"), demo("right"), demo("relu-at-zero")
        wrong["gradients"] = None
        for request, share in ((right, 1), (half, 4 / 6), (wrong, 0)):
            for points in (5, 0.1, 3, 7):
                said = io.StringIO()
                with contextlib.redirect_stdout(said):
                    report = self.gc.check(**request)
                    credit = report.credit(points)
                self.assertIs(type(credit), float)
                self.assertAlmostEqual(nbgrader(repr(credit), self.errors.getvalue(), points), share * points, places=9)
                self.assertEqual(said.getvalue(), str(report) + "\n")
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(report.credit(0), 0)

    def test_html(self):
        request = demo("relu-at-zero")
        request["gradients"]["<script>alert(1)</script>"] = [1]
        request["gradients"].pop("W3")
        report = self.gc.check(**request)
        text = report._repr_html_()
        page = Page(text)
        self.assertFalse({"script", "style", "img", "link", "svg", "iframe"} & set(page.tags))
        self.assertEqual({name for _, name, _ in page.attributes}, {"style", "scope"})
        self.assertEqual([value for tag, name, value in page.attributes if name == "scope"].count("row"), 7)
        for word in ("\u2713 match", "\u2717 mismatch", "\u2717 missing", "? unexpected", "<script>alert(1)", "relu_gradient_at_zero", "Hint:"):
            self.assertIn(word, page.words)
        self.assertNotIn("url(", text)
        bundle = report._repr_mimebundle_()
        self.assertEqual(bundle, {"text/plain": str(report), "text/html": text, "application/vnd.gradcheckd+json": report.data})
        json.dumps(bundle, allow_nan=False)

    def test_html_of_lines(self):
        report = self.gc.check(**dict({n: v for n, v in demo("right").items() if n != "gradients"}, backward="dW3 = h2.T @ (y_hat - y)"))
        self.assertIn("<pre>line by line", report._repr_html_())


class RequestTest(ClientTest):
    layers = [{"type": "linear", "out_features": 2}, "tanh", {"type": "linear", "out_features": 1}]
    parameters = {"W1": [[0.5, -0.3], [0.1, 0.9]], "b1": [0.1, -0.2], "W2": [[0.7], [-0.6]], "b2": [0.05]}
    x, y = [[1, 2], [3, -1], [0, 1]], [[1], [0], [1]]

    def reference(self):
        network = {"input": 2, "layers": [{"type": n} if isinstance(n, str) else n for n in self.layers], "loss": "mse"}
        return self.gc.check(network, self.parameters, self.x, self.y, {}, reveal=True).data["reference"]

    def test_layers(self):
        right = self.reference()
        for options in ({}, {"atol": 1e-6, "rtol": 0}, {"atol": 1e-6}, {"tolerance": {"decimals": 4}}, {"points": {"W1": 3}}):
            report = self.gc.check(self.layers, self.parameters, self.x, self.y, right, loss="mse", **options)
            self.assertTrue(report, options)
        self.assertEqual(report.max_points, 6)
        report = self.gc.check(self.layers, self.parameters, self.x, self.y, right, loss="mse", atol=1e-3, rtol=1e-2)
        self.assertEqual(report.data["tolerance"], {"atol": 1e-3, "rtol": 1e-2})
        columns = [list(column) for column in zip(*self.x)]
        self.assertIn("W1", str(self.gc.check(self.layers, {"init": {"scheme": "zeros"}}, columns, [[1, 0, 1]], {"W1": 0}, loss="mse",
                                              convention="columns")))  # fmt: skip
        request = self.gc._request([{"type": "flatten"}], {}, [[[1, 2]]], [[1]], {}, loss="mse")
        self.assertEqual(request["network"]["input"], [1, 2])

    def test_keywords(self):
        """Every member of the service's request is an option."""
        schema = json.loads((SOURCE.parent / "openapi.json").read_text())["components"]["schemas"]
        for kind in ("CheckRequest", "TrainRequest"):
            for member in schema[kind]["properties"]:
                self.assertIn(member, self.gc._request(**{member: {"any": 1} if member != "program" else "loss = w"}), member)
        self.problem("unknown_member", self.layers, self.parameters, self.x, self.y, {"W1": 0}, loss="mse", tolerence=1)

    def test_program(self):
        program = "z = X @ W\nloss = np.mean((z - y)**2)"
        w, grads = [[1], [2]], {"dW": [[16 / 3 * 1], [0]]}
        reports = [
            self.gc.check(program, {"W": w}, self.x, self.y, grads),
            self.gc.check(program=program, parameters={"W": w}, data={"X": self.x, "y": self.y}, gradients=grads),
            self.gc.check(network=program, params={"W": w}, X=self.x, Y=self.y, grads=grads),
            self.gc.check(program=program, params={"W": w}, x=self.x, y=self.y, backward="dz = 2 * (z - y) / 3\ndW = X.T @ dz"),
        ]
        self.assertEqual([bool(report) for report in reports], [False, False, False, True])
        self.assertEqual(reports[0].data, reports[1].data)

    def test_never_raises_for_gradients(self):
        """Whatever a student's function returns is graded."""
        class Odd:
            shape = "odd"

            def tolist(self):
                raise RuntimeError("odd")

        endless = []
        endless.append(endless)
        wrong = [None, {}, [], 3, "text", float("nan"), object(), lambda: 1, {1: 2}, {(1, 2): 3}, {None: None}, {"W1": None},
                 {"W1": object()}, {"W1": Odd()}, Odd(), {"W1": endless}, {"W1": 1 + 2j}, {"W1": {"a": {1}}}, {"W1": b"bytes"},
                 {"a\0b\ud800": "\0\udfff"}, {"W1": 10**5000}, {"W1": -(10**400)}, {"W1": [[1, 2], [3]]}, {"W1": range(3)},
                 {"W1": (x for x in self.x)}, {"W1": float("inf")}, {"W1": True}, {"\x1b[2J\n::error": 1}, endless,
                 {"x" * 5000: 1}]  # fmt: skip
        for gradients in wrong:
            report = self.gc.check(self.layers, self.parameters, self.x, self.y, gradients, loss="mse")
            self.assertEqual((report.passed, report.points), (False, 0))
            report._repr_html_()
        report = self.gc.check(self.layers, self.parameters, self.x, self.y, {"W1": [[float("nan"), 1], [1, float("inf")]]}, loss="mse")
        self.assertEqual((report["W1"]["status"], report["W1"]["not_finite"]), ("not_finite", 2))

    def test_other_tensors(self):
        """What lies on a device and needs a gradient is fetched; CuPy's and JAX's need nothing but tolist."""
        class OnDevice:
            def __init__(self, steps=()):
                self.steps = steps

            def detach(self):
                return OnDevice(self.steps + ("detach",))

            def cpu(self):
                return OnDevice(self.steps + ("cpu",))

            def tolist(self):
                return [1.5] if self.steps == ("detach", "cpu") else None

        class Other:
            dtype = mock.Mock(kind="f")

            def tolist(self):
                return [2.5]

        self.assertEqual(self.gc._plain({"a": OnDevice(), "b": Other()}), {"a": [1.5], "b": [2.5]})

    def test_problem(self):
        told = self.problem("shape_mismatch", self.layers, dict(self.parameters, W2=[[1, 2]]), self.x, self.y, {"W1": 0}, loss="mse")
        self.assertEqual(told.pointer, "/parameters/W2")
        self.problem("missing_member", self.layers, self.parameters, self.x, self.y, loss="mse")  # nobody has called the student's function

    def test_training(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            run = self.gc.train(**demo("train"))
            quiet = self.gc.train(progress=False, **demo("train"))
        self.assertEqual((len(run.loss), run.data), (1000, quiet.data))
        self.assertEqual([r["id"] for r in run.health], ["dead_relu", "dead_relu", "plateau"])
        self.assertIn("dead_relu", repr(run))
        self.assertIn("epoch   1000 of 1000", said.getvalue())
        self.assertEqual((said.getvalue()[0], said.getvalue()[-1], said.getvalue().count("\n")), ("\r", "\n", 1))
        axes = mock.Mock()
        self.assertIs(run.plot(axes), axes)
        axes.plot.assert_called_once_with(run.epochs, run.loss)


@unittest.skipUnless(np, "NumPy is not there")
class NumPyTest(ClientTest):
    def request(self, width=2, kind="float64"):
        rng = np.random.default_rng(1)
        x, w = rng.standard_normal((6, width)), rng.standard_normal((width, width))
        y = rng.standard_normal((6, width))
        dw, db = x.T @ (x @ w - y) * 2 / y.size, ((x @ w - y) * 2 / y.size).sum(0)
        layers = [{"type": "linear", "out_features": np.int64(width)}]
        return layers, {"W1": w, "b1": np.zeros(width)}, x, y, {"dW1": dw.astype(kind), "db1": db.astype(kind)}

    def test_arrays(self):
        for kind in ("float64", "float32", ">f8"):
            report = self.gc.check(*self.request(kind=kind), loss="mse")
            self.assertTrue(report, report)
        self.assertEqual(report["W1"]["shape"], [2, 2])
        *rest, grads = self.request(kind="float32")
        self.assertEqual(self.gc.check(*rest, grads, loss="mse")["W1"].get("precision", "float32"), "float32")
        *rest, grads = self.request(kind="int64")
        self.assertEqual(self.gc.check(*rest, grads, loss="mse")["W1"]["status"], "mismatch")

    def test_wrong_arrays(self):
        *rest, _ = self.request()
        for array in (np.array([object()]), np.array(["a"]), np.array([1j]), np.array([True]), np.zeros((0, 2)), np.float64("nan"),
                      np.datetime64("2026-01-01"), np.ma.masked, np.zeros(3, dtype="i4,f4"), np.zeros((1,) * 32)):  # fmt: skip
            self.assertEqual(self.gc.check(*rest, {"W1": array}, loss="mse").points, 0)

    def test_large(self):
        """With a service that reads files, the numbers go as npz; with one that does not, as JSON."""
        request = self.request(400)
        report = json.dumps(fake.REPORT).encode()
        for capabilities, kind in (({"bodies": {"files": ["npy", "npz"]}}, "multipart/form-data"), ({"files": ["npz"]}, "multipart/form-data"),
                                   ({"bodies": {"files": ["npy"]}}, "application/json"), ({"bodies": {}}, "application/json"),
                                   ({}, "application/json")):  # fmt: skip
            with Fake((200, JSON, json.dumps(capabilities).encode()), (200, JSON, report)) as service:
                self.gc.connect(service.url)
                self.gc.check(*request, loss="mse")
                self.gc.check(*request, loss="mse")
            self.assertEqual([r[1] for r in service.requests], ["/v1/capabilities", "/v1/check", "/v1/check"])
            self.assertEqual(service.requests[1][2].get_content_type(), kind)

    def parts(self, request):
        _, _, headers, body = request
        text = b"Content-Type: %s\r\n\r\n" % headers["Content-Type"].encode() + body
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(text)
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in message.iter_parts()}

    def test_parts(self):
        layers, params, x, y, grads = self.request(400)
        grads["odd"] = "no array"
        with Fake((200, JSON, b'{"bodies": {"files": ["npz"]}}'), (200, JSON, json.dumps(fake.REPORT).encode())) as service:
            self.gc.connect(service.url)
            self.gc.check(layers, params, x, y, grads, loss="mse")
        parts = self.parts(service.requests[1])
        self.assertEqual(set(parts), {"request", "parameters", "data"})  # what is no array is graded, so stays JSON
        document = json.loads(parts["request"])
        self.assertEqual((set(document), document["gradients"]["odd"]), ({"network", "gradients"}, "no array"))
        archive = np.load(io.BytesIO(parts["parameters"]))
        np.testing.assert_array_equal(archive["W1"], params["W1"])
        self.assertEqual(set(np.load(io.BytesIO(parts["data"]))), {"x", "y"})

    def test_large_with_the_daemon(self):
        """As files, which it says it reads, and the same report as of JSON."""
        request = self.request(400)
        with mock.patch.object(self.gc, "_npz", wraps=self.gc._npz) as written:
            report = self.gc.check(*request, loss="mse")
        self.assertEqual(written.call_count, 3)
        self.assertTrue(report, report)
        self.gc._server["npz"][self.url] = False
        self.assertEqual(self.gc.check(*request, loss="mse").data, report.data)
        request[-1]["dW1"][1, 2] = float("nan")
        report = self.gc.check(*request, loss="mse")
        self.assertEqual((report["W1"]["status"], report["W1"]["first_not_finite"]), ("not_finite", [1, 2]))

    def test_small_asks_nothing(self):
        with Fake((200, JSON, json.dumps(fake.REPORT).encode())) as service:
            self.gc.connect(service.url)
            self.gc.check(*self.request(), loss="mse")
        self.assertEqual(len(service.requests), 1)


@unittest.skipUnless(torch, "PyTorch is not there")
class TorchTest(ClientTest):
    def graded(self, model, loss, x, y, **options):
        loss(model(x), y).backward()
        return self.gc.check(x=x, y=y, gradients={n: p.grad for n, p in model.named_parameters()}, **self.gc.from_torch(model, loss, x), **options)

    def test_models(self):
        from collections import OrderedDict

        from torch import nn

        torch.manual_seed(0)
        x, y, image = torch.rand(5, 4), torch.rand(5, 2), torch.rand(2, 3, 8, 8)
        mlp = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2, bias=False), nn.Sigmoid())
        models = [
            (mlp, nn.MSELoss(), x, y), (mlp, nn.L1Loss(reduction="sum"), x, y), (mlp, nn.SmoothL1Loss(beta=0.1), x, y),
            (mlp, nn.HuberLoss(delta=0.2), x, y), (mlp, nn.BCELoss(), x, y), (mlp[:3], nn.BCEWithLogitsLoss(), x, y),
            (mlp[:3], nn.CrossEntropyLoss(), x, torch.tensor([0, 1, 1, 0, 1])),
            (nn.Sequential(OrderedDict(fc=nn.Linear(4, 2), out=nn.LogSoftmax(1))), nn.NLLLoss(), x, torch.tensor([0, 1, 1, 0, 1])),
            (nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.ELU(0.5)), nn.LayerNorm(3), nn.Linear(3, 2)), nn.MSELoss(), x, y),
            (nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3, elementwise_affine=False), nn.GELU("tanh"), nn.Linear(3, 2)), nn.MSELoss(), x, y),
            (nn.Sequential(nn.Linear(4, 2), nn.LeakyReLU(0.3), nn.Softplus(), nn.SiLU(), nn.Softmax(-1)), nn.MSELoss(), x, y),
            (nn.Sequential(nn.Conv2d(3, 4, (3, 2), stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 2)),
             nn.MSELoss(), image, y[:2]),
            (nn.Sequential(nn.ConvTranspose2d(3, 2, 3, stride=2, output_padding=1), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(72, 2)),
             nn.MSELoss(), image, y[:2]),
        ]  # fmt: skip
        for dtype in (torch.float64, torch.float32):
            for model, loss, inputs, target in models:
                model.zero_grad()
                target = target.to(dtype) if target.is_floating_point() else target
                report = self.graded(model.to(dtype), loss, inputs.to(dtype), target)
                self.assertTrue(report, "%s\n%s" % (model, report))
        named = self.gc.from_torch(models[7][0], nn.NLLLoss(), x)
        self.assertEqual((set(named["parameters"]), named["convention"]), ({"fc.weight", "fc.bias"}, "pytorch"))
        self.assertEqual(self.gc.from_torch(mlp, nn.MSELoss())["network"]["input"], 4)

    def test_refused(self):
        from torch import nn

        linear, mse, x = nn.Linear(2, 2), nn.MSELoss(), torch.rand(3, 2)
        refused = [(nn.BatchNorm1d(2), "layer 1: .*BatchNorm1d.*layer_norm"), (nn.Dropout(), "Dropout"), (nn.Softmax(0), "last axis"),
                   (nn.Softmax(), "last axis"), (nn.Softplus(beta=2), "beta"), (nn.Flatten(0), "start_dim"), (nn.LSTM(2, 2), "LSTM"),
                   (linear, "its own"), (nn.LayerNorm([3, 2]), "last axis"), (nn.Conv1d(2, 2, 1, groups=2), "groups"),
                   (nn.Conv1d(2, 2, 3, padding="same"), "padding=same"), (nn.MaxPool1d(2, ceil_mode=True), "ceil_mode"),
                   (nn.Conv1d(2, 2, 1, dilation=2), "dilation"), (nn.Conv1d(2, 2, 1, padding_mode="zeros", stride=1, bias=False), None),
                   (nn.AvgPool1d(2, padding=1, count_include_pad=False), "count_include_pad"), (nn.Identity(), "Identity")]  # fmt: skip
        for layer, words in refused:
            model = nn.Sequential(linear, layer)
            if words is None:
                self.gc.from_torch(model, mse, x)
                continue
            with self.assertRaisesRegex(self.gc.Problem, words):
                self.gc.from_torch(model, mse, x)
        model = nn.Sequential(linear)
        for loss, words in ((nn.CrossEntropyLoss(label_smoothing=0.1), "label_smoothing"), (nn.CrossEntropyLoss(ignore_index=1), "ignore_index"),
                            (nn.CrossEntropyLoss(weight=torch.ones(2)), "weight"), (nn.NLLLoss(torch.ones(2)), "weight"),
                            (nn.BCEWithLogitsLoss(pos_weight=torch.ones(2)), "pos_weight"), (nn.MSELoss(reduction="none"), "none"),
                            (nn.KLDivLoss(), "KLDivLoss"), (torch.nn.functional.mse_loss, "mse_loss")):  # fmt: skip
            with self.assertRaisesRegex(self.gc.Problem, words):
                self.gc.from_torch(model, loss, x)
        with self.assertRaises(self.gc.Problem):
            self.gc.from_torch(linear, mse, x)

    def test_known_to_the_service(self):
        from torch import nn

        capabilities = self.client().ask(get("/v1/capabilities")).json()
        names = {op["name"] for kind in ("layers", "activations") for op in capabilities[kind]}
        self.assertEqual(set(self.gc.LAYERS.split()), names - {"add", "mul", "concat"})
        losses = {op["name"] for op in capabilities["losses"]}
        self.assertEqual({re.sub("_loss$", "", name) for name in self.gc.LOSSES.split()}, losses - {"hinge", "upstream"})
        classes = {name.lower() for name in dir(nn)}
        for name in self.gc.LAYERS.split() + self.gc.LOSSES.split():
            self.assertIn(name.replace("_", ""), classes)

    def test_tensors(self):
        w = torch.rand(2, 2, requires_grad=True)
        self.assertEqual(self.gc._plain(w.bfloat16()), w.bfloat16().tolist())
        self.assertEqual(self.gc._plain(torch.tensor(3)), 3)
        self.assertTrue(math.isnan(self.gc._plain(torch.tensor([float("nan")]))[0]))


class ShellTest(ClientTest):
    def run_client(self, *words, url=None, python=sys.executable):
        done = subprocess.run([python, SOURCE, *map(str, words)], capture_output=True, text=True, encoding="utf-8", timeout=100,
                              env=dict(os.environ, GRADCHECKD_URL=url or self.url, PYTHONUTF8="1"))  # fmt: skip
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_statuses(self):
        for name, status in (("right", 0), ("relu-at-zero", 1), ("train", 2)):
            self.assertEqual(self.run_client(DEMO / (name + ".json"))[0], status, name)
        self.assertEqual(self.run_client(DEMO / "no such file")[0], 2)
        self.assertEqual(self.run_client()[0], 2)
        self.assertEqual(self.run_client(DEMO / "right.json", "--format", "no such")[0], 2)
        self.assertEqual(self.run_client(DEMO / "right.json", "--format")[0], 2)
        self.assertEqual(self.run_client(DEMO / "demo.sh")[0], 2)
        with Fake((503, {"Retry-After": "100"}, b"")) as service:
            self.assertEqual(self.run_client(DEMO / "right.json", url=service.url)[0], 75)

    def test_formats(self):
        status, report = self.run_client(DEMO / "relu-at-zero.json", "--format", "json")
        self.assertEqual((status, json.loads(report)["points"]), (1, 4))
        self.assertEqual(self.run_client("--format", "text", DEMO / "right.json"), self.run_client(DEMO / "right.json"))

    def test_gradients_of_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "gradients.json"
            path.write_text(json.dumps(demo("right")["gradients"]))
            self.assertEqual(self.run_client(DEMO / "relu-at-zero.json", path)[0], 0)
            path.write_text("{")
            self.assertEqual(self.run_client(DEMO / "relu-at-zero.json", path)[0], 2)

    def test_npz(self):
        """It goes as it is to a service that takes files, without NumPy; for another one NumPy reads it."""
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "gradients.npz"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("W1.npy", b"whatever")
            answer = json.dumps(fake.REPORT).encode()
            with Fake((200, JSON, b'{"bodies": {"files": ["npz"]}}'), (200, JSON, answer)) as service:
                self.assertEqual(self.run_client(DEMO / "right.json", path, url=service.url)[0], 0)
            self.assertIn(path.read_bytes(), service.requests[1][3])
            self.assertNotIn(b'"gradients":', service.requests[1][3])
            if np is None:
                self.skipTest("NumPy is not there")
            np.savez(path, **{n: np.array(g) for n, g in demo("right")["gradients"].items()})
            self.assertEqual(self.run_client(DEMO / "relu-at-zero.json", path)[0], 0)

    def test_a_terminal_without_check_marks(self):
        done = subprocess.run([sys.executable, SOURCE, DEMO / "right.json"], capture_output=True,
                              env=dict(os.environ, GRADCHECKD_URL=self.url, PYTHONIOENCODING="ascii"))  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"? W1", done.stdout)


if __name__ == "__main__":
    unittest.main()

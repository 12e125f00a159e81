"""The trace of a program: values, gradients and formulas, step by step. (That all formulas hold, NumPy says:
tests/programs/trace.py.)"""

import hashlib
import json
import tempfile
import unittest

from daemon import Client, Daemon, DaemonTest, post

CHAIN = {"program": "g = x**2\ny = 2 * g + 1", "output": "y", "parameters": {"x": 3}, "gradients": {}, "trace": True}
NEURON = {
    "program": "z = w * x + b\ny_hat = 1 / (1 + np.exp(-z))\nloss = (y_hat - y)**2",
    "parameters": {"w": 0.5, "b": 0.1}, "data": {"x": 2, "y": 1}, "gradients": {}, "trace": True,
}


class TraceTest(DaemonTest):
    def ask(self, request, path="/v1/check"):
        return self.client().ask(post(json.dumps(request).encode(), path))

    def trace(self, program, parameters, data=None, **members):
        """The entries by name, in order."""
        request = dict({"program": program, "parameters": parameters, "data": data or {}, "gradients": {}, "trace": True}, **members)
        answer = self.ask(request)
        self.assertEqual(answer.status, 200, answer.body)
        return {entry["name"]: entry for entry in answer.json()["trace"]}

    def lines(self, *arguments, **members):
        return {name: entry.get("backward") for name, entry in self.trace(*arguments, **members).items()}

    def test_the_chain_rule(self):
        """The lab's first part: 6, 2, 12."""
        trace = self.trace(CHAIN["program"], {"x": 3}, output="y")
        self.assertEqual(list(trace), ["x", "g", "y"])
        self.assertEqual((trace["x"]["derivatives"], trace["g"]["derivatives"]), ({"g": 6}, {"y": 2}))
        self.assertEqual([trace[name]["gradient"] for name in trace], [12, 2, 1])
        self.assertEqual([trace[name]["backward"] for name in trace], ["dx = 2 * dg * x", "dg = 2", "dy = 1"])

    def test_a_neuron(self):
        """Its second: every number that it prints."""
        trace = self.trace(NEURON["program"], NEURON["parameters"], NEURON["data"])
        self.assertEqual(list(trace), ["w", "b", "x", "y", "z", "y_hat", "loss"])
        for name, value in (("z", 1.1), ("y_hat", 0.750260), ("loss", 0.062370)):
            self.assertAlmostEqual(trace[name]["value"], value, delta=5e-7)
        for name, gradient in (("w", -0.187175), ("b", -0.093587), ("y_hat", -0.499480)):
            self.assertAlmostEqual(trace[name]["gradient"], gradient, delta=1e-6)
        self.assertAlmostEqual(trace["z"]["derivatives"]["y_hat"], 0.187370, delta=5e-7)
        self.assertEqual(trace["w"]["backward"], "dw = dz * x")
        self.assertNotIn("gradient", trace["x"])

    def test_an_entry(self):
        trace = self.trace("# a comment\n  # another\nh = np.tanh(x @ W)   # a layer\nk = h * h\nloss = np.sum(k) + np.sum(h)", {"W": [[1, 2]]}, {"x": [[0.5]]})
        self.assertEqual({key: trace["h"][key] for key in ("line", "text", "shape", "uses", "gradient_name", "backward")},
                         {"line": 3, "text": "h = np.tanh(x @ W)   # a layer", "shape": [1, 2], "uses": [4, 5], "gradient_name": "dh", "backward": "dh = 2 * dk * h + 1"})
        self.assertEqual((trace["W"]["line"], trace["W"]["uses"], trace["x"]["uses"]), (None, [3], [3]))
        self.assertNotIn("text", trace["W"])
        self.assertEqual(trace["W"]["backward"], "dW = x.T @ (dh * (1 - h**2))")

    def test_formulas(self):
        """As people write them."""
        lines = self.lines("p = sigmoid(X @ W + b)\nloss = np.mean((p - y)**2)", {"W": [[1], [2]], "b": [0.5]}, {"X": [[1, 2], [3, 4]], "y": [[0], [1]]})
        self.assertEqual([lines[name] for name in ("p", "W", "b")],
                         ["dp = 2 * (p - y) / 2", "dW = X.T @ (dp * p * (1 - p))", "db = (dp * p * (1 - p)).sum(0)"])
        lines = self.lines("probs = softmax(z)\nloss = -np.log(probs[np.arange(2), y]).mean()", {"z": [[1, 2, 3], [0, 1, 0]]}, {"y": [0, 2]})
        self.assertEqual(lines["probs"], "dprobs = np.zeros((2, 3)); np.add.at(dprobs, (np.arange(2), y), -1 / probs[np.arange(2), y] / 2)")
        lines = self.lines("a = x[:, :2]\nb = x[:, 2:]\nloss = (a * b).sum()", {"x": [[1, 2, 3, 4]]})
        self.assertEqual(lines["x"], "dx = np.zeros((1, 4)); dx[:, :2] += da; dx[:, 2:] += db")

    def test_ops(self):
        """A line for each kind of op; the loss is np.sum(y * y), of which dy is known."""
        x, p = [[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]], [[0.5, 1.25, 2.0], [1.5, 0.25, 0.75]]
        for expression, line, other in (
            ("np.exp(x) - p", "dx = dy * np.exp(x)", "dp = -dy"),
            ("x * np.log(p)", "dx = dy * np.log(p)", "dp = dy * x / p"),
            ("np.sqrt(p) * x", "dx = dy * np.sqrt(p)", "dp = dy * x / (2 * np.sqrt(p))"),
            ("np.abs(x) / p", "dx = dy / p * np.sign(x)", "dp = -dy * np.abs(x) / p**2"),
            ("x**3 + p**-1", "dx = 3 * dy * x**2", "dp = -dy / p**2"),
            ("np.clip(x, -1, 1) * 3 - p / 4", "dx = 3 * dy * (x >= -1) * (x <= 1)", "dp = -dy / 4"),
            ("np.minimum(x, p)", "dx = dy * (x <= p)", "dp = dy * (p < x)"),
            ("relu(x) + softplus(p)", "dx = dy * (x > 0)", "dp = dy * sigmoid(p)"),
            ("leaky_relu(x)", "dx = dy * np.where(x > 0, 1, 0.01)", None),
            ("elu(x)", "dx = dy * np.where(x > 0, 1, y + 1)", None),
            ("softmax(x)", "dx = y * (dy - (dy * y).sum(-1, keepdims=True))", None),
            ("log_softmax(x)", "dx = dy - np.exp(y) * dy.sum(-1, keepdims=True)", None),
            ("x.sum(1)", "dx = np.broadcast_to(dy[:, None], (2, 3))", None),
            ("x.mean(0)", "dx = np.broadcast_to(dy, (2, 3)) / 2", None),
            ("x.max(1)", "dx = dy[:, None] * (x == y[:, None])", None),
            ("x.prod(1)", "dx = dy[:, None] * y[:, None] / x", None),
            ("x.var(1)", "dx = 2 * dy[:, None] * (x - x.mean(1, keepdims=True)) / 3", None),
            ("np.linalg.norm(x, axis=1)", "dx = dy[:, None] * x / y[:, None]", None),
            ("logsumexp(x, axis=0)", "dx = dy * np.exp(x - y)", None),
            ("x @ p.T", "dx = dy @ p", "dp = (x.T @ dy).T"),
            ("x.reshape(-1)", "dx = dy.reshape((2, 3))", None),
            ("x[:, ::2]", "dx = np.zeros((2, 3)); dx[:, ::2] += dy", None),
            ("x[::-1]", "dx = np.zeros((2, 3)); dx[::-1] += dy", None),
            ("np.broadcast_to(x, (2, 2, 3)) + p[None]", "dx = dy.sum(0)", None),
            ("np.concatenate([x, p], axis=1)", "dx = dy[:, 0:3]", "dp = dy[:, 3:6]"),
            ("np.where(x > 0, x, p)", "dx = np.where(x > 0, dy, 0)", "dp = np.where(x > 0, 0, dy)"),
            ("x[[0, 0, 1]]", "dx = np.zeros((2, 3)); np.add.at(dx, np.array([0, 0, 1]), dy)", None),
            ("x + p.sum(0)", "dx = dy", "dp = np.broadcast_to(dy.sum(0), (2, 3))"),
            ("mse(x, p)", "dx = 2 * dy * (x - p) / 6", "dp = -2 * dy * (x - p) / 6"),
            ("huber(x, t, delta=0.5)", "dx = dy * np.clip(x - t, -0.5, 0.5) / 6", None),
            ("smooth_l1(x, t)", "dx = dy * np.clip((x - t) / 1, -1, 1) / 6", None),
            ("bce_with_logits(x, t)", "dx = dy * (sigmoid(x) - t) / 6", None),
            ("cross_entropy(x, t)", "dx = dy * (softmax(x) - t) / 2", None),
            ("linear(x, w, b)", "dx = dy @ w.T", None),
        ):
            with self.subTest(expression=expression):
                lines = self.lines("y = %s\nloss = np.sum(y * y)" % expression, {"x": x, "p": p, "w": [[1, 2], [3, 4], [5, 6]], "b": [1, 2]}, {"t": [[0, 1, 0], [0, 0, 1]]})
                self.assertEqual(lines["x"], line)
                if other is not None:
                    self.assertEqual(lines["p"], other)

    def test_what_was_overwritten(self):
        lines = self.lines("h = x * 2\nh[:, 1:] = p\nh[np.arange(2), y] = 0\nloss = np.sum(h * h)", {"x": [[1, 2], [3, 4]], "p": [[5], [6]]}, {"y": [0, 1]})
        self.assertEqual(lines["h[0]"], "dh[0] = dh[1].copy(); dh[0][:, 1:] = 0")
        self.assertEqual(lines["h[1]"], "dh[1] = dh[2].copy(); dh[1][np.arange(2), y] = 0")
        self.assertEqual(lines["p"], "dp = dh[1][:, 1:]")

    def test_versions(self):
        """A name that is assigned again is another value each time."""
        lines = self.lines("h = x * 2\nh = h * h\nloss = h", {"x": 3})
        self.assertEqual(lines, {"x": "dx = 2 * dh[0]", "h[0]": "dh[0] = 2 * h[0]", "h[1]": "dh[1] = 1"})

    def test_names_that_are_taken(self):
        """A gradient has another name where the program calls something else so."""
        trace = self.trace("out = x * 3\nloss = np.sum(out * dout)", {"x": [1, 2]}, {"dout": [5, 6]})
        self.assertEqual(trace["out"]["backward"], "dL_dout = dout")
        self.assertEqual(trace["x"]["backward"], "dx = 3 * dL_dout")

    def test_no_formula_that_is_not_so(self):
        """Of elements that tie the first one has the gradient: what is true without ties is not said then."""
        self.assertEqual(self.lines("loss = x.max()", {"x": [1, 2, 0]})["x"], "dx = 1.0 * (x == loss)")
        self.assertIsNone(self.lines("loss = x.max()", {"x": [1, 2, 2]})["x"])
        self.assertIsNone(self.lines("loss = np.prod(x)", {"x": [0.0, 2, 3]})["x"])
        self.assertIsNotNone(self.lines("loss = np.prod(x)", {"x": [1.0, 2, 3]})["x"])

    def test_what_leads_nowhere(self):
        self.assertEqual(self.lines("u = x * 3\nloss = x * x", {"x": 2})["u"], "du = 0")

    def test_large_tensors(self):
        trace = self.trace("h = x * 2\nloss = h.sum()", {"x": [[1.0] * 16] * 16})
        self.assertIn("value", trace["x"])
        trace = self.trace("h = x * 2\nloss = h.sum()", {"x": [1.0] * 257})
        self.assertNotIn("value", trace["h"])
        self.assertNotIn("gradient", trace["h"])
        self.assertEqual(trace["x"]["backward"], "dx = 2 * dh")

    def test_many_values(self):
        """The first thousand are listed; how many more there are is said."""
        answer = self.ask({"program": "s = x\nfor i in range(1500):\n    s = s * 0.999\nloss = s", "parameters": {"x": 1}, "gradients": {}, "trace": True})
        report = answer.json()
        self.assertEqual((answer.status, len(report["trace"]), report["trace_not_listed"]), (200, 1000, 501))

    def test_a_gradient_that_arrives(self):
        trace = self.trace("out = x * 2", {"x": [1, 2]}, {"upstream": [3, 4]}, output="out")
        self.assertEqual((trace["upstream"]["value"], trace["out"]["backward"]), ([3, 4], "dout = upstream"))

    def test_as_text(self):
        text = self.ask(NEURON, "/v1/check?format=text").body.decode()
        for line in ("  1  z = w * x + b                 z = 1.1\n", "  3  dloss = 1 ", "dw = dz * x ", "= -0.187175  where dz/dw = 2\n"):
            self.assertIn(line, text)
        self.assertLess(text.index("\nforward\n"), text.index("\nbackward\n"))

    def test_beside_gradients(self):
        report = self.ask(dict(NEURON, gradients={"w": -0.187175, "b": 1}, tolerance={"atol": 1e-5})).json()
        self.assertEqual([entry["passed"] for entry in report["parameters"]], [True, False])
        self.assertEqual(len(report["trace"]), 7)

    def test_only_where_it_is_asked_for(self):
        self.assertNotIn("trace", self.ask(dict(NEURON, trace=False, gradients={"w": 1})).json())

    def test_refused(self):
        network = {"network": {"input": 1, "layers": [{"type": "linear", "out_features": 1}], "loss": "mse"}, "parameters": {"W1": [[1]], "b1": [0]},
                   "data": {"x": [[1]], "y": [[1]]}, "gradients": {"W1": [[1]]}, "trace": True}
        problem = self.assertProblem(self.ask(network), 400, "out_of_range")
        self.assertEqual(problem["pointer"], "/trace")
        self.assertEqual(self.ask(dict(network, trace=False)).status, 200)
        self.assertProblem(self.ask(dict(NEURON, trace="yes")), 400, "wrong_type")

    def test_operators_on_constants(self):
        """What is done to a constant does not read what it is about to write."""
        request = {"program": "c = np.array([1.0, 2.0])\nloss = np.sum(w * -c) + np.sum(w * np.exp(-np.abs(-c)))", "parameters": {"w": [0, 0]}, "gradients": {}, "reveal": True}
        gradient = self.ask(request).json()["reference"]["w"]
        self.assertAlmostEqual(gradient[0], -1 + 0.36787944117144233)
        self.assertAlmostEqual(gradient[1], -2 + 0.1353352832366127)


class RevealTest(unittest.TestCase):
    """A trace holds the reference: whoever may not see that does not get one."""

    def ask(self, daemon, token=None, **members):
        extra = b"Authorization: Bearer %s\r\n" % token if token else b""
        with Client(daemon) as client:
            return client.ask(post(json.dumps(dict(NEURON, gradients={"w": 1}, **members)).encode(), extra=extra))

    def test_no_reveal(self):
        with Daemon("--no-reveal") as daemon:
            answer = self.ask(daemon)
            self.assertEqual((answer.status, answer.json()["code"], answer.json()["pointer"]), (403, "reveal_refused", "/trace"))
            self.assertEqual(self.ask(daemon, trace=False).status, 200)

    def test_roles(self):
        with tempfile.NamedTemporaryFile("w") as file:
            for role, token in (("check", b"student"), ("staff", b"teacher")):
                file.write("%s %s\n" % (role, hashlib.sha256(token).hexdigest()))
            file.flush()
            with Daemon("--tokens", file.name) as daemon:
                self.assertEqual(self.ask(daemon, b"student").status, 403)
                self.assertEqual(self.ask(daemon, b"teacher").status, 200)


if __name__ == "__main__":
    unittest.main()

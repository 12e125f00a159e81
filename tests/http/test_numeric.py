"""`numeric` of a check: the central differences themselves, by name, of networks and of programs."""

import json
import unittest

from daemon import Client, Daemon, DaemonTest, post
from vectors import flat

NETWORK = {
    "network": {"input": 2, "layers": [{"type": "linear", "out_features": 3}, {"type": "tanh"}, {"type": "linear", "out_features": 1}], "loss": "mse"},
    "parameters": {"init": {"scheme": "xavier_normal", "seed": 3}},
    "data": {"x": [[1, 2], [0.5, -1], [2, 0]], "y": [[1], [0], [2]]},
}
PROGRAM = {"program": "h = np.tanh(x @ W)\nloss = np.sum((h - y)**2)", "parameters": {"W": [[0.3, -0.2], [0.1, 0.7]]},
           "data": {"x": [[1, 2], [0.5, -1]], "y": [[0.1, 0.2], [0.3, 0.4]]}}


class NumericTest(DaemonTest):
    def check(self, request, **members):
        answer = self.client().ask(post(json.dumps({**request, **members}).encode()))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def assert_near(self, numeric, reference):
        self.assertEqual(list(numeric), list(reference))
        for name, values in reference.items():
            for a, b in zip(flat([numeric[name]]), flat([values])):
                self.assertAlmostEqual(a, b, delta=1e-8)
        self.assertNotEqual(numeric, reference)

    def test_a_network(self):
        for convention in ("numpy", "pytorch", "columns", "numpy_out_in"):
            data = NETWORK["data"]
            if convention == "columns":
                data = {name: [list(column) for column in zip(*rows)] for name, rows in data.items()}
            report = self.check(NETWORK, convention=convention, data=data, gradients={"x": 0}, reveal=True, numeric=True)
            self.assert_near(report["numeric"], report["reference"])
            self.assertEqual(len(report["numeric"]), 5)
            self.assertNotIn("verification", report)

    def test_a_program(self):
        """Of parameters and data; not of what is computed on the way."""
        report = self.check(PROGRAM, gradients={"W": 0, "dx": 0, "h": 0}, reveal=True, numeric=True)
        self.assertEqual(list(report["reference"]), ["W", "x", "h"])
        del report["reference"]["h"]
        self.assert_near(report["numeric"], report["reference"])

    def test_alone(self):
        """It needs no gradients, and shows no reference."""
        report = self.check(PROGRAM, gradients={}, numeric=True)
        self.assertEqual(list(report["numeric"]), ["W"])
        self.assertNotIn("reference", report)
        self.assertNotIn("numeric", self.check(PROGRAM, gradients={"W": 0}))

    def test_with_verification(self):
        both = self.check(NETWORK, gradients={}, numeric=True, verify_reference=True)
        self.assertEqual(both["verification"], self.check(NETWORK, gradients={"W1": 0}, verify_reference=True)["verification"])
        self.assertEqual(both["numeric"], self.check(NETWORK, gradients={}, numeric=True)["numeric"])

    def test_across_a_kink(self):
        """There a difference says nothing."""
        report = self.check({"program": "loss = np.sum(np.abs(w))", "parameters": {"w": [1.0, 0.0, -2.0]}}, gradients={}, numeric=True)
        first, kink, last = report["numeric"]["w"]
        self.assertIsNone(kink)
        self.assertAlmostEqual(first, 1, delta=1e-9)
        self.assertAlmostEqual(last, -1, delta=1e-9)

    def test_as_text(self):
        answer = self.client().ask(post(json.dumps({**PROGRAM, "gradients": {}, "numeric": True}).encode(), "/v1/check?format=text"))
        self.assertIn("\nnumeric\n  W = [[", answer.body.decode())

    def test_held_back(self):
        """From whom the reference is."""
        request = post(json.dumps({**PROGRAM, "gradients": {"W": 0}, "numeric": True}).encode())
        with Daemon("--no-reveal") as daemon, Client(daemon) as client:
            problem = self.assertProblem(client.ask(request), 403, "reveal_refused")
            self.assertEqual(problem["pointer"], "/numeric")

    def test_refused(self):
        answer = self.client().ask(post(json.dumps({**PROGRAM, "gradients": {}, "numeric": 1}).encode()))
        self.assertEqual(self.assertProblem(answer, 400, "wrong_type")["pointer"], "/numeric")

    def test_too_much(self):
        with Daemon("--max-work", "1e4") as daemon, Client(daemon) as client:
            request = {**NETWORK, "gradients": {"W1": 0}}
            self.assertEqual(client.ask(post(json.dumps(request).encode())).status, 200)
            self.assertProblem(client.ask(post(json.dumps({**request, "numeric": True}).encode())), 422, "too_much_work")


if __name__ == "__main__":
    unittest.main()

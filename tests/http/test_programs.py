"""POST /v1/check with a program in place of a network."""

import json
import unittest

from daemon import DaemonTest, post

# The lab's chain rule, and its single neuron step by step.
CHAIN = {"program": "y = x**2\nloss = 3 * y", "parameters": {"x": 2}, "gradients": {"x": 12, "y": 3}}
NEURON = {
    "program": "z = w * x + b\ny_hat = 1 / (1 + np.exp(-z))\nloss = (y_hat - y)**2",
    "parameters": {"w": 0.5, "b": 0.1},
    "data": {"x": 2, "y": 1},
    "gradients": {"dw": -0.187175, "db": -0.093587},
    "intermediates": {"z": 1.1, "y_hat": 0.750260, "loss": 0.062370},
    "tolerance": {"atol": 1e-6},
}
RECURRENT = """def step(h, x_t):
    return np.tanh(x_t @ Wx + h @ Wh)

h = np.zeros((2, 3))
states = []
for t in range(x.shape[1]):
    h = step(h, x[:, t])
    states.append(h)
loss = sum(s.sum() for s in states)
"""


class ProgramsTest(DaemonTest):
    def ask(self, **members):
        answer = self.client().ask(post(json.dumps(members).encode()))
        return answer

    def check(self, request, **members):
        answer = self.ask(**dict(request, **members))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def reference(self, **members):
        return self.check(dict(members, gradients={}, reveal=True))

    def fault(self, program, line, column, detail, **members):
        members.setdefault("parameters", {"x": [[1.0, 2, 3], [4, 5, 6]]})
        members.setdefault("gradients", {"x": 1})
        answer = self.ask(program=program, **members)
        problem = self.assertProblem(answer, 400, "program_error")
        self.assertIn(detail, problem["detail"])
        self.assertEqual((problem.get("line"), problem.get("column")), (line, column), problem["detail"])

    def test_the_chain_rule(self):
        report = self.check(CHAIN)
        self.assertTrue(report["passed"])
        self.assertEqual(report["loss"], 12)
        self.assertEqual([(entry["name"], entry.get("line")) for entry in report["parameters"]], [("x", None), ("y", 1)])

    def test_a_mask_that_parameters_make(self):
        """As many values written as it takes; and one of a shape that does not fit."""
        program = "z = x * 1\nz[x > 0] = y\nloss = np.sum(z)"
        parameters = {"x": [1, -2, 3], "y": [3, 4]}
        report = self.check({"program": program, "parameters": parameters, "gradients": {"x": [0, 1, 0], "y": [1, 1]}})
        self.assertTrue(report["passed"], report)
        answer = self.ask(program="z = x * 1\nz[y > 0] = x\nloss = np.sum(z)", parameters=parameters, gradients={"x": 1})
        self.assertProblem(answer, 400, "program_error")

    def test_a_constant_array_keeps_its_sign(self):
        report = self.check({"program": "c = -np.array([1.0, 2.0])\nloss = np.sum(c * np.exp(-c) * w)", "parameters": {"w": [1, 1]},
                             "gradients": {"w": [-2.718281828459045, -14.7781121978613]}})
        self.assertTrue(report["passed"], report)

    def test_a_neuron(self):
        report = self.check(NEURON, verify_reference=True)
        self.assertTrue(report["passed"])
        self.assertEqual({entry["name"]: entry["passed"] for entry in report["intermediates"]}, dict.fromkeys(("z", "y_hat", "loss"), True))
        self.assertLess(report["verification"]["max_rel_diff"], 1e-7)

    def test_what_is_wrong(self):
        """One number of one tensor: that entry fails, and no other."""
        report = self.check(CHAIN, gradients={"x": 12.1, "y": 3})
        self.assertFalse(report["passed"])
        self.assertEqual([entry["passed"] for entry in report["parameters"]], [False, True])

    def test_a_loop_and_a_function(self):
        x = [[[0.1, -0.2], [0.3, 0.4]], [[-0.5, 0.6], [0.7, -0.8]]]
        parameters = {"Wx": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "Wh": [[0.1, 0, 0.2], [0, 0.3, 0], [0.1, 0.1, 0.1]]}
        reference = self.reference(program=RECURRENT, parameters=parameters, data={"x": x})["reference"]
        report = self.check(dict(program=RECURRENT, parameters=parameters, data={"x": x}, gradients=reference, verify_reference=True))
        self.assertTrue(report["passed"])
        self.assertLess(report["verification"]["max_rel_diff"], 1e-7)

    def test_a_name_that_is_assigned_again(self):
        program = "h = x * 2\nh = h * 3\nh = h * 5\nloss = h"
        report = self.check(dict(program=program, parameters={"x": 1}, gradients={"x": 30, "h": 1, "h[1]": 5, "h[0]": 15}))
        self.assertTrue(report["passed"])
        self.assertEqual([entry["name"] for entry in report["parameters"]], ["x", "h[0]", "h[1]", "h"])

    def test_a_gradient_that_arrives(self):
        program = "out = x * 2"
        request = dict(program=program, output="out", parameters={"x": [1, 2]}, data={"upstream": [3, 4]})
        self.assertTrue(self.check(request, gradients={"x": [6, 8], "out": [3, 4]})["passed"])

    def test_gradients_of_data(self):
        request = dict(program="loss = np.sum(x * w)", parameters={"w": [1, 2]}, data={"x": [3, 4]})
        self.assertTrue(self.check(request, gradients={"w": [3, 4], "dx": [1, 2]})["passed"])
        self.assertEqual(len(self.check(request, gradients={"w": [3, 4]})["parameters"]), 1)

    def test_points(self):
        report = self.check(CHAIN, points={"y": 3}, gradients={"x": 12})
        self.assertEqual((report["points"], report["max_points"]), (1, 4))

    def test_writing_into_an_array(self):
        program = "a = np.zeros((2, 2))\na[0] = x\na[:, 1] += 1\na[a < 0] = 0\nloss = np.sum(a * a)"
        report = self.check(dict(program=program, parameters={"x": [3, -2]}, gradients={"x": [6, 0]}))
        self.assertTrue(report["passed"])

    def test_classes_that_there_are_not(self):
        """They are refused, wherever they come from: a row of zeros in their place would grade something else."""
        request = dict(program="loss = cross_entropy(z, y)", parameters={"z": [[0.1, 0.2, 0.3], [1, 2, 3]]}, gradients={"z": 1})
        for classes in ([0, 3], [0, 0.5]):
            self.assertProblem(self.ask(**request, data={"y": classes}), 400, "out_of_range")
        for classes in ([0, -1], [0, -4]):
            self.assertProblem(self.ask(**request, data={"y": classes}), 400, "program_error")
        self.assertEqual(self.ask(**request, data={"y": [0, 2]}).status, 200)
        request["program"] = "loss = cross_entropy(z, np.array([0, 3]))"
        self.assertProblem(self.ask(**request), 400, "program_error")

    def test_a_value_of_two_names(self):
        """Each of its assignments has its line."""
        program = "a = x * 2\nb = a * 3\na = b + a\nloss = a"
        report = self.check(dict(program=program, parameters={"x": 1}, gradients={"x": 8, "a[0]": 4, "b": 1, "a": 1}))
        self.assertEqual([(entry["name"], entry.get("line"), entry["passed"]) for entry in report["parameters"]],
                         [("x", None, True), ("a[0]", 1, True), ("b", 2, True), ("a", 3, True)])

    def test_faults(self):
        self.fault("loss = xx", 1, 8, "did you mean x?")
        self.fault("y = np.exq(x)", 1, 8, "did you mean exp?")
        self.fault("y = x @ x", 1, 7, "[2,3] and [2,3]")
        self.fault("y = 1\nz = x + np.ones((4, 5))", 2, 7, "[2,3] and [4,5]")
        self.fault("y = (x + 1", 1, 5, "never closed")
        self.fault("y = x +\nz = 1", 1, 8, "a value is expected")
        self.fault("while True:\n    pass", 1, 1, "no while")
        self.fault("y = x[5]", 1, 5, "out of range")
        self.fault("y = x $ 2", 1, 7, "means nothing")
        self.fault("loss = x", 1, 1, "must be one number")
        self.fault("loss = 3", 1, 1, "does not depend")
        self.fault("y = x", None, None, "nothing that is called loss")

    def test_what_would_take_too_long(self):
        """Refused before it takes time or memory."""
        for program in (
            "for i in range(10**9):\n    y = i",
            "for i in range(10000):\n    for j in range(10000):\n        y = i",
            "y = np.zeros((100000, 100000))",
            "a = [1]\nfor i in range(64):\n    a = a + a",
            "a = 'x'\nfor i in range(64):\n    a = a + a",
            "a = np.ones((4000, 4000))\nb = a @ a",
            "y = " + "(" * 40 + "1" + ")" * 40,
            "y = " + "-" * 60000 + "1",
            "def f(n):\n    return f(n)\ny = f(1)",
            "a = []\na.append(a)\ny = np.array(a)",
        ):
            answer = self.ask(program=program, parameters={"x": 1}, gradients={"x": 1})
            self.assertProblem(answer, 400, "program_error")

    def test_a_long_one_is_a_worker_s(self):
        program = "s = x\nfor i in range(20000):\n    s = s + 0.001\nloss = s"
        self.assertTrue(self.check(dict(program=program, parameters={"x": 1}, gradients={"x": 1}))["passed"])


if __name__ == "__main__":
    unittest.main()

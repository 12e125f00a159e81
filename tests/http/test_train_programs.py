"""POST /v1/train with a program in place of a network: PyTorch's runs, the lab's, what is refused, streams, and the end."""

import json
import time
import unittest

from daemon import Client, DaemonTest, post, wait_until
from test_train import LAB, TrainTest, events_of, parse
from vectors import flat, read_vectors

PROGRAM = """z1 = x @ W1 + b1
h1 = np.maximum(0, z1)
z2 = h1 @ W2 + b2
h2 = np.maximum(0, z2)
z3 = h2 @ W3 + b3
y_hat = 1 / (1 + np.exp(-z3))
loss = np.mean((y_hat - y)**2)"""

# np.random.seed(123), randn(in, out) * sqrt(2 / in) for each layer, in turn: what `init` draws for the list of layers.
SEED_123 = {
    "W1": [[-1.0856306033005612, 0.9973454465835858, 0.28297849805199204],
           [-1.506294713918092, -0.5786002519685364, 1.651436537097151]],
    "b1": [0, 0, 0],
    "W2": [[-1.9813753052387262, -0.35020569497779147], [1.0336326269055058, -0.7076905750013774],
           [-0.5543082216385892, -0.07732954932016181]],
    "b2": [0, 0],
    "W3": [[1.4913896261242878], [-0.638901996684651]],
    "b3": [0],
}


class ProgramTrainTest(TrainTest):
    def program(self, program, parameters, data=None, **members):
        return self.train({"program": program, "parameters": parameters, "data": data or {}, **members})


class NumbersTest(ProgramTrainTest):
    def test_vectors(self):
        """PyTorch's losses, gradient norms and parameters; kinks, loops and functions of classes among them."""
        count = 0
        for _, vector in read_vectors("train_programs"):
            with self.subTest(name=vector["name"]):
                answer, expected = self.train(vector["request"]), vector["expected"]
                self.assert_close("loss", answer["loss"], expected["loss"], 1e-9)
                self.assertEqual(list(answer["gradient_norms"]), list(expected["gradient_norms"]))
                for name, norms in expected["gradient_norms"].items():
                    self.assert_close(name, answer["gradient_norms"][name], norms, 1e-8)
                self.assert_relative("final loss", answer["final"]["loss"], expected["final"], 1e-8)
                for name, values in expected["parameters"].items():
                    self.assert_close(name, answer["parameters"][name], values, 1e-6)
                count += 1
        self.assertEqual(count, 24)

    def test_what_parameters_decide_is_refused(self):
        """A branch, a mask or an order would stay what the first parameters made it."""
        for program, line in (("loss = np.sum(x[x > 1]**2)", 1), ("if x[0] > 3:\n    loss = np.sum(x)\nelse:\n    loss = np.sum(x**2)", 1),
                              ("z = 2 * x\nloss = np.sort(z)[0]**2", 2), ("loss = np.sum(x) * 0\nfor i in range(int(x[0])):\n    loss += x[1]", 2)):
            with self.subTest(program):
                problem = self.undecided({"program": program, "parameters": {"x": [3.9, 2]}})
                self.assertEqual((problem["pointer"], problem["line"]), ("/program", line))

    def undecided(self, request):
        request.update(optimizer={"type": "sgd", "lr": 0.1}, epochs=2)
        return self.assertProblem(self.client().ask(post(json.dumps(request).encode(), path="/v1/train")), 400, "program_error")

    def test_the_lab(self):
        """The curve of the list of layers, to the last digit but rounding, and the same remarks, by line."""
        layers = self.train(LAB)
        program = self.program(PROGRAM, SEED_123, LAB["data"], optimizer=LAB["optimizer"], epochs=1000)
        self.assertAlmostEqual(program["loss"][0], 0.19890335149539573, delta=1e-15)
        self.assertAlmostEqual(program["loss"][999], 0.16667542448329686, delta=1e-12)
        self.assert_close("loss", program["loss"], layers["loss"], 1e-12)
        for name in SEED_123:
            self.assert_close(name, flat(program["parameters"][name]), flat(layers["parameters"][name]), 1e-10)
        self.assertEqual(list(program["gradient_norms"]), list(SEED_123))
        remarks = [(r["id"], r["layer"], r.get("line"), r["epoch"], r.get("units")) for r in program["health"]]
        self.assertEqual(remarks, [("dead_relu", None, 2, 0, [0]), ("dead_relu", None, 4, 0, [1]), ("plateau", None, None, 69, None)])
        self.assertEqual([r["id"] for r in layers["health"]], ["dead_relu", "dead_relu", "plateau"])
        self.assertNotIn("line", layers["health"][0])

    def test_what_there_is_not(self):
        """No accuracy, no predictions, no boundary: a program does not say what these would be."""
        answer = self.program(PROGRAM, SEED_123, LAB["data"], epochs=2)
        self.assertEqual(set(answer), {"epochs", "loss", "gradient_norms", "final", "parameters", "health", "device", "dtype"})
        self.assertEqual(set(answer["final"]), {"loss"})

    def test_an_upstream(self):
        """The loss is the sum of the output times what arrives there."""
        answer = self.program("out = 2 * w", {"w": [1.0, 2.0]}, {"upstream": [3.0, -1.0]}, output="out", epochs=2, optimizer={"type": "sgd", "lr": 0.5})
        self.assertEqual(answer["loss"], [2.0, 2.0 - 20.0])
        self.assertEqual(answer["parameters"]["w"], [1.0 - 6.0, 2.0 + 2.0])

    def test_float32(self):
        answer = self.program(PROGRAM, SEED_123, LAB["data"], optimizer={"type": "sgd", "lr": 1.0}, epochs=20, dtype="float32")
        self.assertAlmostEqual(answer["loss"][0], 0.19890335149539573, delta=1e-6)
        self.assertEqual(answer["dtype"], "float32")

    def test_parameters_go_on(self):
        """Two trainings one after the other are one."""
        options = {"optimizer": {"type": "sgd", "lr": 0.5}, "epochs": 10}
        first = self.program(PROGRAM, SEED_123, LAB["data"], **options)
        second = self.program(PROGRAM, first["parameters"], LAB["data"], **options)
        both = self.program(PROGRAM, SEED_123, LAB["data"], **{**options, "epochs": 20})
        self.assert_close("loss", first["loss"] + second["loss"], both["loss"], 1e-12)

    def test_a_parameter_that_is_not_used(self):
        answer = self.program("loss = w * w", {"w": 1.0, "unused": [1.0, 2.0]}, epochs=3, optimizer={"type": "sgd", "lr": 0.1})
        self.assertEqual(answer["parameters"]["unused"], [1.0, 2.0])
        self.assertEqual(answer["gradient_norms"]["unused"], [0, 0, 0])


class HealthTest(ProgramTrainTest):
    def ids(self, *arguments, **members):
        return [(r["id"], r.get("line")) for r in self.program(*arguments, **members)["health"]]

    def test_healthy(self):
        self.assertEqual(self.ids("loss = np.sum((w - 3)**2)", {"w": [0.0, 1.0]}, epochs=100, optimizer={"type": "sgd", "lr": 0.1}), [])

    def test_diverged(self):
        found = self.ids("loss = np.sum((w - 3)**2)", {"w": [0.0, 1.0]}, epochs=50, optimizer={"type": "sgd", "lr": 1.5})
        self.assertIn(("diverged", None), found)

    def test_not_finite_ends_the_curve(self):
        answer = self.program("loss = np.sum(np.exp(w))", {"w": [3.0]}, epochs=50, optimizer={"type": "sgd", "lr": 1000.0})
        self.assertLess(len(answer["loss"]), 51)
        answer = self.program("loss = w**4", {"w": 3.0}, epochs=50, optimizer={"type": "sgd", "lr": 10.0})
        self.assertLess(len(answer["loss"]), 50)
        self.assertEqual(answer["health"][0]["id"], "diverged")

    def test_plateau(self):
        self.assertIn(("plateau", None), self.ids("loss = 5 + w**2", {"w": 0.5}, epochs=100, optimizer={"type": "sgd", "lr": 0.3}))

    def test_oscillating(self):
        found = self.ids("loss = 1 + np.abs(w)", {"w": 0.13}, epochs=100, optimizer={"type": "sgd", "lr": 0.4})
        self.assertEqual([which for which, _ in found], ["oscillating"])

    def test_a_dead_relu_of_a_loop(self):
        """Its line is said once, and a unit is dead only where it is so in all rounds."""
        program = "s = 1 + 0 * np.sum(w)\nfor t in range(3):\n    h = relu(x[t] @ w - c)\n    s = s + np.sum(h) * 0.0001\nloss = s"
        parameters = {"w": [[1.0, -1.0, 0.5], [1.0, -1.0, 0.5]]}
        data = {"x": [[[1.0, 1.0]], [[2.0, 1.0]], [[0.1, 0.2]]], "c": [0.5, 0.5, 9.0]}
        answer = self.program(program, parameters, data, epochs=30, optimizer={"type": "sgd", "lr": 1e-3})
        dead = [r for r in answer["health"] if r["id"] == "dead_relu"]
        self.assertEqual([(r["line"], r["units"]) for r in dead], [(3, [1, 2])])

    def test_saturated(self):
        program = "h = tanh(x @ w)\nloss = 1 + np.mean((h - y)**2)"
        answer = self.program(program, {"w": [[9.0], [9.0]]}, {"x": [[1.0, 2.0], [-2.0, -1.0]], "y": [[-0.9], [0.9]]}, epochs=40,
                              optimizer={"type": "sgd", "lr": 0.01})
        self.assertEqual([(r["id"], r.get("line")) for r in answer["health"]], [("saturated", 1), ("plateau", None)])
        self.assertIn("line 1 (tanh)", answer["health"][0]["message"])


class RefusedTest(ProgramTrainTest):
    def fault(self, status, code, pointer, accept=None, **change):
        request = {"program": "loss = np.sum(w * w)", "parameters": {"w": [1.0, 2.0]}, "epochs": 3, **change}
        problem = self.refused({k: v for k, v in request.items() if v is not None}, status, code, accept)
        self.assertEqual(problem.get("pointer", ""), pointer, problem)
        return problem

    def test_members(self):
        self.assertIn("all of its data at once", self.fault(400, "unknown_member", "/batch_size", batch_size=1)["detail"])
        self.assertIn("networks of layers", self.fault(400, "unknown_member", "/boundary", boundary={})["detail"])
        for name in ("convention", "names", "shapes", "network", "gradients", "points", "reveal"):
            self.fault(400, "unknown_member", "/" + name, **{name: {}})
        self.fault(400, "wrong_type", "/parameters/init", parameters={"init": {"scheme": "zeros"}})
        self.fault(400, "out_of_range", "/epochs", epochs=0)
        self.fault(400, "unknown_member", "/optimizer/mometum", optimizer={"type": "sgd", "mometum": 0.9})

    def test_programs(self):
        for accept in (None, "text/event-stream"):
            problem = self.fault(400, "program_error", "/program", accept, program="y = 1\nloss = np.sum(v)")
            self.assertEqual((problem["line"], problem["column"]), (2, 15))
        self.fault(400, "program_error", "/program", program="loss = w * w")
        self.fault(400, "program_error", "/program", parameters={}, data={"w": [1.0]})
        self.fault(400, "not_finite", "/parameters", program="loss = np.sum(np.exp(1000 * w))")

    def test_too_much(self):
        self.fault(422, "too_much_work", "", epochs=10**12, record_every=10**11)
        self.fault(422, "too_much_work", "", program="s = np.sum(w)\nfor i in range(20000):\n    s = s * 0.999\nloss = s", epochs=20000)


class StreamTest(ProgramTrainTest):
    REQUEST = {"program": PROGRAM, "parameters": SEED_123, "data": LAB["data"], "optimizer": {"type": "sgd", "lr": 1.0}, "epochs": 1000}
    LONG = {"program": "s = w\nfor i in range(1000):\n    s = s * 0.9999 + 1e-5\nloss = s * s", "parameters": {"w": 1.0}, "epochs": 60000}

    def test_events(self):
        with self.asked(self.REQUEST, "text/event-stream") as response:
            self.assertEqual(response.getheader("Content-Type"), "text/event-stream")
            events = [(event, parse(data)) for event, data, _ in events_of(response)]
        self.assertEqual(events[0][0], "epoch")
        self.assertEqual(set(events[0][1]), {"epoch", "loss", "gradient_norms", "health"})
        self.assertEqual(events[-1], ("done", self.train(self.REQUEST)))

    def test_who_leaves_stops_it(self):
        with Client(self.daemon) as client:
            client.send(post(json.dumps(self.LONG).encode(), "/v1/train"))
            self.assertTrue(wait_until(lambda: self.in_flight() == 1))
        self.assert_idle(10)

    def test_a_long_program_is_a_worker_s(self):
        """Nothing waits for it meanwhile."""
        with self.asked(self.LONG, "text/event-stream") as response:
            self.assertEqual(next(events_of(response))[0], "epoch")
            begun = time.monotonic()
            self.train({**self.REQUEST, "epochs": 1})
            self.assertLess(time.monotonic() - begun, 10)
        self.assert_idle(10)


del TrainTest  # whose own tests are test_train's

if __name__ == "__main__":
    unittest.main()

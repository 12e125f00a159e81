"""The manual backpropagation lab, figure by figure: what its students compute is what the daemon expects.

The right gradients come from the lab's own backward pass, written here with plain lists. They can therefore differ from
NumPy's in the last bit; where the lab states a figure, that figure is what is compared.
"""

import http.client
import json
import math
import pathlib
import unittest

from daemon import DaemonTest

NUMPY_RANDOM = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "numpy_random.json"

XOR = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]}
LAST_DIGIT = 3e-17  # two units in the last place of figures around 0.1

LAB_LOSS = 0.2924523261082102
LAB_DW3 = [[-0.1205513129207582], [-0.05158143678976604]]
LAB_DB3 = [-0.05272262653034386]
LAB_DB1 = [0.10218921263535359, 0.0, -0.032007551907750065]
LAB_PREDICTIONS = [[0.5], [0.20574742], [0.49285144], [0.17824836]]


# --- what a student writes -------------------------------------------------------------------------------------------


def transpose(a):
    return [list(column) for column in zip(*a)]


def matmul(a, b):
    columns = transpose(b)
    return [[sum(p * q for p, q in zip(row, column)) for column in columns] for row in a]


def apply(f, *matrices):
    return [[f(*values) for values in zip(*rows)] for rows in zip(*matrices)]


def sum_rows(a):
    return [[sum(column) for column in transpose(a)]]


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


class Student:
    """The lab's network: ReLU in every layer but the last, which has a sigmoid; mean squared error or BCE."""

    def __init__(self, weights, data, loss="mse", relu_passes_zero=False, divides_by_batch=True):
        self.weights, self.loss_name = weights, loss
        biases = [[[0.0] * len(W[0])] for W in weights]
        x, y = data["x"], data["y"]
        n, last = len(x), len(weights)
        self.cache, h = {}, x
        for k, (W, b) in enumerate(zip(weights, biases), 1):
            z = [[value + shift for value, shift in zip(row, b[0])] for row in matmul(h, W)]
            h = apply(sigmoid if k == last else lambda v: max(0.0, v), z)
            self.cache[f"z{k}"], self.cache[f"h{k}"] = z, h
        self.cache["y_hat"] = h
        if loss == "mse":
            self.loss = sum((p - t) ** 2 for (p,), (t,) in zip(h, y)) / n
        else:
            self.loss = -sum(t * math.log(p) + (1 - t) * math.log(1 - p) for (p,), (t,) in zip(h, y)) / n

        over = n if divides_by_batch else 1
        if loss == "mse":
            dh = apply(lambda p, t: 2.0 * (p - t) / over, h, y)
            self.cache["dy_hat"] = dh
            dz = apply(lambda d, p: d * p * (1.0 - p), dh, h)
        else:
            dz = apply(lambda p, t: (p - t) / over, h, y)
        self.gradients = {}
        for k in range(last, 0, -1):
            below = self.cache[f"h{k - 1}"] if k > 1 else x
            self.cache[f"dz{k}"] = dz
            self.gradients[f"W{k}"] = matmul(transpose(below), dz)
            self.gradients[f"b{k}"] = sum_rows(dz)
            if k > 1:
                dh = self.cache[f"dh{k - 1}"] = matmul(dz, transpose(weights[k - 1]))
                passes = (lambda z: z >= 0) if relu_passes_zero else (lambda z: z > 0)
                dz = apply(lambda d, z: d if passes(z) else 0.0, dh, self.cache[f"z{k - 1}"])

    def parameters(self):
        """Explicit tensors, the biases as [1, n], as in the notebook."""
        tensors = {}
        for k, W in enumerate(self.weights, 1):
            tensors[f"W{k}"], tensors[f"b{k}"] = W, [[0.0] * len(W[0])]
        return tensors


def numpy_draws():
    return json.loads(NUMPY_RANDOM.read_text(encoding="ascii"))


def he_normal(*sizes, seed=42):
    """The weights that np.random.seed(seed) and randn(in, out) * sqrt(2 / in) give, from the committed draws."""
    for draw in numpy_draws():
        shapes = [(layer["in"], layer["out"]) for layer in draw["layers"]]
        if draw["init"] == {"scheme": "he_normal", "seed": seed} and shapes == list(zip(sizes, sizes[1:])):
            return [layer["values"] for layer in draw["layers"]]
    raise LookupError(sizes)


def network(*sizes, loss="mse"):
    layers = []
    for size in sizes[1:]:
        layers += [{"type": "linear", "out_features": size}, {"type": "relu"}]
    layers[-1] = {"type": "sigmoid"}
    return {"input": sizes[0], "layers": layers, "loss": loss}


INIT = {"init": {"scheme": "he_normal", "seed": 42, "generator": "numpy"}}


# --- the tests -------------------------------------------------------------------------------------------------------


class LabTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = http.client.HTTPConnection(cls.daemon.host, cls.daemon.port, timeout=60)
        cls.addClassCleanup(cls.connection.close)

    def check(self, network_definition, parameters, data, gradients, **options):
        request = {"network": network_definition, "parameters": parameters, "data": data, "gradients": gradients, **options}
        self.connection.request("POST", "/v1/check", json.dumps(request), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        self.assertEqual(response.status, 200, answer)
        return answer

    def assert_passed(self, answer):
        self.assertEqual([entry for entry in answer["parameters"] + answer.get("intermediates", [])
                          if entry["status"] != "match"], [])
        self.assertIs(answer["passed"], True)
        self.assertEqual(answer["points"], answer["max_points"])

    def statuses(self, answer):
        return {entry["name"]: entry["status"] for entry in answer["parameters"]}

    def assert_figures(self, found, expected):
        flat_found, flat_expected = sum(found, []) if isinstance(found[0], list) else found, expected
        if isinstance(expected[0], list):
            flat_expected = sum(expected, [])
        self.assertEqual(len(flat_found), len(flat_expected))
        for a, b in zip(flat_found, flat_expected):
            self.assertLessEqual(abs(a - b), LAST_DIGIT, (found, expected))

    # The MLP

    def lab_answers(self, **options):
        """The answers for the lab's 2-3-2-1 network: parameters drawn by the daemon, and given as tensors."""
        student = Student(he_normal(2, 3, 2, 1), XOR)
        for parameters in (INIT, student.parameters()):
            with self.subTest(parameters="init" if "init" in parameters else "tensors"):
                yield student, self.check(network(2, 3, 2, 1), parameters, XOR, student.gradients, **options)

    def test_the_lab_network_with_right_gradients(self):
        for student, answer in self.lab_answers():
            self.assert_passed(answer)
            self.assertEqual(answer["loss"], LAB_LOSS)
            self.assertAlmostEqual(student.loss, LAB_LOSS, delta=1e-16)
            self.assertEqual(answer["max_points"], 6)
            self.assertEqual(answer["score"], 1)
            self.assertEqual([entry["name"] for entry in answer["parameters"]], ["W1", "b1", "W2", "b2", "W3", "b3"])
            self.assertNotIn("reference", answer)

    def test_the_lab_network_to_the_last_digit(self):
        for _, answer in self.lab_answers(reveal=True):
            reference = answer["reference"]
            self.assert_figures(reference["W3"], LAB_DW3)
            self.assert_figures(reference["b3"], LAB_DB3)
            self.assert_figures(reference["b1"], LAB_DB1)

    def test_the_figures_of_the_lab_sheet_pass_as_gradients(self):
        student = Student(he_normal(2, 3, 2, 1), XOR)
        gradients = {**student.gradients, "W3": LAB_DW3, "b3": [LAB_DB3], "b1": [LAB_DB1]}
        self.assert_passed(self.check(network(2, 3, 2, 1), INIT, XOR, gradients, tolerance={"atol": 1e-15, "rtol": 0}))

    def test_predictions_and_caches_as_intermediates(self):
        student = Student(he_normal(2, 3, 2, 1), XOR)
        answer = self.check(network(2, 3, 2, 1), INIT, XOR, student.gradients, intermediates=student.cache,
                            tolerance={"atol": 1e-15, "rtol": 0})
        self.assert_passed(answer)
        self.assertEqual({entry["name"] for entry in answer["intermediates"]}, set(student.cache))
        answer = self.check(network(2, 3, 2, 1), INIT, XOR, student.gradients, intermediates={"y_hat": LAB_PREDICTIONS},
                            tolerance={"atol": 5e-9, "rtol": 0})
        self.assert_passed(answer)

    def test_the_relu_is_exactly_at_its_kink(self):
        """Input [0, 0] and zero biases: z1 is exactly 0, so its row of dz1 must be 0."""
        student = Student(he_normal(2, 3, 2, 1), XOR)
        self.assertEqual(student.cache["z1"][0], [0.0, 0.0, 0.0])
        self.assertEqual(student.cache["dz1"][0], [0.0, 0.0, 0.0])
        answer = self.check(network(2, 3, 2, 1), INIT, XOR, student.gradients,
                            intermediates={"z1": student.cache["z1"], "dz1": student.cache["dz1"]})
        self.assert_passed(answer)

    def test_exercise_2(self):
        student = Student(he_normal(2, 4, 3, 2, 1), XOR)
        for parameters in (INIT, student.parameters()):
            answer = self.check(network(2, 4, 3, 2, 1), parameters, XOR, student.gradients, intermediates=student.cache,
                                tolerance={"atol": 1e-15, "rtol": 0})
            self.assert_passed(answer)
            self.assertEqual(answer["max_points"], 8)
            self.assertAlmostEqual(answer["loss"], student.loss, delta=1e-15)

    def test_the_challenge(self):
        """Binary cross-entropy behind a sigmoid: dL/dz = (y_hat - y) / n."""
        student = Student(he_normal(2, 3, 2, 1), XOR, loss="bce")
        for parameters in (INIT, student.parameters()):
            answer = self.check(network(2, 3, 2, 1, loss="bce"), parameters, XOR, student.gradients,
                                intermediates=student.cache, tolerance={"atol": 1e-15, "rtol": 0})
            self.assert_passed(answer)
            self.assertAlmostEqual(answer["loss"], student.loss, delta=1e-15)
        logits = network(2, 3, 2, 1, loss="bce_with_logits")
        logits["layers"].pop()
        self.assert_passed(self.check(logits, INIT, XOR, student.gradients, tolerance={"atol": 1e-15, "rtol": 0}))

    # One neuron

    def neuron(self, activation, w, b, gradients, **options):
        definition = {"input": 1, "layers": [{"type": "linear", "out_features": 1}, {"type": activation}], "loss": "mse"}
        return self.check(definition, {"W1": [[w]], "b1": [b]}, {"x": [[2.0]], "y": [[1.0]]}, gradients, **options)

    def test_one_neuron_with_the_printed_figures(self):
        answer = self.neuron("sigmoid", 0.5, 0.1, {"W1": [[-0.187175]], "b1": [-0.093587]},
                             intermediates={"z1": [[1.1]], "y_hat": [[0.750260]], "dy_hat": [[-0.499480]],
                                            "dz1": [[-0.499480 * 0.187370]]},
                             tolerance={"atol": 6e-7, "rtol": 0})
        self.assert_passed(answer)
        self.assertEqual(round(answer["loss"], 6), 0.062370)

    def test_one_neuron_exactly(self):
        y_hat = sigmoid(2.0 * 0.5 + 0.1)
        dz = 2.0 * (y_hat - 1.0) * y_hat * (1.0 - y_hat)
        answer = self.neuron("sigmoid", 0.5, 0.1, {"W1": [[2.0 * dz]], "b1": [dz]}, tolerance={"atol": 1e-15, "rtol": 0})
        self.assert_passed(answer)

    def test_exercise_1(self):
        """The same neuron with a ReLU: z 1.1, so dL/dw = 2 * 0.1 * 2. At z = 0 nothing goes through."""
        answer = self.neuron("relu", 0.5, 0.1, {"W1": [[0.4]], "b1": [0.2]}, tolerance={"atol": 1e-15, "rtol": 0})
        self.assert_passed(answer)
        self.assertAlmostEqual(answer["loss"], 0.01, delta=1e-16)
        self.assert_passed(self.neuron("relu", 0.5, -1.0, {"W1": [[0]], "b1": [0]}, tolerance={"atol": 0, "rtol": 0}))
        answer = self.neuron("relu", 0.5, -1.0, {"W1": [[-4.0]], "b1": [-2.0]})
        self.assertEqual(self.statuses(answer), {"W1": "mismatch", "b1": "mismatch"})

    # The four common mistakes

    def mistaken(self, gradients):
        answer = self.check(network(2, 3, 2, 1), INIT, XOR, gradients)
        self.assertIs(answer["passed"], False)
        return self.statuses(answer)

    def test_mistake_order_of_the_product(self):
        right = Student(he_normal(2, 3, 2, 1), XOR).gradients
        self.assertEqual(self.mistaken({**right, "W2": transpose(right["W2"])}),
                         {"W1": "match", "b1": "match", "W2": "shape_mismatch", "b2": "match", "W3": "match", "b3": "match"})

    def test_mistake_no_sum_over_the_batch(self):
        student = Student(he_normal(2, 3, 2, 1), XOR)
        gradients = {**student.gradients, **{f"b{k}": student.cache[f"dz{k}"] for k in (1, 2, 3)}}
        self.assertEqual(self.mistaken(gradients), {"W1": "match", "b1": "shape_mismatch", "W2": "match",
                                                    "b2": "shape_mismatch", "W3": "match", "b3": "shape_mismatch"})

    def test_mistake_relu_at_zero(self):
        student = Student(he_normal(2, 3, 2, 1), XOR, relu_passes_zero=True)
        self.assertEqual(self.mistaken(student.gradients), {"W1": "match", "b1": "mismatch", "W2": "match",
                                                            "b2": "mismatch", "W3": "match", "b3": "match"})

    def test_mistake_no_division_by_the_batch_size(self):
        student = Student(he_normal(2, 3, 2, 1), XOR, divides_by_batch=False)
        self.assertEqual(set(self.mistaken(student.gradients).values()), {"mismatch"})

    # NumPy's generator

    def test_every_init_scheme_bit_for_bit(self):
        """With inputs of zero and l2 = 1 the gradient of a weight is the weight itself, and the tolerance is none."""
        for draw in numpy_draws():
            layers = draw["layers"]
            with self.subTest(init=draw["init"], layers=len(layers)):
                definition = {"input": layers[0]["in"], "loss": {"type": "mse", "l2": 1},
                              "layers": [{"type": "linear", "out_features": layer["out"]} for layer in layers]}
                data = {"x": [[0.0] * layers[0]["in"]], "y": [[0.0] * layers[-1]["out"]]}
                weights = {f"W{k}": layer["values"] for k, layer in enumerate(layers, 1)}
                biases = {f"b{k}": [0.0] * layer["out"] for k, layer in enumerate(layers, 1)}
                answer = self.check(definition, {"init": {**draw["init"], "generator": "numpy"}}, data,
                                    {**weights, **biases}, tolerance={"atol": 0, "rtol": 0}, reveal=True)
                self.assert_passed(answer)
                for name, values in weights.items():
                    self.assertEqual(answer["reference"][name], values)


if __name__ == "__main__":
    unittest.main()

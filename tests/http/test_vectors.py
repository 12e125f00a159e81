"""The daemon against PyTorch: every vector of tests/vectors/*.ndjson, and single wrong elements planted into them."""

import copy
import http.client
import json
import unittest

from daemon import DaemonTest
from vectors import flat, read_vectors

# What rounding may make: of a tensor's elements relative to its largest magnitude, of the loss relative to itself. No case
# holds a tensor that is zero but for rounding. The tolerance that is sent scales with the largest number of the whole case.
ROUNDING = {"float64": {"of_tensor": 1e-10, "loss": 1e-10, "atol": 1e-12, "rtol": 1e-10},
            "float32": {"of_tensor": 2e-5, "loss": 1e-5, "atol": 1e-5, "rtol": 1e-4}}

PLANTED_VECTORS = 60
PLANTED = 1e-3


def indices(values, lead=()):
    """The index of every number of nested lists, row-major."""
    if not isinstance(values, list):
        yield lead
        return
    for position, part in enumerate(values):
        yield from indices(part, lead + (position,))


def magnitude(values):
    return max((abs(number) for number in flat(values)), default=0.0)


def add_at(values, index, step):
    for position in index[:-1]:
        values = values[position]
    values[index[-1]] += step


class VectorTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = http.client.HTTPConnection(cls.daemon.host, cls.daemon.port, timeout=60)
        cls.addClassCleanup(cls.connection.close)

    def check(self, request):
        self.connection.request("POST", "/v1/check", json.dumps(request), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        self.assertEqual(response.status, 200, answer)
        return answer

    def assert_close(self, what, found, expected, bound):
        found, expected = flat(found), flat(expected)
        self.assertEqual(len(found), len(expected), what)
        worst = max((abs(a - b) for a, b in zip(found, expected)), default=0.0)
        self.assertLessEqual(worst, bound, what)

    def test_vectors_exist(self):
        counts = {}
        for group, _ in read_vectors():
            counts[group] = counts.get(group, 0) + 1
        self.assertEqual(set(counts), {"activations", "losses", "networks", "edges", "lab", "float32", "graphs",
                                       "large_graphs", "penalties", "convolutions"})
        self.assertGreater(sum(counts.values()), 600)
        self.assertGreaterEqual(counts["graphs"], 200)
        self.assertGreaterEqual(counts["large_graphs"], 20)

    def test_every_vector_matches(self):
        for group, vector in read_vectors():
            with self.subTest(group=group, name=vector["name"]):
                self.one_vector(vector)

    def one_vector(self, vector):
        request, expected = copy.deepcopy(vector["request"]), vector["expected"]
        dtype = request.get("dtype", "float64")
        allowed = ROUNDING[dtype]
        tensors = {**expected["gradients"], **expected["intermediates"]}
        scale = max(magnitude(values) for values in tensors.values())
        bound = {name: allowed["of_tensor"] * magnitude(values) for name, values in tensors.items()}

        request["gradients"], request["intermediates"] = expected["gradients"], expected["intermediates"]
        request["reveal"] = True
        request["tolerance"] = {"atol": allowed["atol"] * max(scale, 1.0), "rtol": allowed["rtol"]}
        answer = self.check(request)

        failed = [entry for entry in answer["parameters"] + answer.get("intermediates", []) if entry["status"] != "match"]
        self.assertEqual(failed, [])
        self.assertIs(answer["passed"], True)
        self.assertEqual(answer["score"], 1)
        self.assertEqual(answer["dtype"], dtype)
        self.assertEqual([entry["name"] for entry in answer["parameters"]], list(expected["gradients"]))
        self.assertEqual({entry["name"] for entry in answer.get("intermediates", [])}, set(expected["intermediates"]))
        self.assertLessEqual(abs(answer["loss"] - expected["loss"]), allowed["loss"] * abs(expected["loss"]) + 1e-300)
        for entry in answer["parameters"] + answer.get("intermediates", []):
            self.assertLessEqual(entry["max_abs_diff"], bound[entry["name"]], entry["name"])
        self.assertEqual(list(answer["reference"]), list(expected["gradients"]))
        for name, values in expected["gradients"].items():
            self.assert_close(name, answer["reference"][name], values, bound[name])

    def test_every_planted_difference_is_found(self):
        fit = [vector for _, vector in read_vectors()
               if vector["request"].get("dtype", "float64") == "float64"
               and all(magnitude(values) < 1e3 for values in vector["expected"]["gradients"].values())
               and all(not (name.startswith("b") or name.endswith("bias")) or not isinstance(values[0], list)
                       for name, values in vector["expected"]["gradients"].items())]
        chosen = fit[:: len(fit) // PLANTED_VECTORS]
        self.assertGreaterEqual(len(chosen), PLANTED_VECTORS)
        for vector in chosen:
            request = copy.deepcopy(vector["request"])
            request["gradients"] = gradients = copy.deepcopy(vector["expected"]["gradients"])
            request["diagnose"] = False  # it is the verdict that is asked for
            with self.subTest(name=vector["name"]):
                self.assertIs(self.check(request)["passed"], True)
                for number, name in enumerate(vector["expected"]["gradients"]):
                    right = gradients[name]
                    for index in indices(right):
                        gradients[name] = copy.deepcopy(right)
                        add_at(gradients[name], index, PLANTED if sum(index) % 2 else -PLANTED)
                        self.one_planted(request, number, name, index)
                    gradients[name] = right

    def one_planted(self, request, number, name, index):
        answer = self.check(request)
        where = f"{name}{list(index)}"
        self.assertIs(answer["passed"], False, where)
        self.assertEqual([entry["name"] for entry in answer["parameters"] if not entry["passed"]], [name], where)
        entry = answer["parameters"][number]
        self.assertEqual((entry["name"], entry["status"]), (name, "mismatch"), where)
        self.assertEqual(entry["worst"], list(index), where)
        self.assertEqual(entry["mismatches"], 1, where)
        self.assertAlmostEqual(entry["max_abs_diff"], PLANTED, delta=1e-9, msg=where)
        self.assertEqual(entry["points"], 0, where)
        self.assertEqual(answer["max_points"] - answer["points"], 1, where)

    def test_other_names_of_gradients_and_intermediates(self):
        for convention, names in (("numpy", ("d{}", "dL_d{}")), ("columns", ("d{}", "dL_d{}")), ("pytorch", ("{}.grad",))):
            vector = next(vector for _, vector in read_vectors() if vector["name"] == f"2 linear layers, {convention}")
            expected = vector["expected"]
            for pattern in names:
                with self.subTest(convention=convention, pattern=pattern):
                    request = dict(vector["request"])
                    request["gradients"] = {pattern.format(name): values for name, values in expected["gradients"].items()}
                    request["intermediates"] = {"dL_" + name if name.startswith("d") else name: values
                                                for name, values in expected["intermediates"].items()}
                    answer = self.check(request)
                    self.assertIs(answer["passed"], True, answer)
                    self.assertEqual({entry["status"] for entry in answer["intermediates"]}, {"match"})


if __name__ == "__main__":
    unittest.main()

"""POST /v1/landscape and /v1/svd: NumPy's numbers, what is refused, and limits."""

import json
import math
import unittest

from daemon import Client, Daemon, DaemonTest, post, wait_until
from test_train import LAB, XOR, shape_of
from vectors import flat, read_vectors

RANDOM = {"type": "random", "seed": 0}
LINE = {"program": "loss = np.sum((x * w + b - y)**2)", "parameters": {"w": 2.0, "b": 1.0}, "data": {"x": [1.0, 2.0], "y": [1.0, 3.0]}}


class PicturesTest(DaemonTest):
    def ask(self, path, request, status=200):
        answer = self.client(60).ask(post(json.dumps(request).encode(), path))
        self.assertEqual(answer.status, status, answer.body[:500])
        return answer.json()

    def landscape(self, **request):
        return self.ask("/v1/landscape", request)

    def refused(self, path, request, code, pointer, status=400):
        problem = self.ask(path, request, status)
        self.assertEqual((problem["code"], problem.get("pointer", "")), (code, pointer), problem)
        return problem

    def assert_close(self, what, found, expected, allowed):
        self.assertEqual(shape_of(found), shape_of(expected), what)
        bound = allowed * max(map(abs, flat(expected)), default=0.0)
        self.assertLessEqual(max((abs(a - b) for a, b in zip(flat(found), flat(expected))), default=0.0), bound, what)


class LandscapeTest(PicturesTest):
    def test_vectors(self):
        """Filters, layers, conventions, given directions, a path and its principal components."""
        count = 0
        for _, vector in read_vectors("pictures"):
            if "request" not in vector:
                continue
            with self.subTest(name=vector["name"]):
                answer = self.landscape(**vector["request"])
                self.assertEqual(set(answer), set(vector["expected"]) | {"device", "dtype"})
                for name, expected in vector["expected"].items():
                    self.assert_close(name, answer[name], expected, 1e-9)
                count += 1
        self.assertEqual(count, 7)

    def test_the_lab(self):
        """In the middle lies the loss of the check."""
        network = {"network": LAB["network"], "parameters": {"init": {"scheme": "he_normal", "seed": 42}}, "data": XOR}
        answer = self.landscape(**network, directions=RANDOM)
        self.assertEqual(shape_of(answer["loss"]), [25, 25])
        self.assertEqual(answer["loss"][12][12], 0.2924523261082102)
        self.assertEqual((answer["a"][0], answer["a"][12], answer["a"][24]), (-1, 0, 1))
        self.assertEqual(self.landscape(**network, directions=RANDOM), answer)
        self.assertNotEqual(self.landscape(**network, directions={"type": "random", "seed": 1})["loss"], answer["loss"])
        answer = self.landscape(**network, directions=RANDOM, dtype="float32")
        self.assertAlmostEqual(answer["loss"][12][12], 0.2924523261082102, delta=1e-6)

    def test_a_program(self):
        """The bowl of a line through two points: 1 + ... at every point what its formula says."""
        answer = self.landscape(**LINE, directions={"type": "given", "a": {"w": 1.0}, "b": {"b": 2.0}}, a=[-1, 1], b=[0, 1], resolution=3)
        expected = [[(2 + a + 1 + 2 * b - 1)**2 + (4 + 2 * a + 1 + 2 * b - 3)**2 for a in (-1, 0, 1)] for b in (0, 0.5, 1)]
        self.assert_close("loss", answer["loss"], expected, 1e-14)
        answer = self.landscape(**LINE, directions=RANDOM, resolution=5)
        self.assertEqual(answer["loss"][2][2], 8)

    def test_a_program_s_path(self):
        answer = self.landscape(**LINE, directions={"type": "pca"}, training={"optimizer": {"type": "sgd", "lr": 0.05}, "epochs": 50}, resolution=5)
        self.assertEqual(len(answer["path"]), 51)
        self.assertEqual(answer["path"][-1], [0, 0])
        self.assertGreater(answer["path"][0][0], 0)
        self.assertAlmostEqual(sum(answer["explained"]), 1, delta=1e-9)
        for (first, last), k in (((answer["a"][0], answer["a"][-1]), 0), ((answer["b"][0], answer["b"][-1]), 1)):
            self.assertTrue(all(first <= point[k] <= last for point in answer["path"]))

    def test_a_path_along_a_line(self):
        """Adam goes straight from [5, 5] into the bowl: what is beside the path is at a right angle to it."""
        answer = self.landscape(program="loss = np.sum(w**2)", parameters={"w": [5.0, 5.0]}, directions={"type": "pca"},
                                training={"optimizer": {"type": "adam", "lr": 0.1}, "epochs": 3}, resolution=3)
        self.assertEqual(answer["explained"][1], 0)
        self.assertAlmostEqual(answer["path"][0][0], math.sqrt(2) * (5 - 4.700213291333392), delta=1e-9)
        self.assertEqual([abs(b) < 1e-9 for _, b in answer["path"]], [True] * 4)
        end = 4.700213291333392
        self.assertEqual(answer["b"], [-1, 0, 1])
        for i, b in enumerate(answer["b"]):
            for j, a in enumerate(answer["a"]):
                self.assertAlmostEqual(answer["loss"][i][j], (math.sqrt(2) * end + a)**2 + b * b, delta=1e-6)

    def test_weights_of_zeros(self):
        """They have no length to make a direction as long as: the grid is around them all the same."""
        zeros = {"network": {"input": 2, "layers": [{"type": "linear", "out_features": 1}, {"type": "sigmoid"}], "loss": "bce"},
                 "parameters": {"init": {"scheme": "zeros"}}, "data": {"x": [[1, 2]], "y": [[1]]}, "resolution": 3}
        answer = self.landscape(**zeros, directions=RANDOM, training={"optimizer": {"type": "sgd", "lr": 0.0}, "epochs": 3})
        self.assertEqual(len(set(flat(answer["loss"]))), 9)
        self.assertEqual(answer["path"], [[0, 0]] * 4)
        norm = {"network": {"input": 3, "layers": [{"type": "layer_norm"}], "loss": "mse"}, "parameters": {"init": {"scheme": "zeros"}},
                "data": {"x": [[1, 2, 4]], "y": [[1, 2, 3]]}, "resolution": 3}
        self.assertEqual(len(set(flat(self.landscape(**norm, directions=RANDOM)["loss"]))), 9)

    def test_directions_of_any_size(self):
        """Neither what is too small to be squared is zero, nor does it make coordinates that are none."""
        path = []
        for size in (1e-170, 1.0, 1e170):
            answer = self.landscape(**LINE, directions={"type": "given", "a": {"w": size}, "b": {"b": size}}, resolution=2, a=[0, 1 / size], b=[0, 1 / size],
                                    training={"optimizer": {"type": "sgd", "lr": 0.01}, "epochs": 3})
            path.append([x * size for x in flat(answer["path"])])
            self.assertEqual(len(set(flat(answer["loss"]))), 4)
        for other in path[1:]:
            self.assertLess(max(abs(x - y) for x, y in zip(path[0], other)), 1e-12)
        self.refused("/v1/landscape", {**LINE, "dtype": "float32", "directions": {"type": "given", "a": {"w": 1e300}, "b": {"b": 1}}}, "not_finite", "")

    def test_no_loss(self):
        """Where the loss overflows, or has no value, there is none."""
        answer = self.landscape(program="loss = np.log(w)", parameters={"w": 1.0}, directions={"type": "given", "a": {"w": 2.0}, "b": {"w": 1e-9}}, resolution=3)
        self.assertEqual([row[0] for row in answer["loss"]], [None] * 3)
        self.assertAlmostEqual(answer["loss"][1][1], 0)
        self.refused("/v1/landscape", {"program": "loss = np.log(w)", "parameters": {"w": -1.0}, "directions": RANDOM}, "not_finite", "/parameters")

    def test_what_parameters_decide_is_refused(self):
        self.refused("/v1/landscape", {"program": "loss = np.sum(x[x > 1]**2)", "parameters": {"x": [0.4, 0.5, 2]}, "directions": RANDOM},
                     "program_error", "/program")
        data = {"program": "loss = np.sum(x[c > 1]**2)", "parameters": {"x": [0.4, 0.5, 2]}, "data": {"c": [0, 2, 3]}, "directions": RANDOM}
        self.assertEqual(len(self.landscape(**data)["loss"]), 25)

    def test_refused(self):
        good = {"network": LAB["network"], "parameters": LAB["parameters"], "data": XOR, "directions": RANDOM}
        for change, code, pointer in (
                ({"directions": None}, "missing_member", "/directions"),
                ({"directions": {"type": "randm", "seed": 1}}, "out_of_range", "/directions/type"),
                ({"directions": {"type": "random"}}, "missing_member", "/directions/seed"),
                ({"directions": {"type": "random", "seed": -1}}, "out_of_range", "/directions/seed"),
                ({"directions": {"type": "random", "seed": 1, "normalize": "filters"}}, "out_of_range", "/directions/normalize"),
                ({"directions": {"type": "random", "seed": 1, "a": {}}}, "unknown_member", "/directions/a"),
                ({"directions": {"type": "pca"}}, "missing_member", "/directions/type"),
                ({"directions": {"type": "pca", "seed": 1}}, "unknown_member", "/directions/seed"),
                ({"directions": {"type": "given", "a": {"b1": [1, 1, 1]}}}, "missing_member", "/directions/b"),
                ({"directions": {"type": "given", "a": {}, "b": {}}}, "out_of_range", "/directions/a"),
                ({"directions": {"type": "given", "a": {"W1": [[1, 2], [3, 4]]}, "b": {}}}, "shape_mismatch", "/directions/a/W1"),
                ({"directions": {"type": "given", "a": {"W7": [[1]]}, "b": {}}}, "unknown_member", "/directions/a/W7"),
                ({"resolution": 1}, "out_of_range", "/resolution"),
                ({"resolution": 501}, "out_of_range", "/resolution"),
                ({"a": [1, 1]}, "out_of_range", "/a"),
                ({"b": [0]}, "out_of_range", "/b"),
                ({"epochs": 3}, "unknown_member", "/epochs"),
                ({"training": {"epochs": 0}}, "out_of_range", "/training/epochs"),
                ({"training": {"optimizer": {"type": "adm"}}}, "out_of_range", "/training/optimizer/type"),
                ({"training": {"epochs": 201, "record_every": 1}}, "out_of_range", "/training/record_every"),
                ({"training": {"boundary": {}}}, "unknown_member", "/training/boundary"),
                ({"training": {"epochs": 3}, "directions": {"type": "pca"}, "network": {"input": 2, "layers": [{"type": "flatten"}], "loss": "mse"},
                  "parameters": {}, "data": {"x": [[1, 2]], "y": [[1, 2]]}}, "out_of_range", "/network")):
            with self.subTest(change=change):
                self.refused("/v1/landscape", {k: v for k, v in {**good, **change}.items() if v is not None}, code, pointer)
        self.refused("/v1/landscape", {**LINE, "directions": {**RANDOM, "normalize": "filter"}}, "out_of_range", "/directions/normalize")
        self.refused("/v1/landscape", {**LINE, "directions": RANDOM, "training": {"batch_size": 1}}, "unknown_member", "/training/batch_size")
        self.refused("/v1/landscape", {**LINE, "directions": {"type": "pca"}, "training": {"optimizer": {"type": "sgd", "lr": 0}, "epochs": 9}}, "out_of_range", "")
        self.refused("/v1/landscape", {"program": "loss = w * w", "parameters": {"w": 1.0}, "directions": {"type": "pca"}, "training": {"epochs": 9}}, "out_of_range", "")
        self.assertEqual(self.refused("/v1/landscape", {**LINE, "program": "loss = q", "directions": RANDOM}, "program_error", "/program")["line"], 1)

    def test_limits(self):
        wide = {"network": {"input": 2, "layers": [{"type": "linear", "out_features": 1000}, {"type": "linear", "out_features": 1000},
                                                   {"type": "linear", "out_features": 1}], "loss": "mse"},
                "parameters": {"init": {"scheme": "he_normal", "seed": 1}}, "data": {"x": [[1, 2]] * 100, "y": [[1]] * 100}, "directions": RANDOM}
        self.refused("/v1/landscape", {**wide, "resolution": 500}, "too_much_work", "", 422)
        self.refused("/v1/landscape", {**LINE, "directions": RANDOM, "training": {"epochs": 10**11}}, "too_much_work", "", 422)

    def test_who_leaves_stops_it(self):
        long = {"program": "s = w\nfor i in range(2000):\n    s = s * 0.9999\nloss = s * s", "parameters": {"w": 1.0}, "directions": RANDOM, "resolution": 500}
        with Client(self.daemon) as client:
            client.send(post(json.dumps(long).encode(), "/v1/landscape"))
            self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] == 2))
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] == 1, 10))


class SvdTest(PicturesTest):
    def test_vectors(self):
        vectors = [vector for _, vector in read_vectors("pictures") if "tensor" in vector]
        self.assertEqual(len(vectors), 9)
        answer = self.ask("/v1/svd", {"parameters": {v["name"]: v["tensor"] for v in vectors}, "vectors": True})
        self.assertEqual(list(answer["weights"]), [v["name"] for v in vectors])
        for vector in vectors:
            with self.subTest(name=vector["name"]):
                found = answer["weights"][vector["name"]]
                self.assert_close("values", found["singular_values"], vector["singular_values"], 1e-14)
                self.assertEqual((found["rank"], found["matrix"]), (vector["rank"], vector["matrix"]))
                if vector["condition_number"] < 1e10:
                    self.assertAlmostEqual(found["condition_number"] / vector["condition_number"], 1, delta=1e-12)
                self.assert_product(vector, found)
        plain = self.ask("/v1/svd", {"parameters": {v["name"]: v["tensor"] for v in vectors}})
        for vector in vectors:
            self.assertEqual(set(plain["weights"][vector["name"]]), {"shape", "matrix", "singular_values", "rank", "condition_number"})
            self.assert_close("values", plain["weights"][vector["name"]]["singular_values"], vector["singular_values"], 1e-14)

    def assert_product(self, vector, found):
        """U diag(S) Vh is the matrix, and the columns of U and the rows of Vh are apart by right angles."""
        rows, columns = vector["matrix"]
        numbers, u, s, vh = flat(vector["tensor"]), found["U"], found["singular_values"], found["Vh"]
        self.assertEqual((shape_of(u), shape_of(vh)), ([rows, len(s)], [len(s), columns]))
        product = [[sum(u[i][k] * s[k] * vh[k][j] for k in range(len(s))) for j in range(columns)] for i in range(rows)]
        self.assert_close("product", flat(product), numbers, 1e-13)
        for k in range(len(s)):
            for m in range(len(s)):
                self.assertAlmostEqual(sum(row[k] * row[m] for row in u), float(k == m), delta=1e-13)
                self.assertAlmostEqual(math.fsum(a * b for a, b in zip(vh[k], vh[m])), float(k == m), delta=1e-13)

    def test_zeros_and_what_is_no_matrix(self):
        answer = self.ask("/v1/svd", {"parameters": {"Z": [[0, 0], [0, 0]], "b": [1, 2], "s": 3.0, "S": [[1, 2], [2, 4]]}})
        self.assertEqual(answer["skipped"], ["b", "s"])
        self.assertEqual((answer["weights"]["Z"]["rank"], answer["weights"]["Z"]["condition_number"]), (0, None))
        self.assertEqual(answer["weights"]["S"]["rank"], 1)

    def test_large_numbers(self):
        answer = self.ask("/v1/svd", {"parameters": {"W": [[1e308, 1e308], [1e308, -1e308]]}})["weights"]["W"]
        self.assertEqual(answer["rank"], 2)
        self.assertAlmostEqual(answer["condition_number"], 1, delta=1e-12)
        self.refused("/v1/svd", {"parameters": {"W": [[1.5e308] * 2] * 2}}, "not_finite", "/parameters/W")

    def test_refused(self):
        for request, code, pointer in (
                ({}, "missing_member", "/parameters"), ({"parameters": {}}, "missing_member", "/parameters"),
                ({"parameters": {"b": [1]}}, "missing_member", "/parameters"), ({"parameters": []}, "wrong_type", "/parameters"),
                ({"parameters": {"W": [[1, 2], [3]]}}, "shape_mismatch", "/parameters/W"),
                ({"parameters": {"W": [[1, None]]}}, "not_finite", "/parameters/W/0/1"),
                ({"parameters": {"W": "W"}}, "wrong_type", "/parameters/W"), ({"parameters": {"W": [[1]]}, "vector": 1}, "unknown_member", "/vector"),
                ({"parameters": {"W": [[1]]}, "vectors": 1}, "wrong_type", "/vectors")):
            with self.subTest(request=request):
                self.refused("/v1/svd", request, code, pointer)

    def test_limits(self):
        large = {"parameters": {"W": [[1.0] * 800 for _ in range(800)]}, "vectors": True}
        self.refused("/v1/svd", large, "too_much_work", "/parameters/W", 422)
        with Daemon("--max-work", "1e6") as daemon, Client(daemon) as client:
            request = {"parameters": {"W": [[1.0] * 60 for _ in range(60)]}}
            self.assertProblem(client.ask(post(json.dumps(request).encode(), "/v1/svd")), 422, "too_much_work")

    def test_a_large_one_is_a_worker_s(self):
        n = 150
        W = [[math.sin(i * j + i) for j in range(n)] for i in range(n)]
        answer = self.ask("/v1/svd", {"parameters": {"W": W}})
        squares = sum(x * x for x in flat(W))
        self.assertAlmostEqual(sum(s * s for s in answer["weights"]["W"]["singular_values"]) / squares, 1, delta=1e-12)


del PicturesTest

if __name__ == "__main__":
    unittest.main()

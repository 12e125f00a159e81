"""The choice of a device: without a CUDA backend, and with one whose kernels run on the CPU (build/gradcheckd-standin.so)."""

import copy
import json
import os
import pathlib
import unittest
import urllib.error
import urllib.request

from daemon import PROGRAM, Daemon

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
STANDIN = pathlib.Path(PROGRAM).resolve().parent / "gradcheckd-standin.so"

NEURON = {"network": {"input": 1, "layers": [{"type": "linear", "out_features": 1}], "loss": "mse"},
          "parameters": {"W1": [[0.5]], "b1": [0.1]}, "data": {"x": [[2.0]], "y": [[1.0]]},
          "gradients": {"W1": [[0.4]], "b1": [0.2]}}


def post(daemon, path, request):
    """Status and answer."""
    call = urllib.request.Request(f"http://{daemon.host}:{daemon.port}{path}", json.dumps(request).encode(),
                                  {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call, timeout=120) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def devices(daemon):
    with urllib.request.urlopen(f"http://{daemon.host}:{daemon.port}/v1/capabilities", timeout=60) as response:
        return json.load(response)["devices"]


def flat(values):
    return [number for part in values for number in flat(part)] if isinstance(values, list) else [values]


class WithoutCudaTest(unittest.TestCase):
    def refuses(self, thing):
        with Daemon(environment={"GRADCHECKD_TEST_CUDA_OBJECT": thing}) as daemon:
            self.assertEqual(devices(daemon), ["cpu"])
            status, answer = post(daemon, "/v1/check", {**NEURON, "device": "auto"})
            self.assertEqual((status, answer["device"], answer["passed"]), (200, "cpu", True))
            for path in ("/v1/check", "/v1/train"):
                request = {name: NEURON[name] for name in ("network", "parameters", "data")} if path == "/v1/train" else NEURON
                status, problem = post(daemon, path, {**request, "device": "cuda"})
                self.assertEqual((status, problem["code"], problem["pointer"]), (400, "out_of_range", "/device"))
                self.assertIn("no CUDA device", problem["detail"])

    def test_no_object(self):
        self.refuses("/nonexistent/gradcheckd-cuda.so")

    def test_something_else(self):
        self.refuses("libm.so.6")


class StandInTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(environment={"GRADCHECKD_TEST_CUDA_OBJECT": str(STANDIN)})
        cls.addClassCleanup(cls.end)

    @classmethod
    def end(cls):
        """Like stop(), but for AddressSanitizer's word on the stand-in's fibers."""
        cls.daemon.process.terminate()
        status = cls.daemon.process.wait(30)
        errors = [line for line in cls.daemon.read_errors().splitlines() if line and "makecontext/swapcontext" not in line]
        assert (status, errors) == (0, []), (status, errors)

    def assert_close(self, found, expected, what):
        found, expected = flat(found), flat(expected)
        largest = max(map(abs, expected), default=0.0)
        worst = max((abs(a - b) for a, b in zip(found, expected)), default=0.0)
        self.assertEqual(len(found), len(expected), what)
        self.assertLessEqual(worst, 1e-12 * largest, what)

    def test_is_there(self):
        self.assertEqual(devices(self.daemon), ["cpu", "cuda"])

    def test_checks_agree_with_the_cpu(self):
        vectors = [json.loads(line) for path in sorted(VECTORS.glob("*.ndjson")) for line in path.open(encoding="ascii")]
        chosen = [vector for vector in vectors if vector["request"].get("dtype", "float64") == "float64"][::6]
        self.assertGreater(len(chosen), 60)
        for vector in chosen:
            with self.subTest(name=vector["name"]):
                request = copy.deepcopy(vector["request"])
                request.update(gradients=vector["expected"]["gradients"], reveal=True, diagnose=False)
                _, cpu = post(self.daemon, "/v1/check", {**request, "device": "cpu"})
                status, cuda = post(self.daemon, "/v1/check", {**request, "device": "cuda"})
                self.assertEqual((status, cuda["device"], cpu["device"]), (200, "cuda", "cpu"), cuda)
                self.assertLessEqual(abs(cuda["loss"] - cpu["loss"]), 1e-12 * abs(cpu["loss"]))
                for name, expected in cpu["reference"].items():
                    self.assert_close(cuda["reference"][name], expected, name)

    def test_same_bits(self):
        vector = next(json.loads(line) for line in (VECTORS / "networks.ndjson").open(encoding="ascii"))
        request = {**vector["request"], "gradients": {}, "reveal": True, "device": "cuda", "diagnose": False}
        answers = [post(self.daemon, "/v1/check", request)[1] for _ in range(5)]
        self.assertTrue(all(answer == answers[0] for answer in answers))

    def test_a_wrong_gradient_is_diagnosed(self):
        request = {**NEURON, "gradients": {"W1": [[-0.4]], "b1": [-0.2]}, "device": "cuda"}
        self.assertEqual(post(self.daemon, "/v1/check", request)[1]["passed"], False)

    def test_trainings_agree_with_the_cpu(self):
        for optimizer in ({"type": "sgd", "lr": 1.0}, {"type": "adam", "lr": 0.05}, {"type": "rmsprop", "momentum": 0.5}):
            request = {"network": {"input": 2, "layers": [{"type": "linear", "out_features": 5}, {"type": "tanh"},
                                                          {"type": "linear", "out_features": 1}, {"type": "sigmoid"}],
                                   "loss": "bce"},
                       "parameters": {"init": {"scheme": "he_normal", "seed": 3}}, "epochs": 30, "batch_size": 3,
                       "data": {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]}, "optimizer": optimizer}
            with self.subTest(**optimizer):
                _, cpu = post(self.daemon, "/v1/train", {**request, "device": "cpu"})
                status, cuda = post(self.daemon, "/v1/train", {**request, "device": "cuda"})
                self.assertEqual((status, cuda["device"]), (200, "cuda"), cuda)
                self.assert_close(cuda["loss"], cpu["loss"], "loss")
                for name, expected in cpu["parameters"].items():
                    self.assert_close(cuda["parameters"][name], expected, name)
                self.assertEqual(cuda["health"], cpu["health"])

    def test_auto_goes_by_the_work(self):
        def ask(width, samples):
            request = {"network": {"input": width, "layers": [{"type": "linear", "out_features": width}], "loss": "mse"},
                       "parameters": {"init": {"scheme": "he_normal", "seed": 1}}, "gradients": {}, "diagnose": False,
                       "data": {"x": [[(i + j) % 7 for j in range(width)] for i in range(samples)],
                                "y": [[i % 3] * width for i in range(samples)]}}
            return post(self.daemon, "/v1/check", request)[1]["device"]

        self.assertEqual(ask(10, 4), "cpu")
        self.assertEqual(ask(1000, 500), "cuda")


if __name__ == "__main__":
    unittest.main()

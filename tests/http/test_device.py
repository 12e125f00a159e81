"""The choice of a device: without a CUDA backend, and with one whose kernels run on the CPU (build/gradcheckd-standin.so)."""

import contextlib
import copy
import itertools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from daemon import PROGRAM, Daemon
from vectors import flat, read_vectors

STANDIN = pathlib.Path(PROGRAM).resolve().parent / "gradcheckd-standin.so"

NEURON = {"network": {"input": 1, "layers": [{"type": "linear", "out_features": 1}], "loss": "mse"},
          "parameters": {"W1": [[0.5]], "b1": [0.1]}, "data": {"x": [[2.0]], "y": [[1.0]]},
          "gradients": {"W1": [[0.4]], "b1": [0.2]}}


def post(daemon, path, request):
    """Status and answer."""
    call = urllib.request.Request(f"http://{daemon.host}:{daemon.port}{path}", json.dumps(request).encode(),
                                  {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call, timeout=600) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def negated(values):
    return [negated(part) for part in values] if isinstance(values, list) else -values


def devices(daemon):
    with urllib.request.urlopen(f"http://{daemon.host}:{daemon.port}/v1/capabilities", timeout=60) as response:
        return json.load(response)["devices"]


class StandInDaemon(Daemon):
    """With the stand-in for a device. What AddressSanitizer says of its fibers is no error, nor other lines that are
    expected."""

    def __init__(self, *arguments, **environment):
        self.expected = ["makecontext/swapcontext"]
        super().__init__(*arguments, environment={"GRADCHECKD_TEST_CUDA_OBJECT": str(STANDIN), **environment})

    def read_errors(self):
        lines = super().read_errors().splitlines(True)
        return "".join(line for line in lines if not any(words in line for words in self.expected))


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
            done = subprocess.run([PROGRAM, "--device", "cuda"], env={"GRADCHECKD_TEST_CUDA_OBJECT": thing},
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, r"^gradcheckd: --device cuda: there is no CUDA device here \([^\n]+\)\n$")

    def test_no_object(self):
        self.refuses("/nonexistent/gradcheckd-cuda.so")

    def test_something_else(self):
        self.refuses("/dev/null")
        with tempfile.TemporaryDirectory() as directory:
            self.refuses(directory)
            short = pathlib.Path(directory, "short.so")
            whole = STANDIN.read_bytes()
            for length in (0, 63, 64, 4096, len(whole) - 1):
                short.write_bytes(whole[:length])
                self.refuses(str(short))

    def test_an_object_of_another_program(self):
        library = next(line.split()[-1] for line in pathlib.Path("/proc/self/maps").read_text(encoding="ascii").splitlines()
                       if "libc.so.6" in line)
        self.refuses(library)


class StandInTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = StandInDaemon()
        cls.addClassCleanup(cls.daemon.stop)

    def assert_close(self, found, expected, what):
        found, expected = flat(found), flat(expected)
        largest = max(map(abs, expected), default=0.0)
        worst = max((abs(a - b) for a, b in zip(found, expected)), default=0.0)
        self.assertEqual(len(found), len(expected), what)
        self.assertLessEqual(worst, 1e-12 * largest, what)

    def test_is_there(self):
        self.assertEqual(devices(self.daemon), ["cpu", "cuda"])

    def test_checks_agree_with_the_cpu(self):
        chosen = [vector for _, vector in read_vectors() if vector["request"].get("dtype", "float64") == "float64"][::6]
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
        vector = next(vector for group, vector in read_vectors() if group == "networks")
        request = {**vector["request"], "gradients": {}, "reveal": True, "device": "cuda", "diagnose": False}
        answers = [post(self.daemon, "/v1/check", request)[1] for _ in range(5)]
        self.assertTrue(all(answer == answers[0] for answer in answers))

    def test_a_wrong_gradient_is_diagnosed(self):
        vector = next(vector for group, vector in read_vectors() if group == "networks")
        gradients = {name: negated(values) for name, values in vector["expected"]["gradients"].items()}
        cpu, cuda = (post(self.daemon, "/v1/check", {**vector["request"], "gradients": gradients, "device": device})[1]
                     for device in ("cpu", "cuda"))
        self.assertFalse(cuda["passed"])
        self.assertEqual(cuda["diagnosis"], cpu["diagnosis"])
        self.assertTrue(cuda["diagnosis"]["mistakes"])

    def test_verification_agrees_with_the_cpu(self):
        """Also where float32 rounds a prediction to a probability that it is not in float64."""
        request = {"network": {"input": 1, "layers": [{"type": "linear", "out_features": 1}], "loss": "bce"},
                   "data": {"x": [[1.0]], "y": [[1.0]]}, "gradients": {"b1": [0.0]}, "dtype": "float32", "verify_reference": True}
        for weight, expected in ((1.000000001, 400), (0.75, 200)):
            request["parameters"] = {"W1": [[weight]], "b1": [0.0]}
            cpu, cuda = (post(self.daemon, "/v1/check", {**request, "device": device}) for device in ("cpu", "cuda"))
            self.assertEqual((cpu[0], cuda[0]), (expected, expected))
            self.assertEqual(cuda[1].get("pointer"), cpu[1].get("pointer"))
            self.assertEqual(cuda[1].get("verification"), cpu[1].get("verification"))

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

    def test_the_daemons_own_choice(self):
        with StandInDaemon("--device", "cuda") as daemon:
            self.assertEqual(post(daemon, "/v1/check", NEURON)[1]["device"], "cuda")
            self.assertEqual(post(daemon, "/v1/check", {**NEURON, "device": "cpu"})[1]["device"], "cpu")

    def test_auto_goes_by_the_work(self):
        def ask(width, samples):
            request = {"network": {"input": width, "layers": [{"type": "linear", "out_features": width}], "loss": "mse"},
                       "parameters": {"init": {"scheme": "he_normal", "seed": 1}}, "gradients": {"b1": 0}, "diagnose": False,
                       "data": {"x": [[(i + j) % 7 for j in range(width)] for i in range(samples)],
                                "y": [[i % 3] * width for i in range(samples)]}}
            return post(self.daemon, "/v1/check", request)[1]["device"]

        self.assertEqual(ask(10, 4), "cpu")
        self.assertEqual(ask(1000, 500), "cuda")

    def test_auto_leaves_many_small_steps_to_the_cpu(self):
        """More than 2e9 operations, in 60,000 steps that would each wait for a dozen launches."""
        request = {"network": {"input": 64, "layers": [{"type": "linear", "out_features": 64}], "loss": "mse"},
                   "parameters": {"init": {"scheme": "he_normal", "seed": 1}}, "epochs": 30000, "batch_size": 1,
                   "data": {"x": [[1] * 64, [2] * 64], "y": [[1] * 64, [0] * 64]}, "optimizer": {"type": "sgd", "lr": 1e-6}}
        with StandInDaemon(GRADCHECKD_TEST_DEADLINES="30,30,600,30") as daemon:  # slow builds on busy machines take minutes
            self.assertEqual(post(daemon, "/v1/train", request)[1]["device"], "cpu")


class FailingDeviceTest(unittest.TestCase):
    """A device that fails in the middle of a request, for once or for good."""

    def square(width, samples):
        """One layer, of some 6 * samples * width**2 operations; `auto` takes the device from 2e9 on."""
        return {"network": {"input": width, "layers": [{"type": "linear", "out_features": width}, {"type": "tanh"}], "loss": "mse"},
                "parameters": {"init": {"scheme": "xavier_uniform", "seed": 1}},
                "data": {"x": [[(3 * i + j) % 7 / 7 for j in range(width)] for i in range(samples)],
                         "y": [[i % 3 / 3] * width for i in range(samples)]}}

    CHECK = {**square(800, 600), "gradients": {"b1": [0.0] * 800}, "diagnose": False}
    TRAINING = {**square(400, 400), "epochs": 6}

    # The stand-in's kernels run on one core, under a sanitizer at a tenth of their speed, and the machine may have
    # other things to do: a minute for each request, the daemon's own limit, is not always enough.
    DEADLINES = "30,120,3600,120"

    @contextlib.contextmanager
    def daemon(self, *arguments, told=1, **environment):
        """told: how often standard error speaks of a failure, which is once a minute at most, and not where memory was short."""
        with tempfile.TemporaryDirectory() as directory:
            self.failure = pathlib.Path(directory, "fail")
            variables = {"GRADCHECKD_TEST_STANDIN_FAIL": str(self.failure), "GRADCHECKD_TEST_DEADLINES": self.DEADLINES, **environment}
            with StandInDaemon(*arguments, **variables) as daemon:
                yield daemon
                lines = re.findall(r"(?m)^gradcheckd: the CUDA device failed in a request: .*told to fail$", daemon.read_errors())
                self.assertEqual(len(lines), told, daemon.read_errors())
                daemon.expected.append("failed in a request")

    def break_device(self, words):
        """The stand-in reads this at its next call, and never half of it."""
        new = self.failure.with_suffix(".new")
        new.write_text(words, encoding="ascii")
        new.rename(self.failure)

    def test_for_once(self):
        """The one request that it befalls ends with an error, or with the CPU's answer where the choice was ours. Each has
        a daemon of its own: where earlier requests have left memory of the device to be given up, a shortage may pass."""
        for path, request in (("/v1/check", self.CHECK), ("/v1/train", self.TRAINING)):
            with StandInDaemon() as daemon:
                cpu = post(daemon, path, {**request, "device": "cpu"})
            for (calls, cause), device in itertools.product(((3, "device"), (20, "memory")), ("cuda", "auto")):
                with self.subTest(path=path, cause=cause, calls=calls, device=device), \
                     self.daemon(told=int(cause == "device")) as daemon:
                    self.break_device("%d %s" % (calls, cause))
                    status, answer = post(daemon, path, {**request, "device": device})
                    self.assertFalse(self.failure.exists())
                    if device == "auto":
                        self.assertEqual((status, answer), cpu)
                    else:
                        self.assertEqual((status, answer["code"]), (503, {"device": "device", "memory": "out_of_memory"}[cause]))
                    self.assertEqual(daemon.metrics()['gradcheckd_device_failures_total{cause="%s"}' % cause], 1)
                    self.assertEqual(devices(daemon), ["cpu", "cuda"])

    def test_serves_again(self):
        """After a request that failed the device is as good as before."""
        with self.daemon() as daemon:
            for path, request in (("/v1/check", self.CHECK), ("/v1/train", self.TRAINING)):
                for words in ("3 device", "20 device"):
                    self.break_device(words)
                    post(daemon, path, {**request, "device": "auto"})
                    self.assertFalse(self.failure.exists())
                status, answer = post(daemon, path, {**request, "device": "auto"})
                self.assertEqual((status, answer.get("device")), (200, "cuda"), answer.get("detail"))

    def test_for_good(self):
        for path, request in (("/v1/check", self.CHECK), ("/v1/train", self.TRAINING)):
            with self.subTest(path=path), self.daemon() as daemon:
                self.assertEqual(devices(daemon), ["cpu", "cuda"])
                self.break_device("20 device sick")
                status, answer = post(daemon, path, {**request, "device": "auto"})
                self.assertEqual((status, answer["device"]), (200, "cpu"))
                self.assertEqual(answer, post(daemon, path, {**request, "device": "cpu"})[1])
                self.assertEqual(devices(daemon), ["cpu"])
                status, problem = post(daemon, path, {**request, "device": "cuda"})
                self.assertEqual((status, problem["pointer"]), (400, "/device"))
                self.assertIn("has failed", problem["detail"])
                self.assertEqual(daemon.metrics()['gradcheckd_device_failures_total{cause="device"}'], 1)
                self.assertRegex(daemon.read_errors(), r"(?m)^gradcheckd: the CUDA device is out of service: .*told to fail$")
                daemon.expected.append("out of service")

    def test_the_daemons_own_choice_is_no_demand(self):
        """With --device cuda, a client that does not speak of devices is served whatever becomes of the device."""
        with self.daemon("--device", "cuda") as daemon:
            for device in ("cuda", "cpu", "cpu"):
                status, answer = post(daemon, "/v1/check", NEURON)
                self.assertEqual((status, answer["device"], answer["passed"]), (200, device, True))
                if device == "cuda":
                    self.break_device("1 device sick")
            self.assertEqual(post(daemon, "/v1/check", {**NEURON, "device": "cuda"})[0], 400)
            daemon.expected.append("out of service")

    def test_too_little_time_is_left(self):
        """The CPU has what the device has left of the time; that it is not enough is no fault of the training."""
        request = {"network": {"input": 200, "layers": [{"type": "linear", "out_features": 200}, {"type": "tanh"}], "loss": "mse"},
                   "parameters": {"init": {"scheme": "xavier_uniform", "seed": 1}}, "epochs": 1000000, "device": "auto",
                   "data": {"x": [[(3 * i + j) % 7 / 7 for j in range(200)] for i in range(200)], "y": [[i % 3 / 3] * 200 for i in range(200)]}}
        with self.daemon("--max-work", "1e15", GRADCHECKD_TEST_DEADLINES="30,30,4,30") as daemon:
            with self.stream(daemon, request) as response:
                first = [response.readline() for _ in range(3)]
                self.assertTrue(first[0].startswith(b"event: epoch"), first)
                self.break_device("1 device")
                lines = response.readlines()
            self.assertFalse(self.failure.exists())
            problem = json.loads(lines[-2].decode().removeprefix("data: "))
            self.assertEqual((problem["status"], problem["code"]), (503, "device"))
            self.assertIn("try again", problem["detail"])

    @staticmethod
    def stream(daemon, request):
        call = urllib.request.Request(f"http://{daemon.host}:{daemon.port}/v1/train", json.dumps(request).encode(),
                                      {"Content-Type": "application/json", "Accept": "text/event-stream"})
        return urllib.request.urlopen(call, timeout=600)

    def test_a_stream_tells_no_epoch_twice(self):
        request = {**self.TRAINING, "epochs": 8, "device": "auto"}
        with self.daemon() as daemon:
            status, whole = post(daemon, "/v1/train", {**request, "device": "cpu"})
            self.assertEqual(status, 200)
            with self.stream(daemon, request) as response:
                lines = [response.readline() for _ in range(3)]
                self.break_device("1 device")
                lines = [line.decode().rstrip("\n") for line in lines + response.readlines()]
            self.assertFalse(self.failure.exists())
        events = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
                  for name, data in zip(lines[::3], lines[1::3])]
        epochs = [data["epoch"] for event, data in events if event == "epoch"]
        self.assertEqual(epochs, sorted(set(epochs)))
        self.assertEqual(events[-1], ("done", whole))


if __name__ == "__main__":
    unittest.main()

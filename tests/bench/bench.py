#!/usr/bin/python3
"""gradcheckd beside a small Python service around PyTorch, on this machine, in one run.

    /usr/bin/python3 tests/bench/bench.py [--quick] [--only checks|programs|training]

Both get the same bytes over the same kind of connection. Nothing here fails because something is slow; only a wrong
verdict (or a curve that is not the peer's) is an error. Without PyTorch (python3-torch) gradcheckd is measured alone.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http"), str(HERE.parent / "vectors")]
from daemon import Daemon  # noqa: E402

try:
    import lab_training
    import numpy as np
    import torch
    import torch_peer
    import torch_reference
except ImportError:
    torch_reference = None

CONNECTIONS = 8  # of the throughput measurement

# name, widths of the layers, batch
NETWORKS = [("10^4 parameters", [64, 128, 12], 32), ("10^5 parameters", [256, 320, 60], 64),
            ("10^6 parameters", [784, 1000, 200, 10], 64)]


# --- a client that costs little --------------------------------------------------------------------------------------


class Connection:
    """One keep-alive connection that sends a request made beforehand."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def exchange(self, message):
        """Sends, waits for the whole answer; (header text, body)."""
        self.socket.sendall(message)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.received()
        head, _, body = answer.partition(b"\r\n\r\n")
        head = head.decode("latin-1")
        length = int(re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE).group(1))
        while len(body) < length:
            body += self.received()
        return head, body

    def received(self):
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        return piece


def message_of(body, path="/v1/check"):
    return (b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % (path.encode(), len(body))) + body


def server_timing(head):
    """Milliseconds by step."""
    line = re.search(r"(?i)^server-timing: *(.*)$", head, re.MULTILINE)
    return {name: float(value) for name, value in re.findall(r"(\w+);dur=([\d.eE+-]+)", line.group(1))} if line else {}


def is_passed(answer):
    return answer["passed"] is True


def measure(port, body, count, warm_up, path="/v1/check", is_right=is_passed, summary=statistics.median):
    """Median seconds (or another summary) of `count` exchanges, and that of each step of Server-Timing."""
    connection, message, seconds, steps = Connection(port), message_of(body, path), [], {}
    for number in range(warm_up + count):
        start = time.perf_counter()
        head, answer = connection.exchange(message)
        took = time.perf_counter() - start
        if number == 0:
            assert head.startswith("HTTP/1.1 200"), (head, answer[:300])
            assert is_right(json.loads(answer)), answer[:600]
        if number >= warm_up:
            seconds.append(took)
            for name, value in server_timing(head).items():
                steps.setdefault(name, []).append(value)
    connection.close()
    return summary(seconds), {name: summary(values) for name, values in steps.items()}


# --- throughput ------------------------------------------------------------------------------------------------------


def throughput_wrk(port, body_file, seconds):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "check.lua"),
               f"http://127.0.0.1:{port}", "--", body_file]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output, output
    return float(re.search(r"Requests/sec: *([\d.]+)", output).group(1))


def throughput_threads(port, body, seconds):
    """Without wrk: as many threads of this program, whose own cost limits what can be seen."""
    message, counts = message_of(body), [0] * CONNECTIONS
    end = time.perf_counter() + seconds

    def work(number):
        connection = Connection(port)
        while time.perf_counter() < end:
            connection.exchange(message)
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


# --- bodies ----------------------------------------------------------------------------------------------------------


def xor_body():
    """The lab's XOR network with right gradients, from the committed vectors: PyTorch is not needed for it."""
    with (HERE.parent / "vectors" / "lab.ndjson").open(encoding="ascii") as lines:
        vector = json.loads(next(lines))
    request = {**vector["request"], "gradients": vector["expected"]["gradients"]}
    return json.dumps(request).encode()


def xor_program_body():
    """The same check, its forward pass as a program."""
    request = json.loads(xor_body())
    program = ("z1 = x @ W1 + b1\nh1 = np.maximum(0, z1)\nz2 = h1 @ W2 + b2\nh2 = np.maximum(0, z2)\n"
               "y_hat = 1 / (1 + np.exp(-(h2 @ W3 + b3)))\nloss = np.mean((y_hat - y) ** 2)")
    return json.dumps({"program": program, **{name: request[name] for name in ("parameters", "data", "gradients")}}).encode()


RECURRENT = ("h = np.zeros((32, 128))\nfor t in range(100):\n    h = np.tanh(x[:, t] @ Wx + h @ Wh + b)\n"
             "loss = np.mean((h @ Wo + bo - y) ** 2)")


def recurrent_request(dtype):
    """An RNN over 100 steps, batch 32, 64 inputs, 128 units; and the same pass by PyTorch, forward and backward."""
    random = np.random.RandomState(0)
    parameters = {"Wx": 0.1 * random.randn(64, 128), "Wh": 0.05 * random.randn(128, 128), "b": np.zeros(128),
                  "Wo": 0.1 * random.randn(128, 10), "bo": np.zeros(10)}
    data = {"x": np.round(random.randn(32, 100, 64), 3), "y": random.randn(32, 10)}
    leaves = {name: torch.tensor(value, dtype=getattr(torch, dtype), requires_grad=True) for name, value in parameters.items()}
    x, y = (torch.tensor(data[name], dtype=getattr(torch, dtype)) for name in ("x", "y"))

    def run():
        for leaf in leaves.values():
            leaf.grad = None
        h = torch.zeros(32, 128, dtype=x.dtype)
        for t in range(100):
            h = torch.tanh(x[:, t] @ leaves["Wx"] + h @ leaves["Wh"] + leaves["b"])
        ((h @ leaves["Wo"] + leaves["bo"] - y) ** 2).mean().backward()

    run()
    request = {"program": RECURRENT, "dtype": dtype, "diagnose": False, "parameters": {n: v.tolist() for n, v in parameters.items()},
               "data": {n: v.tolist() for n, v in data.items()}, "gradients": {n: v.grad.tolist() for n, v in leaves.items()},
               "tolerance": {"atol": 1e-4 if dtype == "float32" else 1e-10, "rtol": 0}}
    return json.dumps(request).encode(), run


def large_request(widths, batch, dtype):
    """A classifier with ReLUs, and its gradients by PyTorch as a student's float64 or float32 program would give them."""
    random = np.random.RandomState(0)
    layers = []
    for width in widths[1:]:
        layers += [{"type": "linear", "out_features": width}, {"type": "relu"}]
    parameters = {}
    for k, (fan_in, fan_out) in enumerate(zip(widths, widths[1:]), 1):
        parameters[f"W{k}"] = (random.randn(fan_in, fan_out) * np.sqrt(2.0 / fan_in)).tolist()
        parameters[f"b{k}"] = (random.randn(fan_out) * 0.01).tolist()
    request = {"network": {"input": widths[0], "layers": layers[:-1], "loss": "cross_entropy"}, "dtype": dtype,
               "parameters": parameters,
               "data": {"x": random.randn(batch, widths[0]).tolist(), "y": random.randint(widths[-1], size=batch).tolist()},
               "tolerance": {"atol": 1e-4 if dtype == "float32" else 1e-10, "rtol": 0}}
    result = torch_reference.evaluate(request, with_intermediates=False)
    request["gradients"] = {name: torch_reference.to_json(values) for name, values in result.gradients.items()}
    count = sum(values.size for values in result.gradients.values())
    return json.dumps(request).encode(), count


# --- the table -------------------------------------------------------------------------------------------------------


def row(what, ours, peer, unit, note="", larger_is_better=False):
    ratio = ""
    if peer is not None:
        ratio = f"{ours / peer if larger_is_better else peer / ours:8.1f}x"
    print(f"{what:<44} {ours:>12,.3f} {'-' if peer is None else format(peer, '12,.3f'):>12} {unit:<8} {ratio:>9}  {note}")


@contextlib.contextmanager
def torch_service():
    """The port of the peer, None where PyTorch is not installed."""
    if torch_reference is None:
        print("PyTorch is not installed (python3-torch): gradcheckd is measured alone.\n")
        yield None
        return
    process = subprocess.Popen([sys.executable, str(HERE / "torch_service.py"), "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def small_checks(ours, peer, count, seconds):
    body = xor_body()
    print(f"Lab-sized check (XOR, 2-3-2-1, {len(body)} bytes), one keep-alive connection: median of {count} requests (of the peer: a fifth)")
    ours_seconds, steps = measure(ours, body, count, 200)
    peer_seconds = measure(peer, body, max(count // 5, 50), 50)[0] if peer else None
    row("latency", ours_seconds * 1e6, peer_seconds and peer_seconds * 1e6, "us")
    row("  of that inside the daemon (Server-Timing)", sum(steps.values()) * 1e3, None, "us",
        ", ".join(f"{name} {value * 1e3:.1f}" for name, value in steps.items()))

    tool = "wrk" if shutil.which("wrk") else f"{CONNECTIONS} threads in Python, which are the bottleneck"
    print(f"\nThroughput of the same check, {CONNECTIONS} connections, once for {seconds} s each, by {tool}")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        rate = (lambda port: throughput_wrk(port, file.name, seconds)) if shutil.which("wrk") else (
            lambda port: throughput_threads(port, body, seconds))
        row("throughput", rate(ours), rate(peer) if peer else None, "1/s", larger_is_better=True)


def programs(ours, peer, count):
    """Measured by turns, as other work on the machine would else be taken for the difference."""
    listed, program, inside = xor_body(), xor_program_body(), {"list": [], "program": []}
    for _ in range(8):
        for name, body in (("list", listed), ("program", program)):
            inside[name].append(sum(measure(ours, body, count // 8, 20)[1].values()))
    print("\nPrograms. A ratio of 0.67 and more is wanted of the first, of 1 and more of the others")
    row("XOR as a program, inside the daemon (peer: as a list)", statistics.median(inside["program"]) * 1e3,
        statistics.median(inside["list"]) * 1e3, "us")
    if not peer:
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for dtype in ("float64", "float32"):
        body, run = recurrent_request(dtype)
        passes, peers = [], []
        for _ in range(12):
            passes.append(measure(ours, body, 1, 0)[1]["pass"])
            peers.append(timed(run, 1) * 1e3)
        row(f"RNN, 100 steps, the step `pass`, {dtype}", statistics.median(passes), statistics.median(peers), "ms",
            "PyTorch on 1 thread, forward and backward")
    torch.set_num_threads(threads)


def large_checks(ours, peer, count):
    print(f"\nLarger networks, one keep-alive connection, JSON body made once: median of {count} requests, after one more")
    last = None
    for name, widths, batch in NETWORKS:
        for dtype in ("float64", "float32"):
            body, parameters = large_request(widths, batch, dtype)
            ours_seconds, steps = measure(ours, body, count, 1)
            peer_seconds, _ = measure(peer, body, count, 1)
            row(f"{name} ({parameters}), {dtype}, {len(body) / 1e6:.1f} MB", ours_seconds * 1e3, peer_seconds * 1e3, "ms",
                ", ".join(f"{step} {value:.2f}" for step, value in steps.items()))
            if dtype == "float64":
                last = (body, steps)
    return last


def json_reading(body, steps, count):
    print(f"\nReading the JSON of the largest body ({len(body) / 1e6:.1f} MB): median of {count}; "
          "ours is the step `read` of the requests above")
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        json.loads(body)
        seconds.append(time.perf_counter() - start)
    if steps.get("read"):
        row("JSON read (peer: Python's json.loads)", len(body) / 1e6 / (steps["read"] / 1e3),
            len(body) / 1e6 / statistics.median(seconds), "MB/s", larger_is_better=True)


# --- training --------------------------------------------------------------------------------------------------------


def lab_request():
    layers = [{"type": "linear", "out_features": 3}, {"type": "relu"}, {"type": "linear", "out_features": 2},
              {"type": "relu"}, {"type": "linear", "out_features": 1}, {"type": "sigmoid"}]
    return {"network": {"input": 2, "layers": layers, "loss": "mse"},
            "parameters": {"init": {"scheme": "he_normal", "seed": 123, "generator": "numpy"}},
            "data": {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]},
            "optimizer": {"type": "sgd", "lr": 1.0}, "epochs": 1000}


def digits_request(dtype, epochs):
    """As large as a course's MNIST exercise: 784-256-10 on 2048 samples in batches of 64. Pixels have two digits."""
    random = np.random.RandomState(0)
    y = random.randint(10, size=2048)
    x = np.round(np.clip(0.3 * random.rand(2048, 784) + 0.5 * random.rand(10, 784)[y], 0, 1), 2)
    layers = [{"type": "linear", "out_features": 256}, {"type": "relu"}, {"type": "linear", "out_features": 10}]
    return {"network": {"input": 784, "layers": layers, "loss": "cross_entropy"}, "dtype": dtype,
            "parameters": {"init": {"scheme": "he_normal", "seed": 1, "generator": "numpy"}},
            "data": {"x": x.tolist(), "y": y.tolist()},
            "optimizer": {"type": "sgd", "lr": 0.05}, "epochs": epochs, "batch_size": 64}


def same_curve(found, expected, allowed):
    return len(found) == len(expected) and all(abs(a - b) <= allowed * abs(b) for a, b in zip(found, expected))


def timed(work, count, summary=statistics.median):
    """Median seconds (or another summary) of `count` calls, after one more."""
    work()
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return summary(seconds)


def lab_training_run(port, count):
    request = lab_request()
    body, epochs = json.dumps(request).encode(), request["epochs"]
    curve = json.loads((HERE.parent / "vectors" / "train" / "lab_curve.json").read_text(encoding="ascii"))
    seconds, steps = measure(port, body, count, 5, "/v1/train", lambda answer: same_curve(answer["loss"], curve, 1e-9))
    print(f"\nThe lab's training (XOR, 2-3-2-1, {epochs} epochs, {len(body)} bytes), median of {count} requests; of the peers' "
          f"loops, which record the losses alone: of {max(count // 20, 5)}")
    numpy_seconds = torch_seconds = None
    if torch_reference:
        numpy_seconds = timed(lambda: lab_training.train(epochs), max(count // 20, 5))
        torch_seconds = timed(lambda: torch_peer.train(request), max(count // 20, 5))
    in_milliseconds = numpy_seconds and numpy_seconds * 1e3
    row("whole request (peer: the lab's NumPy loop)", seconds * 1e3, in_milliseconds, "ms",
        ", ".join(f"{name} {value:.3f}" for name, value in steps.items()))
    row("  the step `train` (peer: the same)", steps["train"], in_milliseconds, "ms", "at least 60x is wanted")
    sparse = json.dumps({**request, "record_every": 10}).encode()
    sparse_seconds, steps_of_sparse = measure(port, sparse, count, 5, "/v1/train",
                                              lambda answer: same_curve(answer["loss"], curve[::10], 1e-9))
    row("whole request with every 10th epoch recorded", sparse_seconds * 1e3, in_milliseconds, "ms",
        ", ".join(f"{name} {value:.3f}" for name, value in steps_of_sparse.items()))
    row("whole request (peer: a PyTorch loop)", seconds * 1e3, torch_seconds and torch_seconds * 1e3, "ms")
    row("  the step `train` (peer: the same)", steps["train"], torch_seconds and torch_seconds * 1e3, "ms")


def digits_training_run(port, count, epochs):
    """PyTorch's loop on one thread and on two: which is the faster depends on what else the cores have to do."""
    print(f"\n784-256-10, cross_entropy, sgd, 2048 samples in batches of 64, {epochs} epochs: fastest of {count}, after one "
          f"more; the peer is the faster of PyTorch's loop on 1 and on 2 threads (load average {os.getloadavg()[0]:.1f})")
    threads = torch.get_num_threads()
    for dtype, allowed in (("float64", 1e-9), ("float32", 1e-3)):
        request = digits_request(dtype, epochs)
        body, curve = json.dumps(request).encode(), torch_peer.train(request)
        seconds, steps = measure(port, body, count, 1, "/v1/train",
                                 lambda answer: same_curve(answer["loss"], curve, allowed), min)
        peers = []
        for number in (1, 2):
            torch.set_num_threads(number)
            peers.append(timed(torch_peer.prepared(request), count, min))
        reading = timed(lambda: torch_peer.prepared(json.loads(body)), 2, min)
        row(f"{dtype}, the step `train`", steps["train"], min(peers) * 1e3, "ms",
            "PyTorch on 1 thread {:.1f} ms, on 2 {:.1f} ms".format(*(peer * 1e3 for peer in peers)))
        row(f"{dtype}, whole request, {len(body) / 1e6:.1f} MB", seconds * 1e3, (min(peers) + reading) * 1e3, "ms",
            ", ".join(f"{name} {value:.1f}" for name, value in steps.items()) + "; peer with json.loads and tensors")
    torch.set_num_threads(threads)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer repetitions")
    arguments.add_argument("--only", choices=("checks", "programs", "training"), help="leave out the rest")
    options = arguments.parse_args()
    quick = options.quick
    with Daemon() as daemon, torch_service() as peer:
        print(f"{os.cpu_count()} cores. gradcheckd beside a Python service around PyTorch's autograd (the peer).\n")
        print(f"{'':<44} {'gradcheckd':>12} {'peer':>12} {'':<8} {'ratio':>9}")
        if options.only == "programs":
            programs(daemon.port, peer, 800 if quick else 4000)
        if options.only not in ("training", "programs"):
            small_checks(daemon.port, peer, 500 if quick else 5000, 2 if quick else 5)
            programs(daemon.port, peer, 800 if quick else 4000)
            if peer:
                body, steps = large_checks(daemon.port, peer, 3 if quick else 9)
                json_reading(body, steps, 3 if quick else 9)
        if options.only not in ("checks", "programs"):
            lab_training_run(daemon.port, 40 if quick else 200)
            if peer:
                digits_training_run(daemon.port, 3 if quick else 9, 3 if quick else 5)


if __name__ == "__main__":
    main()

"""What the load tests send, how they read what comes back, and what the system says of the daemon's process."""

import json
import os
import pathlib
import socket
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))
from daemon import Broken, Client, Daemon, members  # noqa: E402

MIB = 1 << 20

# ---- What is asked ----


def lab(right=True):
    """The lab's check, 2-3-2-1 on XOR; or with one element of b2 off by a tenth."""
    with (HERE.parent / "vectors" / "lab.ndjson").open(encoding="ascii") as lines:
        vector = json.loads(next(lines))
    gradients = json.loads(json.dumps(vector["expected"]["gradients"]))
    if not right:
        gradients["b2"][0][0] += 0.1
    return json.dumps({**vector["request"], "gradients": gradients}).encode()


def tall(rows, width):
    """A small body whose pass is large: each row's few characters become several times `width` numbers."""
    layers = [{"type": "linear", "out_features": width}, {"type": "relu"}, {"type": "linear", "out_features": 1}]
    return json.dumps(
        {
            "network": {"input": 1, "layers": layers, "loss": "mse"},
            "parameters": {"init": {"scheme": "he_normal", "seed": 1, "generator": "numpy"}},
            "data": {"x": [[i % 10] for i in range(rows)], "y": [[0]] * rows},
            "gradients": {"b1": 0},
        },
        separators=(",", ":"),
    ).encode()


def training(epochs, width=3):
    """The lab's training; a wider one takes longer."""
    request = json.loads((HERE.parent / "demo" / "train.json").read_text(encoding="ascii"))
    request["network"]["layers"][0]["out_features"] = width
    return json.dumps({**request, "epochs": epochs}).encode()


# ---- What comes back ----


class Malformed(Exception):
    """An answer that is none, or of which a part is missing."""


class Reader(Client):
    """A client to which half an answer is a fault, and no answer is not. It reads streams, too."""

    def __init__(self, daemon, timeout=60, address="127.0.0.1", window=None):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if window is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        try:
            self.socket.bind((address, 0))
            self.socket.connect((daemon.host, daemon.port))
        except OSError:
            self.socket.close()
            raise
        self.buffer, self.received = b"", 0

    def answer(self):
        """The next one, checked as far as it says itself what it should be; Broken where nothing of it came."""
        try:
            answer = self.read()
        except Broken as broken:
            if broken.received == 0:
                raise
            raise Malformed("it ended after %d bytes" % broken.received) from None
        except (ValueError, IndexError, UnicodeError) as error:
            raise Malformed("not HTTP: %r" % error) from None
        except KeyError:
            raise Malformed("it does not say how long it is") from None
        kind = answer.headers.get("content-type", "")
        if kind in ("application/json", "application/problem+json") and answer.body:
            try:
                content = json.loads(answer.body, object_pairs_hook=members)
            except (ValueError, AssertionError) as error:
                raise Malformed("not JSON: %s in %r" % (error, answer.body[:300])) from None
            if kind == "application/problem+json" and content["status"] != answer.status:
                raise Malformed("status %d says %d" % (answer.status, content["status"]))
        return answer

    def events(self):
        """The names of a stream's events. A request that is answered without one has none."""
        head, chunks = b"", b""
        try:
            while b"\r\n\r\n" not in self.buffer:
                self._more()
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            if b"chunked" not in head.lower():
                self.answer()
                return []
            self.buffer = rest
            while True:
                while b"\r\n" not in self.buffer:
                    self._more()
                size, _, self.buffer = self.buffer.partition(b"\r\n")
                while len(self.buffer) < int(size, 16) + 2:
                    self._more()
                chunks += self.buffer[: int(size, 16)]
                self.buffer = self.buffer[int(size, 16) + 2 :]
                if int(size, 16) == 0:
                    break
        except Broken as broken:
            if broken.received == 0:
                raise
            raise Malformed("a stream ended after %d bytes" % broken.received) from None
        except ValueError as error:
            raise Malformed("not a stream: %s" % error) from None
        events = [event.split("\n") for event in chunks.decode().split("\n\n") if event]
        for lines in events:
            if len(lines) != 2 or not lines[0].startswith("event: ") or not lines[1].startswith("data: "):
                raise Malformed("not an event: %r" % lines[:3])
            json.loads(lines[1][6:])
        return [lines[0][7:] for lines in events]


# ---- What the system says ----


def memory(daemon, kind="VmRSS"):
    """MiB of the process; VmHWM is the most that it ever had."""
    with open("/proc/%d/status" % daemon.process.pid, encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(kind + ":"))


def thread_count(daemon):
    return len(os.listdir("/proc/%d/task" % daemon.process.pid))


def descriptors(daemon):
    return len(os.listdir("/proc/%d/fd" % daemon.process.pid))


def processor_seconds(daemon):
    with open("/proc/%d/stat" % daemon.process.pid, encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""Starts the daemon for a test, and talks to it in raw bytes.

The program is $GRADCHECKD, else build/gradcheckd: the same tests run under the sanitizers.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("GRADCHECKD", os.path.join("build", "gradcheckd"))
FIRST_LINE = re.compile(r"gradcheckd \S+ listening on http://(\[.*\]|[0-9.]+):(\d+)\n")


class Daemon:
    """A running daemon; `before` is called in its process before it is one. stop() checks that it ends as it should: status 0, and a silent standard error."""

    def __init__(self, *arguments, environment=None, before=None, pass_fds=()):
        self.ending = False
        self.errors = tempfile.TemporaryFile(mode="w+")
        variables = {name: value for name, value in os.environ.items() if not name.startswith("GRADCHECKD_")}
        variables.update(environment or {})
        if not any(word.startswith("--listen") for word in arguments):
            arguments = ("--listen", "127.0.0.1:0") + arguments
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=self.errors, text=True, env=variables, preexec_fn=before, pass_fds=pass_fds
        )
        self.first_line = self.process.stdout.readline()
        match = FIRST_LINE.fullmatch(self.first_line)
        if match is None:
            self.process.wait(10)
            raise AssertionError("first line %r, standard error %r" % (self.first_line, self.read_errors()))
        self.host, self.port = match.group(1).strip("[]"), int(match.group(2))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop() if self.process.poll() is None else self.finish()

    def read_errors(self):
        self.errors.seek(0)
        return self.errors.read()

    def signal(self, number=signal.SIGTERM):
        self.ending = self.ending or number in (signal.SIGTERM, signal.SIGINT)
        self.process.send_signal(number)

    def finish(self, seconds=30):
        """Waits for the end; returns how long that took."""
        start = time.monotonic()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        self.process.stdout.close()
        errors = self.read_errors()
        self.errors.close()
        if status is None:
            raise AssertionError("the daemon did not end within %g s; standard error:\n%s" % (seconds, errors))
        if status != 0 or errors != "":
            raise AssertionError("exit status %d, standard error:\n%s" % (status, errors))
        return time.monotonic() - start

    def stop(self):
        if not self.ending:  # a second signal would end it in the middle
            self.signal()
        return self.finish()

    def metrics(self):
        """What GET /metrics counts, by name."""
        with Client(self) as client:
            lines = client.ask(get("/metrics")).body.decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    def connect(self, timeout=20, address=None):
        """A connection; with another address of loopback as another machine's."""
        host = "127.0.0.1" if address and self.host == "::" else self.host
        return socket.create_connection((host, self.port), timeout, (address, 0) if address else None)


def members(pairs):
    """An object of an answer. A member that is there twice is read by some as the first, by others as the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AssertionError("a member is there twice: %s" % [name for name, _ in pairs])
    return found


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body, object_pairs_hook=members)


class Broken(Exception):
    """The connection ended before an answer was complete. `received` counts the bytes that came."""

    def __init__(self, received):
        super().__init__("connection ended after %d bytes" % received)
        self.received = received


class Client:
    """One connection; answers are read byte-exact, so that what follows on the connection is seen, too."""

    def __init__(self, daemon, timeout=20):
        self.socket = daemon.connect(timeout)
        self.buffer = b""
        self.received = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionError:
            piece = b""
        if not piece:
            raise Broken(self.received)
        self.received += len(piece)
        self.buffer += piece

    def read(self, head=False):
        """The next answer, skipping 100 Continue. head: it answers a HEAD."""
        self.received = len(self.buffer)
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        top, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = top.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        if status == 100:
            return self.read(head)
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked" and not head:
            return Answer(status, headers, b"".join(iter(self._chunk, b"")))
        return Answer(status, headers, self._bytes(0 if head or status in (204, 304) else int(headers["content-length"])))

    def _bytes(self, length):
        while len(self.buffer) < length:
            self._more()
        piece, self.buffer = self.buffer[:length], self.buffer[length:]
        return piece

    def _chunk(self):
        """The next chunk of an answer; b"" is the last."""
        while b"\r\n" not in self.buffer:
            self._more()
        size, self.buffer = self.buffer.split(b"\r\n", 1)
        return self._bytes(int(size, 16) + 2)[:-2]

    def is_closed(self):
        """Whether the server closes the connection now, and sends nothing more before that."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    def ask(self, data, head=False):
        self.send(data)
        return self.read(head)


def post(body, path="/v1/check", extra=b"", kind=b"application/json"):
    """The bytes of a POST."""
    return b"".join(
        [
            b"POST " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n",
            b"Content-Type: " + kind + b"\r\n" if kind else b"",
            extra,
            b"Content-Length: %d\r\n\r\n" % len(body),
            body,
        ]
    )


def get(path, extra=b"", method=b"GET"):
    return method + b" " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + extra + b"\r\n"


def heavy_check(width, layers=2, batch=100, **options):
    """A check in a small body that is work for a worker: about 6 * (layers - 1) * batch * width**2 operations."""
    stack = []
    for _ in range(layers):
        stack += [{"type": "linear", "out_features": width}, {"type": "tanh"}]
    stack.append({"type": "linear", "out_features": 1})
    return json.dumps(
        {
            "network": {"input": 2, "layers": stack, "loss": "mse"},
            "parameters": {"init": {"scheme": "he_normal", "seed": 1, "generator": "numpy"}},
            "data": {"x": [[1, 2]] * batch, "y": [[0]] * batch},
            "gradients": {"b1": 0},
            **options,
        }
    ).encode()


def endless_check():
    """One that takes a core several seconds, and little memory."""
    return heavy_check(width=100, layers=4, batch=100, verify_reference=True)


def wait_until(condition, seconds=30):
    """Whether the condition becomes true in that time. The time is for slow machines; a condition is asked for every 20 ms."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class DaemonTest(unittest.TestCase):
    """One daemon for all tests of the class."""

    arguments = ()
    environment = None

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(*cls.arguments, environment=cls.environment)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def client(self, timeout=20):
        client = Client(self.daemon, timeout)
        self.addCleanup(client.socket.close)
        return client

    def assertProblem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json()
        self.assertEqual((problem["status"], problem["code"]), (status, code))
        self.assertEqual(problem["type"], "about:blank")
        self.assertTrue(problem["title"] and problem["detail"])
        return problem

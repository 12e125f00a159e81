"""Sizes, times and numbers that a client may not exceed, and what becomes of it when it does."""

import contextlib
import json
import math
import os
import resource
import select
import signal
import socket
import tempfile
import threading
import time
import unittest

from daemon import Broken, Client, Daemon, DaemonTest, endless_check, get, heavy_check, post, wait_until

KIB, MIB = 1 << 10, 1 << 20


CHUNKED_HEAD = (
    b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


class BodyTest(DaemonTest):
    arguments = ("--max-body", "1MiB")
    environment = {"GRADCHECKD_TEST_PATIENCE": "600"}

    def test_announced_too_large(self):
        """Refused before it is read: a client that waits for 100 Continue is told not to send at all."""
        client = self.client()
        head = post(b"", extra=b"Expect: 100-continue\r\n").replace(b"Content-Length: 0", b"Content-Length: 1048577")
        self.assertProblem(client.ask(head), 413, "body_too_large")
        self.assertTrue(client.is_closed())

    def test_announced_too_large_and_sent(self):
        """A client that sends all the same sees the answer, not a reset."""
        for _ in range(5):
            client = self.client()
            self.assertProblem(client.ask(post(b" " * (20 * MIB))), 413, "body_too_large")

    def test_chunked_too_large(self):
        client = self.client()
        client.send(CHUNKED_HEAD)
        for _ in range(40):
            client.send(b"10000\r\n" + b" " * (64 * KIB) + b"\r\n")
        self.assertProblem(client.ask(b"0\r\n\r\n"), 413, "body_too_large")
        self.assertEqual(client.ask(get("/healthz")).status, 200)

    def test_largest_allowed(self):
        client = self.client()
        self.assertProblem(client.ask(post(b" " * MIB)), 400, "malformed_json")
        chunk = b"10000\r\n" + b" " * (64 * KIB) + b"\r\n"
        head = CHUNKED_HEAD
        self.assertProblem(client.ask(head + 16 * chunk + b"0\r\n\r\n"), 400, "malformed_json")

    def test_no_length(self):
        client = self.client()
        self.assertProblem(client.ask(b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\n\r\n"), 411, "length_required")
        self.assertEqual(client.ask(get("/healthz")).status, 200)

    def test_empty_body(self):
        self.assertProblem(self.client().ask(post(b"")), 400, "malformed_json")

    def test_media_types(self):
        client = self.client()
        for kind in (b"application/json", b"Application/JSON;charset=UTF-8", b"application/json ; x=y"):
            self.assertProblem(client.ask(post(b"{}", kind=kind)), 400, "missing_member")
        for kind in (b"text/plain", b"application/jsonp", b"", b"application/x-www-form-urlencoded"):
            client = self.client()
            answer = client.ask(post(b"{}", kind=kind))
            problem = self.assertProblem(answer, 415, "unsupported_media_type")
            self.assertIn("application/json", problem["detail"])
        self.assertIn("--json", problem["detail"])

    def test_content_encodings(self):
        self.assertEqual(self.client().ask(post(b"{}", extra=b"Content-Encoding: identity\r\n")).status, 400)
        answer = self.client().ask(post(b"{}", extra=b"Content-Encoding: br\r\n"))
        self.assertProblem(answer, 415, "unsupported_media_type")
        self.assertEqual(answer.headers["accept-encoding"], "gzip, zstd, deflate, x-gzip")

    def test_all_bodies_together(self):
        """Eight times the largest body is what all clients together may have under way, and small ones on top."""
        clients = [self.client() for _ in range(8)]
        for client in clients:
            client.send(post(b" " * MIB)[:-1])
        head = post(b" " * MIB, extra=b"Expect: 100-continue\r\n")[:-MIB]

        def refused():  # asks without a body of its own, which could take the place of one that is still on its way
            client = self.client()
            client.send(head)
            return client.socket.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 503"

        self.assertTrue(wait_until(refused))
        answer = self.client().ask(head)
        self.assertProblem(answer, 503, "overloaded")
        self.assertEqual(answer.headers["retry-after"], "1")
        self.assertProblem(self.client().ask(post(b"{}")), 400, "missing_member")
        self.assertProblem(self.client().ask(post(b" " * (64 * KIB))), 400, "malformed_json")
        for client in clients[:7]:
            client.socket.close()
        self.assertProblem(clients[7].ask(b" "), 400, "malformed_json")
        self.assertTrue(wait_until(lambda: self.client().ask(post(b" " * MIB)).status == 400))

    def test_bodies_count_as_far_as_they_came(self):
        """Twelve bodies that are little more than half there fit into the room for eight whole ones."""
        clients = [self.client() for _ in range(12)]
        before = self.daemon.metrics()["gradcheckd_bytes_received_total"]
        for client in clients:
            client.send(post(b" " * MIB)[: 600 * KIB - MIB])
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] >= 13))
        for client in clients:
            client.socket.close()
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] <= 2))
        after = self.daemon.metrics()["gradcheckd_bytes_received_total"]
        self.assertGreater(after - before, 11 * 512 * KIB)  # one that is refused counts nothing


class StoppedTest(DaemonTest):
    """Bodies of up to 8 MiB, and hardly any patience with those that stop on their way."""

    arguments = ("--max-body", "8MiB", "--threads", "2")
    environment = {"GRADCHECKD_TEST_PATIENCE": "0.2"}

    def uploads(self, missing):
        """Eight that take all the room that there is for bodies, but for what is missing of them."""
        clients = [self.client(60) for _ in range(8)]
        for client in clients:
            client.send(post(b" " * (8 * MIB))[:-missing])
        return clients

    def test_a_body_that_moves(self):
        """It takes the room of those that have stopped, and of no more than it needs."""
        stopped = self.uploads(missing=1)
        self.assertTrue(wait_until(lambda: self.client(60).ask(post(b" " * (4 * MIB))).status == 400))
        ended = select.select([client.socket for client in stopped], [], [], 0)[0]
        self.assertEqual(len(ended), 1)
        for client in stopped:
            if client.socket not in ended:
                self.assertProblem(client.ask(b" "), 400, "malformed_json")

    def test_a_drip(self):
        """A byte now and then does not hold the room of millions."""
        dripping, ended = self.uploads(missing=100000), threading.Event()

        def drip():
            while not ended.wait(0.01):
                for client in dripping:
                    with contextlib.suppress(OSError):
                        client.send(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            self.assertTrue(wait_until(lambda: self.client(60).ask(post(b" " * (8 * MIB))).status == 400))
        finally:
            ended.set()
            thread.join()


class AnswersTest(DaemonTest):
    """With room for 64 MiB in answers that their clients have yet to take."""

    environment = {"GRADCHECKD_TEST_ANSWERS": str(64 * MIB)}

    LARGE = post(heavy_check(width=700, batch=1, reveal=True, diagnose=False))  # some 10 MB, from three times the memory

    def stalled(self):
        """A client that asks and takes nothing."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(60)
        raw.connect((self.daemon.host, self.daemon.port))
        self.addCleanup(raw.close)
        raw.sendall(self.LARGE)
        return raw

    def test_clients_that_take_nothing(self):
        """They fill the room, so that others are told to come back; and they lose their place to them."""
        whole = self.client(60).ask(self.LARGE)
        self.assertEqual(whole.status, 200)
        stalled = [self.stalled() for _ in range(8)]
        answers = []

        def answered(status):
            answers.append(self.client(60).ask(post(heavy_check(width=300))))
            return answers[-1].status == status

        self.assertTrue(wait_until(lambda: answered(503)))
        self.assertProblem(answers[-1], 503, "overloaded")
        self.assertEqual(answers[-1].headers["retry-after"], "1")
        self.assertEqual(self.client().ask(get("/healthz")).status, 200)
        self.assertTrue(wait_until(lambda: answered(200)))
        self.assertEqual(self.client(60).ask(self.LARGE).body, whole.body)
        self.assertTrue(any(self.is_cut_off(client, len(whole.body)) for client in stalled))

    def test_a_client_that_pauses(self):
        """Nobody else wants the room that its answer takes: it may take its time."""
        whole = self.client(60).ask(self.LARGE).body
        with Daemon(environment={"GRADCHECKD_TEST_ANSWERS": str(64 * MIB), "GRADCHECKD_TEST_PATIENCE": "0.1"}) as daemon:
            with Client(daemon, 60) as client:
                client.send(self.LARGE)
                client.socket.recv(1, socket.MSG_PEEK)
                time.sleep(2)
                self.assertEqual(client.read().body, whole)

    def is_cut_off(self, raw, length):
        """Whether its connection ends before so many bytes have come."""
        while length > 0:
            try:
                piece = raw.recv(1 << 16)
            except ConnectionError:
                return True
            if not piece:
                return True
            length -= len(piece)
        return False


class DeadlineTest(DaemonTest):
    """With a second for everything."""

    environment = {"GRADCHECKD_TEST_DEADLINES": "1,1,1,1"}

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        with open(os.path.join(cls.directory.name, "large.bin"), "wb") as file:
            file.write(b"x" * (30 * MIB))
        cls.arguments = ("--threads", "1", "--static", cls.directory.name)
        super().setUpClass()

    def dripped(self, data):
        """The connection closes while a byte is sent every 50 ms. (No upper bound: the machine may be slow.)"""
        client = self.client()
        try:
            for i in range(100):
                client.send(data[i : i + 1])
                if select.select([client.socket], [], [], 0.05)[0]:
                    break
            else:
                self.fail("still open")
        except ConnectionError:
            pass
        self.assertTrue(client.is_closed())

    def test_slow_head(self):
        self.dripped(get("/healthz", b"X-Slow: " + b"x" * 1000))

    def test_slow_body(self):
        client = self.client()
        client.send(post(b" " * 1000)[:-1000])
        with self.assertRaises((Broken, ConnectionError)):
            for _ in range(100):
                client.send(b" ")
                if select.select([client.socket], [], [], 0.05)[0]:
                    client.read()

    def test_silence(self):
        for first in (b"", get("/healthz")):
            client = self.client()
            if first:
                client.ask(first)
            self.assertTrue(client.is_closed())

    def test_answer_not_taken(self):
        client = Client.__new__(Client)
        client.socket, client.buffer = socket.socket(), b""
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(20)
        client.socket.connect((self.daemon.host, self.daemon.port))
        self.addCleanup(client.socket.close)
        client.send(get("/large.bin"))
        time.sleep(2.5)
        with self.assertRaises(Broken):
            client.read()


class PatienceTest(DaemonTest):
    """With a second for work, and for the rest enough that a slow machine is not taken for a slow client."""

    arguments = ("--threads", "1")
    environment = {"GRADCHECKD_TEST_DEADLINES": "3,3,1,3"}

    def test_heads_that_do_not_fit(self):
        """The library begins such a request, and may say no more of it then; nothing stays behind."""
        for length in (100, 60000):
            self.client().ask(post(b" " * length))
        for data in (get("/healthz", extra=b"X: y\r\n" * 5000), get("/healthz?" + "a=b&" * 2500), get("/healthz?" + "a" * 150000)):
            for keep in (True, False):
                clients = [self.client() for _ in range(50)]
                for client in clients:
                    with contextlib.suppress(ConnectionError):  # it may be refused in the middle
                        client.send(data)
                    if not keep:
                        client.socket.close()
                for client in clients if keep else ():
                    with contextlib.suppress(ConnectionError):
                        client.socket.recv(1)  # an answer, or the end: it would time out else
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] <= 1))
        self.assertProblem(self.client().ask(post(b" " * 100000)), 400, "malformed_json")

    def test_work_that_takes_too_long(self):
        client = self.client(60)
        answer = client.ask(post(endless_check()))
        problem = self.assertProblem(answer, 422, "too_much_work")
        self.assertEqual(problem["pointer"], "")
        self.assertIn("takes longer than", problem["detail"])
        self.assertEqual(client.ask(get("/healthz")).status, 200)

    def test_ordinary_use(self):
        client = self.client()
        start = time.monotonic()
        while time.monotonic() - start < 4:  # one request after the other: no deadline sums up over several
            self.assertEqual(client.ask(get("/healthz")).status, 200)


class WorkerTest(DaemonTest):
    arguments = ("--threads", "1")

    def test_client_that_leaves(self):
        """Its work is cancelled, and does not keep others waiting."""
        clients = [self.client() for _ in range(20)]
        for client in clients:
            client.send(post(endless_check()))
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_queue_length"] == 19))
        for client in clients:
            client.socket.close()
        self.assertEqual(self.client(60).ask(post(heavy_check(width=200))).status, 200)

    def test_light_requests_pass_heavy_ones(self):
        busy = self.client()
        busy.send(post(endless_check()))
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] == 2))
        client = self.client()
        for _ in range(20):
            self.assertEqual(client.ask(get("/healthz")).status, 200)
        self.assertEqual(select.select([busy.socket], [], [], 0)[0], [])
        busy.socket.close()

    def test_full_queue(self):
        body = post(endless_check())
        clients = [self.client() for _ in range(300)]
        for client in clients:
            client.send(body)
        refused = 0
        deadline = time.monotonic() + 60
        while refused < 300 - 260 and time.monotonic() < deadline:
            for client in select.select(clients_by_socket := {c.socket: c for c in clients}, [], [], 0.1)[0]:
                answer = clients_by_socket[client].read()
                clients = [c for c in clients if c.socket is not client]
                if answer.status == 503:
                    self.assertProblem(answer, 503, "overloaded")
                    self.assertEqual(answer.headers["retry-after"], "1")
                    refused += 1
        self.assertGreaterEqual(refused, 300 - 260)
        for client in clients:
            client.socket.close()
        self.assertTrue(wait_until(lambda: self.client(60).ask(post(heavy_check(width=200))).status == 200))

    def test_pipelined_behind_heavy_work(self):
        client = self.client(60)
        client.send(post(heavy_check(width=300)) + get("/healthz") + post(heavy_check(width=300)) + get("/nope"))
        self.assertEqual([client.read().status for _ in range(4)], [200, 200, 200, 404])


class LaneTest(DaemonTest):
    arguments = ("--threads", "2")

    def test_short_work_does_not_wait_for_long(self):
        """However much long work there is, one worker is left for the rest; it gives back what turns out to be long."""
        small = post(endless_check())
        large = post(endless_check() + b" " * (100 * KIB))  # goes to a worker before it is read
        clients = [self.client() for _ in range(12)]
        for i, client in enumerate(clients):
            client.send(large if i % 3 == 0 else small)
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] >= 13))
        for padding in (b"", b" " * (100 * KIB)):
            self.assertEqual(self.client(60).ask(post(heavy_check(width=200) + padding)).status, 200)
        waiting = len(clients) - len(select.select([client.socket for client in clients], [], [], 0)[0])
        self.assertGreater(waiting, 8)
        for client in clients:
            client.socket.close()


def deep_check(layers):
    """A check of a network of that many layers, in half of which the derivative of tanh is missing."""
    samples, targets, numbers = [0.9, -0.7, 0.4], [0.5, -0.1, 0.2], [[0.9, -0.7, 0.4]]
    for _ in range(layers // 2):
        numbers.append([math.tanh(h) for h in numbers[-1]])
    back = [2 / len(samples) * (h - t) for h, t in zip(numbers[-1], targets)]
    stack, parameters, gradients = [], {}, {}
    for k in range(layers // 2):
        stack += [{"type": "linear", "out_features": 1, "bias": False}, {"type": "tanh"}]
        parameters["W%d" % (k + 1)] = [[1]]
        gradients["W%d" % (k + 1)] = [[sum(h * d for h, d in zip(numbers[k], back))]]
    return json.dumps(
        {
            "network": {"input": 1, "layers": stack, "loss": "mse"},
            "parameters": parameters,
            "data": {"x": [[x] for x in samples], "y": [[t] for t in targets]},
            "gradients": gradients,
        }
    ).encode()


class StackTest(unittest.TestCase):
    def test_the_search_through_many_layers(self):
        """It goes down into every layer, whatever the shell that started the daemon gives a thread for that."""
        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        resource.setrlimit(resource.RLIMIT_STACK, (512 * KIB, hard))
        try:
            daemon = Daemon()
        finally:
            resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
        with daemon, Client(daemon) as client:
            answer = client.ask(post(deep_check(1000)))
            self.assertEqual(answer.status, 200)
            mistakes = answer.json()["diagnosis"]["mistakes"]
            self.assertEqual([m["id"] for m in mistakes], ["missing_activation_derivative"])
            self.assertEqual(len(mistakes[0]["layers"]), 500)


class ConnectionTest(unittest.TestCase):
    def allow_files(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
        if wanted < 1500:
            self.skipTest("too few open files allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))

    def test_more_than_are_served(self):
        """Idle connections make room when too many are open, and so do those that stop in the middle of a body."""
        self.allow_files()
        for data in (b"", post(b"x" * 100)[:-99]):
            with Daemon() as daemon:
                with Client(daemon) as early:
                    self.assertEqual(early.ask(get("/healthz")).status, 200)
                crowd = [daemon.connect(address="127.0.0.%d" % (2 + i % 4)) for i in range(1200)]
                for one in crowd:
                    one.sendall(data)
                with Client(daemon, 25) as client:  # all the deadlines are longer
                    self.assertEqual(client.ask(get("/healthz")).status, 200)
                for one in crowd:
                    one.close()

    def test_as_many_at_once_as_the_library_takes(self):
        """128 connections of each of two threads, all of which have something to read when these look."""
        with Daemon("--threads", "2") as daemon:
            crowd = [Client(daemon, 20) for _ in range(256)]
            for one in crowd:
                self.assertEqual(one.ask(get("/healthz")).status, 200)
            os.kill(daemon.process.pid, signal.SIGSTOP)
            for one in crowd:
                one.send(get("/healthz"))
            os.kill(daemon.process.pid, signal.SIGCONT)
            for one in crowd:
                self.assertEqual(one.read().status, 200)
                one.socket.close()

    def test_all_of_one_address(self):
        """However many it opens, and whatever it sends on them, others are served at once."""
        self.allow_files()
        with Daemon() as daemon:
            crowd = [daemon.connect() for _ in range(1100)]
            for one in crowd:
                with contextlib.suppress(OSError):
                    one.sendall(post(b" " * 10000)[:-10000])
            with Client(daemon, 25) as client:
                client.socket.close()
                client.socket = daemon.connect(address="127.0.0.2")
                for _ in range(10):
                    self.assertEqual(client.ask(get("/healthz")).status, 200)
                    for one in crowd:
                        with contextlib.suppress(OSError):
                            one.send(b" ")
            for one in crowd:
                one.close()

    def drip(self, daemon, crowd):
        """A byte for each connection; those that were closed are opened anew."""
        for i, one in enumerate(crowd):
            try:
                one.send(b" ")
            except OSError:
                one.close()
                crowd[i] = daemon.connect(address="127.0.0.%d" % (2 + i % 4))
                crowd[i].sendall(post(b" " * 100000)[:-100000])

    def test_who_moves_in_a_crowd(self):
        """A full house stays full while all send, if slowly; who has stopped in the middle of an answer has to go."""
        self.allow_files()
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "large.bin"), "wb") as file:
                file.write(b"x" * (30 * MIB))
            with Daemon("--static", directory) as daemon:
                lazy, slow, watcher = Client(daemon), Client(daemon), Client(daemon)
                lazy.send(get("/large.bin"))
                slow.send(post(b" " * 10000)[:-10000])
                crowd = [daemon.connect(address="127.0.0.%d" % (2 + i % 4)) for i in range(1100)]
                for one in crowd:
                    one.sendall(post(b" " * 100000)[:-100000])
                sent, last, pause, broken = 0, time.monotonic(), 0.0, b'route="static",status="499"'
                while broken not in watcher.ask(get("/metrics")).body:
                    self.assertLess(sent, 1000)
                    slow.send(b" ")
                    sent += 1
                    self.drip(daemon, crowd)
                    time.sleep(0.1)
                    now = time.monotonic()
                    pause, last = max(pause, now - last), now
                if pause < 0.5:  # else the machine is too slow for this
                    self.assertEqual(slow.ask(b" " * (10000 - sent)).status, 400)
                for one in crowd + [lazy.socket, slow.socket, watcher.socket]:
                    one.close()


class MetricsTest(DaemonTest):
    def read(self):
        return self.daemon.metrics()

    def test_counts(self):
        last = 'gradcheckd_requests_total{route="/v1/check",status="405"}'
        before = self.read()
        client = self.client()
        for data in (get("/healthz"), get("/healthz"), get("/nope"), post(b"{}"), get("/v1/check")):
            client.ask(data)
        deadline = time.monotonic() + 30
        while True:  # a request is counted when its answer is gone, which a client can be faster to see
            after = self.read()
            if after.get(last, 0) > before.get(last, 0) or time.monotonic() > deadline:
                break

        def grown(name):
            return after.get(name, 0) - before.get(name, 0)

        self.assertEqual(grown('gradcheckd_requests_total{route="/healthz",status="200"}'), 2)
        self.assertEqual(grown('gradcheckd_requests_total{route="other",status="404"}'), 1)
        self.assertEqual(grown('gradcheckd_requests_total{route="/v1/check",status="400"}'), 1)
        self.assertEqual(grown(last), 1)
        self.assertEqual(grown('gradcheckd_request_duration_seconds_count{route="/healthz"}'), 2)
        self.assertEqual(after['gradcheckd_request_duration_seconds_bucket{route="/healthz",le="+Inf"}'], 2)
        self.assertEqual(grown("gradcheckd_bytes_received_total"), 2)
        self.assertGreater(grown("gradcheckd_bytes_sent_total"), 6)
        self.assertIn(after["gradcheckd_in_flight"], (1, 2))  # this request, and perhaps the one before
        self.assertEqual(after["gradcheckd_queue_length"], 0)
        self.assertTrue(any(name.startswith("gradcheckd_build_info{version=") for name in after))

    def test_checks(self):
        before = self.read()
        body = json.loads(heavy_check(width=2))
        self.assertEqual(self.client().ask(post(json.dumps(body).encode())).status, 200)
        after = self.read()
        name = 'gradcheckd_checks_total{result="failed"}'
        self.assertEqual(after[name] - before[name], 1)


class FilesTest(unittest.TestCase):
    def test_few_files(self):
        """Idle connections make room where the system's limit is met before ours."""
        daemon = Daemon(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300)))
        clients = [Client(daemon, 30) for _ in range(400)]
        with Client(daemon, 30) as late:
            self.assertEqual(late.ask(get("/healthz")).status, 200)
        for client in clients:
            client.socket.close()
        with self.assertRaisesRegex(AssertionError, "exit status 0, standard error:\ngradcheckd: 300 open files are allowed: 208 conn"):
            daemon.stop()


if __name__ == "__main__":
    unittest.main()

"""Sizes, times and numbers that a client may not exceed, and what becomes of it when it does."""

import json
import os
import resource
import select
import socket
import tempfile
import time
import unittest

from daemon import Broken, Client, Daemon, DaemonTest, endless_check, get, heavy_check, post

KIB, MIB = 1 << 10, 1 << 20


class BodyTest(DaemonTest):
    arguments = ("--max-body", "1MiB")

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
        client.send(b"POST /v1/check HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            client.send(b"10000\r\n" + b" " * (64 * KIB) + b"\r\n")
        self.assertProblem(client.ask(b"0\r\n\r\n"), 413, "body_too_large")
        self.assertEqual(client.ask(get("/healthz")).status, 200)

    def test_largest_allowed(self):
        client = self.client()
        self.assertProblem(client.ask(post(b" " * MIB)), 400, "malformed_json")
        chunk = b"10000\r\n" + b" " * (64 * KIB) + b"\r\n"
        head = b"POST /v1/check HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertProblem(client.ask(head + 16 * chunk + b"0\r\n\r\n"), 400, "malformed_json")

    def test_no_length(self):
        client = self.client()
        self.assertProblem(client.ask(b"POST /v1/check HTTP/1.1\r\nHost: test\r\n\r\n"), 411, "length_required")
        self.assertEqual(client.ask(get("/healthz")).status, 200)

    def test_empty_body(self):
        self.assertProblem(self.client().ask(post(b"")), 400, "malformed_json")

    def test_media_types(self):
        client = self.client()
        for kind in (b"application/json", b"Application/JSON;charset=UTF-8", b"application/json ; x=y", b""):
            self.assertProblem(client.ask(post(b"{}", kind=kind)), 400, "missing_member")
        for kind in (b"text/plain", b"application/jsonp", b"application/x-www-form-urlencoded"):
            client = self.client()
            answer = client.ask(post(b"{}", kind=kind))
            problem = self.assertProblem(answer, 415, "unsupported_media_type")
            self.assertIn("application/json", problem["detail"])
        self.assertIn("--json", problem["detail"])

    def test_content_encodings(self):
        self.assertEqual(self.client().ask(post(b"{}", extra=b"Content-Encoding: identity\r\n")).status, 400)
        answer = self.client().ask(post(b"{}", extra=b"Content-Encoding: br\r\n"))
        self.assertProblem(answer, 415, "unsupported_media_type")
        self.assertIn("identity", answer.headers["accept-encoding"])

    def test_all_bodies_together(self):
        """Eight times the largest body is what all clients together may have under way."""
        clients = [self.client() for _ in range(9)]
        for client in clients[:8]:
            client.send(post(b" " * MIB)[:-1])
        deadline = time.monotonic() + 10
        while True:
            answer = clients[8].ask(post(b"{}"))
            if answer.status == 503 or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        self.assertProblem(answer, 503, "overloaded")
        self.assertEqual(answer.headers["retry-after"], "1")
        for client in clients[:7]:
            client.socket.close()
        self.assertProblem(clients[7].ask(b" "), 400, "malformed_json")
        deadline = time.monotonic() + 10
        while self.client().ask(post(b" " * MIB)).status != 400:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)


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
        """Seconds until the connection closes, when a byte is sent every 50 ms."""
        client = self.client()
        start = time.monotonic()
        try:
            for i in range(100):
                client.send(data[i : i + 1])
                if select.select([client.socket], [], [], 0.05)[0]:
                    break
        except ConnectionError:
            pass
        self.assertTrue(client.is_closed())
        return time.monotonic() - start

    def test_slow_head(self):
        self.assertLess(self.dripped(get("/healthz", b"X-Slow: " + b"x" * 1000)), 3)

    def test_slow_body(self):
        client = self.client()
        client.send(post(b" " * 1000)[:-1000])
        start = time.monotonic()
        with self.assertRaises((Broken, ConnectionError)):
            for _ in range(100):
                client.send(b" ")
                if select.select([client.socket], [], [], 0.05)[0]:
                    client.read()
        self.assertLess(time.monotonic() - start, 3)

    def test_silence(self):
        for first in (b"", get("/healthz")):
            client = self.client()
            start = time.monotonic()
            if first:
                client.ask(first)
            self.assertTrue(client.is_closed())
            self.assertLess(time.monotonic() - start, 3)

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

    def test_work_that_takes_too_long(self):
        client = self.client()
        start = time.monotonic()
        answer = client.ask(post(endless_check()))
        self.assertProblem(answer, 503, "cancelled")
        self.assertLess(time.monotonic() - start, 10)
        self.assertEqual(client.ask(get("/healthz")).status, 200)

    def test_ordinary_use(self):
        client = self.client()
        for _ in range(30):
            self.assertEqual(client.ask(get("/healthz")).status, 200)
            time.sleep(0.1)


class WorkerTest(DaemonTest):
    arguments = ("--threads", "1")

    def test_client_that_leaves(self):
        """Its work is cancelled, and does not keep others waiting."""
        client = self.client()
        client.send(post(endless_check()))
        time.sleep(0.5)
        client.socket.close()
        start = time.monotonic()
        self.assertEqual(self.client(60).ask(post(heavy_check(width=200))).status, 200)
        self.assertLess(time.monotonic() - start, 10)

    def test_light_requests_pass_heavy_ones(self):
        busy = self.client()
        busy.send(post(endless_check()))
        time.sleep(0.2)
        client = self.client(5)
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
        deadline = time.monotonic() + 20
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
        deadline = time.monotonic() + 20
        while self.client(60).ask(post(heavy_check(width=200))).status != 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def test_pipelined_behind_heavy_work(self):
        client = self.client(60)
        client.send(post(heavy_check(width=300)) + get("/healthz") + post(heavy_check(width=300)) + get("/nope"))
        self.assertEqual([client.read().status for _ in range(4)], [200, 200, 200, 404])


class ConnectionTest(unittest.TestCase):
    def test_more_than_are_served(self):
        """Idle connections make room when too many are open."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
        if wanted < 1500:
            self.skipTest("too few open files allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        with Daemon() as daemon:
            crowd = [daemon.connect() for _ in range(1200)]
            start = time.monotonic()
            with Client(daemon) as client:
                self.assertEqual(client.ask(get("/healthz")).status, 200)
            self.assertLess(time.monotonic() - start, 10)
            for one in crowd:
                one.close()


class MetricsTest(DaemonTest):
    def read(self):
        text = self.client().ask(get("/metrics")).body.decode()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def test_counts(self):
        last = 'gradcheckd_requests_total{route="/v1/check",status="405"}'
        before = self.read()
        client = self.client()
        for data in (get("/healthz"), get("/healthz"), get("/nope"), post(b"{}"), get("/v1/check")):
            client.ask(data)
        deadline = time.monotonic() + 5
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


if __name__ == "__main__":
    unittest.main()

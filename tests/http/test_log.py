"""One line of JSON for each request, and the name that a request has in it."""

import json
import os
import re
import signal
import tempfile
import unittest

from daemon import Client, Daemon, DaemonTest, get, post, wait_until

MEMBERS = {"time", "id", "client", "method", "route", "status", "code", "received", "sent", "ms"}


class IdTest(DaemonTest):
    def id_of(self, extra=b""):
        return self.client().ask(get("/healthz", extra=extra)).headers["x-request-id"]

    def test_a_client_s_own(self):
        for own in ("a", "01HX.z-9_", "x" * 64):
            self.assertEqual(self.id_of(b"X-Request-Id: %s\r\n" % own.encode()), own)

    def test_a_new_one(self):
        ids = [self.id_of() for _ in range(20)]
        ids += [self.id_of(b"X-Request-Id: %s\r\n" % odd) for odd in (b"", b"a b", b"x" * 65, b'"', b"\xc3\xa9", b"a;b")]
        self.assertEqual(len(set(ids)), len(ids))
        for one in ids:
            self.assertRegex(one, r"^[0-9a-f]{16}$")

    def test_refusals_have_one(self):
        for data in (get("/nothing"), get("/v1/check"), post(b"x"), get("/", method=b"BREW"), post(b"", kind=b"")):
            self.assertIn("x-request-id", self.client().ask(data).headers)


class LogTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "requests.log")

    def lines(self, path=None):
        with open(path or self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_lines(self):
        with Daemon("--log", self.path) as daemon, Client(daemon) as client:
            client.ask(get("/healthz", extra=b"X-Request-Id: abc\r\nAuthorization: Bearer s3cret\r\n"))
            client.ask(post(b'{"secret": 1}'))
            client.ask(get("/nothing?token=s3cret"))
            client.ask(get("/", method=b"BREW"))
            self.assertTrue(wait_until(lambda: len(self.lines()) == 4))
            with Client(daemon) as broken:
                broken.send(post(b"{}")[:-1])
            self.assertTrue(wait_until(lambda: len(self.lines()) == 5))
        found = self.lines()
        for line in found:
            self.assertEqual(set(line), MEMBERS)
            self.assertEqual(line["client"], "127.0.0.1")
            self.assertRegex(line["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertGreaterEqual(line["ms"], 0)
        told = [(line["method"], line["route"], line["status"], line["code"]) for line in found]
        self.assertEqual(told, [
            ("GET", "/healthz", 200, None), ("POST", "/v1/check", 400, "unknown_member"), ("GET", "other", 404, "not_found"),
            ("other", "other", 501, "not_implemented"), ("POST", "/v1/check", 499, None),
        ])
        self.assertEqual((found[0]["id"], found[0]["sent"], found[1]["received"]), ("abc", 3, 13))
        with open(self.path, encoding="utf-8") as file:
            self.assertNotIn("s3cret", file.read())

    def test_appended(self):
        for _ in range(2):
            with Daemon("--log", self.path) as daemon, Client(daemon) as client:
                client.ask(get("/healthz"))
        self.assertEqual(len(self.lines()), 2)

    def test_opened_anew(self):
        """As logrotate does it: moved away, then a signal."""
        with Daemon("--log", self.path) as daemon, Client(daemon) as client:
            client.ask(get("/healthz"))
            os.rename(self.path, self.path + ".1")
            client.ask(get("/readyz"))
            self.assertTrue(wait_until(lambda: len(self.lines(self.path + ".1")) == 2))
            daemon.signal(signal.SIGHUP)
            asked = [0]

            def lies_anew():  # the file is there a moment before it is written to
                asked[0] += client.ask(get("/v1/capabilities")).status == 200
                return os.path.exists(self.path) and self.lines() != []

            self.assertTrue(wait_until(lies_anew))
        routes = [line["route"] for line in self.lines(self.path + ".1") + self.lines()]
        self.assertEqual(routes, ["/healthz", "/readyz"] + asked[0] * ["/v1/capabilities"])

    def test_it_cannot_be_opened_anew(self):
        """The old one goes on, and the operator is told."""
        daemon = Daemon("--log", self.path)
        os.rename(os.path.dirname(self.path), os.path.dirname(self.path) + ".moved")
        self.addCleanup(os.rename, os.path.dirname(self.path) + ".moved", os.path.dirname(self.path))
        daemon.signal(signal.SIGHUP)
        self.assertTrue(wait_until(lambda: "No such file" in daemon.read_errors()))
        with Client(daemon) as client:
            client.ask(get("/healthz"))
        moved = os.path.join(os.path.dirname(self.path) + ".moved", os.path.basename(self.path))
        self.assertTrue(wait_until(lambda: len(self.lines(moved)) == 1))
        with self.assertRaisesRegex(AssertionError, "exit status 0, standard error:\ngradcheckd: --log .*: No such file"):
            daemon.stop()

    def test_standard_output(self):
        with Daemon("--log", "-") as daemon:
            with Client(daemon) as client:
                client.ask(get("/healthz"))
            line = json.loads(daemon.process.stdout.readline())
        self.assertEqual(line["route"], "/healthz")

    def test_where_none_can_be(self):
        with self.assertRaisesRegex(AssertionError, re.escape("--log /nowhere/x: No such file")):
            Daemon("--log", "/nowhere/x")


class PipeTest(unittest.TestCase):
    def test_a_pipe_that_nobody_reads(self):
        """Lines are lost, and nobody waits for them."""
        reader, writer = os.pipe()
        try:
            with Daemon("--log", "/dev/fd/%d" % writer, pass_fds=(writer,)) as daemon:
                with Client(daemon) as client:
                    for _ in range(2000):
                        self.assertEqual(client.ask(get("/healthz")).status, 200)
        finally:
            os.close(reader)
            os.close(writer)


if __name__ == "__main__":
    unittest.main()

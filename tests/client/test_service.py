"""What the client does when the service does not: retries, problems, and never a grade."""

import contextlib
import email.utils
import io
import json
import os
import socket
import sys
import threading
import time
import types
import unittest
from unittest import mock

import fake
from fake import REPORT, Fake

JSON = {"Content-Type": "application/json"}
GOOD = (200, JSON, json.dumps(REPORT).encode())
PROBLEM = {"type": "about:blank", "title": "Bad Request", "status": 400, "code": "shape_mismatch", "detail": "No.", "pointer": "/parameters/W1"}


def problem(status, **headers):
    body = json.dumps(dict(PROBLEM, status=status)).encode()
    return status, dict({"Content-Type": "application/problem+json"}, **{n.replace("_", "-"): v for n, v in headers.items()}), body


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.gc = fake.load()
        self.slept = []
        self.errors, self.said = io.StringIO(), io.StringIO()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(contextlib.redirect_stderr(self.errors))
        stack.enter_context(contextlib.redirect_stdout(self.said))
        self.addCleanup(lambda: self.assertEqual(self.errors.getvalue(), ""))

    def serve(self, *answers):
        service = Fake(*answers)
        self.addCleanup(service.__exit__)
        self.gc.connect(service.url, "secret")
        return service

    def without_waiting(self):
        """Time goes on only where the client sleeps."""
        clock = types.SimpleNamespace(now=1000.0)

        def sleep(seconds):
            self.slept.append(seconds)
            clock.now += seconds

        patch = mock.patch.multiple(self.gc.time, sleep=sleep, monotonic=lambda: clock.now)
        patch.start()
        self.addCleanup(patch.stop)

    def check(self, **options):
        return self.gc.check({"layers": []}, {"W1": [1]}, [[1]], [[1]], {"W1": [1]}, **options)

    def test_what_is_sent(self):
        service = self.serve(GOOD)
        self.check()
        method, path, headers, body = service.requests[0]
        self.assertEqual((method, path, headers["Content-Type"]), ("POST", "/v1/check", "application/json"))
        self.assertEqual((headers["Authorization"], headers["User-Agent"]), ("Bearer secret", "gradcheckd.py/" + self.gc.__version__))
        self.assertEqual(json.loads(body), {"network": {"layers": []}, "parameters": {"W1": [1]}, "data": {"x": [[1]], "y": [[1]]},
                                            "gradients": {"W1": [1]}})  # fmt: skip

    def test_up_after_503(self):
        self.without_waiting()
        service = self.serve(problem(503, Retry_After="3"), problem(502), problem(504), problem(429, Retry_After="7"), GOOD)
        self.assertEqual(self.check().points, 1)
        self.assertEqual((self.slept[0], self.slept[3], len(self.slept)), (3, 7, 4))
        self.assertTrue(all(0.25 <= seconds <= 8 for seconds in self.slept), self.slept)
        keys = {request[2]["Idempotency-Key"] for request in service.requests}
        self.assertEqual((len(service.requests), len(keys)), (5, 1))
        self.assertGreaterEqual(len(keys.pop()), 16)
        self.check()
        self.assertNotEqual(service.requests[-1][2]["Idempotency-Key"], service.requests[0][2]["Idempotency-Key"])

    def test_retry_after_is_a_date(self):
        self.without_waiting()
        self.serve(problem(503, Retry_After=email.utils.formatdate(time.time() + 20, usegmt=True)), GOOD)
        self.check()
        self.assertTrue(15 < self.slept[0] <= 20, self.slept)

    def test_what_it_says_for_when_is_too_late(self):
        self.without_waiting()
        service = self.serve(problem(503, Retry_After="61"))
        with self.assertRaises(self.gc.Unavailable) as caught:
            self.check()
        self.assertIsInstance(caught.exception, OSError)
        self.assertNotIsInstance(caught.exception, ValueError)
        self.assertEqual((len(service.requests), self.slept), (1, []))
        self.assertIn("no grade", str(caught.exception))

    def test_time_is_over(self):
        self.without_waiting()
        service = self.serve(problem(429))
        with self.assertRaises(self.gc.Unavailable):
            self.check(timeout=20)
        self.assertTrue(3 < len(service.requests) < 20, len(service.requests))
        self.assertLess(sum(self.slept), 20)

    def test_refused(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and nobody listens
            self.gc.connect("http://127.0.0.1:%d" % taken.getsockname()[1])
            self.without_waiting()
            with self.assertRaisesRegex(self.gc.Unavailable, "[Rr]efused"):
                self.check()
        self.assertGreater(len(self.slept), 3)

    def test_hangs(self):
        service = self.serve(lambda handler: service.released.wait(30))
        begun = time.monotonic()
        with self.assertRaises(self.gc.Unavailable):
            self.check(timeout=0.5)
        self.assertLess(time.monotonic() - begun, 15)

    def test_drips(self):
        def drip(handler):
            handler.send_response(200)
            handler.end_headers()
            with contextlib.suppress(OSError):
                while not service.released.wait(0.05):
                    handler.wfile.write(b" ")

        service = self.serve(drip)
        with self.assertRaises(self.gc.Unavailable):
            self.check(timeout=0.5)

    def test_cut_off(self):
        def cut(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(GOOD[2][:20])

        self.without_waiting()
        service = self.serve(cut, lambda handler: None, GOOD)
        self.assertEqual(self.check().points, 1)
        self.assertEqual(len(service.requests), 3)

    def test_no_report(self):
        """A page of a proxy, or anything else that is no report, is nobody's grade."""
        for content in (b"<html>Sign in</html>", b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"passed": 1}',
                        json.dumps(dict(REPORT, score=float("nan"))).encode(), json.dumps(dict(REPORT, passed="yes")).encode(),
                        json.dumps(dict(REPORT, parameters=3)).encode()):  # fmt: skip
            service = self.serve((200, JSON, content))
            with self.assertRaises(self.gc.Unavailable, msg=content):
                self.check()
            self.assertEqual(len(service.requests), 1)

    def test_problems(self):
        for status in (400, 401, 403, 404, 413, 415, 421, 422):
            service = self.serve(problem(status))
            with self.assertRaises(self.gc.Problem) as caught:
                self.check()
            told = caught.exception
            self.assertIsInstance(told, ValueError)
            self.assertEqual((told.code, told.pointer, str(told)), ("shape_mismatch", "/parameters/W1", "No. (/parameters/W1)"))
            self.assertEqual(len(service.requests), 1)

    def test_others_errors(self):
        self.serve((404, {"Content-Type": "text/html"}, b"<h1>Not found"))
        with self.assertRaises(self.gc.Problem) as caught:
            self.check()
        self.assertEqual((caught.exception.code, caught.exception.pointer), ("http_404", None))
        for answer in ((500, JSON, b"oh"), (501, {}, b""), problem(500), (503, {}, b"")):
            self.serve(answer)
            with self.assertRaises(self.gc.Unavailable):
                self.check(timeout=0.1)

    def test_moved(self):
        """No redirect is followed: it would become a GET, and take the token to whoever it names."""
        other = self.serve(GOOD)
        for status in (301, 302, 303, 307, 308):
            self.serve((status, {"Location": other.url + "/v1/check"}, b""))
            with self.assertRaisesRegex(self.gc.Problem, other.url):
                self.check()
        self.assertEqual(other.requests, [])

    def test_newer(self):
        self.serve((200, dict(JSON, **{"X-Gradcheckd-Client": "0.10.0"}), GOOD[2]))
        self.check()
        self.check()
        self.assertEqual(self.said.getvalue().count("\n"), 1)
        self.assertIn("0.10.0", self.said.getvalue())
        self.assertIn("/client.py", self.said.getvalue())

    def test_not_newer(self):
        for version in (self.gc.__version__, "0.0.9", "", "x", "-"):
            self.serve((200, dict(JSON, **{"X-Gradcheckd-Client": version}), GOOD[2]))
            self.check()
        self.assertEqual(self.said.getvalue(), "")

    def test_no_table(self):
        """What sends no table is shown all the same, and what its names hold steers no terminal."""
        self.serve(GOOD)
        shown = str(self.check())
        for part in ("FAILED: 1 of 2 points", "W1", "not submitted", "all_zero", "Nothing.", "Something."):
            self.assertIn(part, shown)
        entry = dict(REPORT["parameters"][1], name="\x1b[2J")
        self.serve((200, JSON, json.dumps(dict(REPORT, parameters=[entry])).encode()))
        self.assertNotIn("\x1b", str(self.check()))

    def test_address(self):
        for url in (None, "", "localhost:8080", "ftp://host", "http://", "http://a b"):
            with self.assertRaises(self.gc.Problem):
                self.gc.connect(url)
        service = self.serve(GOOD)
        self.gc._server.update(url=None, token=None)
        with mock.patch.dict(os.environ, {"GRADCHECKD_URL": service.url + "/", "GRADCHECKD_TOKEN": "theirs\n"}):
            self.check()
            self.assertEqual((service.requests[-1][1], service.requests[-1][2]["Authorization"]), ("/v1/check", "Bearer theirs"))
            self.gc.connect(service.url, "ours")
            self.check()
            self.assertEqual(service.requests[-1][2]["Authorization"], "Bearer ours")

    def test_training(self):
        run = {"epochs": [0, 1], "loss": [2.0, 1.0], "health": [], "parameters": {}, "final": {}}
        stream = (b'event: epoch\ndata: {"epoch":0,"loss":2.0}\n\n', b"event: done\ndata: %s\n\n" % json.dumps(run).encode())
        kind = {"Content-Type": "text/event-stream"}
        self.without_waiting()
        late = b'event: error\ndata: {"status":503,"detail":"busy"}\n\n'
        service = self.serve((200, kind, stream[0]), (200, kind, late), (200, kind, stream[0] + b"event: ep"), (200, kind, b"".join(stream)))
        trained = self.gc.train({"layers": []}, {}, [[1]], [[1]], epochs=2)
        self.assertEqual((trained.loss, trained.health, len(service.requests)), ([2.0, 1.0], [], 4))
        self.assertEqual({r[1] for r in service.requests}, {"/v1/train"})
        said = self.said.getvalue()
        self.assertTrue(said.startswith("\repoch") and said.endswith("\n") and said.count("\n") == 1, said)
        self.serve((200, kind, b'event: error\ndata: {"status":422,"code":"too_much_work","detail":"Long."}\n\n'))
        with self.assertRaisesRegex(self.gc.Problem, "Long."):
            self.gc.train({"layers": []}, {}, [[1]], [[1]], progress=False)

    def test_in_a_browser(self):
        """Pyodide has no sockets, but XMLHttpRequest."""
        sent = types.SimpleNamespace(headers={})

        class XMLHttpRequest:
            @classmethod
            def new(cls):
                return cls()

            def open(self, method, url, asynchronous):
                sent.opened = method, url, asynchronous

            def setRequestHeader(self, name, value):
                sent.headers[name] = value

            def send(self, body):
                sent.body = body
                if sent.broken:
                    raise RuntimeError("NetworkError")

            def getAllResponseHeaders(self):
                return "content-type: application/json\r\nx-other: 1\r\n"

            status, responseText = 200, GOOD[2].decode()

        modules = {"js": types.SimpleNamespace(XMLHttpRequest=XMLHttpRequest), "pyodide": types.SimpleNamespace(),
                   "pyodide.ffi": types.SimpleNamespace(to_js=bytes)}  # fmt: skip
        self.gc.connect("http://course.example")
        self.without_waiting()
        with mock.patch.dict(sys.modules, modules), mock.patch.object(sys, "platform", "emscripten"):
            sent.broken = False
            self.assertEqual(self.check().points, 1)
            self.assertEqual(sent.opened, ("POST", "http://course.example/v1/check", False))
            self.assertEqual(json.loads(sent.body)["gradients"], {"W1": [1]})
            self.assertNotIn("User-Agent", sent.headers)
            sent.broken = True
            with self.assertRaisesRegex(self.gc.Unavailable, "NetworkError"):
                self.check()

    def test_a_class_at_once(self):
        """Threads share nothing but the address."""
        service = self.serve(GOOD)
        reports = []
        threads = [threading.Thread(target=lambda: reports.append(self.check())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(reports), len({r[2]["Idempotency-Key"] for r in service.requests})), (8, 8))


if __name__ == "__main__":
    unittest.main()

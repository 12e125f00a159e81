"""Requests that are meant for another host, and those of other sites' pages."""

import unittest

from daemon import Daemon, DaemonTest, get, post


def asking(host, path="/healthz", start=None):
    return b"GET " + (start or path.encode()) + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


def posting(host, origin, kind=b"application/json"):
    request = post(b"{}", extra=b"Origin: " + origin + b"\r\n", kind=kind)
    return request.replace(b"Host: localhost", b"Host: " + host)


class HostTest(DaemonTest):
    arguments = ("--open", "--host", "grader.example,other.example", "--host", "third.example")

    def is_served(self, *hosts):
        for host in hosts:
            with self.subTest(host=host):
                self.assertEqual(self.client().ask(asking(host)).status, 200)

    def is_refused(self, *hosts):
        for host in hosts:
            with self.subTest(host=host):
                problem = self.assertProblem(self.client().ask(asking(host)), 421, "misdirected_request")
                self.assertIn("--host", problem["detail"])

    def test_loopback(self):
        self.is_served(b"localhost", b"LocalHost:8080", b"localhost.:1", b"127.0.0.1", b"127.8.9.1:65535", b"[::1]", b"[::1]:80")

    def test_names(self):
        self.is_served(b"grader.example", b"Other.Example:9", b"third.example")

    def test_strangers(self):
        for host in (b"example.org", b"localhost.example.org", b"localhostx", b"127.0.0.1.example.org", b"10.0.0.1",
                     b"[::2]", b"::1", b"[::1", b"[::1]x", b"localhost:x", b"localhost:123456", b":80",
                     b"grader.example.org", b"grader.example,other.example", b"x" * 300, b"[127.0.0.1]", b"user@localhost"):
            self.is_refused(host)

    def test_target_decides(self):
        """RFC 9112, 3.2.2: a target with a host of its own makes the header void."""
        self.assertEqual(self.client().ask(asking(b"example.org", start=b"http://localhost/healthz")).status, 200)
        self.assertProblem(self.client().ask(asking(b"localhost", start=b"http://example.org/healthz")), 421, "misdirected_request")

    def test_nobody_says(self):
        self.assertEqual(self.client().ask(b"GET /healthz HTTP/1.0\r\n\r\n").status, 200)

    def test_every_path(self):
        for path in ("/", "/metrics", "/v1/capabilities", "/nothing"):
            self.assertProblem(self.client().ask(asking(b"example.org", path)), 421, "misdirected_request")


class AddressTest(unittest.TestCase):
    def test_one_address(self):
        with Daemon("--listen", "127.0.0.2:0") as daemon, daemon.connect() as socket:
            socket.sendall(asking(b"127.0.0.2"))
            self.assertIn(b" 200 ", socket.recv(4096)[:20])

    def test_all_addresses(self):
        """Whoever listens on all is reached by any address, but by no name."""
        with Daemon("--listen", "0.0.0.0:0", "--open") as daemon:
            for host, status in ((b"10.1.2.3", b" 200 "), (b"[fd00::1]:80", b" 200 "), (b"example.org", b" 421 ")):
                with daemon.connect() as socket:
                    socket.sendall(asking(host))
                    self.assertIn(status, socket.recv(4096)[:20])


class PageTest(DaemonTest):
    arguments = ("--cors", "https://course.example", "--open", "--host", "grader.example")

    def refuses(self, host, origin):
        with self.subTest(host=host, origin=origin):
            answer = self.client().ask(posting(host, origin))
            self.assertProblem(answer, 403, "foreign_origin")
            self.assertNotIn("access-control-allow-origin", answer.headers)

    def serves(self, host, origin):
        with self.subTest(host=host, origin=origin):
            answer = self.client().ask(posting(host, origin))
            self.assertProblem(answer, 400, "missing_member")
            return answer

    def test_own_pages(self):
        for host, origin in ((b"localhost:8080", b"http://localhost:8080"), (b"grader.example", b"https://grader.example"),
                             (b"Grader.example:443", b"https://grader.EXAMPLE"), (b"localhost", b"http://localhost:80"),
                             (b"[::1]:8080", b"http://[::1]:8080")):
            self.assertNotIn("access-control-allow-origin", self.serves(host, origin).headers)

    def test_other_pages(self):
        for host, origin in ((b"localhost:8080", b"http://localhost:3000"), (b"localhost:8080", b"http://127.0.0.1:8080"),
                             (b"localhost", b"https://example.org"), (b"localhost", b"null"), (b"localhost", b"http://"),
                             (b"localhost", b"http://localhost/"), (b"localhost", b"localhost"),
                             (b"localhost", b"http://course.example"), (b"localhost:8080", b"http://localhost")):
            self.refuses(host, origin)

    def test_without_a_media_type(self):
        """What a page may send without being asked first is refused as well, whatever it says of its origin."""
        self.assertProblem(self.client().ask(post(b"{}", kind=b"")), 415, "unsupported_media_type")
        self.assertProblem(self.client().ask(post(b"{}", kind=b"text/plain")), 415, "unsupported_media_type")

    def test_allowed_page(self):
        answer = self.serves(b"localhost", b"https://course.example")
        self.assertEqual(answer.headers["access-control-allow-origin"], "https://course.example")
        self.assertEqual(answer.headers["vary"], "Origin")

    def test_preflight(self):
        ask = b"Origin: %s\r\nAccess-Control-Request-Method: POST\r\n"
        answer = self.client().ask(get("/v1/check", method=b"OPTIONS", extra=ask % b"https://course.example"))
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.headers["access-control-allow-origin"], "https://course.example")
        self.assertIn("POST", answer.headers["access-control-allow-methods"])
        for header in ("Authorization", "Content-Type", "Idempotency-Key"):
            self.assertIn(header, answer.headers["access-control-allow-headers"])
        answer = self.client().ask(get("/v1/check", method=b"OPTIONS", extra=ask % b"https://example.org"))
        self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_reading(self):
        """A GET has nothing done; the browser keeps its answer from a page that is not allowed."""
        answer = self.client().ask(get("/healthz", extra=b"Origin: https://example.org\r\n"))
        self.assertEqual(answer.status, 200)
        self.assertNotIn("access-control-allow-origin", answer.headers)


class AnyPageTest(DaemonTest):
    arguments = ("--cors", "*")

    def test_any(self):
        answer = self.client().ask(posting(b"localhost", b"null"))
        self.assertProblem(answer, 400, "missing_member")
        self.assertEqual(answer.headers["access-control-allow-origin"], "null")


if __name__ == "__main__":
    unittest.main()

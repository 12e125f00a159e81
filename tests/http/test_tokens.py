"""Who may ask: tokens and their roles, what is revealed to whom, and who is served without any."""

import hashlib
import os
import signal
import subprocess
import tempfile
import unittest

from daemon import PROGRAM, Daemon, DaemonTest, get, post, wait_until

STUDENT, TEACHER = "token.of~students/1+2==", "s3cret-of-the-staff"


def line(role, token, comment=""):
    return "%s %s %s\n" % (role, hashlib.sha256(token.encode()).hexdigest(), comment)


TOKENS = "# who may ask\n\n" + line("check", STUDENT, "the class of 2026") + "  " + line("staff", TEACHER).upper().replace("STAFF", "staff")

CHECK = (
    b'{"network": {"input": 1, "layers": [{"type": "linear", "out_features": 1}], "loss": "mse"}, "parameters": {"W1": [[1]], "b1": [0]},'
    b' "data": {"x": [[1]], "y": [[0]]}, "gradients": {"W1": [[2]], "b1": [2]}%s}'
)


def bearing(token, scheme="Bearer"):
    return b"" if token is None else ("Authorization: %s %s\r\n" % (scheme, token)).encode()


def check(token=None, rest=b"", scheme="Bearer"):
    return post(CHECK % rest, extra=bearing(token, scheme))


class TokensTest(unittest.TestCase):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".tokens")
        self.addCleanup(self.file.close)
        self.write(TOKENS)

    def write(self, text):
        self.file.seek(0)
        self.file.truncate()
        self.file.write(text)
        self.file.flush()


class RolesTest(TokensTest, DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.kept = tempfile.NamedTemporaryFile("w")
        cls.kept.write(TOKENS)
        cls.kept.flush()
        cls.arguments = ("--tokens", cls.kept.name)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.kept.close()

    def ask(self, data):
        return self.client().ask(data)

    def test_without(self):
        answer = self.ask(check())
        self.assertProblem(answer, 401, "unauthorized")
        self.assertEqual(answer.headers["www-authenticate"], 'Bearer realm="gradcheckd"')
        for path in ("/v1/train",):
            self.assertProblem(self.ask(post(b"{}", path=path)), 401, "unauthorized")
        self.assertProblem(self.ask(get("/metrics")), 401, "unauthorized")

    def test_what_stands_behind_it(self):
        """A token is one, however it is written: who writes more is nobody."""
        self.assertEqual(self.ask(check(STUDENT + "  ")).status, 200)
        for more in (" 1", " x=y", "\t,"):
            self.assertProblem(self.ask(check(STUDENT + more)), 401, "unauthorized")
        self.assertProblem(self.ask(check("")), 401, "unauthorized")

    def test_unknown(self):
        for token in ("x", STUDENT + "x", STUDENT[:-1], hashlib.sha256(STUDENT.encode()).hexdigest()):
            answer = self.ask(check(token))
            self.assertProblem(answer, 401, "unauthorized")
            self.assertIn('error="invalid_token"', answer.headers["www-authenticate"])

    def test_other_schemes(self):
        for scheme in ("Basic", "BearerX", "Token"):
            self.assertProblem(self.ask(check(TEACHER, scheme=scheme)), 401, "unauthorized")

    def test_student(self):
        self.assertEqual(self.ask(check(STUDENT)).status, 200)

    def test_open_to_all(self):
        for path in ("/", "/healthz", "/readyz", "/v1/capabilities", "/openapi.json"):
            self.assertEqual(self.ask(get(path)).status, 200, path)

    def test_staff(self):
        for scheme in ("Bearer", "bearer", "BEARER"):
            self.assertEqual(self.ask(check(TEACHER, b', "reveal": true', scheme)).status, 200)
        self.assertEqual(self.ask(get("/metrics", extra=bearing(TEACHER))).status, 200)

    def test_nothing_is_read_before(self):
        """A body is not asked for by whom it would be refused."""
        client = self.client()
        client.send(post(b"x" * 1000, extra=b"Expect: 100-continue\r\n")[:-1000])
        self.assertProblem(client.read(), 401, "unauthorized")

    def test_what_it_says(self):
        self.assertEqual(self.ask(get("/v1/capabilities")).json()["tokens"], True)


class StudentsTest(TokensTest):
    def setUp(self):
        super().setUp()
        self.write(line("check", "abc", "the class") + line("staff", "def"))

    def ask(self, daemon, data):
        with daemon.connect() as connection:
            connection.sendall(data)
            return connection.recv(1 << 16)

    def test_students(self):
        with Daemon("--tokens", self.file.name) as daemon:
            self.assertIn(b" 200 ", self.ask(daemon, check("abc"))[:20])
            answer = self.ask(daemon, check("abc", b', "reveal": true'))
            self.assertIn(b" 403 ", answer[:20])
            self.assertIn(b'"reveal_refused"', answer)
            self.assertIn(b'"pointer":"/reveal"', answer)
            self.assertIn(b" 200 ", self.ask(daemon, check("abc", b', "reveal": false'))[:20])
            answer = self.ask(daemon, get("/metrics", extra=bearing("abc")))
            self.assertIn(b" 403 ", answer[:20])
            self.assertIn(b'error="insufficient_scope"', answer)

    def test_read_anew(self):
        with Daemon("--tokens", self.file.name) as daemon:
            self.assertIn(b" 401 ", self.ask(daemon, check("new"))[:20])
            self.write(line("check", "new"))
            daemon.signal(signal.SIGHUP)
            self.assertTrue(wait_until(lambda: b" 200 " in self.ask(daemon, check("new"))[:20]))
            self.assertIn(b" 401 ", self.ask(daemon, check("abc"))[:20])

    def test_a_file_that_is_worse(self):
        """It does not replace the one that holds."""
        daemon = Daemon("--tokens", self.file.name)
        self.write("check 123\n")
        daemon.signal(signal.SIGHUP)
        self.assertTrue(wait_until(lambda: "line 1" in daemon.read_errors()))
        self.assertIn(b" 200 ", self.ask(daemon, check("abc"))[:20])
        with self.assertRaisesRegex(AssertionError, "exit status 0, standard error:\ngradcheckd: --tokens .*: line 1 "):
            daemon.stop()

    def test_no_reveal(self):
        with Daemon("--no-reveal") as daemon:
            answer = self.ask(daemon, check(None, b', "reveal": true'))
            self.assertIn(b'"reveal_refused"', answer)
            self.assertIn(b'"reveal":false', self.ask(daemon, get("/v1/capabilities")))
        with Daemon("--no-reveal", "--tokens", self.file.name) as daemon:
            self.assertIn(b'"reveal_refused"', self.ask(daemon, check("def", b', "reveal": true')))


class StartTest(TokensTest):
    def refused(self, *arguments):
        """What a start with these says that is none."""
        result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1)
        return result.stderr

    def test_bad_files(self):
        digest = hashlib.sha256(b"x").hexdigest()
        for text, said in (
            ("", "no token"), ("# nothing\n", "no token"), ("check\n", "line 1 "), ("boss %s\n" % digest, "line 1 "),
            ("check %s\ncheck %s\n" % (digest, digest[:-1]), "line 2 "), ("check %sg\n" % digest[:-1], "line 1 "),
            ("check %s0\n" % digest, "line 1 "), ("# %s\n" % ("x" * 2000), "line 1 is too long"),
        ):
            self.write(text)
            self.assertIn(said, self.refused("--tokens", self.file.name))
        self.assertIn("No such file", self.refused("--tokens", self.file.name + ".gone"))
        self.assertIn("Is a directory", self.refused("--tokens", os.path.dirname(self.file.name)))

    def test_loopback_only(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            self.assertIn("--tokens", self.refused("--listen", address))
        for arguments in (("--open",), ("--tokens", self.file.name)):
            with Daemon("--listen", "0.0.0.0:0", *arguments):
                pass
        with Daemon("--listen", "0.0.0.0:0", environment={"GRADCHECKD_OPEN": "1"}):
            pass


if __name__ == "__main__":
    unittest.main()

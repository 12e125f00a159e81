"""Flags, environment and what the program says about itself."""

import socket
import subprocess
import unittest

from daemon import PROGRAM, Client, Daemon, get, post


def run(*arguments, environment=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment or {}, timeout=60)


class OptionsTest(unittest.TestCase):
    def test_usage_errors(self):
        for arguments in (
            ["--nonsense"], ["stray"], ["--listen"], ["--listen", "8080"], ["--listen", "host:80"], ["--listen", ":80"],
            ["--listen", "127.0.0.1:65536"], ["--listen", "127.0.0.1:"], ["--listen", "127.0.0.1:8x"], ["--listen=::1:80"],
            ["--listen", "[127.0.0.1]:80"], ["--threads", "0"], ["--threads", "-1"], ["--threads", "two"], ["--threads="],
            ["--threads", "100000"], ["--max-body", "0"], ["--max-body", "1KB"], ["--max-body", "KiB"], ["--max-body", "-1"],
            ["--max-body", "99999999999999999999"], ["--max-body", "99999999GiB"], ["--max-work", "0"], ["--max-work", "inf"],
            ["--max-work", "1e999"], ["--host", ""], ["--open=maybe"], ["--tokens", ""], ["--log", ""], ["--max-memory", "63MiB"], ["--max-memory", "x"], ["--tokens"], ["--host", "http://a"], ["--host", "grader:8080"], ["--host", "a,"], ["--cors", ""], ["--cors", "https://x.example/"], ["--cors", "x.example"], ["--max-work", "0x10"], ["--max-work", " 1"], ["--max-work", "1e"], ["--device", "tpu"],
            ["--static", ""], ["--static", "/nonexistent"], ["--static", "/dev/null"], ["--thread", "2"], ["--threads2"],
        ):  # fmt: skip
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertRegex(done.stderr, r"^gradcheckd: [^\n]+\n$", arguments)

    def test_usage_errors_in_the_environment(self):
        for name, value in (("THREADS", "0"), ("MAX_BODY", "x"), ("LISTEN", ""), ("DEVICE", "tpu"), ("MAX_WORK", "")):
            done = run(environment={"GRADCHECKD_" + name: value})
            self.assertEqual((done.returncode, done.stdout), (2, ""), name)
            self.assertRegex(done.stderr, r"^gradcheckd: [^\n]+\n$", name)

    def test_help_and_version(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(run("-h").stdout, done.stdout)
        for flag in ("--listen", "--device", "--threads", "--static", "--max-body", "--max-work", "--host", "--cors", "--tokens", "--log", "--max-memory", "--open", "--no-reveal", "--help", "--version"):
            self.assertIn(flag, done.stdout)
        done = run("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^gradcheckd \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written(self):
        """Whoever waits for the first line must not wait for ever."""
        for arguments in (["--listen", "127.0.0.1:0"], ["--help"], ["--version"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^gradcheckd: cannot write to standard output[^\n]*\n$")

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("--listen", "127.0.0.1:%d" % taken.getsockname()[1])
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^gradcheckd: cannot listen [^\n]+\n$")

    def test_flags_and_environment(self):
        body = post(b" " * 3000)
        for arguments, environment, status in (
            (["--max-body", "2KiB"], {}, 413),
            (["--max-body=2048"], {}, 413),
            ([], {"GRADCHECKD_MAX_BODY": "2KiB"}, 413),
            (["--max-body=1GiB"], {"GRADCHECKD_MAX_BODY": "2KiB"}, 400),
            (["--threads=3", "--device=cpu", "--max-work=1e6"], {"GRADCHECKD_DEVICE": "auto"}, 400),
        ):
            with Daemon(*arguments, environment=environment) as daemon, Client(daemon) as client:
                self.assertEqual(client.ask(body).status, status)

    def test_addresses(self):
        with Daemon("--listen=localhost:0") as daemon:
            self.assertEqual(daemon.host, "127.0.0.1")
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 here")
        with Daemon("--listen", "[::1]:0") as daemon, Client(daemon) as client:
            self.assertIn("http://[::1]:", daemon.first_line)
            self.assertEqual(client.ask(get("/healthz")).status, 200)
        with Daemon("--listen", "[::]:0", "--open") as daemon:
            daemon.host = "127.0.0.1"
            with Client(daemon) as client:
                self.assertEqual(client.ask(get("/healthz")).status, 200)


if __name__ == "__main__":
    unittest.main()

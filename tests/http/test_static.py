"""The files of the static directory."""

import os
import tempfile
import unittest

from daemon import PROGRAM, DaemonTest, get
import subprocess


# Nothing inline, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class StaticTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        outside = tempfile.NamedTemporaryFile()
        cls.addClassCleanup(outside.close)
        root = os.path.join(cls.directory.name, "root")
        os.makedirs(os.path.join(root, "js", "deep"))
        os.makedirs(os.path.join(root, ".git"))
        cls.files = {
            "index.html": b"<!doctype html>",
            "empty.txt": b"",
            "js/app.js": b"export default 1\n",
            "js/deep/a b.css": b"p {}",
            "logo.svg": b"<svg/>",
            "data.bin": bytes(range(256)) * 4096,
        }
        for name, content in dict(cls.files, **{".hidden": b"x", ".git/config": b"x"}).items():
            with open(os.path.join(root, name), "wb") as file:
                file.write(content)
        os.symlink(outside.name, os.path.join(root, "link.txt"))
        os.symlink("/etc", os.path.join(root, "etc"))
        os.mkfifo(os.path.join(root, "pipe"))
        cls.arguments = ("--static", root)
        super().setUpClass()

    def test_files(self):
        kinds = {"index.html": "text/html; charset=utf-8", "js/app.js": "text/javascript; charset=utf-8"}
        kinds.update({"js/deep/a b.css": "text/css; charset=utf-8", "logo.svg": "image/svg+xml"})
        client = self.client()
        for name, content in self.files.items():
            answer = client.ask(get("/" + name.replace(" ", "%20")))
            self.assertEqual((answer.status, answer.body), (200, content), name)
            if name in kinds:
                self.assertEqual(answer.headers["content-type"], kinds[name])
            self.assertEqual(answer.headers["cache-control"], "no-cache")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["referrer-policy"], "no-referrer")
            self.assertEqual(answer.headers["content-security-policy"], POLICY)
            self.assertEqual(answer.headers["cross-origin-opener-policy"], "same-origin")
            self.assertEqual(answer.headers["cross-origin-resource-policy"], "same-origin")
            self.assertEqual(answer.headers["permissions-policy"], "camera=(), geolocation=(), microphone=()")

    def test_root_is_index(self):
        self.assertEqual(self.client().ask(get("/")).body, self.files["index.html"])
        self.assertEqual(self.client().ask(get("/?a=b")).body, self.files["index.html"])

    def test_head(self):
        client = self.client()
        answer = client.ask(get("/js/app.js", method=b"HEAD"), head=True)
        self.assertEqual((answer.status, answer.headers["content-length"]), (200, str(len(self.files["js/app.js"]))))
        self.assertEqual(client.ask(get("/")).status, 200)

    def test_tags(self):
        client = self.client()
        tag = client.ask(get("/")).headers["etag"].encode()
        self.assertRegex(tag, b'^"[^"]+"$')
        self.assertNotEqual(client.ask(get("/js/app.js")).headers["etag"].encode(), tag)
        for known in (tag, b"W/" + tag, b'"other", ' + tag, b"*"):
            answer = client.ask(get("/", b"If-None-Match: " + known + b"\r\n"))
            self.assertEqual((answer.status, answer.headers["etag"].encode()), (304, tag), known)
        for known in (b'"other"', tag[:-2] + b'"', b""):
            self.assertEqual(client.ask(get("/", b"If-None-Match: " + known + b"\r\n")).status, 200, known)

    def test_what_is_not_served(self):
        client = self.client()
        for path in (
            "/.hidden", "/.git/config", "/link.txt", "/etc/passwd", "/pipe", "/js", "/js/", "/js/deep", "//index.html",
            "/../root/index.html", "/%2e%2e/root/index.html", "/js/../index.html", "/index.html/", "/INDEX.HTML", "/static",
        ):  # fmt: skip
            self.assertProblem(client.ask(get(path)), 404, "not_found")

    def test_methods(self):
        client = self.client()
        self.assertEqual(client.ask(get("/", method=b"DELETE")).headers["allow"], "GET, HEAD, OPTIONS")
        answer = client.ask(get("/logo.svg", method=b"OPTIONS"))
        self.assertEqual((answer.status, answer.headers["allow"]), (204, "GET, HEAD, OPTIONS"))


class OptionsMethodTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.arguments = ("--static", cls.directory.name)
        super().setUpClass()

    def test_options(self):
        client = self.client()
        for path, allow in (("/v1/check", "POST, OPTIONS"), ("/healthz", "GET, HEAD, OPTIONS"), ("*", "GET, HEAD, POST, OPTIONS")):
            answer = client.ask(get(path, method=b"OPTIONS"))
            self.assertEqual((answer.status, answer.headers["allow"], answer.body), (204, allow, b""))
        self.assertProblem(client.ask(get("/nope", method=b"OPTIONS")), 404, "not_found")
        self.assertProblem(client.ask(get("*")), 404, "not_found")

    def test_empty_directory(self):
        self.assertProblem(self.client().ask(get("/")), 404, "not_found")

    def test_probes(self):
        client = self.client()
        for path in ("/healthz", "/readyz"):
            answer = client.ask(get(path))
            self.assertEqual((answer.status, answer.body), (200, b"ok\n"))


class TooLargeTest(unittest.TestCase):
    def test_limits(self):
        for files, size in ((1001, 1), (5, 8 << 20)):
            with tempfile.TemporaryDirectory() as directory:
                for i in range(files):
                    with open(os.path.join(directory, str(i)), "wb") as file:
                        file.truncate(size)
                done = subprocess.run([PROGRAM, "--listen", "127.0.0.1:0", "--static", directory], capture_output=True)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertRegex(done.stderr, b"^gradcheckd: static directory: too many [^\n]*\n$")


if __name__ == "__main__":
    unittest.main()

"""gradcheckd check FILE, gradcheckd train FILE: a request without a server, by the same readers and writers."""

import io
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import zipfile

from daemon import PROGRAM, Client, DaemonTest, post
from test_class import LAB


def npz(arrays):
    """An archive as np.savez writes it, of arrays of two axes or one."""
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w") as archive:
        for name, rows in arrays.items():
            shape = (len(rows), len(rows[0])) if isinstance(rows[0], list) else (len(rows),)
            numbers = [n for row in rows for n in row] if isinstance(rows[0], list) else rows
            header = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
            header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
            archive.writestr(name + ".npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<%dd" % len(numbers), *numbers))
    return to.getvalue()


class CommandTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        with Client(cls.daemon) as client:
            cls.right = client.ask(post(json.dumps(dict(LAB, reveal=True, gradients={"b1": 0})).encode())).json()["reference"]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        super().tearDownClass()

    def file(self, name, content):
        path = pathlib.Path(self.folder.name, name)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def run_command(self, *arguments, status, given=b""):
        done = subprocess.run([PROGRAM, *arguments], input=given, capture_output=True, timeout=120, env={name: value for name, value in os.environ.items() if not name.startswith("GRADCHECKD_")})
        self.assertEqual(done.returncode, status, (done.stdout, done.stderr))
        return done.stdout, done.stderr

    def served(self, asked, query=""):
        return self.client(60).ask(post(json.dumps(asked).encode(), path="/v1/check" + query)).body

    def test_as_the_server_answers(self):
        """In every format, whether passed or not."""
        for gradients, status in ((self.right, 0), (dict(self.right, b3=[0.5]), 1)):
            asked = dict(LAB, gradients=gradients)
            path = self.file("lab.json", asked)
            for form in ("json", "text", "junit", "gradescope", "markdown", "tap"):
                out, errors = self.run_command("check", path, "--format", form, status=status)
                self.assertEqual((out, errors), (self.served(asked, "?format=" + form), b""))
            self.assertEqual(self.run_command("check", "-", "--strict", status=status, given=json.dumps(asked).encode())[0], self.served(asked))
            out, _ = self.run_command("check", path, "--format", "gradescope", "--hints", "after_due_date", status=status)
            self.assertEqual(out, self.served(asked, "?format=gradescope&hints=after_due_date"))

    def test_files(self):
        assignment = self.file("assignment.json", LAB)
        for name, content in (("g.json", self.right), ("g.npz", npz(self.right))):
            out, _ = self.run_command("check", assignment, "--gradients", self.file(name, content), status=0)
            self.assertEqual(json.loads(out)["points"], 6)
        wrong = self.file("wrong.npz", npz(dict(self.right, b3=[1.0])))
        self.assertEqual(json.loads(self.run_command("check", assignment, "--gradients", wrong, status=1)[0])["points"], 5)
        bare = self.file("bare.json", {name: LAB[name] for name in ("network", "parameters")})
        data = self.file("data.json", LAB["data"])
        self.run_command("check", bare, "--data", data, "--gradients", self.file("g.npz", npz(self.right)), status=0)

    def test_training(self):
        out, errors = self.run_command("train", self.file("train.json", dict(LAB, epochs=5)), status=0)
        self.assertEqual((len(json.loads(out)["loss"]), errors), (5, b""))

    def test_what_is_wrong(self):
        """Exit status 2, nothing on standard output, and what it is on standard error."""
        path = self.file("lab.json", dict(LAB, gradients=self.right))
        for arguments, said in (
            (("check",), b"needs the file"),
            (("check", path, path), b"one file"),
            (("check", path, "--format", "jnit"), b"did you mean junit?"),
            (("check", path, "--suite", "a"), b"takes no suite"),
            (("check", path, "--colour", "red"), b"unknown argument '--colour'"),
            (("check", path, "--gradients"), b"needs a value"),
            (("check", path, "--gradients", path + ".nowhere"), b"No such file"),
            (("check", path, "--gradients", path), b"gradients"),
            (("check", path + ".nowhere"), b"No such file"),
            (("check", self.folder.name), b"directory"),
            (("check", self.file("bad.json", b'{"network": [1,')), b"malformed_json"),
            (("check", self.file("empty.json", b"")), b"malformed_json"),
            (("check", self.file("none.json", LAB)), b"/gradients"),
            (("check", path, "--gradients", self.file("torch.pt", b"\x80\x02}q\x00.")), b"given twice"),
            (("check", self.file("none.json", LAB), "--gradients", self.file("torch.pt", b"\x80\x02}q\x00.")), b"savez"),
            (("check", path, "--device", "abacus"), b"abacus"),
            (("train", path, "--format", "text"), b"unknown argument '--format'"),
        ):
            with self.subTest(arguments):
                out, errors = self.run_command(*arguments, status=2)
                self.assertEqual(out, b"")
                self.assertIn(said, errors)

    def test_help(self):
        for command in ("check", "train"):
            out, errors = self.run_command(command, "--help", status=0)
            self.assertEqual(errors, b"")
            self.assertIn(b"usage: gradcheckd %s FILE" % command.encode(), out)

"""Bodies with a Content-Encoding: gzip, deflate and zstd, and what is wrong with them."""

import ctypes
import gzip
import json
import pathlib
import select
import unittest
import zlib

from daemon import DaemonTest, endless_check, get, post, wait_until

CHECK = (pathlib.Path(__file__).resolve().parent.parent / "demo" / "right.json").read_bytes()
FORM = b"multipart/form-data; boundary=b"


def raw_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zstd(data):
    """As libzstd packs it, which the daemon needs, too: Python has no module for it everywhere."""
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    library.ZSTD_compressBound.argtypes = (ctypes.c_size_t,)
    library.ZSTD_compress.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    room = library.ZSTD_compressBound(len(data))
    packed = ctypes.create_string_buffer(room)
    length = library.ZSTD_compress(packed, room, data, len(data), 3)
    return packed.raw[:length]


def zstd_stream(blocks, window=0x58):
    """A frame that does not say how much it holds, as of who packs while he sends. A block is bytes, or (byte, count): that repeated."""
    frame = b"\x28\xb5\x2f\xfd\x00" + bytes([window])
    for number, block in enumerate(blocks):
        last, repeated = number == len(blocks) - 1, isinstance(block, tuple)
        size = block[1] if repeated else len(block)
        frame += (size << 3 | repeated << 1 | last).to_bytes(3, "little") + (block[0] if repeated else block)
    return frame


class EncodingTest(DaemonTest):
    def send(self, body, coding, kind=b"application/json"):
        return self.client().ask(post(body, kind=kind, extra=b"Content-Encoding: " + coding + b"\r\n"))


class ReadTest(EncodingTest):
    def test_the_same_answer(self):
        plain = self.client().ask(post(CHECK)).body
        half = len(CHECK) // 2
        bodies = [
            (b"gzip", gzip.compress(CHECK)),
            (b"GZIP", gzip.compress(CHECK, 0)),
            (b"x-gzip", gzip.compress(CHECK)),
            (b"gzip", gzip.compress(CHECK[:half]) + gzip.compress(b"") + gzip.compress(CHECK[half:])),
            (b"gzip", gzip.compress(CHECK + b" " * 200000)),
            (b"deflate", zlib.compress(CHECK)),
            (b"deflate", raw_deflate(CHECK)),
            (b"deflate", raw_deflate(CHECK + b" " * 1000000)),
            (b"zstd", zstd(CHECK)),
            (b"zstd", zstd(CHECK[:half]) + zstd(CHECK[half:])),
            (b"zstd", b"\x50\x2a\x4d\x18\x02\0\0\0ab" + zstd(CHECK)),
            (b"zstd", zstd_stream([CHECK])),
            (b"zstd", zstd_stream([CHECK] + [(b" ", 100000)] * 9)),
        ]
        for number, (coding, body) in enumerate(bodies):
            with self.subTest(number, coding=coding):
                answer = self.send(body, coding)
                self.assertEqual((answer.status, answer.body), (200, plain))

    def test_parts(self):
        body = b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n' + CHECK + b"\r\n--b--"
        self.assertTrue(self.send(gzip.compress(body), b"gzip", FORM).json()["passed"])

    def test_lines(self):
        lines = CHECK.replace(b"\n", b" ") + b"\n" + b"{}\n"
        with self.client().socket as client:
            client.sendall(post(gzip.compress(lines), kind=b"application/x-ndjson", extra=b"Content-Encoding: gzip\r\nConnection: close\r\n"))
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        self.assertIn(b'{"passed":true', answer)
        self.assertIn(b'{"line":2', answer)

    def test_what_is_malformed_inside(self):
        problem = self.assertProblem(self.send(gzip.compress(b'{"network": \n]}'), b"gzip"), 400, "malformed_json")
        self.assertEqual(problem["line"], 2)

    def test_damaged(self):
        packed, squeezed, frame = gzip.compress(CHECK), zlib.compress(CHECK), zstd(CHECK)
        bodies = {
            "empty": (b"gzip", b"", "empty"),
            "no gzip": (b"gzip", CHECK, "damaged"),
            "cut off": (b"gzip", packed[:-1], "cut off"),
            "half": (b"gzip", packed[: len(packed) // 2], "cut off"),
            "checksum": (b"gzip", packed[:-8] + b"\0\0\0\0" + packed[-4:], "damaged"),
            "length": (b"gzip", packed[:-4] + b"\0\0\1\0", "damaged"),
            "behind": (b"gzip", packed + b"hello", "damaged"),
            "deflate behind": (b"deflate", squeezed + b"hello", "followed"),
            "deflate checksum": (b"deflate", squeezed[:-1] + bytes([squeezed[-1] ^ 1]), "damaged"),
            "deflate cut off": (b"deflate", squeezed[:-9], "cut off"),
            "no zstd": (b"zstd", CHECK, "no zstd"),
            "zstd cut off": (b"zstd", frame[:-1], "cut off"),
            "zstd behind": (b"zstd", frame + b"hello, hello", "followed by something else"),
            "zstd damaged": (b"zstd", zstd_stream([CHECK])[:9] + b"x", "cut off"),
        }
        for name, (coding, body, words) in bodies.items():
            with self.subTest(name):
                problem = self.assertProblem(self.send(body, coding), 400, "bad_request")
                self.assertIn(words, problem["detail"])

    def test_codings_that_are_not_known(self):
        for coding in (b"br", b"gzip, gzip", b"compress", b""):
            answer = self.send(CHECK, coding)
            self.assertProblem(answer, 415, "unsupported_media_type")
            self.assertEqual(answer.headers["accept-encoding"], "gzip, zstd, deflate, x-gzip")


class LimitTest(EncodingTest):
    arguments = ("--max-body", "100000")

    def test_what_comes_out_is_limited(self):
        for size, status in ((100000, 400), (100001, 413), (50 << 20, 413)):
            text = b"{}" + b" " * (size - 2)
            bodies = {b"gzip": gzip.compress(text), b"deflate": zlib.compress(text), b"zstd": zstd(text)}
            for coding, body in bodies.items():
                with self.subTest(size=size, coding=coding):
                    code = "missing_member" if status == 400 else "body_too_large"
                    self.assertLess(len(body), 100000)
                    self.assertProblem(self.send(body, coding), status, code)
        lying = gzip.compress(b" " * (50 << 20))[:-4] + b"\2\0\0\0"
        self.assertProblem(self.send(lying, b"gzip"), 413, "body_too_large")
        self.assertProblem(self.send(zstd_stream([(b" ", 100000)] * 30), b"zstd"), 413, "body_too_large")
        self.assertProblem(self.send(zstd_stream([(b" ", 100)], window=0xA8), b"zstd"), 400, "malformed_json")
        said = b"\x28\xb5\x2f\xfd\xe0" + (1 << 60).to_bytes(8, "little") + b"\1\0\0"
        self.assertProblem(self.send(said, b"zstd"), 413, "body_too_large")


class BombTest(EncodingTest):
    arguments = ("--max-memory", str(64 << 20))

    def test_bombs(self):
        """16 MiB may come out here: many of these at once are answered, and leave nothing behind."""
        bomb = gzip.compress(b" " * (200 << 20))
        clients = [self.client(60) for _ in range(8)]
        for client in clients:
            client.send(post(bomb, extra=b"Content-Encoding: gzip\r\n"))
        for client in clients:
            self.assertIn(client.read().status, (413, 503))
        self.assertTrue(self.send(gzip.compress(CHECK), b"gzip").json()["passed"])
        self.assertEqual(self.client().ask(get("/readyz")).status, 200)


class WorkerTest(EncodingTest):
    arguments = ("--threads", "1")

    def test_what_may_unpack_is_a_workers(self):
        """Nobody knows how much is in it: it waits where all workers are busy, and keeps no connection's thread."""
        busy, form = self.client(), b"multipart/form-data; boundary=b"
        busy.send(post(endless_check()))
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] >= 2))
        parts = b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n' + CHECK + b"\r\n--b--"
        waiting = [self.client(60), self.client(60)]
        waiting[0].send(post(gzip.compress(CHECK), extra=b"Content-Encoding: gzip\r\n"))
        waiting[1].send(post(parts, kind=form))
        for _ in range(100):
            self.assertEqual(self.client().ask(post(CHECK)).status, 200)
        self.assertEqual(select.select([client.socket for client in waiting], [], [], 0)[0], [])
        busy.socket.close()
        for client in waiting:
            self.assertTrue(client.read().json()["passed"])


if __name__ == "__main__":
    unittest.main()

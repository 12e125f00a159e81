"""Files in place of JSON arrays: npy, npz and safetensors in multipart bodies, and what is wrong with them.

The files are made here byte by byte, so that they can lie; those that NumPy itself writes come from Debian's python3.
"""

import io
import json
import math
import pathlib
import struct
import subprocess
import unittest
import zipfile

from daemon import Daemon, DaemonTest, post

CHECK = json.loads((pathlib.Path(__file__).resolve().parent.parent / "demo" / "right.json").read_text(encoding="utf-8"))
GRADIENTS = CHECK["gradients"]
CODES = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?"}


def flat(value):
    return [number for row in value for number in flat(row)] if isinstance(value, list) else [value]


def shape_of(value):
    return (len(value),) + shape_of(value[0]) if isinstance(value, list) else ()


def transposed(value):
    """The numbers in Fortran's order."""
    shape = shape_of(value)
    return [row[j] for j in range(shape[1]) for row in value] if len(shape) == 2 else flat(value)


def npy(value, descr="<f8", fortran=False, version=1, header=None, shape=None):
    """An array as numpy.save writes it, or one that lies: with another header, or another shape in it."""
    shape = shape_of(value) if shape is None else shape
    order = "" if descr[0] == "|" else descr[0]
    data = struct.pack("%s%d%s" % (order or "<", len(flat(value)), CODES.get(descr[1:], "d")), *(transposed(value) if fortran else flat(value)))
    if header is None:
        header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    header = header.encode()
    width = "<H" if version == 1 else "<I"
    header += b" " * (-(8 + struct.calcsize(width) + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(width, len(header)) + header + data


def npz(arrays, method=zipfile.ZIP_STORED):
    """As numpy.savez writes it: each entry's own header has a zip64 field."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in arrays.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(data)
    return buffer.getvalue()


def gradients_npz(**options):
    return npz({name + ".npy": npy(value, **options) for name, value in GRADIENTS.items()})


def safetensors(tensors, header=None, behind=b""):
    """tensors: name -> (dtype, shape, bytes)."""
    described, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, content) in tensors.items():
        described[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(described).encode() if header is None else header
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data + behind


def multipart(parts, boundary=b"----boundary", before=b"", end=b"--\r\n"):
    body = before
    for name, data in parts:
        body += b"--" + boundary + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"; filename="file"\r\n'
        body += b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    return body + b"--" + boundary + end


def without(*names):
    return {name: value for name, value in CHECK.items() if name not in names}


def request(*names):
    """The part with the JSON, without those members."""
    return ("request", json.dumps(without(*names)).encode())


class FilesTest(DaemonTest):
    def send(self, parts, path="/v1/check", kind=b"multipart/form-data; boundary=----boundary", **options):
        return self.client().ask(post(multipart(parts, **options), path, kind=kind))

    def report(self, parts, **options):
        answer = self.send(parts, **options)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def assertPassed(self, parts, **options):
        report = self.report(parts, **options)
        self.assertTrue(report["passed"], report)
        return report

    def assertFault(self, parts, code, pointer, *words, status=400):
        problem = self.assertProblem(self.send(parts), status, code)
        self.assertEqual(problem.get("pointer"), pointer, problem)
        for word in words:
            self.assertIn(word, problem["detail"])
        return problem


class ReadTest(FilesTest):
    def test_the_same_answer_as_for_json(self):
        plain = self.client().ask(post(json.dumps(CHECK).encode())).json()
        files = {
            "stored": gradients_npz(),
            "deflated": npz({name + ".npy": npy(value) for name, value in GRADIENTS.items()}, zipfile.ZIP_DEFLATED),
            "fortran": gradients_npz(fortran=True),
            "big endian": gradients_npz(descr=">f8"),
            "version 2": gradients_npz(version=2),
            "version 3": gradients_npz(version=3),
            "json": json.dumps(GRADIENTS).encode(),
            "safetensors": safetensors({n: ("F64", shape_of(v), struct.pack("<%dd" % len(flat(v)), *flat(v))) for n, v in GRADIENTS.items()}),
        }
        for name, file in files.items():
            with self.subTest(name):
                self.assertEqual(self.report([request("gradients"), ("gradients", file)]), plain)

    def test_wherever_the_bytes_lie(self):
        """Doubles at an address that is none of theirs are copied, others are not: it makes no difference."""
        for shift in range(8):
            with self.subTest(shift):
                self.assertPassed([request("gradients"), ("gradients", gradients_npz())], before=b"x" * shift + b"\r\n")

    def test_members_alone(self):
        parts = [(f"gradients.{name}", npy(value)) for name, value in GRADIENTS.items()]
        self.assertPassed([request("gradients"), *parts])
        self.assertPassed([*parts, request("gradients")])
        some = dict(list(GRADIENTS.items())[1:])
        first = next(iter(GRADIENTS))
        check = ("request", json.dumps({**without("gradients"), "gradients": some}).encode())
        self.assertPassed([check, (f"gradients.{first}", npy(GRADIENTS[first]))])

    def test_data_and_parameters(self):
        x, y = CHECK["data"]["x"], CHECK["data"]["y"]
        archive = npz({"x.npy": npy(x, "|u1"), "y.npy": npy(y, "|b1")})
        self.assertPassed([request("data"), ("data", archive)])
        self.assertPassed([request("data"), ("data.x", npy(x, "<i8")), ("data.y", npy(y, ">u2"))])
        report = self.report([("request", json.dumps({**without("parameters"), "reveal": True}).encode()),
                              ("parameters", npz({name + ".npy": npy(value) for name, value in GRADIENTS.items()}))])
        inline = self.client().ask(post(json.dumps({**CHECK, "parameters": GRADIENTS, "reveal": True}).encode())).json()
        self.assertEqual(report, inline)

    def test_the_types_of_numbers(self):
        """Each comes to the same number: as the one input of a program whose loss it is."""
        program = {"program": "loss = np.sum(x * w)", "parameters": {"w": [1]}}
        for descr in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "|u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8"):
            numbers = [3, 100] + ([-7] if descr[1] in "fi" else [])
            with self.subTest(descr):
                report = self.report([("request", json.dumps(program).encode()), ("data.x", npy(numbers, descr)), ("gradients", json.dumps({"w": [sum(numbers)]}).encode())])
                self.assertTrue(report["passed"], report)
                self.assertEqual(report["loss"], sum(numbers))

    def test_types_of_safetensors(self):
        program = {"program": "loss = np.sum(x * w)", "parameters": {"w": [1]}, "gradients": {"w": [1.5]}}
        types = {"BF16": struct.pack("<2H", 0x4000, 0xBF00), "F16": struct.pack("<2e", 2, -0.5), "F32": struct.pack("<2f", 2, -0.5), "F64": struct.pack("<2d", 2, -0.5)}
        for dtype, data in types.items():
            with self.subTest(dtype):
                self.assertPassed([("request", json.dumps(program).encode()), ("data", safetensors({"x": (dtype, [2], data)}))])
        program["gradients"] = {"w": [253]}
        types = {"I8": "<2b", "I16": "<2h", "I32": "<2i", "I64": "<2q", "U8": "<2B", "U16": "<2H", "U32": "<2I", "U64": "<2Q"}
        for dtype, form in types.items():
            numbers = (126, 127)
            with self.subTest(dtype):
                self.assertPassed([("request", json.dumps(program).encode()), ("data", safetensors({"x": (dtype, [2], struct.pack(form, *numbers))}))])

    def test_arrays_of_no_axes(self):
        program = {"program": "loss = x * w", "parameters": {"w": 2}, "data": {"x": 3}}
        self.assertPassed([("request", json.dumps(program).encode()), ("gradients", npz({"w.npy": npy(3)}))])
        self.assertPassed([("request", json.dumps({**program, "gradients": {"w": 3}, "data": {}}).encode()), ("data.x", npy(3, "<i4"))])
        report = self.report([("request", json.dumps(program).encode()), ("gradients.w", npy(math.nan))])
        self.assertEqual(report["parameters"][0]["status"], "not_finite")

    def test_float32_is_what_the_file_says(self):
        report = self.assertPassed([request("gradients"), ("gradients", gradients_npz(descr="<f4"))])
        self.assertTrue(all(entry["max_abs_diff"] < 1e-7 for entry in report["parameters"]))

    def test_gradients_that_are_graded(self):
        """What is wrong with the student's numbers is an answer, not an error."""
        report = self.report([request("gradients"), ("gradients", npz({"W1.npy": npy([[math.nan]]), "b1.npy": npy([1, 2]), "zz.npy": npy([1])}))])
        self.assertEqual([entry["status"] for entry in report["parameters"] if entry["name"] in ("W1", "b1", "zz")], ["shape_mismatch", "shape_mismatch", "unexpected"])
        report = self.report([request("gradients"), ("gradients", npy([1]))])
        self.assertFalse(report["passed"])

    def test_intermediates(self):
        report = self.report([request(), ("intermediates", npz({"z1.npy": npy([[1]])}))])
        self.assertEqual(report["intermediates"][0]["status"], "shape_mismatch")

    def test_other_endpoints(self):
        x, y = CHECK["data"]["x"], CHECK["data"]["y"]
        training = {"network": CHECK["network"], "parameters": CHECK["parameters"], "epochs": 3, "optimizer": {"type": "sgd", "lr": 0.1}}
        files = [("data.x", npy(x)), ("data.y", npy(y))]
        inline = self.client().ask(post(json.dumps({**training, "data": {"x": x, "y": y}}).encode(), "/v1/train")).json()
        self.assertEqual(self.report([("request", json.dumps(training).encode()), *files], path="/v1/train"), inline)
        step = {"optimizer": {"type": "sgd", "lr": 0.5}, "gradients": {"w": [2.0]}}
        files = [("parameters", npz({"w.npy": npy([3.0])})), ("updated.parameters", npz({"w.npy": npy([2.0])}))]
        self.assertTrue(self.report([("request", json.dumps(step).encode()), *files], path="/v1/optimizer_step")["passed"])
        decomposed = self.report([("request", b"{}"), ("parameters", npz({"W.npy": npy([[3, 0], [0, 4]])}))], path="/v1/svd")
        self.assertEqual(decomposed, self.client().ask(post(b'{"parameters": {"W": [[3, 0], [0, 4]]}}', "/v1/svd")).json())

    def test_what_numpy_writes(self):
        script = """if True:
            import io, json, sys
            import numpy as np
            gradients = {name: np.array(value) for name, value in json.load(sys.stdin).items()}
            for save in (np.savez, np.savez_compressed):
                for change in (lambda a: a, lambda a: a.astype(">f4"), np.asfortranarray, lambda a: a.T.copy().T, lambda a: a.astype("f2").astype("f8") * 0 + a):
                    file = io.BytesIO()
                    save(file, **{name: change(array) for name, array in gradients.items()})
                    sys.stdout.write(file.getvalue().hex() + "\\n")
        """
        run = subprocess.run(["/usr/bin/python3", "-c", script], input=json.dumps(GRADIENTS), capture_output=True, text=True, check=True)
        files = run.stdout.split()
        self.assertEqual(len(files), 10)
        for number, file in enumerate(files):
            with self.subTest(number):
                self.assertPassed([request("gradients"), ("gradients", bytes.fromhex(file))])

    def test_forms(self):
        from urllib.parse import quote_plus

        kind = b"application/x-www-form-urlencoded"
        body = "request=" + quote_plus(json.dumps(CHECK))
        self.assertTrue(self.client().ask(post(body.encode(), kind=kind)).json()["passed"])
        body = "gradients=" + quote_plus(json.dumps(GRADIENTS)) + "&request=" + quote_plus(json.dumps(without("gradients")))
        self.assertTrue(self.client().ask(post(body.encode(), kind=kind)).json()["passed"])
        body = "gradients=" + quote_plus(gradients_npz()) + "&&request=" + quote_plus(json.dumps(without("gradients"))) + "&"
        self.assertTrue(self.client().ask(post(body.encode(), kind=kind)).json()["passed"])
        self.assertProblem(self.client().ask(post(b"x=1", kind=kind)), 400, "missing_member")
        self.assertProblem(self.client().ask(post(b"", kind=kind)), 400, "missing_member")
        self.assertProblem(self.client().ask(post(b"request=%7B", kind=kind)), 400, "malformed_json")


class RefusedTest(FilesTest):
    def gradients(self, file):
        return [request("gradients"), ("gradients", file)]

    def test_given_twice(self):
        self.assertFault([request(), ("gradients", gradients_npz())], "out_of_range", "/gradients", "twice")
        self.assertFault([request(), ("gradients.W1", npy([1]))], "out_of_range", "/gradients/W1", "gradients.W1", "twice")
        self.assertFault([request("gradients"), ("gradients", gradients_npz()), ("gradients", gradients_npz())], "out_of_range", "/gradients")
        self.assertFault([request("gradients"), ("gradients.W1", npy([1])), ("gradients", gradients_npz())], "out_of_range", "/gradients/W1")
        self.assertFault([request("gradients"), ("gradients.W1", npy([1])), ("gradients.W1", npy([1]))], "out_of_range", "/gradients/W1")
        self.assertFault([request("gradients"), ("gradients", npy([1])), ("gradients.W1", npy([1]))], "out_of_range", "/gradients/W1")
        self.assertFault([request(), request()], "out_of_range", "")

    def test_pickles(self):
        advice = "safetensors.torch.save_file", "np.savez", "pickle"
        for name, file in {
            "stream": b"\x80\x04\x95\x00}.",
            "old torch.save": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
            "torch.save": npz({"archive/data.pkl": b"\x80\x02}.", "archive/data/0": b"1234"}),
        }.items():
            with self.subTest(name):
                self.assertFault(self.gradients(file), "unsupported_file", "/gradients", "file gradients", *advice)
        objects = npy([1], header="{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")
        self.assertFault(self.gradients(npz({"W1.npy": objects})), "unsupported_file", "/gradients/W1", *advice)

    def test_other_files(self):
        for file in (b"\x89HDF\r\n\x1a\n", b"MATLAB 5.0 MAT-file", b"hello", b"\x1f\x8b\x08"):
            self.assertFault(self.gradients(file), "unsupported_file", "/gradients", "gradients")
        self.assertFault(self.gradients(b""), "malformed_file", "/gradients", "empty")

    def test_types_that_are_not_read(self):
        for descr in ("<c16", "<U5", "|S3", "<M8[ns]", "<f16", "|V2", "<i16", "<f3", "", "<"):
            with self.subTest(descr):
                file = npy([1], header="{'descr': '%s', 'fortran_order': False, 'shape': (1,), }" % descr)
                self.assertFault(self.gradients(npz({"W1.npy": file})), "unsupported_file", "/gradients/W1", descr)
        fields = npy([1], header="{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }")
        self.assertFault(self.gradients(npz({"W1.npy": fields})), "unsupported_file", "/gradients/W1", "fields")

    def test_npy_that_lie(self):
        good = npy([1, 2, 3])
        lies = {
            "cut off": (good[:-1], "24 bytes, but 23"),
            "too long": (good + b"\0", "24 bytes, but 25"),
            "header cut off": (good[:30], "cut off"),
            "magic alone": (good[:6], "cut off"),
            "version": (good[:6] + b"\x09" + good[7:], "version 9"),
            "header's length": (good[:8] + b"\xff\xff" + good[10:], "65535"),
            "overflow": (npy([1], shape=(2**62, 4)), "larger than any memory"),
            "overflow beside nothing": (npy([], shape=(0, 2**62, 2**62)), "larger than any memory"),
            "beyond 64 bits": (npy([1], shape=(10**30,)), "damaged"),
            "negative": (npy([1], shape=(-1,)), "damaged"),
            "a bare number": (npy([1], header="{'descr': '<f8', 'fortran_order': False, 'shape': (1), }"), "damaged"),
            "axes": (npy([1], shape=(1,) * 17), "16 axes"),
            "no shape": (npy([1], header="{'descr': '<f8', 'fortran_order': False}"), "damaged"),
            "twice": (npy([1], header="{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"), "damaged"),
            "more": (npy([1], header="{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}"), "damaged"),
            "code": (npy([1], header="{'descr': '<f8', 'fortran_order': False, 'shape': (exit(),)}"), "damaged"),
            "order": (npy([1], header="{'descr': '<f8', 'fortran_order': 1, 'shape': (1,)}"), "damaged"),
            "behind": (npy([1], header="{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} + 1"), "damaged"),
        }
        for name, (file, words) in lies.items():
            with self.subTest(name):
                self.assertFault([request("gradients"), ("gradients.W1", file)], "malformed_file", "/gradients/W1", "gradients.W1", words)
                self.assertFault(self.gradients(npz({"W1.npy": file})), "malformed_file", "/gradients/W1", "gradients", words)

    def test_archives_that_lie(self):
        good = npz({"W1.npy": npy([1, 2]), "b1.npy": npy([1])})
        packed = npz({"W1.npy": npy([1] * 1000)}, zipfile.ZIP_DEFLATED)
        central, end = good.index(b"PK\1\2"), good.index(b"PK\5\6")
        second = good.index(b"PK\1\2", central + 4)

        def patched(at, data, file=good):
            return file[:at] + data + file[at + len(data):]

        packed_central = packed.index(b"PK\1\2")
        lies = {
            "cut off": (good[:-1], "cut off"),
            "half": (good[: len(good) // 2], "cut off"),
            "the end alone": (good[:4] + b"\0" * 30, "cut off"),
            "encrypted": (patched(central + 8, b"\1\0"), '"W1.npy" is encrypted'),
            "packed otherwise": (patched(central + 10, b"\x0c\0"), "stored and deflated"),
            "checksum": (patched(good.index(struct.pack("<d", 2.0)), struct.pack("<d", 3.0)), "checksum"),
            "offset": (patched(central + 42, struct.pack("<I", 0x7FFFFFFF)), "outside"),
            "offset into another": (patched(central + 42, struct.pack("<I", 8)), "does not begin"),
            "reaches beyond": (patched(central + 20, struct.pack("<II", 10**6, 10**6)), "beyond its end"),
            "sizes": (patched(central + 24, struct.pack("<I", 7)), "more than it can"),
            "overlap": (patched(second + 42, struct.pack("<I", 0), patched(second + 46, b"W1.npy")), "over another"),
            "another name": (patched(second + 46, b"c1.npy"), "another one"),
            "entries": (patched(end + 10, struct.pack("<H", 9)), "no room"),
            "fewer entries": (patched(end + 8, struct.pack("<HH", 1, 1)), "more than its entries"),
            "zip64": (patched(end + 10, struct.pack("<H", 0xFFFF)), "zip64"),
            "directory": (patched(end + 16, struct.pack("<I", 0x7FFFFFFF)), "outside"),
            "directory's bytes": (patched(central, b"XX"), "damaged"),
            "packed damage": (patched(packed_central - 3, b"\xff\xff\xff", packed), "W1.npy"),
            "packed size": (patched(packed_central + 24, struct.pack("<I", 8127), packed), "another size"),
            "packed bomb": (patched(packed_central + 24, struct.pack("<I", 2**31), packed), "more than it can"),
            "path": (npz({"../W1.npy": npy([1])}), "path"),
            "folder": (npz({"a/W1.npy": npy([1])}), "path"),
            "no array": (npz({"W1.txt": b"1"}), "no array"),
            "no npy": (npz({"W1.npy": b"1"}), "no .npy"),
        }
        for name, (file, words) in lies.items():
            with self.subTest(name):
                problem = self.assertProblem(self.send(self.gradients(file)), 400, "malformed_file")
                self.assertTrue(problem["pointer"].startswith("/gradients"), problem)
                self.assertIn(words, problem["detail"])
        with self.assertWarns(UserWarning):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                archive.writestr("W1.npy", npy([1]))
                archive.writestr("W1.npy", npy([1]))
        self.assertFault(self.gradients(buffer.getvalue()), "out_of_range", "/gradients/W1", "twice")

    def test_safetensors_that_lie(self):
        def header(**tensors):
            return safetensors({}, header=json.dumps({name: {"dtype": d, "shape": s, "data_offsets": o} for name, (d, s, o) in tensors.items()}).encode(), behind=bytes(16))

        lies = {
            "header's length": (struct.pack("<Q", 2**40) + b"{}" + bytes(10), "larger"),
            "header cut off": (struct.pack("<Q", 100) + b'{"a": 1}', "cut off"),
            "no JSON": (struct.pack("<Q", 8) + b"{]      ", "no JSON"),
            "twice": (struct.pack("<Q", 16) + b'{"a":1, "a":1}  ', "no JSON"),
            "too short": (header(W1=("F64", [3], [0, 24])), "outside"),
            "too long": (header(W1=("F64", [1], [0, 8])), "8 bytes lie behind"),
            "hole": (header(W1=("F64", [1], [8, 16])), "hole"),
            "overlap": (header(W1=("F64", [2], [0, 16]), b1=("F64", [1], [8, 16])), "over another"),
            "shape": (header(W1=("F64", [3], [0, 16])), "does not fit"),
            "overflow": (header(W1=("F64", [2**52, 2**52], [0, 16])), "larger than any memory"),
            "backwards": (header(W1=("F64", [2], [16, 0])), "outside"),
            "negative": (header(W1=("F64", [-2], [0, 16])), "sizes"),
            "NaN": (header(W1=("F64", [math.nan], [0, 16])), "sizes"),
            "infinity": (header(W1=("F64", [2], [0, math.inf])), "data_offsets"),
            "fraction": (header(W1=("F64", [1.5], [0, 16])), "sizes"),
            "nested": (header(W1=("F64", [[2]], [0, 16])), "sizes"),
            "axes": (header(W1=("U8", [1] * 16 + [16], [0, 16])), "axes"),
            "one offset": (header(W1=("F64", [2], [0])), "data_offsets"),
            "no dtype": (header(W1=(3, [2], [0, 16])), "dtype"),
            "more members": (safetensors({}, header=b'{"W1": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16], "x": 1}}', behind=bytes(16)), "alone"),
        }
        for name, (file, words) in lies.items():
            with self.subTest(name):
                self.assertFault(self.gradients(file), "malformed_file", "/gradients", "gradients", words)
        self.assertFault(self.gradients(header(W1=("F8_E4M3", [16], [0, 16]))), "unsupported_file", "/gradients", "F8_E4M3")

    def test_json_that_is_malformed(self):
        problem = self.assertFault([("request", b'{"network": \n]}')], "malformed_json", "/network")
        self.assertEqual(problem["line"], 2)
        self.assertFault(self.gradients(b'{"W1": [1, 2,]}'), "malformed_json", "/gradients/W1", "gradients")

    def test_parts_that_are_missing(self):
        self.assertFault([("gradients", gradients_npz())], "missing_member", "", "request")
        self.assertFault([("request", b"[]")], "wrong_type", "", "request")
        self.assertFault([request("gradients"), ("gradient", gradients_npz())], "unknown_member", "/gradient", "did you mean gradients?")

    def test_bodies_that_are_none(self):
        kind = b"multipart/form-data; boundary=----boundary"
        good = multipart([request()])
        bodies = {
            "empty": b"",
            "another boundary": good.replace(b"----boundary", b"----other"),
            "cut off": good[:-20],
            "no last boundary": good[:-4],
            "no name": good.replace(b'name="request"; ', b""),
            "no headers": b"------boundary\r\n\r\n{}\r\n------boundary--\r\n",
            "long headers": good.replace(b'filename="file"', b'filename="' + b"x" * 9000 + b'"'),
            "base64": good.replace(b"Content-Type: ", b"Content-Transfer-Encoding: base64\r\nContent-Type: "),
            "line feeds": good.replace(b"\r\n", b"\n"),
            "something behind": good.replace(b"------boundary\r\n", b"------boundary more\r\n"),
            "many": multipart([("p%d" % i, b"") for i in range(4097)]),
            "name": multipart([request()]).replace(b'"request"', b'"\xff"'),
        }
        for name, body in bodies.items():
            with self.subTest(name):
                self.assertProblem(self.client().ask(post(body, kind=kind)), 400, "bad_request")
        for bad in (b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=" + b"x" * 71):
            self.assertProblem(self.client().ask(post(good, kind=bad)), 400, "bad_request")

    def test_other_ways_to_write_a_body(self):
        good = multipart([request()], boundary=b"a b")
        self.assertTrue(self.client().ask(post(good, kind=b'Multipart/Form-Data; charset=utf-8; BOUNDARY="a b"')).json()["passed"])
        body = multipart([request()]).replace(b'name="request"', b'name=request').replace(b"Content-Disposition", b"content-disposition")
        self.assertTrue(self.client().ask(post(b"preamble\r\n" + body + b"epilogue", kind=b"multipart/form-data; boundary=----boundary")).json()["passed"])
        body = multipart([request("gradients"), ("gradients.W1", b"[1]")]).replace(b'"gradients.W1"', b'"gradients.a\\"b"')
        report = self.client().ask(post(body, kind=b"multipart/form-data; boundary=----boundary")).json()
        self.assertIn('a"b', [entry["name"] for entry in report["parameters"]])


class LimitTest(FilesTest):
    arguments = ("--max-body", "200000")

    def bomb(self, size):
        return npz({"W1.npy": npy([], shape=(size,)) + bytes(8 * size)}, zipfile.ZIP_DEFLATED)

    def test_bombs(self):
        """What comes out of all files together counts as a body does."""
        file = self.bomb(30000)
        self.assertLess(len(file), 1000)
        self.assertFault([request("gradients"), ("gradients", file)], "body_too_large", None, "200000", status=413)
        small = self.bomb(15000)
        self.assertEqual(self.report([request("gradients"), ("gradients", small)])["passed"], False)
        self.assertFault([request("gradients"), ("gradients", small), ("intermediates", small)], "body_too_large", None, status=413)

    def test_many_entries(self):
        file = npz({"p%d.npy" % i: b"" for i in range(10)})
        end = file.index(b"PK\5\6")
        self.assertFault([request("gradients"), ("gradients", file[: end + 8] + b"\xfe\xff\xfe\xff" + file[end + 12 :])], "malformed_file", "/gradients", "65534", "16384")


class MemoryTest(FilesTest):
    arguments = ("--max-memory", str(64 << 20))

    def test_numbers_that_grow(self):
        """Bytes become eight times as large as float64: what that takes is counted, and refused."""
        size = 8 << 20
        file = npz({"W1.npy": npy([], descr="|u1", shape=(size,)) + bytes(size)}, zipfile.ZIP_DEFLATED)
        answer = self.send([request("gradients"), ("gradients", file)])
        self.assertIn(answer.status, (422, 503), answer.body)
        self.assertPassed([request("gradients"), ("gradients", gradients_npz())])


if __name__ == "__main__":
    unittest.main()

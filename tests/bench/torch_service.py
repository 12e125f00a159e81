"""The peer of the benchmark: what one would otherwise write, a small Python service around PyTorch's autograd.

It takes the body of POST /v1/check and answers the same verdict per parameter as gradcheckd does (names, shapes, largest
differences, worst index, number of mismatches, points). It checks nothing else of a request.

    /usr/bin/python3 tests/bench/torch_service.py PORT     (0 takes a free one; the first line of output tells it)
"""

import http.server
import json
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))
import torch_reference  # noqa: E402


def compare(name, student, reference, tolerance):
    """One parameter of the report. Arrays that numpy cannot make of the student's lists end as not_a_tensor."""
    entry = {"name": name, "shape": list(reference.shape), "passed": False, "points": 0}
    if student is None:
        return {**entry, "status": "missing"}
    try:
        student = np.asarray(student, dtype=np.float64)
    except (TypeError, ValueError):
        return {**entry, "status": "not_a_tensor"}
    if student.shape != reference.shape:
        return {**entry, "status": "shape_mismatch", "submitted_shape": list(student.shape)}
    reference = reference.astype(np.float64)
    difference = np.abs(student - reference)
    right = difference <= tolerance["atol"] + tolerance["rtol"] * np.abs(reference)
    finite = np.isfinite(student).all()
    entry["status"] = "match" if right.all() else "mismatch" if finite else "not_finite"
    entry["passed"] = entry["status"] == "match"
    entry["points"] = int(entry["passed"])
    if finite:
        relative = difference / np.maximum(np.abs(student) + np.abs(reference), 1e-8)
        entry["max_abs_diff"], entry["max_rel_diff"] = float(difference.max()), float(relative.max())
        entry["worst"] = [int(i) for i in np.unravel_index(difference.argmax(), difference.shape)]
    entry["mismatches"] = int((~right).sum())
    return entry


def check(request):
    result = torch_reference.evaluate(request, with_intermediates=False)
    tolerance = {"atol": 1e-6, "rtol": 0.0, **request.get("tolerance", {})}
    entries = [compare(name, request["gradients"].get(name), reference, tolerance)
               for name, reference in result.gradients.items()]
    points = sum(entry["points"] for entry in entries)
    return {"passed": all(entry["passed"] for entry in entries), "score": points / len(entries), "points": points,
            "max_points": len(entries), "loss": result.loss, "device": "cpu", "dtype": request.get("dtype", "float64"),
            "tolerance": tolerance, "parameters": entries}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"      # keep-alive
    disable_nagle_algorithm = True
    wbufsize = 1 << 16                 # header and body leave together

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(check(request)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that closes its connection is no event."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

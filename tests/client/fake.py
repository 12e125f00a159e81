"""A service that misbehaves as a test wants it to, and the client as a module."""

import http.server
import importlib.util
import os
import pathlib
import sys
import threading

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent / "static" / "client.py"

REPORT = {
    "passed": False, "score": 0.5, "points": 1, "max_points": 2, "loss": 1, "device": "cpu", "dtype": "float64", "tolerance": "auto",
    "parameters": [
        {"name": "W1", "shape": [1], "status": "match", "passed": True, "points": 1, "max_points": 1, "max_abs_diff": 0.0},
        {"name": "b1", "shape": [1], "status": "missing", "passed": False, "points": 0, "max_points": 1, "max_abs_diff": None,
         "detail": "not submitted"},
    ],
    "diagnosis": {"explained": True, "first_wrong": {"parameter": "b1", "layer": 0},
                  "mistakes": [{"id": "all_zero", "layers": [0], "parameters": ["b1"], "message": "Nothing.", "hint": "Something."}]},
}  # fmt: skip


def load():
    """The client, as if it had just been imported."""
    spec = importlib.util.spec_from_file_location("gradcheckd", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["gradcheckd"] = module
    spec.loader.exec_module(module)
    for name in ("GRADCHECKD_URL", "GRADCHECKD_TOKEN"):
        os.environ.pop(name, None)
    return module


class Fake:
    """Answers each request with the next of `answers`, the last one again and again: (status, headers, body) or a
    function of the request's handler. What came is in `requests`: (method, path, headers, body)."""

    def __init__(self, *answers):
        self.answers, self.requests, fake = list(answers), [], self
        self.released = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # a connection each

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.requests.append((self.command, self.path, self.headers, body))
                answer = fake.answers.pop(0) if len(fake.answers) > 1 else fake.answers[0]
                if callable(answer):
                    return answer(self)
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

"""What is measured beside gradcheckd: programs that are started, each with a port, and end with the `with`."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import types

from connection import Connection
from daemon import PROGRAM, post

HERE = pathlib.Path(__file__).resolve().parent


@contextlib.contextmanager
def started(*command):
    """A program that prints its port first, with its `process` and `port` as a Daemon has them. It ends with its input, or
    when it is asked to."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield types.SimpleNamespace(process=process, port=int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def torch_service():
    """Python's own HTTP server around PyTorch, one process."""
    with started(sys.executable, HERE / "torch_service.py", 0) as service:
        yield service


@contextlib.contextmanager
def fastapi_service():
    """FastAPI around PyTorch, two processes."""
    with started(sys.executable, HERE / "fastapi_service.py") as service:
        for _ in range(2):
            assert service.process.stdout.readline() == "ready\n"
        yield service


@contextlib.contextmanager
def ceiling(daemon, body):
    """libmicrohttpd alone, which answers everything with what the daemon answers to that check."""
    with tempfile.NamedTemporaryFile() as file, Connection(daemon.port) as connection:
        head, answer = connection.exchange(post(body))
        file.write(head.encode("latin-1") + b"\r\n\r\n" + answer)
        file.flush()
        program = pathlib.Path(PROGRAM).parent / "tests" / "bench" / "ceiling"
        with started(program, max(os.cpu_count(), 2), file.name) as alone:
            with Connection(alone.port) as other:
                own_head, own_answer = other.exchange(post(body))
            assert own_answer == answer and len(own_head) == len(head), (own_head, head)
            yield alone

"""The load generator wrk, which costs less than any client in Python."""

import contextlib
import pathlib
import re
import subprocess
import tempfile

from connection import Connection, hold
from daemon import post

SCRIPT = pathlib.Path(__file__).resolve().parent / "check.lua"


@contextlib.contextmanager
def loading(port, body, seconds, connections, threads=1):
    """wrk at work, with the body as POST /v1/check over and over; it ends by itself."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(SCRIPT),
                   f"http://127.0.0.1:{port}", "--", file.name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def rate_of(process):
    """Requests a second, when it has ended. All were answered with 200."""
    output = process.stdout.read()
    process.wait()
    assert process.returncode == 0 and "Non-2xx" not in output and "Socket errors" not in output, output
    return float(re.search(r"Requests/sec: *([\d.]+)", output).group(1))


def throughput(port, body, seconds, connections, threads=1):
    """Requests a second; what the answer says is looked at once before."""
    with Connection(port) as connection:
        hold(*connection.exchange(post(body)))
    with loading(port, body, seconds, connections, threads) as process:
        return rate_of(process)

"""A client that costs little, and what it measures of a server."""

import json
import re
import socket
import statistics
import time

from daemon import post

JSON = b"application/json"


class Connection:
    """One keep-alive connection that sends a request made beforehand."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exchange(self, message):
        """Sends, waits for the whole answer; (header text, body)."""
        self.socket.sendall(message)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.received()
        head, _, body = answer.partition(b"\r\n\r\n")
        head = head.decode("latin-1")
        length = int(re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE).group(1))
        while len(body) < length:
            body += self.received()
        return head, body

    def received(self):
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        return piece


def server_timing(head):
    """Milliseconds by step."""
    line = re.search(r"(?i)^server-timing: *(.*)$", head, re.MULTILINE)
    return {name: float(value) for name, value in re.findall(r"(\w+);dur=([\d.eE+-]+)", line.group(1))} if line else {}


def is_passed(answer):
    return answer["passed"] is True


def hold(head, body, is_right=is_passed):
    """That an answer is right: the only thing that ends the benchmark."""
    assert head.startswith("HTTP/1.1 200"), (head, body[:300])
    assert is_right(json.loads(body)), body[:600]


def measure(port, body, count, warm_up, path="/v1/check", is_right=is_passed, summary=statistics.median, kind=JSON):
    """Median seconds (or another summary) of `count` exchanges, and that of each step of Server-Timing."""
    message, seconds, steps = post(body, path, kind=kind), [], {}
    with Connection(port) as connection:
        for number in range(warm_up + count):
            start = time.perf_counter()
            head, answer = connection.exchange(message)
            took = time.perf_counter() - start
            if number == 0:
                hold(head, answer, is_right)
            if number >= warm_up:
                seconds.append(took)
                for name, value in server_timing(head).items():
                    steps.setdefault(name, []).append(value)
    return summary(seconds), {name: summary(values) for name, values in steps.items()}


def timed(work, count, summary=statistics.median):
    """Median seconds (or another summary) of `count` calls, after one more."""
    work()
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return summary(seconds)

"""Ends the daemon under load, many times: with SIGTERM, after which nobody may be left with half an answer, and with
SIGKILL, after which the next one has to serve on the same port at once.

    python3 tests/load/ends.py [DRAINS [KILLS [SEED]]]

Exits with 1 where anything was lost, and says what.
"""

import collections
import multiprocessing
import random
import signal
import socket
import statistics
import sys
import threading
import time

from traffic import Broken, Daemon, Malformed, Reader, lab, training
from daemon import get, heavy_check, post

AT_ONCE = 5  # most of a drain is waiting
DRAIN_SECONDS = 8  # the daemon gives up on what is left after 10
START_SECONDS = 5  # of the next daemon after a kill; it takes a twentieth of one, or half under the sanitizers

LAB = post(lab())
HEAVY = post(heavy_check(width=60, layers=3, batch=100))
LONG = post(training(100000, width=100), "/v1/train")
STREAM = post(training(100000, width=100), "/v1/train", b"Accept: text/event-stream\r\n")
BULKY = post(b"[" + b"0.125," * 50000 + b"0]")
LARGE = get("/openapi.json")


class Visitor(threading.Thread):
    """A client that goes on until the daemon is gone. What it must not see is in `faults`."""

    def __init__(self, daemon, kind, seed, killed):
        super().__init__(daemon=True)
        self.target, self.kind, self.killed = daemon, kind, killed
        self.random = random.Random(seed)
        self.seen = collections.Counter()
        self.faults = []
        self.gone = threading.Event()
        self.over = False  # whether the connection is

    def run(self):
        while not self.gone.is_set():
            try:
                client = Reader(self.target, 30, window=4096 if self.kind == "slow" else None)
            except OSError:  # refused: it does not listen any more
                self.seen["refused"] += 1
                return
            with client:
                self.stay(client)

    def stay(self, client):
        """Asks on one connection until that ends."""
        asked = 0
        while not self.gone.is_set():
            try:
                self.once(client)
            except (Broken, ConnectionError):
                # Between two requests a connection may be closed; whoever has come with one is heard.
                if asked == 0 and not self.killed:
                    self.faults.append("%s: closed without an answer" % self.kind)
                self.seen["closed"] += 1
                return
            except (Malformed, socket.timeout) as error:
                if not self.killed:
                    self.faults.append("%s: %s" % (self.kind, error))
                return
            asked += 1
            if self.over:
                return

    def once(self, client):
        getattr(self, self.kind)(client)
        self.seen[self.kind] += 1

    def expect(self, client, *statuses):
        answer = client.answer()
        self.seen[answer.status] += 1
        if answer.status not in statuses:
            self.faults.append("%s: %d %r" % (self.kind, answer.status, answer.body[:200]))
        self.over = answer.headers.get("connection", "").lower() == "close"
        return answer

    def light(self, client):
        client.send(LAB)
        if not self.expect(client, 200).json()["passed"]:
            self.faults.append("light: a right check did not pass")

    def brief(self, client):
        """A connection for each request."""
        self.light(client)
        self.over = True

    def heavy(self, client):
        client.send(HEAVY)
        self.expect(client, 200, 503)

    def train(self, client):
        client.send(LONG)
        self.expect(client, 200, 503)
        self.over = True

    def stream(self, client):
        client.send(STREAM)
        events = client.events()
        if events and events[-1] not in ("done", "error"):
            self.faults.append("stream: the last event is %s" % events[-1])
        self.over = True

    def half(self, client):
        """A body that stops in the middle; it goes on, or never does."""
        cut = self.random.randrange(1, len(BULKY))
        client.send(BULKY[:cut])
        self.gone.wait(self.random.uniform(0, 0.1))
        if self.random.random() < 0.5:
            self.over = True
            return
        client.send(BULKY[cut:])
        self.expect(client, 400, 503)

    def idle(self, client):
        client.send(get("/healthz"))
        self.expect(client, 200)
        self.gone.wait(self.random.uniform(0, 0.3))

    def slow(self, client):
        client.send(LARGE)
        self.gone.wait(self.random.uniform(0, 0.2))
        self.expect(client, 200)


KINDS = ("light", "light", "brief", "heavy", "train", "stream", "half", "half", "idle", "idle", "slow", "slow")


def load(daemon, draw, killed):
    visitors = [Visitor(daemon, kind, draw.random(), killed) for kind in KINDS]
    for visitor in visitors:
        visitor.start()
    return visitors


def leave(visitors, seen):
    """Sends them home; what they complain of."""
    for visitor in visitors:
        visitor.gone.set()
    faults = []
    for visitor in visitors:
        visitor.join(60)
        if visitor.is_alive():
            faults.append("%s: waits for an answer for a minute" % visitor.kind)
        faults += visitor.faults
        seen += visitor.seen
    return faults


def drain(draw, seen):
    """One daemon from its start to its end: seconds of the drain, and what was wrong."""
    daemon = Daemon("--threads", "2")
    visitors = load(daemon, draw, killed=False)
    time.sleep(draw.uniform(0.01, 0.25))
    daemon.signal(draw.choice((signal.SIGTERM, signal.SIGINT)))
    try:
        took, faults = daemon.finish(DRAIN_SECONDS), []
    except AssertionError as error:
        took, faults = None, [str(error)]
    return took, faults + leave(visitors, seen)


def low_port():
    """One that no client is given as its own, while nobody listens on it."""
    for port in range(random.randrange(20000, 29000), 30000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def kill(port, draw, seen):
    """A kill and the start after it: seconds from the one to the other's first answer, and what was wrong."""
    address = ("--threads", "2", "--listen", "127.0.0.1:%d" % port)
    first = Daemon(*address)
    visitors = load(first, draw, killed=True)
    time.sleep(draw.uniform(0.01, 0.15))
    first.process.kill()
    first.process.wait()
    errors = first.read_errors()
    first.process.stdout.close()
    first.errors.close()
    start, faults = time.monotonic(), [errors] if errors else []
    try:
        with Daemon(*address) as second:
            with Reader(second, START_SECONDS) as client:
                if not client.ask(LAB).json()["passed"]:
                    faults.append("after a kill: a right check did not pass")
            took = time.monotonic() - start
            faults += leave(visitors, seen)
    except (AssertionError, OSError, Broken) as error:
        return None, faults + ["after a kill: %s" % error]
    return took, faults + (["after a kill: %.1f s to the first answer" % took] if took > START_SECONDS else [])


def series(drains, kills, seed, results):
    """What one of the processes does."""
    draw, seen, port = random.Random(seed), collections.Counter(), low_port()
    done = {"drains": [], "kills": []}
    faults = []
    for name, count, one in (("drains", drains, drain), ("kills", kills, lambda *a: kill(port, *a))):
        for number in range(count):
            took, wrong = one(draw, seen)
            done[name].append(took)
            faults += ["%s %d of seed %s: %s" % (name[:-1], number, seed, what) for what in wrong]
    results.put((done, faults, seen))


def share(count, number):
    return count // AT_ONCE + (number < count % AT_ONCE)


def main():
    drains, kills, seed = (int(word) for word in (sys.argv[1:] + ["1000", "200", "1"][len(sys.argv) - 1 :]))
    results, start = multiprocessing.Queue(), time.monotonic()
    processes = [
        multiprocessing.Process(target=series, args=(share(drains, n), share(kills, n), seed * 100 + n, results))
        for n in range(AT_ONCE)
    ]
    for process in processes:
        process.start()
    faults, seen, times = [], collections.Counter(), {"drains": [], "kills": []}
    for _ in processes:
        done, wrong, counts = results.get()
        faults += wrong
        seen += counts
        for name, values in done.items():
            times[name] += values
    for process in processes:
        process.join()
    for name, values in times.items():
        good = [value for value in values if value is not None]
        if good:
            print("%d %s: median %.2f s, longest %.2f s" % (len(values), name, statistics.median(good), max(good)))
    print("seen:", ", ".join("%s %d" % (name, count) for name, count in sorted(seen.items(), key=str)))
    print("%d faults, in %.0f s" % (len(faults), time.monotonic() - start))
    for fault, count in collections.Counter(faults).most_common(20):
        print("  %s%s" % (fault, " (%d times)" % count if count > 1 else ""))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

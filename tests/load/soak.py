"""Mixed load for SOAK_MINUTES, by clients right and wrong, while memory, descriptors and threads are sampled once a second.

    python3 tests/load/soak.py [MINUTES [SEED]]

Writes build/soak/samples.csv and build/soak/plot.svg. Exits with 1, and says why, where a right check got a wrong verdict, an
answer was malformed, something grew between the middle and the last third, or did not come back to what it was when idle.
"""

import collections
import csv
import hashlib
import json
import os
import pathlib
import random
import socket
import statistics
import sys
import tempfile
import threading
import time

from traffic import MIB, Broken, Daemon, Malformed, Reader, descriptors, lab, memory, thread_count, training
from daemon import get, heavy_check, post, wait_until

OUT = pathlib.Path("build/soak")
SERVED_LEAST = 0.5  # of what can be done: the others found no room
CLIENTS, PLAIN = 12, 3  # the plain ones ask for what is answered at once, so that there are many requests
PAUSE = 0.02  # the longest between two requests of a client: the daemon is to have the other core

# What is sampled, in this order; by how much its level may grow from the middle third to the last; and by how much it may
# be above what it was before, once all are gone: a few requests' memory is kept for the next ones. A level is what nine
# tenths of the samples are above: what is there whatever is being asked.
SAMPLED = (("resident MiB", 16, 32), ("counted MiB", 4, 8), ("descriptors", 6, 0), ("threads", 0, 0))

TOKENS = {"check": b"student", "staff": b"teacher"}


def authorized(token):
    return b"Authorization: Bearer " + token + b"\r\n"


CHECK, STAFF = authorized(TOKENS["check"]), authorized(TOKENS["staff"])


class Crowd:
    """What all clients do, and what they have seen."""

    def __init__(self, daemon, seed):
        self.daemon, self.seed = daemon, seed
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.seen, self.faults = collections.Counter(), collections.Counter()
        self.asked = self.served = 0  # of requests that can be done, those that were
        self.right = [lab()] + [self.with_right_gradients(width, layers) for width, layers in ((4, 1), (30, 2), (90, 3))]
        self.wrong = [lab(right=False)] + [self.spoilt(body) for body in self.right[1:]]
        self.curve = self.ask_first(post(training(1000), "/v1/train", CHECK)).json()["loss"]

    def ask_first(self, data):
        with Reader(self.daemon) as client:
            client.send(data)
            answer = client.answer()
            assert answer.status == 200, answer.body
            return answer

    def with_right_gradients(self, width, layers):
        """A check with what the daemon itself says is right."""
        request = json.loads(heavy_check(width, layers, batch=20))
        answer = self.ask_first(post(json.dumps({**request, "reveal": True}).encode(), extra=STAFF))
        return json.dumps({**request, "gradients": answer.json()["reference"]}).encode()

    def spoilt(self, body):
        request = json.loads(body)
        request["gradients"]["W1"][0][0] += 0.1
        return json.dumps(request).encode()

    def fault(self, what):
        with self.lock:
            self.faults[what] += 1

    # Each takes a client and a random generator, and returns whether the connection can be used again.

    def expect(self, client, *statuses):
        answer = client.answer()
        with self.lock:
            self.seen[answer.status] += 1
            if 200 in statuses:
                self.asked += 1
                self.served += answer.status == 200
        if answer.status not in statuses:
            self.fault("status %d, not %s: %r" % (answer.status, statuses, answer.body[:200]))
        return answer

    def kept(self, answer):
        return answer.headers.get("connection", "").lower() != "close"

    def checks(self, client, draw, among, passed):
        body = among[0] if draw.random() < 0.8 else draw.choice(among)
        client.send(post(body, extra=CHECK))
        return self.verdict(client, passed)

    def verdict(self, client, passed):
        answer = self.expect(client, 200, 503)
        if answer.status == 200 and answer.json()["passed"] is not passed:
            self.fault("a check that is %s: passed is %s" % ("right" if passed else "wrong", not passed))
        return self.kept(answer)

    def right_check(self, client, draw):
        return self.checks(client, draw, self.right, True)

    def wrong_check(self, client, draw):
        return self.checks(client, draw, self.wrong, False)

    def large_pass(self, client, draw):
        client.send(post(heavy_check(draw.randrange(200, 600), batch=draw.randrange(1, 60), diagnose=False), extra=CHECK))
        return self.kept(self.expect(client, 200, 503))

    def train(self, client, draw):
        client.send(post(training(1000), "/v1/train", CHECK))
        answer = self.expect(client, 200, 503)
        if answer.status == 200 and answer.json()["loss"] != self.curve:
            self.fault("a training's curve is not the first one's")
        return self.kept(answer)

    def stream(self, client, draw):
        client.send(post(training(draw.randrange(1, 30000)), "/v1/train", CHECK + b"Accept: text/event-stream\r\n"))
        events = client.events()
        if events and events[-1] not in ("done", "error"):
            self.fault("a stream's last event is %s" % events[-1])
        return False

    def left_stream(self, client, draw):
        """A run belongs to its connection, and ends with it."""
        client.send(post(training(100000, 50), "/v1/train", CHECK + b"Accept: text/event-stream\r\n"))
        time.sleep(draw.uniform(0, 0.3))
        return False

    def malformed(self, client, draw):
        body = self.right[0]
        at = draw.randrange(len(body))
        choice = draw.randrange(3)
        if choice == 0:
            body = body[:at]
        elif choice == 1:
            body = body[:at] + bytes([draw.choice(b'{}[]",:\\\x00\xff')]) + body[at:]
        else:
            body = b"[" * draw.randrange(1, 5000)
        client.send(post(body, extra=CHECK))
        return self.kept(self.expect(client, 200, 400, 422))  # a letter more in a string may well be allowed

    def broken_framing(self, client, draw):
        client.send(
            draw.choice(
                (
                    b"GET\r\n\r\n",
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(60) + b"\r\n\r\n",
                    post(b"{}", extra=CHECK + b"Content-Length: 7\r\n"),
                    post(b"{}", extra=CHECK + b"Transfer-Encoding: chunked\r\n"),
                    post(b"zz\r\n", extra=CHECK).replace(b"Content-Length: 4", b"Transfer-Encoding: chunked"),
                    get("/healthz", b"X: " + b"x" * 200000 + b"\r\n"),
                    get("/healthz").replace(b"HTTP/1.1", b"HTTP/9.9"),
                )
            )
        )
        client.socket.shutdown(socket.SHUT_WR)
        while client.socket.recv(1 << 16):  # whatever it says, it says it and closes
            pass
        return False

    def half_body(self, client, draw):
        data = post(b"[" + b"0.125," * draw.choice((100, 100000)), extra=CHECK)
        client.send(data[: draw.randrange(1, len(data))])
        time.sleep(draw.uniform(0, 0.2))
        return False

    def aborted(self, client, draw):
        """Leaves with a reset while it is being worked on."""
        client.send(post(heavy_check(draw.randrange(100, 700)), extra=CHECK))
        time.sleep(draw.uniform(0, 0.05))
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return False

    def slow_reader(self, client, draw):
        with Reader(self.daemon, window=4096) as slow:
            slow.send(post(json.dumps({**json.loads(heavy_check(150)), "reveal": True}).encode(), extra=STAFF))
            for _ in range(draw.randrange(30)):
                time.sleep(0.02)
                slow.buffer += slow.socket.recv(2000)
            if draw.random() < 0.5:
                self.expect(slow, 200, 503)
        return True

    def wrong_token(self, client, draw):
        extra = draw.choice((b"", authorized(b"guessed"), b"Authorization: Basic eDp5\r\n"))
        client.send(post(b"{}", extra=extra))
        self.expect(client, 401)
        return False

    def forbidden(self, client, draw):
        client.send(post(json.dumps({**json.loads(self.right[0]), "reveal": True}).encode(), extra=CHECK))
        return self.kept(self.expect(client, 403))

    def huge(self, client, draw):
        client.send(post(heavy_check(draw.choice((10**7, 2**20, 2**31, 2**62)), layers=draw.randrange(1, 4)), extra=CHECK))
        return self.kept(self.expect(client, 400, 422))

    def light(self, client, draw):
        client.send(get(draw.choice(("/healthz", "/readyz", "/v1/capabilities", "/", "/openapi.json"))))
        return self.kept(self.expect(client, 200))

    def nothing_there(self, client, draw):
        client.send(get("/" + "x" * draw.randrange(1, 100)))
        return self.kept(self.expect(client, 404))

    def pipelined(self, client, draw):
        count = draw.randrange(2, 12)
        client.send(post(self.right[0], extra=CHECK) * count)
        return all([self.verdict(client, True) for _ in range(count)])

    WEIGHTS = {
        "right_check": 40, "wrong_check": 15, "light": 12, "large_pass": 2, "train": 2, "stream": 1, "left_stream": 1,
        "malformed": 8, "broken_framing": 4, "half_body": 4, "aborted": 2, "slow_reader": 1, "wrong_token": 4, "forbidden": 2,
        "huge": 2, "nothing_there": 4, "pipelined": 3,
    }
    AT_ONCE = ("light", "malformed", "nothing_there", "pipelined", "wrong_token")

    def one(self, number):
        """A client, from the beginning to the end."""
        draw, client = random.Random(self.seed * 1000 + number), None
        weights = {kind: self.WEIGHTS[kind] for kind in self.AT_ONCE} if number < PLAIN else self.WEIGHTS
        while not self.over.is_set():
            kind = draw.choices(list(weights), list(weights.values()))[0]
            kept = False
            try:
                client = client or Reader(self.daemon)
                kept = getattr(self, kind)(client, draw)
            except Malformed as error:
                self.fault("%s: %s" % (kind, error))
            except (Broken, OSError) as error:
                # A client that breaks off in the middle may be broken off, too; nobody else.
                if kind not in ("broken_framing", "half_body", "aborted", "slow_reader"):
                    self.fault("%s: %r" % (kind, error))
            except Exception as error:  # else this client would be missing to the end, unnoticed
                self.fault("%s: %r" % (kind, error))
            with self.lock:
                self.seen[kind] += 1
            if client is not None and (not kept or draw.random() < 0.05):
                client.socket.close()
                client = None
            time.sleep(draw.uniform(0, PAUSE))
        if client is not None:
            client.socket.close()


def counted(daemon):
    """MiB that the daemon counts for requests."""
    with Reader(daemon) as client:
        lines = client.ask(get("/metrics", STAFF)).body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("gradcheckd_memory_bytes ")) / MIB


def sample(daemon):
    files = descriptors(daemon)  # first: the next has a connection of its own
    return memory(daemon), counted(daemon), files, thread_count(daemon)


# ---- What is made of it ----


def level(values):
    return statistics.quantiles(values, n=10)[0]


def growths(samples):
    """What has grown, in words."""
    third = len(samples) // 3
    for column, (name, allowed, _) in enumerate(SAMPLED, 1):
        middle = level([row[column] for row in samples[third : 2 * third]])
        last = level([row[column] for row in samples[2 * third :]])
        print("%-13s level %.1f in the middle third, %.1f in the last; %g more are allowed" % (name, middle, last, allowed))
        if last > middle + allowed:
            yield "%s grow: %.1f in the middle third, %.1f in the last" % (name, middle, last)


def write_plot(samples):
    """A curve for each of what is sampled, one below the other."""
    width, height, left, step = 900, 130, 70, 170
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">'
             % (width + left + 20, step * len(SAMPLED) + 20),
             '<rect width="100%" height="100%" fill="white"/>']
    end = samples[-1][0] or 1
    for column, (name, *_) in enumerate(SAMPLED, 1):
        top, most = 30 + step * (column - 1), max(row[column] for row in samples) or 1
        points = " ".join("%.1f,%.1f" % (left + width * row[0] / end, top + height * (1 - row[column] / most)) for row in samples)
        lines += ['<text x="%d" y="%d">%s, over %.1f minutes</text>' % (left, top - 8, name, end / 60),
                  '<text x="%d" y="%d" text-anchor="end">%.4g</text>' % (left - 6, top + 10, most),
                  '<text x="%d" y="%d" text-anchor="end">0</text>' % (left - 6, top + height),
                  '<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#bbb"/>' % (left, top, width, height),
                  '<polyline points="%s" fill="none" stroke="#1b6ca8"/>' % points]
    (OUT / "plot.svg").write_text("\n".join(lines + ["</svg>"]) + "\n", encoding="ascii")


def write(samples):
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "samples.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seconds"] + [name for name, *_ in SAMPLED])
        writer.writerows([["%.1f" % row[0], "%.1f" % row[1], "%.3f" % row[2], row[3], row[4]] for row in samples])
    write_plot(samples)


def not_back(daemon, idle):
    """What is not as it was before, in words."""
    def far():
        return ["%s %.1f (%.1f)" % (name, value, before)
                for (name, _, allowed), value, before in zip(SAMPLED, sample(daemon), idle) if value > before + allowed]

    return [] if wait_until(lambda: far() == [], 15) else ["not as it was when idle: " + ", ".join(far())]


def soak(daemon, seconds, seed):
    """What was wrong."""
    counted(daemon)
    time.sleep(0.5)
    idle = sample(daemon)
    crowd, samples = Crowd(daemon, seed), []
    clients = [threading.Thread(target=crowd.one, args=(number,), daemon=True) for number in range(CLIENTS)]
    start = time.monotonic()
    for client in clients:
        client.start()
    while time.monotonic() - start < seconds and daemon.process.poll() is None:
        try:
            samples.append((time.monotonic() - start, *sample(daemon)))
        except (OSError, Broken) as error:
            crowd.fault("sampling: %r" % error)
        if len(samples) % 60 == 1:  # to be seen while it runs
            write(samples)
        time.sleep(max(0, start + len(samples) - time.monotonic()))
    crowd.over.set()
    for client in clients:
        client.join(90)
    write(samples)
    print("seen:", ", ".join("%s %d" % (name, count) for name, count in sorted(crowd.seen.items(), key=str)))
    wrong = ["%s (%d times)" % fault for fault in crowd.faults.most_common(20)]
    if daemon.process.poll() is not None:
        return wrong + ["the daemon has ended by itself"]
    if any(client.is_alive() for client in clients):
        wrong.append("a client still waits for its answer")
    print("done: %d of %d requests that can be" % (crowd.served, crowd.asked))
    if crowd.served < SERVED_LEAST * crowd.asked:
        wrong.append("only %d of %d requests that can be done were" % (crowd.served, crowd.asked))
    return wrong + list(growths(samples)) + not_back(daemon, idle)


def main():
    minutes, seed = (float(word) for word in (sys.argv[1:] + ["30", "1"][len(sys.argv) - 1 :]))
    with tempfile.NamedTemporaryFile("w", suffix=".tokens") as file:
        for role, token in TOKENS.items():
            file.write("%s %s %s\n" % (role, hashlib.sha256(token).hexdigest(), role))
        file.flush()
        daemon = Daemon("--threads", "2", "--tokens", file.name)
        try:
            wrong, used = soak(daemon, 60 * minutes, int(seed)), os.times()
        except BaseException:  # Ctrl-C, too: the daemon would stay
            daemon.process.kill()
            raise
        print("processor time of the clients: %.0f s" % (used.user + used.system))
        try:
            daemon.stop() if daemon.process.poll() is None else daemon.finish()
        except AssertionError as error:
            wrong.append("its end: %s" % error)
    for what in wrong:
        print("FAILED: " + what)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

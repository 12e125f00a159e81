"""What the daemon takes and gives under load: of $GRADCHECKD, and beside it of the program $BEFORE where that is set.

    python3 tests/load/figures.py [PART OF A NAME]...

Each figure is taken in a daemon of its own, in bounded time; what does not come in it is printed as "> N s". Nothing here
fails because something is slow or large.
"""

import collections
import multiprocessing
import os
import resource
import select
import socket
import statistics
import sys
import time

from traffic import MIB, Broken, Daemon, Malformed, Reader, lab, memory, processor_seconds, tall, training
import daemon as daemon_module
from daemon import get, heavy_check, post

LARGE_PASS = post(tall(27200, 1220))  # 219 KB, and as much memory as one check is granted
LARGE_BRIEF = post(tall(15800, 1220))  # just not too long for the worker that takes nothing long
LARGE_ANSWER = post(heavy_check(1000, batch=1, reveal=True, diagnose=False))  # 20 MB
LAB = post(lab())


def statuses(counts):
    return ", ".join("%s %d" % (name, count) for name, count in sorted(counts.items(), key=str))


def seconds(value):
    return "%.2f s" % value


def mib(value):
    return "%.0f MB" % value


def ask_all(daemon, requests, bound):
    """All at once, a connection each: (status, seconds) of each, "none" where the connection ended without an answer,
    "> N s" where none came in that time."""
    waiting, found, start = {}, [], time.monotonic()
    for data in requests:
        client = Reader(daemon, bound)
        client.send(data)
        waiting[client.socket] = client
    while waiting and time.monotonic() - start < bound:
        for one in select.select(list(waiting), [], [], 0.5)[0]:
            client = waiting.pop(one)
            try:
                status = client.answer().status
            except (Broken, Malformed, OSError):
                status = "none"
            found.append((status, time.monotonic() - start))
            one.close()
    for one in waiting:
        one.close()
    return found + [("> %d s" % bound, float(bound))] * len(waiting)


def counts_of(found):
    return statuses(collections.Counter(status for status, _ in found))


# ---- Memory ----


def one_small_request():
    with Daemon() as daemon:
        idle = memory(daemon)
        found = ask_all(daemon, [LARGE_PASS], 60)
        yield "one request of %d KB: most memory" % (len(LARGE_PASS) // 1000), mib(memory(daemon, "VmHWM"))
        yield "  status; seconds", "%s; %.1f" % (counts_of(found), found[0][1])
        yield from afterwards(daemon, idle)


def five_at_once():
    with Daemon() as daemon:
        idle = memory(daemon)
        found = ask_all(daemon, [LARGE_PASS, LARGE_BRIEF, LARGE_PASS, LARGE_BRIEF, LARGE_PASS], 60)
        yield "five such at once: most memory", mib(memory(daemon, "VmHWM"))
        yield "  by status; longest wait", "%s; %s" % (counts_of(found), seconds(max(took for _, took in found)))
        yield from afterwards(daemon, idle)


def unread_answers():
    with Daemon() as daemon:
        idle, clients, most = memory(daemon), [], 0
        for _ in range(40):
            clients.append(Reader(daemon, 60, window=4096))
            clients[-1].send(LARGE_ANSWER)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            most = max(most, memory(daemon))
            time.sleep(0.05)
        yield "40 answers of 20 MB that nobody reads: most", mib(most)
        yield "  after 15 s", mib(memory(daemon))
        for client in clients:
            client.socket.close()
        yield from afterwards(daemon, idle)


def afterwards(daemon, idle):
    time.sleep(5)
    yield "  idle before; 5 s after", "%.0f; %s" % (idle, mib(memory(daemon)))


def little_address_space():
    """As under `ulimit -v`: 400 MB more than it has when idle, and 72 requests of some 100 MB each."""
    with Daemon() as daemon:
        limit = int((memory(daemon, "VmSize") + 400) * MIB)
    daemon = Daemon(before=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    found = ask_all(daemon, [post(heavy_check(1300, batch=8))] * 72, 60)
    yield "72 heavy requests in 400 MB: by status", counts_of(found)
    yield "  longest wait", seconds(max(took for _, took in found)) if found else "-"
    alive = daemon.process.poll() is None
    if alive:
        time.sleep(2)
        used, start = processor_seconds(daemon), time.monotonic()
        time.sleep(3)
        yield "  of a core while idle afterwards", "%.0f %%" % (100 * (processor_seconds(daemon) - used) / (time.monotonic() - start))
    yield "  its end", ending(daemon)


def ending(daemon):
    """How it ends, and in how many seconds."""
    try:
        return "in order, %.2f s" % (daemon.stop() if daemon.process.poll() is None else daemon.finish())
    except AssertionError as error:
        return " ".join(str(error).split())[:60]


# ---- Turns ----


def greedy(daemon, data, count, ready):
    """Another process's clients, which ask again as soon as they are answered."""
    clients = {}
    for _ in range(count):
        client = Reader(daemon, 60)
        client.send(data)
        clients[client.socket] = client
    ready.set()
    while clients:
        for one in select.select(list(clients), [], [])[0]:
            try:
                clients[one].read()
                clients[one].send(data)
            except (Broken, OSError):
                del clients[one]


class beside:
    """A process that runs while the block does."""

    def __init__(self, work, *arguments):
        self.ready = multiprocessing.Event()
        self.process = multiprocessing.Process(target=work, args=(*arguments, self.ready), daemon=True)

    def __enter__(self):
        self.process.start()
        self.ready.wait(30)

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


def tries_of(daemon, data, count, bound):
    """Seconds of exchanges from an address of its own, one after the other, all of them within the bound."""
    tries, end = [], time.monotonic() + bound
    for _ in range(count):
        start = time.monotonic()
        if start > end:
            break
        try:
            with Reader(daemon, max(1, end - start), "127.0.0.2") as client:
                client.send(data)
                status = client.answer().status
        except socket.timeout:
            return tries, "> %d s" % bound
        if status == 200:
            tries.append(time.monotonic() - start)
    return tries, "none is answered"


def polite_beside_greedy():
    data = post(heavy_check(width=200, layers=3, batch=100))

    def told(tries, instead):
        return "%.2f s; %.2f s" % (statistics.median(tries), max(tries)) if tries else instead

    with Daemon() as daemon:
        yield "a heavy check alone: median; worst", told(*tries_of(daemon, data, 9, 30))
        with beside(greedy, daemon, data, 250):
            time.sleep(1)
            yield "  beside 250 greedy connections", told(*tries_of(daemon, data, 9, 30))


# ---- Throughput ----

SLOW = 500


def drip_heads(client, step):
    client.send((get("/healthz", b"X-Slow: " + b"x" * 10000))[step : step + 1])


def drip_bodies(client, step):
    client.send(post(b" " * 10000)[:-10000] if step == 0 else b" ")


def sip_answers(client, step):
    if step == 0:
        client.send(get("/openapi.json"))
    elif select.select([client.socket], [], [], 0)[0] and not client.socket.recv(100):
        raise ConnectionError("closed")


def slow_clients(daemon, act, ready):
    """Each does a little every fifth of a second; in a process of their own."""
    clients = [[Reader(daemon, 60, window=4096), 0] for _ in range(SLOW)]
    ready.set()
    while True:
        start = time.monotonic()
        for one in clients:
            try:
                act(*one)
                one[1] += 1
            except OSError:  # closed by the daemon
                one[0].socket.close()
                one[0], one[1] = Reader(daemon, 60, window=4096), 0
        time.sleep(max(0, start + 0.2 - time.monotonic()))


def checks_per_second(daemon, duration):
    """By four connections that have eight requests under way each, so that the daemon is what is measured, not this program."""
    depth = 8
    clients = {client.socket: client for client in (Reader(daemon, 30) for _ in range(4))}
    for client in clients.values():
        client.send(LAB * depth)
    done, start = 0, time.monotonic()
    while time.monotonic() - start < duration:
        for one in select.select(list(clients), [], [], duration)[0]:
            client = clients[one]
            client.buffer += one.recv(1 << 16)
            if client.buffer.count(b'"passed":true,"score"') == depth:
                done += depth
                client.buffer = b""
                client.send(LAB * depth)
    for one in clients:
        one.close()
    return done / duration


def throughput():
    """Alone and beside the slow ones by turns: what else this machine does changes from second to second."""
    with Daemon() as daemon:
        checks_per_second(daemon, 0.5)
        for name, act in (("heads", drip_heads), ("bodies", drip_bodies), ("answers", sip_answers)):
            alone, crowded = [], []
            for _ in range(3):
                alone.append(checks_per_second(daemon, 1.5))
                with beside(slow_clients, daemon, act):
                    time.sleep(0.5)
                    crowded.append(checks_per_second(daemon, 1.5))
            ratio = statistics.median(c / a for a, c in zip(alone, crowded))
            yield ("light checks beside %d clients with slow %s" % (SLOW, name),
                   "%.0f/s, alone %.0f: %.2f" % (statistics.median(crowded), statistics.median(alone), ratio))


# ---- Waiting ----


def stalled_uploads(bound=30):
    with Daemon() as daemon:
        clients = [Reader(daemon, 30) for _ in range(8)]
        for client in clients:
            head = post(b"").replace(b"Content-Length: 0", b"Content-Length: %d" % (64 * MIB))
            client.send(head + b" " * (64 * MIB - 1))
        yield "8 uploads that stop a byte before 64 MiB: memory", mib(memory(daemon))
        start, refused = time.monotonic(), 0
        body = post(b" " * (10 * MIB))
        told = "> %d s" % bound
        while time.monotonic() - start < bound:
            try:
                with Reader(daemon, bound) as client:
                    client.send(body)
                    status = client.answer().status
            except (Broken, OSError):
                status = 503
            if status != 503:
                told = seconds(time.monotonic() - start)
                break
            refused += 1
            time.sleep(0.5)
        yield "  a ninth of 10 MiB is answered after; refused", "%s; %d times" % (told, refused)
        for client in clients:
            client.socket.close()


def end_in_a_training():
    daemon = Daemon()
    with Reader(daemon, 60) as client:
        client.send(post(training(100000, 2000), "/v1/train"))
        time.sleep(1)
        yield "SIGTERM while a training runs: its end", ending(daemon)
        yield "  what its client gets", client.answer().status


# ---- The table ----

FIGURES = (one_small_request, five_at_once, unread_answers, little_address_space, polite_beside_greedy, throughput,
           stalled_uploads, end_in_a_training)


def taken(program, figure):
    """The rows of a figure. A daemon that fails in the middle is a result, too."""
    daemon_module.PROGRAM = program
    rows = []
    try:
        for row in figure():
            rows.append(row)
    except (AssertionError, Broken, Malformed, OSError) as error:
        rows.append(("  (%s)" % figure.__name__, " ".join(("failed: %s" % error).split())[:70]))
    return rows


def main():
    now, before = daemon_module.PROGRAM, os.environ.get("BEFORE")
    programs = [program for program in (before, now) if program]
    if before:
        print("%-54s %-34s %s" % ("", "before", "after"))
    for figure in FIGURES:
        if sys.argv[1:] and not any(word in figure.__name__ for word in sys.argv[1:]):
            continue
        columns = [taken(program, figure) for program in programs]
        names = list(dict.fromkeys(name for rows in columns for name, _ in rows))
        for name in names:
            values = [str(dict(rows).get(name, "-")) for rows in columns]
            print(("%-54s %s" % (name, "".join("%-34s" % value for value in values))).rstrip(), flush=True)


if __name__ == "__main__":
    main()

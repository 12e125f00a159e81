"""SIGTERM in the middle of it all: whoever got a connection and has asked gets a complete answer."""

import collections
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
import unittest

from daemon import Broken, Client, Daemon, endless_check, get, heavy_check, post, wait_until

LARGE = json.dumps({"network": {}, "ballast": [0.125] * 600000}).encode()  # about 4 MB, refused once it is read


class Hammer(threading.Thread):
    """A client that asks until it is refused, and counts what becomes of its requests."""

    def __init__(self, daemon, requests, keep_alive):
        super().__init__()
        self.target, self.requests, self.keep_alive = daemon, requests, keep_alive
        self.counts = collections.Counter()
        self.lost = []
        self.random = random.Random(len(requests[0]) + keep_alive)

    def run(self):
        retry = False
        while True:
            try:
                client = Client(self.target, 60)
            except ConnectionRefusedError:
                self.counts["refused"] += 1
                return
            except OSError:
                self.counts["connect timed out"] += 1
                return
            with client:
                retry = self.talk(client, retry)

    def talk(self, client, retry):
        """Asks on one connection. Returns whether a request has to be asked again, as HTTP clients do when a kept connection was
        closed before any byte of the answer came."""
        asked = 0
        while True:
            data, statuses = self.random.choice(self.requests)
            try:
                client.send(data)
                answer = client.read()
            except (Broken, OSError) as error:
                if asked > 0 and getattr(error, "received", 0) == 0:
                    self.counts["retried"] += 1
                    return True
                self.lost.append("%r after %d answers%s" % (error, asked, ", a retry" if retry else ""))
                return False
            asked += 1
            self.counts["answered"] += 1
            self.counts[answer.status] += 1
            if answer.status not in statuses:
                self.lost.append("%d %r" % (answer.status, answer.body[:200]))
            if answer.headers.get("connection") == "close":
                self.counts["told to close"] += 1
                return False
            if not self.keep_alive:
                return False


LIGHT = [(get("/healthz"), (200,)), (get("/readyz"), (200, 503)), (post(b"{}"), (400,)), (get("/nope"), (404,))]
HEAVY = [(post(heavy_check(width=150)), (200,))]
BULKY = [(post(LARGE), (400,))]


class DrainTest(unittest.TestCase):
    def drain(self, before=0.2, numbers=(signal.SIGTERM,)):
        daemon = Daemon("--threads", "2")
        threads = [Hammer(daemon, LIGHT, keep_alive) for keep_alive in (True, False) * 3]
        threads += [Hammer(daemon, HEAVY, True), Hammer(daemon, HEAVY, False)]
        threads += [Hammer(daemon, BULKY, True), Hammer(daemon, BULKY, False)]
        for thread in threads:
            thread.start()
        self.assertTrue(wait_until(lambda: all(thread.counts["answered"] > 1 for thread in threads), 60))
        time.sleep(before)
        for number in numbers:
            daemon.signal(number)
        took = daemon.finish()
        for thread in threads:
            thread.join(90)
        counts = sum((thread.counts for thread in threads), collections.Counter())
        if os.environ.get("VERBOSE"):
            print(dict(counts, seconds=round(took, 2)), file=sys.stderr)
        self.assertEqual([lost for thread in threads for lost in thread.lost], [])
        self.assertGreater(counts["answered"], len(threads))
        self.assertLess(took, 10)

    def test_nobody_is_lost(self):
        for i in range(5):
            self.drain(before=0.11 * i)

    def test_second_signal(self):
        """Whoever asks twice does not want to wait for what is in flight."""
        daemon = Daemon()
        with Client(daemon, 60) as client:
            client.send(post(endless_check()))
            self.assertTrue(wait_until(lambda: daemon.metrics()["gradcheckd_in_flight"] == 2))
            daemon.signal()
            daemon.signal(signal.SIGINT)
            with self.assertRaisesRegex(AssertionError, "exit status 1, standard error:\n$"):
                daemon.finish()

    def test_hangup(self):
        """It is asked to read its files anew, and goes on."""
        with Daemon() as daemon, Client(daemon) as client:
            daemon.signal(signal.SIGHUP)
            self.assertEqual(client.ask(get("/healthz")).status, 200)
            self.assertIsNone(daemon.process.poll())

    def test_interrupt(self):
        self.drain(numbers=(signal.SIGINT,))

    def test_idle(self):
        """Idle connections do not hold it up."""
        with Daemon() as daemon:
            kept = Client(daemon)
            self.assertEqual(kept.ask(get("/healthz")).status, 200)
            silent = Client(daemon)
            start = time.monotonic()
            daemon.signal()
            self.assertTrue(kept.is_closed())
            self.assertTrue(silent.is_closed())
            self.assertLess(time.monotonic() - start, 5)
            kept.socket.close()
            silent.socket.close()

    def test_clients_that_left(self):
        """Neither do connections whose clients have left, wherever in a request that was."""
        for data in (b"", b"G", get("/healthz")[:-2], post(b"{}")[:-1], post(b"x" * 100000)[:-1], get("/healthz")):
            daemon = Daemon()
            for _ in range(20):
                with Client(daemon) as client:
                    client.send(data)
            self.assertLess(daemon.stop(), 5)

    def wait_for_drain(self, watcher):
        """Until /readyz says so, or the connection is closed because the machine had the watcher pause between two questions."""
        deadline = time.monotonic() + 30
        with contextlib.suppress(Broken, ConnectionError):
            while watcher.ask(get("/readyz")).status == 200:
                self.assertLess(time.monotonic(), deadline)
        watcher.socket.close()

    def test_request_under_way(self):
        """What was begun before the signal is read and answered; the answer says that the connection closes."""
        with Daemon() as daemon:
            half, heavy, watcher = Client(daemon), Client(daemon, 60), Client(daemon)
            half.send(post(b"{}")[:-1])
            self.assertEqual(heavy.ask(get("/healthz")).status, 200)
            self.assertTrue(wait_until(lambda: daemon.metrics()["gradcheckd_in_flight"] == 2))
            os.kill(daemon.process.pid, signal.SIGSTOP)  # it will find the request and the signal together
            heavy.send(post(heavy_check(width=60, layers=3, diagnose=False)))  # a worker's, but no long work
            daemon.signal()
            os.kill(daemon.process.pid, signal.SIGCONT)
            self.wait_for_drain(watcher)
            answer = half.ask(b"}")
            self.assertEqual((answer.status, answer.headers["connection"]), (400, "close"))
            answer = heavy.read()  # it may have been answered before the signal was looked at: then it is closed all the same
            self.assertEqual((answer.status, answer.headers.get("connection", "close")), (200, "close"))
            self.assertTrue(heavy.is_closed())
            half.socket.close()
            heavy.socket.close()

    def test_waiting_in_the_kernel(self):
        """Connections that no thread has accepted yet when the signal comes."""
        with Daemon("--threads", "1") as daemon:
            os.kill(daemon.process.pid, signal.SIGSTOP)
            clients = [Client(daemon) for _ in range(50)]
            for client in clients:
                client.send(get("/healthz"))
            daemon.signal()
            os.kill(daemon.process.pid, signal.SIGCONT)
            for client in clients:
                self.assertEqual(client.read().status, 200)
                client.socket.close()

    def test_ready_while_draining(self):
        with Daemon() as daemon:
            client, early, watcher = Client(daemon), Client(daemon), Client(daemon)
            client.send(post(b"{}")[:-1])
            early.send(get("/readyz")[:-1])
            self.assertTrue(wait_until(lambda: daemon.metrics()["gradcheckd_in_flight"] >= 2))
            daemon.signal()
            self.wait_for_drain(watcher)
            answer = early.ask(b"\n")
            self.assertEqual((answer.status, answer.body), (503, b"draining\n"))
            self.assertEqual(client.ask(b"}").status, 400)
            client.socket.close()
            early.socket.close()

    def test_work_that_does_not_end(self):
        """It is cancelled in time; who then still waits gets a 503, or a broken connection where even that takes too long."""
        daemon = Daemon("--threads", "1")
        clients = [Client(daemon, 60) for _ in range(8)]
        for client in clients:
            client.send(post(endless_check()))
        self.assertTrue(wait_until(lambda: daemon.metrics()["gradcheckd_queue_length"] == 7))
        daemon.signal()
        self.assertLess(daemon.finish(), 10)
        statuses = []
        for client in clients:
            with client:
                try:
                    statuses.append(client.read().status)
                except Broken as broken:
                    statuses.append(broken.received)
        self.assertTrue(set(statuses) <= {200, 503, 0}, statuses)


if __name__ == "__main__":
    unittest.main()

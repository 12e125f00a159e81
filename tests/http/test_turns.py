"""Clients take turns: who asks for much waits behind himself."""

import select
import time
import unittest

from daemon import Client, DaemonTest, heavy_check, post, wait_until


def from_address(daemon, address):
    """A client with another address of loopback, as another machine would have."""
    client = Client.__new__(Client)
    client.socket = daemon.connect(60, address)
    client.buffer, client.received = b"", 0
    return client


class TurnsTest(DaemonTest):
    arguments = ("--threads", "2")
    environment = {"GRADCHECKD_TEST_DEADLINES": "30,30,600,600"}  # a slow build on a busy machine takes its time

    def answered(self, clients):
        """Those of them that have an answer by now."""
        ready = select.select([client.socket for client in clients], [], [], 0)[0]
        return [client for client in clients if client.socket in ready]

    def leave(self, clients):
        """Nobody waits for the rest, which is dropped."""
        for client in clients:
            client.socket.close()
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] == 1, 120))

    def test_a_polite_client(self):
        """Beside 250 requests of one client that of another is hardly behind those that are being worked on."""
        body = post(heavy_check(width=60, layers=3, batch=100, verify_reference=False))
        greedy = [self.client(600) for _ in range(250)]
        for client in greedy:
            client.send(body)
        time.sleep(0.05)
        polite = from_address(self.daemon, "127.0.0.2")
        with polite:
            for _ in range(3):
                before = len(self.answered(greedy))
                self.assertEqual(polite.ask(body).status, 200)
                self.assertLess(len(self.answered(greedy)) - before, 25)
        self.assertLessEqual({client.read().status for client in self.answered(greedy)}, {200})
        self.leave(greedy)

    def test_a_full_queue(self):
        """Where it is full, the last of who has most in it goes, and not who comes with little."""
        body = post(heavy_check(width=60, layers=3, batch=100))
        greedy = [self.client(600) for _ in range(320)]
        for client in greedy:
            client.send(body)
        with from_address(self.daemon, "127.0.0.2") as polite:
            self.assertEqual(polite.ask(body).status, 200)
        statuses = [client.read().status for client in self.answered(greedy)]
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertLessEqual(statuses.count(503), 70)
        self.leave(greedy)


class DisguiseTest(DaemonTest):
    """Ways to look like many clients, or to ask for more than one says."""

    arguments = ("--threads", "1", "--listen", "[::]:0", "--open")

    def waits_little(self, body):
        """Whether a polite client's check is done while most of a greedy one's forty still wait."""
        polite = post(heavy_check(width=60, layers=3, batch=100))
        greedy = [from_address(self.daemon, "127.0.0.1") for _ in range(40)]
        for client in greedy:
            self.addCleanup(client.socket.close)
            client.send(body)
        time.sleep(0.05)
        with from_address(self.daemon, "127.0.0.2") as client:
            for _ in range(3):
                self.assertEqual(client.ask(polite).status, 200)
        done = len(select.select([client.socket for client in greedy], [], [], 0)[0])
        self.assertLess(done, 25)

    def test_addresses_of_the_old_kind(self):
        """On a socket of IPv6, too, clients of IPv4 are told apart."""
        self.waits_little(post(heavy_check(width=60, layers=3, batch=100)))

    def test_a_body_made_large(self):
        """What it takes is found out late, and charged all the same."""
        self.waits_little(post(heavy_check(width=60, layers=3, batch=100) + b" " * 70000))


if __name__ == "__main__":
    unittest.main()

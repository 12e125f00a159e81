"""Clients take turns: who asks for much waits behind himself."""

import select
import socket
import time
import unittest

from daemon import Client, DaemonTest, heavy_check, post, wait_until


def from_address(daemon, address):
    """A client with another address of loopback, as another machine would have."""
    client = Client.__new__(Client)
    client.socket = socket.create_connection((daemon.host, daemon.port), timeout=600, source_address=(address, 0))
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


if __name__ == "__main__":
    unittest.main()

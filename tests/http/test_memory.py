"""What all requests take together has a limit, and what they took is given back."""

import resource
import subprocess
import threading
import time
import unittest

from daemon import PROGRAM, Client, Daemon, get, heavy_check, post, wait_until

MIB = 1 << 20


def resident(daemon, kind="VmRSS"):
    """MiB of the process; None where a sanitizer keeps memory of its own."""
    with open("/proc/%d/status" % daemon.process.pid, encoding="ascii") as file:
        values = {line.split(":")[0]: line.split()[1] for line in file if line.startswith("Vm")}
    return int(values[kind]) / 1024 if int(values["VmSize"]) < 1 << 30 else None


class MemoryTest(unittest.TestCase):
    def ask_at_once(self, daemon, body, count):
        answers, most = [], [0]

        def ask():
            with Client(daemon, 120) as client:
                answers.append(client.ask(post(body)))

        def watch():
            while any(thread.is_alive() for thread in threads):
                most[0] = max(most[0], daemon.metrics()["gradcheckd_memory_bytes"])
                time.sleep(0.005)

        threads = [threading.Thread(target=ask) for _ in range(count)]
        for thread in threads:
            thread.start()
        watch()
        for thread in threads:
            thread.join()
        return answers, most[0]

    def test_all_together(self):
        """Each takes a third of what there is, and eight workers would take them all at once."""
        with Daemon("--threads", "8", "--max-memory", "192MiB") as daemon:
            answers, most = self.ask_at_once(daemon, heavy_check(width=1200, batch=8), 16)
            self.assertLessEqual(most, 192 * MIB)
            for answer in answers:
                if answer.status == 200:
                    continue
                self.assertEqual((answer.status, answer.json()["code"]), (503, "out_of_memory"))
                self.assertEqual(answer.headers["retry-after"], "1")
            self.assertIn(200, [answer.status for answer in answers])
            self.assertTrue(wait_until(lambda: daemon.metrics()["gradcheckd_memory_bytes"] < 8 * MIB))
            with Client(daemon, 120) as client:
                self.assertEqual(client.ask(post(heavy_check(width=1200, batch=8))).status, 200)

    def test_one_that_never_fits(self):
        """It is told so, and not to try again."""
        with Daemon("--max-memory", "64MiB") as daemon, Client(daemon) as client:
            answer = client.ask(post(heavy_check(width=2000, batch=8)))
            self.assertEqual((answer.status, answer.json()["code"]), (422, "too_much_work"))

    def test_bodies_count(self):
        with Daemon("--max-memory", "64MiB", "--max-body", "64MiB") as daemon:
            clients = [Client(daemon, 60) for _ in range(6)]
            for client in clients:
                client.send(post(b" " * (15 * MIB))[: -MIB])
            answers = []
            for client in clients:
                client.send(b" " * MIB)
                answers.append(client.read())
                client.socket.close()
            codes = {(answer.status, answer.json()["code"]) for answer in answers}
            self.assertLessEqual(codes, {(400, "malformed_json"), (422, "too_much_work"), (503, "out_of_memory"), (503, "overloaded")})
            self.assertIn(503, {status for status, _ in codes})

    def test_given_back(self):
        with Daemon("--threads", "4") as daemon:
            with Client(daemon) as client:
                client.ask(get("/healthz"))
            idle = resident(daemon)
            answers, _ = self.ask_at_once(daemon, heavy_check(width=1000, batch=8), 8)
            self.assertEqual({answer.status for answer in answers}, {200})
            if idle is not None:
                self.assertTrue(wait_until(lambda: resident(daemon) < idle + 32), "%s MiB" % resident(daemon))


class BuffersTest(unittest.TestCase):
    def test_no_room_for_them(self):
        """OpenBLAS would ask for its buffers for ever: a daemon that cannot have them says so, and does not start."""
        limit = 700 << 20
        with Daemon() as daemon:
            if resident(daemon) is None:
                self.skipTest("a sanitizer needs more than that")
        result = subprocess.run(
            [PROGRAM, "--listen", "127.0.0.1:0", "--threads", "4"], capture_output=True, text=True, timeout=30,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("buffers", result.stderr)


if __name__ == "__main__":
    unittest.main()

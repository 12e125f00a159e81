"""POST /v1/check with application/x-ndjson: a check a line, an answer a line, in their order, with what all share computed once."""

import json
import os
import socket
import time

from daemon import Client, Daemon, DaemonTest, get, heavy_check, post, wait_until

KIND = b"application/x-ndjson"
LAB = {
    "network": {
        "input": 2,
        "layers": [
            {"type": "linear", "out_features": 3},
            {"type": "relu"},
            {"type": "linear", "out_features": 2},
            {"type": "relu"},
            {"type": "linear", "out_features": 1},
            {"type": "sigmoid"},
        ],
        "loss": "mse",
    },
    "parameters": {"init": {"scheme": "he_normal", "seed": 42, "generator": "numpy"}},
    "data": {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]},
}
PROGRAM = {
    "program": "h = np.tanh(x @ W)\nloss = np.mean((h - y)**2)",
    "parameters": {"W": [[1, 2], [3, 4]]},
    "data": {"x": [[0.5, 0.1], [0.2, 0.3]], "y": [[0, 1], [1, 0]]},
}


def body(*lines):
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()


class ClassTest(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with Client(cls.daemon) as client:
            asked = dict(LAB, reveal=True, gradients={"b1": 0}, points={"x": 1})
            cls.right = client.ask(post(json.dumps(asked).encode())).json()["reference"]
        cls.inputs = cls.right.pop("x")

    def ask(self, *lines, query="", extra=b""):
        return self.client(60).ask(post(body(*lines), path="/v1/check" + query, kind=KIND, extra=extra))

    def lines(self, *lines):
        answer = self.ask(*lines)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, KIND.decode()), answer.body)
        self.assertTrue(answer.body.endswith(b"\n"))
        return [json.loads(line) for line in answer.body.splitlines()]

    def single(self, asked):
        return self.client(60).ask(post(json.dumps(asked).encode())).json()

    def test_each_line_as_if_alone(self):
        """With what is shared or without, the report of a line is that of the same check alone, with its id."""
        flipped = dict(self.right, W1=[[-v for v in row] for row in self.right["W1"]])
        gradients = [
            self.right,
            flipped,
            dict(self.right, b3=[7.5]),
            dict(self.right, extra=1),
            dict(self.right, dx=self.inputs),
            dict(self.right, dx=[[0, 0]] * 4),
            {"W1": None},
            {"W1": self.right["W1"]},
        ]
        for base in (LAB, dict(LAB, points={"W1": 2}, tolerance={"atol": 1e-6}), dict(LAB, verify_reference=True), dict(LAB, reveal=True)):
            expected = [dict(self.single(dict(base, gradients=g)), id=i) for i, g in enumerate(gradients)]
            shared = self.lines({"common": base}, *({"id": i, "gradients": g} for i, g in enumerate(gradients)))
            alone = self.lines(*(dict(base, id=i, gradients=g) for i, g in enumerate(gradients)))
            self.assertEqual(shared, expected)
            self.assertEqual(alone, expected)

    def test_what_stands_in_common(self):
        """Values on the way may be shared, too; an id is JSON, and there is one; a mark before the first line is passed over."""
        common = dict(LAB, intermediates={"y_hat": [[0]] * 4})
        lines = self.lines({"common": common}, {"gradients": self.right}, {"gradients": self.right, "intermediates": {"z1": [[0, 0, 0]] * 4}})
        alone = self.single(dict(common, gradients=self.right))
        self.assertEqual(lines[0], alone)
        self.assertEqual([i["name"] for i in lines[1]["intermediates"]], ["z1"])
        answer = self.ask("\ufeff" + json.dumps({"common": LAB}), '{"id":-Infinity,"gradients":{}}', '{"id":1,"id":2,"gradients":{}}', '{"id":-5,"gradients":{"b1":0}}')
        lines = [json.loads(line) for line in answer.body.splitlines()]
        self.assertEqual([(line.get("id"), line.get("code")) for line in lines], [(None, "wrong_type"), (None, "malformed_json"), (-5, None)])
        malformed = self.lines({"common": {"data": LAB["data"]}}, '{"id":3,"parameters":{"w":1},"gradients":{"w":2,,}}')[0]
        self.assertEqual((malformed["line"], malformed["column"], malformed["pointer"]), (2, 49, "/gradients"))

    def test_slow_lines(self):
        """They are answered as they are done, each with time of its own."""
        slow = "s = 0.0\nfor i in range(20000):\n    s = s + 1.0\ndh = 2 * (h - y) / h.size\ndW = x.T @ (dh * (1 - h**2))"
        client = self.client(60)
        client.send(post(body({"common": PROGRAM}, *({"id": i, "backward": slow} for i in range(40))), kind=KIND))
        first = client.socket.recv(1 << 16)
        self.assertNotIn(b'"id":39', first)
        rest = b""
        while b"\r\n0\r\n\r\n" not in rest[-16:]:
            rest += client.socket.recv(1 << 16)
        self.assertEqual((first + rest).count(b'"passed":true,"score":1'), 40)

    def test_programs_and_code(self):
        lines = self.lines(
            {"common": PROGRAM},
            {"id": "numbers", "gradients": {"dW": [[0, 0], [0, 0]], "h": [[0, 0], [0, 0]]}},
            {"id": "code", "backward": "dh = 2 * (h - y) / h.size\ndW = x.T @ (dh * (1 - h**2))"},
            {"id": "wrong", "backward": "dh = 2 * (h - y) / h.size\ndW = x.T @ (dh * (1 - h))"},
            {"id": "traced", "gradients": {"dW": [[0, 0], [0, 0]]}, "trace": True},
        )
        self.assertEqual([(line["id"], line["passed"]) for line in lines], [("numbers", False), ("code", True), ("wrong", False), ("traced", False)])
        self.assertEqual([p["name"] for p in lines[0]["parameters"]], ["W", "h"])
        self.assertEqual([line["mark"] for line in lines[2]["lines"]], ["right", "wrong"])
        self.assertIn("trace", lines[3])

    def test_a_line_has_its_own_say(self):
        """What a line says itself counts, not what is shared."""
        other = {"init": {"scheme": "he_normal", "seed": 1, "generator": "numpy"}}
        lines = self.lines(
            {"common": dict(LAB, tolerance={"atol": 1})},
            {"gradients": dict(self.right, b3=[0])},
            {"gradients": dict(self.right, b3=[0]), "tolerance": "auto"},
            {"gradients": self.right, "parameters": other},
        )
        self.assertEqual([line["passed"] for line in lines], [True, False, True])
        self.assertNotEqual(lines[0]["loss"], lines[2]["loss"])

    def test_bad_lines(self):
        """They get a problem with their line, and their id where it can be read; the others go on."""
        lines = self.lines(
            {"common": LAB},
            {"id": 1, "gradients": self.right},
            "",
            "   \t",
            '{"id": 2, "gradients": {"W1": [1, 2',
            "[1]",
            "nothing",
            {"id": [3], "gradients": self.right},
            {"id": "x" * 300, "gradients": self.right},
            {"id": "four"},
            {"id": 5, "gradients": self.right, "tolerance": {"atol": -1}},
            {"id": 6, "gradients": self.right, "common": {}},
            {"id": 7, "gradients": self.right, "reveal": "yes"},
            '{"id": 8, "id": 9, "gradients": {}}',
            {"id": 10, "gradients": self.right},
        )
        found = [(line.get("id"), line.get("line"), line.get("code"), line.get("pointer")) for line in lines]
        self.assertEqual(
            found,
            [
                (1, None, None, None),
                (2, 5, "malformed_json", "/gradients/W1"),
                (None, 6, "wrong_type", ""),
                (None, 7, "malformed_json", ""),
                (None, 8, "wrong_type", "/id"),
                (None, 9, "wrong_type", "/id"),
                ("four", 10, "missing_member", "/gradients"),
                (5, 11, "out_of_range", "/tolerance/atol"),
                (6, 12, "unknown_member", "/common"),
                (7, 13, "wrong_type", "/reveal"),
                (None, 14, "malformed_json", "/id"),
                (10, None, None, None),
            ],
        )
        for line in lines[1:-1]:
            self.assertEqual((line["status"], line["type"]), (400, "about:blank"))
            self.assertTrue(line["title"] and line["detail"])

    def test_what_is_shared_is_wrong(self):
        """Then nothing can be graded: one problem, which points into it."""
        for shared, code, pointer in (
            (dict(LAB, network={"input": 2, "layers": [{"type": "liner"}], "loss": "mse"}), "unknown_layer", "/common/network/layers/0/type"),
            (dict(LAB, nothing=1), "unknown_member", "/common/nothing"),
            (dict(LAB, data={"x": [[0]], "y": [[0]]}), "shape_mismatch", "/common/data/x"),
            (dict(LAB, gradients={}), "unknown_member", "/common/gradients"),
            (dict(LAB, id=1), "unknown_member", "/common/id"),
            ([1], "wrong_type", "/common"),
        ):
            with self.subTest(code, pointer=pointer):
                problem = self.assertProblem(self.ask({"common": shared}, {"gradients": self.right}), 400, code)
                self.assertEqual(problem["pointer"], pointer)
        self.assertProblem(self.ask({"common": LAB, "id": 1}, {"gradients": self.right}), 400, "unknown_member")
        self.assertProblem(self.ask("", ""), 400, "malformed_json")
        self.assertProblem(self.ask({"gradients": {}}, query="?format=text"), 400, "out_of_range")
        self.assertProblem(self.ask({"gradients": {}}, query="?strict=1"), 400, "out_of_range")
        self.assertEqual(self.ask({"common": LAB}).body, b"")

    def test_many_lines_in_order(self):
        """Some right, some wrong, some no JSON; more than is judged or sent at once."""
        n = 5000
        wrong = dict(self.right, b3=[self.right["b3"][0] * 2])
        asked = [{"common": dict(LAB, diagnose=False)}]
        for i in range(n):
            asked.append('{"id": %d, ' % i if i % 7 == 3 else {"id": i, "gradients": wrong if i % 7 == 5 else self.right})
        lines = self.lines(*asked)
        self.assertEqual([line["id"] for line in lines], list(range(n)))
        self.assertEqual([line.get("code") for line in lines], ["malformed_json" if i % 7 == 3 else None for i in range(n)])
        self.assertEqual([line.get("passed") for line in lines], [None if i % 7 == 3 else i % 7 != 5 for i in range(n)])

    def test_a_long_line(self):
        """One of some MiB between small ones."""
        lines = self.lines({"common": LAB}, {"id": 1, "gradients": self.right}, {"id": 2, "gradients": {"W1": [0.125] * 1000000}}, {"id": 3, "gradients": self.right})
        self.assertEqual([(line["id"], line["passed"]) for line in lines], [(1, True), (2, False), (3, True)])
        self.assertEqual(lines[1]["parameters"][0]["status"], "shape_mismatch")

    def test_counters(self):
        before = self.daemon.metrics()
        self.lines({"common": LAB}, {"gradients": self.right}, {"gradients": {"b1": 0}})
        after = self.daemon.metrics()
        for result in ("passed", "failed"):
            name = 'gradcheckd_checks_total{result="%s"}' % result
            self.assertEqual(after[name] - before[name], 1)


class SlowReaderTest(DaemonTest):
    """Who does not take the answers keeps neither a worker nor much memory."""

    arguments = ("--threads", "2")

    def test_who_stops_reading(self):
        shared = dict(LAB, diagnose=False)
        lines = [{"common": shared}] + [{"id": i, "gradients": {"b1": 0}} for i in range(60000)]
        asked = post(body(*lines), kind=KIND)
        readers = [Client(self.daemon, 120) for _ in range(4)]
        for reader in readers:
            reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            reader.send(asked)
        with Client(self.daemon, 60) as other:  # a worker's
            answer = other.ask(post(heavy_check(width=60, layers=3, diagnose=False)))
            self.assertEqual(answer.status, 200)
            held = self.daemon.metrics()["gradcheckd_memory_bytes"]
            self.assertLess(held, 4 * (len(asked) * 2 + (8 << 20)))
        for i, reader in enumerate(readers):
            if i % 2 == 0:
                reader.socket.close()  # gone in the middle of its answer
                continue
            answer = reader.read()
            ids = [json.loads(line)["id"] for line in answer.body.splitlines()]
            self.assertEqual(ids, list(range(60000)))
            reader.socket.close()
        self.assertTrue(wait_until(lambda: self.daemon.metrics()["gradcheckd_in_flight"] == 1))


class DrainTest(DaemonTest):
    def test_the_end(self):
        """At the end of the daemon what is not judged is told, or the connection breaks; what was sent is whole lines."""
        daemon = Daemon()
        slow = {"common": json.loads(heavy_check(width=100, layers=4, batch=100, diagnose=False))}
        gradients = slow["common"].pop("gradients")
        parameters = slow["common"].pop("parameters")
        client = Client(daemon, 60)
        client.send(post(body(slow, *({"id": i, "gradients": gradients, "parameters": parameters} for i in range(20000))), kind=KIND))
        self.assertTrue(wait_until(lambda: client.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) if self.readable(client) else b""))
        daemon.signal()
        raw = b""
        while True:
            try:
                piece = client.socket.recv(1 << 16)
            except ConnectionError:
                break
            if not piece:
                break
            raw += piece
        client.socket.close()
        daemon.finish()
        lines = [json.loads(line) for line in self.unchunk(raw).split(b"\n")[:-1]]
        if "id" not in lines[-1]:
            end = lines.pop()
            self.assertEqual((end["code"], end["line"]), ("cancelled", len(lines) + 2))
        self.assertEqual([line["id"] for line in lines], list(range(len(lines))))
        self.assertTrue(0 < len(lines) < 20000, len(lines))

    def unchunk(self, raw):
        """As much of the body as came."""
        body, rest = b"", raw.partition(b"\r\n\r\n")[2]
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return body

    def readable(self, client):
        client.socket.setblocking(False)
        try:
            return bool(client.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            client.socket.settimeout(60)


class RolesTest(DaemonTest):
    """Who may not see the reference does not see it here."""

    arguments = ("--no-reveal",)

    def test_reveal(self):
        client = self.client()
        answer = client.ask(post(body({"common": dict(LAB, reveal=True)}, {"gradients": {"b1": 0}}), kind=KIND))
        self.assertProblem(answer, 403, "reveal_refused")
        answer = client.ask(post(body({"common": LAB}, {"gradients": {"b1": 0}, "reveal": True}, {"gradients": {"b1": 0}, "id": 1}), kind=KIND))
        lines = [json.loads(line) for line in answer.body.splitlines()]
        self.assertEqual([line.get("status") for line in lines], [403, None])
        self.assertNotIn(b"reference", answer.body.replace(b"the reference", b""))

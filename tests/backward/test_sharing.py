"""Arrays with several names, and parts of them, in a student's code: what is written where is what NumPy makes of it."""

import json
import unittest

from daemon import DaemonTest, post
from test_answers import CODE, PROGRAM

# What is put behind right code, and which of the gradients NumPy has changed then.
AFTER = (
    ("t = dW1\nt *= 0", "W1"),
    ("t = dW1\nt[0] = 5", "W1"),
    ("t = dW1\nt *= 2\nt /= 2", ""),
    ("t = dW1\nt *= 2\ndW1 /= 2", ""),
    ("t = dW1\nt = t * 2", ""),
    ("t = dW1\ndW1 = dW1 * 1\nt *= 0", ""),
    ("a = b = dW1\nb += 1\na -= 1", ""),
    ("for g in [dW1, db1]:\n    g *= 2", "W1 b1"),
    ("for g in [dW1, db1, dW2, db2]:\n    np.clip(g, -5, 5, out=g)", ""),
    ("for g in [dW1]:\n    np.clip(g, -0.01, 0.01, out=g)", "W1"),
    ("for row in dW1:\n    row *= 2", "W1"),
    ("def acc(g, v):\n    g += v\nacc(dW1, 1)", "W1"),
    ("def acc(dW1, v):\n    dW1 += v\nacc(dW1, 1)", "W1"),
    ("def acc(g, v):\n    g = g + v\nacc(dW1, 1)", ""),
    ("c = {'a': dW1}\nc['a'] *= 4", "W1"),
    ("c = {'a': dW1}\nc['a'][0] *= 4", "W1"),
    ("c = {'a': dW1}\nc['a'] = c['a'] * 4", ""),
    ("c = (dW1, db1)\nc[0][0] = 4", "W1"),
    ("c = [dW1]\nc.append(db1)\nc[1] *= 3", "b1"),
    # views
    ("t = dW1[0]\nt *= 2", "W1"),
    ("t = dW1[:, :]\nt *= 3", "W1"),
    ("t = dW1[::-1, 1:]\nt[0, 0] = 3", "W1"),
    ("v = dW1[0]\nw = v[1:]\nw[0] = 9", "W1"),
    ("v = dW1[0]\nw = dW1[:, 0]\nv *= 2\nw /= 4\ndW1[0] /= 2\ndW1[:, 0] *= 4", ""),
    ("v = dW1[0]\ndW1 *= 1\nv *= 3", "W1"),
    ("v = dW1[0]\ndW1 = dW1 * 1\nv *= 3", ""),
    ("v = dW1[0]\nu = v * 1\ndW1 *= 2\ndW1[0] = u\ndW1[1] /= 2", ""),
    ("v = dW1[0]\ndW1[0] = 7\ndW1[0] = v", "W1"),
    ("t = dW1.T\nt[0] = 5", "W1"),
    ("t = dW1.reshape(-1)\nt[0] = 5", "W1"),
    ("t = db1.ravel()\nt[0] = 5", "b1"),
    ("t = db1[None]\nt[0] = 5", "b1"),
    ("dW1.T[0] += 7", "W1"),
    ("dW1.reshape(-1)[0] = 7", "W1"),
    ("dW1[0][1] = 7", "W1"),
    ("dW1[:][0] = 5", "W1"),
    ("dW1[...][0] = 5", "W1"),
    ("dW1[0:2].fill(0)", "W1"),
    ("np.clip(dW1[:], 0, 0, out=dW1[:])", "W1"),
    ("c = {'a': dW1}\nc['a'][:][0] = 4", "W1"),
    ("def f():\n    dW1[1] = 7\n    return 0\ndW1[f()] = dW1[0]", "W1"),
    ("for i in range(100):\n    t = dW1\n    u = dW1\nt *= 2", "W1"),
    ("t = np.zeros(9)\nt[:6] = dW1.ravel()\ndW1 = t[:6].reshape(2, 3)\nt *= 2", "W1"),
    ("t = np.zeros(9)\ndW1, t[:6] = t[:6].reshape(2, 3), dW1.ravel()\nt[6:] = 4", ""),
    ("dW1 = np.zeros((2, 3), int)\nr = dW1[0]\nr[:] = 0.5", "W1"),
    ("dW1 = np.ones(6, int).reshape(2, 3)\ndW1[:] = 0.5", "W1"),
    ("np.add.at(dW1[0], [0], 4)", "W1"),
    ("t = dW1[:, 0].reshape(2, 1)\nt *= 2", "W1"),
    ("t = dW1.T[::-1][:2].reshape(2, 1, 2)\nt *= 2", "W1"),
    ("t = dW1[1:][:, ::-1].T[1:]\nt *= 2", "W1"),
    ("t = dW1.T.ravel('F')\nt *= 2", "W1"),
    ("t = np.transpose(dW1, (1, 0))\nt *= 2", "W1"),
    ("a, b, t = np.split(dW1, 3, axis=1)\nt *= 2", "W1"),
    ("t = np.flip(dW1, 0)\nt[0] = 9", "W1"),
    ("t = np.squeeze(dW1[:, 1:2])\nt *= 2", "W1"),
    ("dW1[:, 0].reshape(-1)[0] = 9", "W1"),
    ("c = {'a': dW1}\nc.get('a')[0] = 0", "W1"),
    ("c = [dW1].copy()\nc[0] *= 2", "W1"),
    ("t = np.add(dW1, 1, out=dW1)\nt -= 1", ""),
    ("a = dW1.reshape(3, 2)\nb = dW1.T\na[0] += 1\nb[0] += 1\nb[0] -= 1\na[0] -= 1", ""),
    # copies
    ("t = dW1.T.reshape(2, 3)\nt *= 2", ""),
    ("t = dW1.ravel(order='F')\nt *= 2", ""),
    ("dW1[[0, 1]][0] = 5", ""),
    ("dW1[dW1 > -9][0] = 5", ""),
    ("dW1[[0]].fill(2)", ""),
    ("t = dW1.copy()\nt *= 0", ""),
    ("t = dW1 + 0\nt *= 0", ""),
    ("t = +dW1\nt *= 0", ""),
    ("t = np.array(dW1)\nt *= 0", ""),
    ("t = db1.flatten()\nt[0] = 5", ""),
    ("t = dW1.T.ravel()\nt[0] = 5", ""),
    ("t = dW1.astype(float)\nt *= 3", ""),
    ("t = dW1[[0, 1]]\nt *= 3", ""),
    ("t = dW1[dW1 > -100]\nt *= 3", ""),
    ("t = np.concatenate([dW1])\nt *= 3", ""),
    ("t = dW1[:]\nt = t[[1, 0]]\nt *= 3", ""),
)

# Right code that builds a gradient through another name of it, or a part of it.
WITHIN = (
    ("dW1 = X.T @ dz1", "dW1 = np.zeros((2, 3))\nfor i in range(2):\n    r = dW1[i]\n    r += X[:, i] @ dz1"),
    ("dW1 = X.T @ dz1", "dW1 = np.zeros((2, 3))\nfor i in range(2):\n    r = dW1[i]\n    for j in range(3):\n        r[j] = X[:, i] @ dz1[:, j]"),
    ("dW1 = X.T @ dz1", "dW1 = np.zeros((2, 3))\ndef acc(g, v):\n    g += v\nfor n in range(4):\n    acc(dW1, np.outer(X[n], dz1[n]))"),
    ("dW1 = X.T @ dz1", "dW1 = np.zeros((2, 3))\nt = dW1\nfor n in range(4):\n    t += np.outer(X[n], dz1[n])"),
    ("dW1 = X.T @ dz1", "dW1 = np.zeros((2, 3))\ndW1[:][0] = X[:, 0] @ dz1\ndW1[:][1] = X[:, 1] @ dz1"),
    ("dW1 = X.T @ dz1", "grads = {'W1': np.zeros((2, 3))}\nfor k, g in grads.items():\n    g += X.T @ dz1"),
    ("dz2 = dp * p * (1 - p)", "dz2 = dp\ndz2 *= p * (1 - p)"),
    ("dz1 = dh1 * (1 - h1**2)", "dz1 = dh1[:]\ndz1 *= 1 - h1**2"),
    ("dp = 2 * (p - y) / len(y)", "d = p - y\ndp = d\ndp *= 2\nd /= len(y)"),
)


class SharingTest(DaemonTest):
    def check(self, code):
        answer = self.client().ask(post(json.dumps(dict(PROGRAM, backward=code)).encode()))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def wrong(self, report):
        return {line["line"]: line["message"] for line in report["lines"] if line["mark"] in ("wrong", "fault")}

    def test_what_is_written_behind(self):
        for after, changed in AFTER:
            with self.subTest(after):
                report = self.check(CODE + after)
                self.assertEqual(" ".join(p["name"] for p in report["parameters"] if not p["passed"]), changed)
                last = CODE.count("\n") + after.count("\n") + 1
                wrong = self.wrong(report)
                self.assertEqual(bool(wrong), bool(changed), wrong)
                if changed:
                    self.assertLessEqual(CODE.count("\n") + 1, max(wrong))
                    self.assertLessEqual(max(wrong), last)
                    made = {line for line in wrong if line <= CODE.count("\n")}  # by lines that are judged as one with it
                    self.assertEqual(made - {7, 8}, set(), wrong)
                    self.assertTrue(all("judged as one" in wrong[line] for line in made), wrong)

    def test_what_is_built_so(self):
        for old, new in WITHIN:
            with self.subTest(new):
                report = self.check(CODE.replace(old, new))
                self.assertTrue(report["passed"], report["parameters"])
                self.assertEqual({line["mark"] for line in report["lines"]} - {"right", "unused"}, set())

    def test_what_is_lost_is_so_under_each_name(self):
        for after in ("t = dW1\nt *= foo", "t = dW1\nt[0] = foo", "t = dW1[0]\nt += foo", "c = {'a': dW1}\nc['a'][0] = foo"):
            with self.subTest(after):
                report = self.check(CODE + after)
                self.assertEqual([p["status"] for p in report["parameters"]], ["missing", "match", "match", "match"])

    def test_what_is_changed_before_it_is_read(self):
        """A gradient on the way under another name of it, parameters that are updated too early: that line alone."""
        for before, lines, told in (
            ("dW2 =", "t = dz2\nt *= 2", "t *= 2 changes dz2, too"),
            ("dW2 =", "t = dz2[1:]\nt += 1", "t += 1 changes dz2, too"),
            ("dz1 =", "t = dh1\nt *= 2", "t *= 2 changes dh1, too"),
            ("dW2 =", "w = W2\nw -= 0.1", "w -= 0.1 changes W2, too"),
            ("dh1 =", "W2 -= 0.1 * dW2", "W2 -= 0.1 * dW2 changes W2, which"),
            ("dh1 =", "W2 = W2 - 0.1 * dW2", "W2 = W2 - 0.1 * dW2 changes W2, which"),
            ("dh1 =", "W2[0] -= 0.1", "W2[0] -= 0.1 changes W2, which"),
            ("dW1 =", "X = X / 2", "X = X / 2 changes X, which"),
        ):
            with self.subTest(lines):
                code = CODE.replace(before, lines + "\n" + before)
                report = self.check(code)
                self.assertFalse(report["passed"])
                changed = code.splitlines().index(lines.split("\n")[-1]) + 1
                self.assertEqual(list(self.wrong(report)), [changed], self.wrong(report))
                self.assertIn(told, self.wrong(report)[changed])
        for right in (CODE + "W2 -= 0.1 * dW2\nW1 = W1 - 0.1 * dW1", "X = X * 1.0\np = sigmoid(z2)\n".replace("z2", "h1 @ W2 + b2") + CODE):
            report = self.check(right)
            self.assertTrue(report["passed"])
            self.assertEqual(self.wrong(report), {})

    def test_lambdas_write_too(self):
        for body, changed in (("g.fill(0)", "W1"), ("g.sort()", "W1"), ("np.clip(g, 0, 0, out=g)", "W1"), ("(g.fill(0), g)", "W1"), ("g + 1", "")):
            with self.subTest(body):
                report = self.check(CODE + f"f = lambda g: {body}\nf(dW1)")
                self.assertEqual(" ".join(p["name"] for p in report["parameters"] if not p["passed"]), changed)
        report = self.check("d = lambda h: 1 + h**2\n" + CODE.replace("(1 - h1**2)", "d(h1)"))
        self.assertEqual(self.wrong(report), {1: "line 1: d = lambda h: 1 + h**2 should be lambda h: 1 - h**2"})

    def test_functions_that_nobody_calls(self):
        report = self.check(CODE + "def scale(g, s):\n    g *= s\n    return g.T\n")
        self.assertTrue(report["passed"])
        self.assertEqual(self.wrong(report), {})

    def test_a_forward_value_that_is_written_into(self):
        """It is wrong where something reads the value behind it, and only there."""
        spoiled = "q = p\nq -= y\n"
        report = self.check(CODE.replace("dz2 =", spoiled + "dz2 ="))
        self.assertFalse(report["passed"])
        self.assertEqual(list(self.wrong(report)), [3])
        self.assertIn("q -= y changes p, too", self.wrong(report)[3])
        report = self.check(CODE.replace("dz2 =", spoiled + "q *= 2\ndz2 ="))
        self.assertEqual(list(self.wrong(report)), [3, 4])
        report = self.check(CODE + spoiled)
        self.assertTrue(report["passed"])
        self.assertEqual(self.wrong(report), {})
        self.assertTrue(self.check(CODE.replace("dz2 =", "q = p.copy()\nq -= y\ndz2 ="))["passed"])


if __name__ == "__main__":
    unittest.main()

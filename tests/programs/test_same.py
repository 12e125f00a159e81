#!/usr/bin/python3
"""What is the same thing written in two ways: the values agree, and so do the gradients of whatever it depends on, which
are not all 0."""

import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http")]

from daemon import DaemonTest, post  # noqa: E402

PARAMETERS = {"w": [[0.5, -1.25, 0.75], [2.0, 0.25, -0.5]], "c": 1.5}
DATA = {"x": [[1.5, 2.0, -0.5], [0.25, 4.0, 1.0]], "y": [1, 0]}
LOSS = "loss = np.sum(({}) * np.arange(1, 1 + np.size(a)).reshape(np.shape(a)))"

# What comes before, and the two.
SAME = [
    ("", "scipy.special.softmax(w)", "softmax(w.ravel()).reshape(2, 3)"),
    ("", "scipy.special.softmax(w, axis=0)", "softmax(w, axis=0)"),
    ("", "scipy.special.log_softmax(w)", "log_softmax(w.ravel()).reshape(2, 3)"),
    ("", "np.sort(w, axis=None)", "np.sort(w.ravel())"),
    ("", "np.repeat(w, 2, axis=None)", "np.repeat(w.ravel(), 2)"),
    ("", "torch.repeat_interleave(w, 2)", "np.repeat(w.ravel(), 2)"),
    ("", "np.concatenate([w, x[0], w], axis=None)", "np.concatenate([w.ravel(), x[0], w.ravel()])"),
    ("", "np.clip(w, a_min=None, a_max=c) * 1", "np.minimum(w, c)"),
    ("", "np.pad(w, ((1,), (2,)))", "np.pad(w, ((1, 1), (2, 2)))"),
    ("", "np.pad(w, (1,), constant_values=((3, 3), (3, 3)))", "np.pad(w, 1, constant_values=3)"),
    ("", "np.pad(w, 1, 'constant', constant_values=(c, c))", "np.pad(w, 1, constant_values=c)"),
    ("", "w.mT", "w.T"),
    ("q = np.stack([w, x, w * w])", "q.mT", "np.swapaxes(q, 1, 2)"),
    ("", "w.data * w", "w.detach() * w"),
    ("", "w.flip(0, 1)", "w[::-1, ::-1]"),
    ("", "F.cross_entropy(w[0], 2)", "-log_softmax(w[0])[2]"),
    ("d = {'W%d' % 1: w, '%s_%s' % ('b', 'x'): c}", "d['W1'] * d['b_x']", "w * c"),
    ("d = {'%05.1f|%-3d|%+d|%%' % (2.25, y[0], 3): w}", "d['002.2|1  |+3|%']", "w * 1"),
    ("l = [w]\nm = l\nm += [c]\nl.extend((c, c))", "m[0] * sum(m[1:])", "w * (3 * c)"),
    ("d = {'l': [c]}\nl = d['l']\nd['l'] += [w]", "l[0] * l[1]", "w * c"),
    ("", "w * (1 // 0.1) + (-7 // 2) + (7 // -2.0)", "w * 9.0 - 8"),
    ("", "np.sum((w * w).astype(np.uint8)) * c", "5 * c"),
    ("", "max(w[0, 0], c, 1) * min(0.25, w[0, 0])", "c * 0.25"),
]


class SameTest(DaemonTest):
    def ask(self, program):
        """The answer to gradients that are all 0."""
        zeros = {"w": [[0, 0, 0], [0, 0, 0]], "c": 0}
        answer = self.client().ask(post(json.dumps({"program": program, "parameters": PARAMETERS, "data": DATA, "diagnose": False,
                                                    "gradients": zeros, "tolerance": {"atol": 1e-12, "rtol": 0}}).encode()))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def test_they_are_the_same(self):
        for before, one, other in SAME:
            with self.subTest(one=one, other=other):
                both = "%s\na = %s\nb = %s\n" % (before, one, other)
                report = self.ask(both + LOSS.format("a - b"))
                self.assertAlmostEqual(report["loss"], 0, delta=1e-12)
                self.assertTrue(report["passed"], report)
                self.assertFalse(self.ask(both + LOSS.format("a"))["passed"])


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Reading from arrays between writes into them, at random: what is read is what was written there last. The numbers and
their gradients are those of a small evaluation here, over lists and by central differences."""

import json
import pathlib
import random
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http")]

from daemon import DaemonTest, post  # noqa: E402

ROWS, COLUMNS, PROGRAMS = 4, 5, 150
W = [0.5, -1.25, 0.75, 1.5]


def drawn_axis(draw, n, wanted):
    """A subscript of an axis of n, and the indices that it names: one, or `wanted` of them where that is not None."""
    if wanted is None:
        i = draw.randrange(n)
        return str(i if draw.random() < 0.7 else i - n), [i]
    while True:
        step = draw.choice([1, 1, 1, 2, -1, -2])
        start, stop = draw.randrange(-1, n), draw.randrange(-1, n + 1)
        chosen = slice(start if start >= 0 else None, stop if stop >= 0 else None, step)
        indices = list(range(n))[chosen]
        if len(indices) == wanted:
            bounds = ["" if b is None else str(b) for b in (chosen.start, chosen.stop)]
            return f"{bounds[0]}:{bounds[1]}" + ("" if step == 1 else f":{step}"), indices


def drawn_part(draw, length):
    """A part of the matrix with so many elements along one axis (None: one element), and the places of these."""
    if length is None:
        (row, i), (column, j) = drawn_axis(draw, ROWS, None), drawn_axis(draw, COLUMNS, None)
    elif draw.random() < 0.5 and length <= ROWS:
        (row, i), (column, j) = drawn_axis(draw, ROWS, length), drawn_axis(draw, COLUMNS, None)
    else:
        (row, i), (column, j) = drawn_axis(draw, ROWS, None), drawn_axis(draw, COLUMNS, length)
    return f"a[{row}, {column}]", [r * COLUMNS + c for r in i for c in j]


def drawn_program(seed):
    draw, lines, steps = random.Random(seed), ["a = np.zeros((4, 5))"], []
    for _ in range(draw.randrange(4, 14)):
        length = draw.choice([None, None, 2, 3, 4])
        target, to = drawn_part(draw, length)
        source, of = drawn_part(draw, draw.choice([None, length]))
        factor, term, adds = draw.randrange(4), draw.randrange(4), draw.random() < 0.25
        lines.append(f"{target} {'+=' if adds else '='} {source} * w[{factor}] + w[{term}]")
        steps.append((to, of, factor, term, adds))
    lines.append("loss = np.sum(a * np.arange(1, 21).reshape(4, 5))")
    return "\n".join(lines), steps


def loss_of(steps, w):
    a = [0.0] * (ROWS * COLUMNS)
    for to, of, factor, term, adds in steps:
        read = [a[place] for place in of]
        for k, place in enumerate(to):
            made = read[k if len(read) > 1 else 0] * w[factor] + w[term]
            a[place] = a[place] + made if adds else made
    return sum((place + 1) * number for place, number in enumerate(a))


def gradient_of(steps):
    found, step = [], 1e-5
    for i in range(len(W)):
        sides = [loss_of(steps, W[:i] + [W[i] + by] + W[i + 1:]) for by in (step, -step)]
        found.append((sides[0] - sides[1]) / (2 * step))
    return found


class WrittenTest(DaemonTest):
    def test_what_is_read_was_written_last(self):
        client = self.client()
        for seed in range(PROGRAMS):
            program, steps = drawn_program(seed)
            with self.subTest(program=program):
                gradient = gradient_of(steps)
                most = max(abs(number) for number in gradient)
                answer = client.ask(post(json.dumps({
                    "program": program, "parameters": {"w": W}, "gradients": {"w": gradient}, "diagnose": False,
                    "tolerance": {"atol": 1e-5 * most, "rtol": 0}}).encode()))
                self.assertEqual(answer.status, 200, answer.body)
                report = answer.json()
                self.assertAlmostEqual(report["loss"], loss_of(steps, W), delta=1e-9 * max(1, abs(report["loss"])))
                self.assertTrue(report["passed"], report)


if __name__ == "__main__":
    unittest.main()

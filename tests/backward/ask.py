"""Requests of the cases in programs.py: numbers that are the same each time, and a slip put in."""

import random

from programs import CASES


def draw(rng, shape):
    """Numbers of a shape: normal ones; "bits 2 3": 0 and 1; "classes 6 3": 6 whole numbers below 3."""
    if isinstance(shape, str):
        kind, *sizes = shape.split()
        sizes = [int(size) for size in sizes]
        below = 2 if kind == "bits" else sizes.pop()
        return fill(sizes, lambda: rng.randrange(below))
    return fill(list(shape), lambda: round(rng.gauss(0, 1), 3))


def fill(sizes, number):
    return [fill(sizes[1:], number) for _ in range(sizes[0])] if sizes else number()


def request(case, slips=()):
    """The request of a case, with some of its slips; and the lines that they are in."""
    rng = random.Random(case["name"])
    parameters = {name: draw(rng, shape) for name, shape in case["parameters"].items()}
    data = {name: draw(rng, shape) for name, shape in case["data"].items()}
    code, lines = case["backward"], []
    for right, wrong in slips:
        if code.count(right) != 1:
            raise ValueError(f"{case['name']}: {right!r} stands in the code {code.count(right)} times")
        lines.append(code[: code.index(right)].count("\n") + 1)
        code = code.replace(right, wrong)
    return dict({"program": case["program"], "parameters": parameters, "data": data, "backward": code}, **case["more"]), lines


def each(slips_together):
    """(case, slips): every case with each of its slips alone (1), with each two (2), with none (0)."""
    for case in CASES:
        if slips_together == 0:
            yield case, ()
        elif slips_together == 1:
            for slip in case["slips"]:
                yield case, (slip,)
        else:
            slips = case["slips"]
            for i in range(len(slips)):
                for j in range(i + 1, len(slips)):
                    yield case, (slips[i], slips[j])

#!/usr/bin/python3
"""Makes the part of the diagnosis's test set that is about graphs: graphs.ndjson, in the form of generate.py's files.

    apt-get install python3-numpy
    /usr/bin/python3 tests/diagnosis/graphs_generate.py

Another set, to see whether the diagnosis fits only this one:

    /usr/bin/python3 tests/diagnosis/graphs_generate.py --seed 1000 --to build/diagnosis
    python3 tests/diagnosis/report.py --cases build/diagnosis

Networks come from ../vectors/graph_networks.py, gradients from graph_student.py. The entries of `truth` say what is made where:
a mistake of a layer has that layer's index; `contribution_missing` has the layers whose share is lost, `gradient_overwritten`
the one whose assignment replaced the others. Both have `value` (a layer's index, or the name of a parameter or of a member of
`data`) and `through`, the layers whose share is lost. `first_wrong`: where branches are parallel or parameters shared, several
may be the first on the way back; naming any of them is right.
"""

import argparse
import pathlib
import random
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "vectors"))  # behind this folder: both have a generate.py

import graph_networks  # noqa: E402
import graph_student  # noqa: E402
from generate import BLURRED, CLEAR, Cases  # noqa: E402
from graph_networks import CONVENTIONS, FAMILIES, LOSSES  # noqa: E402
from graph_student import MISSING, NORM_IDS, OVERWRITTEN, Program, candidates, fails  # noqa: E402

ATOL = 1e-6
LEAST = 2e-3      # every tensor's largest number is above it, unless it is 0: no tolerance is in doubt then
MOST = 50.0
MOST_NUMBERS = 44  # submitted in one case: the file is to stay small

# How often an id is wanted. What graphs and layer_norm bring comes first; the rest shows that it is still found in branches.
WEIGHTS = {
    MISSING: 9.0, OVERWRITTEN: 4.0, graph_student.TWICE: 1.0, graph_student.OTHER_FACTOR: 1.6, graph_student.EXCHANGED: 1.3,
    graph_student.AVERAGED: 0.5, graph_student.WRONG_SLICE: 0.6, "missing_activation_derivative": 3.0, "bias_not_summed": 1.8,
    "bias_averaged": 1.0, "swapped_parameters": 1.4, "wrong_activation_derivative": 1.2, **{name: 1.8 for name in NORM_IDS},
}
USUAL = 0.45  # of any other id
SELDOM = {"gradient_accumulated", "parameter_as_gradient", "all_zero"}  # about finished gradients: no matter of graphs


class Base:
    """A program with the names that are submitted, and all its single mistakes."""

    def __init__(self, request, asked):
        self.program, self.names = Program(request), [*request["parameters"], *asked]
        self.right = self.program.run()
        self._pool = None

    def usable(self):
        if self.right is None:
            return False
        largest = [np.abs(self.right[name]).max() for name in self.names]
        if sum(self.right[name].size for name in self.names) > MOST_NUMBERS:
            return False
        return max(largest) < MOST and all(value == 0 or value > LEAST for value in largest)

    def judge(self, grads):
        return fails(self.right, grads, self.names, ATOL)

    def failing(self, grads):
        return [name for name, ratio in self.judge(grads).items() if ratio > 1]

    def clear(self, grads):
        ratios = self.judge(grads).values()
        return max(ratios) >= CLEAR and not any(BLURRED[0] < ratio < BLURRED[1] for ratio in ratios)

    def same(self, a, b):
        return max(fails(a, b, self.names, ATOL).values()) <= 1

    def pool(self):
        if self._pool is None:
            self._pool = []
            for blunder in candidates(self.program):
                grads = self.program.run([blunder])
                if grads is not None and self.failing(grads):
                    self._pool.append((blunder, grads))
        return self._pool

    def equivalents(self, grads, own):
        """Other ids that give the same numbers: of the pool, and of what is done to finished gradients."""
        found = {blunder.id for blunder, other in self.pool() if blunder.id != own and self.same(grads, other)}
        failing = self.failing(grads)
        if all(not np.any(grads[name]) for name in failing):
            found |= {"all_zero", "detached"}
        for times in (2, 3):
            if all(grads[name].shape == self.right[name].shape and np.allclose(grads[name], times * self.right[name], 1e-9, 1e-12)
                   for name in failing):
                found.add("gradient_accumulated")
        return sorted(found - {own})

    def truth(self, blunder, grads):
        program = self.program
        layers = sorted({program.owner.get(place, place) for place in blunder.places}, key=str)
        truth = {"id": blunder.id, "layers": layers}
        if blunder.id in (MISSING, OVERWRITTEN):
            value = blunder.options["value"]
            uses = program.users.get(value) or [index for index, _ in program.consumers[value]]
            truth["value"] = value
            truth["through"] = layers if blunder.id == MISSING else sorted(set(uses) - set(layers))
        equivalent = self.equivalents(grads, blunder.id)
        if equivalent:
            truth["equivalent"] = equivalent
        return truth

    def request(self, grads):
        return {**self.program.request, "gradients": self.program.submission(grads, self.names)}

    def first_wrong(self, grads):
        return self.program.first_wrong(self.failing(grads))


def bases(seed):
    """Usable programs without end: the families, conventions, losses and batch sizes in turn, data's gradients asked for or not."""
    draw, number = random.Random(seed), 0
    families = list(FAMILIES)
    while True:
        family = families[number % len(families)]
        convention = draw.choices(CONVENTIONS, (50, 25, 25))[0]
        loss, batch = draw.choice(LOSSES), draw.choice((2, 2, 3, 3, 4, 5))
        number += 1
        try:
            _, request = graph_networks.draw_request(draw, family, convention, loss, batch)
        except AssertionError:
            continue
        fed = [name for name in request["data"] if name not in ("y", "upstream")]
        asked = draw.choice((fed, fed[:1], [], fed[1:]))
        base = Base(request, asked)
        convention = request.get("convention", "numpy")  # what was drawn may not have been possible
        base.label = "%s, %s%s, batch %d" % (family, loss["type"], "" if convention == "numpy" else ", " + convention, batch)
        if base.names and base.usable():
            yield base


def plantable(base, blunder, grads):
    """Whether this mistake makes a case: clear, and of an id that says something about it."""
    if not base.clear(grads):
        return False
    if blunder.id == "swapped_parameters":  # of gamma and beta, or of a weight's; not of data
        return all(place in base.program.owner for place in blunder.places)
    if blunder.id == "gradient_accumulated":
        return base.names == blunder.places
    if blunder.id in ("all_zero", "parameter_as_gradient"):
        return len(blunder.places) == 1 and base.right[blunder.places[0]].size > 2
    return True


def describe(base, blunder):
    words = [blunder.id, "at", ",".join(map(str, blunder.places))]
    for key, value in blunder.options.items():
        if key in ("value", "position", "output_formula"):
            words.append("(%s %s)" % (key, value))
        elif key == "other":
            words.append("(%s)" % " ".join(map(str, value.values())))
    return " ".join(words)


def singles(cases, count, seed, per_base=3):
    choose, counts, done = random.Random(seed), {}, 0
    for base in bases(seed):
        by_id = {}
        for blunder, grads in base.pool():
            if plantable(base, blunder, grads):
                by_id.setdefault(blunder.id, []).append((blunder, grads))

        def wanted(name):
            weight = 0.2 if name in SELDOM else WEIGHTS.get(name, USUAL)
            return counts.get(name, 0) / weight + choose.random()

        for name in sorted(by_id, key=wanted)[:per_base]:
            if done == count:
                return
            blunder, grads = choose.choice(by_id[name])
            counts[name] = counts.get(name, 0) + 1
            done += 1
            cases.add("single", "%s: %s" % (describe(base, blunder), base.label), [base.truth(blunder, grads)],
                      base.first_wrong(grads), base.request(grads))


def reversed_samples(base):
    """The gradients of a program that takes the samples in the other order: sums in another order."""
    program = Program(base.program.request)
    program.data = {name: value[::-1] for name, value in program.data.items()}
    if program.loss["type"] == "upstream" or program.data.get("y") is not None:
        grads = program.run()
        return {name: value[::-1] if name in program.fed else value for name, value in grads.items()}


def right_submissions(cases, count, seed):
    ways = ("as it is", "samples summed backwards", "rounded to float32", "noise below the tolerance", "of another name")
    done = 0
    for base in bases(seed):
        if done == count:
            return
        way, grads = ways[done % len(ways)], base.right
        if way == "samples summed backwards":
            grads = reversed_samples(base)
        elif way == "rounded to float32":
            grads = {name: np.float32(value).astype(float) for name, value in grads.items()}
        elif way == "noise below the tolerance":
            wiggle = np.random.RandomState(done)
            grads = {name: value + 0.4 * ATOL * (2 * wiggle.rand(*value.shape) - 1) for name, value in grads.items()}
        if max(base.judge(grads).values()) > 0.5:
            continue
        done += 1
        request = base.request(grads)
        if way == "noise below the tolerance":  # small tensors, of which 1e-6 is no small part, pass by this one alone
            request.setdefault("tolerance", {"atol": ATOL})
        if way == "of another name":  # members of data as well
            pattern = ("d%s", "dL_d%s")[done % 2] if base.program.convention != "pytorch" else "%s.grad"
            of_data = "d%s" if base.program.convention == "pytorch" else pattern
            request["gradients"] = {(of_data if name in base.program.data else pattern) % name: value
                                    for name, value in request["gradients"].items()}
        cases.add("right", "%s: %s" % (way, base.label), [], [], request)


NOISES = ("one tensor", "everything", "one element", "one element replaced", "one layer", "below one place", "permuted")


def noise(cases, count, seed):
    choose, done = random.Random(seed), 0
    for base in bases(seed):
        if done == count:
            return
        way, draw = NOISES[done % len(NOISES)], np.random.RandomState(1000 + done)
        size = 10 ** choose.uniform(-2.5, 0)
        grads = {name: value.copy() for name, value in base.right.items()}
        large = [name for name in base.names if grads[name].size > 2]
        if not large:
            continue
        name = choose.choice(large)
        if way == "one element":
            grads[name].flat[choose.randrange(grads[name].size)] += size * draw.randn()
        elif way == "one element replaced":
            grads[name].flat[choose.randrange(grads[name].size)] = draw.randn()
        elif way == "permuted":
            grads[name] = draw.permutation(grads[name].ravel()).reshape(grads[name].shape)
        else:
            owner = base.program.owner
            at = choose.choice(sorted(set(owner.values()) or [0]))
            chosen = {"one tensor": [name], "everything": base.names, "one layer": [n for n in owner if owner[n] == at],
                      "below one place": [n for n in base.names if owner.get(n, 0) <= at]}[way]
            for one in chosen:
                grads[one] = grads[one] + size * draw.randn(*grads[one].shape)
        if not base.clear(grads) or base.equivalents(grads, None):
            continue
        done += 1
        cases.add("noise", "%s, %.3g: %s" % (way, size, base.label), [], base.first_wrong(grads), base.request(grads))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="another seed, another set (default: 0, the committed one)")
    parser.add_argument("--to", type=pathlib.Path, default=HERE, help="where to write (default: beside this file)")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    cases = Cases("g")
    singles(cases, 300, arguments.seed + 1)
    right_submissions(cases, 150, arguments.seed + 2)
    noise(cases, 150, arguments.seed + 3)
    cases.write(arguments.to, "graphs.ndjson")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Whether a student's code means what it means in NumPy where arrays are shared: random statements behind right gradients,
which write into them under other names, through views, in functions and out of lists. NumPy says which gradients are
right still; the daemon has to say the same of each, and has to name a line where one is not.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/backward/differential.py [--seed N] [--codes N] [--show N]

Exit status 0 where that is so.
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE)]

import numpy as np  # noqa: E402

from daemon import Broken, Client, Daemon, post  # noqa: E402

warnings.filterwarnings("ignore")

PROGRAM = "loss = np.sum(W * A) + np.sum(b * c) + np.sum(V * B)"
SHAPES = {"W": (3, 4), "b": (4,), "V": (2, 2, 3)}
RIGHT = "dW = A.copy()\ndb = c.copy()\ndV = B.copy()"
FUNCTIONS = """def scale(g, s):
    g *= s
def shifted(g, s):
    return g + s
def same(g):
    return g
def part(g):
    return g[0]"""


class Writer:
    """Statements over the arrays that there are, of which it keeps the shapes."""

    def __init__(self, rng):
        self.rng, self.names, self.lines, self.count = rng, {"dW": (3, 4), "db": (4,), "dV": (2, 2, 3)}, [], 0

    def pick(self):
        return self.rng.choice(list(self.names))

    def number(self):
        return self.rng.choice(["2", "0.5", "3", "-1", "0.25"])

    def subscript(self, shape):
        """Basic ones, an integer for an axis at most, as NumPy's numbers are no views."""
        rng, parts = self.rng, []
        for length in shape[:rng.randint(1, len(shape))]:
            parts.append(rng.choice([":", "%d:" % rng.randrange(length), ":%d" % rng.randint(1, length), "::-1", "::2",
                                     "%d:%d" % (-length, length)]))
        if len(shape) > 1 and rng.random() < 0.5:
            parts[0] = str(rng.randrange(-shape[0], shape[0]))
        if rng.random() < 0.2:
            parts.insert(rng.randint(0, len(parts)), rng.choice(["None", "..."]))
        return "[%s]" % ", ".join(parts)

    def derived(self, name, shape):
        """An expression that is made of an array: a view of it, or a copy."""
        rng, size = self.rng, int(np.prod(shape))
        flat = [n for n in (2, 3, 4, 6) if size % n == 0]
        kinds = [name, name + self.subscript(shape), name + ".T", "%s.reshape(-1)" % name, "%s.ravel()" % name, "%s.flatten()" % name,
                 "%s.copy()" % name, "%s + 0" % name, "+%s" % name, "np.array(%s)" % name, "np.asarray(%s)" % name,
                 "%s.squeeze()" % name, "%s[None]" % name, "np.expand_dims(%s, 0)" % name, "np.flip(%s, 0)" % name,
                 "%s[[0, 1]]" % name, "%s[%s > -99]" % (name, name), "same(%s)" % name, "shifted(%s, 0)" % name, "[%s][0]" % name,
                 "{'k': %s}['k']" % name, "(%s, 1)[0]" % name, "np.transpose(%s)" % name, "%s.ravel('F')" % name]
        if flat:
            kinds.append("%s.reshape(%d, -1)" % (name, rng.choice(flat)))
        if len(shape) > 1:
            kinds += ["part(%s)" % name, "np.swapaxes(%s, 0, 1)" % name, "np.moveaxis(%s, 0, -1)" % name]
        if len(shape) == 3:
            kinds.append("%s.transpose(1, 0, 2)" % name)
        return rng.choice(kinds)

    def write(self, name, shape):
        """Statements that write into an array, or put another one under its name."""
        rng, x = self.rng, self.number()
        kinds = ["%s *= %s" % (name, x), "%s += %s" % (name, x), "%s%s *= %s" % (name, self.subscript(shape), x),
                 "%s%s = %s" % (name, self.subscript(shape), x), "scale(%s, %s)" % (name, x), "%s.fill(%s)" % (name, x),
                 "np.multiply(%s, %s, out=%s)" % (name, x, name), "%s[...] = %s * %s" % (name, name, x), "%s = %s * 1" % (name, name),
                 "for q in [%s]:\n    q *= %s" % (name, x), "d = {'k': %s}\nd['k'] /= %s" % (name, x), "l = [%s]\nl[0][0] *= %s" % (name, x),
                 "for q in %s:\n    q *= %s" % (name, x) if len(shape) > 1 else "%s /= %s" % (name, x),
                 "np.add.at(%s, [0], %s)" % (name, x), "%s[[0]] *= %s" % (name, x), "%s[[0]][0] = %s" % (name, x),
                 "%s[%s > 0] *= %s" % (name, name, x), "%s *= %s\n%s /= %s" % (name, x, name, x), "%s.T[0] *= %s" % (name, x),
                 "(lambda g: g.fill(%s))(%s)" % (x, name), "%s.reshape(-1)[0] = %s" % (name, x)]
        return rng.choice(kinds)

    def step(self, names):
        rng = self.rng
        name = self.pick()
        if rng.random() < 0.6:
            self.count += 1
            line = "t%d = %s" % (self.count, self.derived(name, self.names[name]))
        else:
            line = self.write(name, self.names[name])
        exec(line, names)  # what NumPy cannot do is not written
        self.lines.append(line)
        self.names = {n: v.shape for n, v in names.items()
                      if (n[0] == "t" or n in ("dW", "db", "dV")) and isinstance(v, np.ndarray) and v.ndim > 0 and v.size > 0}


def draw(seed):
    """A request, and which of its gradients are right in the end."""
    rng = random.Random(seed)
    numbers = np.random.RandomState(seed % 2**32)
    parameters = {name: numbers.normal(size=shape).round(3) for name, shape in SHAPES.items()}
    data = {name: numbers.normal(size=shape).round(3) + 0.0005 for name, shape in zip("AcB", SHAPES.values())}
    names = {"np": np, **{name: value.copy() for name, value in {**parameters, **data}.items()}}
    exec(FUNCTIONS + "\n" + RIGHT, names)
    writer = Writer(rng)
    for _ in range(rng.randint(2, 7)):
        before = {n: v.copy() for n, v in names.items() if isinstance(v, np.ndarray)}
        try:
            writer.step(names)
        except Exception:
            if any(n in names and not np.array_equal(names[n], v) for n, v in before.items()):
                return None  # it wrote before it failed
    right = {name: np.shape(names["d" + name]) == SHAPES[name] and np.allclose(names["d" + name], data[of], atol=1e-9)
             for name, of in zip(SHAPES, "AcB")}
    code = "\n".join([FUNCTIONS, RIGHT] + writer.lines)
    listed = {name: value.tolist() for name, value in parameters.items()}
    return {"program": PROGRAM, "parameters": listed, "data": {n: v.tolist() for n, v in data.items()}, "backward": code}, right


def judge(client, asked, right):
    """What is wrong with the daemon's answer, or None."""
    answer = client.ask(post(json.dumps(asked).encode()))
    if answer.status != 200:
        return answer.body.decode()
    report = answer.json()
    wrong = [line for line in report["lines"] if line["mark"] in ("wrong", "fault")]
    found = {entry["name"]: entry["passed"] for entry in report["parameters"]}
    if found != right:
        return "NumPy has %s, the daemon %s; %s" % (right, found, [line["message"] for line in wrong])
    if all(right.values()) != (not wrong):
        return "lines that are wrong, of gradients that are %sright: %s" % ("" if all(right.values()) else "not all ", wrong)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--codes", type=int, default=500)
    parser.add_argument("--show", type=int, default=5)
    arguments = parser.parse_args()
    counts, shown = collections.Counter(), 0
    with Daemon() as daemon:
        client = Client(daemon)
        for i in range(arguments.codes):
            seed = arguments.seed * 1000003 + i
            drawn = draw(seed)
            if drawn is None:
                counts["left out"] += 1
                continue
            try:
                problem = judge(client, *drawn)
            except (Broken, OSError) as error:
                problem = "no answer: %s" % error
                client = Client(daemon)
            counts["all right" if all(drawn[1].values()) else "not all right"] += 1
            if problem is None:
                continue
            counts["DIFFERENT"] += 1
            if shown < arguments.show:
                shown += 1
                lines = drawn[0]["backward"].split("\n")[8:]
                print("---- seed %d: %s\n%s" % (seed, problem, "\n".join("%3d  %s" % (k + 9, line) for k, line in enumerate(lines))))
    for key, value in counts.most_common():
        print("%6d %s" % (value, key))
    sys.exit(1 if counts["DIFFERENT"] or not counts["all right"] or not counts["not all right"] else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Makes the test vectors of networks that are graphs: graphs.ndjson and large_graphs.ndjson, from PyTorch.

    apt-get install python3-torch python3-numpy
    /usr/bin/python3 tests/vectors/graphs.py

Another set, to see whether something fits only this one:

    /usr/bin/python3 tests/vectors/graphs.py --seed 1000 --to build/vectors

The lines are those of generate.py's files. Among the expected gradients, behind the parameters, may be those of members of
`data`, by the member's name. Each case is checked as it is made: PyTorch against the NumPy program of ../diagnosis, and both
against central differences.
"""

import argparse
import copy
import json
import math
import pathlib
import sys

import numpy as np
import torch

import graph_networks
import torch_graphs
from graph_networks import ACTIVATIONS, CONVENTIONS, FAMILIES, LOSSES, PLAIN, Graph
from torch_reference import to_json

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "diagnosis"))

from graph_student import Program  # noqa: E402

AGREE = 2e-12      # of a tensor's largest number: PyTorch and NumPy
STEP = 1e-6        # of a central difference
DIFFERENCE = 2e-5  # and how well it agrees, of the largest gradient
TOO_LARGE, TOO_SMALL = 200.0, 1e-4  # of a case's largest gradient, and of each tensor's beside it


def trouble_with(request, result, wanted):
    """Why a case is no good, or None. What is drawn badly is drawn again; what disagrees is an error."""
    largest = {name: np.abs(value).max() for name, value in result.gradients.items()}
    if not all(np.isfinite(value) for value in largest.values()) or not math.isfinite(result.loss):
        return "not finite"
    if max(largest.values()) > TOO_LARGE:
        return "large gradients"
    # Exact zeros are welcome (a layer that nothing uses), zeros but for rounding are not.
    if any(0 < value < TOO_SMALL * max(largest.values()) for value in largest.values()):
        return "a tensor that is nearly zero"
    program = Program(request)
    for index, sources in enumerate(program.inputs):
        below = [program.data[s] if isinstance(s, str) else result.values[s] for s in sources]
        kind = program.layers[index]["type"]
        if kind in ("relu", "leaky_relu", "elu") and np.abs(below[0]).min() < 1e-4:
            return "a kink"
        if kind == "softplus" and below[0].max() > 15:
            return "PyTorch's softplus is another function there"
    if program.loss["type"] == "bce" and not 1e-4 < result.values[-1].min() <= result.values[-1].max() < 1 - 1e-4:
        return "saturated"
    grads = program.backward()
    for name in result.gradients:
        mine, theirs = np.array(program.laid_out(name, grads[name])), result.gradients[name]
        assert mine.shape == theirs.shape, (name, mine.shape, theirs.shape)
        off = np.abs(mine - theirs).max()
        if off > AGREE * largest[name]:
            assert off < 1e-9 * max(largest.values()), (name, off, largest[name])
            return "loses digits"
    return None


def assert_differences(request, result, draw):
    """One element of every tensor, against the loss on both sides of it."""
    largest = max(np.abs(value).max() for value in result.gradients.values())
    for name, gradient in result.gradients.items():
        index = tuple(draw.randrange(size) for size in gradient.shape)
        losses = []
        for step in (STEP, -STEP):
            moved = copy.deepcopy(request)
            values = moved["parameters" if name in moved["parameters"] else "data"]
            array = np.array(values[name], float)
            array[index] += step
            values[name] = array.tolist()
            losses.append(torch_graphs.evaluate(moved).loss)
        found = (losses[0] - losses[1]) / (2 * STEP)
        assert abs(found - gradient[index]) < DIFFERENCE * max(largest, 1.0), (name, index, found, gradient[index])


class Maker:
    def __init__(self, seed):
        self.draw, self.cases, self.redrawn = graph_networks.generator(seed), [], {}

    def add(self, name, make, wanted=None, intermediates=False, tries=60):
        """Adds what `make` draws, drawing again until it is fit. wanted: the members of data with gradients."""
        for _ in range(tries):
            request = make()
            fed = [member for member in request["data"] if member not in ("y", "upstream")]
            names = [member for member in fed if wanted is None or wanted(member)]
            result = torch_graphs.evaluate(request, names, intermediates)
            trouble = trouble_with(request, result, names)
            if trouble is None:
                break
            self.redrawn[trouble] = self.redrawn.get(trouble, 0) + 1
        else:
            raise AssertionError(f"{name}: {trouble}")
        assert_differences(request, result, self.draw)
        self.cases.append({
            "name": f"{len(self.cases) + 1}: {name}",
            "request": request,
            "expected": {
                "loss": result.loss,
                "gradients": {key: to_json(value) for key, value in result.gradients.items()},
                "intermediates": {key: to_json(value) for key, value in result.intermediates.items()},
            },
        })

    def write(self, folder, file_name):
        lines = [json.dumps(case, separators=(",", ":"), allow_nan=False) + "\n" for case in self.cases]
        (folder / file_name).write_text("".join(lines), encoding="ascii")
        again = ", ".join(f"{what} {count}" for what, count in sorted(self.redrawn.items()))
        print(f"{file_name}: {len(lines)} cases, {sum(map(len, lines))} bytes; drawn again: {again or 'none'}")


def label(loss):
    return " ".join([loss["type"]] + [f"{key}={value}" for key, value in loss.items() if key != "type"])


def families(make, rounds):
    """Every family in every convention, the losses and batch sizes in turn."""
    asked_for = (lambda member: True, lambda member: member == "x", lambda member: False, lambda member: member != "x")
    for turn in range(rounds):
        for at, family in enumerate(FAMILIES):
            convention = "numpy" if family == "several axes" and (turn + at) % 3 == 2 else CONVENTIONS[(turn + at) % 3]
            loss, batch = LOSSES[(5 * at + 7 * turn) % len(LOSSES)], 1 + (at + turn) % 6
            make.add(f"{family}, {label(loss)}, {convention}, batch {batch}",
                     lambda: graph_networks.draw_request(make.draw, family, convention, loss, batch)[1],
                     asked_for[(at + turn // 3) % 4], intermediates=(at + turn) % 6 == 0)


def by_hand(make):
    """Small graphs in which one thing is to be seen, each in every convention that has it."""
    def add(name, body, shape=(3,), loss=None, batch=3, conventions=CONVENTIONS, wanted=None):
        for convention in conventions:
            def draw():
                g = Graph(make.draw, shape, convention, PLAIN)
                body(g)
                return g.request(dict(loss or {"type": "mse"}), batch)
            make.add(f"{name}, {convention}", draw, wanted, intermediates=convention == "numpy")

    upstream = {"type": "upstream"}
    add("one linear layer, upstream", lambda g: g.linear("x", 2), loss=upstream)
    add("one activation, upstream, no parameters", lambda g: g.act("x", {"type": "tanh"}), loss=upstream, conventions=("numpy",))
    add("layer_norm alone, upstream", lambda g: g.norm("x"), shape=(4,), loss=upstream)
    add("layer_norm alone over the last of two axes", lambda g: g.norm("x"), shape=(2, 4), loss=upstream,
        conventions=("numpy", "pytorch"))
    add("a skip of the data", lambda g: g.add("add", [g.linear("x", 3), "x"]))
    add("a value added to itself", lambda g: g.add("add", [v := g.linear("x", 2), v]))
    add("a value times itself, three times", lambda g: g.add("mul", [v := g.linear("x", 2), v, v]))
    add("two members of data, multiplied", lambda g: g.add("mul", ["x", g.data("z", (3,))]), loss=upstream,
        conventions=("numpy", "columns"))
    add("tied, l2 counted once",
        lambda g: g.share(w := g.linear("x", 2), g.act(w), transposed=True, bias=True), loss={"type": "mse", "l2": 0.2})
    add("a layer used three times, l2 counted once",
        lambda g: g.share(w := g.linear("x", 3), g.act(g.share(w, g.act(w)))), loss={"type": "mse", "l2": 0.3})
    add("a shared layer_norm", lambda g: g.share(n := g.norm(g.linear("x", 4)), g.act(g.linear(n, 4))))
    add("layers between two uses, and a head",
        lambda g: g.linear(g.share(w := g.linear("x", 3), g.add("add", [g.act(w), "x"])), 1))
    add("concat of one value twice", lambda g: g.linear(g.add("concat", [v := g.linear("x", 2), v]), 2))
    add("concat, dim -1", lambda g: g.add("concat", [g.linear("x", 2), "x"], dim=-1))
    add("batch 1 through everything",
        lambda g: g.linear(g.norm(g.add("add", [g.act(g.linear("x", 3)), "x"])), 2), batch=1)
    add("a gate of one unit, broadcast", lambda g: g.add("mul", [g.act(g.linear("x", 1)), g.linear("x", 3)]))
    add("shared by two inputs, joined",
        lambda g: g.linear(g.add("concat", [w := g.linear("x", 2), g.share(w, g.data("other", (3,)))]), 2))
    add("upstream with l2", lambda g: g.linear(g.add("add", [g.act(g.linear("x", 3)), "x"]), 2),
        loss={"type": "upstream", "l2": 0.1})


def all_activations_and_losses(make):
    """Each activation in a residual block, each loss behind one."""
    for number, activation in enumerate(ACTIVATIONS):
        def draw():
            g = Graph(make.draw, (3,), CONVENTIONS[number % 3])
            v = g.linear("x", 3)
            g.linear(g.add("add", [v, g.linear(g.act(v, activation), 3)]), 2)
            return g.request({"type": "mse"}, 2 + number % 4)
        make.add(f"{label(activation)} in a residual block", draw, lambda member: number % 2 == 0)


def graphs(seed, folder):
    make = Maker(seed + 1)
    by_hand(make)
    all_activations_and_losses(make)
    families(make, 10)
    make.write(folder, "graphs.ndjson")


def large(seed, folder):
    """About 50 layers at random, most of them used more than once or with parameters of another one."""
    make = Maker(seed + 2)
    for number in range(20):
        convention, loss = CONVENTIONS[number % 3], LOSSES[(0, 4, 1, 5)[number % 4]]
        make.add(f"random graph, {label(loss)}, {convention}",
                 lambda: graph_networks.draw_large(make.draw, convention, 50, loss, 2 + number % 2)[1], tries=300)
    make.write(folder, "large_graphs.ndjson")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="another seed, another set (default: 0, the committed one)")
    parser.add_argument("--to", type=pathlib.Path, default=HERE, help="where to write (default: beside this file)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.to.mkdir(parents=True, exist_ok=True)
    graphs(arguments.seed, arguments.to)
    large(arguments.seed, arguments.to)


if __name__ == "__main__":
    main()

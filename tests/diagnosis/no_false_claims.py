#!/usr/bin/python3
"""Posts wrong gradients that no rule explains, and sees that nothing false is said about them.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/diagnosis/no_false_claims.py [--seed N] [--count N] [--show N]
    /usr/bin/python3 tests/diagnosis/no_false_claims.py 127.0.0.1:8080

The networks are residual, shared and with two inputs, out of layer_norm, add, mul, concat, flatten, softmax and the usual. The
gradients are spoilt in ways that no table of mistakes has: another one of the same shape, an odd factor, noise, a parameter's
values, elements in another order; in a finished gradient, or in what a layer sends back, so that all below inherits it. A
diagnosis that knows some ops is tempted there to find one of its mistakes at a place where it was not made.

Verified, by the NumPy program of graph_student.py: what is right passes, what is wrong fails, and every mistake that is named
with numbers to show (`residual`) gives the submitted numbers when it is made (replay.py). Where that program does not know an
id, the claim is counted as not judged, by id. Exit status 1 where anything false was said.

--self-test needs no daemon: the judge itself is tried on claims that are true and on claims that are not.
"""

import argparse
import collections
import json
import pathlib
import random
import socket
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))
sys.path.append(str(HERE.parent / "vectors"))  # behind this folder: both have a generate.py

import graph_networks  # noqa: E402
import graphs_generate  # noqa: E402
import replay  # noqa: E402
from daemon import Client, Daemon, post  # noqa: E402
from graph_student import Program  # noqa: E402
from replay import FALSE, REPRODUCED, UNJUDGED  # noqa: E402

ATOL = 1e-6
PLACES = ("layer_norm", "add", "mul", "concat", "flatten", "softmax", "log_softmax")
ACTIVATIONS = ({"type": "softmax"}, {"type": "log_softmax"}, {"type": "tanh"}, {"type": "sigmoid"}, {"type": "relu"})
FAMILIES = ("layer_norm", "residual, layer_norm", "several axes", "siamese", "two inputs", "used in several places",
            "residual, nested", "highway", "recurrent, unrolled", "tied autoencoder", "mask", "residual, projection")


# --- wrong gradients -------------------------------------------------------------------------------------------------------


class Spoilt(Program):
    """What one layer sends back is changed; all that lies below inherits it."""

    def spoil(self, index, change):
        self.at, self.change = index, change

    def step(self, made, index, given, values, dy):
        back, grads = super().step(made, index, given, values, dy)
        if index == self.at:
            back = self.change([np.asarray(value) for value in back])
        return back, grads


def odd(draw):
    """A factor that nobody would have a name for."""
    low, high = draw.choice(((0.31, 0.47), (1.13, 1.47), (2.2, 2.8)))
    return draw.choice((-1, 1)) * round(draw.uniform(low, high), 6)


def changes_of_a_tensor(draw, value, others):
    """(what, changed): ways to spoil one tensor. others: tensors of the same shape that could be mistaken for it."""
    noise = np.random.RandomState(draw.randrange(2**31))
    ways = [("scaled by %g" % (factor := odd(draw)), value * factor),
            ("noise", value + 10 ** draw.uniform(-3, 0) * noise.randn(*value.shape)),
            ("replaced by noise", noise.randn(*value.shape))]
    if value.size > 1:
        ways.append(("permuted", noise.permutation(value.ravel()).reshape(value.shape)))
        ways.append(("backwards", value.ravel()[::-1].reshape(value.shape)))
        one = value.copy()
        one.flat[draw.randrange(value.size)] += draw.choice((-1, 1)) * 10 ** draw.uniform(-4, 0)
        ways.append(("one element", one))
    ways += [("of another: " + what, other) for what, other in others]
    return ways


def spoil_finished(draw, base):
    """One or two of the submitted tensors."""
    grads, words = dict(base.right), []
    for name in draw.sample(base.names, draw.choice((1, 1, 1, 2)) if len(base.names) > 1 else 1):
        program = base.program
        others = [("gradient of %s" % q, base.right[q]) for q in base.names
                  if q != name and base.right[q].shape == grads[name].shape]
        values = {**program.params, **{q: program.data[q] for q in program.fed}}
        others += [("values of %s" % q, v) for q, v in values.items() if q != name and v.shape == grads[name].shape]
        ways = changes_of_a_tensor(draw, base.right[name], others)
        what, grads[name] = draw.choice(ways if draw.random() < 0.5 or not others else ways[-len(others):])
        words.append("%s %s" % (name, what))
    return "; ".join(words), grads


def spoil_on_the_way(draw, base):
    """What a layer sends back."""
    program = Spoilt(base.program.request)
    at = [index for index, layer in enumerate(program.layers) if layer["type"] in PLACES]
    if not at:
        return None, None
    index, words = draw.choice(at), []

    def change(back):
        position = draw.randrange(len(back))
        if draw.random() < 0.2:
            factor = odd(draw)
            words.append("all scaled by %g" % factor)
            return [value * factor for value in back]
        others = [("another input's", other) for at, other in enumerate(back)
                  if at != position and other.shape == back[position].shape]
        what, changed = draw.choice(changes_of_a_tensor(draw, back[position], others))
        words.append("input %d %s" % (position, what))
        return [changed if at == position else value for at, value in enumerate(back)]

    program.spoil(index, change)
    grads = program.run()
    return "%s %d: %s" % (program.layers[index]["type"], index, " ".join(words)), grads


def cases(seed):
    """(what, base, gradients) without end. Each tensor is clearly right or clearly wrong, and some are wrong."""
    draw, number = random.Random(seed), 0
    while True:
        number += 1
        family, convention = FAMILIES[number % len(FAMILIES)], draw.choice(graph_networks.CONVENTIONS)
        loss, batch = draw.choice(graph_networks.LOSSES), draw.choice((2, 3, 3, 4))
        activations = ACTIVATIONS if draw.random() < 0.5 else graph_networks.ACTIVATIONS
        try:
            _, request = graph_networks.draw_request(draw, family, convention, loss, batch, activations)
        except AssertionError:
            continue
        fed = [name for name in request["data"] if name not in ("y", "upstream")]
        base = graphs_generate.Base(request, draw.choice((fed, fed[:1], [])))
        if not base.names or not base.usable():
            continue
        for spoil in (spoil_finished, spoil_on_the_way):
            what, grads = spoil(draw, base)
            if grads is not None and base.clear(grads):
                yield "%s: %s, %s, %s, batch %d" % (
                    what, family, loss["type"], request.get("convention", "numpy"), batch), base, grads


# --- what the daemon makes of them -------------------------------------------------------------------------------------------


class Tally:
    def __init__(self):
        self.cases = self.named = self.explained = 0
        self.claims = collections.defaultdict(collections.Counter)        # id -> verdict -> how often
        self.alternatives = collections.defaultdict(collections.Counter)
        self.wrong = []                                                   # (what is wrong, case)

    def verdicts(self, what, base, grads, status, answer):
        """Whether right passes and wrong fails."""
        if status != 200:
            self.wrong.append(("status %d: %s" % (status, json.dumps(answer)[:200]), what))
            return False
        entries = {entry["name"]: entry for entry in answer["parameters"]}
        failing = base.failing(grads)
        for name in base.names:
            if name not in entries:
                self.wrong.append(("no entry for %s" % name, what))
            elif entries[name]["passed"] != (name not in failing):
                self.wrong.append(("%s is %s and %s" % (name, "wrong" if name in failing else "right",
                                                        "passed" if entries[name]["passed"] else "failed"), what))
        if answer["passed"]:
            self.wrong.append(("passed as a whole", what))
        return True

    def take(self, what, base, grads, status, answer):
        self.cases += 1
        if not self.verdicts(what, base, grads, status, answer):
            return None
        diagnosis = answer.get("diagnosis") or {}
        mistakes = diagnosis.get("mistakes") or []
        self.named += bool(mistakes)
        self.explained += bool(diagnosis.get("explained"))
        if not mistakes:
            return None
        submitted = {name: np.asarray(grads[name]) for name in base.names}
        shown = [mistake for mistake in mistakes if mistake.get("residual") is not None]
        verdict = replay.Judge(base.program, base.right, submitted).verdict(
            shown, diagnosis.get("explained"), base.failing(grads)) if shown else UNJUDGED
        for mistake in mistakes:
            self.claims[mistake["id"]][verdict] += 1
            for other in (mistake.get("alternatives") or []) if len(mistakes) == 1 else []:
                other = {"id": other} if isinstance(other, str) else other
                found = self.of_alternative(base, submitted, mistake, other, diagnosis.get("explained"))
                self.alternatives[other["id"]][found] += 1
        if verdict == FALSE:
            told = ", ".join("%s at %s of %s, residual %s" % (
                m["id"], m["layers"], m.get("parameters"), m.get("residual")) for m in mistakes)
            self.wrong.append(("false: %s%s" % (told, "" if diagnosis.get("explained") else " (not all explained)"), what))
        return verdict

    @staticmethod
    def of_alternative(base, submitted, mistake, other, explained):
        """An alternative has no place of its own: the mistake's is tried, and then all others."""
        places = [mistake["layers"], ["loss"], *([index] for index in range(len(base.program.layers)))]
        found = FALSE
        for layers in [other["layers"]] if "layers" in other else places:
            claim = {"id": other["id"], "layers": layers, "parameters": mistake.get("parameters", [])}
            found = replay.Judge(base.program, base.right, submitted).verdict([claim], explained, list(submitted))
            if found != FALSE:
                break
        return found

    def print(self):
        print("%d cases; a mistake named in %d, everything explained in %d" % (self.cases, self.named, self.explained))
        for title, table in (("named", self.claims), ("as an alternative (for information)", self.alternatives)):
            if table:
                print("\n%-40s %10s %10s %10s" % (title, REPRODUCED, FALSE, UNJUDGED))
            for name in sorted(table):
                print("%-40s %10d %10d %10d" % (name, *(table[name][v] for v in (REPRODUCED, FALSE, UNJUDGED))))
        print()
        for problem, what in self.wrong[:40]:
            print("%s\n    %s" % (problem, what))
        print("%d things are wrong." % len(self.wrong) if self.wrong else "Nothing false was said.")


class Elsewhere:
    """A daemon that runs already."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.address = (host.strip("[]") or "127.0.0.1", int(port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def connect(self, timeout=20):
        return socket.create_connection(self.address, timeout=timeout)


def run(arguments):
    tally, shown = Tally(), 0
    with (Elsewhere(arguments.address) if arguments.address else Daemon()) as daemon, Client(daemon, 60) as client:
        for what, base, grads in cases(arguments.seed):
            if tally.cases == arguments.count:
                break
            request = {**base.request(grads), "tolerance": {"atol": ATOL, "rtol": 0}}
            answer = client.ask(post(json.dumps(request).encode()))
            before = len(tally.wrong)
            tally.take(what, base, grads, answer.status, answer.json())
            if len(tally.wrong) > before and shown < arguments.show:
                shown += 1
                print(json.dumps({"what": what, "wrong": tally.wrong[before:], "request": request, "answer": answer.json()}))
    tally.print()
    return 1 if tally.wrong else 0


# --- the judge on trial -------------------------------------------------------------------------------------------------------


def claim(base, blunder, grads):
    """The diagnosis that names a mistake."""
    layers = base.truth(blunder, grads)["layers"]
    # Data is no layer: a mistake in its finished gradient has no place but its name.
    layers = [layer for layer in layers if layer == "loss" or isinstance(layer, int)] or [0]
    return {"id": blunder.id, "layers": layers, "parameters": base.failing(grads), "residual": 0.0}


def self_test(arguments):
    """True claims must be judged true. Claims of other mistakes, which give other numbers, must be judged false."""
    draw, counts = random.Random(arguments.seed), collections.Counter()
    problems, missed = [], collections.Counter()
    for base in graphs_generate.bases(arguments.seed + 4):
        if counts["true"] >= arguments.count:
            break
        pool = [(blunder, grads) for blunder, grads in base.pool() if base.clear(grads)]
        for blunder, grads in draw.sample(pool, min(8, len(pool))):
            submitted = {name: np.asarray(grads[name]) for name in base.names}
            verdict = replay.Judge(base.program, base.right, submitted).verdict(
                [claim(base, blunder, grads)], True, base.failing(grads))
            counts["true"] += 1
            counts["true, judged " + verdict] += 1
            if verdict != REPRODUCED:
                problems.append("%s, %s, is called %s" % (blunder, base.label, verdict))
            other, theirs = draw.choice(pool)
            if other.id == blunder.id or base.same(grads, theirs):
                continue
            told = {**claim(base, other, theirs), "parameters": base.failing(grads)}
            verdict = replay.Judge(base.program, base.right, submitted).verdict([told], True, base.failing(grads))
            counts["other"] += 1
            counts["other, judged " + verdict] += 1
            if verdict == REPRODUCED:  # by another option of the id than the one in the pool: that may be
                missed[other.id] += 1
    for name in sorted(counts):
        print("%-30s %6d" % (name, counts[name]))
    print("other, and yet reproduced, by id:", dict(missed))
    print("\n".join(problems[:30]) if problems else "Every true claim is judged true.")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("address", nargs="?", help="host:port of a daemon (default: $GRADCHECKD is started)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cases")
    parser.add_argument("--count", type=int, default=2000, help="cases (default: 2000)")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N whole cases about which something is wrong")
    parser.add_argument("--self-test", action="store_true", help="try the judge, without a daemon")
    arguments = parser.parse_args()
    sys.exit(self_test(arguments) if arguments.self_test else run(arguments))


if __name__ == "__main__":
    main()

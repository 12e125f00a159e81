#!/usr/bin/python3
"""Plants slips that no rule explains at known places, and sees that the place is among the diagnosis's suspects.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/diagnosis/suspects.py [--seed N] [--count N]

The networks and the ways to spoil are no_false_claims.py's, at any layer, in the loss, and in one finished gradient. Exit
status 1 where the place is not listed in one case of a hundred, or the lists are longer than four places on average.
"""

import argparse
import collections
import json
import random
import sys

import numpy as np

import no_false_claims as claims
from daemon import Client, Daemon, post
from no_false_claims import Spoilt, changes_of_a_tensor


class SpoiltLoss(Spoilt):
    """What arrives at the output is changed."""

    def start(self, made, p):
        dy, skipped = super().start(made, p)
        return (self.change([np.asarray(dy)])[0] if self.at == "loss" else dy), skipped


def plant(draw, base):
    """(place, what, gradients): all that a place sends back is spoilt, or one finished gradient."""
    if draw.random() < 0.3:
        program, name = base.program, draw.choice([name for name in base.names if name in base.program.owner])
        what, value = draw.choice(changes_of_a_tensor(draw, base.right[name], []))
        users = [index for index, slots in enumerate(program.slots) if name in slots.values()]
        return users, "%s %s" % (name, what), {**base.right, name: value}
    program, words = SpoiltLoss(base.program.request), []
    place = draw.choice(["loss"] + list(range(len(program.layers))))

    def change(back):
        changed = [draw.choice(changes_of_a_tensor(draw, value, [])) for value in back]
        words.extend(what for what, _ in changed)
        return [value for _, value in changed]

    program.spoil(place, change)
    grads = program.run()
    return [place], ", ".join(words), grads


def bases(seed):
    draw, number = random.Random(seed), 0
    while True:
        number += 1
        family = draw.choice(claims.FAMILIES)
        try:
            _, request = claims.graph_networks.draw_request(
                draw, family, draw.choice(claims.graph_networks.CONVENTIONS), draw.choice(claims.graph_networks.LOSSES),
                draw.choice((2, 3, 4, 12)), claims.graph_networks.ACTIVATIONS)
        except AssertionError:
            continue
        base = claims.graphs_generate.Base(request, ["x"] if draw.random() < 0.3 else [])
        if base.names and base.usable():
            yield draw, base, family


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--show", type=int, default=20)
    arguments = parser.parse_args()
    counts, missed, lengths, layers = collections.Counter(), [], [], []
    with Daemon() as daemon, Client(daemon, 60) as client:
        for draw, base, family in bases(arguments.seed):
            if counts["asked"] >= arguments.count:
                break
            places, what, grads = plant(draw, base)
            if not base.clear(grads):
                continue
            answer = client.ask(post(json.dumps(base.request(grads)).encode())).json()
            diagnosis = answer.get("diagnosis") or {"explained": True, "mistakes": [], "suspects": []}
            if diagnosis["explained"] or diagnosis["mistakes"]:
                counts["explained, or in part"] += 1
                continue
            counts["asked"] += 1
            found = diagnosis.get("suspects", [])
            if all(np.abs(grads[name] - base.right[name]).max() < 2e-3 * np.abs(base.right[name]).max() for name in base.names):
                counts["nearly right"] += 1
                continue
            lengths.append(len(found))
            layers.append(len(base.program.layers) + 1)
            if not set(places) & set(found):
                missed.append("%s, %s at %s: %s, failing %s" % (family, what, places, found, base.failing(grads)))
    print(dict(counts), "missed", len(missed))
    print("suspects on average %.2f of %.2f places; one alone in %d" % (
        np.mean(lengths), np.mean(layers), sum(length == 1 for length in lengths)))
    print("\n".join(missed[:arguments.show]))
    sys.exit(len(missed) > 0.01 * counts["asked"] or np.mean(lengths) > 4)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Whether programs mean what they mean in Python: random ones are run there (tests/programs/reference.py), and their
gradients are handed in. All have to pass, and each that is a little off has to fail alone.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/programs/differential.py [--seed N] [--programs N] [--show N]

Exit status 0 where that is so.
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import time
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE)]

import numpy as np  # noqa: E402

import draw  # noqa: E402
import reference  # noqa: E402
from daemon import Broken, Client, Daemon, post  # noqa: E402

warnings.filterwarnings("ignore")

# The default lets 1e-6 pass, which is much of a small gradient.
TOLERANCE = {"atol": 1e-9, "rtol": 1e-7}
OFF = 1e-3
# What the language has not: a largest of no elements and the like, and what is still to come.
LACKS = ("has no elements", "is not there yet", 'has no \\"at')


def request(text, parameters, data, gradients):
    return {"program": text, "parameters": parameters, "data": data, "tolerance": TOLERANCE, "diagnose": False,
            "gradients": {name: np.asarray(g).tolist() for name, g in gradients.items()}}


def ask(client, body):
    return client.ask(post(json.dumps(body).encode()))


def entries(report):
    return {entry["name"]: entry for entry in report["parameters"]}


def judge(client, text, parameters, data, wanted, choose):
    """What is wrong with the daemon's answers, or None; and whether it was compared."""
    names, leaves = reference.run(text, parameters, data)
    loss, found = reference.gradients(names, leaves, wanted)
    if not np.isfinite(loss) or not all(np.isfinite(g).all() for g in found.values()):
        return None, False
    largest = max(np.abs(g).max() for g in found.values())
    if largest > 1e5 or abs(loss) > 1e7:
        return None, False
    answer = ask(client, request(text, parameters, data, found))
    if answer.status == 400 and any(words in answer.body.decode() for words in LACKS):
        return None, False
    if answer.status != 200:
        return "%d %s" % (answer.status, answer.body.decode()[:400]), True
    report = answer.json()
    if abs(report["loss"] - loss) > 1e-10 * max(abs(loss), 1):
        return "loss %r, not %r" % (report["loss"], loss), True
    if not report["passed"]:
        failed = [e for e in report["parameters"] if not e["passed"]]
        return "not passed: %s" % json.dumps(failed)[:400], True
    if set(entries(report)) != set(found):
        return "graded: %s, not %s" % (sorted(entries(report)), sorted(found)), True
    name = choose.choice(sorted(found))
    most = np.abs(found[name]).max()
    wrong = dict(found)
    wrong[name] = np.array(found[name], dtype=float)
    place = choose.randrange(wrong[name].size)
    wrong[name].reshape(-1)[place] += OFF * most if most > 1e-5 else 1e-3
    answer = ask(client, request(text, parameters, data, wrong))
    if answer.status != 200:
        return "one off: %d %s" % (answer.status, answer.body.decode()[:400]), True
    marks = entries(answer.json())
    if marks[name]["passed"] or marks[name]["mismatches"] != 1:
        return "one off, and not seen: %s" % json.dumps(marks[name]), True
    others = [n for n, e in marks.items() if n != name and not e["passed"]]
    return "one off, and others fail: %s" % others if others else None, True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", type=int, default=500)
    parser.add_argument("--show", type=int, default=5)
    arguments = parser.parse_args()
    counts, shown = collections.Counter(), 0
    with Daemon() as daemon:
        client = Client(daemon)
        for i in range(arguments.programs):
            seed = arguments.seed * 1000003 + i
            text, parameters, data, wanted = draw.program(seed)
            try:
                begin = time.monotonic()
                problem, compared = judge(client, text, parameters, data, wanted, random.Random(seed))
                if time.monotonic() - begin > 2:
                    problem = problem or "took %.1f s" % (time.monotonic() - begin)
            except (Broken, OSError) as error:
                problem, compared = "no answer: %s" % error, True
                client = Client(daemon)
            counts["compared" if compared else "left out"] += 1
            if problem is None:
                continue
            counts["WRONG"] += 1
            if shown < arguments.show:
                shown += 1
                print("---- seed %d: %s\n%s" % (seed, problem, "\n".join("%3d  %s" % (k + 1, l) for k, l in enumerate(text.split("\n")))))
    for key, value in counts.most_common():
        print("%6d %s" % (value, key))
    sys.exit(1 if counts["WRONG"] or not counts["compared"] else 0)


if __name__ == "__main__":
    main()

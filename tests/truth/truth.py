#!/usr/bin/python3
"""Whether what a diagnosis says is true: random wrong programs are submitted, what the answer says is done
(tests/truth/retell.py), and the submitted numbers have to come out.

    GRADCHECKD=build/gradcheckd /usr/bin/python3 tests/truth/truth.py [--seed N] [--cases N] [--show N]

Exit status 0 where all that was claimed is true.
"""

import argparse
import collections
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE.parent / "diagnosis"), str(HERE)]

import numpy as np  # noqa: E402

import generate  # noqa: E402
import formulas  # noqa: E402
import retell  # noqa: E402
import report  # noqa: E402
from daemon import Client, Daemon, post  # noqa: E402


def wrong_programs(seed, count):
    """(name, request): one to three mistakes each, of all kinds that the program can make."""
    choose = random.Random(seed)
    made = 0
    for base in generate.programs(seed):
        if base.family == "low precision" or made >= count:
            if made >= count:
                return
            continue
        pool = [b for b, _ in base.pool() + base.later_pool() + base.latest_pool() if b.id != "low_precision"]
        by_id = collections.defaultdict(list)
        for blunder in pool:
            by_id[blunder.id].append(blunder)
        if len(by_id) < 3:
            continue
        for _ in range(8):
            size = choose.choices((1, 2, 3), (40, 45, 15))[0]
            blunders = [choose.choice(by_id[name]) for name in choose.sample(sorted(by_id), size)]
            grads = base.run(blunders)
            if grads is None or not all(np.isfinite(v).all() for v in grads.values()):
                continue
            made += 1
            yield " + ".join(map(repr, blunders)) + ": " + base.label(), base.request(grads)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    counts, shown = collections.Counter(), 0
    with Daemon() as daemon, Client(daemon) as client:
        for name, request in wrong_programs(arguments.seed, arguments.cases):
            answer = client.ask(post(json.dumps(request).encode())).json()
            mistakes = answer.get("diagnosis", {}).get("mistakes") or []
            if not mistakes:
                counts["nothing claimed"] += 1
                continue
            try:
                with np.errstate(all="ignore"):
                    problem = retell.verdict(request, answer)
                    replay = retell.Replay(request, answer["diagnosis"])
                    for m in mistakes:
                        lost, evaluated = formulas.false_claims(replay, m["message"])
                        counts["formulas evaluated"] += evaluated
                        problem = problem or ("not right: %s" % ", ".join(lost) if lost else None)
            except retell.Unknown as unknown:
                problem = "cannot be done: %s" % unknown
            counts["true" if problem is None else "false"] += 1
            if problem is not None:
                for m in mistakes:
                    counts["  " + m["id"]] += 1
                if shown < arguments.show:
                    shown += 1
                    print("%s\n  %s" % (name, problem))
                    for m in mistakes:
                        print("    %s %s %s %s\n      %s" % (m["id"], m["layers"], m["parameters"], json.dumps(m["values"]), m["message"]))
    for key, value in counts.most_common():
        print("%6d %s" % (value, key))
    sys.exit(1 if counts["false"] or not counts["formulas evaluated"] else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Posts the diagnosis's test set to the daemon and prints how well the mistakes were named.

    GRADCHECKD=build/gradcheckd python3 tests/diagnosis/report.py [--verbose] [--kind single,pair] [--match TEXT] [--show N]

Columns: `first`, named by its id; `alt.`, by an entry that lists it among its alternatives; `equal`, by another id that
gives the same numbers here; `wrong`, something else named, or something more; `together`, in programs with several
mistakes.

Exit status 0 when every floor holds: 98 % of the single mistakes named (first or as an alternative), 90 % of the pairs
and of those that one mistake explains, all located by first_wrong, no right submission accused, no noise explained.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))

from daemon import Client, Daemon, post  # noqa: E402

KINDS = ("single", "pair", "triple", "equal", "wild", "right", "noise")
WRONG_KINDS = ("single", "pair", "triple", "wild")
FLOORS = {"single": 0.98, "pair": 0.90, "equal": 0.90}

FIRST, ALTERNATIVE, EQUAL, OTHER, UNNAMED = "first", "alternative", "equal", "other", "unnamed"
NAMED = (FIRST, ALTERNATIVE, EQUAL)  # EQUAL: by another id that gives the same numbers, without listing this one


def read_cases(kinds=KINDS, match="", folder=HERE):
    for path in sorted(folder.glob("*.ndjson")):
        with path.open(encoding="ascii") as lines:
            for line in lines:
                case = json.loads(line)
                if case["kind"] in kinds and match in case["name"]:
                    yield case


def ids_of_alternatives(mistake):
    """The ids of the alternatives, which are objects with an id, or strings."""
    return [a if isinstance(a, str) else a.get("id") for a in mistake.get("alternatives") or []]


def grade(truth, mistakes):
    """How each mistake of the truth was named, and whether that is all that was named.

    Each entry of the answer stands for one mistake: for that of its id or, failing that, for one that is among its
    alternatives or that gives the same numbers.
    """
    free = list(mistakes)
    verdicts = [None] * len(truth)
    for accept, verdict in (
        (lambda t, m: m["id"] == t["id"], FIRST),
        (lambda t, m: t["id"] in ids_of_alternatives(m), ALTERNATIVE),
        (lambda t, m: m["id"] in t.get("equivalent", ()), EQUAL),
    ):
        for number, wanted in enumerate(truth):
            if verdicts[number] is None:
                for mistake in free:
                    if accept(wanted, mistake):
                        verdicts[number] = verdict
                        free.remove(mistake)
                        break
    # A negative constant that is a flipped sign and factors with names is told as these.
    parts = [m for m in free if "factor" in m or m["id"] == "bias_averaged"]
    for number, wanted in enumerate(truth):
        if verdicts[number] is None and wanted["id"] == "constant_factor" and "sign_flipped" in [m["id"] for m in parts]:
            verdicts[number] = EQUAL
            free = [m for m in free if m not in parts]
    left = UNNAMED if not mistakes else OTHER
    return [verdict or left for verdict in verdicts], not free


def merged(mistakes):
    """One entry for each id: the same mistake may be told several times, with other numbers or of other tensors."""
    result = {}
    for mistake in mistakes:
        if mistake["id"] in result:
            other = result[mistake["id"]]
            layers = other["layers"] + [layer for layer in mistake["layers"] if layer not in other["layers"]]
            alternatives = (other.get("alternatives") or []) + (mistake.get("alternatives") or [])
            result[mistake["id"]] = {**other, "layers": sorted(layers, key=str), "alternatives": alternatives}
        else:
            result[mistake["id"]] = mistake
    return [{**m, "layers": sorted(m["layers"], key=lambda layer: (isinstance(layer, str), layer))} for m in result.values()]


class Outcome:
    """What the daemon made of one case."""

    def __init__(self, case, status, answer, milliseconds):
        self.case, self.status, self.answer, self.milliseconds = case, status, answer, milliseconds
        self.kind, self.name = case["kind"], case["name"]
        self.diagnosis = answer.get("diagnosis") or {}
        self.mistakes = merged(self.diagnosis.get("mistakes") or [])
        self.verdicts, self.nothing_more = grade(case["truth"], self.mistakes)
        self.passed = answer.get("passed")
        where = self.diagnosis.get("first_wrong") or {}
        self.located = where.get("parameter") in case["first_wrong"]
        self.explained = bool(self.diagnosis.get("explained"))

    @property
    def named(self):
        """Exactly the mistakes that were made, each by its name or as an alternative."""
        if self.kind == "equal":
            listed = {name for m in self.mistakes for name in [m["id"], *ids_of_alternatives(m)]}
            return len(self.mistakes) == 1 and all(t["id"] in listed for t in self.case["truth"])
        return self.nothing_more and all(v in NAMED for v in self.verdicts)

    @property
    def named_first(self):
        return self.nothing_more and all(v == FIRST for v in self.verdicts)

    @property
    def places_right(self):
        """Whether the entries that have the right id name the right layers as well."""
        wanted = {t["id"]: t["layers"] for t in self.case["truth"]}
        return all(m.get("layers") == wanted[m["id"]] for m in self.mistakes if m["id"] in wanted)

    @property
    def accused(self):
        return bool(self.passed is False or "diagnosis" in self.answer)

    @property
    def good(self):
        if self.kind == "right":
            return self.passed is True and "diagnosis" not in self.answer
        if self.kind == "noise":
            return self.passed is False and not self.explained and not self.mistakes and self.located
        return self.passed is False and self.named and self.located

    def summary(self):
        found = " + ".join(
            "%s%s%s" % (m["id"], m.get("layers"), " (or %s)" % ", ".join(map(str, ids_of_alternatives(m)))
                        if m.get("alternatives") else "") for m in self.mistakes) or "nothing"
        where = (self.diagnosis.get("first_wrong") or {}).get("parameter")
        return "%s\n      found: %s; explained %s; first wrong %s of %s%s" % (
            self.name, found, self.explained, where, self.case["first_wrong"],
            "" if self.status == 200 else "; status %d" % self.status)


def ask(client, case):
    answer = client.ask(post(json.dumps(case["request"]).encode()))
    timing = re.search(r"diagnose;dur=([0-9.e+-]+)", answer.headers.get("server-timing", ""))
    return Outcome(case, answer.status, answer.json(), float(timing.group(1)) if timing else None)


def ask_all(cases):
    with Daemon() as daemon, Client(daemon) as client:
        return [ask(client, case) for case in cases]


def percent(part, whole):
    return "%5.1f %%" % (100.0 * part / whole) if whole else "      -"


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def print_table(outcomes):
    """One line for each id: how the single mistakes, and those made together with others, were named."""
    rows, instead = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    for o in outcomes:
        if o.kind not in WRONG_KINDS:
            continue
        for truth, verdict in zip(o.case["truth"], o.verdicts):
            if len(o.case["truth"]) == 1:
                verdict = verdict if o.nothing_more or verdict in (OTHER, UNNAMED) else OTHER
                rows[truth["id"]][verdict] += 1
                if verdict == OTHER:
                    instead[truth["id"]]["+".join(sorted(m["id"] for m in o.mistakes))] += 1
            else:
                rows[truth["id"]]["together"] += 1
                rows[truth["id"]]["found together"] += verdict in NAMED
    print("%-34s %6s %6s %6s %6s %6s %8s   %8s %6s" % (
        "mistake", "alone", "first", "alt.", "equal", "wrong", "unnamed", "together", "named"))
    for name in sorted(rows):
        row = rows[name]
        print("%-34s %6d %6d %6d %6d %6d %8d   %8d %6d  %s" % (
            name, sum(row[v] for v in (*NAMED, OTHER, UNNAMED)), row[FIRST], row[ALTERNATIVE], row[EQUAL],
            row[OTHER], row[UNNAMED], row["together"], row["found together"],
            ", ".join("%s %d" % pair for pair in instead[name].most_common(3))))


def print_totals(outcomes):
    print()
    print("%-8s %6s %9s %9s %9s %9s %9s %9s" % (
        "kind", "cases", "first", "named", "explained", "located", "layers", "all good"))
    for kind in KINDS:
        some = [o for o in outcomes if o.kind == kind]
        if not some:
            continue
        wrong = kind in WRONG_KINDS
        columns = [percent(sum(o.named_first for o in some), len(some)) if wrong else "",
                   percent(sum(o.named for o in some), len(some)) if wrong or kind == "equal" else "",
                   percent(sum(o.explained for o in some), len(some)),
                   percent(sum(o.located for o in some), len(some)) if kind != "right" else "",
                   percent(sum(o.places_right for o in some if o.named), sum(o.named for o in some)) if wrong else "",
                   percent(sum(o.good for o in some), len(some))]
        print("%-8s %6d %9s %9s %9s %9s %9s %9s" % (kind, len(some), *columns))
    right = [o for o in outcomes if o.kind == "right"]
    noise = [o for o in outcomes if o.kind == "noise"]
    print()
    print("right submissions accused: %d of %d" % (sum(o.accused for o in right), len(right)))
    print("noise explained: %d of %d, with any mistake named: %d" % (
        sum(o.explained for o in noise), len(noise), sum(bool(o.mistakes) for o in noise)))
    for label, times in [("all failing", [o.milliseconds for o in outcomes if o.passed is False])] + [
            (kind, [o.milliseconds for o in outcomes if o.kind == kind]) for kind in WRONG_KINDS + ("noise",)]:
        times = [t for t in times if t is not None]
        if times:
            print("diagnose, %-11s median %.3f ms, p99 %.3f ms, largest %.3f ms" % (
                label + ":", quantile(times, 0.5), quantile(times, 0.99), max(times)))


def broken_floors(outcomes):
    """What the issue asks for and is not so, in words."""
    problems = []
    for o in outcomes:
        if o.status != 200:
            problems.append("%s: status %d: %s" % (o.name, o.status, json.dumps(o.answer)[:300]))
    for kind, floor in FLOORS.items():
        some = [o for o in outcomes if o.kind == kind]
        named = sum(o.named for o in some)
        if some and named < floor * len(some):
            problems.append("%d of %d %ss named, the floor is %g %%" % (named, len(some), kind, 100 * floor))
    failing = [o for o in outcomes if o.kind != "right"]
    lost = [o.name for o in failing if not o.located]
    if lost:
        problems.append("%d of %d not located by first_wrong, as %s" % (len(lost), len(failing), lost[:3]))
    accused = [o.name for o in outcomes if o.kind == "right" and o.accused]
    if accused:
        problems.append("%d right submissions accused, as %s" % (len(accused), accused[:3]))
    explained = [o.name for o in outcomes if o.kind == "noise" and (o.explained or o.mistakes)]
    if explained:
        problems.append("%d cases of noise explained, as %s" % (len(explained), explained[:3]))
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--verbose", action="store_true", help="list every case that is not as it should be")
    parser.add_argument("--kind", default=",".join(KINDS), help="kinds of cases, with commas between them")
    parser.add_argument("--cases", type=pathlib.Path, default=HERE, help="the folder with the cases")
    parser.add_argument("--match", default="", help="only cases with this in their name")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N whole cases that fail, and their answers")
    arguments = parser.parse_args()
    outcomes = ask_all(read_cases(arguments.kind.split(","), arguments.match, arguments.cases))
    bad = [o for o in outcomes if not o.good]
    if arguments.verbose:
        for o in bad:
            print("  %-6s %s" % (o.kind, o.summary()))
        print()
    for o in bad[:arguments.show]:
        print(json.dumps({"case": o.case, "answer": o.answer}, indent=1))
    print_table(outcomes)
    print_totals(outcomes)
    problems = broken_floors(outcomes)
    print()
    print("\n".join(problems) if problems else "Every floor holds.")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

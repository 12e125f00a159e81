"""Line coverage of core/ and server/ in a build with --coverage, by what has run there: files, the worst first, and both
totals. Exits with 1 where a total is under LEAST.

    coverage.py BUILD [FILE...]

Shows the lines of the FILEs that nothing has run instead.
"""

import collections
import json
import pathlib
import subprocess
import sys

LEAST = 90.0  # per cent
ROOMS = ("core", "server")


def counts(build):
    """{file: {line: how often it has run}}: each line once, also where several objects have it."""
    objects = [str(path.relative_to(build)) for room in ROOMS for path in sorted((build / room).rglob("*.o"))]
    if not objects:
        sys.exit("there is nothing in %s" % build)
    done = subprocess.run(["gcov", "--json-format", "--stdout", *objects], cwd=build, capture_output=True, check=True)
    found = collections.defaultdict(lambda: collections.defaultdict(int))
    for line in done.stdout.splitlines():
        for file in json.loads(line)["files"]:
            name = file["file"]
            if name.startswith(tuple(room + "/" for room in ROOMS)):
                for entry in file["lines"]:
                    found[name][entry["line_number"]] += entry["count"]
    return found


def per_cent(lines):
    return 100.0 * sum(count > 0 for count in lines) / len(lines)


def show(name, lines):
    text = pathlib.Path(name).read_text(encoding="utf-8").splitlines()
    for number in sorted(number for number, count in lines.items() if count == 0):
        print("%s:%d: %s" % (name, number, text[number - 1]))


def main():
    build, shown = pathlib.Path(sys.argv[1]), sys.argv[2:]
    found = counts(build)
    for name in shown:
        show(name, found[name])
    if shown:
        return
    for name, lines in sorted(found.items(), key=lambda item: (per_cent(item[1].values()), item[0])):
        print("%6.1f %%  of %4d lines  %s" % (per_cent(lines.values()), len(lines), name))
    bad = False
    for room in ROOMS:
        lines = [count for name, counted in found.items() if name.startswith(room + "/") for count in counted.values()]
        bad |= per_cent(lines) < LEAST
        print("%6.2f %%  of %d lines  %s/, all of it%s" % (
            per_cent(lines), len(lines), room, "" if per_cent(lines) >= LEAST else ": less than %g %%" % LEAST))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

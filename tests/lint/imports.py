"""Which file includes which: holds that imports run one way, from server/ and cuda/ to core/ and within these from each
folder to those that it stands on, with static/help/maker/ on top of all, and that no files include each other in a circle.

Prints each line that breaks this, and exits with 1. `make lint` runs it.
"""

import pathlib
import re
import sys

# By folder: what its files may include, besides each other.
CORE = {
    "base": (),
    "backend": ("base",),
    "ops": ("base", "backend"),
    "graph": ("base", "backend", "ops"),
    "language": ("base", "backend", "ops", "graph"),
    "pass": ("base", "backend", "ops", "graph"),
    "check": ("base", "backend", "ops", "graph", "pass"),
    "diagnosis": ("base", "backend", "ops", "graph", "language", "pass", "check"),
    "backward": ("base", "backend", "ops", "graph", "language", "pass", "check"),  # beside diagnosis
    "trace": ("base", "backend", "ops", "graph", "language", "pass"),  # beside check, which it knows nothing of
    "train": ("base", "backend", "ops", "graph", "pass"),  # beside check and diagnosis, of which it knows nothing
    "update": ("base", "backend", "ops", "graph", "pass", "check", "train"),  # an optimizer's update, checked
}

# On the right stand the core's folders, which are the same for all of them. Text and bodies are at the bottom; http
# knows what a route is, but neither bodies nor tasks, and these know no http; api puts it all together.
SERVER = {
    "text": (),
    "body": ("text",),
    "task": ("text", "body"),
    "report": ("text", "body", "task"),
    "http": ("text",),
    "api": ("text", "body", "task", "report", "http"),
}

# Files of server/ itself, in no room: these may be included by every room ...
SHARED = ("options", "limits", "counters", "codes", "paths", "tokens", "log", "blas_setup")
# ... and these include whatever they like, but nobody includes the first.
TOP = ("main", "command")

# What breaks the rules all the same: (file, what it includes), and why. A folder twice stands for circles within it. An
# exception that is not needed any more is a fault, too.
EXCEPTIONS = {
    ("cuda/launcher.h", "cuda/launcher_host.h"):
        "launcher.h chooses one of two devices by including it; launcher_host.cpp is the other half of the one",
}

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
SUFFIXES = (".c", ".h", ".cpp", ".cu")


def includes():
    """(file, line number, line, included file) of all lines that include a file of ours."""
    for top in ("core", "server", "cuda", "static"):
        for path in sorted(pathlib.Path(top).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if match:
                    yield path.as_posix(), number, line, match.group(1)


def room(path):
    """core/ops/op.h: ("core", "ops"); server/main.c: ("server", None)."""
    parts = path.split("/")
    return parts[0], parts[1] if len(parts) > 2 else None


def fault(file, other):
    """Why the one must not include the other; None where it may."""
    (top, folder), (other_top, other_folder) = room(file), room(other)
    if not pathlib.Path(other).is_file():
        return "there is no such file, seen from the root of the repository"
    if top == "static" and other_top in ("core", "server"):  # it prints the tables of both
        return None
    if other_top == "tests" or (top != other_top and other_top != "core"):
        return f"{top}/ includes nothing of {other_top}/"
    rooms = {"core": CORE, "server": SERVER}.get(other_top)
    if rooms is not None and other_folder is not None and other_folder not in rooms:
        return f"{other_top}/{other_folder}/ has no place yet: tests/lint/imports.py says which folders there are"
    if top != other_top or top in ("cuda", "static"):
        return None
    if folder is None:
        name = pathlib.Path(file).stem
        if name in TOP or other_folder is None and pathlib.Path(other).stem in SHARED or name == pathlib.Path(other).stem:
            return None
        return f"only {TOP[0]} includes this"
    if folder not in rooms:
        return f"{top}/{folder}/ has no place yet: tests/lint/imports.py says which folders there are"
    if other_folder is None:
        return None if pathlib.Path(other).stem in SHARED else "the rooms do not include this"
    if folder != other_folder and other_folder not in rooms[folder]:
        return f"{top}/{folder}/ includes only " + (", ".join(rooms[folder]) or "itself")
    return None


def unit(file):
    """A header and its source are one."""
    return file.rsplit(".", 1)[0]


def circle_of(start, end, edges):
    """The shortest way from `end` back to `start`, as pairs, the first being (start, end); None where there is none."""
    before, queue = {end: None}, [end]
    for one in queue:
        if one == start:
            way = [one]
            while before[way[-1]] is not None:
                way.append(before[way[-1]])
            way = [start] + way[::-1]
            return list(zip(way, way[1:]))
        for two in edges.get(one, ()):
            if two not in before:
                before[two] = one
                queue.append(two)
    return None


def circles(lines):
    """For each line that closes a circle: the line, and the circle as the lines that it is made of."""
    edges, where = {}, {}
    for file, number, line, other in lines:
        pair = unit(file), unit(other)
        if pair[0] != pair[1] and pair not in where:
            edges.setdefault(pair[0], []).append(pair[1])
            where[pair] = f"{file}:{number}: {line.strip()}"
    for line in lines:
        start, end = unit(line[0]), unit(line[3])
        pairs = circle_of(start, end, edges) if start != end else None
        if pairs is not None:
            yield line, [where[pair] for pair in pairs]


def excepted(file, other):
    """The exception that a line falls under; None where there is none."""
    for one, two in EXCEPTIONS:
        if (file, other) == (one, two) or (one == two and file.startswith(one) and other.startswith(two)):
            return one, two
    return None


def main():
    lines = list(includes())
    if not lines:
        sys.exit("there is nothing here: run this in the root of the repository")
    bad, needed = False, set()
    for file, number, line, other in lines:
        why = fault(file, other)
        if why is not None and (file, other) in EXCEPTIONS:
            needed.add((file, other))
        elif why is not None:
            print(f"{file}:{number}: {line.strip()}\n    {why}")
            bad = True
    needed |= {excepted(line[0], line[3]) for line, _ in circles(lines)} - {None}
    told = set()
    for _, circle in circles([line for line in lines if excepted(line[0], line[3]) not in needed]):
        if told.isdisjoint(circle):
            print("a circle:\n    " + "\n    ".join(circle))
        told.update(circle)
        bad = True
    for file, other in sorted(EXCEPTIONS.keys() - needed):
        print(f"tests/lint/imports.py: the exception of {file} for {other} is not needed any more")
        bad = True
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

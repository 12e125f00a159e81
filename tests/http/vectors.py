"""What PyTorch found: the committed vectors, for the tests over HTTP."""

import json
import pathlib

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"


def read_vectors(folder=""):
    """Group (the file's name) and case of every line of tests/vectors/FOLDER/*.ndjson."""
    for path in sorted((VECTORS / folder).glob("*.ndjson")):
        with path.open(encoding="ascii") as lines:
            for line in lines:
                yield path.stem, json.loads(line)


def flat(values):
    """All numbers of nested lists, row-major."""
    return [number for part in values for number in flat(part)] if isinstance(values, list) else [values]

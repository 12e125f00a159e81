#!/usr/bin/python3
"""gradcheckd beside small Python services around PyTorch, and beside libmicrohttpd alone, on this machine, in one run.

    /usr/bin/python3 tests/bench/bench.py [--quick] [--only checks|encodings|class|beside|programs|training]

All get the same bytes over the same kind of connection. Nothing here fails because something is slow; only a wrong
verdict (or a curve that is not the peer's) is an error. `make bench` installs and builds what it needs.
"""

import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in ("http", "vectors", "load"))]

import beside_heavy  # noqa: E402
import encodings_of_checks  # noqa: E402
import large_checks  # noqa: E402
import light_checks  # noqa: E402
import peers  # noqa: E402
import program_checks  # noqa: E402
import table  # noqa: E402
import trainings  # noqa: E402
import whole_class  # noqa: E402
from daemon import Daemon  # noqa: E402

# What --only takes, and whose run(daemon, Python's service, FastAPI's, quick) measures it.
SUBJECTS = {"checks": (light_checks, large_checks), "encodings": (encodings_of_checks,), "class": (whole_class,),
            "beside": (beside_heavy,), "programs": (program_checks,), "training": (trainings,)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer repetitions")
    arguments.add_argument("--only", choices=SUBJECTS, help="leave out the rest")
    options = arguments.parse_args()
    with Daemon() as daemon, peers.torch_service() as torch_service, peers.fastapi_service() as fastapi_service:
        print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}. The peer is a Python service around PyTorch's autograd, "
              "where nothing else is said.\n")
        print(table.HEAD)
        for name, modules in SUBJECTS.items():
            for module in modules if options.only in (None, name) else ():
                module.run(daemon, torch_service, fastapi_service, options.quick)


if __name__ == "__main__":
    main()

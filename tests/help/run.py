"""Runs all tests/help/test_*.py against the program named by $GRADCHECKD, and says how many passed.

With Debian's Python where that has NumPy, which `make deps` installs: the examples of the pages want it.
"""

import os
import pathlib
import subprocess
import sys
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent), str(here.parent / "http")]
os.environ["GRADCHECKD"] = os.path.abspath(os.environ.get("GRADCHECKD", "build/gradcheckd"))
DEBIANS = "/usr/bin/python3"

import outcome

# What is tested is what stands here, not what a proxy of the machine makes of it.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]

with_arrays = subprocess.run([DEBIANS, "-c", "import numpy"], capture_output=True).returncode == 0
if with_arrays and not os.path.samefile(DEBIANS, sys.executable):
    os.execv(DEBIANS, [DEBIANS, __file__, *sys.argv[1:]])

pattern = "test_%s.py" % (sys.argv[1] if len(sys.argv) > 1 else "*")
outcome.run(unittest.defaultTestLoader.discover(str(here), pattern))

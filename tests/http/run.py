"""Runs all tests/http/test_*.py against the program named by $GRADCHECKD, and says how many passed."""

import os
import pathlib
import sys
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent)]
os.environ["GRADCHECKD"] = os.path.abspath(os.environ.get("GRADCHECKD", "build/gradcheckd"))

import outcome

pattern = "test_%s.py" % (sys.argv[1] if len(sys.argv) > 1 else "*")
outcome.run(unittest.defaultTestLoader.discover(str(here), pattern))

"""Runs all tests/backward/test_*.py against the program named by $GRADCHECKD, and says how many passed."""

import os
import pathlib
import sys
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent), str(here.parent / "http")]
os.environ["GRADCHECKD"] = os.path.abspath(os.environ.get("GRADCHECKD", "build/gradcheckd"))

import outcome

outcome.run(unittest.defaultTestLoader.discover(str(here), "test_*.py"))

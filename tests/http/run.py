"""Runs all tests/http/test_*.py against the program named by $GRADCHECKD, and says how many passed."""

import os
import pathlib
import sys
import unittest

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))
os.environ["GRADCHECKD"] = os.path.abspath(os.environ.get("GRADCHECKD", "build/gradcheckd"))


def main():
    pattern = "test_%s.py" % (sys.argv[1] if len(sys.argv) > 1 else "*")
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.discover(str(here), pattern))
    broken = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
    failed = len({getattr(test, "test_case", test).id() for test in broken})  # a test with two bad subtests is one
    skipped = len(result.skipped)
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    print("%d passed, %d failed, %d skipped" % (result.testsRun - failed - skipped, failed, skipped))
    sys.exit(0 if result.testsRun > 0 and failed == 0 else 1)


main()

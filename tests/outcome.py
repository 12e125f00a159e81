"""How the Python tests end: what was skipped and why, how many passed, and the exit status."""

import sys
import unittest


def run(suite):
    """Does not return. No test at all is a failure, too."""
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    broken = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
    failed = len({getattr(test, "test_case", test).id() for test in broken})  # a test with two bad subtests is one
    skipped = len(result.skipped)
    for test, reason in result.skipped:
        print("SKIPPED: %s: %s" % (test, reason))
    print("%d passed, %d failed, %d skipped" % (result.testsRun - failed - skipped, failed, skipped))
    sys.exit(0 if result.testsRun > 0 and failed == 0 else 1)

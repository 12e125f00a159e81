"""A few half-finished submissions; tests/http/half_finished.py sends any number."""

import unittest

from daemon import DaemonTest
from half_finished import send


class HalfFinished(DaemonTest):
    def test_each_is_graded(self):
        passed, explained = send(self.daemon, 400, seed=7)
        self.assertGreater(passed, 10)
        self.assertGreater(explained, 20)


if __name__ == "__main__":
    unittest.main()

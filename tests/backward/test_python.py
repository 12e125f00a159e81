"""What Python means by a student's code that NumPy has another word for: right work is right, and each line of it."""

import json
import unittest

from daemon import DaemonTest, post

PROGRAM = "z = X @ W + b\nloss = np.sum((z - y)**2)"
PARAMETERS = {"W": [[0.5, -1.0, 0.25], [2.0, 0.75, -0.5]], "b": [0.1, 0.2, 0.3]}
DATA = {"X": [[1.0, 2.5], [-0.5, 1.5]], "y": [[0.5, 1.0, -1.0], [0.25, 0.0, 2.0]]}

RIGHT = {
    "the sum along the first axis": "dz = 2 * (z - y)\ndW = X.T @ dz\ndb = sum(dz)",
}


class PythonTest(DaemonTest):
    def test_right_code(self):
        for name, code in RIGHT.items():
            with self.subTest(name):
                request = {"program": PROGRAM, "parameters": PARAMETERS, "data": DATA, "backward": code}
                answer = self.client().ask(post(json.dumps(request).encode()))
                self.assertEqual(answer.status, 200, answer.body)
                report = answer.json()
                self.assertTrue(report["passed"], report)
                self.assertEqual([line for line in report["lines"] if line["mark"] in ("wrong", "fault", "inherited")], [])


if __name__ == "__main__":
    unittest.main()

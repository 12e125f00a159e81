"""What must hold without a GPU: when test_device and bench_device skip and when they fail, and what `make` does with and
without a CUDA toolkit. Takes the folder of the build ($B), and says how many tests passed."""

import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("B", "build")).resolve()
PROGRAMS = [BUILD / "tests/cuda" / name for name in ("test_device", "bench_device")]
FAKE, STANDIN, OBJECT = BUILD / "tests/cuda/fake_object.so", BUILD / "gradcheckd-standin.so", BUILD / "gradcheckd-cuda.so"
SKIPPED = 77


class WhenTheyFailTest(unittest.TestCase):
    """On an object and a driver that say what they are told to say."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.nowhere = pathlib.Path(directory.name)
        # Found before any other, and not to be loaded: as if there were no driver, also where there is one.
        (self.nowhere / "libcuda.so.1").write_bytes(b"")

    def run_on(self, program, thing, *arguments, driver=True, **environment):
        libraries = BUILD / "tests/cuda/fake" if driver else self.nowhere
        variables = {**os.environ, "GRADCHECKD_CUDA": str(thing), "LD_LIBRARY_PATH": str(libraries), **environment}
        done = subprocess.run([program, *arguments], env=variables, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout, done.stderr

    def expect(self, status, words, thing, **how):
        for program in PROGRAMS:
            with self.subTest(program=program.name, thing=str(thing), **how):
                code, out, errors = self.run_on(program, thing, **how)
                self.assertEqual(code, status, out + errors)
                self.assertIn(words, out if status == SKIPPED else errors)
                self.assertEqual("SKIPPED" in out + errors, status == SKIPPED)

    def test_no_object_is_a_skip(self):
        self.expect(SKIPPED, "no object was built", self.nowhere / "gradcheckd-cuda.so", FAKE_DEVICES="1")

    def test_no_device_is_a_skip(self):
        self.expect(SKIPPED, "no NVIDIA driver", FAKE, driver=False)
        self.expect(SKIPPED, "is a stub", FAKE, FAKE_INIT="34")
        self.expect(SKIPPED, "finds no device", FAKE, FAKE_INIT="100", FAKE_DEVICES="1")
        self.expect(SKIPPED, "counts no devices", FAKE, FAKE_DEVICES="0")

    def test_what_does_not_work_on_a_device_fails(self):
        self.expect(1, "wrong numbers", FAKE, FAKE_DEVICES="1")
        self.expect(1, "wrong numbers", FAKE, FAKE_INIT="999")  # a driver that is there and broken

    def test_what_cannot_be_used_fails_with_or_without_a_device(self):
        (self.nowhere / "text.so").write_text("no library\n", encoding="ascii")
        for driver in (True, False):
            self.expect(1, "cannot be loaded", self.nowhere / "text.so", driver=driver)
            self.expect(1, "lacks gradcheckd_cuda_interface", BUILD / "tests/cuda/fake/libcuda.so.1", driver=driver)
            self.expect(1, "another version", FAKE, driver=driver, FAKE_OBJECT="version")

    def test_what_works_is_run(self):
        """The stand-in has devices of its own, and needs no driver."""
        test, bench = PROGRAMS
        code, out, errors = self.run_on(test, STANDIN, driver=False, CK_RUN_CASE="small_primitives")
        self.assertEqual(code, 0, out + errors)
        self.assertIn("100%", out)
        code, out, errors = self.run_on(bench, STANDIN, "--small", driver=False)
        self.assertEqual(code, 0, out + errors)
        self.assertIn("core", out)

    def test_a_suite_that_fails_is_no_skip(self):
        failure = self.nowhere / "fail"
        failure.write_text("30 device", encoding="ascii")
        code, out, errors = self.run_on(PROGRAMS[0], STANDIN, driver=False, CK_RUN_CASE="passes",
                                        GRADCHECKD_TEST_STANDIN_FAIL=str(failure))
        self.assertEqual(code, 1, out + errors)
        self.assertFalse(failure.exists())


def main():
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    broken = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
    failed = len({getattr(test, "test_case", test).id() for test in broken})  # a test with two bad subtests is one
    skipped = len(result.skipped)
    for test, reason in result.skipped:
        print("SKIPPED: %s: %s" % (test, reason))
    print("%d passed, %d failed, %d skipped" % (result.testsRun - failed - skipped, failed, skipped))
    sys.exit(0 if result.testsRun > 0 and failed == 0 else 1)


if __name__ == "__main__":
    main()

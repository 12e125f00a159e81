"""What must hold without a GPU: when test_device and bench_device skip and when they fail, and what `make` does with and
without a CUDA toolkit. Takes the folder of the build ($B), and says how many tests passed."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("B", "build")).resolve()
PROGRAMS = [BUILD / "tests/cuda" / name for name in ("test_device", "bench_device")]
FAKE, STANDIN, OBJECT = BUILD / "tests/cuda/fake_object.so", BUILD / "gradcheckd-standin.so", BUILD / "gradcheckd-cuda.so"
SKIPPED = 77


def without_make(**more):
    """The environment, less what the make that runs this test tells the makes that it starts."""
    return {**{name: value for name, value in os.environ.items() if name not in ("B", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}, **more}


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


class ToolkitTest(unittest.TestCase):
    """`make cuda` with an nvcc that is not there, does not suffice, or (as far as make can tell) works."""

    NVCC = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/called"
[ -z "$FAKE_ERROR" ] || { echo "/tmp/x/probe.cu:2:2: error: $FAKE_ERROR" >&2; echo '1 error' >&2; exit 1; }
case "$*" in *--dryrun*) echo '#$ _HERE_=/elsewhere' >&2; echo "#$ TOP=$(dirname "$0")/.." >&2; exit 0;; esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done
"""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name).resolve()
        root = pathlib.Path(__file__).resolve().parents[2]
        shutil.copy(root / "Makefile", self.root)
        for name in ("cuda", "core"):
            shutil.copytree(root / name, self.root / name)
        self.object = self.root / "build/gradcheckd-cuda.so"
        self.object.parent.mkdir()
        self.toolkit = self.root / "toolkit"
        (self.toolkit / "bin").mkdir(parents=True)
        (self.toolkit / "lib64").mkdir()
        (self.toolkit / "lib64/libcublas.so").touch()
        (self.toolkit / "bin/nvcc").write_text(self.NVCC, encoding="ascii")
        (self.toolkit / "bin/nvcc").chmod(0o755)

    def make(self, nvcc, **environment):
        variables = without_make(**environment, PATH="%s:%s" % (self.toolkit / "bin", os.environ["PATH"]))
        done = subprocess.run(["make", "cuda", "NVCC=" + nvcc], cwd=self.root, env=variables, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def calls(self):
        called = self.toolkit / "bin/called"
        lines = called.read_text(encoding="utf-8").splitlines() if called.exists() else []
        called.unlink(missing_ok=True)
        return lines

    def test_none(self):
        for nvcc, reason in (("", "no nvcc here"), ("/nonexistent/nvcc", "/nonexistent/nvcc is not there")):
            self.assertEqual(self.make(nvcc), "  %s: no CUDA backend is built, passes run on the CPU\n" % reason)
            self.assertFalse(self.object.exists())

    def test_an_object_of_an_earlier_build_stays(self):
        """As where `sudo make install` does not find the nvcc that has built it. The daemon knows whether it fits."""
        self.object.touch()
        self.make("")
        self.assertTrue(self.object.exists())

    def test_too_old_or_without_cublas(self):
        for reason in ("#error CUDA 13 is needed", "cublas_v2.h: No such file or directory"):
            said = self.make("nvcc", FAKE_ERROR=reason)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertIn(reason, said)
            self.assertIn("passes run on the CPU", said)
            self.assertFalse(self.object.exists())
        self.make("nvcc")  # mended since
        self.assertTrue(self.object.exists())
        self.make("nvcc", FAKE_ERROR="not asked again")
        self.assertTrue(self.object.exists())

    def test_by_name_and_by_path(self):
        for nvcc in ("nvcc", str(self.toolkit / "bin/nvcc")):
            self.object.unlink(missing_ok=True)
            self.make(nvcc)
            line = self.calls()[-1]
            self.assertTrue(self.object.exists())
            first, second = line.index("-rpath=$ORIGIN"), line.index("-rpath=%s" % (self.toolkit / "lib64"))
            self.assertLess(first, second)
        self.make(nvcc)
        self.assertEqual(self.calls(), [])

    def test_other_architectures_are_built_anew(self):
        self.make("nvcc")
        self.calls()
        self.make("nvcc", CUDA_ARCHS="80")
        self.assertIn("sm_80", self.calls()[-1])

    def test_another_nvcc_is_tried_anew(self):
        self.make("nvcc")
        with open(self.toolkit / "bin/nvcc", "a", encoding="ascii") as script:
            script.write("# of another version\n")
        self.assertIn("of another version", self.make("nvcc", FAKE_ERROR="of another version"))


class ObjectTest(unittest.TestCase):
    """What `make` built, loaded as the daemon does it."""

    def setUp(self):
        if not OBJECT.exists():
            self.skipTest("no CUDA toolkit here" if BUILD.name == "build" else "no CUDA object among the builds for sanitizers")

    def test_it_loads_and_knows_whether_there_is_a_device(self):
        thing = ctypes.CDLL(str(OBJECT), mode=os.RTLD_NOW)  # with all that it needs, or OSError
        for name in ("interface", "backend", "trial", "failure", "describe"):
            self.assertTrue(hasattr(thing, "gradcheckd_cuda_" + name), name)
        backend = thing.gradcheckd_cuda_backend
        backend.restype = ctypes.c_void_p
        why = ctypes.create_string_buffer(256)
        for dtype in range(2):
            found = backend(dtype, why, ctypes.c_size_t(len(why)))
            self.assertNotEqual(found is None, why.value == b"", why.value)
        code, out, errors = self.judge()
        self.assertEqual(code, SKIPPED if found is None else 0, out + errors)

    def judge(self):
        """On a device a few tests, so that this takes seconds; `make test-cuda` runs all of them."""
        variables = {**os.environ, "GRADCHECKD_CUDA": str(OBJECT), "CK_RUN_CASE": "small_primitives"}
        done = subprocess.run([PROGRAMS[0]], env=variables, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout, done.stderr

    def test_it_is_installed(self):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["make", "install", "DESTDIR=" + directory, "PREFIX=/p"], env=without_make(), check=True,
                           cwd=pathlib.Path(__file__).resolve().parents[2], stdout=subprocess.DEVNULL, timeout=600)
            self.assertTrue(pathlib.Path(directory, "p/lib/gradcheckd/gradcheckd-cuda.so").exists())
            self.assertTrue(pathlib.Path(directory, "p/bin/gradcheckd").exists())

    def test_libraries_beside_it_come_first(self):
        listed = subprocess.run(["readelf", "-d", OBJECT], capture_output=True, text=True, check=True).stdout
        path = next(line for line in listed.splitlines() if "RUNPATH" in line)
        self.assertIn("[$ORIGIN", path)
        self.assertEqual(sum("libcublas.so.13" in line for line in listed.splitlines()), 1, listed)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    import outcome

    outcome.run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))

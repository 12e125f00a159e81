"""What the recipes are tried on: a lab, students with their work, and a service in every state that it may be in.

Recipes are run as they are; only paths of a platform's container and the address in them are put in the place of others.
"""

import concurrent.futures
import contextlib
import functools
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

import test_formats
from daemon import PROGRAM
from fake import Fake

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "static" / "help" / "recipes"
CLIENT = (ROOT / "static" / "client.py").read_text(encoding="utf-8")

LAB = test_formats.ASSIGNMENT
BROKEN = dict(LAB, network=dict(LAB["network"], loss="square"))  # the course's fault: a 400
TOKEN = "6f1ed002ab5595859014ebf0951522d9"

# ---- students ----

RIGHT = """
import numpy as np

def backward(params, X, Y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    dp = 2 * (h @ params["W2"] + params["b2"] - Y) / Y.size
    dh = dp @ params["W2"].T
    dz = dh * (1 - h**2)
    grads = {"W2": h.T @ dp, "b2": dp.sum(0), "W1": X.T @ dz, "b1": dz.sum(0)}
    return grads
"""


def changed(old, new):
    assert RIGHT.count(old) == 1
    return RIGHT.replace(old, new)


STUDENTS = {
    "right": RIGHT,
    "wrong": changed("dh * (1 - h**2)", "dh"),
    "crash": changed("return", "raise ValueError('I am <lost> \\x1b[31m')\n    return"),
    "silent": changed("return", "import os; os._exit(0)\n    return"),
    "empty": changed("return grads", "return {}"),
    "syntax": "def backward(",
    "not finite": changed("return", "grads.update(W1=np.full((2, 3), np.nan), b1=-np.full(3, np.inf))\n    return"),
    "chatty": 'import sys\nprint(\'{"scores": {"W1": 99}}\', flush=True)\nsys.stderr.write("no end of line")\n' + RIGHT,
    "hostile": "import json\n" + changed("return", "grads.update({name: 1 for name in json.loads(%r)})\n    return" % json.dumps(test_formats.HOSTILE)),
}
GIVE_NOTHING = {"crash", "silent", "empty", "syntax"}

NO_NUMPY = RIGHT + "# where NumPy is missing\n"

# Never ends; that its time is up, `timeout` hears at once.
ENDLESS = "import os, signal, time\nos.kill(os.getppid(), signal.SIGALRM)\nwhile True: time.sleep(1)"

# Puts an easier lab, and programs that find everything right, in the place of what lies where the lab does.
FORGER = """
import json, os, pathlib, sys

lab = pathlib.Path(sys.argv[1])
easy = dict(json.loads(lab.read_text()), tolerance={"atol": 1e9, "rtol": 0})
os.replace(lab, str(lab) + ".was")
lab.write_text(json.dumps(easy))
for program in ("gradcheckd", "gradcheckd.py"):
    program = lab.resolve().parent / program
    if program.exists():
        program.unlink()
        program.write_text("#!/bin/sh\\nexit 0\\n" if program.suffix == "" else "")
        program.chmod(0o755)
""" + STUDENTS["wrong"]

RUNNER = "run_student.py"


@functools.lru_cache(None)
def ran(student):
    """What became of a student's code, by the recipe that runs it."""
    with folder() as here:
        lay(here, student)
        return run([python(), recipe(RUNNER, here), "lab.json"], here)


def gradients(student):
    """What a student hands in."""
    done = ran(student)
    return json.loads(done.stdout.strip() or "[]")


@functools.lru_cache(None)
def report(student):
    """What is to be said of that, as JSON."""
    request = json.dumps(dict(LAB, gradients=gradients(student)))
    done = subprocess.run([PROGRAM, "check", "-"], input=request.encode(), capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done
    return json.loads(done.stdout)


def lay(here, student, lab=LAB):
    """A folder with the lab and a student's work."""
    (here / "lab.json").write_text(json.dumps(lab))
    (here / "student.py").write_text(STUDENTS.get(student, student))


def runner(here, student):
    """The recipe that runs students' code; or, since that loads NumPy each time, a stand-in which prints what it did print for this student."""
    if student == NO_NUMPY:
        (here / "numpy.py").write_text("raise ModuleNotFoundError(\"No module named 'numpy'\")")
    if student not in STUDENTS or student in ("right", "crash"):
        return recipe(RUNNER, here)
    done = ran(student)
    lines = ["import os", "os.write(1, %r)" % done.stdout, "os.write(2, %r)" % done.stderr, "os._exit(%d)" % done.returncode]
    (here / RUNNER).write_text("\n".join(lines))
    return here / RUNNER


# ---- recipes ----


def text(name, *replaced):
    """A recipe with pairs (old, new) put in: each old one is there."""
    found = (RECIPES / name).read_text(encoding="utf-8")
    for old, new in replaced:
        assert old in found, "%s has no %s" % (name, old)
        found = found.replace(old, str(new))
    return found


def recipe(name, here, *replaced, called=None):
    """... as a file in a folder; returns its path."""
    path = here / (called or name)
    path.write_text(text(name, *replaced), encoding="utf-8")
    path.chmod(0o755)
    return path


def steps(name):
    """The steps of a workflow, or the jobs of a pipeline."""
    import yaml

    return yaml.safe_load(text(name))


# ---- running them ----


@contextlib.contextmanager
def folder():
    """One that any user may look into, as a container's are."""
    with tempfile.TemporaryDirectory() as name:
        here = pathlib.Path(name).resolve()
        here.chmod(0o755)
        yield here


def python():
    return sys.executable


@functools.lru_cache(None)
def tools():
    """A folder with what a platform's image has: gradcheckd, Python, and su, which here may not be allowed to become another user."""
    held = tempfile.TemporaryDirectory()
    here = pathlib.Path(held.name)
    here.chmod(0o755)
    (here / "gradcheckd").symlink_to(PROGRAM)
    (here / "python3").symlink_to(python())
    if os.getuid() != 0:
        (here / "su").write_text('#!/bin/sh\n[ "$1 $2 $3 $4" = "nobody -s /bin/sh -c" ] && exec /bin/sh -c "$5"\n')
        (here / "su").chmod(0o755)
    for name, words in (("patient", ""), ("impatient", "retry-max-time = 1\n")):
        (here / name).mkdir()
        (here / name / ".curlrc").write_text(words)
    return here, held


def run(command, here, impatient=False, **variables):
    """A command in a folder, in an environment of its own; programs in bin/ there come first. Impatient: curl gives up after a second."""
    bin = tools()[0]
    environment = {"PATH": "%s:%s:/usr/local/bin:/usr/bin:/bin" % (here / "bin", bin), "HOME": str(here), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
                   "OPENBLAS_NUM_THREADS": "1"}
    environment.update({name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")})  # what the machine needs
    environment.update(CURL_HOME=str(bin / ("impatient" if impatient else "patient")), **{name: str(value) for name, value in variables.items()})
    return subprocess.run([str(word) for word in command], cwd=here, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def stand_in(name, script, here):
    """A script that is run in a program's place in a folder."""
    (here / "bin").mkdir()
    (here / "bin" / name).write_text("#!/bin/sh\n" + script)
    (here / "bin" / name).chmod(0o755)


def together(jobs):
    """Runs functions by name at the same time, as most of them wait; their results by name."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: job.result() for name, job in running.items()}


# ---- the service ----


@contextlib.contextmanager
def service(state, daemon, asked=None):
    """The address of a service that is up, late (503 at first), sick (503 always), tired (503 after two answers) or down. `asked` gets what it was asked."""
    url = "http://127.0.0.1:%d" % daemon.port
    if state == "up":
        yield url
    elif state == "down":
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            yield "http://127.0.0.1:%d" % closed.getsockname()[1]
    else:
        problem = json.dumps({"type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "overloaded", "detail": "Too many."})
        busy = (503, {"Content-Type": "application/problem+json", "Retry-After": "0"}, problem.encode())

        def pass_on(handler):
            method, path, headers, body = fake.requests[-1]
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
            kept = {name: headers[name] for name in ("Content-Type", "Authorization", "Accept") if name in headers}
            connection.request(method, path, body, kept)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            handler.send_response(answer.status)
            handler.send_header("Content-Type", answer.headers["Content-Type"])
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        with Fake(*{"late": [busy, pass_on], "sick": [busy], "tired": [pass_on, pass_on, busy]}[state]) as fake:
            yield fake.url
            if asked is not None:
                asked.extend(fake.requests)


# ---- judging what they leave ----


def judge(rules, rule, student, document):
    """Holds a document against the rules of its format, as tests/http/test_formats.py has them for the service's own answers."""
    judge = rules()
    judge.reports = {student: report(student)}
    judge.document = lambda name, query: document
    judge.object = lambda name, query: judge.read(document)
    getattr(judge, rule)()

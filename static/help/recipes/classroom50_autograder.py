# Classroom 50: autograder.py of an assignment. Beside it: lab.json, run_student.py, and gradcheckd.py, which is /client.py.
# The student's code runs as the grader's own user: no token here, and who means to can forge the result, though not by changing these files.
import datetime, json, os, pathlib, shutil, subprocess, sys, tempfile

here, env = pathlib.Path(__file__).parent, os.environ
own = pathlib.Path(shutil.copytree(here, tempfile.mkdtemp() + "/own"))  # as it was before
student = subprocess.run(["timeout", "-v", "60", sys.executable, here / "run_student.py", here / "lab.json"], stdout=subprocess.PIPE)
pathlib.Path("gradients.json").write_bytes(b"[]" if student.stdout == b" " else student.stdout)  # a space alone: it failed
check = [sys.executable, own / "gradcheckd.py", own / "lab.json", "gradients.json", "--format", "classroom50"]
check = subprocess.run(check, stdout=subprocess.PIPE, env={**env, "GRADCHECKD_URL": "https://gradcheckd.example.edu"})
if check.returncode not in (0, 1):
    sys.exit("Not graded: %s" % check.stdout.decode())  # the runner notes an error, and no score
result = {"schema": "classroom50/result/v1", "classroom": env["CLASSROOM"], "assignment": env["ASSIGNMENT"]}
result.update(submission=env["SUBMISSION_TAG"], commit=env["COMMIT_URL"], release=env["RELEASE_URL"])
result.update(review=env.get("REVIEW_URL") or env["COMMIT_URL"], **json.loads(check.stdout))
result["datetime"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
pathlib.Path("result.json").write_text(json.dumps(result))

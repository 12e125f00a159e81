# CodeRunner (Moodle): the template of a question, a combinator, whose grader is the template grader. Support files: lab.json and
# run_student.py. gradcheckd is on the Jobe server. Without JSON, CodeRunner says that the question is at fault.
import html, json, subprocess

def run(*words):
    return subprocess.run(words, capture_output=True, text=True, errors="replace")

with open("student.py", "w") as file:
    file.write("""{{ STUDENT_ANSWER | e('py') }}""")
student = run("timeout", "-v", "10", "python3", "run_student.py", "lab.json")
with open("gradients.json", "w") as file:
    file.write(student.returncode == 0 and student.stdout or "[]")  # []: nothing handed in
check = run("gradcheckd", "check", "lab.json", "--gradients", "gradients.json", "--format", "coderunner")
said = {"epiloguehtml": "<pre>%s</pre>" % html.escape(student.stderr[-5000:])}
print(json.dumps({**json.loads(check.stdout), **said}) if check.returncode in (0, 1) else "Not graded: " + check.stderr)

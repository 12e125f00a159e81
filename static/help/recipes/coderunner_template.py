# CodeRunner (Moodle): the template of a question, a combinator, whose grader is the template grader. Support files: lab.json and
# run_student.py. gradcheckd is on the Jobe server. Without JSON, CodeRunner says that the question is at fault.
# The student's code runs as the grader's own user. The lab is read before; who means to can forge the output all the same.
import html, json, subprocess

def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, errors="replace", **options)

lab = open("lab.json").read()
with open("student.py", "w") as file:
    file.write("""{{ STUDENT_ANSWER | e('py') }}""")
student = run("timeout", "-v", "10", "python3", "run_student.py", "lab.json")
with open("gradients.json", "w") as file:
    file.write("[]" if student.stdout == " " else student.stdout)  # a space alone: the student's code failed, and nothing is handed in
check = run("gradcheckd", "check", "-", "--gradients", "gradients.json", "--format", "coderunner", input=lab)
said = student.stderr[-5000:]
graded = check.returncode in (0, 1)
print(json.dumps({**json.loads(check.stdout), "epiloguehtml": "<pre>%s</pre>" % html.escape(said)}) if graded else "Not graded: " + check.stderr + said)

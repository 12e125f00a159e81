# Autolab: autograde-Makefile. autograde.tar has lab.json and run_student.py, the image gradcheckd. What is handed in is student.py.
# The last line of the output has the scores. Where the check cannot be made it has none, and Autolab gives none.
# The student's code runs as the grader's own user. The lab is read before; who means to can forge the output all the same.
all:
	@tar xf autograde.tar
	@lab=$$(cat lab.json); \
	timeout -v 20 python3 run_student.py lab.json > gradients.json 2> said.txt; \
	sed -i 's/^ $$/[]/' gradients.json; : a space alone is a failure of the student, and nothing handed in; \
	tail -c 5000 said.txt; echo; \
	printf %s "$$lab" | gradcheckd check - --gradients gradients.json --format autolab 2>&1; [ $$? -lt 2 ] || echo "Not graded: tell the staff."

# Autolab: autograde-Makefile. autograde.tar has lab.json, run_student.py and gradcheckd; what is handed in is student.py.
# The last line of the output has the scores. Where the check cannot be made it has none, and Autolab gives none.
all:
	@tar xf autograde.tar
	@timeout -v 20 python3 run_student.py lab.json > gradients.json 2> said.txt || : > gradients.json
	@[ -s gradients.json ] || echo '[]' > gradients.json # nothing handed in
	@tail -c 5000 said.txt; echo
	@./gradcheckd check lab.json --gradients gradients.json --format autolab 2>&1; [ $$? -lt 2 ] || echo "Not graded: tell the staff."

#!/bin/sh
# Submitty: a custom validator, in custom_validation_code/ with lab.json and gradcheckd. The test case runs "python3 run_student.py lab.json",
# and its validation is {"method": "custom_validator", "command": "sh submitty_grade.sh", "actual_file": "STDOUT.txt"}.
# Where the student's code runs as the grader's own user, who means to can forge what is graded.
file=$(python3 -c 'import json; print(json.load(open("custom_validator_input.json"))["testcase_prefix"])')/STDOUT.txt
sed 's/^ $/[]/' "$file" > gradients.json # a space alone: the student's code failed, and nothing is handed in
./gradcheckd check lab.json --gradients gradients.json --format submitty > report.json 2> why.txt
if [ $? -lt 2 ]; then
    mv report.json validation_results.json
else # goes to the log, and gives no score
    python3 -c 'import json; print(json.dumps({"status": "failure", "message": open("why.txt").read()}))' > validation_results.json
fi

#!/bin/sh
# Submitty: a custom validator, in custom_validation_code/ with lab.json and gradcheckd. The test case runs "python3 run_student.py lab.json",
# and its validation is {"method": "custom_validator", "command": "sh submitty_grade.sh", "actual_file": "STDOUT.txt"}.
file=$(python3 -c 'import json; print(json.load(open("custom_validator_input.json"))["testcase_prefix"])')/STDOUT.txt
[ -s "$file" ] || { echo '[]' > nothing.json && file=nothing.json; } # the code did not run
./gradcheckd check lab.json --gradients "$file" --format submitty > report.json 2> why.txt
if [ $? -lt 2 ]; then
    mv report.json validation_results.json
else # goes to the log, and gives no score
    python3 -c 'import json; print(json.dumps({"status": "failure", "message": open("why.txt").read()}))' > validation_results.json
fi

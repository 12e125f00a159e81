#!/bin/sh
# PrairieLearn, external grader without a network: /grade/tests/grade.sh, in an image that has gradcheckd, jq and NumPy.
# Beside it: lab.json and run_student.py. info.json: "externalGradingOptions": {"image": ..., "entrypoint": "/grade/tests/grade.sh"}
mkdir -p /grade/results && cd /grade/student || exit
T=$(mktemp -d)
not_graded() { jq -n --arg why "$1" '{gradable: false, format_errors: [$why]}' > "$T/report"; } # costs no attempt
su nobody -s /bin/sh -c 'timeout -v 20 python3 /grade/tests/run_student.py /grade/tests/lab.json' > "$T/gradients" 2> "$T/said"
if [ "$(head -c 2 "$T/gradients")" = ' ' ]; then # a space alone
    not_graded "Your code did not run: $(tail -c 2000 "$T/said")"
else
    gradcheckd check /grade/tests/lab.json --gradients "$T/gradients" --format prairielearn > "$T/report" 2>> "$T/said"
    [ $? -lt 2 ] || not_graded "Not graded, tell the staff: $(tail -c 2000 "$T/said")"
fi
mv "$T/report" /grade/results/results.json

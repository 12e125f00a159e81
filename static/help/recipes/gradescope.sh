#!/usr/bin/env bash
# Gradescope: the file run_autograder, for a service that the autograder reaches over the network.
# Beside it: lab.json, run_student.py, url (a line: http://HOST:PORT) and token (a line: Authorization: Bearer ...).
# setup.sh installs curl, jq and python3-numpy. The student's code runs as nobody, who cannot read the token.
S=/autograder/source R=/autograder/results T=$(mktemp -d)
mkdir -p $R && rm -f $R/results.json && chmod 600 $S/token && cd /autograder/submission || exit
su nobody -s /bin/sh -c "timeout -v 60 python3 $S/run_student.py $S/lab.json" > "$T/gradients" 2> "$T/said"
sed -i 's/^ $/[]/' "$T/gradients" # a space alone: the student's code failed, and nothing is handed in
if curl -sS --fail --retry 5 --retry-connrefused --max-time 60 -H @$S/token -F request=@$S/lab.json -F "gradients=@$T/gradients" \
    "$(cat $S/url)/v1/check?format=gradescope&hints=after_due_date" -o "$T/report"; then
    jq --arg said "$(tail -c 5000 "$T/said")" '.output += "\n" + $said' "$T/report" > $R/results.json
else
    echo "Not graded: there is no report. Run the autograder again."
    tail -c 5000 "$T/said"
    exit 1 # without results.json Gradescope says that the autograder failed, and gives no score
fi

#!/bin/sh
# Any shell: sh curl.sh gradients.json prints the report, and exits with 0 (passed), 1 (not passed) or 75 (not graded: try again).
# lab.json is the request without gradients. The gradients may be npz, npy, safetensors or JSON. TOKEN is needed where the service has tokens.
rm -f report.txt
answer=$(printf %s "${TOKEN:+Authorization: Bearer $TOKEN}" | # not among curl's arguments, which all may read
    curl -sS --retry 5 --retry-connrefused --max-time 60 -H @- -F request=@lab.json -F "gradients=@\"${1:-gradients.json}\"" \
    "${URL:-http://127.0.0.1:8080}/v1/check?format=text&strict=1" -o report.txt -w '%{http_code} %{content_type}')
[ -f report.txt ] && cat report.txt
case $answer in
    '200 text/plain'*) exit 0 ;;
    '422 text/plain'*) exit 1 ;;
    *) echo "Not graded." >&2 && exit 75 ;;
esac

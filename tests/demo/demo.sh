#!/bin/sh
# Starts the daemon on a free port and checks the lab's XOR network twice: with right gradients, and with the classic mistake of
# a bias gradient that is not summed over the batch. With a terminal it stays until Ctrl-C, otherwise it ends.
set -eu

here=$(dirname "$0")
program=${GRADCHECKD:-build/gradcheckd}
output=$(mktemp)
daemon=

finish() {
    trap - EXIT INT TERM
    if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null || true; fi
    if [ -n "$daemon" ]; then wait "$daemon" 2>/dev/null || true; fi
    rm -f "$output"
}
trap finish EXIT
trap 'finish; exit 0' INT TERM

"$program" --listen 127.0.0.1:0 >"$output" &
daemon=$!

address=
tries=0
while [ -z "$address" ]; do
    address=$(sed -n 's/^gradcheckd .* listening on //p' "$output")
    [ -n "$address" ] && break
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$daemon" 2>/dev/null; then
        echo "the daemon did not start" >&2
        exit 1
    fi
    sleep 0.1
done

echo "gradcheckd is running at $address"
echo
echo "--- the lab's network (2-3-2-1 on XOR, seed 42), right gradients:"
curl -sS --fail-with-body --json "@$here/right.json" "$address/v1/check?format=text&strict=1"
echo
echo "--- the same, but the bias gradients were not summed over the batch:"
curl -sS --json "@$here/wrong.json" "$address/v1/check?format=text"
echo
echo "Try it:"
echo "  curl --json @$here/wrong.json '$address/v1/check?format=text'"
echo "  in a browser: $address/"

if [ -t 0 ]; then
    echo "Ctrl-C ends it."
    wait "$daemon"
fi

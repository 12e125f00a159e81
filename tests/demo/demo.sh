#!/bin/sh
# Starts the daemon on a free port and checks the lab's XOR network: with right gradients, and with each of the four mistakes
# that are made most often in it; and the lab's single neuron step by step. With a terminal it stays until Ctrl-C, otherwise it ends.
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
echo "--- the lab's single neuron as a program, step by step:"
curl -sS --fail-with-body --json "@$here/neuron.json" "$address/v1/check?format=text&strict=1"

wrong() {
    echo
    echo "--- the same, but $2:"
    curl -sS --json "@$here/$1.json" "$address/v1/check?format=text"
}
wrong transposed "the factors of each weight's product are in the wrong order"
wrong bias-not-summed "the bias gradients are not summed over the batch"
wrong relu-at-zero "the ReLU passes the gradient on at exactly 0"
wrong not-averaged "the loss gradient is not divided by the batch size"
echo
echo "Try it while a daemon runs (make run):"
echo "  curl --json @$here/relu-at-zero.json 'http://127.0.0.1:8080/v1/check?format=text'"

if [ -t 0 ]; then
    echo "This one stays at $address/ until Ctrl-C."
    wait "$daemon"
fi

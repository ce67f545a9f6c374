# shellcheck shell=bash
# What the scripts of system tests share; sourced by them. Gives each a folder of its own, which goes with it, as does the
# server whose pid is in $server.
build=$(pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/rackkv-test-XXXXXX")
passed=0
failed=0
server=

cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
    rm -rf "$folder"
}
trap cleanup EXIT

# expect NAME EXPECTED_EXIT_CODE EXPECTED_OUTPUT COMMAND...
expect() {
    local name=$1 code=$2 output=$3 got result=0
    shift 3
    got=$("$@" 2>&1) || result=$?
    if [ "$result" = "$code" ] && [[ $got == *"$output"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  command: %s\n  exit code %s, expected %s\n  printed: %s\n  expected: %s\n' \
            "$name" "$*" "$result" "$code" "$got" "$output"
    fi
}

# Waits for a line of the server's, with a deadline; prints the port.
wait_for_port() {
    local deadline=$((SECONDS + 60)) port=
    while [ $SECONDS -lt $deadline ]; do
        port=$(sed -n 's|.*serving on http://127.0.0.1:\([0-9]*\).*|\1|p' "$folder/diag")
        [ -z "$port" ] || break
        read -r -t 0.02 <> <(:) || :
    done
    printf '%s' "$port"
}

# stop_process PID: sends SIGSTOP and waits, with a deadline, until none of its threads runs any more, which is some time
# after kill has returned.
stop_process() {
    local deadline=$((SECONDS + 20))
    kill -STOP "$1"
    while [ $SECONDS -lt $deadline ] && grep -qs '^State:[[:space:]]*[^T[:space:]]' "/proc/$1/task/"*/status; do
        read -r -t 0.005 <> <(:) || :
    done
}

# Prints the sum, which is what the run counts; the exit code says whether all is well.
conclude() {
    printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}

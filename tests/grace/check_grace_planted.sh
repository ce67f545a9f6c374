#!/bin/sh
# Each bug that is planted in the grace periods must turn their torture red within 20 seconds, and for its own reason.
set -u

failed=0
output=$(mktemp "${TMPDIR:-/tmp}/rackkv-planted-XXXXXX") || exit 1
trap 'rm -f "$output"' EXIT

# expect NAME FORM TEXT: the torture with the bug fails, and says the text.
expect() {
    RK_TORTURE_SECONDS=20 TSAN_OPTIONS=halt_on_error=1 timeout 40 "./grace_torture_$1" "$2" >"$output" 2>&1
    status=$?
    if [ $status -ne 0 ] && [ $status -ne 124 ] && grep -Eq "$3" "$output"; then
        echo "ok: $1 ($2): $(grep -E "$3" "$output" | head -n 1)"
    else
        echo "FAILED: $1 ($2) was not noticed; exit status $status"
        tail -n 20 "$output"
        failed=1
    fi
}

expect free_without_grace processes 'reclaimed under a reader|torn'
expect free_without_grace threads 'reclaimed under a reader|torn|data race'
expect dead_slot_not_cleared processes 'grace periods do not go on|incarnations'
expect lost_wakeup processes 'grace periods do not go on'
exit $failed

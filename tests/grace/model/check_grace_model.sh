#!/bin/sh
# Checks the model of grace periods exhaustively, and that spin finds each mistake that is planted in it.
#
#   check_grace_model.sh          the model and all its variants
#   TROUBLE=2 check_grace_model.sh    two kills or stops in each run of the progress part, not one: some four times as long
#
# Exit code 77 (skipped) without spin or a C compiler.
set -u

model=${srcdir:-.}/tests/grace/model/grace.pml
[ -r "$model" ] || model=$(dirname "$0")/grace.pml
model=$(realpath "$model")
compiler=${CC:-cc}
if ! command -v spin >/dev/null || ! command -v "${compiler%% *}" >/dev/null; then
    echo "skipped: spin and a C compiler are needed (Debian: spin)"
    exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rackkv-model-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# verify COMPILER_FLAGS RUN_FLAGS DEFINES...: prints found, clean, or why neither can be said. Partial order reduction
# is off: spin does not vouch for it together with "provided" and "unless".
verify() {
    compile=$1 run=$2
    shift 2
    spin "$@" -a "$model" >spin.out 2>&1 || { echo "spin failed: $(head -n 1 spin.out)"; return; }
    # shellcheck disable=SC2086 # both are lists of flags
    $compiler -O1 -w -DNOREDUCE $compile -o pan pan.c >cc.out 2>&1 || { echo "cc failed: $(head -n 1 cc.out)"; return; }
    # shellcheck disable=SC2086
    ./pan -n -m300000 -w22 $run >pan.out 2>&1
    if grep -Eq 'assertion violated|acceptance cycle' pan.out; then
        echo found
    elif grep -q 'errors: 0' pan.out && ! grep -Eq 'not completed|too small|out of memory|MEMLIM' pan.out; then
        echo clean
    else
        echo "search not completed: $(tail -n 1 pan.out)"
    fi
}

# expect RESULT KIND DEFINES...
expect() {
    expected=$1 kind=$2
    shift 2
    if [ "$kind" = safety ]; then
        result=$(verify -DSAFETY '' "$@")
    else
        result=$(verify -DNFAIR=3 '-a -f' -DLIVE "-DTROUBLE=${TROUBLE:-1}" "$@")
    fi
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out)
    if [ "$result" = "$expected" ]; then
        echo "ok: $kind ${*:-as it is}: $result, ${states:-no} states"
    else
        echo "FAILED: $kind ${*:-as it is}: $result; expected: $expected"
        failed=1
    fi
}

expect clean safety
for mistake in FREE_WITHOUT_GRACE CLEAR_BEFORE_DEATH TICKET_OF_RUNNING PASS_BEFORE_WAIT BORN_AHEAD WANTED_RELAXED \
    STARTED_RELAXED NO_FENCE; do
    expect found safety -D$mistake
done
expect clean progress
for mistake in DEAD_NOT_CLEARED SLEEP_UNCOMPARED NO_WAKE; do
    expect found progress -D$mistake
done
expect clean progress -DSLEEP_UNCOMPARED -DBELT
exit $failed

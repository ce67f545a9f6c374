#!/usr/bin/env bash
# Builds the tree with each of the planted bugs (src/base/base_planted.h) in turn, in a temporary folder, and runs the tests
# that must notice it. A test that stays green with the bug in it fails here, and so does a bug that no test is named for.
#
#   check_planted.sh [NAME...]      all of them, or these
set -u
source_dir=$(cd "${srcdir:-.}" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/rackkv-planted-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# The tests that must turn red; each must by itself. PROGRAM:ARGUMENT is run so, PROGRAM@CASE is one case of a program.
tests_of() {
    case $1 in
    free_without_grace) echo 'grace_torture:processes keydir_torture' ;;
    dead_slot_not_cleared) echo 'grace_torture:processes' ;;
    lost_wakeup) echo 'grace_torture:processes' ;;
    two_lengths_accepted) echo 'check_http_head' ;;
    normalised_key) echo 'check_http_bytes' ;;
    publish_before_fdatasync) echo 'check_store_batch check_crash' ;;
    retry_fdatasync) echo 'check_log_writer check_system_faults' ;;
    crc_not_checked_on_get) echo 'check_store_client check_system_damage' ;;
    stale_completion) echo 'check_store_client' ;;
    lost_doorbell) echo 'check_shm' ;;
    merge_drops_tombstone) echo 'check_store_merge check_crash' ;;
    merge_without_sync) echo 'check_crash' ;;
    publish_backwards) echo 'check_store_batch check_linear_server@quiet' ;;
    syncer_sleeps) echo 'check_log_writer' ;;
    body_not_checked) echo 'check_crash check_damage' ;;
    damage_cut_silently) echo 'check_log_scan check_damage check_store_recover check_system_faults' ;;
    headers_not_keyed) echo 'check_log_scan' ;;
    tail_not_cut) echo 'check_store_recover check_crash' ;;
    hint_forgets_tombstones) echo 'check_store_hint check_crash' ;;
    no_reserve) echo 'check_log_writer check_system_faults' ;;
    full_for_good) echo 'check_system_faults' ;;
    failed_sync_forgotten) echo 'check_log_writer check_system_faults' ;;
    key_not_compared) echo 'check_store_client' ;;
    salvage_keeps_no_original) echo 'check_log_salvage check_system_faults' ;;
    skip_fdatasync | skip_dir_fsync | ack_before_write) echo 'check_crash' ;;
    esac
}

fail() {
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$1"
}

# build NAME PROGRAM...: whether everything could be built.
build() {
    local name=$1
    shift
    mkdir -p "$folder/$name"
    (cd "$folder/$name" &&
        "$source_dir/configure" -q --cache-file="$folder/configure.cache" --enable-planted-bug="$name" &&
        make -s -j2 "$@") >"$folder/build.log" 2>&1
}

must_turn_red() { # NAME TEST
    local program=${2%%[:@]*} argument='' test_case='' result=0
    case $2 in
    *:*) argument=${2#*:} ;;
    *@*) test_case=${2#*@} ;;
    esac
    # A test that hangs has noticed as well; its own time limit or this one says so.
    { (cd "$folder/$1" && env RK_TORTURE_SECONDS=20 ${test_case:+"CK_RUN_CASE=$test_case"} \
        timeout --kill-after=10 300 "./$program" ${argument:+"$argument"}); } >"$folder/test.log" 2>&1 || result=$?
    if [ $result -eq 0 ]; then
        fail "$1: $2 stays green"
    elif [ $result -ge 126 ] && [ $result -le 127 ]; then
        fail "$1: $2 could not be run"
    else
        passed=$((passed + 1))
        printf 'ok: %s: %s is red: %s\n' "$1" "$2" \
            "$(grep -E ':[FE]:|panic at|reclaimed|torn|do not go on|FAILED' "$folder/test.log" | head -1 | cut -c1-160)"
    fi
}

check_bug() {
    local tests programs=() test
    tests=$(tests_of "$1")
    if [ -z "$tests" ]; then
        fail "$1: no test is named for it in $0"
        return
    fi
    for test in $tests; do
        programs+=("${test%%[:@]*}")
    done
    if ! build "$1" rackkvd "${programs[@]}"; then
        fail "$1: the tree cannot be built with it"
        tail -20 "$folder/build.log"
        return
    fi
    for test in $tests; do
        must_turn_red "$1" "$test"
    done
    rm -rf "${folder:?}/$1"
}

if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^    X(\([a-z_]*\),.*/\1/p' "$source_dir/src/base/base_planted.h" | grep -v '^none$')
fi
for name in "$@"; do
    check_bug "${name//-/_}"
done
printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Puts each of the planted bugs (src/base/base_planted.h) into a build of the tree in turn, in a temporary folder, and runs
# the tests that must notice it. A test that stays green with the bug in it fails here, and so does one that is red without
# it, and a bug that no test is named for.
#
#   check_planted.sh [NAME...]      all of them, or these
#
# There is one build. Only the objects whose sources ask for the bug are made again for it, as
# configure --enable-planted-bug would make them, and what is linked of them; afterwards the ordinary ones are put back.
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
    two_lengths_accepted) echo 'check_http_parser' ;;
    normalised_key) echo 'check_http_bytes' ;;
    publish_before_fdatasync) echo 'check_writer_batch check_crash' ;;
    retry_fdatasync) echo 'check_log_writer check_system_faults' ;;
    crc_not_checked_on_get) echo 'check_store_client check_system_damage' ;;
    stale_completion) echo 'check_store_client' ;;
    lost_doorbell) echo 'check_shm' ;;
    merge_drops_tombstone) echo 'check_merge check_crash' ;;
    expired_hides_nothing) echo 'check_merge check_crash@expired check_system_expire' ;;
    merge_without_sync) echo 'check_crash' ;;
    publish_backwards) echo 'check_writer_batch check_linear_server@quiet' ;;
    syncer_sleeps) echo 'check_log_writer' ;;
    body_not_checked) echo 'check_crash check_damage' ;;
    damage_cut_silently) echo 'check_disk_scan check_damage check_recover check_system_faults' ;;
    headers_not_keyed) echo 'check_disk_scan' ;;
    tail_not_cut) echo 'check_recover check_crash' ;;
    hint_forgets_tombstones) echo 'check_log_hinter check_crash' ;;
    doubtful_hint_believed) echo 'check_log_hint_builder check_merge_hint' ;;
    no_reserve) echo 'check_log_writer check_system_full' ;;
    hole_before_mark | hole_over_live) echo 'check_crash@holes' ;;
    hole_without_sync) echo 'check_crash@holes-none' ;;
    full_for_good) echo 'check_system_full' ;;
    failed_sync_forgotten) echo 'check_log_writer check_system_faults' ;;
    key_not_compared | expired_told_late) echo 'check_store_client' ;;
    salvage_keeps_no_original) echo 'check_log_salvage check_system_faults' ;;
    unlisted_are_removed) echo 'check_log_unlisted check_system_lost' ;;
    expectation_ignored) echo 'check_writer_batch check_writer_update' ;;
    pending_not_compared) echo 'check_writer_batch' ;;
    expired_counts_as_there) echo 'check_writer_batch check_writer_update' ;;
    synced_answered_before_sync) echo 'check_writer_batch' ;;
    weak_tag_matches) echo 'check_http_condition check_system_one_key' ;;
    malformed_condition_taken) echo 'check_http_condition check_http_onekey' ;;
    listing_trusts_hint | cursor_repeats) echo 'check_list_model' ;;
    copies_twice | hole_in_part) echo 'check_merge' ;;
    unknown_parameter_passed_over) echo 'check_http_server check_http_onekey' ;;
    end_not_marked) echo 'check_damage check_recover check_system_lost' ;;
    skip_fdatasync | skip_dir_fsync | ack_before_write) echo 'check_crash' ;;
    esac
}

fail() {
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$1"
}

# make_programs BUG TEST...: the server, rackkvctl and the programs of the tests; whether all could be made.
make_programs() {
    local bug=$1 test programs=(rackkvd rackkvctl)
    shift
    for test in "$@"; do
        programs+=("${test%%[:@]*}")
    done
    make -s -C "$folder" -j2 "RK_PLANTED_CPPFLAGS=-DRK_PLANTED_BUG=$bug" "${programs[@]}" >"$folder/build.log" 2>&1 && return
    tail -20 "$folder/build.log"
    return 1
}

# PROGRAM:ARGUMENT, PROGRAM@CASE or PROGRAM; its exit code.
run_test() {
    local program=${1%%[:@]*} argument='' test_case=''
    case $1 in
    *:*) argument=${1#*:} ;;
    *@*) test_case=${1#*@} ;;
    esac
    # A test that hangs has noticed as well, but it is its own time limit that says so: this one may mean a slow machine.
    { (cd "$folder" && env CK_DEFAULT_TIMEOUT=30 RK_TORTURE_SECONDS=20 ${test_case:+"CK_RUN_CASE=$test_case"} \
        timeout --signal=KILL 900 "./$program" ${argument:+"$argument"}); } >"$folder/test.log" 2>&1
}

must_turn_red() { # NAME TEST
    local result=0
    run_test "$2" || result=$?
    if [ $result -eq 0 ]; then
        fail "$1: $2 stays green"
    elif [ $result -ge 126 ] && [ $result -le 127 ]; then
        fail "$1: $2 could not be run"
    elif [ $result -eq 137 ]; then
        fail "$1: $2 has not come to an end"
    else
        passed=$((passed + 1))
        printf 'ok: %s: %s is red: %s\n' "$1" "$2" \
            "$(grep -E ':[FE]:|panic at|reclaimed|torn|do not go on|FAILED' "$folder/test.log" | head -1 | cut -c1-160)"
    fi
}

# What is red anyway proves nothing.
must_be_green() { # TEST
    if run_test "$1"; then
        passed=$((passed + 1))
        printf 'ok: none: %s is green\n' "$1"
    else
        fail "$1 is red without any bug"
        tail -20 "$folder/test.log"
    fi
}

# The objects of the ordinary build whose sources ask for the bug: none if a header does, for which this is too simple.
objects_of() { # NAME
    local path stem paths
    paths=$(cd "$source_dir" && grep -rlE "RK_PLANTED\($1\)" src | grep -v base_planted.h)
    ! grep -q '\.h$' <<<"$paths" || return
    for path in $paths; do
        stem=$(basename "$path" .c)
        find "$folder/$(dirname "$path")" -name "$stem.o" -o -name "*-$stem.o"
    done
}

plant() { # NAME OBJECT...
    local name=$1 object
    shift
    for object in "$@"; do
        mv "$object" "$object.ordinary"
    done
    # shellcheck disable=SC2046
    make_programs "$name" $(tests_of "$name") || return 1
    for object in "$@"; do
        [ -e "$object" ] || continue # of a library that none of these programs has
        cmp -s "$object" "$object.ordinary" || return 0
    done
    echo 'what was made is what it was without the bug'
    return 1
}

uproot() { # OBJECT...; newer than what was linked, so that all is linked again
    local object
    for object in "$@"; do
        mv "$object.ordinary" "$object"
        touch "$object"
    done
}

check_bug() { # NAME
    local objects=() test
    mapfile -t objects < <(objects_of "$1")
    if [ -z "$(tests_of "$1")" ]; then
        fail "$1: no test is named for it in $0"
        return
    elif [ ${#objects[@]} -eq 0 ]; then
        fail "$1: no .c file under src/ asks for it, or a header does"
        return
    fi
    if plant "$1" "${objects[@]}"; then
        for test in $(tests_of "$1"); do
            must_turn_red "$1" "$test"
        done
    else
        fail "$1: the tests cannot be built with it"
    fi
    uproot "${objects[@]}"
}

if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^    X(\([a-z_]*\),.*/\1/p' "$source_dir/src/base/base_planted.h" | grep -v '^none$')
fi
set -- "${@//-/_}"
tests=$(for name in "$@"; do tests_of "$name"; done | tr ' ' '\n' | sort -u)
(cd "$folder" && "$source_dir/configure" -q) || exit 1
# shellcheck disable=SC2086
make_programs none $tests || exit 1
for test in $tests; do
    must_be_green "$test"
done
for name in "$@"; do
    check_bug "$name"
done
printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Sums up what `make check` has left: `sum_results.sh EXIT_CODE_OF_MAKE`, with the names of the .trs files, each ended by a
# zero byte, on standard input. The last line is `N passed, N failed`; the exit code is 0 if all is well.
#
# Whether a program passed is what its .trs says, automake's own record. Its log only says how many cases that are: Check
# prints "100%: Checks: 5, Failures: 0, Errors: 0", a script "script cases: 5 passed, 0 failed". So
#   - a program that failed is at least one failure, whatever it had printed before;
#   - a program that printed no sum counts as one;
#   - make's exit code is believed when no program is to blame, and a run without any test has failed.
set -euo pipefail
make_result=$1
passed=0
failed=0
skipped=()

# "PASSED FAILED", as far as a program's log has sums.
cases_in() { # LOG
    [ -e "$1" ] || return 0
    awk '/^[0-9]+%: Checks: / { gsub(",", ""); checks += $3; bad += $5 + $7 }
        /^script cases: / { checks += $3 + $5; bad += $5 }
        END { print checks - bad, bad + 0 }' "$1"
}

add_program() { # TRS
    local word good=0 bad=0
    word=$(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$1")
    read -r good bad < <(cases_in "${1%.trs}.log") || true # no log
    case $word in
    PASS | XFAIL) [ $((good + bad)) -gt 0 ] || good=1 ;;
    SKIP) skipped+=("$(basename "$1" .trs)") ;;
    *) [ "${bad:-0}" -gt 0 ] || bad=1 ;; # FAIL, ERROR, XPASS, and a program that never came to its end
    esac
    passed=$((passed + good))
    failed=$((failed + bad))
}

while read -r -d '' trs; do
    add_program "$trs"
done
[ $((passed + failed)) -gt 0 ] || failed=1
[ "$make_result" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ ${#skipped[@]} -eq 0 ] || printf 'skipped: %s\n' "${skipped[*]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

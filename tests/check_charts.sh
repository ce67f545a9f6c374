#!/usr/bin/env bash
# The charts of doc/charts: each says when, of which version and on what it was measured, as its table does; and an axis that
# does not begin at zero says so in the script that draws it ("the axis begins at ...", or "logarithmic").
set -u
source_dir=${srcdir:-.}
passed=0
failed=0

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$name"
    fi
}

# The figure is quoted in a script's title; XML has no quarrel with any of its letters.
says_where() { # CSV SVG
    local line
    line=$(sed -n 's/^# measured /measured /p' "$1" | tail -1)
    [[ $line =~ ^measured\ 20[0-9]{2}-[01][0-9]-[0-3][0-9],\ RackKV\ [0-9.]+.*,\ [0-9]+\ cores\ \(.+\) ]] && grep -qF "$line" "$2"
}

is_honest() { # SCRIPT
    ! grep -qE "set logscale|set (log|y2?range|xrange) .*\[ *(0\.[0-9]|[1-9])" "$1" || grep -qE "title .*(logarithmic|axis begins at)" "$1"
}

for csv in "$source_dir"/doc/charts/*.csv; do
    svg=${csv%.csv}.svg
    check "$svg says when, of what and where it was measured, as its table does" says_where "$csv" "$svg"
    check "README shows $(basename "$svg")" grep -qF "doc/charts/$(basename "$svg")" "$source_dir/README.md"
done
for script in "$source_dir"/bench/*/*_bench.gp; do
    check "$script: an axis hides zero and does not say so" is_honest "$script"
done
says=$("$source_dir/bench/provenance" 1.2.3)
check "bench/provenance says: $says" test "${says#\# measured 20??-??-??, RackKV 1.2.3*, [1-9]*cores (}" != "$says"
printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 8 ]

#!/usr/bin/env bash
# doc/durability.md names tests and planted bugs: all of them are there.
set -u
source_dir=$(cd "${srcdir:-.}" && pwd)
passed=0
failed=0

for name in $(grep '^|' "$source_dir/doc/durability.md" | grep -oE '[a-z0-9]+(_[a-z0-9]+)+' | sort -u); do
    if grep -rqE "START_TEST\($name\)|^    X\($name," "$source_dir/tests" "$source_dir/src/base/base_planted.h" ||
        [ -n "$(find "$source_dir/tests" -name "$name.c")" ]; then
        passed=$((passed + 1))
    else
        printf 'FAILED: doc/durability.md names %s, which is neither a test nor a planted bug\n' "$name"
        failed=$((failed + 1))
    fi
done
printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# What is counted in a message is "1 byte" when it is one: a number before a plural in a format string goes with rk_plural()
# (src/base/base_plural.h), unless it cannot be one, or "at most 1 bytes" is meant as a limit. Those are listed here.
set -u
src=${srcdir:-.}/src
number='("? ?PRI[a-z]*[0-9]+ ?"|%(z|ll|l)?[ud])'
things='(bytes|keys|files|records|workers|objects|writes|merges|connections|lines|values|tombstones|items|listeners)'

# Limits, and sizes of what always has more than one byte.
many='(at most|more than|less than|under) '$number'|or more that begin|that begin with|shared memory|keydir: |no memory for a record'
many=$many'|the keys do not fit|needs %llu bytes for the next file'

if grep -rnE "$number (whole |failed |data )?$things\b" "$src" --include='*.[ch]' | grep -vE "$many"; then
    echo 'FAILED: say "%u byte%s" with rk_plural(), or add it to the list in tests/check_plurals.sh'
    echo 'script cases: 0 passed, 1 failed'
    exit 1
fi
echo 'script cases: 1 passed, 0 failed'

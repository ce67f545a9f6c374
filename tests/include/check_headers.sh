#!/bin/sh
# Each public header compiles by itself, without a warning, as C11 and as C++17, twice in one file, and is installed.
set -u
src=${srcdir:-.}
cc=${CC:-cc}
cxx=${CXX:-c++}
passed=0
failed=0

count() { # NAME RESULT
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$1"
    fi
}

for header in "$src"/include/rackkv/*.h include/rackkv/version.h; do
    [ -f "$header" ] || continue
    name=$(basename "$header")
    lines="#include <rackkv/$name>
#include <rackkv/$name>
typedef int not_empty;"
    printf '%s\n' "$lines" | $cc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$src/include" -Iinclude -x c -
    count "$name as C11" $?
    if command -v "${cxx%% *}" >/dev/null; then
        printf '%s\n' "$lines" | $cxx -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I"$src/include" -Iinclude -x c++ -
        count "$name as C++17" $?
    fi
    grep -q "/$name" "$src/include/rackkv/local.mk"
    count "$name is installed" $?
done
printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

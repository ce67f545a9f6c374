#!/bin/sh
# Every path of the tree that a page names exists: in README.md, ARCHITECTURE.md, HACKING.md and doc/, what begins with
# src/, tests/, include/, conf/, doc/ or bench/. A star stands for what the shell makes of it; a program may be named
# without its .c or .sh, a generated file without its .in, a page of doc/design by its number. A path with < or { is a
# pattern for the reader and is not asked.
set -u
src=${srcdir:-.}

exists() { # PATH
    for found in "$src"/$1 "$src/$1.c" "$src/$1.sh" "$src/$1.in"; do
        [ -e "$found" ] && return 0
    done
    case $1 in doc/design/[0-9][0-9][0-9][0-9])
        for found in "$src/$1"-*.md; do
            [ -e "$found" ] && return 0
        done
        ;;
    esac
    return 1
}

find "$src/README.md" "$src/ARCHITECTURE.md" "$src/HACKING.md" "$src/doc" -type f -name '*.md' | sort |
    while read -r page; do
        grep -noE '(^|[^A-Za-z0-9_./-])(src|tests|include|conf|doc|bench)/[A-Za-z0-9_.*<>{},/-]+' "$page" |
            sed -E "s|^([0-9]+):[^A-Za-z0-9_./-]*|\1 |; s|^|$page |; s|[.,]+\$||"
    done | {
    n_paths=0
    n_missing=0
    roots=
    while read -r page line path; do
        case $path in *[\<\{]*) continue ;; esac
        n_paths=$((n_paths + 1))
        case " $roots " in *" ${path%%/*} "*) ;; *) roots="$roots ${path%%/*}" ;; esac
        exists "$path" && continue
        printf '%s:%s: %s does not exist\n' "$page" "$line" "$path"
        n_missing=$((n_missing + 1))
    done
    printf '%d paths looked at, %d missing\n' "$n_paths" "$n_missing"
    # Each of the six folders is named somewhere: a pattern that sees less finds nothing wrong.
    [ "$n_paths" -gt 100 ] && [ "$n_missing" -eq 0 ] && [ "$(printf '%s\n' $roots | wc -l)" -eq 6 ]
    failed=$?
    printf 'script cases: %d passed, %d failed\n' $((1 - failed)) "$failed"
    exit "$failed"
}

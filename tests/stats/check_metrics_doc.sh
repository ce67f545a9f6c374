#!/bin/sh
# The table of doc/metrics.md is the one that print_metrics prints.
set -u
doc=${srcdir:-.}/doc/metrics.md
printed=$(./print_metrics) || exit 1
written=$(grep '^|' "$doc")

if [ "$printed" != "$written" ]; then
    printf '%s: its table is not what ./print_metrics prints:\n' "$doc"
    tmp=$(mktemp -d) && printf '%s\n' "$printed" >"$tmp/printed" && printf '%s\n' "$written" >"$tmp/written"
    diff "$tmp/written" "$tmp/printed"
    rm -rf "$tmp"
    exit 1
fi
[ "$(printf '%s\n' "$printed" | wc -l)" -gt 40 ]

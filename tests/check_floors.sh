#!/bin/sh
# Includes only go down: checks every #include of ours under src/ against the order of the floors (ARCHITECTURE.md), that
# and that only http includes libh2o.
set -u
src=${srcdir:-.}/src

find "$src" -name '*.[ch]' | sort | awk '
    BEGIN {
        floor[1] = "base"
        floor[2] = "disk conf grace ring shm stats"
        floor[3] = "keydir log client"
        floor[4] = "store list space"
        floor[5] = "http writer merge expire recover"
        floor[6] = "worker compactor"
        floor[7] = "control"
        floor[8] = "master"
        floor[9] = "bin"
        for (f in floor) {
            n = split(floor[f], names, " ")
            for (i = 1; i <= n; i++)
                level[names[i]] = f + 0
        }
    }
    function complain(text) {
        printf "%s:%d: %s\n", file, line_number, text
        bad++
    }
    {
        file = $0
        parts = split(file, path, "/")
        folder = path[parts - 1]
        base = path[parts]
        if (!(folder in level)) {
            line_number = 0
            complain("no floor is known for the folder " folder)
        }
        line_number = 0
        while ((getline line < file) > 0) {
            line_number++
            if (line !~ /^#include/)
                continue
            n_includes++
            if (line ~ /<h2o/ && folder != "http")
                complain("only src/http may include libh2o")
            if (line !~ /"[a-z]+\/[a-z_]+\.h"/)
                continue
            split(line, quoted, "\"")
            split(quoted[2], target, "/")
            if (target[1] == "rackkv" || target[1] == folder)
                continue
            if (!(target[1] in level))
                complain("includes " quoted[2] ", whose folder has no floor")
            else if (level[target[1]] >= level[folder])
                complain("includes " quoted[2] ": includes only go down")
        }
        close(file)
    }
    END {
        printf "%d includes looked at\n", n_includes
        failed = (n_includes <= 100 || bad > 0)
        printf "script cases: %d passed, %d failed\n", !failed, failed
        exit failed
    }'

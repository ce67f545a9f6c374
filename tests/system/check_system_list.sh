#!/usr/bin/env bash
# Listings while keys are written and deleted, files merged, and the server restarted (system_list.py). RK_LIST_LISTINGS
# and RK_LIST_RESTARTS ask for more; RK_LIST_SEED for the run that a failure names.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
if ! command -v python3 >/dev/null; then
    echo 'skipped: there is no python3'
    exit 77
fi
expect 'listings under change' 0 ': 0 clients saw a difference' python3 "$(dirname "$0")/system_list.py" \
    "${RACKKVD:-$build/rackkvd}" "$folder" "${RK_LIST_LISTINGS:-60}" "${RK_LIST_RESTARTS:-4}" "${RK_LIST_SEED:-$$}"
conclude

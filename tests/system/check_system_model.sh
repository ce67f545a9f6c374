#!/usr/bin/env bash
# Random operations of the whole contract of one key beside a model, with restarts, merges and steps of the wall clock
# (system_model.py).
# RK_MODEL_OPERATIONS and RK_MODEL_RESTARTS ask for more; RK_MODEL_SEED for the run that a failure names.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
if ! command -v python3 >/dev/null; then
    echo 'skipped: there is no python3'
    exit 77
fi
expect 'a model of keys' 0 ': 0 clients saw a difference' python3 "$(dirname "$0")/system_model.py" "$build/rackkvd" \
    "$folder" 8 "${RK_MODEL_OPERATIONS:-8000}" "${RK_MODEL_RESTARTS:-4}" "${RK_MODEL_SEED:-$$}" "$build/system_clock.so"
conclude

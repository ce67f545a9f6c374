#!/usr/bin/env bash
# The counters as another program reads them, doc/stats.md: with the public header alone, from a server that has answered a
# known number of requests, and from one that stands still.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/../system/system_script.sh"

: >"$folder/diag"
"$build/rackkvd" -o "server.data_dir=$folder/data" -o http.listen=127.0.0.1:0 -o server.workers=2 2>"$folder/diag" &
server=$!
RACKKV_URL=http://127.0.0.1:$(wait_for_port)
export RACKKV_URL

for key in a b c; do
    expect "put $key" 0 '' "$build/rackkv" put "$key" 1
done
expect 'get a' 0 '1' "$build/rackkv" get a
expect 'get nothing' 1 '' "$build/rackkv" get nothing
expect 'read from outside' 0 $'keys 3\nputs 3\nanswered 5' "$build/read_stats" "$server"
stop_process "$server"
expect 'read while it stands still' 0 $'keys 3\nputs 3\nanswered 5' "$build/read_stats" "$server"
kill -CONT "$server"
expect 'no such server' 1 'usage: read_stats PID' "$build/read_stats" $$
conclude

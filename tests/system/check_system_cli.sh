#!/usr/bin/env bash
# The programs as a person uses them: `rackkv open`, put, get, exists, delete, the shell on a pipe, a Unix socket, --daemon,
# and what they say when something is wrong.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"

expect 'no server' 4 'rackkv open' "$build/rackkv" --url http://127.0.0.1:9 get k
expect 'no command' 2 'no command frobnicate' "$build/rackkv" frobnicate

"$build/rackkv" open -o "server.data_dir=$folder/data" -o "http.listen=127.0.0.1:0,unix:$folder/socket" 2>"$folder/diag" &
server=$!
port=$(wait_for_port)
export RACKKV_URL=http://127.0.0.1:$port
expect 'put' 0 '' "$build/rackkv" put k v
expect 'get' 0 'v' "$build/rackkv" get k
expect 'exists' 0 '' "$build/rackkv" exists k
expect 'over the Unix socket' 0 'v' "$build/rackkv" --url "unix:$folder/socket" get k
expect 'what is there is RackKV' 0 'OK: connected' bash -c "printf 'OPEN -rw -sync\n' | '$build/rackkv' shell"
for locale in C POSIX xx_YY.UTF-8 ''; do
    printf 'PUT "città %s" "Kraków"\n' "$locale" | LC_ALL=$locale "$build/rackkv" shell >/dev/null
    expect "the shell in the locale '$locale'" 0 'Kraków' "$build/rackkv" get "città $locale"
done
expect 'delete' 0 '' "$build/rackkv" delete k
expect 'absent' 1 '' "$build/rackkv" get k
expect 'exists no more' 1 '' "$build/rackkv" exists k
head -c 100000 /dev/urandom >"$folder/bytes"
expect 'any bytes in' 0 '' "$build/rackkv" put 'a/../b //+%' "@$folder/bytes"
"$build/rackkv" get 'a/../b //+%' >"$folder/back"
expect 'the same bytes out' 0 '' cmp "$folder/bytes" "$folder/back"
expect 'standard input' 0 '' bash -c "printf from-a-pipe | '$build/rackkv' put piped -"
expect 'shell on a pipe' 0 'from-a-pipe' bash -c "printf 'GET piped\nEXIT\n' | '$build/rackkv' shell"
expect 'curl, the original way' 0 'OK' curl -fsS "$RACKKV_URL/put?key=a&val=1"
expect 'curl reads it' 0 '1' curl -fsS "$RACKKV_URL/get?key=a"
expect 'Ctrl-C' 0 '' bash -c "kill -INT $server; tail --pid=$server -f /dev/null"
wait "$server"
code=$?
expect 'stopped with 0' 0 '' test "$code" = 0
expect 'it says so' 0 'stopped' cat "$folder/diag"
server=

expect 'good configuration' 0 'good' "$build/rackkvd" -t
printf 'log:\n  sync: sometimes\n' >"$folder/bad.yaml"
expect 'bad configuration' 2 'bad.yaml:2:' "$build/rackkvd" -t -c "$folder/bad.yaml"
expect 'missing file' 2 'missing.yaml' "$build/rackkvd" -c "$folder/missing.yaml"
expect 'version of the server' 0 'rackkvd ' "$build/rackkvd" --version
expect 'version of the client' 0 'rackkv ' "$build/rackkv" --version
expect 'effective configuration' 0 'sync: none' "$build/rackkvd" -T -o log.sync=none
expect 'data directory that cannot be' 1 '/proc/nowhere' "$build/rackkvd" -o server.data_dir=/proc/nowhere \
    -o http.listen=127.0.0.1:0
expect 'unknown option' 2 'help' "$build/rackkvd" --frobnicate

"$build/rackkvd" --daemon -o "server.data_dir=$folder/data" -o "http.listen=unix:$folder/socket" \
    -o "server.pid_file=$folder/pid" -o server.workers=1
expect 'daemon is ready when it returns' 0 '1' "$build/rackkv" --url "unix:$folder/socket" get a
expect 'second daemon is refused' 1 'rackkvd.diag' "$build/rackkvd" --daemon -o "server.data_dir=$folder/data" \
    -o "http.listen=unix:$folder/other"
server=$(cat "$folder/pid")
expect 'daemon stops' 0 '' bash -c "kill -TERM $server; timeout 20 tail --pid=$server -f /dev/null"
expect 'its socket is gone' 1 '' test -e "$folder/socket"
server=

conclude

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
expect 'what belongs to a value' 0 '' "$build/rackkv" put --ttl 1h --type text/plain --meta owner=Kraków mine 0123456789
expect 'its type' 0 'Content-Type: text/plain' "$build/rackkv" get -i mine
expect 'its metadata' 0 'RackKV-Meta-owner: Kraków' "$build/rackkv" get -i mine
expect 'its end' 0 'RackKV-Expires: ' "$build/rackkv" get -i mine
printf x | "$build/rackkv" put list/a/1 -
"$build/rackkv" put --ttl 1h --type text/plain list/a/2 'a "value"'
"$build/rackkv" put $'list/b\tc\xff' $'\xff\x01'
"$build/rackkv" put list/large "@$folder/bytes"
expect 'list' 0 $'list/a/1\nlist/a/2\nlist/b\tc\xff\nlist/large' "$build/rackkv" list list/
expect 'list of what they share' 0 $'list/a/\nlist/b\tc\xff\nlist/large' "$build/rackkv" list --delimiter / list/
expect 'list with values' 0 $'list/a/1\tx\nlist/a/2\ta "value"' "$build/rackkv" list --values list/a
expect 'list of nothing' 0 '' test -z "$("$build/rackkv" list nothing)"
expect 'list as JSON' 0 '{"key64":"bGlzdC9iCWP/","size":2,' "$build/rackkv" --json list list/b
expect 'a list is all of it' 0 '' test "$("$build/rackkv" list | wc -l)" -ge 8
expect 'no delimiter' 2 '--delimiter' "$build/rackkv" list --delimiter '' list/
"$build/rackkv" export list/ >"$folder/exported"
expect 'an export has its end' 0 '{"complete":true}' tail -1 "$folder/exported"
for key in list/a/1 list/a/2 $'list/b\tc\xff' list/large; do
    "$build/rackkv" delete "$key"
done
expect 'all is gone' 0 '' test -z "$("$build/rackkv" list list/)"
expect 'import of what was exported' 0 '' "$build/rackkv" import "$folder/exported"
expect 'the same again' 0 '' cmp <(sed 's/"etag":"[^,]*,"seq":[0-9]*,//' "$folder/exported") \
    <("$build/rackkv" export list/ | sed 's/"etag":"[^,]*,"seq":[0-9]*,//')
"$build/rackkv" get list/large >"$folder/back"
expect 'the large value, too' 0 '' cmp "$folder/bytes" "$folder/back"
expect 'a range' 0 '345' "$build/rackkv" get --range 3-5 mine
expect 'a range behind the end' 1 '416' "$build/rackkv" get --range 10- mine
expect 'append' 0 '' "$build/rackkv" append mine abc
expect 'the end of it' 0 'abc' "$build/rackkv" get --range -3 mine
expect 'its metadata stays' 0 'RackKV-Meta-owner: Kraków' "$build/rackkv" get -i mine
expect 'touch' 0 '' "$build/rackkv" touch mine
expect 'it has no end any more' 1 '' bash -c "'$build/rackkv' get -i mine | grep RackKV-Expires"
expect 'incr' 0 '5' "$build/rackkv" incr n 5
expect 'incr by less' 0 '-3' "$build/rackkv" incr n -8
expect 'incr of no number' 1 '409' "$build/rackkv" incr mine
etag=$("$build/rackkv" get --json n | sed 's/.*"seq":\([0-9]*\).*/\1/')
expect 'compare and set' 0 '' "$build/rackkv" put --if-match "$etag" n 7
expect 'compare and set, too late' 5 'the current ETag is "' "$build/rackkv" put --if-match "$etag" n 8
expect 'create only' 5 'the current ETag is "' "$build/rackkv" put --if-none-match '*' n 8
expect 'change only' 5 'there is no such key now' "$build/rackkv" put --if-match '*' never 8
expect 'delete, too late' 5 'the current ETag is "' "$build/rackkv" delete --if-match "$etag" n
etag=$("$build/rackkv" get --json n | sed 's/.*"seq":\([0-9]*\).*/\1/')
expect 'not modified' 5 "not modified: the current ETag is \"$etag\"" "$build/rackkv" get --if-none-match "$etag" n
expect 'nothing was changed' 0 7 "$build/rackkv" get n
expect 'a time to live that is none' 1 '400' "$build/rackkv" put --ttl 0 n 9
expect 'each durability' 0 '' "$build/rackkv" put --durability written n 9
expect 'the shell has the commands, too' 1 "$(printf 'OK\nyes\n10\nno')" "$build/rackkv" shell \
    <<<"$(printf 'PUT --ttl 1m n 8\nEXISTS n\nincr n 2\nEXISTS never')"
seq 2000 | sed 's/.*/{"key":"import&","value":"v&","content_type":"text\/x-&","ttl":"1h"}/' >"$folder/lines"
expect 'import' 0 '{"imported":2000}' "$build/rackkv" import --json "$folder/lines"
expect 'a key of it' 0 v1999 "$build/rackkv" get import1999
expect 'its type' 0 'text/x-1999' "$build/rackkv" get -i import1999
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

#!/usr/bin/env bash
# What a server takes by name, and in the background: --daemon that works and that fails, PID files, Unix sockets, the log
# and its rotation, signals. Each failed start leaves nothing behind, and says why where it was started.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
unset RACKKV_SOCKET
others=()
# A server that still has a data directory of this test: also one that a fault let start.
kill_servers() {
    local lock
    for lock in "$folder"/*/LOCK "$folder"/*/*/LOCK; do
        if [ -f "$lock" ] && ! flock -n "$lock" true; then
            kill -KILL "$(cat "$lock")" 2>/dev/null
        fi
    done
}
trap 'kill_servers; cleanup' EXIT

# until_true COMMAND...: waits for it, with a deadline.
until_true() {
    local deadline=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        read -r -t 0.02 <> <(:) || :
    done
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# daemon NAME OPTIONS...: a server in the background, with data, socket and PID file of the name. What it prints goes through a
# file: nobody here waits for the end of what a server keeps open by mistake.
daemon() {
    local code=0
    timeout 60 "$build/rackkvd" --daemon -o "server.data_dir=$folder/$1" -o "http.listen=unix:$folder/$1.sock" -o server.workers=1 \
        -o "server.pid_file=$folder/$1.pid" -o worker.respawn_delay=0s "${@:2}" >"$folder/said" 2>&1 || code=$?
    cat "$folder/said"
    return $code
}

stop() {
    kill -TERM "$1"
    until_true is_gone "$1"
}

# nothing_left NAME: neither PID file nor sockets of a start that failed.
nothing_left() {
    [ ! -e "$folder/$1.pid" ] && [ ! -e "$folder/$1.sock" ] && [ ! -e "$folder/$1/control.sock" ]
}

# ---- it works
umask 000
expect 'it goes to the background' 0 '' daemon a
server=$(cat "$folder/a.pid")
umask 022
expect 'and serves when it returns' 0 '' "$build/rackkv" --url "unix:$folder/a.sock" put k v
expect 'the mode of the PID file' 0 '644' stat -c %a "$folder/a.pid"
expect 'the mode of the socket' 0 '600' stat -c %a "$folder/a.sock"
expect 'the mode of the control socket' 0 '600' stat -c %a "$folder/a/control.sock"
expect 'the mode of the log' 0 '600' stat -c %a "$folder/a/rackkvd.diag"
expect 'a new store is told, with its folder' 0 "made a new, empty store in $(realpath "$folder")/a" cat "$folder/a/rackkvd.diag"
expect 'it says where it serves' 0 "data in $(realpath "$folder")/a" cat "$folder/a/rackkvd.diag"

# ---- it fails: why, the exit code, and nothing left
expect 'the folder is in use' 1 "in use by the server with pid $server" daemon a -o "server.pid_file=$folder/b.pid"
expect 'it does not touch the other' 0 "$server" cat "$folder/a.pid"
expect 'its log is named' 1 'its log is ' daemon b -o "http.listen=unix:$folder/a.sock"
expect 'the socket is in use' 1 "http.listen: $folder/a.sock is in use" daemon b -o "http.listen=unix:$folder/a.sock"
expect 'nothing is left, socket' 0 '' nothing_left b
expect 'the other serves' 0 'v' "$build/rackkv" --url "unix:$folder/a.sock" get k
expect 'the control socket is in use' 1 'server.control_socket' daemon b -o "server.control_socket=$folder/a/control.sock"
expect 'nothing is left, control socket' 0 '' nothing_left b
expect 'the PID file is in use' 1 "server.pid_file: $folder/a.pid is in use by the server with pid $server" \
    daemon b -o "server.pid_file=$folder/a.pid"
expect 'nothing is left, PID file' 0 '' nothing_left b
expect 'the PID file names the first' 0 "$server" cat "$folder/a.pid"
expect 'a wrong setting' 2 'no user of this system' daemon b -o http.socket_owner=nobody-of-that-name
expect 'a wrong mode' 2 'http.socket_mode' daemon b -o http.socket_mode=rw-rw----
expect 'a folder that cannot be' 1 '/proc/nowhere' daemon b -o server.data_dir=/proc/nowhere
expect 'a log that cannot be' 1 '/proc/nowhere' daemon b -o server.log_file=/proc/nowhere/log
expect 'nothing is left, log' 0 '' nothing_left b
mkfifo "$folder/fifo"
expect 'a log that would wait' 1 'regular file' timeout 60 "$build/rackkvd" --daemon -o "server.data_dir=$folder/b" -o "server.log_file=$folder/fifo"
expect 'a PID file that would wait' 1 'fifo is not a file' timeout 60 "$build/rackkvd" -o "server.data_dir=$folder/b" \
    -o "server.pid_file=$folder/fifo" -o http.listen=127.0.0.1:0
expect 'a port that is none of ours' 1 'http.listen' daemon b -o http.listen=192.0.2.1:9
expect 'rackkv open says it as well' 1 'LOCK' "$build/rackkv" open --daemon -o "server.data_dir=$folder/a" -o http.listen=127.0.0.1:0
expect 'who waits for the end of the output is let go' 0 '' timeout 60 bash -c \
    "printed=\$('$build/rackkvd' --daemon -o 'server.data_dir=$folder/c' -o 'http.listen=unix:$folder/c.sock' -o 'server.pid_file=$folder/c.pid' 2>&1); test -z \"\$printed\""
others+=("$(cat "$folder/c.pid")")
stop "${others[0]}"

# ---- killed, and started again
first=$server
kill -KILL "$server"
until_true is_gone "$server"
expect 'the names were left' 0 "$first" cat "$folder/a.pid"
with_nohup() {
    (trap '' HUP && daemon "$@")
}
expect 'a start takes them over, also with nohup' 0 '' with_nohup a
server=$(cat "$folder/a.pid")
expect 'with another pid' 1 '' test "$server" = "$first"
expect 'the keys are there' 0 'v' "$build/rackkv" --url "unix:$folder/a.sock" get k
expect 'the store is not called new' 0 "opened the store in $(realpath "$folder")/a: 1 key" cat "$folder/a/rackkvd.diag"
expect 'but once' 0 '1' grep -c 'made a new' "$folder/a/rackkvd.diag"

# ---- the log is moved
worker_of() {
    head -c 100 "/proc/$server/task/$server/children" | cut -d' ' -f1
}
mv "$folder/a/rackkvd.diag" "$folder/old"
kill -USR1 "$server"
expect 'USR1 makes a new one' 0 '' until_true grep -q 'was opened again' "$folder/a/rackkvd.diag"
same_log() {
    [ "$(readlink "/proc/$(worker_of)/fd/2")" = "$(readlink "/proc/$server/fd/2")" ]
}
expect 'the worker has it as well' 0 '' until_true same_log
expect 'which is the new one' 0 'a/rackkvd.diag' readlink "/proc/$(worker_of)/fd/2"
killed=$(worker_of)
kill -KILL "$killed"
expect 'the next line is in it' 0 '' until_true grep -q "pid $killed" "$folder/a/rackkvd.diag"
expect 'and not in the old one' 1 '' grep "pid $killed" "$folder/old"
rm "$folder/a/rackkvd.diag"
expect 'rackkvctl reopen' 0 'rackkvd.diag is opened again' "$build/rackkvctl" -s "$folder/a/control.sock" reopen
expect 'does the same' 0 '' until_true grep -q 'was opened again' "$folder/a/rackkvd.diag"
kill -HUP "$server"
expect 'HUP says what is to be done' 0 '' until_true grep -q 'nothing was reloaded: restart it' "$folder/a/rackkvd.diag"
expect 'and stops nobody' 0 'v' "$build/rackkv" --url "unix:$folder/a.sock" get k

# ---- names of others stay
mv "$folder/a.pid" "$folder/mine.pid"
echo 4711 >"$folder/a.pid"
rm "$folder/a.sock"
touch "$folder/a.sock"
expect 'it stops' 0 '' stop "$server"
server=
expect 'the PID file of another is kept' 0 '4711' cat "$folder/a.pid"
expect 'what took the name of the socket is kept' 0 '' test -f "$folder/a.sock"
expect 'its control socket is gone' 1 '' test -e "$folder/a/control.sock"
rm "$folder/a.pid" "$folder/a.sock"

# ---- relative paths, settings of access, a log of one's own
mkdir "$folder/here"
cat >"$folder/here/r.yaml" <<YAML
server: {data_dir: data, pid_file: r.pid, log_file: r.log, workers: 1}
http: {listen: ["unix:$folder/here/r.sock"], socket_mode: 0660, socket_group: "$(id -g)"}
YAML
relative() {
    cd "$folder/here" && "$build/rackkvd" --daemon -c r.yaml
}
expect 'relative paths' 0 '' relative
server=$(cat "$folder/here/r.pid")
expect 'the log of the setting' 0 'r.sock with 1 worker' cat "$folder/here/r.log"
expect 'there is no other' 1 '' test -e "$folder/here/data/rackkvd.diag"
expect 'the mode of the setting' 0 '660' stat -c %a "$folder/here/r.sock"
expect 'the control socket keeps its own' 0 '600' stat -c %a "$folder/here/data/control.sock"
expect 'it stops again' 0 '' stop "$server"
server=
expect 'nothing is left, relative' 0 '2' bash -c "ls '$folder/here' | grep -c -e data -e r.log"
expect 'neither PID file nor socket' 1 '' bash -c "ls '$folder/here' | grep -e r.pid -e r.sock"

# ---- in the foreground
"$build/rackkvd" -o "server.data_dir=$folder/f" -o "http.listen=unix:$folder/f.sock" -o server.workers=1 2>"$folder/f.err" &
server=$!
until_true grep -q 'serving on' "$folder/f.err"
expect 'messages to standard error are not reopened' 1 'standard error' "$build/rackkvctl" -s "$folder/f/control.sock" reopen
kill -USR1 "$server"
expect 'nor with the signal' 0 '' until_true grep -q 'nothing was reopened' "$folder/f.err"
kill -TERM "$server"
wait "$server"
mkdir "$folder/broken"
echo 'no store' >"$folder/broken/STORE"
expect 'a failed start with a log says why here as well' 1 "rackkvd: cannot start: $folder/broken: STORE" "$build/rackkvd" \
    -o "server.data_dir=$folder/broken" -o "http.listen=unix:$folder/f.sock" -o "server.log_file=$folder/f.log"
expect 'and in the log' 0 "cannot start: $folder/broken: STORE" cat "$folder/f.log"
(
    trap '' HUP
    exec "$build/rackkvd" -o "server.data_dir=$folder/f" -o "http.listen=unix:$folder/f.sock" -o server.workers=1 2>"$folder/f2.err"
) &
server=$!
until_true grep -q 'serving on' "$folder/f2.err"
kill -HUP "$server"
kill -USR1 "$server"
until_true grep -q 'nothing was reopened' "$folder/f2.err"
expect 'who ignores HUP, as with nohup, goes on ignoring it' 1 '' grep SIGHUP "$folder/f2.err"
kill -TERM "$server"
wait "$server"
server=

# ---- several starts on one name at the same moment
for ((round = 0; round < 5; round++)); do
    others=()
    for i in 1 2 3 4; do
        "$build/rackkvd" -o "server.data_dir=$folder/s$i" -o "http.listen=unix:$folder/s.sock" -o server.workers=1 2>"$folder/s$i.err" &
        others+=($!)
    done
    settled() {
        local n=0 i
        for i in 1 2 3 4; do
            grep -q -e 'serving on' -e 'cannot start' "$folder/s$i.err" && n=$((n + 1))
        done
        [ $n = 4 ]
    }
    until_true settled
    expect 'one has the name' 0 '1' bash -c "cat '$folder'/s?.err | grep -c 'serving on'"
    kill -TERM "${others[@]}" 2>/dev/null
    wait "${others[@]}" 2>/dev/null
done
others=()

conclude

#!/usr/bin/env bash
# rackkvctl against a real server: every command, wrong usage, no server, and what it says of the data files compared with
# the files themselves.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
socket=$folder/data/control.sock
unset RACKKV_SOCKET

ctl() {
    "$build/rackkvctl" -s "$socket" "$@"
}

# Starts a server with these arguments, waits until it serves, and sets RACKKV_URL.
start_server() {
    local port
    : >"$folder/diag"
    "$build/rackkvd" -o "server.data_dir=$folder/data" -o http.listen=127.0.0.1:0 -o server.workers=1 \
        -o merge.policy=never "$@" 2>"$folder/diag" &
    server=$!
    port=$(wait_for_port)
    export RACKKV_URL=http://127.0.0.1:$port
}

# As ctl, with a bound that only a fault reaches.
ctl_in_time() {
    timeout 30 "$build/rackkvctl" -s "$socket" "$@"
}

stop_server() {
    kill -TERM "$server"
    wait "$server"
    server=
}

# put_many PREFIX N: keys PREFIX1..N with values of a few sizes.
put_many() {
    local i
    for ((i = 1; i <= $2; i++)); do
        printf 'PUT %s%d %0*d\n' "$1" "$i" $((i * 7 % 500 + 1)) "$i"
    done | "$build/rackkv" shell >/dev/null
}

# Waits until "current" of merge status begins with this ({ for a merge, null for none), with a deadline.
wait_for_merge() {
    local deadline=$((SECONDS + 60))
    until [ $SECONDS -ge $deadline ] || ctl --json merge status | grep -q "\"current\":$1"; do
        read -r -t 0.02 <> <(:) || :
    done
}

# The figures of each file add up to its size, and its size is that on the disk.
check_sums() {
    ctl --bytes explain-space | awk -v folder="$folder/data" '
        $1 ~ /^[0-9]+$/ && NF == 10 {
            sum = 0
            for (i = 3; i <= 9; i++)
                sum += $i
            stat = sprintf("stat -c %%s %s/%010d.data", folder, $1)
            stat | getline size
            close(stat)
            if (sum != $2 || size != $2) {
                printf "file %d: %d bytes on the disk, %d said, %d in the figures\n", $1, size, $2, sum
                bad++
            }
            n++
        }
        END { printf "%d files\n", n; exit bad > 0 || n == 0 }'
}

# Nobody is there.
expect 'no server' 3 'no server runs here' ctl ping
expect 'no server, for programs' 3 '"error":"not_running"' ctl ping --json
mkdir "$folder/data"
expect 'a file is no socket' 2 'is not a socket' "$build/rackkvctl" -s "$build/rackkvctl" ping
expect 'help needs no server' 0 'merge history' "$build/rackkvctl" help
expect 'help about one' 0 'Exit code 3' "$build/rackkvctl" help ping
expect 'help about a group' 0 'rackkvctl merge cancel' "$build/rackkvctl" help merge
expect 'help behind the command' 0 'Usage: rackkvctl [OPTIONS] whereis KEY' "$build/rackkvctl" whereis --help
expect 'version' 0 'rackkvctl ' "$build/rackkvctl" version
expect 'version as an option' 0 'rackkvctl ' "$build/rackkvctl" --version
expect 'version for programs' 0 '"version":"' "$build/rackkvctl" --json -V
expect 'help says what programs send' 0 '"files": a list of numbers of data files' "$build/rackkvctl" help merge start
expect 'also where nothing is added' 0 '{"command":"roll"}' "$build/rackkvctl" help roll
expect 'a timeout without a unit' 2 "--timeout: '5' has no unit" "$build/rackkvctl" --timeout 5 ping
expect 'no command' 2 'a command is needed' "$build/rackkvctl"
expect 'unknown command' 2 "did you mean 'status'" "$build/rackkvctl" staus
expect 'unknown second word' 2 "did you mean 'merge start'" "$build/rackkvctl" merge stat
expect 'half a command' 2 'merge needs one of: start, pause' "$build/rackkvctl" merge
expect 'unknown option' 2 'rackkvctl help' "$build/rackkvctl" --frobnicate ping
expect 'an operand too many' 2 'usage: rackkvctl [OPTIONS] ping' "$build/rackkvctl" ping me
expect 'an operand too few' 2 'usage: rackkvctl [OPTIONS] whereis KEY' "$build/rackkvctl" whereis
expect 'a key that looks like an option' 2 'rackkvctl whereis -- KEY' "$build/rackkvctl" whereis -x
expect 'an option of another command' 2 'usage: rackkvctl' "$build/rackkvctl" ping --wait
expect 'a bad configuration' 2 'did you mean server.data_dir' "$build/rackkvctl" -o server.data_dirr=x ping

start_server
expect 'ping' 0 "serving, pid $server" ctl ping
expect 'ping for programs' 0 "{\"ok\":true,\"state\":\"serving\",\"pid\":$server}" ctl --json ping
expect 'found by the environment' 0 'serving' env "RACKKV_SOCKET=$socket" "$build/rackkvctl" ping
expect 'found by the configuration' 0 'serving' "$build/rackkvctl" -o "server.data_dir=$folder/data" ping
expect 'found in ./data' 0 'serving' bash -c "cd '$folder' && '$build/rackkvctl' ping"
expect 'the socket is its user'\''s alone' 0 '600 socket' stat -c '%a %F' "$socket"
expect 'status' 0 'writes     accepted' ctl status
expect 'nothing to merge' 1 'there is nothing to merge: explain-space says why' ctl merge start
expect 'status for programs' 0 "\"urls\":[\"$RACKKV_URL\"]" ctl status --json

put_many a 200
expect 'stats' 0 'put 201' ctl stats
expect 'stats for programs' 0 '"puts":200' ctl stats --json
expect 'sync' 0 'durable up to sequence 200' ctl sync
expect 'whereis' 0 'file 1, offset ' ctl whereis a7
expect 'whereis for programs' 0 '"sequence":7,"type":"put","key_bytes":2,"value_bytes":50,' ctl --json whereis a7
expect 'whereis, a value of eight bytes' 0 'value of 8 bytes, written' ctl whereis a1
"$build/rackkv" put b7 1 && "$build/rackkv" put b8 ''
expect 'whereis, a value of one byte' 0 'value of 1 byte, written' ctl whereis b7
expect 'whereis, an empty value' 0 'value of 0 bytes, written' ctl whereis b8
"$build/rackkv" delete b7 && "$build/rackkv" delete b8
expect 'whereis, absent' 1 'no such key' ctl whereis b7
expect 'whereis, a dash' 1 'no such key' ctl whereis -- -x
expect 'whereis, any bytes' 1 'no such key' ctl whereis $'\xff\xfe'
expect 'sums of the active file' 0 '1 files' check_sums
expect 'file list' 0 'active' ctl file list
expect 'roll' 0 'sealed data file 1; writing to 2' ctl roll
expect 'nothing to roll' 0 'nothing to seal' ctl roll
expect 'file list after roll' 0 '"file":2,"active":true' ctl --json file list
expect 'and the sealed one' 0 '"file":1,"active":false' ctl --json file list

# A server that stands still: the kernel takes the connection, and nobody answers.
stop_process "$server"
expect 'no answer in time' 4 'did not answer within 0.2 s (--timeout); what was asked for may go on' ctl_in_time --timeout 200ms ping
expect 'no answer in time, for programs' 4 '"error":"timeout"' ctl_in_time --json -t 100ms roll
kill -CONT "$server"
expect 'it goes on' 0 'serving' ctl --timeout 1m ping

# Overwritten, deleted, sealed and not: the figures follow, and survive a restart.
put_many a 150
for ((i = 1; i <= 50; i++)); do printf 'DELETE a%d\n' "$i"; done | "$build/rackkv" shell >/dev/null
ctl roll >/dev/null
put_many a 20
expect 'sums after overwriting and deleting' 0 '3 files' check_sums
expect 'tombstones are counted' 0 '"tombstone_bytes":' ctl --json explain-space
stop_server
expect 'the socket is gone' 1 '' test -e "$socket"
expect 'no server any more' 3 'no server runs here' ctl ping
start_server
expect 'sums after a restart' 0 '4 files' check_sums

# Merging, by hand since the policy is never.
expect 'merge status' 0 'idle' ctl merge status
expect 'explain-space says why not' 0 'merge.policy does not allow a merge now' ctl explain-space
expect 'no merge to cancel' 1 'no merge runs' ctl merge cancel
expect 'no history' 0 'no merge since' ctl merge history
expect 'a file that is not there' 1 '99' ctl merge start 99
expect 'no number' 2 'numbers of data files' ctl merge start x
expect 'files and all' 2 'numbers of data files' ctl merge start 1 --all
expect 'rate' 0 'yields to requests' ctl merge rate
expect 'rate, a size' 0 'at most 1.00 MiB/s' ctl merge rate 1MiB/s
expect 'rate, unlimited' 0 'rate: unlimited' ctl merge rate unlimited
expect 'rate, paced' 0 'rate: yields to requests' ctl merge rate paced
expect 'rate, nonsense' 2 '50MiB' ctl merge rate fast
expect 'pause' 0 'paused' ctl merge pause
expect 'a merge that waits' 0 'merge 1 begins' ctl merge start 1 2
expect 'another one' 1 'a merge is under way: wait for it, or cancel it' ctl merge start 1
expect 'it stands still' 0 '"paused":true' ctl --json merge status
expect 'cancel' 0 '' ctl merge cancel
wait_for_merge null
expect 'who waits with a timeout' 4 'did not answer within' ctl_in_time --timeout 300ms merge start --all --wait
expect 'cancel what goes on' 0 '' ctl merge cancel
wait_for_merge null
ctl merge start --all --wait >"$folder/waited" 2>&1 &
waiting=$!
expect 'while somebody waits, ping' 0 'serving' ctl ping
expect 'and the files' 0 'sealed' ctl file list
wait_for_merge '{'
expect 'and cancel' 0 '' ctl merge cancel
wait "$waiting"
code=$?
expect 'who waited is told' 0 '' test "$code" = 1
expect 'in words' 0 'the merge was cancelled' cat "$folder/waited"
expect 'resume' 0 '' ctl merge resume
expect 'all, and wait' 0 'given back' ctl merge start --all --wait
expect 'history' 0 'done' ctl merge history
expect 'history of the cancelled one' 0 '"state":"cancelled"' ctl --json merge history
expect 'sums after merging' 0 'files' check_sums
expect 'what was overwritten is there' 0 '' "$build/rackkv" exists a151
expect 'what was deleted is not' 1 '' "$build/rackkv" exists a21
expect 'whereis after merging' 0 'file' ctl whereis a151
expect 'nothing dead is left' 0 'true' bash -c "
    '$build/rackkvctl' -s '$socket' --bytes explain-space | awk '\$1 == \"all\" { print \$4 + \$5 + \$6 == 0 ? \"true\" : \$0 }'"
stop_server

# A long path, another place, a server that was killed.
start_server -o "server.control_socket=$folder/elsewhere.sock"
expect 'elsewhere' 0 'serving' "$build/rackkvctl" -o "server.control_socket=$folder/elsewhere.sock" ping
kill -KILL "$server"
wait "$server" 2>/dev/null
expect 'a dead server' 3 'nobody listens' "$build/rackkvctl" -s "$folder/elsewhere.sock" ping
start_server -o "server.control_socket=$folder/elsewhere.sock"
expect 'its socket is replaced' 0 'serving' "$build/rackkvctl" -s "$folder/elsewhere.sock" ping
expect 'a second server does not take it' 1 'server.control_socket' "$build/rackkvd" -o "server.data_dir=$folder/other" \
    -o http.listen=127.0.0.1:0 -o "server.control_socket=$folder/elsewhere.sock"
stop_server

conclude

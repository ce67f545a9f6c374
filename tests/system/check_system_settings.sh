#!/usr/bin/env bash
# What rackkvd -t knows of the machine: folders, sockets, addresses, affinity, control groups. Whatever it calls bad, the
# start calls bad in the same words and with the same exit code; whatever is in use by a server of the same configuration
# is good.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"

# refused NAME EXPECTED_EXIT_CODE EXPECTED_OUTPUT ASSIGNMENT...: by -t, and then by the start in the same words.
refused() {
    local name=$1 code=$2 output=$3 assignment tested arguments=()
    shift 3
    for assignment in "server.data_dir=$folder/data" http.listen=127.0.0.1:0 server.workers=1 "$@"; do
        arguments+=(-o "$assignment")
    done
    expect "$name" "$code" "$output" "$build/rackkvd" -t "${arguments[@]}"
    tested=$("$build/rackkvd" -t "${arguments[@]}" 2>&1)
    expect "$name, at the start" "$code" "$tested" timeout 60 "$build/rackkvd" "${arguments[@]}"
}

echo text >"$folder/file"
refused 'data_dir is a file' 1 "server.data_dir: $folder/file: $folder/file is not a folder" "server.data_dir=$folder/file"
refused 'nothing to make data_dir in' 1 "cannot be made in $folder/none" "server.data_dir=$folder/none/data"
refused 'data_dir in a folder of the kernel' 1 'cannot be made in /proc' server.data_dir=/proc/nowhere
refused 'no folder for pid_file' 1 "server.pid_file: $folder/none/pid" "server.pid_file=$folder/none/pid"
refused 'pid_file is a folder' 1 "server.pid_file: $folder is not a file" "server.pid_file=$folder"
refused 'no folder for control_socket' 1 "server.control_socket: $folder/none/s" "server.control_socket=$folder/none/s"
long=$(printf '%0100d' 7)
refused 'control_socket with too long a name' 1 'at most 80 bytes' "server.control_socket=$folder/$long"
refused 'a name that does not resolve' 1 'http.listen: no-such-host.invalid:80' http.listen=no-such-host.invalid:80
refused 'an address of another machine' 1 'it is no address of this machine' http.listen=192.0.2.1:0
refused 'one address by two names' 1 'are one address' http.listen=127.0.0.1:17,localhost:17
refused 'the same address twice' 2 'is there twice' http.listen=127.0.0.1:17,127.0.0.1:17
refused 'no folder for a Unix socket' 1 "no socket can be made in $folder/none" "http.listen=unix:$folder/none/s"
refused 'a file where a Unix socket is to be' 1 'exists and is not a socket' "http.listen=unix:$folder/file"
refused 'too long a path of a Unix socket' 2 'longer than 107 bytes' "http.listen=unix:$folder/$long"
refused 'too small a ring' 2 'it must be at least 65MiB' ring.size=33MiB
expect 'nothing was made' 1 '' test -e "$folder/data"
expect 'nothing was left' 0 '' test "$(cd "$folder" && echo .[!.]* *)" = '.[!.]* file'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir -m 755 "$folder/roots"
    chmod 755 "$folder"
    expect 'a folder that nobody may write' 1 'nothing can be made in' setpriv --reuid 65534 --clear-groups \
        "$build/rackkvd" -t -o "server.data_dir=$folder/roots" -o http.listen=127.0.0.1:0
fi

# A server that runs: its own configuration is good.
"$build/rackkvd" -o "server.data_dir=$folder/data" -o "http.listen=127.0.0.1:0,unix:$folder/socket" \
    -o "server.pid_file=$folder/pid" -o server.workers=1 2>"$folder/diag" &
server=$!
port=$(wait_for_port)
expect 'what is in use is good' 0 'is good' "$build/rackkvd" -t -o "server.data_dir=$folder/data" \
    -o "http.listen=127.0.0.1:$port,unix:$folder/socket" -o "server.pid_file=$folder/pid" -o server.workers=1
expect 'and was not disturbed' 0 '' "$build/rackkv" --url "unix:$folder/socket" put k v
kill -TERM "$server"
wait "$server"
server=

# What auto became, and back again.
"$build/rackkvd" -T -o log.sync=none >"$folder/one.yaml"
for what in '^  workers: [1-9][0-9]* # auto: [1-9][0-9]* cores* by ' '^  max_bytes: [0-9]*MiB # auto: half of the ' \
    '^  size: [0-9]*MiB # auto: two records'; do
    expect "-T says $what" 0 '' grep -q "$what" "$folder/one.yaml"
done
expect 'no auto is left but of policies' 0 '  policy: auto' grep ': auto$' "$folder/one.yaml"
expect 'no second one' 0 '' test "$(grep -c ': auto' "$folder/one.yaml")" = 1
"$build/rackkvd" -T -c "$folder/one.yaml" >"$folder/two.yaml"
expect 'the same back' 0 '' diff <(sed 's/ # .*//' "$folder/one.yaml") "$folder/two.yaml"
core=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')
expect 'workers by affinity' 0 'workers: 1 # auto: 1 core by affinity' taskset -c "$core" "$build/rackkvd" -T
expect 'one worker with --single' 0 'workers: 1' "$build/rackkvd" -T --single -o server.workers=7

# Memory by control group, where one can be made.
group=
if [ -w /sys/fs/cgroup/memory/memory.limit_in_bytes ] || [ -e /sys/fs/cgroup/memory/cgroup.procs ]; then
    group=/sys/fs/cgroup/memory/rackkv-test-$$
    limit=memory.limit_in_bytes
elif [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/rackkv-test-$$
    limit=memory.max
fi
if [ -n "$group" ] && mkdir "$group" 2>/dev/null; then
    if echo $((192 << 20)) 2>/dev/null >"$group/$limit"; then
        # shellcheck disable=SC2016 # the inner shell expands them
        expect 'keydir by control group' 0 'max_bytes: 96MiB # auto: half of the 192 MiB that the control group may have' \
            bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$build/rackkvd" -T
    fi
    for _ in $(seq 100); do
        rmdir "$group" 2>/dev/null && break
        read -r -t 0.05 <> <(:) || :
    done
fi

conclude

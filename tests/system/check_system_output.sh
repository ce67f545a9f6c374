#!/usr/bin/env bash
# A program whose output could not be written has failed, and says so: each program and verb, with a full disk and with a
# closed standard output. Descriptors 0, 1 and 2 that are closed become nothing else.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
unset RACKKV_SOCKET

# lost PROGRAM ARGUMENTS...: both ways. strict: with nothing printed before, the message is all there is.
lost() {
    # shellcheck disable=SC2016
    expect "$(basename "$1") ${*:2}, full" 1 'standard output cannot be written' bash -c '"$0" "$@" >/dev/full' "$@"
    # shellcheck disable=SC2016
    expect "$(basename "$1") ${*:2}, closed" 1 'standard output cannot be written' bash -c '"$0" "$@" >&-' "$@"
}

"$build/rackkvd" -o "server.data_dir=$folder/data" -o http.listen=127.0.0.1:0 -o server.workers=1 -o merge.policy=never \
    2>"$folder/diag" &
server=$!
port=$(wait_for_port)
export RACKKV_URL=http://127.0.0.1:$port
"$build/rackkv" put k v

for option in -t -T -h -V --help --version --test --print; do
    lost "$build/rackkvd" $option
done

# Every command of rackkv, by its own list; what prints nothing prints an object with --json.
for command in $("$build/rackkv" help | sed -n 's/^  \([a-z]\+\) .*/\1/p'); do
    case $command in
    open) lost "$build/rackkv" open --help ;;
    put) lost "$build/rackkv" --json put k v ;;
    get) lost "$build/rackkv" get k && lost "$build/rackkv" --json get k ;;
    delete) lost "$build/rackkv" --json delete k && "$build/rackkv" put k v ;;
    exists) lost "$build/rackkv" --json exists k ;;
    incr) lost "$build/rackkv" incr n && lost "$build/rackkv" --json incr n ;;
    append) lost "$build/rackkv" --json append k v ;;
    touch) "$build/rackkv" put k v && lost "$build/rackkv" --json touch k ;;
    import) : >"$folder/none" && lost "$build/rackkv" --json import "$folder/none" ;;
    export) lost "$build/rackkv" export --help ;;
    shell) # shellcheck disable=SC2016
        expect 'rackkv shell, full' 1 'standard output' bash -c 'printf "GET k\n" | "$0" shell >/dev/full' "$build/rackkv" ;;
    *) lost "$build/rackkv" "$command" ;;
    esac
done
lost "$build/rackkv" --help
lost "$build/rackkv" help put

# Every command of rackkvctl. Two of a kind go wrong for another reason the second time (nothing to merge): 1 as well.
printf '%s\n' reopen 'merge cancel' 'merge start' >"$folder/other-reasons"
"$build/rackkvctl" help | sed -n '/^  -/q; s/^  \([a-z-]\+\( [a-z]\+\)\?\)  .*/\1/p' >"$folder/verbs"
while read -r verb; do
    grep -qx "$verb" "$folder/other-reasons" && continue
    [ "$verb" = whereis ] && verb='whereis k'
    # shellcheck disable=SC2086
    lost "$build/rackkvctl" -s "$folder/data/control.sock" $verb
    # shellcheck disable=SC2086
    lost "$build/rackkvctl" -s "$folder/data/control.sock" --json $verb
done <"$folder/verbs"
expect 'the list of verbs was read' 0 '' test "$(wc -l <"$folder/verbs")" -gt 15
lost "$build/rackkvctl" --help
lost "$build/rackkvctl" --version
lost "$build/rackkvctl" help merge

# Nothing to print: nothing was lost.
expect 'put prints nothing' 0 '' bash -c "'$build/rackkv' put k v >&-"
expect 'exists prints nothing' 0 '' bash -c "'$build/rackkv' exists k >/dev/full"
# What cannot be read is no empty value.
expect 'put without standard input' 1 'standard input' bash -c "'$build/rackkv' put k - <&-"
expect 'the value is what it was' 0 'v' "$build/rackkv" get k

kill -TERM "$server"
wait "$server"
server=

# Which of the three are closed, for the master and its workers; a message is provoked with HUP.
for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&- 2>&-'; do
    # shellcheck disable=SC2016
    bash -c 'exec "$0" "$@" '"$closed" "$build/rackkvd" -o "server.data_dir=$folder/data" -o "http.listen=unix:$folder/socket" \
        -o server.workers=1 -o "server.log_file=$folder/log" &
    server=$!
    expect "it serves, $closed" 0 '' timeout 60 bash -c "until '$build/rackkv' --url 'unix:$folder/socket' get k; do :; done" 2>/dev/null
    kill -HUP "$server"
    expect "the message is in the log, $closed" 0 '' timeout 60 bash -c "until grep -q SIGHUP '$folder/log'; do :; done"
    for pid in "$server" $(cat "/proc/$server/task/$server/children"); do
        for fd in 0 1 2; do
            [[ $closed == *$fd[\<\>]* ]] || continue
            where=/dev/null
            [ $fd != 2 ] || where=$folder/log
            expect "descriptor $fd, $closed" 0 "$where" readlink "/proc/$pid/fd/$fd"
        done
    done
    expect "LOCK holds a pid, $closed" 0 "$server" cat "$folder/data/LOCK"
    expect "and nothing else, $closed" 0 '1' grep -c '' "$folder/data/LOCK"
    kill -TERM "$server"
    wait "$server"
    server=
    rm -f "$folder/log"
done

conclude

# shellcheck shell=bash
# What the benchmarks of real servers share: starting them on ports, running wrk, and ending what was started. To be
# sourced by a bash script which has set $here to the folder bench/, may set what is below, and calls stop_all when it ends.
#
#   declare -A command=([server]='my_server --port %p')
#   start server 20001                      # sets ${pid[server]} and ${port[server]}
#   run_wrk get server 64 5 2               # requests=... seconds=... errors=... p50_us=... p99_us=... p999_us=...

: "${here:?the folder bench/}"
declare -A pid port command
n_keys=1000000 value_bytes=15 delay_ms=0 session=own

die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

need_wrk() { command -v wrk >/dev/null || die "wrk is not installed"; }

# The leader of a session or of a process group has its id as its own: only those that were started here are ever ended.
stop_all() {
    local name
    for name in "${!pid[@]}"; do
        kill -TERM -- "-${pid[$name]}" 2>/dev/null
        wait "${pid[$name]}" 2>/dev/null
    done
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

random_port() { echo $((20000 + RANDOM % 10000)); }

# In a session of its own, or (session=shared) in a process group of ours. Sessions share the processors like users do,
# whatever the priorities inside of each (autogroup in sched(7)).
spawn() { # command
    if [ "$session" = own ]; then
        setsid bash -c "exec $1" &
    else
        set -m
        bash -c "exec $1" &
        set +m
    fi
}

start() { # name port
    local deadline=$((SECONDS + 30))
    is_open "$2" && die "port $2 is in use"
    spawn "${command[$1]//%p/$2}"
    pid[$1]=$!
    port[$1]=$2
    until is_open "$2"; do
        kill -0 "${pid[$1]}" 2>/dev/null || die "the $1 did not start: ${command[$1]//%p/$2}"
        [ $SECONDS -lt $deadline ] || die "the $1 does not listen on port $2"
        sleep 0.1
    done
}

# The workload "load" ends by itself when every key is written; it takes one thread.
run_wrk() { # workload name connections seconds threads
    RK_WORKLOAD=$1 RK_KEYS=$n_keys RK_CONNECTIONS=$3 RK_VALUE_BYTES=$value_bytes RK_DELAY_MS=$delay_ms \
        wrk -t "$5" -c "$3" -d "$4s" --timeout 30s -s "$here/floor/http_bench.lua" \
        "http://127.0.0.1:${port[$2]}/" | sed -n 's/^RESULT //p'
}

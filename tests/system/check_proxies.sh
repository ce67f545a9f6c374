#!/usr/bin/env bash
# RackKV behind the real nginx and haproxy, configured with what doc/proxies.md shows: its bare configurations, and the files
# of conf/ that it names. Its table says which keys stay whole, and how they are sent: each of its cells is tried here.
# Everybody listens on Unix sockets in a folder of this test.
#
# Exit code 77 (skipped) without nginx or haproxy.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
# shellcheck source=tests/system/system_proxies.sh
. "$(dirname "$0")/system_proxies.sh"
source_dir=$(cd "${srcdir:-.}" && pwd)
doc=$source_dir/doc/proxies.md
trap 'stop_proxies; cleanup' EXIT

for program in nginx haproxy; do
    command -v $program >/dev/null || {
        echo "skipped: $program is not installed (Debian: nginx-light, haproxy)"
        exit 77
    }
done

# The words behind "Measured with" are the versions of which the bare columns speak; another one may do otherwise.
is_measured() { # PROGRAM VERSION
    grep -q "Measured with.*$1 ${2%.*}[, ]" "$doc"
}

# ---- the table ----

rows=() # what is sent, by path
keys=() # the same in the one spelling that nothing can take for anything else
cells=() # of each row, as they stand in the table

# Everything but letters, digits and `-_~` encoded, in upper case.
canonical() {
    sed -e 's/%\(..\)/%\U\1/g' -e 's/\./%2E/g' -e 's|/|%2F|g' -e 's/&/%26/g' -e 's/+/%2B/g' -e 's/=/%3D/g' -e 's/;/%3B/g' \
        -e 's/:/%3A/g' -e 's/@/%40/g' -e 's/,/%2C/g' -e 's/\$/%24/g' -e 's/!/%21/g' -e 's/\*/%2A/g' -e 's/(/%28/g' \
        -e 's/)/%29/g' -e "s/'/%27/g"
}

read_table() {
    local sent cell text n
    while IFS='|' read -r _ sent _ cell; do
        [[ $sent =~ ^\ \`(.*)\`(×([0-9]+))?\ $ ]] || continue
        text=${BASH_REMATCH[1]} n=${BASH_REMATCH[3]:-1}
        [ "$n" = 1 ] || text=$(head -c "$n" /dev/zero | tr '\0' '\n' | sed "s|^|$text|" | tr -d '\n')
        rows+=("$text")
        cells+=("${cell//|/ }")
    done < <(sed -n '/^## What becomes of each key/,/^## /p' "$doc")
    mapfile -t keys < <(printf '%s\n' "${rows[@]}" | canonical)
}

# ---- requests: many by one curl ----

requests=$folder/requests

ask() { # SOCKET METHOD TARGET [VALUE]
    printf 'url = "http://rackkv%s"\nunix-socket = "%s"\nrequest = %s\n' "$3" "$1" "$2"
    printf 'output = "%s/out"\npath-as-is\ngloboff\nmax-time = 60\nsilent\n' "$folder"
    [ $# -lt 4 ] || printf 'data-binary = "%s"\n' "$4"
    printf 'write-out = "=%%{http_code}\\n"\nnext\n'
}

# The same, with the answer's body behind the status.
ask_value() { # SOCKET TARGET
    printf 'url = "http://rackkv%s"\nunix-socket = "%s"\noutput = "-"\npath-as-is\ngloboff\n' "$2" "$1"
    printf 'max-time = 60\nsilent\nwrite-out = " =%%{http_code}\\n"\nnext\n'
}

# Sends what stands in $requests; a line for each answer, the last of its body.
send() {
    [ -s "$requests" ] || return 0
    sed -i '$d' "$requests" # no "next" behind the last one
    curl -K "$requests" | tr -d '\0' | sed -n 's/=\([0-9]*\)$/\1/p'
}

target() { # FORM ROW
    case $1 in
    path) printf '/v1/kv/%s' "${rows[$2]}" ;;
    query) printf '/v1/kv?key=%s' "${rows[$2]//&/%26}" ;;
    direct) printf '/v1/kv/%s' "${keys[$2]}" ;;
    esac
}

# One request for each of the rows; its answers are in $answers.
for_each() { # SOCKET METHOD FORM LABEL ROW...
    local socket=$1 method=$2 form=$3 label=$4 row
    shift 4
    for row in "$@"; do
        if [ "$method" = GET ]; then
            ask_value "$socket" "$(target "$form" "$row")"
        else
            ask "$socket" "$method" "$(target "$form" "$row")" ${label:+"$label-$row"}
        fi
    done >"$requests"
    mapfile -t answers < <(send)
}

# What was whole so far, and is not answered as expected, is called something else. What was not is not asked any more.
believe() { # SOCKET METHOD FORM LABEL EXPECTED OTHERWISE
    local row expected at=0 asked=()
    for row in "${!rows[@]}"; do
        [ "${verdicts[row]}" != whole ] || asked+=("$row")
    done
    for_each "$1" "$2" "$3" "$4" "${asked[@]}"
    for row in "${asked[@]}"; do
        expected=${5/\%d/$row}
        # shellcheck disable=SC2053 # a pattern
        [[ ${answers[at]:-} == $expected ]] || verdicts[row]=${6:-${answers[at]:-none}}
        at=$((at + 1))
    done
}

# The verdicts on all rows, in $verdicts: one proxy, one form.
judge() { # SOCKET FORM
    local row
    verdicts=()
    for row in "${!rows[@]}"; do
        verdicts[row]=whole
    done
    for_each "$backend" DELETE direct '' "${!rows[@]}"
    believe "$1" PUT "$2" there '20[14]' ''
    believe "$backend" GET direct '' 'there-%d 200' other
    believe "$backend" PUT direct back 204 other
    believe "$1" GET "$2" '' 'back-%d 200' unread
    believe "$1" DELETE "$2" '' 204 undeleted
    believe "$backend" GET direct '' '* 404' undeleted
}

# A column of the table: its cells against what happens.
check_column() { # NAME FORM NUMBER PROGRAM_IF_BARE
    local row cell columns
    judge "$folder/$1.sock" "$2"
    for row in "${!rows[@]}"; do
        read -r -a columns <<<"${cells[row]}"
        cell=${columns[$3]:-nothing}
        measured[row]+=" ${verdicts[row]} |"
        if [ "$cell" = "${verdicts[row]}" ]; then
            passed=$((passed + 1))
        elif [ -n "${4:-}" ] && ! is_measured "$4" "${versions[$4]}"; then
            printf 'note: %s %s, %s, %.40s: %s, in the table: %s\n' "$1" "${versions[$4]}" "$2" "${rows[row]}" \
                "${verdicts[row]}" "$cell"
        else
            failed=$((failed + 1)) is_table_wrong=yes
            printf 'FAILED: %s, %s, %.40s: %s, in the table: %s\n' "$1" "$2" "${rows[row]}" "${verdicts[row]}" "$cell"
        fi
    done
}

# ---- what else a proxy must not spoil ----

through() { # NAME CURL_ARGUMENT...
    local name=$1
    shift
    curl -sS -m 60 --unix-socket "$folder/$name.sock" "$@"
}

# What an answer says, but for what every server says in its own name. The case of names does not matter.
headers() { # NAME CURL_ARGUMENT...
    through "$@" -D - -o "$folder/ignored" http://rackkv/v1/kv/v | tr -d '\r' |
        sed -e '/^HTTP/!s/^[^:]*/\L&/' -e '/^\(date:.*\|connection:.*\|keep-alive:.*\|server:.*\|\)$/d' | sort
}

put_chunks() { # NAME CURL_ARGUMENT...
    printf chunks | through "$@" -T -
}

check_values() { # NAME
    local status='%{http_code}' url=http://rackkv/v1/kv/v expectation='Expect: 100-continue'
    expect "$1: the largest value" 0 20 through "$1" -H "$expectation" -T "$folder/value" -w "$status" $url
    through "$1" -o "$folder/back" $url
    expect "$1: and it comes back" 0 '' cmp "$folder/value" "$folder/back"
    expect "$1: HEAD is the same as without a proxy" 0 "$(headers backend -I)" headers "$1" -I
    expect "$1: one byte more" 0 413 through "$1" -H "$expectation" -T "$folder/more" -o "$folder/ignored" -w "$status" $url
    expect "$1: of unknown length" 0 20 put_chunks "$1" -w "$status" $url
    expect "$1: it is there" 0 chunks through backend $url
    expect "$1: a strong ETag, whatever the client can decompress" 0 'etag: "' headers "$1" -H 'Accept-Encoding: gzip'
    expect "$1: absent, in RackKV's words" 0 '"code":"not-found"' through "$1" http://rackkv/v1/kv/none
}

n_accepted() {
    "$build/rackkvctl" -s "$folder/data/control.sock" stats --json | grep -o '"connections_accepted": *[0-9]*' |
        awk '{ n += $NF } END { print n }' FS=':'
}

# Behind nginx is somebody who answers a GET, and closes the connection on a DELETE.
check_sent_once() {
    start_haproxy closing <<'END'
defaults
    mode http
    timeout client 60s
frontend closing
    bind :80
    http-request reject if { method DELETE }
    http-request return status 200 content-type text/plain string alive
END
    start_nginx once closing <"$source_dir/conf/nginx-rackkv.conf"
    expect 'nginx: has a connection' 0 alive wait_for_server once
    expect 'nginx: it breaks' 0 502 through once -X DELETE -o "$folder/ignored" -w '%{http_code}' http://rackkv/v1/kv/v
    expect 'nginx: nothing is sent twice' 0 1 grep -c 'upstream prematurely closed' "$folder/once/error.log"
}

check_health() {
    kill -TERM "$server"
    wait "$server"
    server=
    expect 'haproxy: notices that it is gone' 0 '' wait_for_text "$folder/haproxy.said" 'rackkv/rackkv is DOWN'
    expect 'haproxy: without RackKV' 0 503 through haproxy -o /dev/null -w '%{http_code}' http://rackkv/v1/kv/v
    expect 'nginx: without RackKV' 0 502 through nginx -o /dev/null -w '%{http_code}' http://rackkv/v1/kv/v
    start_rackkv
    expect 'haproxy: asks /readyz' 0 '' wait_for_text "$folder/haproxy.said" 'is UP, reason: Layer7 check passed, code: 200'
    expect 'haproxy: with it again' 0 chunks through haproxy http://rackkv/v1/kv/v
    expect 'nginx: with it again' 0 chunks through nginx http://rackkv/v1/kv/v
}

# ---- all of it ----

declare -A versions=([nginx]=$(nginx -v 2>&1 | sed 's|.*/\([0-9]*\.[0-9]*\.[0-9]*\).*|\1|')
    [haproxy]=$(haproxy -v | sed -n 's/.*version \([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p'))
measured=()
is_table_wrong=no
backend=$folder/backend.sock
read_table
expect 'the table has its keys' 0 '' test ${#rows[@]} -ge 60
expect 'no two of them are the same key' 0 '' test -z "$(printf '%s\n' "${keys[@]}" | sort | uniq -d)"

start_rackkv
start_nginx nginx-bare < <(shown_below 'Bare nginx')
start_nginx nginx <"$source_dir/conf/nginx-rackkv.conf"
start_haproxy haproxy-bare < <(shown_below 'Bare haproxy')
start_haproxy haproxy <"$source_dir/conf/haproxy-rackkv.cfg"
for name in nginx-bare nginx haproxy-bare haproxy; do
    expect "$name serves" 0 alive wait_for_server $name
done
[ "$failed" -eq 0 ] || { conclude; exit 1; } # whatever comes next would fail as well, one request after another
column=0
for name in nginx-bare nginx haproxy-bare haproxy; do
    before=$(n_accepted)
    [[ $name == *-bare ]] && program=${name%-bare} || program=
    check_column $name path $column "$program"
    check_column $name query $((column + 1)) "$program"
    accepted=$(($(n_accepted) - before))
    [ -n "$program" ] || expect "$name: $accepted connections to RackKV, they are kept" 0 '' \
        test $accepted -gt 0 -a $accepted -lt ${#rows[@]}
    column=$((column + 2))
done
[ $is_table_wrong = no ] || printf 'what happens: |%s\n' "${measured[@]}"

head -c $((32 << 20)) /dev/urandom >"$folder/value"
{ cat "$folder/value" && echo; } >"$folder/more"
check_values nginx
check_values haproxy
expect 'nginx: too large is said before it is sent' 0 '413 0' through nginx -H 'Expect: 100-continue' -T "$folder/more" \
    -o "$folder/ignored" -w '%{http_code} %{size_upload}' http://rackkv/v1/kv/v
expect 'nginx: no body goes to the disk of the proxy' 1 '' grep 'request body is buffered' "$folder/nginx/error.log"
check_sent_once
check_health
kill -TERM "$server"
wait "$server"
server=
stop_proxies
for name in "$folder"/*.said; do
    name=$(basename "$name" .said)
    expect "$name: has ended" 7 '' curl -sS -m 20 --unix-socket "$folder/$name.sock" http://rackkv/livez
done
conclude

#!/usr/bin/env bash
# What people reach a server with, each as it comes and without an error: curl, wget, Python's http.client, node's fetch, ab,
# h2load, and what YCSB's REST binding sends. What is not installed is skipped, and named.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1
unset http_proxy https_proxy all_proxy

"$build/rackkvd" -o "server.data_dir=$folder/data" -o http.listen=127.0.0.1:0 -o server.workers=2 -o log.sync=interval \
    2>"$folder/diag" &
server=$!
port=$(wait_for_port)
url=http://127.0.0.1:$port
kv=$url/v1/kv
head -c 300000 /dev/urandom >"$folder/value"
cd "$folder" || exit 1

# is_there PROGRAM PACKAGE: or it is said that its part is skipped.
is_there() {
    command -v "$1" >/dev/null && return
    echo "skipped: $1 is not installed (Debian: $2)"
    return 1
}

# ---- curl ----

status() { # CURL_ARGUMENT...
    curl -sS -m 60 -o answer -w '%{http_code}' "$@"
}

check_curl() {
    expect 'curl: upload' 0 201 status -T value "$kv/curl"
    expect 'curl: upload of a stream' 0 204 status -T - "$kv/curl" <value
    expect 'curl: download' 0 200 status "$kv/curl"
    expect 'curl: the same' 0 '' cmp answer value
    expect 'curl: the head' 0 'Content-Length: 300000' curl -sSI -m 60 "$kv/curl"
    head -c 1000 value >part
    expect 'curl: goes on with a download' 0 '' curl -sS -m 60 -C - -o part "$kv/curl"
    expect 'curl: the whole' 0 '' cmp part value
    expect 'curl: a range' 0 206 status -r 10-19 "$kv/curl"
    expect 'curl: its bytes' 0 '' cmp answer <(head -c 20 value | tail -c 10)
    expect 'curl: several ranges are the whole' 0 200 status -r 0-1,5-6 "$kv/curl"
    expect 'curl: keeps the ETag' 0 200 status --etag-save etag "$kv/curl"
    expect 'curl: compares the ETag' 0 304 status --etag-compare etag "$kv/curl"
    touch value
    expect 'curl: only what is newer' 0 304 status -z value "$kv/curl"
    expect 'curl: a form is a value' 0 204 status -d a=b -d c=d "$kv/curl"
    expect 'curl: it is there' 0 'a=b&c=d' curl -sS -m 60 "$kv/curl"
    expect 'curl: JSON' 0 204 status --json '{"a":1}' -X PUT "$kv/curl"
    expect 'curl: its type' 0 'Content-Type: application/json' curl -sSI -m 60 "$kv/curl"
    expect 'curl: a condition' 0 412 status -X PUT -H 'If-None-Match: *' -d x "$kv/curl"
    expect 'curl: a time to live' 0 204 status -X PUT -H 'RackKV-TTL: 10m' -d x "$kv/curl"
    expect 'curl: a number' 0 5 curl -sS -m 60 -X POST "$kv/curl-n?op=incr&by=5"
    expect 'curl: compressed, if it were' 0 200 status --compressed "$kv/curl"
    expect 'curl: HTTP/1.0' 0 200 status -0 "$kv/curl"
    expect 'curl: another form of the key' 0 200 status -G --data-urlencode key=curl "$kv"
    expect 'curl: options' 0 204 status -X OPTIONS "$kv/curl"
    expect 'curl: deletes' 0 204 status -X DELETE "$kv/curl"
    expect 'curl: fails' 22 404 curl -fsS -m 60 "$kv/curl"
    expect 'curl: one connection' 0 '1 0 0' curl -sS -m 60 -w '%{num_connects} ' \
        "$kv/curl-n" -o answer "$kv/curl-n" -o answer "$kv/curl-n" -o answer
}

# ---- wget ----

check_wget() {
    local try=(wget -q --tries=1 --timeout=60)
    expect 'wget: uploads' 0 '' "${try[@]}" -O answer --method=PUT --body-file=value "$kv/wget"
    expect 'wget: downloads' 0 '' "${try[@]}" -O answer "$kv/wget"
    expect 'wget: the same' 0 '' cmp answer value
    head -c 1000 value >wget
    expect 'wget: goes on' 0 '' "${try[@]}" -c "$kv/wget"
    expect 'wget: the whole' 0 '' cmp wget value
    expect 'wget: only what is newer' 0 '' "${try[@]}" -N "$kv/wget"
    expect 'wget: is it there?' 0 '' "${try[@]}" --spider "$kv/wget"
    expect 'wget: a form' 0 '' "${try[@]}" -O answer --post-data=a=b "$kv/wget"
    expect 'wget: it is there' 0 'a=b' "${try[@]}" -O - "$kv/wget"
    expect 'wget: a condition' 8 '' "${try[@]}" -O answer --method=PUT --body-data=x --header='If-None-Match: *' "$kv/wget"
    expect 'wget: deletes' 0 '' "${try[@]}" -O answer --method=DELETE "$kv/wget"
    expect 'wget: it is gone' 8 '' "${try[@]}" -O answer "$kv/wget"
    expect 'wget: the original way' 0 OK "${try[@]}" -O - "$url/put?key=wget&val=1"
}

# ---- load ----

# Each request got through, each answer was one of 2xx.
check_ab() {
    ab -q -s 60 -n 2000 -c 16 -k "$kv/load" >ab.get 2>&1
    expect 'ab: reads' 0 'Complete requests:      2000' cat ab.get
    expect 'ab: no read failed' 0 'Failed requests:        0' cat ab.get
    expect 'ab: each was answered with the value' 1 '' grep 'Non-2xx' ab.get
    expect 'ab: over connections that stay' 0 'Keep-Alive requests:    2000' cat ab.get
    ab -q -s 60 -n 500 -c 16 -k -u small -T text/plain "$kv/ab" >ab.put 2>&1
    expect 'ab: writes' 0 'Complete requests:      500' cat ab.put
    expect 'ab: no write failed' 0 'Failed requests:        0' cat ab.put
    expect 'ab: each was done' 1 '' grep 'Non-2xx' ab.put
    ab -q -s 60 -n 200 -c 8 "$kv/load" >ab.close 2>&1
    expect 'ab: a connection each' 0 'Failed requests:        0' cat ab.close
}

check_h2load() {
    h2load --h1 -n 2000 -c 16 -t 1 "$kv/load" >h2load.get 2>&1
    expect 'h2load: reads' 0 'requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored' cat h2load.get
    expect 'h2load: each was answered with the value' 0 'status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx' cat h2load.get
    h2load --h1 -n 500 -c 16 -t 1 -d small -H ':method: PUT' "$kv/h2load" >h2load.put 2>&1
    expect 'h2load: writes' 0 '500 succeeded, 0 failed, 0 errored' cat h2load.put
    expect 'h2load: each was done' 0 'status codes: 500 2xx, 0 3xx, 0 4xx, 0 5xx' cat h2load.put
    h2load --h1 -n 2000 -c 4 -m 8 -t 1 "$kv/load" >h2load.pipelined 2>&1
    expect 'h2load: one behind the other' 0 '2000 succeeded, 0 failed, 0 errored' cat h2load.pipelined
}

printf small >small
curl -fsS -m 60 -T small "$kv/load"
is_there curl curl && check_curl
is_there wget wget && check_wget
if is_there python3 python3; then
    expect 'http.client' 0 ' checks' python3 -W error "$here/system_http_client.py" 127.0.0.1 "$port"
    expect 'what YCSB sends' 0 '0 errors' python3 -W error "$here/system_ycsb.py" 127.0.0.1 "$port"
fi
is_there node nodejs && expect "node's fetch" 0 ' checks' node --no-warnings "$here/system_fetch.mjs" "$url"
is_there ab apache2-utils && check_ab
is_there h2load nghttp2-client && check_h2load
expect 'and it is still well' 0 200 status "$url/readyz"
conclude

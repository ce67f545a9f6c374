#!/usr/bin/env bash
# Keys that programs on the way like to change, through the real nginx and haproxy: as doc/proxies.md sets them up, and as
# many set them up. Each key is put through the proxy, in the path and as ?key=, and got from the server itself with every
# byte escaped: whole, refused, or another key. What comes out is the table of doc/proxies.md, which is compared.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
source_dir=${srcdir:-$(dirname "$0")/../..}
export LC_ALL=C
proxies=()

# Distinct keys, as a client writes them in a path.
keys=(
    plain a%2Fb c%2fd e//f /g h/ i// . .. ./j ../k l/./m n/../o p/.. ../../livez q/%2e%2e/r s%2F..%2Ft
    u%20v w+x y%2Bz %25 %2525 %252F A%3FB C%23D %00 E%00F %0A G%0D%0AH %7F %FF%FE %C3%A4 'I;J=K' L%5CM 'N&key=O'
)

end_proxies() {
    local pid
    for pid in "${proxies[@]}"; do
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
    done
    proxies=()
}
trap 'end_proxies; cleanup' EXIT # before the folder goes

for program in nginx haproxy curl; do
    if ! PATH=$PATH:/usr/sbin command -v "$program" >/dev/null; then
        echo "skipped: $program is not installed"
        exit 77
    fi
done
PATH=$PATH:/usr/sbin

# ---- the server and what is in front of it ----

"$build/rackkvd" -o "server.data_dir=$folder/data" -o http.listen=127.0.0.1:0 -o server.workers=1 -o merge.policy=never \
    -o log.sync=none -o keydir.max_bytes=16MiB -o ring.size=128MiB 2>"$folder/diag" &
server=$!
port=$(wait_for_port)

# The lines between the marks of doc/proxies.md, with a server and a socket of ours.
settings_of() {
    sed -n "/^    # $1\$/,/^\$/s/^    //p" "$source_dir/doc/proxies.md" | sed "s|127.0.0.1:8080|127.0.0.1:$port|; s|SOCKET|$2|"
}

start_nginx() {
    cat >"$folder/$1.conf" <<END
daemon off;
master_process off;
pid $folder/$1.pid;
error_log $folder/$1.log;
events { }
http {
    access_log off;
    client_body_temp_path $folder/$1.body;
    proxy_temp_path $folder/$1.proxy;
    fastcgi_temp_path $folder/$1.fastcgi;
    uwsgi_temp_path $folder/$1.uwsgi;
    scgi_temp_path $folder/$1.scgi;
$(settings_of nginx "unix:$folder/$1.socket" | sed "$2")
}
END
    nginx -e "$folder/$1.log" -c "$folder/$1.conf" 2>/dev/null &
    proxies+=($!)
}

start_haproxy() {
    settings_of haproxy "unix@$folder/$1.socket" | sed "$2" >"$folder/$1.conf"
    haproxy -db -f "$folder/$1.conf" >"$folder/$1.log" 2>&1 &
    proxies+=($!)
}

is_up() {
    local deadline=$((SECONDS + 30))
    until curl -s -o /dev/null --unix-socket "$folder/$1.socket" http://h/livez; do
        [ $SECONDS -lt $deadline ] || return 1
        read -r -t 0.02 <> <(:) || :
    done
}

# ---- keys ----

# Every byte of the key escaped: what no program on the way would want to change.
escape_all() {
    local text=$1 out='' byte
    while [ -n "$text" ]; do
        if [[ $text == %* ]]; then
            out+=${text:0:3}
            text=${text:3}
        else
            printf -v byte '%%%02X' "'${text:0:1}"
            out+=$byte
            text=${text:1}
        fi
    done
    printf '%s' "$out"
}

# write_puts FORM TAG SOCKET: the puts through the proxy, as curl reads its options.
write_puts() {
    local i target
    for i in "${!keys[@]}"; do
        target=/v1/kv/${keys[i]}
        [ "$1" = path ] || target="/v1/kv?key=${keys[i]//&/%26}"
        printf 'url = "http://h%s"\nunix-socket = "%s"\nrequest = "PUT"\ndata-binary = "%s-%d"\noutput = "/dev/null"\n' \
            "$target" "$3" "$2" "$i"
        printf 'path-as-is\ngloboff\nsilent\nwrite-out = "%%{http_code}\\n"\nnext\n'
    done
}

write_gets() {
    local i
    for i in "${!keys[@]}"; do
        printf 'url = "http://127.0.0.1:%s/v1/kv/%s"\noutput = "%s/got.%d"\npath-as-is\ngloboff\nsilent\n' \
            "$port" "$(escape_all "${keys[i]}")" "$folder" "$i"
        [ "$i" -eq $((${#keys[@]} - 1)) ] || echo next
    done
}

# One letter a key: w whole, r refused, X another key.
letters() {
    local i status statuses letter=''
    write_puts "$2" "$1-$2" "$folder/$1.socket" >"$folder/puts"
    mapfile -t statuses < <(curl -K "$folder/puts")
    rm -f "$folder"/got.*
    curl -K "$folder/gets"
    for i in "${!keys[@]}"; do
        status=${statuses[i]:-000}
        if [[ $status == 4* ]]; then
            letter+=r
        elif [[ $status == 2* && $(tr -d '\0' <"$folder/got.$i") == "$1-$2-$i" ]]; then
            letter+=w
        else
            letter+=X
        fi
    done
    printf '%s' "$letter"
}

# The row of the document's table: what of each kind there is.
row() {
    local all whole refused
    all=$(letters "$1" "$2")
    whole=${all//[^w]/}
    refused=${all//[^r]/}
    printf '%s | %s | %d | %d | %d' "$3" "$2" ${#whole} ${#refused} $((${#all} - ${#whole} - ${#refused}))
    echo "$all" >>"$folder/letters"
}

is_in_document() {
    local got
    got=$(row "$@")
    grep -qF "| $got |" "$source_dir/doc/proxies.md" || {
        printf 'not in doc/proxies.md: | %s |\n' "$got"
        tail -1 "$folder/letters"
        return 1
    }
}

write_gets >"$folder/gets"
start_nginx nginx ''
start_nginx nginx-uri 's|\(proxy_pass http://[^;/]*\);|\1/;|'
start_haproxy haproxy ''
start_haproxy haproxy-normal 's|^global|&\n    expose-experimental-directives|; s|^\( *\)default_backend|\1http-request normalize-uri path-merge-slashes\n\1http-request normalize-uri path-strip-dotdot\n&|'
for proxy in nginx nginx-uri haproxy haproxy-normal; do
    expect "$proxy is up" 0 '' is_up "$proxy"
done
for form in path '?key='; do
    expect "nginx, $form" 0 '' is_in_document nginx "$form" 'nginx as above'
    expect "nginx with a path in proxy_pass, $form" 0 '' is_in_document nginx-uri "$form" "nginx, \`proxy_pass\` with a path"
    expect "haproxy, $form" 0 '' is_in_document haproxy "$form" 'haproxy as above'
    expect "haproxy that normalises, $form" 0 '' is_in_document haproxy-normal "$form" "haproxy, \`normalize-uri\`"
done

# Sizes: the longest key with every byte escaped, and the largest value.
long_key=$(printf '%%61%.0s' $(seq 4096))
head -c 33554432 /dev/zero >"$folder/large"
put() {
    curl -s -o /dev/null -w '%{http_code}' --unix-socket "$folder/$1.socket" -X PUT --data-binary "$3" "http://h/v1/kv/$2"
}
for proxy in nginx haproxy; do
    expect "$proxy: the longest key" 0 20 put "$proxy" "$long_key" x
    expect "$proxy: the largest value" 0 20 put "$proxy" large "@$folder/large"
done

end_proxies
kill -TERM "$server"
wait "$server"
server=
conclude

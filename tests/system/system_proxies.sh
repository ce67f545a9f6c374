# shellcheck shell=bash disable=SC2034,SC2154
# rackkvd, nginx and haproxy for a test, sourced behind system_script.sh: each in the foreground, as whoever runs the test,
# with nothing outside of $folder, and ended with the test however that ends. NAME listens on $folder/NAME.sock; RackKV on
# $folder/backend.sock.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where the two are, and a user's PATH does not look
proxies=()

stop_proxies() {
    [ ${#proxies[@]} -gt 0 ] || return 0
    kill -KILL "${proxies[@]}"
    wait "${proxies[@]}"
    proxies=()
} 2>/dev/null

start_rackkv() {
    "$build/rackkvd" -o "server.data_dir=$folder/data" -o "http.listen=unix:$folder/backend.sock" -o server.workers=1 \
        -o log.sync=none -o limits.max_key=16KiB -o limits.max_head=49KiB 2>>"$folder/diag" &
    server=$!
    wait_for_server backend >"$folder/ignored"
}

# The commands shown below a heading of doc/proxies.md.
shown_below() { # HEADING
    awk -v heading="### $1" '/^#/ { inside = $0 == heading; next } inside && /^    / { print substr($0, 5) }' "$doc"
}

# Puts a configuration on standard input into a folder of the name, with sockets for its addresses. What it does not say is
# as with Debian's nginx.conf, which compresses what it may.
start_nginx() { # NAME [NAME_BEHIND]
    local at=$folder/$1 behind=$folder/${2:-backend}.sock
    mkdir "$at"
    sed -e "s|listen 80;|listen unix:$at.sock;|" -e "s|server 127.0.0.1:8080;|server unix:$behind;|" \
        -e "s|http://127.0.0.1:8080|http://unix:$behind:|" >"$at/shown.conf"
    cat >"$at/nginx.conf" <<END
daemon off;
master_process off;
pid $at/pid;
error_log $at/error.log warn;
events {}
http {
    access_log off;
    gzip on;
    gzip_types *;
    gzip_proxied any;
    gzip_min_length 1;
    client_body_temp_path $at/body;
    proxy_temp_path $at/proxy;
    fastcgi_temp_path $at/fastcgi;
    uwsgi_temp_path $at/uwsgi;
    scgi_temp_path $at/scgi;
    include $at/shown.conf;
}
END
    setpriv --pdeathsig KILL nginx -p "$at" -e "$at/error.log" -c "$at/nginx.conf" >"$at.said" 2>&1 </dev/null &
    proxies+=($!)
}

start_haproxy() { # NAME
    local at=$folder/$1
    sed -e "s|bind :80|bind unix@$at.sock|" -e "s|127.0.0.1:8080|unix@$folder/backend.sock|" >"$at.cfg"
    setpriv --pdeathsig KILL haproxy -db -f "$at.cfg" >"$at.said" 2>&1 </dev/null &
    proxies+=($!)
}

# Until it answers for RackKV, with a deadline.
wait_for_server() { # NAME
    local deadline=$((SECONDS + 60)) answer=
    while [ $SECONDS -lt $deadline ]; do
        answer=$(curl -s -m 20 --unix-socket "$folder/$1.sock" http://rackkv/livez)
        [ "$answer" != alive ] || break
        read -r -t 0.05 <> <(:) || :
    done
    printf '%s\n' "$answer"
    [ "$answer" = alive ] || cat "$folder/$1.said" "$folder/$1/error.log" 2>/dev/null
}

wait_for_text() { # FILE TEXT
    local deadline=$((SECONDS + 60))
    until grep -qF "$2" "$1"; do
        [ $SECONDS -lt $deadline ] || return 1
        read -r -t 0.05 <> <(:) || :
    done
}

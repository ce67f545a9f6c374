#!/usr/bin/env bash
# README against the programs. Each command of its console blocks is run on a real server, in the order in which they stand
# there, and prints what README shows behind or below it. A command that this script does not know how to run is a failure.
# What README says is not there yet is asked for, and must not be there: who adds it takes it out of README.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
source_dir=$(cd "${srcdir:-.}" && pwd)
readme=$source_dir/README.md
n_run=0
unset RACKKV_URL RACKKV_SOCKET

start_server() { # COMMAND WITH ARGUMENTS, of a server
    local port
    : >"$folder/diag"
    (cd "$folder" && exec "$@" -o http.listen=127.0.0.1:0 2>"$folder/diag") &
    server=$!
    port=$(wait_for_port)
    export RACKKV_URL=http://127.0.0.1:$port
}

stop_server() {
    kill -TERM "$server"
    wait "$server"
    server=
}

# README's names for things, as they are here.
localize() {
    sed -e "s|http://127.0.0.1:8080|$RACKKV_URL|g" -e "s|build/rackkv|'$build/rackkv'|g" \
        -e "s|^\(rackkv[a-z]*\) |'$build/\1' |" -e "s|/etc/rackkv.yaml|'$source_dir/conf/rackkv.yaml'|" -e 's| KEY$| a|'
}

# Of an answer, what is the same each time: dates are not, and neither are line ends and empty lines.
normalize() {
    tr -d '\r' | sed -e 's/^Date: .*/Date: some day/' -e '/^$/d'
}

compare() { # COMMAND EXPECTED GOT
    n_run=$((n_run + 1))
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: README: %s\n  shows: %s\n  but it prints: %s\n' "$1" "$2" "$3"
    fi
}

# A command with what stands behind it as a comment, or below it.
run_shown() { # COMMAND EXPECTED
    local got
    got=$(cd "$folder" && timeout 60 bash -c "$(localize <<<"$1")" 2>/dev/null </dev/null | normalize)
    [[ $2 != HTTP/*No\ Content ]] || got=$(head -1 <<<"$got") # only the first line is shown
    compare "$1" "$(normalize <<<"$2")" "$got"
}

# `rackkv> ...` is typed into the shell; it must find no fault with it.
run_typed() { # LINES
    local said
    said=$("$build/rackkv" shell <<<"$1" 2>&1)
    compare "rackkv> $1" "0 " "$? ${said/OK/}"
}

# The blocks that begin with "$ ": a command, perhaps with a comment, perhaps with the lines that it prints.
run_tour() {
    local line command='' output='' typed=''
    while IFS= read -r line; do
        if [[ $line == '$ '* || $line == END ]]; then
            [ -z "$command" ] || [ -n "$typed" ] || run_shown "$command" "$output"
            [ -z "$typed" ] || run_typed "$typed"
            command=${line#'$ '} output='' typed=''
            [[ $command != *'  # '* ]] || { output=${command##*  # } && command=${command%%  *}; }
        elif [[ $line == 'rackkv> '* ]]; then
            typed+=${line#'rackkv> '}$'\n'
        else
            output+=$line$'\n'
        fi
    done < <(sed -n '/^    \$ /,/^[^ ]/s/^    //p' "$readme"; echo END)
}

# The other blocks: a command in each line, perhaps with a comment, which is no output.
run_others() {
    local line command
    while IFS= read -r line; do
        command=${line%%  *}
        case $command in
        ./quickstart*) grep -qF "inside $command" "$source_dir/tests/fresh/check_fresh.sh" ||
            compare "$command" 'tests/fresh/check_fresh.sh runs it' 'it does not' ;;
        apt-get* | autoreconf* | 'make install') ;; # check_quickstart.sh has the packages, .ci/run the rest
        'rackkv open '*) [ "$command" = "$opening" ] || compare "$command" 'the server is started so' "$opening" ;;
        'rackkvctl '*) expect "README: $command" 0 '' bash -c "$(localize <<<"$command")" ;;
        *) compare "$line" 'this script knows how to run it' 'it does not' ;;
        esac
        n_run=$((n_run + 1))
    done < <(awk '/^    / { if (!inside) tour = /^    \$ /; inside = 1; if (!tour) print substr($0, 5); next } !/^$/ { inside = tour = 0 }' "$readme")
}

# not_yet NAME STATUS CURL_ARGUMENT...
not_yet() {
    local name=$1 status=$2
    shift 2
    expect "README says not yet: $name" 0 "$status" curl -sS -m 20 -o /dev/null -w '%{http_code} %{size_download}' "$@"
}

# The server is the one of README's "Configure".
opening=$(sed -n 's/^    \(rackkv open .*\)/\1/p' "$readme")
eval "start_server $(RACKKV_URL='' localize <<<"$opening")"
run_tour
expect 'what was typed into the shell' 0 'Kraków' "$build/rackkv" get city
export RACKKV_SOCKET=$folder/data/control.sock
run_others
expect 'README: rackkvd -t -c FILE' 0 'is good' "$build/rackkvd" -t -c "$source_dir/conf/rackkv.yaml"
expect 'README: rackkvd -T' 0 'sync: always' "$build/rackkvd" -T
expect 'README has blocks with commands' 0 '' test $n_run -ge 16

url=$RACKKV_URL/v1/kv/city
not_yet 'parts of values' 400 -X PUT -d x -H 'Content-Range: bytes 0-0/1' "$url"
not_yet 'the whole value for several ranges' '200 7' -H 'Range: bytes=0-0,2-2' "$url"
compare 'the numbers over HTTP' 1 "$(curl -sS -m 20 "$RACKKV_URL/metrics" | grep -c '^rackkv_keys ')"
not_yet 'several keys at once' 404 -X POST "$RACKKV_URL/v1/batch"
compare 'not yet: HTTP/2' 'version 0' "version $(curl -s -m 20 --http2-prior-knowledge -o /dev/null -w '%{http_version}' "$url")"
expect 'README says not yet: TLS' 35 '' curl -sSk -m 20 "${url/http:/https:}"

# A copy of the folder of a stopped server is a backup.
stop_server
cp -a "$folder/data" "$folder/backup"
rm -r "$folder/data"
start_server "$build/rackkvd" -o server.data_dir=./backup
expect 'README: a copy is a backup' 0 'Kraków' "$build/rackkv" get city
stop_server

# The build by hand needs what quickstart installs.
eval "$(sed -n '/^build_packages=(/,/)$/p; /^check_packages=(/,/)$/p' "$source_dir/quickstart")"
# shellcheck disable=SC2154
compare 'the packages of the build by hand' \
    "$(sed -n 's/^    .*apt-get install //p' "$readme" | tr ' ' '\n' | sort)" \
    "$(printf '%s\n' "${build_packages[@]}" "${check_packages[@]}" | sort)"

conclude

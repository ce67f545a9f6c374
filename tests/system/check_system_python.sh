#!/usr/bin/env bash
# The client for Python (clients/python) against a server, with two workers and a Unix socket beside its port: its own
# tests, its types where mypy is there, and the examples of its documentation.
#
# Exit code 77 (skipped) without python3.
set -u
# shellcheck source=tests/system/system_script.sh
. "$(dirname "$0")/system_script.sh"
clients=$(cd "${srcdir:-.}" && pwd)/clients/python
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$clients

command -v python3 >/dev/null || {
    echo 'skipped: python3 is not installed (Debian: python3)'
    exit 77
}

"$build/rackkvd" -o "server.data_dir=$folder/data" -o "http.listen=127.0.0.1:0,unix:$folder/socket" -o server.workers=2 \
    -o log.sync=interval 2>"$folder/diag" &
server=$!
port=$(wait_for_port)
export RACKKV_URL=http://127.0.0.1:$port

# What the tests print last is their sum; it is added to that of this script.
python3 -W error "$clients/test_rackkv.py" >"$folder/tests" 2>&1
code=$?
[ "$code" = 0 ] || cat "$folder/tests"
sum=$(sed -n 's/^script cases: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$folder/tests")
passed=${sum% *}
failed=${sum#* }
expect 'the tests have an end' 0 '' test "$code" = 0 -a "${passed:-0}" -gt 20
expect 'over a Unix socket' 0 "b'v'" python3 -c "
import rackkv
with rackkv.RackKV('unix:$folder/socket') as db:
    db['k'] = 'v'
    print(db['k'])"

# The lines that its documentation shows, as they stand there.
python3 -c 'import rackkv; print(rackkv.__doc__)' | sed -n 's/^    //p' |
    sed "s|http://127.0.0.1:8080|$RACKKV_URL|; s/html,/'<p>',/" >"$folder/examples.py"
printf '%s\n' 'assert db["counter"] == b"1" and db["log"] == b"a line\n"' 'db.close()' 'print("end")' >>"$folder/examples.py"
expect 'the examples of its documentation' 0 'end' python3 -W error "$folder/examples.py"

if command -v mypy >/dev/null; then
    expect 'its types' 0 'Success: no issues found in 2 source files' \
        mypy --strict --cache-dir "$folder/mypy" "$clients/rackkv.py" "$clients/test_rackkv.py"
else
    echo 'skipped: mypy --strict (Debian: mypy)'
    expect 'it compiles' 0 '' python3 -c "compile(open('$clients/rackkv.py').read(), 'rackkv.py', 'exec')"
fi
conclude

#!/usr/bin/env bash
# quickstart in the situations that a fresh machine may be in, with stand-ins for apt-get, dpkg-query, sudo, id, autoreconf
# and configure; its sum of the tests; what .ci/run makes of it; and README's list of packages. The real thing is
# check_fresh.sh.
set -u
source_dir=$(cd "${srcdir:-.}" && pwd)
# shellcheck source=tests/system/system_script.sh
. "$source_dir/tests/system/system_script.sh"
copy="$folder/my copy"
tools=$folder/tools
state=$folder/state # what the stand-ins know and what they were told
export state
# The test may run below quickstart and make themselves: nothing of theirs counts here.
unset RACKKV_CONFIGURE RACKKV_BUILD_DIR CC CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# stand_in NAME: a program from standard input, in the place of the real one.
stand_in() {
    { printf '#!%s\n' "$BASH" && cat; } >"$tools/$1"
    chmod +x "$tools/$1"
}

# The real tools that quickstart uses, and none that the test did not put there: no sudo, for one.
make_tools() {
    local tool
    mkdir -p "$tools"
    for tool in awk basename bash cat chmod cp cut dirname env find grep make mkdir mktemp mv nproc realpath rm sed sh sort \
        tail touch tr true xargs; do
        ln -s "$(command -v $tool)" "$tools/$tool"
    done
    stand_in dpkg-query <<'END'
        format=$3
        shift 3
        for package in "$@"; do
            grep -qx "$package" "$state/installed" || continue
            [[ $format == *Package* ]] && echo "$package 1 installed" || printf installed
        done
END
    stand_in apt-get <<'END'
        [[ $* == *--version* ]] || echo "apt-get $*" >>"$state/told"
        [ ! -e "$state/offline" ] || { echo 'E: there is no route'; exit 100; }
        [[ $* != *\ install\ * ]] || tr ' ' '\n' <<<"${*##*recommends }" >>"$state/installed"
END
    stand_in id <<'END'
        [ "$1" = -u ] && cat "$state/uid" || echo visitor
END
    stand_in autoreconf <<'END'
        touch Makefile.in
        cp "$state/configure" configure
END
}

# This configure knows whether Check was there, and makes a Makefile whose tests print and do what $state/tests says.
make_configure() {
    cat >"$state/configure" <<'END'
#!/bin/sh
echo "configure $0 $*" >>"$state/told"
grep -qx check "$state/installed" && tests=tests || tests=none
cat >Makefile <<MAKEFILE
all:
	@echo built >>$state/told
clean:
	@echo cleaned >>$state/told
check: $tests
none:
tests:
	@. $state/tests
MAKEFILE
END
    chmod +x "$state/configure"
    printf '%s\n' 'echo ":test-result: PASS check_a" >check_a.trs' 'echo "100%: Checks: 5, Failures: 0, Errors: 0" >check_a.log' \
        >"$state/tests"
}

# A copy of quickstart on a machine where nothing is installed, used by root.
reset() {
    rm -rf "$copy" "$state"
    mkdir -p "$copy/tests/support" "$state"
    cp "$source_dir/quickstart" "$copy/"
    cp "$source_dir/tests/support/sum_results.sh" "$copy/tests/support/"
    touch "$copy/configure.ac" "$copy/Makefile.am" "$state/installed" "$state/told"
    echo 0 >"$state/uid"
    rm -f "$tools/sudo"
    make_configure
}

quickstart() {
    (PATH=$tools && "$copy/quickstart" "$@")
}

# How often the stand-ins were told this.
told() {
    grep -c -- "$1" "$state/told"
}

last_line() {
    quickstart "$@" | tail -1
    return "${PIPESTATUS[0]}"
}

install_by_sudo() {
    stand_in sudo <<'END'
        [ ! -e "$state/denied" ] || { echo 'you are not in the sudoers file' >&2; exit 1; }
        exec "$@"
END
}

make_tools

# README's two commands, one after the other.
reset
expect 'it installs, configures and builds' 0 'installing build-essential' quickstart build
expect 'lists are fetched first' 0 ' update' head -1 "$state/told"
expect 'the path of configure has no space' 0 '1' told '^configure ../configure -q$'
expect 'what the tests need comes later' 0 'installing check strace' quickstart check
expect 'configured again, since Check is there now' 0 '2' told '^configure'
expect 'the sum' 0 '5 passed, 0 failed' last_line check
expect 'nothing has changed since' 0 '2' told '^configure'
expect 'nothing was compiled again' 1 '0' told cleaned
expect 'other options' 0 'configuring in build' env RACKKV_CONFIGURE=--enable-werror "$BASH" -c \
    "$(declare -f quickstart); tools='$tools' copy='$copy'; quickstart build"
expect 'those options' 0 '1' told '^configure ../configure -q --enable-werror'
expect 'everything is compiled again then' 0 '1' told cleaned

# A build that somebody else's hands configured.
reset
mkdir "$copy/build"
touch "$copy/build/Makefile"
expect 'a folder configured by hand' 0 'configuring in build' quickstart build
expect 'is compiled again' 0 '1' told cleaned

# What the tests print and what their end is.
reset
quickstart check >"$folder/log" 2>&1
printf 'false\n' >>"$state/tests"
expect 'make failed, and no program did' 1 '5 passed, 1 failed' last_line check
printf '' >"$state/tests"
expect 'results of the run before do not count' 1 '0 passed, 1 failed' last_line check

# Who may install.
reset
echo 1000 >"$state/uid"
expect 'a user without sudo' 1 '    apt-get install -y --no-install-recommends build-essential ' quickstart build
expect 'and the line before' 1 $'\n    apt-get update\n' quickstart build
expect 'it says why' 1 'visitor may not install (there is no sudo)' quickstart build
expect 'nothing was done' 1 '0' told .
install_by_sudo
touch "$state/denied"
expect 'a user whom sudo refuses' 1 'sudo does not permit it' quickstart build
expect 'nothing was done either' 1 '0' told .
rm "$state/denied"
expect 'a user whom sudo lets' 0 'building' quickstart build

# No network, no apt-get.
reset
touch "$state/offline"
expect 'no network' 1 'no network' quickstart build
expect 'apt-get said' 1 'there is no route' quickstart build
expect 'what it could not install' 1 'could not install build-essential autoconf' quickstart build
expect 'nothing was configured' 1 '0' told '^configure'
mv "$tools/apt-get" "$tools/apt-get.away"
expect 'no apt-get' 1 'Debian 12' quickstart build
mv "$tools/apt-get.away" "$tools/apt-get"

# Paths.
good_copy=$copy
copy="$folder/it's mine"
reset
expect 'a path that configure would refuse' 1 'move this folder' quickstart build
copy=$good_copy
reset
expect 'a build folder elsewhere' 1 'build inside of this folder' env RACKKV_BUILD_DIR="$folder/elsewhere" PATH="$tools" \
    "$copy/quickstart" build
expect 'anything else' 2 'Ctrl-C stops it' quickstart frobnicate

# sum_results.sh by itself: program NAME RESULT TEXT.
program() {
    printf ':test-result: %s %s\n' "$2" "$1" >"$folder/results/$1.trs"
    printf '%b' "$3" >"$folder/results/$1.log"
}

sum() { # EXIT_CODE_OF_MAKE
    find "$folder/results" -name '*.trs' -print0 | "$source_dir/tests/support/sum_results.sh" "$1"
}

mkdir "$folder/results"
expect 'no test at all' 1 '0 passed, 1 failed' sum 0
program check_a PASS '100%: Checks: 300, Failures: 0, Errors: 0\n'
program check_b.sh PASS 'script cases: 63 passed, 0 failed\n'
expect 'two programs' 0 '363 passed, 0 failed' sum 0
program check_c FAIL 'panic\n'
program check_d ERROR '100%: Checks: 2, Failures: 0, Errors: 0\n'
expect 'two that failed without a word' 1 '365 passed, 2 failed' sum 1
program check_c FAIL '50%: Checks: 4, Failures: 1, Errors: 1\n'
program check_d PASS 'quiet\n'
expect 'failures are counted, and one that counts nothing is one' 1 '366 passed, 2 failed' sum 1
program check_c SKIP 'nothing to do here\n'
expect 'skipped' 0 'skipped: check_c' sum 0
expect 'skipped is neither' 0 '364 passed, 0 failed' sum 0
expect 'make failed' 1 '364 passed, 1 failed' sum 2
: >"$folder/results/check_d.trs"
expect 'one that has not come to an end' 1 '363 passed, 1 failed' sum 0
program check_d PASS '66%: Checks: 3, Failures: 1, Errors: 0\n'
expect 'what a program says of its own failures is believed' 1 '365 passed, 1 failed' sum 0

# .ci/run's steps.
step_of() { # COMMAND...
    (
        passed=0 failed=0
        eval "$(sed -n '/^step() {/,/^}/p' "$source_dir/.ci/run")"
        step here "$@"
        printf '%d passed, %d failed\n' "$passed" "$failed"
    ) | tail -1
}

expect 'a step without tests' 0 '1 passed, 0 failed' step_of true
expect 'a step that fails' 0 '0 passed, 1 failed' step_of false
expect 'a step with tests' 0 '5 passed, 0 failed' step_of echo '5 passed, 0 failed'
expect 'a step with failures' 0 '5 passed, 2 failed' step_of bash -c 'echo 5 passed, 2 failed; false'
expect 'failures, whatever its exit code' 0 '5 passed, 2 failed' step_of echo '5 passed, 2 failed'
expect 'an exit code, whatever it counted' 0 '5 passed, 1 failed' step_of bash -c 'echo 5 passed, 0 failed; false'
expect 'no test is a failure' 0 '0 passed, 1 failed' step_of echo '0 passed, 0 failed'

# Its steps with tests: quickstart must have ended with a sum.
check_with_of() { # WHAT_QUICKSTART_DOES
    (
        cd "$folder" && printf '#!%s\n%s\n' "$BASH" "$1" >quickstart && chmod +x quickstart && set -o pipefail
        eval "$(sed -n '/^check_with() {/,/^}/p' "$source_dir/.ci/run")"
        check_with build gcc ''
    )
}

expect 'tested' 0 '5 passed, 0 failed' check_with_of 'echo 5 passed, 0 failed'
expect 'not a test was run' 1 '' check_with_of 'echo 0 passed, 0 failed'
expect 'no sum' 1 'PASS' check_with_of 'echo PASS: check_base'
expect 'a sum, and an end that is none' 1 '5 passed' check_with_of 'echo 5 passed, 0 failed; exit 1'

conclude

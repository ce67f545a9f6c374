#!/bin/sh
# Builds the targets with clang's libFuzzer and sanitizers in ./fuzz-run, and runs each for so many seconds from its seeds and
# from what earlier runs have found. Needs clang and its run-time library (Debian: clang libclang-rt-14-dev).
#
#   run_fuzz.sh SECONDS TARGET...
#
# What it finds is left in ./fuzz-run/TARGET-crash-*; run the target's test program with that file to see it again.
set -u
source_dir=$(cd "${srcdir:-.}" && pwd)
seconds=$1
shift
flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -D_GNU_SOURCE"
clang=${FUZZ_CC:-clang}
mkdir -p fuzz-run/obj && cd fuzz-run || exit 1

# A header that changed makes all objects old.
if [ ! -f obj/headers ] || [ -n "$(find "$source_dir/src" "$source_dir/include" "$source_dir/tests/fuzz" -name '*.h' \
    -newer obj/headers)" ]; then
    rm -rf obj && mkdir obj && touch obj/headers
fi

# The libraries, with coverage; link takes of them what a target needs.
for source in "$source_dir"/src/base/*.c "$source_dir"/src/disk/*.c "$source_dir"/src/log/*.c "$source_dir"/src/conf/*.c \
    "$source_dir"/src/http/http_parse_*.c "$source_dir"/src/http/http_metadata.c "$source_dir"/src/http/http_problem.c \
    "$source_dir"/src/http/http_condition.c "$source_dir"/src/http/http_date.c "$source_dir"/src/http/http_field.c \
    "$source_dir"/src/http/http_list_ask.c \
    "$source_dir"/src/http/http_number.c "$source_dir"/src/http/http_option.c "$source_dir"/src/http/http_range.c \
    "$source_dir"/src/http/http_target.c "$source_dir"/src/http/http_text.c "$source_dir"/tests/fuzz/fuzz_data.c \
    "$source_dir"/tests/http/slow_parser.c "$source_dir"/tests/http/slow_chunks.c; do
    object=obj/$(basename "$source" .c).o
    [ "$object" -nt "$source" ] && continue
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer-no-link -I"$source_dir/src" -I"$source_dir/include" -c "$source" -o "$object" ||
        exit 1
done
rm -f libfuzzed.a
ar cr libfuzzed.a obj/*.o || exit 1

build_target() {
    for folder in fuzz conf http; do
        source=$source_dir/tests/$folder/fuzz_$1.c
        [ -f "$source" ] && break
    done
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer -I"$source_dir/src" -I"$source_dir/include" "$source" libfuzzed.a \
        -lyaml -lisal -lsodium -lpthread -o "fuzz_$1"
}

run_target() {
    mkdir -p "corpus/$1"
    if "./fuzz_$1" -max_total_time="$seconds" -max_len=4096 -malloc_limit_mb=64 -timeout=10 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$1-" "corpus/$1" "$source_dir/tests/fuzz/seeds/$1" >"$1.log" 2>&1; then
        echo "ok: $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$1.log") inputs in $seconds s"
    else
        echo "FAILED: $1"
        tail -30 "$1.log"
        touch failed
    fi
}

rm -f failed
for target in "$@"; do
    build_target "$target" || exit 1
done
running=0
for target in "$@"; do # as many at once as there are processors
    run_target "$target" &
    running=$((running + 1))
    if [ "$running" -eq "$(nproc)" ]; then
        wait
        running=0
    fi
done
wait
[ ! -e failed ]

#!/usr/bin/env bash
# What rackkv says of itself agrees: its help, its manual page, README's exit codes, and what bash completes. The help comes
# from the tables; so whatever is added to them is missed here until it is written of.
set -u
# shellcheck source=tests/system/system_script.sh
. "${srcdir:-.}/tests/system/system_script.sh"
source_dir=${srcdir:-.}
manual=$folder/manual
sed 's/\\-/-/g; s/\\(lq\|\\(rq//g' "$source_dir/man/rackkv.1" >"$manual"
rackkv=$build/rackkv

mapfile -t commands < <("$rackkv" help | sed -n 's/^  \([a-z]\+\) .*/\1/p')
expect 'the commands are found' 0 '' test "${#commands[@]}" -gt 10

options_of() { # COMMAND
    "$rackkv" help "$1" | sed -n 's/^ .*\(--[a-z-]*\)\( [A-Z].*\)\?  .*/\1/p' | sort -u
}

for command in "${commands[@]}"; do
    expect "the manual page has $command" 0 "$command" sed -n "/^\.SH COMMANDS/,/^\.SH/{/^\.B.*\b$command\b/p}" "$manual"
    expect "its synopsis has $command" 0 "$command" sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$manual"
    expect "its own help has $command" 0 "Usage: rackkv $command" "$rackkv" "$command" --help
    for option in $(options_of "$command"); do
        expect "the manual page has $option of $command" 0 '' grep -q "^\.B.*$option\b" "$manual"
    done
done
for option in $("$rackkv" help | sed -n 's/^ .*\(--[a-z-]*\).*/\1/p'); do
    expect "the manual page has $option" 0 '' grep -q "^\.B.*$option\b" "$manual"
done
for code in $("$rackkv" help | sed -n '/^Exit codes/,/^More/p' | grep -o '\b[0-9]\b'); do
    expect "the manual page has exit code $code" 0 "$code" sed -n "/^\.SH EXIT STATUS/,/^\.SH ENVIRONMENT/{/^\.B $code$/p}" "$manual"
    expect "README has exit code $code" 0 "| $code" grep '^| 0 | 1 ' "$source_dir/README.md"
done

# What bash would offer behind these words, of which the last one has been begun.
offered() { # WORD...
    # shellcheck disable=SC2016
    bash -c '. <("$0" completion); COMP_WORDS=(rackkv "$@"); COMP_CWORD=$#; _rackkv; printf "%s\n" "${COMPREPLY[@]}"' \
        "$rackkv" "$@" | sort -u
}

expect 'completion is a script' 0 '' bash -n <("$rackkv" completion)
expect 'commands are completed' 0 "$(printf '%s\n' "${commands[@]}" | sort -u)" offered ''
expect 'commands behind options' 0 'delete' offered --json de
expect 'a command' 0 "$(printf 'export')" offered exp
for command in "${commands[@]}"; do
    expect "options of $command are completed" 0 "$(options_of "$command" | grep -v -e --help -e --config -e --option -e --daemon | head -1)" \
        offered "$command" --
    expect "help $command is completed" 0 "$command" offered help "${command%?}"
done
expect 'no option of another command' 0 '' test "$(offered get --t)" = --timeout
expect 'a file to import' 0 "$folder/manual" offered import "$folder/man"
expect 'no key' 0 '' test -z "$(offered get '')"
conclude

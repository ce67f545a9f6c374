#!/usr/bin/env bash
# README's two commands, `./quickstart` and then `./quickstart check`, on a minimal Debian 12 that debootstrap makes: as
# root, and as a user without sudo, who has root type what quickstart prints. The user's checkout is in a folder with a space
# in its name. Before that, without a network: quickstart must say what is missing.
#
#   check_fresh.sh [root] [user]    both, or one of them; in the build folder or the source folder, as root
#
#   RK_FRESH_CHECK="TESTS=check_base" for fewer tests inside; TMPDIR for a folder with 4 GiB, where devices may be.
#
# The mirror is the one that this machine's apt uses. What is tested is HEAD. Mounts and processes are in namespaces of
# their own, which end with this script.
set -u -m # -m: what is started in the background does not ignore INT
if [ "${RK_FRESH_INSIDE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || { echo 'check_fresh.sh: only root can make a root folder' >&2; exit 1; }
    command -v debootstrap git >/dev/null || { echo 'check_fresh.sh: it needs debootstrap and git' >&2; exit 1; }
    RK_FRESH_INSIDE=yes exec unshare --mount --pid --fork --kill-child --mount-proc "$BASH" "$0" "$@"
fi
source_dir=$(git -C "${srcdir:-.}" rev-parse --show-toplevel) || exit 1
commit=$(git -C "$source_dir" rev-parse HEAD) || exit 1
folder=$(mktemp -d "${TMPDIR:-/tmp}/rackkv-fresh-XXXXXX") || exit 1
passed=0
failed=0
root=
checkout=
as=()

# What is mounted is so in this namespace only: --one-file-system keeps rm out of it should an umount have failed.
cleanup() {
    local mounted
    for mounted in "$folder"/*/dev/pts "$folder"/*/dev/shm "$folder"/*/proc; do
        umount -l "$mounted" 2>/dev/null
    done
    rm -rf --one-file-system "$folder"
}
trap cleanup EXIT

report() { # NAME WHETHER_IT_IS_RIGHT [FILE]
    if [ "$2" = yes ]; then
        passed=$((passed + 1))
        printf 'ok: %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$1"
        [ $# -lt 3 ] || tail -60 "$3"
    fi
}

# This machine's apt lists, as lines of a sources.list: those of Debian itself.
sources() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
        sed -n 's/^\(deb .* bookworm\(-updates\|-security\|\) .*\) Debian$/\1/p' | sort -u
}

mirror() {
    sources | awk '$3 == "bookworm" { print $2; exit }'
}

make_base() {
    local url
    url=$(mirror)
    [ -n "$url" ] || { echo 'check_fresh.sh: apt has no list of Debian 12 (apt-get update?)' >&2; exit 1; }
    debootstrap --variant=minbase bookworm "$folder/base" "$url" >"$folder/debootstrap.log" 2>&1 || {
        tail -20 "$folder/debootstrap.log"
        exit 1
    }
    sources >"$folder/base/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::https?::Proxy ' >"$folder/base/etc/apt/apt.conf.d/90proxy"
}

# A root folder of its own, with the checkout of HEAD at PATH that belongs to OWNER.
make_root() { # NAME PATH OWNER
    root=$folder/$1
    checkout=$2
    cp -a "$folder/base" "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    mount -t proc proc "$root/proc"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    mkdir -p "$root/dev/shm"
    mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
    [ "$3" = root ] || chroot "$root" useradd --create-home "$3"
    mkdir -p "$root$checkout"
    git -C "$source_dir" archive "$commit" | tar x -C "$root$checkout"
    chroot "$root" chown -R "$3:" "$checkout"
    as=(chroot --userspec="$3" "$root" env -i "HOME=$(dirname "$checkout")"
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
}

# In the checkout, as who it belongs to.
inside() { # COMMAND...
    # shellcheck disable=SC2016 # for the shell inside
    "${as[@]}" "CHECKOUT=$checkout" bash -c 'cd "$CHECKOUT" && exec "$@"' bash "$@"
}

check_without_network() {
    local log=$folder/without-network.log right=no
    unshare --net -- "${as[@]}" "$checkout/quickstart" >"$log" 2>&1 || right=yes
    grep -q 'apt-get could not install build-essential .* no network' "$log" || right=no
    report 'without a network, it says so' "$right" "$log"
}

# A user reads what root must type; root types it.
let_root_install() { # LOG
    local log=$1 right=no
    shift
    inside "$@" >"$log" 2>&1 || right=yes
    [ "$(grep -cE '^    apt-get (update|install )' "$log")" = 2 ] || right=no
    report "$* as a user without sudo: says what root must type" "$right" "$log"
    grep -E '^    apt-get' "$log" | chroot "$root" bash -e >"$log.root" 2>&1 && right=yes || right=no
    report 'root types that' "$right" "$log.root"
}

# The server of README's first command: it answers, and INT, as from Ctrl-C, ends it.
check_serving() { # LOG
    local log=$1 url=http://127.0.0.1:8080 pid result=0 right=yes deadline=$((SECONDS + 1800))
    inside ./quickstart >"$log" 2>&1 &
    pid=$!
    until grep -q 'serving on' "$log" || ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -gt $deadline ]; do
        sleep 0.5
    done
    [ "$(inside curl -sS "$url/put?key=a&val=1" 2>&1)" = OK ] || right=no
    [ "$(inside curl -sS "$url/get?key=a" 2>&1)" = 1 ] || right=no
    report './quickstart: it serves' "$right" "$log"
    kill -INT -- "-$pid" 2>/dev/null
    wait "$pid" || result=$?
    [ $result -eq 0 ] && [ -n "$(ls -A "$root$checkout/data")" ] && right=yes || right=no
    report "INT ends it (exit code $result), and its data are in ./data" "$right" "$log"
    ! grep -qE '^  (CC|AR|CCLD|GEN) ' "$log" && right=yes || right=no
    report 'it prints no line for each file' "$right" "$log"
}

check_testing() { # LOG
    local log=$1 right=yes last
    # shellcheck disable=SC2086 # several arguments in one variable
    inside ./quickstart check ${RK_FRESH_CHECK:-} >"$log" 2>&1 || right=no
    last=$(tail -1 "$log")
    [[ $last =~ ^[1-9][0-9]*\ passed,\ 0\ failed$ ]] || right=no
    report "./quickstart check: $last; $(grep '^skipped:' "$log" || echo 'nothing skipped')" "$right" "$log"
}

check_root() {
    make_root root /root/rackkv root
    check_without_network
    check_serving "$folder/root-serve.log"
    check_testing "$folder/root-check.log"
}

check_user() {
    make_root user '/home/visitor/my copy/rackkv' visitor
    let_root_install "$folder/user-root.log" ./quickstart
    check_serving "$folder/user-serve.log"
    let_root_install "$folder/user-root.log" ./quickstart check
    check_testing "$folder/user-check.log"
}

[ $# -gt 0 ] || set -- root user
make_base
for who in "$@"; do
    printf '== as %s\n' "$who"
    "check_$who" # a name that is none of them ends in failure below
done
printf 'script cases: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

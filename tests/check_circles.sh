#!/bin/sh
# No room of src/ is a circle of files: who calls whom is read from the objects (nm: a name that one object lacks and
# another of the same room has), and must have an order. Prints each circle with the names that close it.
#
#   check_circles.sh             the objects of the build in the current folder
#   check_circles.sh --self      the check checks itself: it must find a circle that is made for it
set -u

# Rooms that still are one: none. Whoever must let one through for a while says so here.
exempt=""

# "ROOM OBJECT U|T NAME" a line -> the circles; those of exempt rooms are counted, and not held against anybody.
find_circles() {
    sort -u | awk -v exempt="$exempt" '
        BEGIN {
            n_exempt = split(exempt, exempt_rooms, " ")
            for (i = 1; i <= n_exempt; i++)
                circling[exempt_rooms[i]] = 0
        }
        $3 == "T" { owner[$1 " " $4] = $2; seen[$1 " " $2] = 1 }
        $3 == "U" { lacks[++n_lacks] = $0; seen[$1 " " $2] = 1 }
        # What calls nobody that is left, or is called by nobody that is left, is in no circle.
        function shrink(    changed, key, e, has_out, has_in) {
            do {
                changed = 0
                split("", has_out)
                split("", has_in)
                for (e in edge)
                    if (from[e] in seen && to[e] in seen) {
                        has_out[from[e]] = 1
                        has_in[to[e]] = 1
                    }
                for (key in seen)
                    if (!(key in has_out) || !(key in has_in)) {
                        delete seen[key]
                        changed = 1
                    }
            } while (changed)
        }
        END {
            for (i = 1; i <= n_lacks; i++) {
                split(lacks[i], part, " ")
                key = part[1] " " part[4]
                if (!(key in owner) || owner[key] == part[2])
                    continue
                e = part[1] " " part[2] " " owner[key]
                edge[e] = edge[e] " " part[4]
                from[e] = part[1] " " part[2]
                to[e] = part[1] " " owner[key]
                n_edges++
            }
            shrink()
            for (e in edge)
                if (from[e] in seen && to[e] in seen) {
                    if (part_of(from[e], 1) in circling) {
                        circling[part_of(from[e], 1)]++
                        continue
                    }
                    printf "a circle: src/%s/%s.c needs of %s.c:%s\n", part_of(from[e], 1), part_of(from[e], 2),
                        part_of(to[e], 2), edge[e]
                    bad++
                }
            for (i = 1; i <= n_exempt; i++)
                if (circling[exempt_rooms[i]] > 0)
                    printf "src/%s still is a circle\n", exempt_rooms[i]
                else
                    printf "src/%s is no circle any more: take it off the list\n", exempt_rooms[i]
            printf "%d names looked at that one file of a room has of another\n", n_edges
            exit bad > 0 || n_edges == 0
        }
        function part_of(text, at,    parts) {
            split(text, parts, " ")
            return parts[at]
        }'
}

if [ "${1:-}" = --self ]; then
    printf '%s\n' 'a x U f' 'a y T f' 'a y U g' 'a z T g' 'a x T h' | find_circles >/dev/null ||
        { echo "it finds a circle where there is none"; exit 1; }
    printf '%s\n' 'a x U f' 'a y T f' 'a y U g' 'a z T g' 'a x T h' 'a z U h' | find_circles >/dev/null &&
        { echo "it does not find a circle"; exit 1; }
    exempt=a
    printf '%s\n' 'a x U f' 'a y T f' 'a y U g' 'a x T g' | find_circles >/dev/null ||
        { echo "it does not let an exempt room through"; exit 1; }
    printf '%s\n' 'b x U f' 'b y T f' 'b y U g' 'b x T g' | find_circles >/dev/null &&
        { echo "it lets a room through that is not exempt"; exit 1; }
    exit 0
fi

"$0" --self || exit 1
find src -name '*.o' | sort | while read -r object; do
    room=$(basename "$(dirname "$object")")
    file=$(basename "$object" .o)
    nm "$object" | awk -v room="$room" -v file="${file#*-}" '
        NF == 2 && $1 == "U" { print room, file, "U", $2 }
        NF == 3 && $2 ~ /^[TDBRC]$/ { print room, file, "T", $3 }'
done | find_circles

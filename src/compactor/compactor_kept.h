/* Files that were unlinked, kept open for a moment more. Whoever closes an unlinked file last does the work of freeing
 * its space, in that very call: 25 ms for 128 MiB, a quarter of a second for 1 GiB. A worker must not be that one,
 * since its connections wait meanwhile; so the compactor closes after the workers. Most of that time it waits for the
 * disk; the rest is the file's pages, which the kernel takes from the cache without giving the processor away: so most
 * of them go before, some at a time. Compactor thread. */
#ifndef RK_COMPACTOR_KEPT_H
#define RK_COMPACTOR_KEPT_H

#include <stddef.h>
#include <stdint.h>

/* Workers look for files that are gone ten times a second (store_client.c). */
#define RK_COMPACTOR_KEPT_NS 1000000000u

#define RK_COMPACTOR_KEPT_MAX        1024        /* of 512 inputs, each with its hint */
#define RK_COMPACTOR_KEPT_DROP_BYTES (512 << 10) /* at a time: some ten microseconds */

/* All zeros: none. */
struct rk_compactor_kept {
    size_t n;
    struct {
        int fd;
        uint64_t until_ns;
    } files[RK_COMPACTOR_KEPT_MAX]; /* in the order of their ends */
};

/* The descriptor becomes ours. With too many of them, the first is closed early. */
void rk_compactor_kept_add(struct rk_compactor_kept *kept, int fd, uint64_t now_ns);

/* Closes those whose time has come (UINT64_MAX: all, and in haste); returns when the next one's comes, or UINT64_MAX.
 * Some ten milliseconds for each. */
uint64_t rk_compactor_kept_close(struct rk_compactor_kept *kept, uint64_t now_ns);

#endif

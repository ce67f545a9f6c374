/* What this process may use of the machine: processors and memory, by what the kernel, its control groups (v1 and v2,
 * nested, seen from inside of a container or not) and the affinity mask allow. All of it is read anew at each call.
 *
 * `root` stands before every path that is read ("/proc/self/cgroup"): "" is the machine, a folder is a test's. */
#ifndef RK_BASE_MACHINE_H
#define RK_BASE_MACHINE_H

#include <stdint.h>

#define RK_MACHINE_WHY_BYTES 96

struct rk_machine {
    unsigned n_cores;                     /* at least 1 */
    char cores_why[RK_MACHINE_WHY_BYTES]; /* "2 cores by affinity" */
    uint64_t memory_bytes;                /* what it may have at most; 0: nobody says */
    char memory_why[RK_MACHINE_WHY_BYTES];
};

/* The cores of the affinity mask, and no more than the quotas of the control groups pay for, rounded up; the memory of
 * the machine, and no more than the limits of the control groups. */
void rk_machine_look(struct rk_machine *machine_out, const char *root);

/* How much memory can still be had now: what is free or in the page cache, and what is left below each limit of the
 * control groups (their page cache counts as free). UINT64_MAX when nobody says. */
uint64_t rk_machine_memory_left(const char *root);

#endif

/* Idle connections, by which a test notices that a worker died, and when its slot serves again.
 *
 * The kernel chooses the listener of a connection by a hash of both addresses: who comes again from the same port meets
 * the same slot. So each probe keeps its port; which slot it meets it learns when that slot's worker is killed. */
#ifndef RK_LINEAR_PROBE_H
#define RK_LINEAR_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LINEAR_N_PROBES 16

struct linear_probe {
    int fd;
    uint16_t own_port;
    int slot; /* -1: not known yet */
};

struct linear_probes {
    int server_port;
    struct linear_probe all[LINEAR_N_PROBES];
};

void linear_probes_open(struct linear_probes *probes, int server_port);
void linear_probes_close(struct linear_probes *probes);

/* Waits until the time; fails the test when a connection breaks meanwhile. */
void linear_probes_rest(struct linear_probes *probes, uint64_t until_ns);

/* Kills the worker of the slot, and comes again to it: the time from the kill to the first answer, 0 when no probe met
 * that slot. Connections to other slots must not break. */
uint64_t linear_probes_kill(struct linear_probes *probes, pid_t pid, int slot);

/* The slot of a worker process, -1 when it is none. */
int linear_worker_slot(pid_t pid);

#endif

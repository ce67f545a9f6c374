/* What other workers leave undone: when the loop of one has not turned for about a second (stopped, swapped out, not
 * started yet), or when it has as many connections as it may have, its share of new connections waits in the kernel's
 * queue of its listening socket. Every worker holds the sockets of all slots, sees on the board how they are, and
 * accepts for those that do not, until they go on.
 *
 * Heartbeats are counted in looks and not timed: a machine that slept, or a worker that stood still itself, begins anew
 * with the first of four looks. Two that accept from the same socket do no harm: each connection goes to one. */
#ifndef RK_WORKER_TAKEOVER_H
#define RK_WORKER_TAKEOVER_H

#include "shm/shm_handover.h"

#include <stdbool.h>

#define RK_WORKER_LOOK_NS      ((uint64_t)250 * 1000 * 1000)
#define RK_WORKER_LOOKS_MISSED 4u

struct rk_worker_takeover {
    const struct rk_board *board;
    unsigned slot;
    uint64_t next_look_ns;
    struct {
        uint64_t heartbeat;
        unsigned n_missed; /* looks since it moved, up to the limit */
        bool is_taken;
    } seen[RK_HANDOVER_SLOTS_MAX];

    /* Accepts from the listeners of a slot, or no longer; the slot counted from the next one to ours, from 0. */
    void (*take)(void *context, unsigned n_slots_on, bool taking);
    void *context;
};

/* Fill in board, slot, take and context; the rest is zero. Called every turn; looks when it is time. */
void rk_worker_takeover_look(struct rk_worker_takeover *takeover, uint64_t now_ns);

#endif

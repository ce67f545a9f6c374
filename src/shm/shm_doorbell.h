/* A doorbell: wakes one sleeping thread of another process, and costs nothing while it is awake.
 *
 *   sleeper                                    waker
 *   -------                                    -----
 *   asleep = 1               (A, seq_cst)      publish work              (C, seq_cst)
 *   look for work once more  (B, seq_cst)      if asleep == 1 ...        (D, seq_cst)
 *   none: wait on the eventfd, bounded             and it was us who set it to 0: write the eventfd
 *
 * 1. A before B and C before D in the one order of all sequentially consistent operations: either the sleeper's look
 *    finds the work, or the waker sees that it sleeps. Work is never left behind with nobody awake.
 * 2. Many wakers write the eventfd at most once for each sleep.
 * 3. The sleeper's wait is bounded all the same: a waker that is killed between C and its write has
 *    published its work. */
#ifndef RK_SHM_DOORBELL_H
#define RK_SHM_DOORBELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The shared word; zeroed memory is "awake". On a line of its own. */
struct rk_doorbell {
    _Alignas(64) _Atomic uint32_t asleep;
};

/* Sleeper: says that it is about to sleep; look for work once more after this. */
void rk_doorbell_arm(struct rk_doorbell *doorbell);

/* Sleeper: it is awake after all. */
static inline void rk_doorbell_disarm(struct rk_doorbell *doorbell)
{
    if (atomic_load_explicit(&doorbell->asleep, memory_order_relaxed) != 0)
        atomic_store_explicit(&doorbell->asleep, 0, memory_order_relaxed);
}

/* Writes the eventfd, whoever sleeps: for rare events. */
void rk_doorbell_wake(int event_fd);

/* Waker: call after the work was published with a seq_cst store. Returns whether the eventfd was written. */
bool rk_doorbell_ring(struct rk_doorbell *doorbell, int event_fd);

/* Sleeper: takes the eventfd's count, so that it is quiet again. */
void rk_doorbell_drain(int event_fd);

#endif

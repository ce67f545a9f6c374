/* Grace periods across processes: the master's side. What is unpublished is tagged with a ticket, and may be reused or
 * closed when that ticket has passed. The writer thread never waits for it. */
#ifndef RK_GRACE_WRITER_H
#define RK_GRACE_WRITER_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two grace periods start at least this far apart: at most fifty a second, however much is freed. */
#define RK_GRACE_PERIOD_DISTANCE_NS 20000000ull

struct rk_grace_region;
struct rk_grace_writer;

/* Bytes that a region of n_slots needs (a multiple of 64). */
size_t rk_grace_region_bytes(unsigned n_slots);

/* Lays out a zeroed region in shared memory, which begins at a multiple of 64, and makes the handle; frees nothing of
 * the region at destroy. NULL inside is fine for destroy. */
struct rk_grace_writer *rk_grace_writer_create(struct rk_grace_region *region, unsigned n_slots);
void rk_grace_writer_destroy(struct rk_grace_writer **grace);

/* Main thread of the master: opens a slot before its process is started (a grace period from then on waits for it; one
 * that runs already does not, since nothing that it covers can be seen by the new process), and clears it after
 * waitpid() returned the process, never before. `incarnation` is not 0 and new for each process. */
void rk_grace_writer_slot_open(struct rk_grace_writer *grace, unsigned slot, uint32_t incarnation);
void rk_grace_writer_slot_clear(struct rk_grace_writer *grace, unsigned slot);

/* Writer thread: the ticket for whatever was unpublished before this call. Tickets never decrease. */
uint64_t rk_grace_writer_ticket(const struct rk_grace_writer *grace);

/* Writer thread, often: ends the running grace period if every open slot passed it; starts the next one when `wanted`
 * (something waits) and the last start is long enough ago that periods stay batched. Returns the last ticket that has
 * passed. Never blocks. */
uint64_t rk_grace_writer_poll(struct rk_grace_writer *grace, bool wanted, uint64_t now_ns);

/* Any thread of the master: how long the running grace period has been waiting, and for which slot (the first one that
 * has not passed); 0, and slot_out untouched, when none runs or the running one waits for nobody. slot_out may be NULL.
 * For the watchdog. */
uint64_t rk_grace_writer_waiting_ns(const struct rk_grace_writer *grace, uint64_t now_ns, unsigned *slot_out);

struct rk_grace_figures {
    uint64_t n_periods;  /* that have ended */
    uint64_t last_ns;    /* from the start of the last of them to the poll that saw its end */
    uint64_t longest_ns; /* of all of them */
};

/* Any thread of the master. Each figure is exact; together they may belong to two periods. */
struct rk_grace_figures rk_grace_writer_figures(const struct rk_grace_writer *grace);

#endif

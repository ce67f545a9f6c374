/* The master's side: numbers the grace periods, starts them one after another, and ends each when every open slot has
 * passed it.
 *
 * Periods are 1, 2, 3, ...; ticket n has passed when period n has ended, and a ticket names the first period that
 * starts after it was drawn. `started` is the last period that was started, `ended` the last that ended: they are
 * equal, or one runs and they differ by one. */
#include "grace/grace_writer.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "grace/grace_futex.h"
#include "grace/grace_region.h"

#include <stdatomic.h>
#include <stdlib.h>

struct rk_grace_writer {
    struct rk_grace_region *region;
    unsigned n_slots;

    /* Writer thread stores, any thread of the master loads. */
    _Atomic uint64_t started;
    _Atomic uint64_t ended;
    _Atomic uint64_t started_at_ns; /* of the period `started` */
    _Atomic uint64_t last_ns;
    _Atomic uint64_t longest_ns;

    /* Main thread stores, any thread of the master loads: who owns each slot, 0 while it is closed. */
    _Atomic uint32_t incarnations[];
};

size_t rk_grace_region_bytes(unsigned n_slots)
{
    return sizeof(struct rk_grace_region) + n_slots * sizeof(struct rk_grace_slot);
}

struct rk_grace_writer *rk_grace_writer_create(struct rk_grace_region *region, unsigned n_slots)
{
    struct rk_grace_writer *grace = rk_mem_calloc(1, sizeof *grace + n_slots * sizeof grace->incarnations[0]);

    RK_ASSERT((uintptr_t)region % RK_GRACE_LINE_BYTES == 0);
    RK_ASSERT(region->magic == 0);
    grace->region = region;
    grace->n_slots = n_slots;
    region->layout = RK_GRACE_REGION_LAYOUT;
    region->n_slots = n_slots;
    region->magic = RK_GRACE_REGION_MAGIC;
    return grace;
}

void rk_grace_writer_destroy(struct rk_grace_writer **grace)
{
    free(*grace);
    *grace = NULL;
}

/* The order matters: the slot is seen open before `started` is looked at. Should the writer thread have missed the open
 * slot when it looked for the end of period n, then its store of started = n came before our load (all four accesses
 * are sequentially consistent; pair: start_period and slot_passed), and everything that n covers was unpublished before
 * the process of this slot exists. For the same reason that process counts as having passed n. */
void rk_grace_writer_slot_open(struct rk_grace_writer *grace, unsigned slot, uint32_t incarnation)
{
    uint64_t started;

    RK_ASSERT(slot < grace->n_slots && incarnation != 0);
    RK_ASSERT(atomic_load_explicit(&grace->incarnations[slot], memory_order_relaxed) == 0);
    atomic_store_explicit(&grace->incarnations[slot], incarnation, memory_order_seq_cst);
    started = atomic_load_explicit(&grace->started, memory_order_seq_cst);
    atomic_store_explicit(&grace->region->slots[slot].passed, rk_grace_passed_word(incarnation, started),
                          memory_order_release);
}

/* The release pairs with the load in slot_passed: what the dead process read, it read before the slot is seen closed.
 */
void rk_grace_writer_slot_clear(struct rk_grace_writer *grace, unsigned slot)
{
    RK_ASSERT(slot < grace->n_slots);
    if (RK_PLANTED(dead_slot_not_cleared))
        return;
    atomic_store_explicit(&grace->region->slots[slot].passed, 0, memory_order_relaxed);
    atomic_store_explicit(&grace->incarnations[slot], 0, memory_order_release);
}

uint64_t rk_grace_writer_ticket(const struct rk_grace_writer *grace)
{
    if (RK_PLANTED(free_without_grace))
        return atomic_load_explicit(&grace->ended, memory_order_relaxed);
    return atomic_load_explicit(&grace->started, memory_order_relaxed) + 1;
}

/* Whether the slot does not hold back the period: it is closed, or its own process said that it passed. */
static bool slot_passed(const struct rk_grace_writer *grace, unsigned slot, uint64_t period)
{
    uint32_t incarnation = atomic_load_explicit(&grace->incarnations[slot], memory_order_seq_cst);

    /* The acquire pairs with the agent's release in pass_period: its read sections are over when we go on to reuse. */
    return incarnation == 0
           || atomic_load_explicit(&grace->region->slots[slot].passed, memory_order_acquire)
                  == rk_grace_passed_word(incarnation, period);
}

/* The first slot that holds back the period; n_slots if none does. */
static unsigned find_holder(const struct rk_grace_writer *grace, uint64_t period)
{
    unsigned slot = 0;

    while (slot < grace->n_slots && slot_passed(grace, slot, period))
        slot++;
    return slot;
}

/* What the writer thread unpublished before is in front of both stores; the release of `wanted` (pair: the agents'
 * acquire) hands it to the processes that run, the store of `started` to those that are yet to come (slot_open). */
static void start_period(struct rk_grace_writer *grace, uint64_t period, uint64_t now_ns)
{
    atomic_store_explicit(&grace->started_at_ns, now_ns, memory_order_relaxed); /* pair: rk_grace_writer_waiting_ns */
    atomic_store_explicit(&grace->started, period, memory_order_seq_cst);
    atomic_store_explicit(&grace->region->wanted, (uint32_t)period, memory_order_release);
    if (!RK_PLANTED(lost_wakeup))
        rk_grace_futex_wake(&grace->region->wanted);
}

static void end_period(struct rk_grace_writer *grace, uint64_t period, uint64_t now_ns)
{
    uint64_t duration = now_ns - atomic_load_explicit(&grace->started_at_ns, memory_order_relaxed);

    atomic_store_explicit(&grace->last_ns, duration, memory_order_relaxed);
    if (duration > atomic_load_explicit(&grace->longest_ns, memory_order_relaxed))
        atomic_store_explicit(&grace->longest_ns, duration, memory_order_relaxed);
    atomic_store_explicit(&grace->ended, period, memory_order_release);
}

static bool may_start(const struct rk_grace_writer *grace, uint64_t now_ns)
{
    uint64_t last_start_ns = atomic_load_explicit(&grace->started_at_ns, memory_order_relaxed);

    return atomic_load_explicit(&grace->started, memory_order_relaxed) == 0
           || now_ns - last_start_ns >= RK_GRACE_PERIOD_DISTANCE_NS;
}

/* Ends the running period, if one runs and nobody holds it back; whether none runs now. */
static bool settle_period(struct rk_grace_writer *grace, uint64_t now_ns)
{
    uint64_t started = atomic_load_explicit(&grace->started, memory_order_relaxed);

    if (atomic_load_explicit(&grace->ended, memory_order_relaxed) == started)
        return true;
    if (find_holder(grace, started) < grace->n_slots)
        return false;
    end_period(grace, started, now_ns);
    return true;
}

uint64_t rk_grace_writer_poll(struct rk_grace_writer *grace, bool wanted, uint64_t now_ns)
{
    if (settle_period(grace, now_ns) && wanted && may_start(grace, now_ns)) {
        start_period(grace, atomic_load_explicit(&grace->started, memory_order_relaxed) + 1, now_ns);
        (void)settle_period(grace, now_ns); /* at once, while no process reads */
    }
    return atomic_load_explicit(&grace->ended, memory_order_relaxed);
}

/* `ended` is looked at last: as long as the period has not ended no slot can have passed a later one, so the slot that
 * was found did hold it back. The time is that of the period or of a later one (start_period stores it first). */
uint64_t rk_grace_writer_waiting_ns(const struct rk_grace_writer *grace, uint64_t now_ns, unsigned *slot_out)
{
    uint64_t started = atomic_load_explicit(&grace->started, memory_order_seq_cst);
    uint64_t since_ns = atomic_load_explicit(&grace->started_at_ns, memory_order_relaxed);
    unsigned slot = find_holder(grace, started);

    if (atomic_load_explicit(&grace->ended, memory_order_acquire) >= started)
        return 0;
    if (slot == grace->n_slots || now_ns <= since_ns)
        return 0;
    if (slot_out != NULL)
        *slot_out = slot;
    return now_ns - since_ns;
}

struct rk_grace_figures rk_grace_writer_figures(const struct rk_grace_writer *grace)
{
    return (struct rk_grace_figures){
        .n_periods = atomic_load_explicit(&grace->ended, memory_order_relaxed),
        .last_ns = atomic_load_explicit(&grace->last_ns, memory_order_relaxed),
        .longest_ns = atomic_load_explicit(&grace->longest_ns, memory_order_relaxed),
    };
}

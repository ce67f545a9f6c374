/* Counters in shared memory: one process writes a block, anyone reads it. Relaxed: each number is right by itself, and
 * numbers of one block may be an instant apart. A block belongs to a slot and survives the process in it. Where each of
 * them lies is in rackkv/stats.h, which other programs read, too. */
#ifndef RK_STATS_COUNTER_H
#define RK_STATS_COUNTER_H

#include <rackkv/stats.h>

/* The block's one writer: no locked instruction is needed. */
static inline void rk_counter_add(rk_counter *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void rk_counter_set(rk_counter *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

#endif

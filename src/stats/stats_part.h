/* The parts of a block, and sums over its slots, for whoever shows them. Each number is read once, relaxed: a sum is
 * that of numbers an instant apart. */
#ifndef RK_STATS_PART_H
#define RK_STATS_PART_H

#include "stats/stats_names.h"

/* Where a scope begins; `slot` counts for RK_STATS_SLOT alone. */
static inline const void *rk_stats_part(const struct rk_stats_block *block, enum rk_stats_scope scope, unsigned slot)
{
    switch (scope) {
    case RK_STATS_WRITER:
        return &block->writer;
    case RK_STATS_MERGE:
        return &block->merge;
    default:
        return rk_stats_slot_of(block, slot);
    }
}

static inline unsigned rk_stats_n_parts(const struct rk_stats_block *block, enum rk_stats_scope scope)
{
    return scope == RK_STATS_SLOT ? block->head.n_slots : 1;
}

/* Of a row, over all slots where it is one of theirs. */
static inline uint64_t rk_stats_sum(const struct rk_stats_block *block, const struct rk_stats_name *name)
{
    uint64_t sum = 0;

    for (unsigned slot = 0; slot < rk_stats_n_parts(block, name->scope); slot++)
        sum += rk_stats_value(name, rk_stats_part(block, name->scope, slot));
    return sum;
}

/* Requests of an operation that were answered with a status, by all workers. */
static inline uint64_t rk_stats_requests(const struct rk_stats_block *block, unsigned op, unsigned status)
{
    uint64_t sum = 0;

    for (unsigned slot = 0; slot < block->head.n_slots; slot++)
        sum += rk_counter_get(&rk_stats_slot_of(block, slot)->http.requests[op][status]);
    return sum;
}

#endif

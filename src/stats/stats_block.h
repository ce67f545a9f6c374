/* The block of all counters on the board, as the master makes it: rackkv/stats.h. */
#ifndef RK_STATS_BLOCK_H
#define RK_STATS_BLOCK_H

#include "base/base_time.h"
#include "stats/stats_http.h"
#include "stats/stats_store.h"

static inline size_t rk_stats_block_bytes(unsigned n_slots)
{
    return sizeof(struct rk_stats_block) + n_slots * sizeof(struct rk_stats_slot);
}

/* Says what it is, in zeroed memory. Before anybody looks for it. */
static inline void rk_stats_block_init(struct rk_stats_block *block, unsigned n_slots)
{
    memcpy(block->head.magic, RK_STATS_MAGIC, sizeof block->head.magic);
    block->head.layout = RK_STATS_LAYOUT;
    block->head.n_slots = n_slots;
    block->head.slot_bytes = sizeof(struct rk_stats_slot);
    block->head.started_ms = rk_time_wall_ms();
}

#endif

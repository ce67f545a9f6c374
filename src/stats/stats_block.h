/* The counters on the board: the writer's block, the compactor's, then one block for each worker slot. */
#ifndef RK_STATS_BLOCK_H
#define RK_STATS_BLOCK_H

#include "stats/stats_http.h"
#include "stats/stats_store.h"

#include <stddef.h>

struct rk_stats_slot {
    struct rk_stats_client client;
    _Alignas(64) struct rk_stats_http http;
    _Alignas(64) rk_counter starts; /* master: processes started in this slot */
    rk_counter deaths;              /* of these, ended without being asked to */
};

struct rk_stats_block {
    struct rk_stats_writer writer;
    struct rk_stats_merge merge;
    _Alignas(64) struct rk_stats_slot slots[];
};

static inline size_t rk_stats_block_bytes(unsigned n_slots)
{
    return sizeof(struct rk_stats_block) + n_slots * sizeof(struct rk_stats_slot);
}

#endif

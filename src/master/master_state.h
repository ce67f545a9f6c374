/* What the master says of the state of its store, once for each change: that writes are refused and why, that writes
 * fail, that a name of the store is lost. All: main thread. */
#ifndef RK_MASTER_STATE_H
#define RK_MASTER_STATE_H

#include "stats/stats_block.h"

#include <stdint.h>

struct rk_master_engine;

/* As it was last told; zeroed at the start. */
struct rk_master_state {
    enum rk_stats_accepted accepted_told;
    uint64_t write_errors_told;
    uint64_t write_errors_told_ns;
    unsigned lost_told; /* a bit for each of log_watch.h */
    uint64_t watched_ns;
};

/* When the writer wrote notice_fd: what it refuses is another now, or not. */
void rk_master_state_tell_refused(struct rk_master_state *state, struct rk_master_engine *engine);

/* Often: a line at most every ten seconds, and a look at the names at most every two. */
void rk_master_state_tell_write_errors(struct rk_master_state *state, const struct rk_master_engine *engine,
                                       uint64_t now_ns);
void rk_master_state_watch(struct rk_master_state *state, const struct rk_master_engine *engine, uint64_t now_ns);

#endif

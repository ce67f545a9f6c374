/* What the store counts, in words. */
#ifndef RK_STATS_STORE_H
#define RK_STATS_STORE_H

#include "base/base_err.h"
#include "stats/stats_counter.h"

/* Which writes the server takes, for whoever tells people: the diagnostics, /readyz, rackkvctl. */
enum rk_stats_accepted {
    RK_STATS_ACCEPTS_ALL,
    RK_STATS_ACCEPTS_DELETES, /* the disk is full */
    RK_STATS_ACCEPTS_NOTHING, /* until a restart */
};

/* Any process. */
static inline enum rk_stats_accepted rk_stats_accepted(const struct rk_stats_writer *writer)
{
    uint64_t refused = rk_counter_get(&writer->refused); /* minus the enum rk_err; 0: they are not refused */

    if (refused == 0)
        return RK_STATS_ACCEPTS_ALL;
    return refused == (uint64_t)-RK_ERR_NO_SPACE ? RK_STATS_ACCEPTS_DELETES : RK_STATS_ACCEPTS_NOTHING;
}

#endif

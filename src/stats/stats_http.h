/* The counters of one worker's HTTP face. They live in shared memory, zeroed before the worker starts, and survive it.
 * Each worker has its own block on cache lines of its own, so that counting costs a request no shared line. */
#ifndef RK_STATS_HTTP_H
#define RK_STATS_HTTP_H

#include "stats/stats_counter.h"

static inline enum rk_stats_http_status rk_stats_http_status_index(int status)
{
    switch (status) {
#define RK_STATS_HTTP_CASE(number) \
    case number:                   \
        return RK_STATS_HTTP_##number;
        RK_STATS_HTTP_STATUSES(RK_STATS_HTTP_CASE)
#undef RK_STATS_HTTP_CASE
    default:
        return RK_STATS_HTTP_OTHER;
    }
}

#endif

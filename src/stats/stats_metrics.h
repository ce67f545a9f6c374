/* All numbers of the block as a scraper takes them: the text format of Prometheus (0.0.4), and OpenMetrics (1.0.0). The
 * names come from stats_names.h, and those that are no counter of the block from the table here. Pure: it reads the
 * block, without a lock, and prints. */
#ifndef RK_STATS_METRICS_H
#define RK_STATS_METRICS_H

#include "stats/stats_names.h"

#include <stdio.h>

#define RK_STATS_PREFIX "rackkv_" /* of all families */

enum rk_stats_format { RK_STATS_PROMETHEUS, RK_STATS_OPENMETRICS };

/* A family that is found out from the block as a whole, or that is told. */
struct rk_stats_told {
    const char *metric;
    const char *labels; /* the names of its labels; NULL: none */
    bool is_gauge;
    const char *help;
};

enum rk_stats_told_id {
    RK_STATS_TOLD_BUILD_INFO,
    RK_STATS_TOLD_UP,
    RK_STATS_TOLD_READY,
    RK_STATS_TOLD_START_TIME,
    RK_STATS_TOLD_WORKERS,
    RK_STATS_TOLD_REFUSED,
    RK_STATS_TOLD_REQUESTS,
    RK_STATS_N_TOLD,
};

extern const struct rk_stats_told rk_stats_told[RK_STATS_N_TOLD];

/* Prints a whole scrape; `is_ready`: what /readyz says. Any thread of any process that has the block mapped. */
void rk_stats_metrics_print(FILE *out, const struct rk_stats_block *block, bool is_ready, enum rk_stats_format format);

#endif

/* All numbers of the block as one JSON object: what /v1/stats and the control verb stats answer. Pure: it reads the
 * block, without a lock, and prints. */
#ifndef RK_STATS_JSON_H
#define RK_STATS_JSON_H

#include <rackkv/stats.h>

#include <stdio.h>

/* {"version", "started_seconds", "writer": {...}, "merge": {...}, "workers": [{..., "requests": {"get": {"200": 12}}}]}
 * with the names of stats_names.h; times are seconds, and a status that was never answered is left out. Any thread of
 * any process that has the block mapped. */
void rk_stats_json_print(FILE *out, const struct rk_stats_block *block);

#endif

/* All counters of the statistics block, by name and in base units: bytes and seconds. */
#include "control/control_private.h"

#include "base/base_time.h"
#include "stats/stats_block.h"
#include "stats/stats_names.h"

/* "refused" is told in words by the status. */
static bool is_shown(const struct rk_stats_name *name)
{
    return name->scope != RK_STATS_WRITER || name->offset != offsetof(struct rk_stats_writer, refused);
}

static json_t *show_part(enum rk_stats_scope scope, const void *part)
{
    json_t *object = json_object();

    for (const struct rk_stats_name *name = rk_stats_names; name->name != NULL; name++) {
        uint64_t number;

        if (name->scope != scope || !is_shown(name))
            continue;
        number = rk_stats_value(name, part);
        json_object_set_new(object, name->name,
                            name->unit == RK_STATS_NS ? json_real((double)number / (double)RK_NS_PER_S)
                                                      : rk_control_number(number));
    }
    return object;
}

/* {"get": {"200": 12, "404": 1}, ...}: what is 0 is left out. */
static json_t *show_requests(const struct rk_stats_http *http)
{
    json_t *requests = json_object();

    for (size_t op = 0; op < RK_STATS_HTTP_N_OPS; op++) {
        json_t *by_status = json_object();

        for (size_t i = 0; i < RK_STATS_HTTP_N_STATUSES; i++) {
            uint64_t number = rk_counter_get(&http->requests[op][i]);

            if (number > 0)
                json_object_set_new(by_status, rk_stats_status_names[i], rk_control_number(number));
        }
        json_object_set_new(requests, rk_stats_op_names[op], by_status);
    }
    return requests;
}

json_t *rk_control_verb_stats(struct rk_control *control, const json_t *request)
{
    const struct rk_stats_block *stats = control->settings.stats;
    json_t *workers = json_array();

    for (unsigned slot = 0; slot < control->settings.n_slots; slot++) {
        json_t *worker = show_part(RK_STATS_SLOT, &stats->slots[slot]);

        json_object_set_new(worker, "requests", show_requests(&stats->slots[slot].http));
        json_array_append_new(workers, worker);
    }
    return json_pack("{s:b, s:o, s:o, s:o}", "ok", 1, "writer", show_part(RK_STATS_WRITER, &stats->writer), "merge",
                     show_part(RK_STATS_MERGE, &stats->merge), "workers", workers);
}

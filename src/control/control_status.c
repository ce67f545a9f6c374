#include "control/control_private.h"

#include "base/base_time.h"
#include "log/log_store.h"
#include "shm/shm_handover.h"
#include "stats/stats_block.h"

#include <sys/statvfs.h>
#include <unistd.h>

static json_t *show_urls(const struct rk_control *control)
{
    json_t *urls = json_array();

    for (size_t i = 0; i < control->settings.n_urls; i++)
        json_array_append_new(urls, json_string(control->settings.urls[i]));
    return urls;
}

static json_t *show_recovery(const struct rk_board_recovery *recovery)
{
    return json_pack("{s:o, s:o, s:o}", "done_bytes",
                     rk_control_number(atomic_load_explicit(&recovery->done_bytes, memory_order_relaxed)),
                     "total_bytes",
                     rk_control_number(atomic_load_explicit(&recovery->total_bytes, memory_order_relaxed)), "records",
                     rk_control_number(atomic_load_explicit(&recovery->n_records, memory_order_relaxed)));
}

static json_t *show_workers(const struct rk_control *control)
{
    const struct rk_stats_block *stats = control->settings.stats;
    unsigned n_slots = control->settings.n_slots;
    uint64_t starts = 0, deaths = 0;

    for (unsigned slot = 0; slot < n_slots; slot++) {
        starts += rk_counter_get(&stats->slots[slot].starts);
        deaths += rk_counter_get(&stats->slots[slot].deaths);
    }
    return json_pack("{s:o, s:o, s:o}", "count", rk_control_number(n_slots), "starts", rk_control_number(starts),
                     "deaths", rk_control_number(deaths));
}

static uint64_t free_bytes(int dir_fd)
{
    struct statvfs status;

    if (fstatvfs(dir_fd, &status) != 0)
        return 0;
    return (uint64_t)status.f_bavail * status.f_frsize;
}

static void add_data(const struct rk_control *control, json_t *status)
{
    const struct rk_stats_writer *writer = &control->settings.stats->writer;
    json_t *merge;

    json_object_set_new(status, "writes", json_string(rk_stats_accepted_word(rk_stats_accepted(writer))));
    json_object_set_new(status, "keys", rk_control_number(rk_counter_get(&writer->keys)));
    json_object_set_new(status, "last_sequence", rk_control_number(rk_counter_get(&writer->last_sequence)));
    json_object_set_new(status, "durable_sequence", rk_control_number(rk_counter_get(&writer->durable_sequence)));
    json_object_set_new(status, "keydir_used_bytes", rk_control_number(rk_counter_get(&writer->keydir_used_bytes)));
    json_object_set_new(status, "keydir_max_bytes", rk_control_number(rk_counter_get(&writer->keydir_max_bytes)));
    json_object_set_new(status, "live_bytes", rk_control_number(rk_counter_get(&writer->live_bytes)));
    json_object_set_new(status, "dead_bytes", rk_control_number(rk_counter_get(&writer->dead_bytes)));
    json_object_set_new(status, "tombstone_bytes", rk_control_number(rk_counter_get(&writer->tombstone_bytes)));
    json_object_set_new(status, "data_files", rk_control_number(rk_log_store_n_files(control->settings.store)));
    merge = rk_control_show_merging(control);
    json_object_del(merge, "ok");
    json_object_set_new(status, "merge", merge);
}

json_t *rk_control_verb_status(struct rk_control *control, const json_t *request)
{
    /* Partner: the release store of rk_control_serve. */
    bool serving = atomic_load_explicit(&control->serving, memory_order_acquire);
    const struct rk_log_store *store = control->settings.store;
    json_t *status = json_pack(
        "{s:b, s:s, s:i, s:s, s:s, s:o, s:f, s:o, s:o}", "ok", 1, "state", serving ? "serving" : "recovering", "pid",
        (int)getpid(), "version", PACKAGE_VERSION, "data_dir", rk_log_store_path(store), "urls", show_urls(control),
        "uptime_seconds", (double)(rk_time_monotonic_ns() - control->settings.started_ns) / (double)RK_NS_PER_S,
        "workers", show_workers(control), "disk_free_bytes", rk_control_number(free_bytes(rk_log_store_dir_fd(store))));

    if (serving)
        add_data(control, status);
    else
        json_object_set_new(status, "recovery", show_recovery(&control->settings.board->recovery));
    return status;
}

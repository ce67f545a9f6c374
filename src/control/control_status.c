#include "control/control_private.h"

#include "base/base_time.h"
#include "log/log_store.h"
#include "shm/shm_handover.h"
#include "stats/stats_block.h"

#include <rackkv/control.h>
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
    return json_pack(
        "{s:o, s:o, s:o}", RK_CONTROL_DONE_BYTES,
        rk_control_number(atomic_load_explicit(&recovery->done_bytes, memory_order_relaxed)), RK_CONTROL_TOTAL_BYTES,
        rk_control_number(atomic_load_explicit(&recovery->total_bytes, memory_order_relaxed)), RK_CONTROL_RECORDS,
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
    return json_pack("{s:o, s:o, s:o}", RK_CONTROL_COUNT, rk_control_number(n_slots), RK_CONTROL_STARTS,
                     rk_control_number(starts), RK_CONTROL_DEATHS, rk_control_number(deaths));
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

    json_object_set_new(status, RK_CONTROL_WRITES, json_string(rk_stats_accepted_word(rk_stats_accepted(writer))));
    json_object_set_new(status, RK_CONTROL_KEYS, rk_control_number(rk_counter_get(&writer->keys)));
    json_object_set_new(status, RK_CONTROL_LAST_SEQUENCE, rk_control_number(rk_counter_get(&writer->last_sequence)));
    json_object_set_new(status, RK_CONTROL_DURABLE_SEQUENCE,
                        rk_control_number(rk_counter_get(&writer->durable_sequence)));
    json_object_set_new(status, RK_CONTROL_KEYDIR_USED_BYTES,
                        rk_control_number(rk_counter_get(&writer->keydir_used_bytes)));
    json_object_set_new(status, RK_CONTROL_KEYDIR_MAX_BYTES,
                        rk_control_number(rk_counter_get(&writer->keydir_max_bytes)));
    json_object_set_new(status, RK_CONTROL_LIVE_BYTES, rk_control_number(rk_counter_get(&writer->live_bytes)));
    json_object_set_new(status, RK_CONTROL_DEAD_BYTES, rk_control_number(rk_counter_get(&writer->dead_bytes)));
    json_object_set_new(status, RK_CONTROL_TOMBSTONE_BYTES,
                        rk_control_number(rk_counter_get(&writer->tombstone_bytes)));
    json_object_set_new(status, RK_CONTROL_DATA_FILES,
                        rk_control_number(rk_log_store_n_files(control->settings.store)));
    merge = rk_control_show_merging(control);
    json_object_del(merge, RK_CONTROL_OK);
    json_object_set_new(status, RK_CONTROL_MERGE, merge);
}

json_t *rk_control_verb_status(struct rk_control *control, const json_t *request)
{
    /* Partner: the release store of rk_control_serve. */
    bool serving = atomic_load_explicit(&control->serving, memory_order_acquire);
    const struct rk_log_store *store = control->settings.store;
    json_t *status = json_pack(
        "{s:b, s:s, s:i, s:s, s:s, s:o, s:f, s:o, s:o}", "ok", 1, "state", serving ? "serving" : "recovering", "pid",
        (int)getpid(), RK_CONTROL_VERSION, PACKAGE_VERSION, RK_CONTROL_DATA_DIR, rk_log_store_path(store),
        RK_CONTROL_URLS, show_urls(control), RK_CONTROL_UPTIME_SECONDS,
        (double)(rk_time_monotonic_ns() - control->settings.started_ns) / (double)RK_NS_PER_S, RK_CONTROL_WORKERS,
        show_workers(control), RK_CONTROL_DISK_FREE_BYTES, rk_control_number(free_bytes(rk_log_store_dir_fd(store))));

    if (serving)
        add_data(control, status);
    else
        json_object_set_new(status, RK_CONTROL_RECOVERY, show_recovery(&control->settings.board->recovery));
    return status;
}

/* All counters of the statistics block, by name and in base units: bytes and seconds. */
#include "control/control_private.h"

#include "base/base_time.h"
#include "stats/stats_block.h"

enum unit { UNIT_PLAIN, UNIT_NS };

struct figure {
    const char *name;
    size_t offset;
    enum unit unit;
};

#define WRITER(member) #member, offsetof(struct rk_stats_writer, member)
#define MERGE(member)  #member, offsetof(struct rk_stats_merge, member)
#define CLIENT(member) #member, offsetof(struct rk_stats_slot, client.member)
#define HTTP(member)   #member, offsetof(struct rk_stats_slot, http.member)
#define SLOT(member)   #member, offsetof(struct rk_stats_slot, member)

static const struct figure writer_figures[] = {
    { WRITER(puts), UNIT_PLAIN },
    { WRITER(deletes), UNIT_PLAIN },
    { WRITER(failed), UNIT_PLAIN },
    { WRITER(write_errors), UNIT_PLAIN },
    { WRITER(batches), UNIT_PLAIN },
    { WRITER(syncs), UNIT_PLAIN },
    { WRITER(appended_bytes), UNIT_PLAIN },
    { WRITER(keys), UNIT_PLAIN },
    { WRITER(keydir_used_bytes), UNIT_PLAIN },
    { WRITER(keydir_limbo_bytes), UNIT_PLAIN },
    { WRITER(keydir_max_bytes), UNIT_PLAIN },
    { WRITER(keydir_pages), UNIT_PLAIN },
    { WRITER(live_bytes), UNIT_PLAIN },
    { WRITER(dead_bytes), UNIT_PLAIN },
    { WRITER(tombstone_bytes), UNIT_PLAIN },
    { WRITER(grace_periods), UNIT_PLAIN },
    { "grace_last_seconds", offsetof(struct rk_stats_writer, grace_last_ns), UNIT_NS },
    { "grace_max_seconds", offsetof(struct rk_stats_writer, grace_max_ns), UNIT_NS },
    { WRITER(last_sequence), UNIT_PLAIN },
    { WRITER(durable_sequence), UNIT_PLAIN },
};

static const struct figure merge_figures[] = {
    { MERGE(running), UNIT_PLAIN },         { MERGE(done), UNIT_PLAIN },
    { MERGE(cancelled), UNIT_PLAIN },       { MERGE(failed), UNIT_PLAIN },
    { MERGE(read_bytes), UNIT_PLAIN },      { MERGE(written_bytes), UNIT_PLAIN },
    { MERGE(reclaimed_bytes), UNIT_PLAIN }, { MERGE(copied_records), UNIT_PLAIN },
    { MERGE(dropped_records), UNIT_PLAIN }, { MERGE(expired_records), UNIT_PLAIN },
};

static const struct figure worker_figures[] = {
    { SLOT(starts), UNIT_PLAIN },
    { SLOT(deaths), UNIT_PLAIN },
    { CLIENT(hits), UNIT_PLAIN },
    { CLIENT(misses), UNIT_PLAIN },
    { CLIENT(disk_reads), UNIT_PLAIN },
    { CLIENT(corrupt), UNIT_PLAIN },
    { CLIENT(read_errors), UNIT_PLAIN },
    { CLIENT(ring_full), UNIT_PLAIN },
    { HTTP(connections_accepted), UNIT_PLAIN },
    { HTTP(connections_open), UNIT_PLAIN },
    { HTTP(connections_timed_out), UNIT_PLAIN },
    { HTTP(connections_left), UNIT_PLAIN },
    { HTTP(upload_bytes), UNIT_PLAIN },
    { HTTP(accept_pauses), UNIT_PLAIN },
};

static const char *const op_names[] = {
    [RK_STATS_HTTP_GET] = "get",       [RK_STATS_HTTP_HEAD] = "head",       [RK_STATS_HTTP_PUT] = "put",
    [RK_STATS_HTTP_DELETE] = "delete", [RK_STATS_HTTP_SERVICE] = "service", [RK_STATS_HTTP_REFUSED] = "refused",
};

_Static_assert(sizeof op_names / sizeof op_names[0] == RK_STATS_HTTP_N_OPS, "every operation has its name");

static const char *const status_names[] = {
#define STATUS_NAME(status) #status,
    RK_STATS_HTTP_STATUSES(STATUS_NAME)
#undef STATUS_NAME
        "other",
};

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static json_t *show_figures(const void *block, const struct figure *figures, size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++) {
        uint64_t number = rk_counter_get((const rk_counter *)((const char *)block + figures[i].offset));

        json_object_set_new(object, figures[i].name,
                            figures[i].unit == UNIT_NS ? json_real((double)number / (double)RK_NS_PER_S)
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
                json_object_set_new(by_status, status_names[i], rk_control_number(number));
        }
        json_object_set_new(requests, op_names[op], by_status);
    }
    return requests;
}

json_t *rk_control_verb_stats(struct rk_control *control, const json_t *request)
{
    const struct rk_stats_block *stats = control->settings.stats;
    json_t *workers = json_array();

    for (unsigned slot = 0; slot < control->settings.n_slots; slot++) {
        json_t *worker = show_figures(&stats->slots[slot], worker_figures, N_OF(worker_figures));

        json_object_set_new(worker, "requests", show_requests(&stats->slots[slot].http));
        json_array_append_new(workers, worker);
    }
    return json_pack("{s:b, s:o, s:o, s:o}", "ok", 1, "writer",
                     show_figures(&stats->writer, writer_figures, N_OF(writer_figures)), "merge",
                     show_figures(&stats->merge, merge_figures, N_OF(merge_figures)), "workers", workers);
}

#include "sim_replay.h"

#include "base/base_detail.h"
#include "keydir/keydir_writer.h"
#include "log/log_record.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "sim_record.h"
#include "sim_script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHERE_BYTES  256
#define KEYDIR_BYTES (1u << 20)
#define GO_ON_ODDS   4

/* Where it is, for the words of a failure. */
static char where[WHERE_BYTES];

static const char *op_name(const struct sim_trace *trace, size_t n_done)
{
    static const char *const names[] = { "write",  "truncate", "allocate",   "sync",      "create",
                                         "rename", "unlink",   "sync names", "make root", "sync root" };

    return n_done < trace->n_ops ? names[trace->ops[n_done].kind] : "nothing";
}

/* Whether this image with this promise is new. */
static bool remember(struct sim_replay *replay, uint64_t hash)
{
    size_t at;

    if (replay->seen == NULL) {
        replay->n_seen_max = (size_t)1 << 20;
        replay->seen = calloc(replay->n_seen_max, sizeof *replay->seen);
    }
    ck_assert_uint_lt(replay->n_states, replay->n_seen_max / 2);
    hash += hash == 0;
    for (at = hash % replay->n_seen_max; replay->seen[at] != 0; at = (at + 1) % replay->n_seen_max)
        if (replay->seen[at] == hash)
            return false;
    replay->seen[at] = hash;
    return true;
}

/* No sequence that a client has seen is given out again. */
static void check_sequence(const struct sim_replay *replay, size_t n_acked, uint64_t next_sequence)
{
    uint64_t highest = n_acked > 0 ? replay->history->writes[n_acked - 1].sequence : 0;

    if (next_sequence <= highest)
        ck_abort_msg("%s: the next sequence is %llu, and %llu was answered", where, (unsigned long long)next_sequence,
                     (unsigned long long)highest);
}

static void write_more(struct rk_log_writer *writer, struct sim_history *history, size_t n)
{
    for (; n > 0; n--) {
        size_t index = history->n_writes++;
        struct rk_record_parts parts;
        uint64_t location, size;
        uint8_t bytes[512];

        history->writes[index] =
            (struct sim_write){ .key = (unsigned)index % SIM_KEYS, .is_delete = n == 2, .value_len = 20 };
        if (n == 2)
            history->writes[index].value_len = 0;
        sim_history_parts(history, index, &parts);
        size = rk_record_build(bytes, &parts);
        ck_assert_int_eq(rk_log_writer_stage(writer, bytes, bytes + RK_RECORD_HEADER_BYTES, size, 1, &location,
                                             &history->writes[index].sequence),
                         RK_OK);
    }
    ck_assert_int_eq(rk_log_writer_flush(writer), RK_OK);
}

/* A server goes on with what recovery left, writes, and dies: then old and new are there. */
static void go_on(const struct sim_replay *replay, const struct rk_store_recovery *result)
{
    static struct sim_history history;
    struct rk_log_writer_settings settings = { .file_size_bytes = 4096, .next_sequence = result->next_sequence };
    struct rk_log_store *store = NULL;
    struct rk_log_writer *writer = NULL;
    struct rk_store_recovery again;
    struct rk_detail detail = { "" };

    sim_history_copy(&history, replay->history);
    history.n_writes = result->n_records;
    history.n_least = history.n_most = history.n_writes + 3;
    if (rk_log_store_open(&store, replay->root, &detail) != RK_OK
        || rk_log_writer_open(&writer, store, &settings, &detail) != RK_OK)
        ck_abort_msg("%s: cannot go on: %s", where, detail.text);
    write_more(writer, &history, 3);
    ck_assert_int_eq(rk_log_writer_close(&writer), RK_OK);
    rk_log_store_close(&store);
    sim_history_recover(&history, replay->root, where, &again);
    if (again.n_records != history.n_writes)
        ck_abort_msg("%s: of what was written afterwards, something is missing", where);
}

static void check_image(struct sim_replay *replay, const struct sim_image *image, const struct sim_promise *promise,
                        size_t n_promised, struct rk_store_recovery *result)
{
    static struct sim_history history;
    struct rk_store_recovery again;

    sim_history_copy(&history, replay->history);
    history.n_least = n_promised;
    history.n_most = promise->n_submitted;
    sim_image_write(image, replay->root);
    sim_history_recover(&history, replay->root, where, result);
    if (result->n_records < n_promised)
        ck_abort_msg("%s: %llu writes are there, and %zu were promised", where, (unsigned long long)result->n_records,
                     n_promised);
    if (result->n_records > promise->n_submitted)
        ck_abort_msg("%s: %llu writes are there, and %zu were asked for", where, (unsigned long long)result->n_records,
                     promise->n_submitted);
    check_sequence(replay, promise->n_acked, result->next_sequence);
    sim_history_recover(&history, replay->root, where, &again);
    if (again.n_records != result->n_records || again.next_sequence != result->next_sequence || again.cut_file != 0)
        ck_abort_msg("%s: a second recovery gives another state", where);
    if (replay->n_states % GO_ON_ODDS == 0)
        go_on(replay, &again);
}

/* What the next start does, up to the first write, and the hints that it makes. */
static void start(const char *root)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = 4096 };
    struct rk_keydir_writer *keydir = NULL;
    struct rk_log_store *store = NULL;
    struct rk_log_writer *writer = NULL;
    struct rk_store_recovery result;

    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    ck_assert_int_eq(rk_log_store_open(&store, root, NULL), RK_OK);
    ck_assert_int_eq(rk_store_recover(store, keydir, NULL, &result, NULL), RK_OK);
    settings.next_sequence = result.next_sequence;
    ck_assert_int_eq(rk_log_writer_open(&writer, store, &settings, NULL), RK_OK);
    sim_hints_make(store);
    sim_record_freeze();
    (void)rk_log_writer_close(&writer); /* it cannot change anything any more */
    sim_record_thaw();
    rk_log_store_close(&store);
    rk_keydir_writer_destroy(&keydir);
}

/* The recovery of an image fails at each of its operations: in the end the state is what it would have been. */
static void replay_recovery(struct sim_replay *replay, const struct sim_image *image, const struct sim_promise *promise,
                            uint64_t n_records)
{
    struct sim_replay inner = *replay;
    struct sim_trace trace;

    sim_image_write(image, replay->root);
    sim_record_begin(&trace, image, NULL, NULL);
    trace.promise = (struct sim_promise){ n_records, promise->n_acked, n_records };
    start(replay->root);
    sim_record_end();
    trace.promise.n_acked = n_records < promise->n_acked ? n_records : promise->n_acked;
    for (size_t i = 0; i < trace.n_ops; i++)
        trace.ops[i].promise = trace.promise;
    inner.n_recoveries_max = 0;
    inner.in_recovery = true;
    inner.n_rounds = 1;
    sim_replay_trace(&inner, &trace, image);
    replay->n_states = inner.n_states;
    replay->n_recoveries++;
    sim_trace_free(&trace);
}

static void check_kind(struct sim_replay *replay, const struct sim_disk *disk, const struct sim_promise *promise,
                       enum sim_kind kind, enum sim_names names)
{
    bool lives_on = kind == SIM_KEPT && names == SIM_NAMES_KEPT; /* the process died, and nothing else */
    size_t n_promised = lives_on ? promise->n_acked : promise->n_durable;
    struct sim_image *image = calloc(1, sizeof *image);
    uint64_t seed = sim_random(&replay->seed);
    struct rk_store_recovery result;
    uint64_t hash;

    sim_disk_image(disk, kind, names, seed, image);
    hash = sim_image_hash(image) ^ (n_promised << 1 | lives_on) * 0x9e3779b97f4a7c15u;
    if (seed % replay->one_in == 0 && remember(replay, hash)) {
        replay->n_states++;
        check_image(replay, image, promise, n_promised, &result);
        if (replay->n_recoveries < replay->n_recoveries_max && seed / replay->one_in % replay->recover_odds == 0)
            replay_recovery(replay, image, promise, result.n_records);
    }
    sim_image_free(image);
    free(image);
}

static bool is_random(enum sim_kind kind)
{
    return kind != SIM_DROPPED && kind != SIM_KEPT && kind != SIM_ZEROS && kind != SIM_EXTENDED;
}

static void check_moment(struct sim_replay *replay, const struct sim_disk *disk, const struct sim_trace *trace,
                         size_t n_done)
{
    const struct sim_promise *promise = n_done < trace->n_ops ? &trace->ops[n_done].promise : &trace->promise;
    bool loose_bytes = sim_disk_has_loose_bytes(disk), loose_names = sim_disk_has_loose_names(disk);

    for (enum sim_kind kind = 0; kind < SIM_N_KINDS; kind++)
        for (enum sim_names names = 0; names < SIM_N_NAMES; names++) {
            unsigned n = is_random(kind) || names >= SIM_NAMES_PREFIX ? replay->n_rounds : 1;

            if ((!loose_bytes && kind != SIM_KEPT) || (!loose_names && names != SIM_NAMES_KEPT))
                continue;
            for (unsigned round = 0; round < n; round++) {
                snprintf(where, sizeof where, "%s after %zu operations (next: %s), bytes %s, names %s, round %u",
                         replay->in_recovery ? "recovery" : "script", n_done, op_name(trace, n_done),
                         sim_kind_name(kind), sim_names_name(names), round);
                check_kind(replay, disk, promise, kind, names);
            }
        }
}

void sim_replay_trace(struct sim_replay *replay, const struct sim_trace *trace, const struct sim_image *base)
{
    struct sim_disk *disk = sim_disk_create(trace, base);

    for (size_t n_done = 0; n_done <= trace->n_ops; n_done++) {
        check_moment(replay, disk, trace, n_done);
        if (n_done < trace->n_ops)
            sim_disk_apply(disk, &trace->ops[n_done]);
    }
    sim_disk_destroy(&disk);
}

void sim_replay_free(struct sim_replay *replay)
{
    free(replay->seen);
    replay->seen = NULL;
}

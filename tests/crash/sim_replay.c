#include "sim_replay.h"

#include "base/base_detail.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "sim_record.h"
#include "sim_script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHERE_BYTES  512
#define KEYDIR_BYTES (1u << 20)
#define GO_ON_ODDS   4
#define RECOVER_ODDS 16
#define MERGE_ODDS   8
#define EARLIER_S    8 /* than all of the script */
#define LATER_S      16

/* An image's seed decides what is done with it, too: by these digits of it. */
#define SEED_GO_ON   (1ull << 16)
#define SEED_RECOVER (1ull << 24)
#define SEED_MERGE   (1ull << 40)
#define SEED_LOOK    (1ull << 48)

/* Where it is, for the words of a failure. */
static char where[WHERE_BYTES];

/* A moment of a trace, and one of the images that a failure could leave then. */
struct moment {
    const struct sim_disk *disk;
    const struct sim_trace *trace;
    size_t n_done;
    struct sim_image *image;
    enum sim_kind kind;
    enum sim_names names;
    unsigned variant;
    uint64_t seed;
};

static const struct sim_promise *promise_at(const struct moment *moment)
{
    const struct sim_trace *trace = moment->trace;

    return moment->n_done < trace->n_ops ? &trace->ops[moment->n_done].promise : &trace->promise;
}

/* The process died, and nothing else. */
static bool lives_on(const struct moment *moment)
{
    return moment->kind == SIM_KEPT && moment->names == SIM_NAMES_KEPT;
}

/* How many writes the image must have. */
static size_t n_promised_at(const struct moment *moment)
{
    const struct sim_promise *promise = promise_at(moment);

    return lives_on(moment) ? promise->n_acked : promise->n_durable;
}

static const char *op_name(const struct sim_trace *trace, size_t n_done)
{
    static const char *const names[] = {
        [SIM_WRITE] = "write",         [SIM_TRUNCATE] = "truncate",   [SIM_ALLOCATE] = "allocate",
        [SIM_PUNCH] = "punch",         [SIM_SYNC] = "sync",           [SIM_CREATE] = "create",
        [SIM_RENAME] = "rename",       [SIM_UNLINK] = "unlink",       [SIM_SYNC_NAMES] = "sync names",
        [SIM_MAKE_ROOT] = "make root", [SIM_SYNC_ROOT] = "sync root",
    };

    return n_done < trace->n_ops ? names[trace->ops[n_done].kind] : "nothing";
}

static bool add_to(struct sim_seen *seen, uint64_t hash)
{
    size_t at = hash % seen->max;

    while (seen->at[at] != 0 && seen->at[at] != hash)
        at = (at + 1) % seen->max;
    if (seen->at[at] == hash)
        return false;
    seen->at[at] = hash;
    seen->n++;
    return true;
}

static void grow(struct sim_seen *seen)
{
    struct sim_seen larger = { .max = seen->max == 0 ? (size_t)1 << 16 : seen->max * 2 };

    larger.at = calloc(larger.max, sizeof *larger.at);
    for (size_t i = 0; i < seen->max; i++)
        if (seen->at[i] != 0)
            (void)add_to(&larger, seen->at[i]); /* each is there once */
    free(seen->at);
    *seen = larger;
}

/* Whether this image with this promise is new. */
static bool remember(struct sim_seen *seen, uint64_t hash)
{
    if (seen->n >= seen->max / 2)
        grow(seen);
    return add_to(seen, hash + (hash == 0));
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

/* A copy of the history, to be looked at with the clock of this moment. */
static void begin_history(struct sim_history *history, const struct sim_replay *replay,
                          const struct sim_promise *promise)
{
    sim_history_copy(history, replay->history);
    history->now_s = promise->now_s;
    history->latest_s = promise->latest_s;
}

/* A server goes on with what recovery left, writes, and dies: then old and new are there. */
static void go_on(const struct sim_replay *replay, const struct sim_promise *promise, const struct rk_recovery *result)
{
    static struct sim_history history;
    struct rk_log_writer_settings settings = { .file_size_bytes = 4096,
                                               .next_sequence = result->next_sequence,
                                               .newest = &result->newest };
    struct rk_log_store *store = NULL;
    struct rk_log_writer *writer = NULL;
    struct rk_recovery again;
    struct rk_detail detail = { "" };

    begin_history(&history, replay, promise);
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

/* A server merges what recovery left, which changes nothing. */
static void merge_on(const struct sim_replay *replay, const struct moment *moment, size_t n_records)
{
    static struct sim_history history;
    struct sim_script_settings settings = {
        .file_size_bytes = 4096, .seed = moment->seed, .merges = true, .expires = true
    };
    struct sim_script *script;
    struct rk_recovery result;

    begin_history(&history, replay, promise_at(moment));
    history.n_writes = history.n_least = history.n_most = n_records;
    script = sim_script_resume(replay->root, &settings, &history);
    sim_script_open(script);
    if (moment->seed / SEED_LOOK % 2 == 0)
        sim_script_look(script);
    sim_script_merge(script);
    sim_script_close(script);
    sim_script_destroy(&script);
    sim_history_recover(&history, replay->root, where, &result);
}

static void try_clock(struct sim_history *history, const char *root, uint64_t now_s)
{
    struct rk_recovery result;
    char by_clock[WHERE_BYTES + 64];

    (void)snprintf(by_clock, sizeof by_clock, "%s, by a clock that says %lld s", where,
                   (long long)now_s - (long long)SIM_BEGIN_S);
    history->now_s = now_s;
    sim_history_recover(history, root, by_clock, &result);
}

/* By a clock that was set back, what has expired may be there again; what it hid, by no clock. */
static void try_clocks(struct sim_history *history, const char *root, uint64_t seed)
{
    uint64_t first_s = SIM_BEGIN_S - EARLIER_S;

    try_clock(history, root, first_s + seed % (history->latest_s - first_s));
    history->latest_s += 1 + (seed >> 32) % LATER_S;
    try_clock(history, root, history->latest_s);
}

static void check_image(struct sim_replay *replay, const struct moment *moment, struct rk_recovery *result)
{
    static struct sim_history history;
    const struct sim_promise *promise = promise_at(moment);
    size_t n_promised = n_promised_at(moment);
    bool is_to_merge = replay->clocks && moment->seed / SEED_MERGE % MERGE_ODDS == 0;
    struct rk_recovery again;

    begin_history(&history, replay, promise);
    history.n_least = n_promised;
    history.n_most = promise->n_submitted;
    sim_image_write(moment->image, replay->root);
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
    if (is_to_merge)
        merge_on(replay, moment, result->n_records);
    if (replay->clocks)
        try_clocks(&history, replay->root, moment->seed);
    if (!is_to_merge && moment->seed / SEED_GO_ON % GO_ON_ODDS == 0)
        go_on(replay, promise, &again);
}

/* What the next start does, up to the first write, and the hints that it makes. */
static void start(const char *root, uint64_t now_s)
{
    struct rk_recover_hooks hooks = { .now_s = now_s };
    struct rk_log_writer_settings settings = { .file_size_bytes = 4096 };
    struct rk_keydir_writer *keydir = NULL;
    struct rk_log_store *store = NULL;
    struct rk_log_writer *writer = NULL;
    struct rk_recovery result;

    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    ck_assert_int_eq(rk_log_store_open(&store, root, NULL), RK_OK);
    ck_assert_int_eq(rk_recover_store(store, keydir, &hooks, &result, NULL), RK_OK);
    settings.next_sequence = result.next_sequence;
    settings.newest = &result.newest;
    ck_assert_int_eq(rk_log_writer_open(&writer, store, &settings, NULL), RK_OK);
    sim_hints_make(store);
    sim_record_freeze();
    (void)rk_log_writer_close(&writer); /* it cannot change anything any more */
    sim_record_thaw();
    rk_log_store_close(&store);
    rk_keydir_writer_destroy(&keydir);
}

/* The recovery of an image fails at each of its operations: in the end the state is what it would have been. */
static void replay_recovery(struct sim_replay *replay, const struct moment *moment, uint64_t n_records)
{
    struct sim_replay inner = *replay;
    const struct sim_promise *promise = promise_at(moment);
    char outer[WHERE_BYTES];
    struct sim_trace trace;

    strcpy(outer, where);
    sim_image_write(moment->image, replay->root);
    sim_record_begin(&trace, moment->image, NULL, NULL);
    trace.promise = *promise;
    trace.promise.n_submitted = trace.promise.n_durable = n_records;
    start(replay->root, promise->now_s);
    sim_record_end();
    trace.promise.n_acked = n_records < promise->n_acked ? n_records : promise->n_acked;
    for (size_t i = 0; i < trace.n_ops; i++)
        trace.ops[i].promise = trace.promise;
    inner.n_done_out = NULL;
    inner.outer = outer;
    inner.clocks = false; /* so many writes, and no others: that is so by the clock it was counted by */
    inner.seed = moment->seed;
    inner.n_to_recover = 0;
    inner.n_variants = 1;
    inner.n_shares = 1;
    sim_replay_trace(&inner, &trace, moment->image);
    replay->n_states = inner.n_states;
    replay->seen = inner.seen;
    replay->n_recoveries++;
    sim_trace_free(&trace);
}

/* Depends on what the image is, and not on those before it. */
static uint64_t seed_of(const struct sim_replay *replay, const struct moment *moment)
{
    uint64_t state = replay->seed << 32 ^ moment->n_done << 16 ^ (uint64_t)moment->kind << 8 ^ moment->names << 4;

    state = sim_random(&state) + moment->variant;
    return sim_random(&state);
}

/* The images whose recoveries are gone through are spread over the trace: now comes the one of a later moment. */
static bool is_to_recover(const struct sim_replay *replay, const struct moment *moment)
{
    size_t next = replay->n_recoveries * replay->n_shares + replay->index;

    return next < replay->n_to_recover && moment->seed / SEED_RECOVER % RECOVER_ODDS == 0
           && moment->n_done >= next * moment->trace->n_ops / replay->n_to_recover;
}

static void say_where(const struct sim_replay *replay, const struct moment *moment)
{
    int n = snprintf(where, sizeof where, "%s %llu after %zu operations (next: %s), bytes %s, names %s, variant %u",
                     replay->outer != NULL ? "recovery" : "script", (unsigned long long)replay->seed, moment->n_done,
                     op_name(moment->trace, moment->n_done), sim_kind_name(moment->kind), sim_names_name(moment->names),
                     moment->variant);

    if (replay->outer != NULL)
        (void)snprintf(where + n, sizeof where - (size_t)n, ", of %s", replay->outer); /* cut, at the worst */
}

static void check_kind(struct sim_replay *replay, struct moment *moment)
{
    struct rk_recovery result;
    const struct sim_promise *promise = promise_at(moment);
    uint64_t hash;

    moment->seed = seed_of(replay, moment);
    if (moment->seed % replay->one_in != 0)
        return;
    sim_disk_image(moment->disk, moment->kind, moment->names, moment->seed, moment->image);
    hash = sim_image_hash(moment->image) ^ (n_promised_at(moment) << 1 | lives_on(moment)) * 0x9e3779b97f4a7c15u;
    hash += promise->now_s * 0xd1342543de82ef95u + promise->latest_s;
    if ((hash >> 8) % replay->n_shares != replay->index % replay->n_shares || !remember(&replay->seen, hash))
        return;
    replay->n_states++;
    say_where(replay, moment);
    check_image(replay, moment, &result);
    if (is_to_recover(replay, moment))
        replay_recovery(replay, moment, result.n_records);
}

static bool is_random(enum sim_kind kind)
{
    return kind != SIM_DROPPED && kind != SIM_KEPT && kind != SIM_ZEROS && kind != SIM_EXTENDED;
}

static void check_moment(struct sim_replay *replay, struct moment *moment)
{
    bool loose_bytes = sim_disk_has_loose_bytes(moment->disk), loose_names = sim_disk_has_loose_names(moment->disk);

    for (moment->kind = 0; moment->kind < SIM_N_KINDS; moment->kind++)
        for (moment->names = 0; moment->names < SIM_N_NAMES; moment->names++) {
            unsigned n = is_random(moment->kind) || moment->names >= SIM_NAMES_PREFIX ? replay->n_variants : 1;

            if ((!loose_bytes && moment->kind != SIM_KEPT) || (!loose_names && moment->names != SIM_NAMES_KEPT))
                continue;
            for (moment->variant = 0; moment->variant < n; moment->variant++)
                check_kind(replay, moment);
        }
}

void sim_replay_trace(struct sim_replay *replay, const struct sim_trace *trace, const struct sim_image *base)
{
    struct sim_disk *disk = sim_disk_create(trace, base);
    struct moment moment = { .disk = disk, .trace = trace, .image = calloc(1, sizeof *moment.image) };

    for (; moment.n_done <= trace->n_ops; moment.n_done++) {
        if (replay->n_done_out != NULL)
            *replay->n_done_out = moment.n_done;
        check_moment(replay, &moment);
        if (moment.n_done < trace->n_ops)
            sim_disk_apply(disk, &trace->ops[moment.n_done]);
    }
    sim_image_free(moment.image);
    free(moment.image);
    sim_disk_destroy(&disk);
}

void sim_replay_free(struct sim_replay *replay)
{
    free(replay->seen.at);
    replay->seen = (struct sim_seen){ .at = NULL };
}

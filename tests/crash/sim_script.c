#include "sim_script.h"

#include "base/base_detail.h"
#include "disk/disk_record.h"
#include "expire/expire.h"
#include "keydir/keydir_writer.h"
#include "log/log_hinter.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge/merge.h"
#include "merge/merge_punch.h"
#include "ring/ring_messages.h"
#include "sim_record.h"
#include "space/space.h"
#include "space/space_entry.h"
#include "stats/stats_store.h"
#include "writer/writer_batch.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define KEYDIR_BYTES (1u << 20)
#define BATCH_MAX    16
#define WAVE_WRITES  12

struct sim_script {
    struct sim_script_settings settings;
    const char *root;
    uint64_t random_state;
    struct sim_trace trace;
    struct sim_history history;
    struct rk_log_store *store;
    struct rk_log_writer *writer;
    struct rk_keydir_writer *keydir;
    struct rk_space *space;
    struct rk_writer_batch *batch;
    struct rk_stats_writer stats;
    uint8_t *messages[BATCH_MAX]; /* of this batch: they stay where they are until it is committed */
    size_t n_messages;
    struct {
        struct rk_fingerprint fingerprint;
        uint64_t location; /* before the batch */
    } watched[BATCH_MAX];
    size_t n_watched;
    uint64_t n_expired;
};

unsigned sim_script_random(struct sim_script *script, unsigned below)
{
    return (unsigned)(sim_random(&script->random_state) % below);
}

const struct sim_history *sim_script_history(const struct sim_script *script)
{
    return &script->history;
}

const struct sim_trace *sim_script_trace(const struct sim_script *script)
{
    return &script->trace;
}

uint64_t sim_script_n_expired(const struct sim_script *script)
{
    return script->n_expired;
}

static void set_clock(struct sim_script *script, uint64_t now_s)
{
    struct sim_promise *promise = &script->trace.promise;

    promise->now_s = now_s;
    promise->latest_s = now_s > promise->latest_s ? now_s : promise->latest_s;
    script->history.now_s = promise->now_s;
    script->history.latest_s = promise->latest_s;
}

void sim_script_wait(struct sim_script *script, int seconds)
{
    set_clock(script, script->trace.promise.now_s + (uint64_t)seconds);
}

/* Before each operation on the disk: nothing of the batch is visible while the disk still has to do something for it.
 */
static void observe(void *context)
{
    struct sim_script *script = context;

    for (size_t i = 0; i < script->n_watched; i++)
        if (rk_keydir_writer_lookup(script->keydir, script->watched[i].fingerprint) != script->watched[i].location)
            ck_abort_msg("visible before it is as durable as the mode says");
}

static void on_answer(void *context, unsigned slot, const struct rk_ring_completion *completion)
{
    struct sim_script *script = context;
    struct sim_promise *promise = &script->trace.promise;

    ck_assert_int_eq(completion->err, RK_OK);
    ck_assert_uint_eq(completion->ticket, promise->n_acked);
    script->history.writes[promise->n_acked++].sequence = completion->sequence;
    if (script->settings.sync_always)
        promise->n_durable = promise->n_acked;
}

static void on_published(void *context, uint64_t sequence)
{
}

static struct sim_script *make_script(const char *root, const struct sim_script_settings *settings)
{
    struct sim_script *script = calloc(1, sizeof *script);

    ck_assert_uint_le(settings->batch_max, BATCH_MAX);
    script->settings = *settings;
    script->root = root;
    script->random_state = settings->seed;
    script->history.is_merged = settings->merges;
    return script;
}

struct sim_script *sim_script_create(const char *root, const struct sim_script_settings *settings)
{
    struct sim_script *script = make_script(root, settings);

    sim_record_begin(&script->trace, NULL, observe, script);
    set_clock(script, SIM_BEGIN_S);
    return script;
}

struct sim_script *sim_script_resume(const char *root, const struct sim_script_settings *settings,
                                     const struct sim_history *history)
{
    struct sim_script *script = make_script(root, settings);
    struct sim_promise *promise = &script->trace.promise;

    sim_history_copy(&script->history, history);
    promise->n_submitted = promise->n_acked = promise->n_durable = history->n_writes;
    set_clock(script, history->now_s);
    return script;
}

void sim_script_destroy(struct sim_script **script)
{
    sim_record_end();
    sim_trace_free(&(*script)->trace);
    free(*script);
    *script = NULL;
}

void sim_script_open(struct sim_script *script)
{
    struct sim_promise *promise = &script->trace.promise;
    struct rk_log_writer_settings settings = { .file_size_bytes = script->settings.file_size_bytes,
                                               .spare_bytes = script->settings.spare_bytes };
    struct rk_recover_hooks hooks = { .now_s = promise->now_s };
    struct rk_recovery result;
    struct rk_detail detail = { "" };

    sim_record_fill(script->settings.full_starts && script->history.n_writes > 0);
    ck_assert_msg(rk_log_store_open(&script->store, script->root, &detail) == RK_OK, "%s", detail.text);
    ck_assert_int_eq(rk_keydir_writer_create(&script->keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    hooks.space = script->space = rk_space_create();
    ck_assert_msg(rk_recover_store(script->store, script->keydir, &hooks, &result, &detail) == RK_OK, "%s",
                  detail.text);
    ck_assert(script->settings.merges || result.n_records == script->history.n_writes);
    promise->n_durable = promise->n_acked; /* what a start has shown to clients stays */
    settings.next_sequence = result.next_sequence;
    settings.newest = &result.newest;
    ck_assert_msg(rk_log_writer_open(&script->writer, script->store, &settings, &detail) == RK_OK, "%s", detail.text);
    sim_record_fill(false);
    script->batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = script->writer,
        .keydir = script->keydir,
        .hash_key = rk_log_store_identity(script->store)->hash_key,
        .space = script->space,
        .sync_before_publish = script->settings.sync_always,
        .stats = &script->stats,
        .answer = on_answer,
        .published = on_published,
        .context = script,
    });
}

/* A request as a worker builds it. */
static uint8_t *build_message(struct sim_script *script, size_t index, uint64_t *size_out)
{
    struct rk_record_parts parts;
    uint64_t record_bytes;
    uint8_t *message;

    sim_history_parts(&script->history, index, &parts);
    record_bytes = rk_record_size(parts.key_len, 0, parts.value_len, parts.expiry_ms != 0);
    message = calloc(1, sizeof(struct rk_ring_request) + record_bytes);
    *(struct rk_ring_request *)message = (struct rk_ring_request){ .ticket = index, .record_bytes = record_bytes };
    rk_record_build(message + sizeof(struct rk_ring_request), &parts);
    *size_out = sizeof(struct rk_ring_request) + record_bytes;
    return message;
}

static void commit(struct sim_script *script)
{
    rk_writer_batch_commit(script->batch);
    ck_assert_uint_eq(script->trace.promise.n_acked, script->trace.promise.n_submitted);
    script->n_watched = 0;
    while (script->n_messages > 0)
        free(script->messages[--script->n_messages]);
}

/* When the file is another afterwards, the one before was rolled over, and is durable. */
static enum rk_err add_message(struct sim_script *script, const uint8_t *message, uint64_t size)
{
    uint32_t file_number = rk_log_writer_file_number(script->writer);
    enum rk_err err = rk_writer_batch_add(script->batch, 0, message, size, 1700000000000);

    if (rk_log_writer_file_number(script->writer) != file_number)
        script->trace.promise.n_durable = script->trace.promise.n_acked;
    return err;
}

static struct rk_fingerprint fingerprint_of(const struct sim_script *script, unsigned key_number)
{
    char key[SIM_KEY_BYTES];
    size_t key_len = sim_key_make(key, key_number);

    return rk_keydir_fingerprint(key, key_len, rk_log_store_identity(script->store)->hash_key);
}

static void watch(struct sim_script *script, unsigned key_number)
{
    struct rk_fingerprint fingerprint = fingerprint_of(script, key_number);

    script->watched[script->n_watched].fingerprint = fingerprint;
    script->watched[script->n_watched++].location = rk_keydir_writer_lookup(script->keydir, fingerprint);
}

static void submit(struct sim_script *script, const struct sim_write *write)
{
    size_t index = script->history.n_writes++;
    uint64_t size;
    uint8_t *message;

    ck_assert_uint_lt(index, SIM_WRITES_MAX);
    script->history.writes[index] = *write;
    message = build_message(script, index, &size);
    if (add_message(script, message, size) == RK_ERR_FULL) {
        commit(script);
        ck_assert_int_eq(add_message(script, message, size), RK_OK);
    }
    script->trace.promise.n_submitted++;
    script->messages[script->n_messages++] = message;
    watch(script, write->key); /* not before: what was in the way is committed now */
}

/* Whether the writer knows the key: of what has expired it may know nothing any more, or not yet. */
static bool has_key(const struct sim_script *script, unsigned key_number)
{
    const struct sim_history *history = &script->history;

    for (size_t i = history->n_writes; i > 0; i--)
        if (history->writes[i - 1].key == key_number)
            return !history->writes[i - 1].is_delete
                   && (i > script->trace.promise.n_acked
                       || rk_keydir_writer_lookup(script->keydir, fingerprint_of(script, key_number)) != 0);
    return false;
}

/* In waves: values that mostly stay, and then such that mostly expire and hide them. */
static uint64_t choose_expiry(struct sim_script *script)
{
    bool stays = script->history.n_writes / WAVE_WRITES % 2 == 0;
    uint64_t now_ms = script->trace.promise.now_s * 1000;
    unsigned dice = sim_script_random(script, 8);

    if (dice == 0)
        return UINT64_MAX / 2;
    if (dice == 1)
        return now_ms - sim_script_random(script, 3000);
    return stays && dice > 2 ? 0 : now_ms + 1 + sim_script_random(script, dice % 2 == 0 ? 4000 : 30000);
}

static struct sim_write choose_write(struct sim_script *script)
{
    struct sim_write write = { .key = sim_script_random(script, SIM_KEYS) };

    if (sim_script_random(script, script->settings.expires ? 5 : 3) == 0 && has_key(script, write.key)) {
        write.is_delete = true;
        return write;
    }
    write.value_len = sim_script_random(script, 100);
    if (sim_script_random(script, script->settings.large_odds) == 0)
        write.value_len = sim_script_random(script, script->settings.value_max);
    if (script->settings.expires)
        write.expiry_ms = choose_expiry(script);
    return write;
}

void sim_script_batches(struct sim_script *script, size_t n)
{
    for (; n > 0; n--) {
        for (unsigned i = 1 + sim_script_random(script, script->settings.batch_max); i > 0; i--) {
            struct sim_write write = choose_write(script);

            submit(script, &write);
        }
        commit(script);
    }
}

void sim_script_sync(struct sim_script *script)
{
    ck_assert_int_eq(rk_log_writer_sync(script->writer), RK_OK);
    script->trace.promise.n_durable = script->trace.promise.n_acked;
}

void sim_script_roll(struct sim_script *script)
{
    ck_assert_int_eq(rk_log_writer_roll(script->writer), RK_OK);
    script->trace.promise.n_durable = script->trace.promise.n_acked;
}

/* The writer waits meanwhile, so that the trace is the same each time. */
void sim_hints_make(struct rk_log_store *store)
{
    struct rk_log_hinter_figures figures;
    struct rk_log_hinter *hinter = NULL;
    struct rk_detail detail;

    ck_assert_int_eq(rk_log_hinter_start(&hinter, store, rk_space_fingerprint, 1000, NULL), RK_OK);
    do {
        (void)sched_yield();
        figures = rk_log_hinter_figures(hinter, &detail);
    } while (figures.n_rounds == 0);
    rk_log_hinter_stop(&hinter);
    ck_assert_msg(figures.n_failed == 0, "%s", detail.text);
}

void sim_script_hints(struct sim_script *script)
{
    sim_hints_make(script->store);
}

static enum rk_err on_call(void *context, void (*run)(void *argument), void *argument)
{
    run(argument);
    return RK_OK;
}

static void on_gone(void *context)
{
}

static enum rk_err on_turn(void *context, const struct rk_merge_progress *progress)
{
    return RK_OK;
}

void sim_script_merge(struct sim_script *script)
{
    unsigned odds = script->settings.expires ? 3 : 2;
    bool all = sim_script_random(script, script->settings.expires ? 8 : 3) == 0;
    uint32_t files[64];
    struct rk_merge_settings settings = { .store = script->store,
                                          .log = script->writer,
                                          .keydir = script->keydir,
                                          .space = script->space,
                                          .files = files,
                                          .file_size_bytes = script->settings.file_size_bytes,
                                          .now_s = script->trace.promise.now_s,
                                          .call = on_call,
                                          .gone = on_gone,
                                          .turn = on_turn };
    struct rk_detail detail = { "" };
    uint32_t number;

    for (size_t i = 0; settings.n_files < 64 && (number = rk_log_store_file(script->store, i)) != 0; i++)
        if (number != rk_log_writer_file_number(script->writer) && (all || sim_script_random(script, odds) == 0))
            files[settings.n_files++] = number;
    ck_assert_msg(rk_merge_run(&settings, &detail) == RK_OK, "%s", detail.text);
    if (rk_log_writer_durable_sequence(script->writer) == rk_log_writer_last_sequence(script->writer))
        script->trace.promise.n_durable = script->trace.promise.n_acked;
}

void sim_script_punch(struct sim_script *script)
{
    uint32_t files[64];
    struct rk_merge_punch_settings settings = { .store = script->store,
                                                .log = script->writer,
                                                .keydir = script->keydir,
                                                .space = script->space,
                                                .files = files,
                                                .call = on_call };
    struct rk_detail detail = { "" };
    uint64_t freed_bytes;
    uint32_t number;

    for (size_t i = 0; settings.n_files < 64 && (number = rk_log_store_file(script->store, i)) != 0; i++)
        files[settings.n_files++] = number;
    ck_assert_msg(rk_merge_punch_run(&settings, &freed_bytes, &detail) == RK_OK, "%s", detail.text);
    if (rk_log_writer_durable_sequence(script->writer) == rk_log_writer_last_sequence(script->writer))
        script->trace.promise.n_durable = script->trace.promise.n_acked;
}

void sim_script_give_up_spare(struct sim_script *script)
{
    rk_log_writer_open_spare(script->writer);
}

void sim_script_spare(struct sim_script *script)
{
    sim_script_give_up_spare(script);
    if (script->settings.merges)
        sim_script_merge(script);
    rk_log_writer_close_spare(script->writer);
    rk_log_writer_take_spare(script->writer);
}

static enum rk_err on_look_turn(void *context)
{
    return RK_OK;
}

void sim_script_look(struct sim_script *script)
{
    struct rk_expire_settings settings = { .store = script->store,
                                           .log = script->writer,
                                           .keydir = script->keydir,
                                           .space = script->space,
                                           .now_s = script->trace.promise.now_s,
                                           .call = on_call,
                                           .turn = on_look_turn };
    struct rk_detail detail = { "" };
    uint64_t n_expired;

    ck_assert_msg(rk_expire_run(&settings, &n_expired, &detail) == RK_OK, "%s", detail.text);
    script->n_expired += n_expired;
}

static void let_go(struct sim_script *script)
{
    rk_writer_batch_destroy(&script->batch);
    rk_space_destroy(&script->space);
    rk_keydir_writer_destroy(&script->keydir);
    rk_log_store_close(&script->store);
}

void sim_script_close(struct sim_script *script)
{
    ck_assert_int_eq(rk_log_writer_close(&script->writer), RK_OK);
    script->trace.promise.n_durable = script->trace.promise.n_acked;
    let_go(script);
}

void sim_script_die(struct sim_script *script)
{
    sim_record_freeze();
    (void)rk_log_writer_close(&script->writer); /* it cannot change anything any more */
    let_go(script);
    sim_record_thaw();
}

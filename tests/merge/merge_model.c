#include "merge_model.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "disk/disk_location.h"
#include "disk/disk_record.h"
#include "disk/disk_scan.h"
#include "expire/expire.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge/merge.h"
#include "merge/merge_punch.h"
#include "recover/recover.h"
#include "ring/ring_messages.h"
#include "space/space.h"
#include "stats/stats_store.h"
#include "test_dir.h"
#include "writer/writer_batch.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYDIR_BYTES (4u << 20)

/* So that small files have holes, too; the kernel fills with zeros what is no whole block. */
static int fstat_of_small_blocks(int fd, struct stat *status)
{
    int result = rk_io_kernel_ops.fstat(fd, status);

    status->st_blksize = 64;
    return result;
}

static int calm_sync(int fd)
{
    return 0; /* thousands of merges must not wait for a disk */
}

unsigned model_random(struct model *model, unsigned below)
{
    model->random = model->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(model->random >> 33) % below;
}

static void make_key(char key[16], unsigned number)
{
    snprintf(key, 16, "key-%u", number);
}

static void make_value(uint8_t *bytes, uint32_t value, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)((value * 31u) + i);
}

static struct rk_fingerprint fingerprint_of(const struct model *model, unsigned number)
{
    char key[16];

    make_key(key, number);
    return rk_keydir_fingerprint(key, strlen(key), rk_log_store_identity(model->store)->hash_key);
}

static void on_answer(void *context, unsigned slot, const struct rk_ring_completion *completion)
{
    *(struct rk_ring_completion *)context = *completion;
}

static void on_published(void *context, uint64_t sequence)
{
}

static struct rk_ring_completion answer;

static bool has_expired(const struct model *model, unsigned number, uint64_t now_s)
{
    uint64_t expiry_ms = model->keys[number].expiry_ms;

    return expiry_ms != 0 && expiry_ms <= now_s * 1000;
}

/* What is done by this clock may take a key away for good. */
static uint64_t look_at_clock(struct model *model)
{
    if (model->now_s > model->latest_s)
        model->latest_s = model->now_s;
    return model->now_s;
}

static void open_store(struct model *model)
{
    struct rk_log_writer_settings settings = { .file_size_bytes = MODEL_FILE_BYTES };
    struct rk_recover_hooks hooks = { .space = NULL };
    struct rk_recovery result;
    struct rk_detail detail = { "" };

    ck_assert_msg(rk_log_store_open(&model->store, model->path, &detail) == RK_OK, "%s", detail.text);
    ck_assert_int_eq(rk_keydir_writer_create(&model->keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    hooks.space = model->space = rk_space_create();
    hooks.now_s = look_at_clock(model);
    ck_assert_msg(rk_recover_store(model->store, model->keydir, &hooks, &result, &detail) == RK_OK, "%s", detail.text);
    settings.next_sequence = result.next_sequence;
    ck_assert_msg(rk_log_writer_open(&model->log, model->store, &settings, &detail) == RK_OK, "%s", detail.text);
    model->batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = model->log,
        .keydir = model->keydir,
        .hash_key = rk_log_store_identity(model->store)->hash_key,
        .space = model->space,
        .stats = model->stats,
        .answer = on_answer,
        .published = on_published,
        .context = &answer,
    });
}

static int failing_sync(int fd)
{
    return -1; /* so that the close of the log seals nothing, as a crash */
}

static void close_store(struct model *model, bool crash)
{
    static struct rk_io_ops failing;
    const struct rk_io_ops *ops = rk_io;

    if (crash) {
        failing = *rk_io;
        failing.fdatasync = failing_sync;
        rk_io = &failing;
    }
    rk_writer_batch_destroy(&model->batch);
    (void)rk_log_writer_close(&model->log); /* a crash says no */
    rk_io = ops;
    rk_space_destroy(&model->space);
    rk_keydir_writer_destroy(&model->keydir);
    rk_log_store_close(&model->store);
}

void model_create(struct model *model, uint64_t seed)
{
    static struct rk_io_ops calm;

    *model =
        (struct model){ .path = test_dir_create(), .random = seed, .now_s = MODEL_BEGIN_S, .latest_s = MODEL_BEGIN_S };
    model->stats = calloc(1, sizeof *model->stats);
    calm = rk_io_kernel_ops;
    calm.fdatasync = calm_sync;
    calm.fsync = calm_sync;
    calm.fstat = fstat_of_small_blocks;
    rk_io = &calm;
    open_store(model);
}

void model_destroy(struct model *model)
{
    close_store(model, false);
    free(model->stats);
    test_dir_remove(&model->path);
    rk_io = &rk_io_kernel_ops;
}

static void write_record(struct model *model, const struct rk_record_parts *parts)
{
    static _Alignas(16) uint8_t message[sizeof(struct rk_ring_request) + (1u << 20)];
    uint64_t record_bytes = rk_record_size(parts->key_len, 0, parts->value_len, parts->expiry_ms != 0);

    memset(message, 0, sizeof(struct rk_ring_request) + record_bytes);
    *(struct rk_ring_request *)(void *)message = (struct rk_ring_request){ .ticket = 1, .record_bytes = record_bytes };
    (void)rk_record_build(message + sizeof(struct rk_ring_request), parts); /* the size that we have */
    ck_assert_int_eq(
        rk_writer_batch_add(model->batch, 0, message, sizeof(struct rk_ring_request) + record_bytes, 1700000000000),
        RK_OK);
    rk_writer_batch_commit(model->batch);
}

void model_put(struct model *model, unsigned key_number, uint32_t value_len, uint64_t expiry_ms)
{
    static uint8_t value[1u << 20];
    char key[16];
    struct rk_record_parts parts = {
        .type = RK_RECORD_PUT, .key = key, .value = value, .value_len = value_len, .expiry_ms = expiry_ms
    };

    make_key(key, key_number);
    make_value(value, ++model->n_values, value_len);
    parts.key_len = (uint16_t)strlen(key);
    write_record(model, &parts);
    if (answer.err != RK_OK) { /* a full disk, say */
        ck_assert((answer.flags & RK_RING_NONE) != 0);
        return;
    }
    model->keys[key_number] = (struct model_key){ .exists = true,
                                                  .expiry_ms = expiry_ms,
                                                  .sequence = answer.sequence,
                                                  .value = model->n_values,
                                                  .value_len = value_len };
}

uint64_t model_random_expiry(struct model *model)
{
    unsigned dice = model_random(model, 16);

    if (dice < 8)
        return 0;
    if (dice < 10)
        return UINT64_MAX / 2;
    if (dice < 12)
        return 1 + model_random(model, 3000);
    return model->now_s * 1000 + model_random(model, 60000);
}

void model_delete(struct model *model, unsigned key_number)
{
    char key[16];
    struct rk_record_parts parts = { .type = RK_RECORD_TOMBSTONE, .key = key };

    make_key(key, key_number);
    parts.key_len = (uint16_t)strlen(key);
    write_record(model, &parts);
    if (answer.err == RK_ERR_NOT_FOUND && has_expired(model, key_number, model->latest_s))
        return; /* it had gone, and nothing was written */
    if (answer.err != RK_OK && answer.err != RK_ERR_NOT_FOUND)
        return;
    model->keys[key_number].exists = false;
}

void model_roll(struct model *model)
{
    ck_assert_int_eq(rk_log_writer_roll(model->log), RK_OK);
}

static void drop_hints(const struct model *model)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    uint32_t number;

    for (size_t i = 0; (number = rk_log_store_file(model->store, i)) != 0; i++) {
        rk_disk_hint_name(name, number);
        (void)unlinkat(rk_log_store_dir_fd(model->store), name, 0); /* there may be none */
    }
}

void model_restart(struct model *model, bool crash, bool no_hints)
{
    if (no_hints)
        drop_hints(model);
    close_store(model, crash);
    open_store(model);
}

static enum rk_err on_call(void *context, void (*run)(void *argument), void *argument)
{
    struct model *model = context;

    if (model->calls_left > 0 && --model->calls_left == 0)
        return RK_ERR_CLOSED;
    if (model->meanwhile_left > 0 && --model->meanwhile_left == 0)
        model->meanwhile(model);
    run(argument);
    return RK_OK;
}

static void on_gone(void *context)
{
}

static enum rk_err on_turn(void *context, const struct rk_merge_progress *progress)
{
    struct model *model = context;

    model->n_reclaimed =
        progress->removed_bytes
        - (progress->written_bytes < progress->removed_bytes ? progress->written_bytes : progress->removed_bytes);
    model->n_halfway += progress->done_bytes > 0 && progress->done_bytes < progress->total_bytes;
    if (model->turns_left > 0 && --model->turns_left == 0)
        return RK_ERR_AGAIN;
    return RK_OK;
}

size_t model_choose(struct model *model, uint32_t *files, size_t max)
{
    size_t n = 0;
    uint32_t number;

    for (size_t i = 0; n < max && (number = rk_log_store_file(model->store, i)) != 0; i++)
        if (number != rk_log_writer_file_number(model->log) && model_random(model, 2) == 0)
            files[n++] = number;
    return n;
}

enum rk_err model_merge(struct model *model, const uint32_t *files, size_t n_files)
{
    struct rk_merge_settings settings = { .store = model->store,
                                          .log = model->log,
                                          .keydir = model->keydir,
                                          .space = model->space,
                                          .files = files,
                                          .n_files = n_files,
                                          .file_size_bytes = MODEL_FILE_BYTES,
                                          .now_s = look_at_clock(model),
                                          .context = model,
                                          .call = on_call,
                                          .gone = on_gone,
                                          .turn = on_turn };
    uint32_t all[1024];
    struct rk_detail detail = { "" };
    enum rk_err err;

    if (n_files == 0) {
        uint32_t number;

        for (size_t i = 0; settings.n_files < 1024 && (number = rk_log_store_file(model->store, i)) != 0; i++)
            if (number != rk_log_writer_file_number(model->log))
                all[settings.n_files++] = number;
        settings.files = all;
    }
    model->n_merges++;
    err = rk_merge_run(&settings, &detail);
    model->calls_left = model->turns_left = model->meanwhile_left = 0;
    ck_assert_msg(err == RK_OK || err == RK_ERR_AGAIN || detail.text[0] != '\0' || err == RK_ERR_CLOSED,
                  "a failure without a reason: %d", (int)err);
    return err;
}

enum rk_err model_punch(struct model *model)
{
    uint32_t files[1024];
    struct rk_merge_punch_settings settings = { .store = model->store,
                                                .log = model->log,
                                                .keydir = model->keydir,
                                                .space = model->space,
                                                .files = files,
                                                .context = model,
                                                .call = on_call };
    struct rk_detail detail = { "" };
    uint64_t freed_bytes;
    uint32_t number;
    enum rk_err err;

    for (size_t i = 0; settings.n_files < 1024 && (number = rk_log_store_file(model->store, i)) != 0; i++)
        files[settings.n_files++] = number;
    err = rk_merge_punch_run(&settings, &freed_bytes, &detail);
    model->calls_left = 0;
    ck_assert_msg(err == RK_OK || err == RK_ERR_CLOSED, "%d: %s", (int)err, detail.text);
    return err;
}

static enum rk_err on_look_turn(void *context)
{
    struct model *model = context;

    return model->turns_left > 0 && --model->turns_left == 0 ? RK_ERR_AGAIN : RK_OK;
}

enum rk_err model_expire(struct model *model)
{
    struct rk_expire_settings settings = { .store = model->store,
                                           .log = model->log,
                                           .keydir = model->keydir,
                                           .space = model->space,
                                           .now_s = look_at_clock(model),
                                           .context = model,
                                           .call = on_call,
                                           .turn = on_look_turn };
    uint64_t n_expired = 0;
    enum rk_err err;

    model->why = (struct rk_detail){ "" };
    err = rk_expire_run(&settings, &n_expired, &model->why);
    model->calls_left = model->turns_left = model->meanwhile_left = 0;
    model->n_expired += n_expired;
    ck_assert(err == RK_OK || err == RK_ERR_AGAIN || err == RK_ERR_CLOSED || model->why.text[0] != '\0');
    for (unsigned i = 0; err == RK_OK && i < MODEL_KEYS; i++)
        ck_assert(!model->keys[i].exists || !has_expired(model, i, model->now_s)
                  || rk_keydir_writer_lookup(model->keydir, fingerprint_of(model, i)) == 0);
    return err;
}

uint64_t model_disk_bytes(const struct model *model)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    struct stat status;
    uint64_t sum = 0;
    uint32_t number;

    for (size_t i = 0; (number = rk_log_store_file(model->store, i)) != 0; i++) {
        rk_disk_file_name(name, number);
        ck_assert_int_eq(fstatat(rk_log_store_dir_fd(model->store), name, &status, 0), 0);
        sum += (uint64_t)status.st_size;
    }
    return sum;
}

static void check_value(const struct model *model, unsigned number, uint64_t word)
{
    const struct model_key *key = &model->keys[number];
    struct rk_location location = rk_disk_location_decode(word);
    char name[RK_DISK_FILE_NAME_BYTES], text[16];
    uint8_t *bytes = malloc(location.size_bytes), *value = malloc(key->value_len + 1);
    struct rk_record_view view;
    int fd;

    rk_disk_file_name(name, location.file_number);
    fd = openat(rk_log_store_dir_fd(model->store), name, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "key %u is in %s, which is gone", number, name);
    ck_assert_int_eq(pread(fd, bytes, location.size_bytes, (off_t)location.offset_bytes), location.size_bytes);
    close(fd);
    ck_assert_int_eq(rk_record_decode(bytes, location.size_bytes, &rk_log_store_identity(model->store)->secret, &view),
                     RK_OK);
    ck_assert_int_eq(view.header.type, RK_RECORD_PUT);
    ck_assert_msg(key->exists, "key %u came back", number);
    ck_assert_uint_eq(view.expiry_ms, key->expiry_ms);
    make_key(text, number);
    ck_assert(view.header.key_len == strlen(text) && memcmp(view.key, text, strlen(text)) == 0);
    make_value(value, key->value, key->value_len);
    ck_assert_msg(view.header.sequence == key->sequence, "key %u: an old value", number);
    ck_assert(view.header.value_len == key->value_len && memcmp(view.value, value, key->value_len) == 0);
    free(bytes);
    free(value);
}

static void check_keys(const struct model *model)
{
    uint64_t n_found = 0;

    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        uint64_t word = rk_keydir_writer_lookup(model->keydir, fingerprint_of(model, i));

        ck_assert_msg(word != 0 || !model->keys[i].exists || has_expired(model, i, model->latest_s), "key %u is gone",
                      i);
        n_found += word != 0;
        if (word != 0)
            check_value(model, i, word);
    }
    ck_assert_uint_eq(rk_keydir_writer_usage(model->keydir).n_keys, n_found);
}

static void check_file(struct model *model, uint32_t number, struct rk_space_file *sum)
{
    struct rk_space_file counted = rk_space_file(model->space, number);
    uint64_t found_n[3] = { 0 }, found_bytes[3] = { 0 }; /* live, tombstones, dead */
    uint64_t dead_n = 0, dead_bytes = 0, n_gone, end_bytes;
    struct rk_disk_scan_end end;
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;

    ck_assert_int_eq(
        rk_disk_scan_open(&scan, rk_log_store_dir_fd(model->store), number, rk_log_store_identity(model->store), NULL),
        RK_OK);
    while (rk_disk_scan_next(scan, &item, NULL) == RK_OK) {
        struct rk_fingerprint fingerprint =
            rk_keydir_fingerprint(item.key, item.header.key_len, rk_log_store_identity(model->store)->hash_key);
        bool is_live = rk_keydir_writer_lookup(model->keydir, fingerprint) == item.location;
        unsigned kind = item.header.type == RK_RECORD_TOMBSTONE ? 1 : is_live ? 0 : 2;

        found_n[kind]++;
        found_bytes[kind] += rk_record_size_of(&item.header);
    }
    end = *rk_disk_scan_end(scan);
    rk_disk_scan_close(&scan);
    n_gone = end.totals.n_records - found_n[0] - found_n[1] - found_n[2];
    end_bytes = end.kind == RK_DISK_SCAN_SEALED ? end.totals.size_bytes : end.end_bytes;
    model->n_holes += n_gone;
    found_n[2] += n_gone;
    found_bytes[2] = end_bytes - RK_DISK_FILE_FRAME_BYTES - found_bytes[0] - found_bytes[1];
    for (unsigned column = RK_SPACE_OVERWRITTEN; column <= RK_SPACE_EXPIRED; column++) {
        dead_n += counted.n_records[column];
        dead_bytes += counted.bytes[column];
    }
    ck_assert_uint_eq(counted.n_records[RK_SPACE_LIVE], found_n[0]);
    ck_assert_uint_eq(counted.bytes[RK_SPACE_LIVE], found_bytes[0]);
    ck_assert_uint_eq(counted.n_records[RK_SPACE_TOMBSTONE], found_n[1]);
    ck_assert_uint_eq(counted.bytes[RK_SPACE_TOMBSTONE], found_bytes[1]);
    ck_assert_uint_eq(dead_n, found_n[2]);
    ck_assert_uint_eq(dead_bytes, found_bytes[2]);
    for (unsigned column = 0; column < RK_SPACE_N_COLUMNS; column++) {
        sum->n_records[column] += counted.n_records[column];
        sum->bytes[column] += counted.bytes[column];
    }
}

void model_check(struct model *model)
{
    struct rk_space_file sum = { 0 }, total = rk_space_total(model->space);
    uint32_t number;

    check_keys(model);
    for (size_t i = 0; (number = rk_log_store_file(model->store, i)) != 0; i++)
        check_file(model, number, &sum);
    ck_assert_mem_eq(sum.n_records, total.n_records, sizeof sum.n_records);
    ck_assert_mem_eq(sum.bytes, total.bytes, sizeof sum.bytes);
}

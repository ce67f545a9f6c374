/* The order of things in a batch, and its answers when the log fails: nothing visible before it is written and synced,
 * nothing answered before it is visible. */
#include "base/base_io.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "ring/ring_messages.h"
#include "stats/stats_store.h"
#include "test_dir.h"
#include "test_main.h"
#include "writer/writer_batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ANSWERS_MAX 4096
#define KEYDIR_BYTES  (64u << 20)

static char *dir;
static struct rk_log_store *store;
static struct rk_log_writer *log_writer;
static struct rk_keydir_writer *keydir;
static struct rk_writer_batch *batch;
static struct rk_stats_writer stats;
static struct rk_io_ops ops;
static struct rk_ring_completion answers[N_ANSWERS_MAX];
static unsigned n_answers;
static uint64_t published_sequence;
static uint64_t next_ticket;
static bool fail_write, fail_sync;
static unsigned n_syncs;

static struct rk_fingerprint fingerprint_of(const char *key)
{
    return rk_keydir_fingerprint(key, strlen(key), rk_log_store_identity(store)->hash_key);
}

static uint64_t location_of(const char *key)
{
    return rk_keydir_writer_lookup(keydir, fingerprint_of(key));
}

static void on_answer(void *context, unsigned slot, const struct rk_ring_completion *completion)
{
    ck_assert_uint_eq(slot, 3);
    ck_assert_uint_lt(n_answers, N_ANSWERS_MAX);
    ck_assert(completion->err != RK_OK || completion->sequence <= published_sequence);
    answers[n_answers++] = *completion;
}

static void on_published(void *context, uint64_t sequence)
{
    published_sequence = sequence;
}

static ssize_t failing_pwritev(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    if (!fail_write)
        return rk_io_kernel_ops.pwritev(fd, iov, n_iov, offset);
    errno = ENOSPC;
    return -1;
}

static int failing_fdatasync(int fd)
{
    n_syncs++;
    if (!fail_sync)
        return rk_io_kernel_ops.fdatasync(fd);
    errno = EIO;
    return -1;
}

static void setup(void)
{
    dir = test_dir_create();
    ck_assert_int_eq(rk_log_store_open(&store, dir, NULL), RK_OK);
    ck_assert_int_eq(
        rk_log_writer_open(&log_writer, store,
                           &(struct rk_log_writer_settings){ .file_size_bytes = 16 << 20, .next_sequence = 1 }, NULL),
        RK_OK);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, NULL, NULL), RK_OK);
    batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = log_writer,
        .keydir = keydir,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .sync_before_publish = true,
        .stats = &stats,
        .answer = on_answer,
        .published = on_published,
    });
    ops = rk_io_kernel_ops;
    ops.pwritev = failing_pwritev;
    ops.fdatasync = failing_fdatasync;
    rk_io = &ops;
    fail_write = fail_sync = false;
    n_answers = 0;
    published_sequence = 0;
}

static void teardown(void)
{
    rk_io = &rk_io_kernel_ops;
    rk_writer_batch_destroy(&batch);
    rk_keydir_writer_destroy(&keydir);
    (void)rk_log_writer_close(&log_writer); /* some tests have broken it */
    rk_log_store_close(&store);
    test_dir_remove(&dir);
}

/* A request as a worker builds it; value NULL is a delete. To free. */
static uint8_t *build_request(const char *key, const char *value, uint64_t *size_out)
{
    struct rk_record_parts parts = { .type = value != NULL ? RK_RECORD_PUT : RK_RECORD_TOMBSTONE,
                                     .key = key,
                                     .key_len = (uint16_t)strlen(key),
                                     .value = value,
                                     .value_len = value != NULL ? (uint32_t)strlen(value) : 0 };
    uint64_t record_bytes = rk_record_size(parts.key_len, 0, parts.value_len, false);
    uint8_t *message = calloc(1, sizeof(struct rk_ring_request) + record_bytes);

    *(struct rk_ring_request *)message =
        (struct rk_ring_request){ .ticket = ++next_ticket, .record_bytes = record_bytes };
    rk_record_build(message + sizeof(struct rk_ring_request), &parts);
    *size_out = sizeof(struct rk_ring_request) + record_bytes;
    return message;
}

static enum rk_err add(const char *key, const char *value)
{
    uint64_t size;
    uint8_t *message = build_request(key, value, &size);
    enum rk_err err = rk_writer_batch_add(batch, 3, message, size, 1700000000000);

    free(message);
    return err;
}

START_TEST(nothing_is_visible_before_the_commit)
{
    ck_assert_int_eq(add("a", "1"), RK_OK);
    ck_assert_uint_eq(location_of("a"), 0);
    ck_assert_uint_eq(n_answers, 0);
    rk_writer_batch_commit(batch);
    ck_assert_uint_ne(location_of("a"), 0);
    ck_assert_uint_eq(n_answers, 1);
    ck_assert_int_eq(answers[0].err, RK_OK);
    ck_assert_uint_eq(answers[0].flags & RK_RING_REPLACED, 0);
    ck_assert_uint_eq(answers[0].ticket, next_ticket);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_answers, 1);
}
END_TEST

START_TEST(operations_of_a_batch_take_effect_in_order)
{
    ck_assert_int_eq(add("a", "1"), RK_OK);  /* 0: new */
    ck_assert_int_eq(add("a", "2"), RK_OK);  /* 1: replaced */
    ck_assert_int_eq(add("a", NULL), RK_OK); /* 2: there, though no keydir knows it yet */
    ck_assert_int_eq(add("a", NULL), RK_OK); /* 3: gone */
    ck_assert_int_eq(add("b", NULL), RK_OK); /* 4: never was */
    ck_assert_int_eq(add("a", "3"), RK_OK);  /* 5: new again */
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_answers, 6);
    ck_assert_uint_eq(answers[0].flags, RK_RING_DURABLE);
    ck_assert_uint_eq(answers[1].flags, RK_RING_REPLACED | RK_RING_DURABLE);
    ck_assert_int_eq(answers[2].err, RK_OK);
    ck_assert_int_eq(answers[3].err, RK_ERR_NOT_FOUND);
    ck_assert_int_eq(answers[4].err, RK_ERR_NOT_FOUND);
    ck_assert_int_eq(answers[5].err, RK_OK);
    ck_assert_uint_eq(answers[5].flags, RK_RING_DURABLE);
    ck_assert_uint_lt(answers[4].sequence, answers[5].sequence);
    ck_assert_uint_ne(location_of("a"), 0);
    ck_assert_uint_eq(location_of("b"), 0);
}
END_TEST

START_TEST(one_sync_serves_a_whole_batch)
{
    char key[16];

    n_syncs = 0;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "k%u", i);
        ck_assert_int_eq(add(key, "v"), RK_OK);
    }
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_syncs, 1);
    ck_assert_uint_eq(n_answers, 500);
}
END_TEST

START_TEST(what_is_appended_is_counted)
{
    uint64_t before = rk_counter_get(&stats.appended_bytes);

    ck_assert_int_eq(add("a", "1"), RK_OK);
    ck_assert_int_eq(add("a", NULL), RK_OK);
    ck_assert_int_eq(add("b", NULL), RK_OK); /* nothing is there to delete: nothing is appended */
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(rk_counter_get(&stats.appended_bytes) - before,
                      rk_record_size(1, 0, 1, false) + rk_record_size(1, 0, 0, false));
}
END_TEST

START_TEST(a_failed_write_did_not_happen_and_the_next_one_does)
{
    ck_assert_int_eq(add("a", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    fail_write = true;
    ck_assert_int_eq(add("a", NULL), RK_OK);
    ck_assert_int_eq(add("b", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_answers, 3);
    for (unsigned i = 1; i < 3; i++) {
        ck_assert_int_eq(answers[i].err, RK_ERR_NO_SPACE);
        ck_assert_uint_eq(answers[i].flags, RK_RING_NONE);
    }
    ck_assert_uint_ne(location_of("a"), 0);
    ck_assert_uint_eq(location_of("b"), 0);
    fail_write = false;
    ck_assert_int_eq(add("b", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[3].err, RK_OK);
    ck_assert_uint_ne(location_of("b"), 0);
}
END_TEST

START_TEST(a_failed_sync_is_unknown_and_ends_all_writes)
{
    fail_sync = true;
    ck_assert_int_eq(add("a", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[0].err, RK_ERR_READ_ONLY);
    ck_assert_uint_eq(answers[0].flags, 0);
    ck_assert_uint_eq(location_of("a"), 0);
    fail_sync = false;
    ck_assert_int_eq(add("b", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[1].err, RK_ERR_READ_ONLY);
    ck_assert_uint_eq(answers[1].flags, RK_RING_NONE);
    ck_assert_uint_eq(location_of("b"), 0);
}
END_TEST

START_TEST(a_full_keydir_refuses_new_keys_only)
{
    char key[24];
    unsigned n = 0;

    rk_keydir_writer_destroy(&keydir);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, 1 << 20, NULL, NULL), RK_OK);
    rk_writer_batch_destroy(&batch);
    batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = log_writer,
        .keydir = keydir,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .stats = &stats,
        .answer = on_answer,
        .published = on_published,
    });
    do {
        n_answers = 0;
        snprintf(key, sizeof key, "k%u", n++);
        ck_assert_int_eq(add(key, "v"), RK_OK);
        rk_writer_batch_commit(batch);
    } while (answers[0].err == RK_OK && n < 1000000);
    ck_assert_int_eq(answers[0].err, RK_ERR_FULL);
    ck_assert_uint_eq(answers[0].flags, RK_RING_NONE);
    ck_assert_uint_eq(location_of(key), 0);
    n_answers = 0;
    ck_assert_int_eq(add("k0", "updated"), RK_OK);
    ck_assert_int_eq(add("k1", NULL), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[0].err, RK_OK);
    ck_assert_uint_eq(answers[0].flags, RK_RING_REPLACED);
    ck_assert_int_eq(answers[1].err, RK_OK);
}
END_TEST

START_TEST(no_bit_of_a_request_is_believed)
{
    uint64_t size;
    uint8_t *message = build_request("key", "value", &size);
    size_t payload = sizeof(struct rk_ring_request) + RK_RECORD_HEADER_BYTES + strlen("keyvalue");
    unsigned n_accepted = 0;

    for (uint64_t short_size = 0; short_size < size; short_size++)
        ck_assert_int_eq(rk_writer_batch_add(batch, 3, message, short_size, 1), RK_ERR_CORRUPT);
    for (size_t bit = 64; bit < payload * 8; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        n_accepted += rk_writer_batch_add(batch, 3, message, size, 1) == RK_OK;
        message[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    /* Not looked at: what the writer stamps itself (header CRC, sequence, time, mark). Of the head's bits three mean
     * something: one that makes it conditional, and two durabilities. */
    ck_assert_uint_eq(n_accepted, 8 * (4 + 8 + 6 + 4) + 3);
    free(message);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("store batch");
    TCase *tcase = tcase_create("batch");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, nothing_is_visible_before_the_commit);
    tcase_add_test(tcase, operations_of_a_batch_take_effect_in_order);
    tcase_add_test(tcase, one_sync_serves_a_whole_batch);
    tcase_add_test(tcase, what_is_appended_is_counted);
    tcase_add_test(tcase, a_failed_write_did_not_happen_and_the_next_one_does);
    tcase_add_test(tcase, a_failed_sync_is_unknown_and_ends_all_writes);
    tcase_add_test(tcase, a_full_keydir_refuses_new_keys_only);
    tcase_add_test(tcase, no_bit_of_a_request_is_believed);
    suite_add_tcase(suite, tcase);
    return suite;
}

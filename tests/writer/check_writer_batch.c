/* The order of things in a batch, and its answers when the log fails: nothing visible before it is written and synced,
 * nothing answered before it is visible. */
#include "base/base_io.h"
#include "base/base_time.h"
#include "disk/disk_record.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "ring/ring_messages.h"
#include "space/space.h"
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
static struct rk_space *space;
static struct rk_stats_writer stats;
static struct rk_io_ops ops;
static struct rk_ring_completion answers[N_ANSWERS_MAX];
static unsigned n_answers;
static uint64_t published_sequence;
static uint64_t next_ticket;
static bool is_mixed; /* the batch has writes that do not wait for its sync */
static bool fail_write, fail_sync;
static unsigned n_syncs;
static unsigned n_answers_at_sync; /* when the last one began */
static unsigned n_early;           /* how often answers were given before a sync */
static uint64_t location_at_sync;  /* of "w" */

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
    ck_assert(completion->err != RK_OK || completion->sequence <= published_sequence || is_mixed);
    answers[n_answers++] = *completion;
}

static void on_published(void *context, uint64_t sequence)
{
    published_sequence = sequence;
}

static void on_answered_early(void *context)
{
    n_early++;
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
    n_answers_at_sync = n_answers;
    location_at_sync = keydir != NULL ? location_of("w") : 0;
    if (!fail_sync)
        return rk_io_kernel_ops.fdatasync(fd);
    errno = EIO;
    return -1;
}

static void open_batch(bool sync_before_publish)
{
    batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = log_writer,
        .keydir = keydir,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .space = space,
        .sync_before_publish = sync_before_publish,
        .stats = &stats,
        .answer = on_answer,
        .published = on_published,
        .answered_early = on_answered_early,
    });
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
    space = rk_space_create();
    open_batch(true);
    ops = rk_io_kernel_ops;
    ops.pwritev = failing_pwritev;
    ops.fdatasync = failing_fdatasync;
    rk_io = &ops;
    fail_write = fail_sync = false;
    n_answers = n_syncs = n_early = 0;
    is_mixed = false;
    published_sequence = 0;
}

static void teardown(void)
{
    rk_io = &rk_io_kernel_ops;
    rk_writer_batch_destroy(&batch);
    rk_keydir_writer_destroy(&keydir);
    rk_space_destroy(&space);
    (void)rk_log_writer_close(&log_writer); /* some tests have broken it */
    rk_log_store_close(&store);
    test_dir_remove(&dir);
}

/* What a request says besides its key and value; all zeros: a plain one. */
struct how {
    bool expects;
    uint64_t expected;
    enum rk_ring_durability durability;
    uint64_t expiry_ms;
};

/* Appends a request as a worker builds it to a message, which grows; value NULL is a delete. */
static void append(uint8_t **message, uint64_t *size, const char *key, const char *value, struct how how)
{
    struct rk_record_parts parts = { .type = value != NULL ? RK_RECORD_PUT : RK_RECORD_TOMBSTONE,
                                     .key = key,
                                     .key_len = (uint16_t)strlen(key),
                                     .value = value,
                                     .value_len = value != NULL ? (uint32_t)strlen(value) : 0,
                                     .expiry_ms = how.expiry_ms };
    uint64_t record_bytes = rk_record_size(parts.key_len, 0, parts.value_len, how.expiry_ms != 0);
    struct rk_ring_request head = { .ticket = ++next_ticket,
                                    .record_bytes = (uint32_t)record_bytes,
                                    .flags = how.expects ? RK_RING_EXPECTS : 0,
                                    .expected = how.expected,
                                    .durability = (uint8_t)how.durability };

    *message = realloc(*message, *size + sizeof head + record_bytes);
    memset(*message + *size, 0, sizeof head + record_bytes);
    memcpy(*message + *size, &head, sizeof head);
    rk_record_build(*message + *size + sizeof head, &parts);
    *size += sizeof head + record_bytes;
}

/* A message of one request. To free. */
static uint8_t *build_request(const char *key, const char *value, uint64_t *size_out)
{
    uint8_t *message = NULL;

    *size_out = 0;
    append(&message, size_out, key, value, (struct how){ .expects = false });
    return message;
}

static enum rk_err add_so(const char *key, const char *value, struct how how)
{
    uint64_t size = 0;
    uint8_t *message = NULL;
    enum rk_err err;

    append(&message, &size, key, value, how);
    err = rk_writer_batch_add(batch, 3, message, size, 1700000000000);
    free(message);
    return err;
}

static enum rk_err add(const char *key, const char *value)
{
    return add_so(key, value, (struct how){ .expects = false });
}

/* Only if the key is there. */
static void add_if(const char *key, const char *value, uint64_t expected)
{
    ck_assert_int_eq(add_so(key, value, (struct how){ .expects = true, .expected = expected }), RK_OK);
}

static void add_with(const char *key, const char *value, enum rk_ring_durability durability)
{
    ck_assert_int_eq(add_so(key, value, (struct how){ .durability = durability }), RK_OK);
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

START_TEST(a_condition_is_compared_with_where_the_key_is)
{
    uint64_t first;

    add_if("a", "1", 0);
    rk_writer_batch_commit(batch);
    first = location_of("a");
    add_if("a", "2", 0);
    rk_writer_batch_commit(batch);
    add_if("a", "2", first + (1ull << 40));
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[0].err, RK_OK);
    for (unsigned i = 1; i < 3; i++) {
        ck_assert_int_eq(answers[i].err, RK_ERR_CHANGED);
        ck_assert_uint_eq(answers[i].flags, RK_RING_NONE);
        ck_assert_uint_eq(answers[i].location, first);
        ck_assert_uint_eq(answers[i].sequence, answers[0].sequence);
    }
    ck_assert_uint_eq(location_of("a"), first);
    add_if("a", NULL, first);
    add_if("b", NULL, first);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[3].err, RK_OK);
    ck_assert_uint_eq(location_of("a"), 0);
    ck_assert_int_eq(answers[4].err, RK_ERR_CHANGED);
    ck_assert_uint_eq(answers[4].location, 0);
}
END_TEST

START_TEST(a_condition_is_compared_with_what_is_pending)
{
    uint64_t before;

    ck_assert_int_eq(add("a", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    before = location_of("a");
    ck_assert_int_eq(add("a", "2"), RK_OK);  /* 1 */
    add_if("a", "3", before);                /* 2: not there any more, though the keydir says so */
    ck_assert_int_eq(add("a", NULL), RK_OK); /* 3 */
    add_if("a", "4", before);                /* 4: deleted by then */
    add_if("a", "5", 0);                     /* 5 */
    add_if("b", "6", 0);                     /* 6 */
    add_if("b", "7", 0);                     /* 7: it is there by then */
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[2].err, RK_ERR_CHANGED);
    ck_assert_uint_ne(answers[2].location, before);
    ck_assert_uint_ne(answers[2].location, 0);
    ck_assert_int_eq(answers[4].err, RK_ERR_CHANGED);
    ck_assert_uint_eq(answers[4].location, 0);
    ck_assert_int_eq(answers[5].err, RK_OK);
    ck_assert_uint_eq(answers[5].flags, RK_RING_DURABLE);
    ck_assert_int_eq(answers[6].err, RK_OK);
    ck_assert_int_eq(answers[7].err, RK_ERR_CHANGED);
    ck_assert_uint_eq(answers[7].location, location_of("b"));
}
END_TEST

START_TEST(a_condition_that_failed_by_what_failed_fails_with_it)
{
    uint64_t there;

    ck_assert_int_eq(add("there", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    there = location_of("there");
    fail_write = true;
    ck_assert_int_eq(add("a", "1"), RK_OK); /* 1 */
    add_if("a", "2", 0);                    /* 2: by 1, which does not happen */
    add_if("there", "2", 0);                /* 3: whatever happens */
    add_if("there", "3", there);            /* 4 */
    add_if("there", "4", there);            /* 5: by 4, which does not happen */
    rk_writer_batch_commit(batch);
    for (unsigned i = 1; i < 6; i++) {
        ck_assert_int_eq(answers[i].err, i == 3 ? RK_ERR_CHANGED : RK_ERR_NO_SPACE);
        ck_assert_uint_eq(answers[i].flags, RK_RING_NONE);
    }
    ck_assert_uint_eq(answers[3].location, there);
    fail_write = false;
    add_if("a", "2", 0);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[6].err, RK_OK);
}
END_TEST

START_TEST(who_wants_no_sync_does_not_wait_for_that_of_others)
{
    is_mixed = true;
    ck_assert_int_eq(add("a", "1"), RK_OK);
    add_with("w", "1", RK_RING_WRITTEN);
    add_with("s", "1", RK_RING_SYNCED);
    ck_assert_int_eq(add("absent", NULL), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_syncs, 1);
    ck_assert_uint_eq(n_early, 1);
    ck_assert_uint_eq(n_answers_at_sync, 2);
    ck_assert_uint_ne(location_at_sync, 0);
    ck_assert_uint_eq(n_answers, 4);
    ck_assert_uint_eq(answers[0].ticket, next_ticket - 2);
    ck_assert_uint_eq(answers[0].flags, 0);
    ck_assert_int_eq(answers[1].err, RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(answers[1].sequence, 0); /* nothing up to which all was published */
    ck_assert_uint_eq(answers[2].flags, RK_RING_DURABLE);
    ck_assert_uint_eq(answers[3].flags, RK_RING_DURABLE);
    ck_assert_uint_eq(published_sequence, 3);
}
END_TEST

START_TEST(nobody_syncs_for_those_who_want_none)
{
    add_with("w", "1", RK_RING_WRITTEN);
    add_with("w", NULL, RK_RING_WRITTEN);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_syncs, 0);
    ck_assert_uint_eq(n_early, 0);
    ck_assert_uint_eq(answers[0].flags, 0);
    ck_assert_uint_eq(published_sequence, 2);
}
END_TEST

START_TEST(operations_on_one_key_stay_in_their_order)
{
    is_mixed = true;
    ck_assert_int_eq(add("w", "1"), RK_OK);
    add_with("w", "2", RK_RING_WRITTEN); /* behind one that waits, it waits, too */
    add_with("x", "1", RK_RING_WRITTEN);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_answers_at_sync, 1);
    ck_assert_uint_eq(location_at_sync, 0);
    ck_assert_uint_eq(answers[1].flags, RK_RING_DURABLE);
    ck_assert_uint_eq(answers[2].flags, RK_RING_REPLACED | RK_RING_DURABLE);
    ck_assert_uint_eq(answers[2].sequence, 2);
}
END_TEST

START_TEST(who_wants_a_sync_gets_it_in_every_mode)
{
    rk_writer_batch_destroy(&batch);
    open_batch(false);
    is_mixed = true;
    add_with("w", "1", RK_RING_SYNCED);
    ck_assert_int_eq(add("a", "1"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_syncs, 1);
    ck_assert_uint_eq(n_answers_at_sync, 1);
    ck_assert_uint_eq(location_at_sync, 0);
    ck_assert_uint_eq(answers[0].ticket, next_ticket);
    ck_assert_uint_eq(answers[0].flags, 0);
    ck_assert_uint_eq(answers[1].flags, RK_RING_DURABLE);
    ck_assert_int_eq(add("a", "2"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_syncs, 1);
}
END_TEST

START_TEST(a_failed_sync_is_of_those_who_wanted_it)
{
    is_mixed = true;
    fail_sync = true;
    add_with("w", "1", RK_RING_WRITTEN);
    ck_assert_int_eq(add("a", "1"), RK_OK);
    ck_assert_int_eq(add("w", "2"), RK_OK);
    add_if("a", "2", 0);
    rk_writer_batch_commit(batch);
    ck_assert_int_eq(answers[0].err, RK_OK);
    for (unsigned i = 1; i < 4; i++) {
        ck_assert_int_eq(answers[i].err, RK_ERR_READ_ONLY);
        ck_assert_uint_eq(answers[i].flags, 0);
    }
    ck_assert_uint_ne(location_of("w"), 0);
    ck_assert_uint_eq(location_of("w"), location_at_sync);
    ck_assert_uint_eq(location_of("a"), 0);
    ck_assert_uint_eq(published_sequence, 0);
}
END_TEST

START_TEST(what_may_have_expired_is_told_of)
{
    uint64_t past_ms = rk_time_wall_ms() - 1, expired;

    ck_assert_int_eq(add_so("far", "1", (struct how){ .expiry_ms = past_ms + 3600000 }), RK_OK);
    ck_assert_int_eq(add("far", "2"), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(answers[1].flags, RK_RING_REPLACED | RK_RING_DURABLE);
    ck_assert_int_eq(add_so("e", "1", (struct how){ .expiry_ms = past_ms }), RK_OK);
    rk_writer_batch_commit(batch);
    expired = location_of("e");
    add_if("e", "2", expired); /* has seen it */
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(answers[3].flags, RK_RING_REPLACED | RK_RING_DURABLE);
    expired = location_of("e");
    ck_assert_int_eq(add("e", NULL), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(answers[4].flags, RK_RING_REPLACED | RK_RING_DURABLE | RK_RING_DUE);
    ck_assert_uint_eq(answers[4].location, expired);
    ck_assert_uint_ge(answers[4].time_ms, past_ms);
}
END_TEST

START_TEST(a_message_may_have_several_requests)
{
    uint8_t *message = NULL;
    uint64_t size = 0, first_ticket = next_ticket + 1;

    append(&message, &size, "a", "1", (struct how){ .expects = false });
    append(&message, &size, "b", "1", (struct how){ .expects = true, .expected = 7 });
    append(&message, &size, "a", NULL, (struct how){ .expects = false });
    ck_assert_int_eq(rk_writer_batch_add(batch, 3, message, size, 1), RK_OK);
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_answers, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(answers[i].ticket, first_ticket + i);
        ck_assert_int_eq(answers[i].err, i == 1 ? RK_ERR_CHANGED : RK_OK);
    }
    free(message);
}
END_TEST

START_TEST(a_message_may_have_more_requests_than_a_batch_takes)
{
    uint8_t *message = NULL;
    uint64_t size = 0, first_ticket = next_ticket + 1;
    unsigned n_full = 0;
    char key[16];

    for (unsigned i = 0; i < N_ANSWERS_MAX - 2; i++) {
        snprintf(key, sizeof key, "k%u", i);
        append(&message, &size, key, "v", (struct how){ .expects = false });
    }
    while (rk_writer_batch_add(batch, 3, message, size, 1) == RK_ERR_FULL) {
        rk_writer_batch_commit(batch);
        ck_assert_uint_lt(n_full++, 10);
    }
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_full, 1);
    ck_assert_uint_eq(n_answers, N_ANSWERS_MAX - 2);
    for (unsigned i = 0; i < n_answers; i++)
        ck_assert_uint_eq(answers[i].ticket, first_ticket + i);
    ck_assert_int_eq(add("next", "v"), RK_OK); /* from its beginning */
    rk_writer_batch_commit(batch);
    ck_assert_uint_eq(n_answers, N_ANSWERS_MAX - 1);
    free(message);
}
END_TEST

START_TEST(a_message_is_believed_as_far_as_it_makes_sense)
{
    uint8_t *message = NULL;
    uint64_t size = 0, second;
    static const uint32_t lengths[] = { 0, 16, 32, 40, 49, 1u << 31, UINT32_MAX, UINT32_MAX - 15 };

    append(&message, &size, "a", "1", (struct how){ .expects = false });
    second = size;
    append(&message, &size, "b", "1", (struct how){ .expects = false });
    for (uint64_t short_size = second + 1; short_size < size; short_size++) {
        n_answers = 0;
        ck_assert_int_eq(rk_writer_batch_add(batch, 3, message, short_size, 1), RK_ERR_CORRUPT);
        rk_writer_batch_commit(batch);
        ck_assert_uint_eq(n_answers, 1);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (uint64_t at = 0; at <= second; at += second) {
            struct rk_ring_request head;
            uint32_t was;

            memcpy(&head, message + at, sizeof head);
            was = head.record_bytes;
            head.record_bytes = lengths[i];
            memcpy(message + at, &head, sizeof head);
            ck_assert_int_eq(rk_writer_batch_add(batch, 3, message, size, 1), RK_ERR_CORRUPT);
            head.record_bytes = was;
            memcpy(message + at, &head, sizeof head);
        }
    ck_assert_uint_eq(location_of("b"), 0);
    ck_assert_int_eq(rk_writer_batch_add(batch, 3, message, size, 1), RK_OK);
    free(message);
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
    tcase_add_test(tcase, a_condition_is_compared_with_where_the_key_is);
    tcase_add_test(tcase, a_condition_is_compared_with_what_is_pending);
    tcase_add_test(tcase, a_condition_that_failed_by_what_failed_fails_with_it);
    tcase_add_test(tcase, who_wants_no_sync_does_not_wait_for_that_of_others);
    tcase_add_test(tcase, nobody_syncs_for_those_who_want_none);
    tcase_add_test(tcase, operations_on_one_key_stay_in_their_order);
    tcase_add_test(tcase, who_wants_a_sync_gets_it_in_every_mode);
    tcase_add_test(tcase, a_failed_sync_is_of_those_who_wanted_it);
    tcase_add_test(tcase, what_may_have_expired_is_told_of);
    tcase_add_test(tcase, a_message_may_have_several_requests);
    tcase_add_test(tcase, a_message_may_have_more_requests_than_a_batch_takes);
    tcase_add_test(tcase, a_message_is_believed_as_far_as_it_makes_sense);
    tcase_add_test(tcase, no_bit_of_a_request_is_believed);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* The writer thread over a list in memory: what it takes together it commits together, whoever sent it; what it says
 * when writes fail; and that its end loses nothing. */
#include "base/base_io.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "list_source.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "shm/shm_doorbell.h"
#include "space/space.h"
#include "stats/stats_store.h"
#include "test_dir.h"
#include "test_main.h"
#include "writer/writer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEYDIR_BYTES (64u << 20)
#define N_MANY       3000u /* more than one batch takes */

static char *dir;
static struct rk_log_store *store;
static struct rk_log_writer *log_writer;
static struct rk_grace_region *region;
static struct rk_grace_writer *grace;
static struct rk_keydir_writer *keydir;
static struct rk_space *space;
static struct rk_stats_writer *stats;
static struct list_source *source;
static struct rk_writer *writer;
static struct rk_doorbell doorbell;
static _Atomic uint64_t last_sequence;
static int writer_bell, notice_bell;
static struct rk_io_ops ops;
static _Atomic bool fail_sync;
static struct rk_ring_completion answers[8192];

static int failing_fdatasync(int fd)
{
    if (!atomic_load(&fail_sync))
        return rk_io_kernel_ops.fdatasync(fd);
    errno = EIO;
    return -1;
}

static void create_writer(void)
{
    writer = rk_writer_create(&(struct rk_writer_settings){
        .keydir = keydir,
        .grace = grace,
        .space = space,
        .hash_key = rk_log_store_identity(store)->hash_key,
        .sync_before_publish = true,
        .doorbell = &doorbell,
        .event_fd = writer_bell,
        .notice_event_fd = notice_bell,
        .last_sequence = &last_sequence,
        .stats = stats,
        .source = list_source_of(source),
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
    region = aligned_alloc(64, rk_grace_region_bytes(1));
    memset(region, 0, rk_grace_region_bytes(1));
    grace = rk_grace_writer_create(region, 1);
    ck_assert_int_eq(rk_keydir_writer_create(&keydir, KEYDIR_BYTES, grace, NULL), RK_OK);
    space = rk_space_create();
    stats = aligned_alloc(64, (sizeof *stats + 63) / 64 * 64);
    memset(stats, 0, sizeof *stats);
    writer_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    notice_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    source = list_source_create(writer_bell);
    atomic_store(&last_sequence, 0);
    atomic_store(&fail_sync, false);
    ops = rk_io_kernel_ops;
    ops.fdatasync = failing_fdatasync;
    rk_io = &ops;
    create_writer();
    ck_assert(!rk_writer_is_running(writer));
    ck_assert_int_eq(rk_writer_start(writer, log_writer, NULL), RK_OK);
    ck_assert(rk_writer_is_running(writer));
}

static void teardown(void)
{
    rk_writer_destroy(&writer);
    list_source_destroy(&source);
    rk_keydir_writer_destroy(&keydir);
    rk_grace_writer_destroy(&grace);
    rk_space_destroy(&space);
    (void)rk_log_writer_close(&log_writer); /* a test has broken it */
    rk_log_store_close(&store);
    rk_io = &rk_io_kernel_ops;
    free(region);
    free(stats);
    close(writer_bell);
    close(notice_bell);
    test_dir_remove(&dir);
}

static void put_many(unsigned n, const char *value)
{
    char key[16];

    for (unsigned i = 0; i < n; i++) {
        snprintf(key, sizeof key, "k%u", i);
        list_source_put(source, i % 2, key, value);
    }
}

START_TEST(what_is_answered_was_published)
{
    uint64_t ticket = list_source_put(source, 0, "a", "1");

    ck_assert_uint_eq(list_source_wait(source, 0, 1, answers), 1);
    ck_assert_int_eq(answers[0].err, RK_OK);
    ck_assert_uint_eq(answers[0].ticket, ticket);
    ck_assert_uint_eq(atomic_load(&last_sequence), answers[0].sequence);
    list_source_put(source, 0, "a", NULL);
    list_source_put(source, 0, "a", NULL);
    ck_assert_uint_eq(list_source_wait(source, 0, 3, answers), 3);
    ck_assert_int_eq(answers[1].err, RK_OK);
    ck_assert_int_eq(answers[2].err, RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(answers[2].sequence, answers[1].sequence); /* the last one published */
}
END_TEST

START_TEST(a_round_is_one_batch_whoever_sent_it)
{
    list_source_hold(source);
    put_many(1000, "v");
    list_source_release(source);
    list_source_wait(source, 0, 500, answers);
    list_source_wait(source, 1, 500, answers);
    ck_assert_uint_eq(rk_counter_get(&stats->batches), 1);
    ck_assert_uint_eq(rk_counter_get(&stats->syncs), 1);
}
END_TEST

START_TEST(more_than_a_batch_takes_is_several_and_stays_in_order)
{
    list_source_hold(source);
    put_many(N_MANY, "v");
    list_source_release(source);
    for (unsigned sender = 0; sender < 2; sender++) {
        ck_assert_uint_eq(list_source_wait(source, sender, N_MANY / 2, answers), N_MANY / 2);
        for (unsigned i = 0; i < N_MANY / 2; i++) {
            ck_assert_int_eq(answers[i].err, RK_OK);
            ck_assert_uint_eq(answers[i].ticket, 2 * i + sender + 1);
            ck_assert_uint_eq(answers[i].sequence, answers[i].ticket);
        }
    }
    ck_assert_uint_eq(rk_counter_get(&stats->batches), 2);
}
END_TEST

START_TEST(garbage_is_rejected_and_nobody_else_suffers)
{
    list_source_hold(source);
    list_source_put(source, 0, "a", "1");
    list_source_put_garbage(source, 1);
    list_source_put(source, 0, "b", "2");
    list_source_release(source);
    ck_assert_uint_eq(list_source_wait(source, 0, 2, answers), 2);
    ck_assert_int_eq(answers[0].err, RK_OK);
    ck_assert_int_eq(answers[1].err, RK_OK);
    ck_assert_uint_eq(list_source_n_rejected(source, 1), 1);
    ck_assert_uint_eq(list_source_n_rejected(source, 0), 0);
}
END_TEST

static void note_call(void *context)
{
    unsigned *n_calls = context;

    ck_assert(!list_source_is_in_round(source));
    (*n_calls)++;
}

START_TEST(calls_are_run_between_rounds_and_not_after_the_end)
{
    unsigned n_calls = 0;

    for (unsigned i = 0; i < 100; i++) {
        list_source_put(source, 0, "a", "1");
        ck_assert_int_eq(rk_writer_call(writer, note_call, &n_calls), RK_OK);
    }
    ck_assert_uint_eq(n_calls, 100);
    list_source_wait(source, 0, 100, answers);
    rk_writer_stop(writer);
    ck_assert(!rk_writer_is_running(writer));
    ck_assert_int_eq(rk_writer_call(writer, note_call, &n_calls), RK_ERR_CLOSED);
    ck_assert_uint_eq(n_calls, 100);
}
END_TEST

START_TEST(the_end_takes_what_is_still_there)
{
    rk_writer_stop(writer);
    rk_writer_destroy(&writer);
    put_many(100, "v");
    create_writer();
    ck_assert_int_eq(rk_writer_start(writer, log_writer, NULL), RK_OK);
    rk_writer_stop(writer); /* at once: it may not have had a round yet */
    ck_assert_uint_eq(list_source_wait(source, 0, 50, answers), 50);
    ck_assert_uint_eq(list_source_wait(source, 1, 50, answers), 50);
}
END_TEST

START_TEST(who_waits_for_a_grace_period_gets_it)
{
    struct pollfd nothing = { .fd = -1 };

    ck_assert(rk_writer_grace_has_passed(writer, 0));
    while (!rk_writer_grace_has_passed(writer, 2)) /* nobody reads; the test's own limit ends it */
        (void)poll(&nothing, 1, 1);
}
END_TEST

START_TEST(a_failed_sync_is_told_and_what_depended_on_it_fails_too)
{
    struct pollfd notice = { .fd = notice_bell, .events = POLLIN };

    list_source_put(source, 0, "a", "1");
    list_source_wait(source, 0, 1, answers);
    list_source_hold(source);
    atomic_store(&fail_sync, true);
    list_source_put(source, 0, "a", NULL);
    list_source_put(source, 0, "a", NULL); /* absent, if only the first had happened */
    list_source_put(source, 0, "b", NULL); /* absent, whatever happens */
    list_source_release(source);
    ck_assert_uint_eq(list_source_wait(source, 0, 4, answers), 4);
    ck_assert_int_eq(answers[1].err, RK_ERR_READ_ONLY);
    ck_assert_uint_eq(answers[1].flags, 0); /* unknown */
    ck_assert_int_eq(answers[2].err, RK_ERR_READ_ONLY);
    ck_assert_int_eq(answers[3].err, RK_ERR_NOT_FOUND);
    ck_assert_uint_eq(answers[3].sequence, answers[0].sequence);
    ck_assert_int_eq(poll(&notice, 1, -1), 1);
    ck_assert_int_eq(-(int)rk_counter_get(&stats->refused), RK_ERR_READ_ONLY);
}
END_TEST

/* Nobody else syncs in this mode. */
START_TEST(what_wanted_no_sync_becomes_durable_all_the_same)
{
    struct pollfd nothing = { .fd = -1 };

    list_source_put_so(source, 0, "a", "1", RK_RING_WRITTEN);
    list_source_wait(source, 0, 1, answers);
    ck_assert_int_eq(answers[0].err, RK_OK);
    ck_assert_uint_eq(answers[0].flags, 0);
    ck_assert_uint_lt(rk_log_writer_durable_sequence(log_writer), answers[0].sequence);
    while (rk_log_writer_durable_sequence(log_writer) < answers[0].sequence) /* the test's own limit ends it */
        (void)poll(&nothing, 1, 10);
    ck_assert_uint_eq(rk_counter_get(&stats->syncs), 0);
}
END_TEST

static _Atomic bool hold_sync;
static _Atomic unsigned n_held;

static int held_fdatasync(int fd)
{
    struct pollfd nothing = { .fd = -1 };

    atomic_fetch_add(&n_held, 1);
    while (atomic_load(&hold_sync))
        (void)poll(&nothing, 1, 1);
    return rk_io_kernel_ops.fdatasync(fd);
}

START_TEST(answers_that_wait_for_no_sync_are_shown_before_it)
{
    atomic_store(&hold_sync, true);
    atomic_store(&n_held, 0);
    list_source_hold(source);
    ops.fdatasync = held_fdatasync;
    list_source_put(source, 0, "a", "1");
    list_source_put_so(source, 1, "b", "1", RK_RING_WRITTEN);
    list_source_release(source);
    list_source_wait(source, 1, 1, answers); /* while the sync is held */
    ck_assert_int_eq(answers[0].err, RK_OK);
    ck_assert_uint_eq(list_source_n_shown(source, 0), 0);
    ck_assert_uint_eq(atomic_load(&last_sequence), 0); /* up to which all is published */
    atomic_store(&hold_sync, false);
    list_source_wait(source, 0, 1, answers);
    ck_assert_uint_eq(atomic_load(&last_sequence), 2);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("writer");
    TCase *tcase = tcase_create("thread");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_is_answered_was_published);
    tcase_add_test(tcase, a_round_is_one_batch_whoever_sent_it);
    tcase_add_test(tcase, more_than_a_batch_takes_is_several_and_stays_in_order);
    tcase_add_test(tcase, garbage_is_rejected_and_nobody_else_suffers);
    tcase_add_test(tcase, calls_are_run_between_rounds_and_not_after_the_end);
    tcase_add_test(tcase, the_end_takes_what_is_still_there);
    tcase_add_test(tcase, who_waits_for_a_grace_period_gets_it);
    tcase_add_test(tcase, what_wanted_no_sync_becomes_durable_all_the_same);
    tcase_add_test(tcase, answers_that_wait_for_no_sync_are_shown_before_it);
    tcase_add_test(tcase, a_failed_sync_is_told_and_what_depended_on_it_fails_too);
    suite_add_tcase(suite, tcase);
    return suite;
}

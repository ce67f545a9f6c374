/* The worker as a thread: what it is handed and told, when it is said to be ready and over, and what its end is called.
 * The worker here is the test's own; the keydir, the store and the grace region are not asked for anything. */
#include "base/base_detail.h"
#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "master/master.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"
#include "master/master_serving.h"
#include "master/master_single.h"
#include "test_main.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000

static struct {
    bool fails;    /* the worker cannot go on */
    bool is_mute;  /* it is never ready */
    char heard[8]; /* what it was told */
    size_t n_heard;
    unsigned n_opened;
    unsigned n_cleared;
} bed;

void rk_master_engine_slot_open(struct rk_master_engine *engine, unsigned slot, uint32_t incarnation)
{
    ck_assert_uint_eq(slot, 0);
    ck_assert_uint_ne(incarnation, 0);
    bed.n_opened++;
}

void rk_grace_writer_slot_clear(struct rk_grace_writer *grace, unsigned slot)
{
    ck_assert_uint_eq(slot, 0);
    bed.n_cleared++;
}

int rk_keydir_writer_memfd(const struct rk_keydir_writer *keydir)
{
    return 1001;
}

int rk_log_store_dir_fd(const struct rk_log_store *store)
{
    return 1002;
}

size_t rk_master_listeners_count(const struct rk_master_listeners *listeners)
{
    return 1;
}

int rk_master_listeners_fd(const struct rk_master_listeners *listeners, size_t address, unsigned slot)
{
    ck_assert_uint_eq(slot, 0);
    return STDERR_FILENO;
}

static void setup(void)
{
    memset(&bed, 0, sizeof bed);
}

static char hear(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    char message = '\0';

    if (poll(&poll_fd, 1, WAIT_MS) != 1 || recv(fd, &message, 1, 0) != 1)
        return '\0';
    bed.heard[bed.n_heard++] = message;
    return message;
}

/* Goes on until it is told to stop or to drop what it has; after a drain until then, too. */
static enum rk_err run_worker(const struct rk_handover *handover, struct rk_detail *detail)
{
    char ready = RK_HANDOVER_READY, message;

    ck_assert_int_eq(handover->keydir_fd, 1001);
    ck_assert_int_eq(handover->data_dir_fd, 1002);
    ck_assert_int_eq(handover->board_fd, 1000);
    ck_assert_int_ge(fcntl(handover->listener_fds[0], F_GETFD), 0); /* its own copy */
    ck_assert_int_ne(handover->listener_fds[0], STDERR_FILENO);
    (void)close(handover->listener_fds[0]);
    if (bed.fails) {
        rk_detail_set(detail, "no luck today");
        return RK_ERR_IO;
    }
    if (!bed.is_mute)
        ck_assert_int_eq(send(handover->channel_fd, &ready, 1, MSG_NOSIGNAL), 1);
    do
        message = hear(handover->channel_fd);
    while (message == RK_HANDOVER_DRAIN);
    return RK_OK;
}

static struct rk_shm_region ring = { .fd = 1010 };
static int bell = 1020;
static struct rk_master_engine engine = {
    .n_slots = 1, .board_region = { .fd = 1000 }, .rings = &ring, .worker_bells = &bell
};
static const struct rk_master_options options = { .run_worker = run_worker };

static struct rk_master_serving *start(void)
{
    struct rk_master_serving *serving = NULL;
    struct rk_detail detail = { "" };

    ck_assert_msg(rk_master_single_start(&serving, &options, &engine, NULL, &detail) == RK_OK, "%s", detail.text);
    ck_assert_uint_eq(bed.n_opened, 1);
    return serving;
}

/* Waits until the descriptor can be read, and reads it. */
static void take(struct rk_master_serving *serving)
{
    struct pollfd poll_fd;

    rk_master_serving_poll_fds(serving, &poll_fd);
    ck_assert_int_eq(poll(&poll_fd, 1, WAIT_MS), 1);
    rk_master_serving_on_readable(serving, 0);
}

static void wait_over(const struct rk_master_serving *serving)
{
    uint64_t deadline_ns = rk_time_monotonic_ns() + WAIT_MS * RK_NS_PER_MS;

    while (!rk_master_serving_is_over(serving)) {
        ck_assert_uint_lt(rk_time_monotonic_ns(), deadline_ns);
        (void)sched_yield();
    }
}

START_TEST(ready_is_what_the_worker_says)
{
    struct rk_master_serving *serving = start();
    struct rk_detail detail;

    ck_assert(!rk_master_serving_is_ready(serving)); /* it was not listened to */
    take(serving);
    ck_assert(rk_master_serving_is_ready(serving));
    ck_assert(!rk_master_serving_is_over(serving));
    ck_assert_int_eq(rk_master_serving_close(&serving, &detail), RK_OK);
    ck_assert_ptr_null(serving);
    ck_assert_uint_eq(bed.n_cleared, 1);
}
END_TEST

START_TEST(a_drain_is_said_and_then_a_stop)
{
    struct rk_master_serving *serving = start();
    struct rk_detail detail;

    take(serving);
    rk_master_serving_tick(serving, 0); /* nothing to do */
    rk_master_serving_on_exit(serving, 1, 0);
    rk_master_serving_give_log(serving, STDERR_FILENO);
    rk_master_serving_stop(serving, true);
    rk_master_serving_stop(serving, false);
    wait_over(serving);
    ck_assert_int_eq(rk_master_serving_close(&serving, &detail), RK_OK);
    ck_assert_uint_eq(bed.n_heard, 2);
    ck_assert_int_eq(bed.heard[0], RK_HANDOVER_DRAIN);
    ck_assert_int_eq(bed.heard[1], RK_HANDOVER_STOP);
}
END_TEST

START_TEST(who_does_not_stop_is_told_to_drop_all)
{
    struct rk_master_serving *serving = start();
    struct rk_detail detail;

    rk_master_serving_end_now(serving, "it did not stop in time");
    wait_over(serving);
    ck_assert_int_eq(bed.heard[0], RK_HANDOVER_ABANDON);
    ck_assert_int_eq(rk_master_serving_close(&serving, &detail), RK_OK);
}
END_TEST

/* The main thread is woken, and is told why by the close. */
START_TEST(a_worker_that_cannot_go_on_is_over)
{
    struct rk_master_serving *serving;
    struct rk_detail detail = { "" };

    bed.fails = true;
    serving = start();
    take(serving);
    wait_over(serving);
    ck_assert(!rk_master_serving_is_ready(serving));
    ck_assert_int_eq(rk_master_serving_close(&serving, &detail), RK_ERR_IO);
    ck_assert_str_eq(detail.text, "no luck today");
}
END_TEST

/* A start that fails closes what never was ready. */
START_TEST(a_close_stops_who_was_not_told)
{
    struct rk_master_serving *serving;
    struct rk_detail detail;

    bed.is_mute = true;
    serving = start();
    ck_assert_int_eq(rk_master_serving_close(&serving, &detail), RK_OK);
    ck_assert_uint_eq(bed.n_heard, 1);
    ck_assert_int_eq(bed.heard[0], RK_HANDOVER_STOP);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master_single");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, ready_is_what_the_worker_says);
    tcase_add_test(tests, a_drain_is_said_and_then_a_stop);
    tcase_add_test(tests, who_does_not_stop_is_told_to_drop_all);
    tcase_add_test(tests, a_worker_that_cannot_go_on_is_over);
    tcase_add_test(tests, a_close_stops_who_was_not_told);
    suite_add_tcase(suite, tests);
    return suite;
}

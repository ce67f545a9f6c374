/* The table of workers, by the clock: when they are started, how they end, how they are told to stop. No process is
 * started. */
#include "stats/stats_block.h"
#include "test_main.h"
#include "workers_bed.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_CODE(code) ((code) << 8)
#define MINUTE_MS       60000u

static void setup(void)
{
    bed_create();
}

static void teardown(void)
{
    bed_destroy();
}

static uint64_t n_deaths(unsigned slot)
{
    return rk_counter_get(&bed.engine.stats->slots[slot].deaths);
}

/* --- starts */

START_TEST(each_slot_gets_its_own_descriptors)
{
    char pid_text[16];

    (void)snprintf(pid_text, sizeof pid_text, "%d", (int)getpid());
    bed_tick();
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS);
    ck_assert_uint_eq(rk_master_workers_n_alive(bed.workers), BED_SLOTS);
    for (unsigned slot = 0; slot < BED_SLOTS; slot++) {
        const struct bed_start *start = bed_last(slot);
        const int expected[] = { 1000, 1001, 1010 + (int)slot, 1002, 1003, 1004, 1020 + (int)slot };

        ck_assert_str_eq(start->arguments[0], "rackkvd");
        ck_assert_str_eq(start->arguments[1], "--worker");
        ck_assert_str_eq(start->arguments[3], pid_text);
        ck_assert_mem_eq(start->fds, expected, sizeof expected);
        ck_assert_int_eq(start->fds[RK_HANDOVER_FD_LISTENERS - 3], 1100 + (int)slot);
        ck_assert_int_eq(start->fds[RK_HANDOVER_FD_LISTENERS - 3 + 1], 1110 + (int)slot);
        ck_assert_uint_eq(start->n_fds, RK_HANDOVER_FD_LISTENERS - 3 + BED_LISTENERS);
        ck_assert_uint_eq(rk_counter_get(&bed.engine.stats->slots[slot].starts), 1);
    }
    bed_tick(); /* nobody is started twice */
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS);
}
END_TEST

START_TEST(only_ready_makes_a_worker_serve)
{
    struct pollfd fds[BED_SLOTS];

    bed_tick();
    bed_say(1, RK_HANDOVER_STOP);
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), 0);
    bed_ready(1);
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), 1);
    ck_assert(!rk_master_serving_is_ready(bed.workers)); /* all must be */
    rk_master_serving_poll_fds(bed.workers, fds);
    ck_assert_int_ge(fds[0].fd, 0);
    ck_assert_int_eq(fds[0].events, POLLIN);
    ck_assert_int_eq(fds[1].fd, -1);               /* nothing that it says is waited for */
    rk_master_serving_on_readable(bed.workers, 0); /* said nothing yet */
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), 1);
    bed_exit(0, EXIT_CODE(1));
    rk_master_serving_on_readable(bed.workers, 0); /* and never will */
    rk_master_serving_poll_fds(bed.workers, fds);
    ck_assert_int_eq(fds[0].fd, -1);
}
END_TEST

/* A replacement takes connections from the same sockets, where the next ones wait already. */
START_TEST(a_replacement_gets_the_same_descriptors_and_a_new_incarnation)
{
    struct bed_start first, second;

    bed_serve();
    first = *bed_last(1);
    bed_exit(1, SIGSEGV);
    ck_assert_uint_eq(rk_master_workers_n_alive(bed.workers), BED_SLOTS - 1);
    bed_tick(); /* at once */
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 1);
    second = *bed_last(1);
    first.fds[RK_HANDOVER_FD_CHANNEL - 3] = second.fds[RK_HANDOVER_FD_CHANNEL - 3]; /* which is its own */
    ck_assert_mem_eq(first.fds, second.fds, first.n_fds * sizeof first.fds[0]);
    ck_assert_uint_gt(second.incarnation, first.incarnation);
    ck_assert_uint_eq(rk_counter_get(&bed.engine.stats->slots[1].starts), 2);
    bed_ready(1);
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), BED_SLOTS);
}
END_TEST

START_TEST(no_replacement_before_the_writer_let_go)
{
    bed_serve();
    bed.writer_is_slow = true;
    bed_exit(2, SIGKILL);
    bed_run(MINUTE_MS, 100);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS);
    bed_let_go();
    bed_tick();
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 1);
    ck_assert_uint_eq(bed_last(2)->at_ms, bed.now_ms);
}
END_TEST

START_TEST(the_end_of_another_process_means_nothing)
{
    bed_serve();
    rk_master_serving_on_exit(bed.workers, 12345, SIGKILL);
    rk_master_serving_on_exit(bed.workers, 0, SIGKILL);
    bed_run(1000, 100);
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), BED_SLOTS);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS);
    ck_assert_uint_eq(bed.n_lines, 0);
}
END_TEST

START_TEST(a_life_leaves_no_descriptor)
{
    unsigned n_fds;

    bed_serve();
    n_fds = bed_n_open_fds();
    for (unsigned i = 0; i < 20; i++) {
        bed_exit(1, SIGKILL);
        bed_tick();
        bed_ready(1);
    }
    ck_assert_uint_eq(bed_n_open_fds(), n_fds);
}
END_TEST

/* --- ends */

static const struct {
    int wait_status;
    bool was_ready;
    const char *line;
} ends[] = {
    { SIGKILL, true, "warning: worker 1 (pid 50000001) was killed by signal 9 (Killed); starting another" },
    { SIGABRT, true, "warning: worker 1 (pid 50000001) was killed by signal 6 (Aborted); starting another" },
    { EXIT_CODE(0), true, "warning: worker 1 (pid 50000001) ended with exit code 0; starting another" },
    { EXIT_CODE(3), true, "warning: worker 1 (pid 50000001) ended with exit code 3; starting another" },
    { EXIT_CODE(3), false,
      "error: worker 1 (pid 50000001) ended with exit code 3 before it was ready; trying again in 700 ms" },
    { EXIT_CODE(RK_MASTER_SPAWN_NO_EXEC), false,
      "error: worker 1 (pid 50000001) could not be executed before it was ready; trying again in 700 ms" },
    { EXIT_CODE(RK_MASTER_SPAWN_NO_FDS), false,
      "error: worker 1 (pid 50000001) could not get its descriptors: the limit of open files is too small (ulimit -n) "
      "before it was ready; trying again in 700 ms" },
};

START_TEST(an_end_is_told)
{
    bed_tick();
    if (ends[_i].was_ready)
        bed_ready(1);
    bed_exit(1, ends[_i].wait_status);
    ck_assert_uint_eq(bed.n_lines, 1);
    ck_assert_str_eq(bed.lines[0], ends[_i].line);
    ck_assert_uint_eq(n_deaths(1), 1);
    ck_assert_uint_eq(n_deaths(0), 0);
}
END_TEST

START_TEST(stop_is_said_and_nobody_is_started)
{
    static const char expected[] = { RK_HANDOVER_STOP, RK_HANDOVER_DRAIN };

    bed_serve();
    bed_exit(2, SIGKILL); /* a slot that is down when the stop comes */
    bed.n_lines = 0;
    ck_assert(!rk_master_serving_is_over(bed.workers));
    rk_master_serving_stop(bed.workers, _i == 1);
    for (unsigned slot = 0; slot < 2; slot++) {
        char messages[2];

        ck_assert_int_eq(recv(bed_last(slot)->channel, messages, sizeof messages, MSG_DONTWAIT), 1);
        ck_assert_int_eq(messages[0], expected[_i]);
        ck_assert(!rk_master_serving_is_over(bed.workers));
        bed_exit(slot, EXIT_CODE(0));
    }
    ck_assert(rk_master_serving_is_over(bed.workers));
    bed_run(MINUTE_MS, 100);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS);
    ck_assert_uint_eq(rk_master_workers_n_alive(bed.workers), 0);
    ck_assert_uint_eq(bed.n_lines, 0); /* as was asked for */
    ck_assert_uint_eq(n_deaths(0), 0);
}
END_TEST

/* The number of its channel may soon be somebody else's. */
START_TEST(nothing_is_said_to_who_is_gone)
{
    int pair[2];
    char byte;

    bed_serve();
    bed_exit(1, SIGKILL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    rk_master_serving_stop(bed.workers, false);
    ck_assert_int_eq(recv(pair[0], &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(who_does_not_stop_is_killed_once)
{
    bed_serve();
    rk_master_serving_stop(bed.workers, false);
    bed_exit(0, EXIT_CODE(0));
    rk_master_serving_end_now(bed.workers, "it did not stop in time");
    rk_master_serving_end_now(bed.workers, "it did not stop in time");
    ck_assert_uint_eq(bed.n_kills, 2);
    ck_assert_int_eq(bed.kills[0].pid, bed_last(1)->pid);
    ck_assert_int_eq(bed.kills[1].pid, bed_last(2)->pid);
    ck_assert_uint_eq(bed_n_told("it did not stop in time"), 2);
    ck_assert_uint_eq(rk_master_workers_n_alive(bed.workers), 2); /* until waitpid() says so */
}
END_TEST

static void add_starts(Suite *suite)
{
    TCase *tcase = tcase_create("starts");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_slot_gets_its_own_descriptors);
    tcase_add_test(tcase, only_ready_makes_a_worker_serve);
    tcase_add_test(tcase, a_replacement_gets_the_same_descriptors_and_a_new_incarnation);
    tcase_add_test(tcase, no_replacement_before_the_writer_let_go);
    tcase_add_test(tcase, the_end_of_another_process_means_nothing);
    tcase_add_test(tcase, a_life_leaves_no_descriptor);
    suite_add_tcase(suite, tcase);
}

static void add_ends(Suite *suite)
{
    TCase *tcase = tcase_create("ends");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_end_is_told, 0, sizeof ends / sizeof ends[0]);
    tcase_add_loop_test(tcase, stop_is_said_and_nobody_is_started, 0, 2);
    tcase_add_test(tcase, nothing_is_said_to_who_is_gone);
    tcase_add_test(tcase, who_does_not_stop_is_killed_once);
    suite_add_tcase(suite, tcase);
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("master_workers");

    add_starts(suite);
    add_ends(suite);
    return suite;
}

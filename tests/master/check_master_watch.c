/* Workers that are watched, by the clock: told when they stand still, killed when they do so for too long, and left
 * alone when nothing is their fault. No process is started. */
#include "test_main.h"
#include "workers_bed.h"

#include <signal.h>

#define MINUTE_MS 60000u

static void setup(void)
{
    bed_create();
}

static void teardown(void)
{
    bed_destroy();
}

/* The only kill so far, of the worker in this slot. */
static void check_killed(unsigned slot, const char *why)
{
    ck_assert_uint_eq(bed.n_kills, 1);
    ck_assert_int_eq(bed.kills[0].pid, bed_last(slot)->pid);
    ck_assert_int_eq(bed.kills[0].signal, SIGKILL);
    ck_assert_uint_eq(bed_n_told(why), 1);
}

START_TEST(ready_has_a_deadline)
{
    bed_tick();
    bed_ready(0);
    bed_ready(1);
    bed_run(10000, 100);
    ck_assert_uint_eq(bed.n_kills, 0);
    bed_run(100, 100);
    check_killed(2, "warning: killing worker 2 (pid 50000002): not ready within 10 s");
    bed_run(1000, 100); /* once */
    ck_assert_uint_eq(bed.n_kills, 1);
    bed_exit(2, SIGKILL);
    bed_run(BED_RESPAWN_MS - 100, 100);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS);
    bed_run(100, 100);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 1);
    bed_run(10100, 100); /* the next one has a deadline, and a SIGKILL, of its own */
    ck_assert_uint_eq(bed.n_kills, 2);
}
END_TEST

START_TEST(a_loop_that_stands_is_told_then_killed)
{
    const char *told = "worker 1 (pid 50000001) has not turned its event loop for 1000 ms; it is killed after "
                       "worker.stuck_timeout (5000 ms)";

    bed_serve();
    bed_run(3000, 100);
    bed.beats[1] = false;
    bed_run(900, 100);
    ck_assert_uint_eq(bed.n_lines, 0);
    bed_run(100, 100);
    ck_assert_uint_eq(bed_n_told(told), 1);
    bed_run(BED_STUCK_MS - 1000, 100);
    ck_assert_uint_eq(bed.n_lines, 1);
    ck_assert_uint_eq(bed.n_kills, 0);
    bed_run(100, 100);
    check_killed(1, "stuck for worker.stuck_timeout");
    bed_run(1000, 100);
    ck_assert_uint_eq(bed.n_kills, 1);
    ck_assert_uint_eq(bed.n_lines, 2);
}
END_TEST

START_TEST(a_loop_that_turns_again_is_left_alone)
{
    bed_serve();
    for (unsigned i = 1; i <= 3; i++) {
        bed.beats[1] = false;
        bed_run(BED_STUCK_MS - 100, 100);
        bed.beats[1] = true;
        bed_run(1000, 100);
        ck_assert_uint_eq(bed_n_told("has not turned its event loop"), i);
    }
    ck_assert_uint_eq(bed.n_kills, 0);
}
END_TEST

/* Its time begins when it is ready: what it did before that has another deadline. */
START_TEST(a_loop_is_not_watched_before_ready)
{
    bed.beats[1] = false;
    bed_tick();
    bed_run(9000, 100);
    ck_assert_uint_eq(bed.n_lines, 0);
    bed_ready(1);
    bed_run(900, 100);
    ck_assert_uint_eq(bed_n_told("has not turned"), 0);
    bed_run(100, 100);
    ck_assert_uint_eq(bed_n_told("has not turned"), 1);
}
END_TEST

/* A laptop that slept, a Ctrl-Z: the master did not tick either. */
START_TEST(nobody_is_blamed_when_all_stood_still)
{
    bed_serve();
    bed_run(1000, 100);
    bed.beats[1] = false;
    bed.grace_since_ms = bed.now_ms;
    bed.grace_slot = 0;
    for (unsigned i = 0; i < 10; i++) {
        bed.now_ms += 100 * BED_STUCK_MS;
        bed_tick();
        bed_run(900, 100);
    }
    ck_assert_uint_eq(bed.n_lines, 0);
    bed_run(100, 100);
    ck_assert_uint_eq(bed_n_told("has not turned its event loop for 1000 ms"), 1);
    ck_assert_uint_eq(bed_n_told("has kept a grace period from ending for 1000 ms"), 1);
    ck_assert_uint_eq(bed.n_kills, 0);
    bed_run(BED_STUCK_MS - 900, 100);
    ck_assert_uint_eq(bed.n_kills, 2);
}
END_TEST

/* A second between two ticks is a busy machine, not one that slept. */
START_TEST(slow_ticks_are_no_excuse)
{
    bed_serve();
    bed_run(1000, 1000);
    bed.beats[1] = false;
    bed_run(BED_STUCK_MS, 1000);
    ck_assert_uint_eq(bed.n_kills, 0);
    bed_run(1000, 1000);
    check_killed(1, "stuck for worker.stuck_timeout");
}
END_TEST

START_TEST(a_grace_period_that_waits_is_told_then_killed)
{
    bed_serve();
    bed_run(2000, 100);
    bed.grace_slot = 2;
    bed.grace_since_ms = bed.now_ms;
    bed_run(900, 100);
    ck_assert_uint_eq(bed.n_lines, 0);
    bed_run(100, 100);
    ck_assert_uint_eq(bed_n_told("worker 2 (pid 50000002) has kept a grace period from ending for 1000 ms"), 1);
    bed_run(BED_STUCK_MS - 1000, 100);
    ck_assert_uint_eq(bed.n_lines, 1);
    ck_assert_uint_eq(bed.n_kills, 0);
    bed_run(100, 100);
    check_killed(2, "stuck for worker.stuck_timeout");
}
END_TEST

/* Each grace period has its own patience, and its own word. */
START_TEST(another_grace_period_is_told_again)
{
    bed_serve();
    bed_run(2000, 100);
    for (unsigned i = 1; i <= 3; i++) {
        bed.grace_slot = 1;
        bed.grace_since_ms = bed.now_ms;
        bed_run(2000, 100);
        ck_assert_uint_eq(bed_n_told("has kept a grace period"), i);
        bed.grace_since_ms = 0;
        bed_run(200, 100);
    }
    ck_assert_uint_eq(bed.n_kills, 0);
}
END_TEST

/* The compactor has a grace slot behind those of the workers, and is not killed; nor is a worker that starts. */
START_TEST(others_in_a_grace_period_are_left_alone)
{
    bed_serve();
    bed_run(2000, 100);
    bed.grace_since_ms = bed.now_ms;
    bed.grace_slot = BED_SLOTS;
    bed_run(MINUTE_MS, 100);
    bed_exit(1, SIGKILL);
    bed.n_lines = 0;
    bed.grace_slot = 1;
    bed_run(9000, 100);
    ck_assert_uint_eq(bed.n_lines, 0);
    ck_assert_uint_eq(bed.n_kills, 0);
}
END_TEST

/* What was told of the one before is news of its replacement: 0 stands still, 1 keeps a grace period. */
START_TEST(a_replacement_is_told_like_the_one_before)
{
    const char *told = _i == 0 ? "has not turned its event loop" : "has kept a grace period";

    bed.beats[1] = _i == 1;
    bed_serve();
    bed_run(2000, 100);
    bed.grace_slot = 1;
    bed.grace_since_ms = _i == 0 ? 0 : bed.now_ms;
    for (unsigned i = 1; i <= 3; i++) {
        bed_run(2000, 100);
        ck_assert_uint_eq(bed_n_told(told), i);
        bed_exit(1, SIGKILL);
        bed_tick();
        bed_ready(1);
    }
}
END_TEST

START_TEST(broken_rings_lead_to_a_kill)
{
    bed_tick();
    bed_ready(0);
    bed.broken[_i] = true; /* 0 serves, 1 starts */
    bed_tick();
    check_killed((unsigned)_i, "its requests make no sense");
    bed_run(500, 100);
    ck_assert_uint_eq(bed.n_kills, 1);
    bed_exit((unsigned)_i, SIGKILL);
    bed.broken[_i] = false;
    bed_run(BED_RESPAWN_MS, 100);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 1);
    bed.broken[_i] = true; /* the replacement is as bad */
    bed_run(100, 100);
    ck_assert_uint_eq(bed.n_kills, 2);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master_watch");
    TCase *tcase = tcase_create("watched");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, ready_has_a_deadline);
    tcase_add_test(tcase, a_loop_that_stands_is_told_then_killed);
    tcase_add_test(tcase, a_loop_that_turns_again_is_left_alone);
    tcase_add_test(tcase, a_loop_is_not_watched_before_ready);
    tcase_add_test(tcase, nobody_is_blamed_when_all_stood_still);
    tcase_add_test(tcase, slow_ticks_are_no_excuse);
    tcase_add_test(tcase, a_grace_period_that_waits_is_told_then_killed);
    tcase_add_test(tcase, another_grace_period_is_told_again);
    tcase_add_test(tcase, others_in_a_grace_period_are_left_alone);
    tcase_add_loop_test(tcase, a_replacement_is_told_like_the_one_before, 0, 2);
    tcase_add_loop_test(tcase, broken_rings_lead_to_a_kill, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

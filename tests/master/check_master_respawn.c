/* How often workers are started, by the clock: at once after one that served, else once each worker.respawn_delay. No
 * process is started. */
#include "stats/stats_block.h"
#include "test_main.h"
#include "workers_bed.h"

#include <signal.h>

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

/* Ends whatever is started in the slot as soon as it is, for a minute, looked at every millisecond. */
static void run_futile(unsigned slot)
{
    for (unsigned i = 0; i < MINUTE_MS; i++) {
        if (bed_last(slot) != NULL && bed_last(slot)->channel >= 0)
            bed_exit(slot, EXIT_CODE(1));
        bed_run(1, 1);
    }
}

/* When the slot was started: at most once each worker.respawn_delay, and no later than that either. */
static void check_starts_are_apart(unsigned slot)
{
    uint64_t last_ms = 0;
    unsigned n = 0;

    for (size_t i = 0; i < bed.n_starts; i++) {
        const struct bed_start *start = &bed.starts[i];

        if (start->slot != slot)
            continue;
        if (n++ > 0) {
            ck_assert_uint_ge(start->at_ms - last_ms, BED_RESPAWN_MS);
            ck_assert_uint_le(start->at_ms - last_ms, BED_RESPAWN_MS + 2);
        }
        last_ms = start->at_ms;
    }
    ck_assert_uint_ge(n, MINUTE_MS / (BED_RESPAWN_MS + 2));
}

START_TEST(a_worker_that_is_never_ready_is_started_once_each_delay)
{
    bed_tick();
    bed_ready(0);
    bed_ready(2);
    run_futile(1);
    check_starts_are_apart(1);
    ck_assert_uint_eq(rk_counter_get(&bed.engine.stats->slots[1].deaths), bed_n_told("error: worker 1 "));
    ck_assert_uint_ge(bed_n_told("ended with exit code 1 before it was ready; trying again in 700 ms"), 85);
    ck_assert_uint_eq(bed_last(0)->incarnation, 1); /* the others served on */
    ck_assert_uint_eq(rk_master_workers_n_serving(bed.workers), BED_SLOTS - 1);
}
END_TEST

/* One that served and then fails to come back is no exception, nor the other way round. */
START_TEST(the_delay_begins_and_ends_with_readiness)
{
    uint64_t died_ms;

    bed_serve();
    bed_exit(0, SIGKILL);
    bed_tick();
    ck_assert_uint_eq(bed_last(0)->at_ms, bed.now_ms);
    died_ms = bed.now_ms;
    bed_exit(0, SIGKILL); /* before it was ready */
    bed_run(BED_RESPAWN_MS - 1, 1);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 1);
    bed_run(1, 1);
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 2);
    ck_assert_uint_eq(bed_last(0)->at_ms, died_ms + BED_RESPAWN_MS);
    bed_ready(0);
    bed_exit(0, SIGKILL);
    bed_tick();
    ck_assert_uint_eq(bed.n_starts, BED_SLOTS + 3);
}
END_TEST

/* What stands in the way of a start is tried again, and told, once each delay; nothing is left of it. */
static void check_failed_starts(bool *failure, const char *told)
{
    unsigned n_fds = bed_n_open_fds();

    *failure = true;
    bed_tick();
    ck_assert_uint_eq(bed_n_told(told), BED_SLOTS);
    bed_run(BED_RESPAWN_MS - 1, 1);
    ck_assert_uint_eq(bed_n_told(told), BED_SLOTS);
    bed_run(10 * BED_RESPAWN_MS, 1);
    ck_assert_uint_ge(bed_n_told(told), 10 * BED_SLOTS);
    ck_assert_uint_le(bed_n_told(told), 11 * BED_SLOTS);
    ck_assert_uint_eq(bed_n_open_fds(), n_fds);
    ck_assert_uint_eq(rk_master_workers_n_alive(bed.workers), 0);
    *failure = false;
    bed_run(BED_RESPAWN_MS + 1, 1);
    ck_assert_uint_eq(rk_master_workers_n_alive(bed.workers), BED_SLOTS);
}

START_TEST(no_process_can_be_had)
{
    check_failed_starts(&bed.no_process, "cannot be started: no processes today");
}
END_TEST

START_TEST(no_sockets_can_be_had)
{
    check_failed_starts(&bed.no_sockets, "cannot be started: a pair of sockets: Too many open files");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("master_respawn");
    TCase *tcase = tcase_create("respawn");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_worker_that_is_never_ready_is_started_once_each_delay);
    tcase_add_test(tcase, the_delay_begins_and_ends_with_readiness);
    tcase_add_test(tcase, no_process_can_be_had);
    tcase_add_test(tcase, no_sockets_can_be_had);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* A worker that stands still inside of a read section, for five seconds or for good: histories are linearizable, writes
 * go on, and grace periods, merges with them, end when it goes on or is killed. RK_LONG=1 in the environment asks for
 * the figures of `make check-long`. */
#include "linear_bed.h"
#include "linear_board.h"
#include "system_tracer.h"
#include "test_main.h"
#include "test_process.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define STOP_MS       5000
#define STUCK_SEEN_MS 1000
#define CALLS_MAX     40 /* the stop comes with one of so many reads */

static bool is_traced; /* strace may be used here */

/* Without a trace: until it is neither running nor traced. */
static void wait_stopped(pid_t pid, const char *trace)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (trace != NULL ? !system_tracer_has_logged(trace, "stopped by SIGSTOP") : system_process_state(pid) != 'T') {
        ck_assert_msg(system_now_ms() < deadline, "worker %d does not stop", (int)pid);
        usleep(1000);
    }
}

/* Workers read cached values with preadv2, inside of the read section in which they have looked up where they are: a
 * signal that comes with this call stops them there. Without strace it stops them wherever they are. */
static void stop_in_read_section(pid_t pid, size_t nth)
{
    char expression[64], trace[300];
    const char *expressions[] = { expression, NULL };
    struct system_tracer *tracer;

    snprintf(trace, sizeof trace, "%s.trace", linear_bed_dir);
    snprintf(expression, sizeof expression, "inject=preadv2:signal=SIGSTOP:when=%zu", 1 + nth % CALLS_MAX);
    tracer = system_tracer_attach_logged(pid, expressions, trace);
    is_traced = tracer != NULL;
    if (is_traced)
        wait_stopped(pid, trace);
    else
        ck_assert(test_process_stop(pid));
    system_tracer_detach(&tracer);
    (void)unlink(trace);
    wait_stopped(pid, NULL);
}

/* The other worker's clients go on for so long, and more is freed than ever becomes free: no grace period ends. */
static void go_on_beside_it(void)
{
    uint64_t n_periods = linear_board_grace_periods();
    size_t n_written = linear_driver_n_written(linear_bed_driver);
    long until = system_now_ms() + STOP_MS;

    while (system_now_ms() < until)
        linear_bed_wait(500);
    ck_assert_uint_gt(linear_driver_n_written(linear_bed_driver), n_written + 100);
    ck_assert_uint_le(linear_board_grace_periods(), n_periods + 1); /* one may have been over but for being counted */
}

START_TEST(stopped_workers_leave_it_linearizable)
{
    size_t n_stops = linear_bed_figure(5, 200);
    char what[96];
    long stopped_ms;
    int slot = 0;

    linear_bed_start_server(linear_bed_dir, "log.sync=interval");
    linear_bed_start_clients(SIZE_MAX, 1000);
    linear_bed_wait(1000);
    for (size_t i = 0; i < n_stops; i++, slot = !slot) {
        pid_t pid = linear_bed_worker(slot);

        stop_in_read_section(pid, 7 * i);
        go_on_beside_it();
        ck_assert_int_eq(kill(pid, SIGCONT), 0);
        linear_board_wait_grace(linear_board_grace_periods());
        linear_bed_wait(500);
    }
    ck_assert(!system_server_has_line(linear_bed_server, "killing worker"));
    stopped_ms = system_now_ms();
    stop_in_read_section(linear_bed_worker(slot), 3);
    linear_bed_wait(1000);
    system_server_wait_line(linear_bed_server, "killing worker");
    ck_assert_int_ge(system_now_ms() - stopped_ms, LINEAR_STUCK_TIMEOUT_MS - STUCK_SEEN_MS);
    system_server_wait_line(linear_bed_server, "starting another");
    linear_board_wait_grace(linear_board_grace_periods());
    linear_bed_wait(1000);
    snprintf(what, sizeof what, "workers stopped %zu times for %d s%s, and one for good", n_stops, STOP_MS / 1000,
             is_traced ? " in a read section" : " somewhere, without strace");
    linear_bed_finish(what);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("linear stopped");
    TCase *tcase = tcase_create("stopped");

    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_checked_fixture(tcase, linear_bed_setup, linear_bed_teardown);
    tcase_set_timeout(tcase, linear_bed_timeout_s());
    tcase_add_test(tcase, stopped_workers_leave_it_linearizable);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* Histories of clients that use all workers at once, while data files are merged, are linearizable: of a server that
 * nothing else happens to, and of one whose workers are killed, and whose master is killed and started
 * again. RK_LONG=1 in the environment asks for the figures of `make check-long`. */
#include "linear_bed.h"
#include "linear_board.h"
#include "linear_probe.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NS_PER_MS     1000000ull
#define KILL_EVERY_MS 100
#define N_KILLS_MAX   20000

static const char *const sync_modes[] = { "log.sync=always", "log.sync=interval", "log.sync=none" };

START_TEST(a_quiet_server_is_linearizable)
{
    size_t n_ops = linear_bed_figure(200000, 5000000);
    uint64_t begin = linear_now_ns();

    linear_bed_start_server(linear_bed_dir, "log.sync=interval");
    linear_bed_start_clients(n_ops, 0);
    (void)linear_driver_wait(linear_bed_driver, n_ops, linear_bed_limit_ms()); /* as many as there are by then */
    ck_assert_uint_gt(linear_driver_n_answered(linear_bed_driver), LINEAR_N_CLIENTS * 100);
    printf("%.1f s of load\n", (double)(linear_now_ns() - begin) / 1e9);
    linear_bed_finish("quiet");
}
END_TEST

START_TEST(always_synced_writes_are_linearizable)
{
    size_t n_ops = linear_bed_figure(60000, 500000);

    linear_bed_start_server(linear_bed_dir, "log.sync=always");
    linear_bed_start_clients(n_ops, 0);
    (void)linear_driver_wait(linear_bed_driver, n_ops, linear_bed_limit_ms() / 6);
    ck_assert_uint_gt(linear_driver_n_answered(linear_bed_driver), LINEAR_N_CLIENTS * 10);
    linear_bed_finish("log.sync=always");
}
END_TEST

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void print_times(const char *what, uint64_t *times, size_t n)
{
    qsort(times, n, sizeof *times, by_size);
    printf("%zu workers killed; from the kill to %s: median %.1f ms, p99 %.1f ms, longest %.1f ms\n", n, what,
           (double)times[n / 2] / 1e6, (double)times[n * 99 / 100] / 1e6, (double)times[n - 1] / 1e6);
}

/* Where all processors are busy, other things take their time than where one is idle. */
static const struct {
    const char *what;
    unsigned think_us;
    size_t usual, of_long_run; /* kills */
} kill_loads[] = {
    { "workers killed", 2000, 300, N_KILLS_MAX },
    { "workers killed, full load", 0, 50, 300 },
};

START_TEST(killed_workers_leave_it_linearizable)
{
    static uint64_t times[N_KILLS_MAX], grace_times[N_KILLS_MAX];
    static struct linear_probes probes;
    size_t n_kills = linear_bed_figure(kill_loads[_i].usual, kill_loads[_i].of_long_run), n_times = 0;
    uint32_t random = (uint32_t)getpid();
    pid_t master;

    linear_bed_start_server(linear_bed_dir, "log.sync=none");
    master = system_server_pid(linear_bed_server);
    linear_probes_open(&probes, system_server_port(linear_bed_server));
    linear_bed_start_clients(SIZE_MAX, kill_loads[_i].think_us);
    linear_bed_wait(1000);
    for (size_t i = 0; i < n_kills; i++) {
        uint64_t n_periods = linear_board_grace_periods(), begin = linear_now_ns(), took;
        int slot;

        random = random * 1664525u + 1013904223u;
        slot = (int)(random >> 16) % LINEAR_N_WORKERS;
        took = linear_probes_kill(&probes, linear_bed_worker(slot), slot);
        if (took > 0) {
            times[n_times++] = took;
            linear_driver_note_outage(linear_bed_driver, LINEAR_WORKER_KILLED, begin, begin + took);
        }
        linear_board_wait_grace(n_periods);
        grace_times[i] = linear_now_ns() - begin;
        linear_probes_rest(&probes, begin + KILL_EVERY_MS * NS_PER_MS);
    }
    linear_bed_wait(1000);
    linear_bed_finish(kill_loads[_i].what);
    print_times("the first answer of the replacement", times, n_times);
    print_times("the end of the next grace period", grace_times, n_kills);
    ck_assert_uint_gt(n_times, n_kills / 4);
    ck_assert_int_eq(system_server_pid(linear_bed_server), master);
    ck_assert_int_eq(kill(master, 0), 0);
    linear_probes_close(&probes);
}
END_TEST

START_TEST(a_killed_master_leaves_it_linearizable)
{
    size_t n_kills = linear_bed_figure(50, 1700);
    char what[64];

    linear_bed_start_server(linear_bed_dir, sync_modes[_i]);
    linear_bed_start_clients(SIZE_MAX, 500);
    for (size_t i = 0; i < n_kills; i++) {
        pid_t workers[LINEAR_N_WORKERS];
        unsigned n_workers;

        linear_bed_wait(500 + i % 7 * 600);
        n_workers = system_server_workers(linear_bed_server, workers, LINEAR_N_WORKERS);
        linear_bed_restart_server(linear_bed_dir, sync_modes[_i]);
        for (unsigned at = 0; at < n_workers; at++)
            ck_assert_msg(linear_worker_slot(workers[at]) < 0, "a worker of the dead master lives");
    }
    linear_bed_wait(500);
    snprintf(what, sizeof what, "%s, master killed %zu times", sync_modes[_i], n_kills);
    linear_bed_finish(what);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, linear_bed_setup, linear_bed_teardown);
    tcase_set_timeout(tcase, linear_bed_timeout_s());
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("linear server");

    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_test(add_case(suite, "quiet"), a_quiet_server_is_linearizable);
    tcase_add_test(add_case(suite, "synced"), always_synced_writes_are_linearizable);
    tcase_add_loop_test(add_case(suite, "workers"), killed_workers_leave_it_linearizable, 0, 2);
    tcase_add_loop_test(add_case(suite, "master"), a_killed_master_leaves_it_linearizable, 0, 3);
    return suite;
}

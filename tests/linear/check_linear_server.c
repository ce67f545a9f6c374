/* Histories of clients that use all workers at once are linearizable: of a server that nothing happens to, and of one
 * whose workers are killed and stopped, and whose master is killed and started again. RK_LONG=1 in
 * the environment asks for the figures of `make check-long`. */
#include "linear_driver.h"
#include "linear_grace.h"
#include "linear_probe.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_MS     1000000ull
#define KILL_EVERY_MS 100
#define N_CLIENTS     16
#define N_KEYS        8
#define N_WORKERS     2
#define N_KILLS_MAX   20000
#define LOAD_LIMIT_MS 60000

#if defined(__SANITIZE_ADDRESS__)
#define SLOW 10
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW 10
#endif
#endif
#ifndef SLOW
#define SLOW 1
#endif

static char *dir;
static struct system_server *server;
static struct linear_driver *driver;
static char why[LINEAR_WHY_BYTES];

static bool is_long_run(void)
{
    const char *text = getenv("RK_LONG");

    return text != NULL && text[0] != '\0';
}

/* A figure of make check, smaller under the sanitizers; or that of make check-long. */
static size_t figure(size_t usual, size_t of_long_run)
{
    return is_long_run() ? of_long_run : (usual + SLOW - 1) / SLOW;
}

static long load_limit_ms(void)
{
    return is_long_run() ? 10 * LOAD_LIMIT_MS : LOAD_LIMIT_MS;
}

static void setup(void)
{
    dir = test_dir_create();
    server = NULL;
    driver = NULL;
}

static void teardown(void)
{
    linear_driver_destroy(&driver);
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static void start_server(const char *sync)
{
    const char *arguments[] = { "-o", sync,
                                "-o", "server.workers=2",
                                "-o", "limits.max_value=1MiB",
                                "-o", "log.file_size=8MiB",
                                "-o", "worker.stuck_timeout=3s",
                                NULL };

    server = system_server_start(dir, arguments);
}

static void start_clients(size_t n_ops_max, unsigned think_us)
{
    driver = linear_driver_start(&(struct linear_driver_settings){ .n_clients = N_CLIENTS,
                                                                   .n_keys = N_KEYS,
                                                                   .n_ops_max = n_ops_max,
                                                                   .think_us = think_us,
                                                                   .seed = (uint32_t)getpid() });
    linear_driver_serve(driver, system_server_port(server));
}

static void wait_for_answers(size_t n)
{
    ck_assert_msg(linear_driver_wait(driver, n, SYSTEM_DEADLINE_MS), "no progress: %zu answers",
                  linear_driver_n_answered(driver));
}

static void finish(const char *what)
{
    linear_driver_stop(driver);
    ck_assert_msg(linear_driver_check(driver, what, why), "%s", why);
}

/* The worker of the slot; waits for it when it is being started. */
static pid_t worker_of_slot(int slot)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (system_now_ms() < deadline) {
        pid_t pids[2 * N_WORKERS];
        unsigned n = system_server_workers(server, pids, 2 * N_WORKERS);

        for (unsigned i = 0; i < n; i++)
            if (linear_worker_slot(pids[i]) == slot)
                return pids[i];
        usleep(1000);
    }
    ck_abort_msg("slot %d has no worker", slot);
    return -1;
}

static const char *const sync_modes[] = { "log.sync=always", "log.sync=interval", "log.sync=none" };

START_TEST(a_quiet_server_is_linearizable)
{
    size_t n_ops = figure(200000, 5000000);
    uint64_t begin = linear_now_ns();

    start_server("log.sync=interval");
    start_clients(n_ops, 0);
    (void)linear_driver_wait(driver, n_ops, load_limit_ms()); /* as many as there are by then */
    ck_assert_uint_gt(linear_driver_n_answered(driver), N_CLIENTS * 100);
    printf("%.1f s of load\n", (double)(linear_now_ns() - begin) / 1e9);
    finish("quiet");
}
END_TEST

START_TEST(always_synced_writes_are_linearizable)
{
    size_t n_ops = figure(20000, 500000);

    start_server("log.sync=always");
    start_clients(n_ops, 0);
    (void)linear_driver_wait(driver, n_ops, load_limit_ms() / 6);
    ck_assert_uint_gt(linear_driver_n_answered(driver), N_CLIENTS * 10);
    finish("log.sync=always");
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
    { "workers killed", 2000, 300, 3000 },
    { "workers killed, full load", 0, 50, 300 },
};

START_TEST(killed_workers_leave_it_linearizable)
{
    static uint64_t times[N_KILLS_MAX], grace_times[N_KILLS_MAX];
    static struct linear_probes probes;
    size_t n_kills = figure(kill_loads[_i].usual, kill_loads[_i].of_long_run), n_times = 0;
    uint32_t random = (uint32_t)getpid();
    pid_t master;

    start_server("log.sync=none");
    master = system_server_pid(server);
    linear_grace_open(master);
    linear_probes_open(&probes, system_server_port(server));
    start_clients(SIZE_MAX, kill_loads[_i].think_us);
    wait_for_answers(1000);
    for (size_t i = 0; i < n_kills; i++) {
        uint64_t n_periods = linear_grace_count(), begin = linear_now_ns(), took;
        int slot;

        random = random * 1664525u + 1013904223u;
        slot = (int)(random >> 16) % N_WORKERS;
        took = linear_probes_kill(&probes, worker_of_slot(slot), slot);
        if (took > 0) {
            times[n_times++] = took;
            linear_driver_note_outage(driver, begin, begin + took);
        }
        linear_grace_wait(n_periods);
        grace_times[i] = linear_now_ns() - begin;
        linear_probes_rest(&probes, begin + KILL_EVERY_MS * NS_PER_MS);
    }
    wait_for_answers(1000);
    finish(kill_loads[_i].what);
    print_times("the first answer of the replacement", times, n_times);
    print_times("the end of the next grace period", grace_times, n_kills);
    ck_assert_uint_gt(n_times, n_kills / 4);
    ck_assert_int_eq(system_server_pid(server), master);
    ck_assert_int_eq(kill(master, 0), 0);
    linear_probes_close(&probes);
}
END_TEST

/* While a worker stands still, wherever that caught it, the other goes on; then it goes on itself. The last one is not
 * continued: it is killed and replaced. */
START_TEST(stopped_workers_leave_it_linearizable)
{
    size_t n_stops = figure(5, 50);
    int slot = 0;

    start_server("log.sync=interval");
    start_clients(SIZE_MAX, 1000);
    wait_for_answers(1000);
    for (size_t i = 0; i < n_stops; i++, slot = !slot) {
        pid_t pid = worker_of_slot(slot);

        ck_assert_int_eq(kill(pid, SIGSTOP), 0);
        wait_for_answers(1500);
        ck_assert_int_eq(kill(pid, SIGCONT), 0);
        wait_for_answers(500);
    }
    ck_assert(!system_server_has_line(server, "killing worker"));
    ck_assert_int_eq(kill(worker_of_slot(slot), SIGSTOP), 0);
    wait_for_answers(1000);
    system_server_wait_line(server, "killing worker");
    system_server_wait_line(server, "starting another");
    wait_for_answers(1000);
    finish("workers stopped");
}
END_TEST

START_TEST(a_killed_master_leaves_it_linearizable)
{
    size_t n_kills = figure(50, 50);
    char what[64];

    start_server(sync_modes[_i]);
    start_clients(SIZE_MAX, 500);
    for (size_t i = 0; i < n_kills; i++) {
        pid_t workers[N_WORKERS];
        unsigned n_workers;
        uint64_t begin;

        wait_for_answers(500 + i % 7 * 100);
        n_workers = system_server_workers(server, workers, N_WORKERS);
        begin = linear_now_ns();
        ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
        start_server(sync_modes[_i]);
        linear_driver_note_outage(driver, begin, linear_now_ns());
        for (unsigned at = 0; at < n_workers; at++)
            ck_assert_msg(linear_worker_slot(workers[at]) < 0, "a worker of the dead master lives");
        linear_driver_serve(driver, system_server_port(server));
    }
    wait_for_answers(500);
    snprintf(what, sizeof what, "%s, master killed %zu times", sync_modes[_i], n_kills);
    finish(what);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, is_long_run() ? 7200 : 300);
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
    tcase_add_test(add_case(suite, "stopped"), stopped_workers_leave_it_linearizable);
    tcase_add_loop_test(add_case(suite, "master"), a_killed_master_leaves_it_linearizable, 0, 3);
    return suite;
}

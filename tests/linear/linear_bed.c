#include "linear_bed.h"

#include "linear_board.h"
#include "linear_probe.h"
#include "test_dir.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_KEYS        8
#define N_COLD_KEYS   64
#define LOAD_LIMIT_MS 60000

char *linear_bed_dir;
struct system_server *linear_bed_server;
struct linear_driver *linear_bed_driver;

static uint64_t n_merges, n_merged_records; /* of servers that have ended */

static bool is_long_run(void)
{
    const char *text = getenv("RK_LONG");

    return text != NULL && text[0] != '\0';
}

size_t linear_bed_figure(size_t usual, size_t of_long_run)
{
    return is_long_run() ? of_long_run : (usual + LINEAR_BED_SLOW - 1) / LINEAR_BED_SLOW;
}

long linear_bed_limit_ms(void)
{
    return is_long_run() ? 10 * LOAD_LIMIT_MS : LOAD_LIMIT_MS;
}

int linear_bed_timeout_s(void)
{
    return is_long_run() ? 4 * 3600 : 300;
}

void linear_bed_setup(void)
{
    linear_bed_dir = test_dir_create();
    linear_bed_server = NULL;
    linear_bed_driver = NULL;
    n_merges = n_merged_records = 0;
}

void linear_bed_teardown(void)
{
    linear_driver_destroy(&linear_bed_driver);
    if (linear_bed_server != NULL)
        ck_assert_int_eq(system_server_stop(&linear_bed_server, SIGTERM), 0);
    test_dir_remove(&linear_bed_dir);
}

void linear_bed_start_server(const char *folder, const char *setting)
{
    char stuck_timeout[64];
    const char *arguments[] = { "-o", setting,
                                "-o", "server.workers=2",
                                "-o", "limits.max_value=512KiB",
                                "-o", "ring.size=4MiB",
                                "-o", "log.sync_interval=20ms",
                                "-o", "log.file_size=1MiB",
                                "-o", "log.reserve=512KiB",
                                "-o", "merge.check_interval=100ms",
                                "-o", "merge.jitter=0",
                                "-o", "merge.threshold.dead_bytes=1",
                                "-o", "merge.trigger.dead_bytes=1",
                                "-o", "merge.min_free=0",
                                "-o", stuck_timeout,
                                NULL };

    snprintf(stuck_timeout, sizeof stuck_timeout, "worker.stuck_timeout=%dms", LINEAR_STUCK_TIMEOUT_MS);
    linear_bed_server = system_server_start(folder, arguments);
    linear_board_open(system_server_pid(linear_bed_server));
}

static void count_merges(void)
{
    n_merges += linear_board_merges();
    n_merged_records += linear_board_merged_records();
}

void linear_bed_kill_server(void)
{
    count_merges();
    ck_assert_int_eq(system_server_stop(&linear_bed_server, SIGKILL), -SIGKILL);
}

void linear_bed_restart_server(const char *folder, const char *setting)
{
    uint64_t begin = linear_now_ns();

    linear_bed_kill_server();
    linear_bed_start_server(folder, setting);
    linear_driver_note_outage(linear_bed_driver, LINEAR_MASTER_KILLED, begin, linear_now_ns());
    linear_driver_serve(linear_bed_driver, system_server_port(linear_bed_server));
}

void linear_bed_start_clients(size_t n_ops_max, unsigned think_us)
{
    linear_bed_driver = linear_driver_start(&(struct linear_driver_settings){ .n_clients = LINEAR_N_CLIENTS,
                                                                              .n_keys = N_KEYS,
                                                                              .n_cold_keys = N_COLD_KEYS,
                                                                              .n_ops_max = n_ops_max,
                                                                              .think_us = think_us,
                                                                              .seed = (uint32_t)getpid() });
    linear_driver_serve(linear_bed_driver, system_server_port(linear_bed_server));
}

void linear_bed_wait(size_t n_answers)
{
    ck_assert_msg(linear_driver_wait(linear_bed_driver, n_answers, SYSTEM_DEADLINE_MS), "no progress: %zu answers",
                  linear_driver_n_answered(linear_bed_driver));
}

static void wait_for_merges(void)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (n_merged_records + linear_board_merged_records() == 0) {
        ck_assert_msg(system_now_ms() < deadline, "%" PRIu64 " merges, and none has copied anything",
                      n_merges + linear_board_merges());
        usleep(1000);
    }
}

void linear_bed_finish(const char *what)
{
    char why[LINEAR_WHY_BYTES];

    wait_for_merges();
    linear_driver_stop(linear_bed_driver);
    ck_assert_msg(linear_driver_check(linear_bed_driver, what, why), "%s", why);
    count_merges();
    printf("%s: beside them %" PRIu64 " merges copied %" PRIu64 " records\n", what, n_merges, n_merged_records);
}

pid_t linear_bed_worker(int slot)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (system_now_ms() < deadline) {
        pid_t pids[2 * LINEAR_N_WORKERS];
        unsigned n = system_server_workers(linear_bed_server, pids, 2 * LINEAR_N_WORKERS);

        for (unsigned i = 0; i < n; i++)
            if (linear_worker_slot(pids[i]) == slot)
                return pids[i];
        usleep(1000);
    }
    ck_abort_msg("slot %d has no worker", slot);
    return -1;
}

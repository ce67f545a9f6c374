/* Histories of clients whose server's disk fails under it, while data files are merged, are linearizable: the disk is
 * full again and again, and calls of the master fail, after which it goes on or is killed and started again. RK_LONG=1
 * in the environment asks for the figures of `make check-long`. */
#include "linear_bed.h"
#include "system_disk.h"
#include "system_tracer.h"
#include "test_main.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define N_REFUSED     200
#define N_WRITTEN     2000
#define FAULT_EVERY   20 /* calls of a kind: of each thread, the n-th and so many after it */
#define RESTART_EVERY 3  /* rounds, at least: what a fault has left wrong only a recovery shows */

static void wait_for_writes(size_t n_more)
{
    size_t until = linear_driver_n_written(linear_bed_driver) + n_more;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (linear_driver_n_written(linear_bed_driver) < until) {
        ck_assert_msg(system_now_ms() < deadline, "%zu writes were done, and no more",
                      linear_driver_n_written(linear_bed_driver));
        usleep(1000);
    }
}

static void keep_full_until_refused(const char *ballast, size_t n_more)
{
    size_t until = linear_driver_n_refused(linear_bed_driver) + n_more;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (linear_driver_n_refused(linear_bed_driver) < until) {
        ck_assert_msg(system_now_ms() < deadline, "%zu writes were refused, and no more",
                      linear_driver_n_refused(linear_bed_driver));
        system_disk_fill(ballast);
        usleep(1000);
    }
}

START_TEST(a_disk_that_is_full_leaves_it_linearizable)
{
    size_t n_rounds = linear_bed_figure(10, 100);
    char disk[256], ballast[300], what[64];

    if (!system_disk_mount(linear_bed_dir, disk, sizeof disk))
        return;
    snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    linear_bed_start_server(disk, "log.sync=interval");
    linear_bed_start_clients(SIZE_MAX, 100);
    for (size_t i = 0; i < n_rounds; i++) {
        wait_for_writes(N_WRITTEN);
        keep_full_until_refused(ballast, N_REFUSED);
        if (i % RESTART_EVERY == 0) /* on the full disk */
            linear_bed_restart_server(disk, "log.sync=interval");
        ck_assert_int_eq(unlink(ballast), 0);
    }
    wait_for_writes(N_WRITTEN);
    linear_bed_restart_server(disk, "log.sync=interval");
    snprintf(what, sizeof what, "disk full %zu times", n_rounds);
    linear_bed_finish(what);
    linear_bed_kill_server();
    system_disk_unmount(disk);
}
END_TEST

/* Of the master: of the writer, the syncer, and who merges. */
static const char *const faults[] = {
    "pwritev:error=EIO",   "pwritev:error=ENOSPC", "fdatasync:error=EIO", "fsync:error=EIO",    "openat:error=EMFILE",
    "fallocate:error=EIO", "ftruncate:error=EIO",  "renameat:error=EIO",  "unlinkat:error=EIO", "pread64:error=EIO",
};
#define N_FAULTS (sizeof faults / sizeof faults[0])

static const char *const sync_modes[] = { "log.sync=always", "log.sync=interval", "log.sync=none" };

/* Some calls of this kind fail, and clients go on; false when that is not possible. */
static bool fail_calls(const char *fault, size_t first)
{
    char expression[128], trace[300];
    const char *expressions[] = { expression, NULL };
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    struct system_tracer *tracer;

    snprintf(trace, sizeof trace, "%s.trace", linear_bed_dir);
    snprintf(expression, sizeof expression, "inject=%s:when=%zu+%d", fault, 1 + first % FAULT_EVERY, FAULT_EVERY);
    tracer = system_tracer_attach_logged(system_server_pid(linear_bed_server), expressions, trace);
    if (tracer == NULL)
        return false;
    do {
        ck_assert_msg(system_now_ms() < deadline, "%s: there is no such call", fault);
        linear_bed_wait(500);
    } while (!system_tracer_has_logged(trace, "(INJECTED)"));
    system_tracer_detach(&tracer);
    (void)unlink(trace);
    return true;
}

START_TEST(calls_that_fail_leave_it_linearizable)
{
    size_t n_rounds = linear_bed_figure(N_FAULTS * LINEAR_BED_SLOW, FAULT_EVERY * N_FAULTS), n_read_only = 0;
    char what[96];

    linear_bed_start_server(linear_bed_dir, sync_modes[_i]);
    linear_bed_start_clients(SIZE_MAX, 100);
    for (size_t i = 0; i < n_rounds; i++) {
        bool is_read_only;

        linear_bed_wait(1000);
        if (!fail_calls(faults[i % N_FAULTS], i / N_FAULTS)) {
            ck_assert_msg(i == 0, "round %zu: strace does not attach any more", i);
            return;
        }
        linear_bed_wait(200);
        is_read_only = system_server_has_line(linear_bed_server, "writes are refused until a restart");
        n_read_only += is_read_only;
        if (is_read_only || i % RESTART_EVERY == 0)
            linear_bed_restart_server(linear_bed_dir, sync_modes[_i]);
    }
    wait_for_writes(N_WRITTEN);
    linear_bed_restart_server(linear_bed_dir, sync_modes[_i]);
    snprintf(what, sizeof what, "%s, calls failed in %zu rounds, %zu times writes ended", sync_modes[_i], n_rounds,
             n_read_only);
    linear_bed_finish(what);
    ck_assert_uint_gt(linear_driver_n_refused(linear_bed_driver), 0);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("linear faults");
    TCase *tcase = tcase_create("faults");

    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_checked_fixture(tcase, linear_bed_setup, linear_bed_teardown);
    tcase_set_timeout(tcase, linear_bed_timeout_s());
    tcase_add_test(tcase, a_disk_that_is_full_leaves_it_linearizable);
    tcase_add_loop_test(tcase, calls_that_fail_leave_it_linearizable, 0, sizeof sync_modes / sizeof sync_modes[0]);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* Histories of clients whose server's disk fails under it, while data files are merged, are linearizable: the disk is
 * full again and again, and calls of the master fail, after which it goes on or is killed and started again. RK_LONG=1
 * in the environment asks for the figures of `make check-long`. */
#include "linear_bed.h"
#include "system_disk.h"
#include "system_tracer.h"
#include "test_main.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BALLAST_STEP_BYTES (256 << 10)
#define N_REFUSED          200
#define N_WRITTEN          2000

/* Takes all the space that there is. */
static void fill_disk(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    off_t size = 0;
    int err;

    ck_assert_int_ge(fd, 0);
    while ((err = posix_fallocate(fd, size, BALLAST_STEP_BYTES)) == 0)
        size += BALLAST_STEP_BYTES;
    ck_assert_int_eq(err, ENOSPC);
    close(fd);
}

/* Until a count of the driver's has grown. */
static void wait_for(size_t (*count)(const struct linear_driver *), size_t n_more, const char *what)
{
    size_t until = count(linear_bed_driver) + n_more;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (count(linear_bed_driver) < until) {
        ck_assert_msg(system_now_ms() < deadline, "%zu %s, and no more", count(linear_bed_driver), what);
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
        wait_for(linear_driver_n_written, N_WRITTEN, "writes were done");
        fill_disk(ballast);
        wait_for(linear_driver_n_refused, N_REFUSED, "writes were refused");
        ck_assert_int_eq(unlink(ballast), 0);
    }
    wait_for(linear_driver_n_written, N_WRITTEN, "writes were done");
    snprintf(what, sizeof what, "disk full %zu times", n_rounds);
    linear_bed_finish(what);
    ck_assert_int_eq(linear_bed_stop_server(SIGTERM), 0);
    system_disk_unmount(disk);
}
END_TEST

/* Of the master: of the writer, the syncer, and who merges. */
static const char *const faults[] = {
    "pwritev:error=EIO",   "pwrite64:error=EIO",  "fdatasync:error=EIO",  "fsync:error=EIO",
    "openat:error=EMFILE", "fallocate:error=EIO", "ftruncate:error=EIO",  "renameat:error=EIO",
    "unlinkat:error=EIO",  "pread64:error=EIO",   "pwritev:error=ENOSPC",
};
#define N_FAULTS (sizeof faults / sizeof faults[0])

static const char *const sync_modes[] = { "log.sync=always", "log.sync=interval", "log.sync=none" };

/* Some calls of this kind fail, and clients go on; whether that was possible. */
static bool fail_calls(const char *fault, size_t first)
{
    char expression[128];
    const char *expressions[] = { expression, NULL };
    struct system_tracer *tracer;

    snprintf(expression, sizeof expression, "inject=%s:when=%zu+%u", fault, 1 + first, 20);
    tracer = system_tracer_attach(system_server_pid(linear_bed_server), expressions);
    if (tracer == NULL)
        return false;
    linear_bed_wait(1000);
    system_tracer_detach(&tracer);
    return true;
}

START_TEST(calls_that_fail_leave_it_linearizable)
{
    size_t n_rounds = linear_bed_figure(N_FAULTS * LINEAR_BED_SLOW, 20 * N_FAULTS), n_read_only = 0;
    char what[96];

    linear_bed_start_server(linear_bed_dir, sync_modes[_i]);
    linear_bed_start_clients(SIZE_MAX, 100);
    for (size_t i = 0; i < n_rounds; i++) {
        uint64_t begin;

        linear_bed_wait(1000);
        if (!fail_calls(faults[i % N_FAULTS], i / N_FAULTS))
            return;
        linear_bed_wait(200);
        if (!system_server_has_line(linear_bed_server, "writes are refused until a restart"))
            continue;
        n_read_only++;
        begin = linear_now_ns();
        ck_assert_int_eq(linear_bed_stop_server(SIGKILL), -SIGKILL);
        linear_bed_start_server(linear_bed_dir, sync_modes[_i]);
        linear_driver_note_outage(linear_bed_driver, begin, linear_now_ns());
        linear_driver_serve(linear_bed_driver, system_server_port(linear_bed_server));
    }
    wait_for(linear_driver_n_written, N_WRITTEN, "writes were done");
    snprintf(what, sizeof what, "%s, calls failed in %zu rounds, %zu times writes ended", sync_modes[_i], n_rounds,
             n_read_only);
    linear_bed_finish(what);
    ck_assert_uint_gt(linear_driver_n_refused(linear_bed_driver), 0);
    ck_assert(n_read_only > 0 || strcmp(sync_modes[_i], "log.sync=none") == 0);
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

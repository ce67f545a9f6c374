/* A store that is full of dead bytes frees itself: on real small file systems, values are overwritten until the disk
 * has been full many times, and each put that was refused is taken a moment later. Whatever the settings say, and
 * whoever filled the disk. */
#include "system_client.h"
#include "system_disk.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RETRY_US     20000
#define LARGE_BYTES  (100u << 10)
#define SMALL_BYTES  1000u
#define LIVE_PERCENT 40
#define N_ROUNDS     (TEST_SANITIZED ? 2 : 4) /* each key is overwritten about so often */
#define KEYS_MAX     400000u

static const struct {
    const char *kind;
    unsigned mib; /* as few as it can have, or not many more */
} disks[] = { { "tmpfs", 48 }, { "ext4", 48 }, { "xfs", 300 }, { "btrfs", 128 } };

#define N_DISKS (int)(sizeof disks / sizeof disks[0])

static char *dir, disk[256], ballast[300];
static struct system_server *server;
static struct system_client client;
static bool is_mounted;
static uint32_t *values; /* by key: of which round */
static unsigned disk_mib, n_keys, value_bytes, n_refused;
static long longest_ms;
static uint64_t dice;

static void setup(void)
{
    dir = test_dir_create();
    client.fd = -1;
    values = calloc(KEYS_MAX, sizeof *values);
    dice = 88172645463325252u;
}

static void stop_server(int signal)
{
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, signal), signal == SIGTERM ? 0 : -signal);
}

static void teardown(void)
{
    if (server != NULL)
        stop_server(SIGTERM);
    if (is_mounted)
        system_disk_unmount(disk);
    free(values);
    test_dir_remove(&dir);
}

static uint64_t disk_bytes(bool is_free)
{
    struct statvfs status;

    ck_assert_int_eq(statvfs(disk, &status), 0);
    return (uint64_t)(is_free ? status.f_bavail : status.f_blocks) * status.f_frsize;
}

static bool mount_disk(int kind)
{
    const char *asked = getenv("RK_SPACE_MIB"); /* a larger one: 600 for what was first seen */

    disk_mib = asked != NULL ? (unsigned)strtoul(asked, NULL, 10) : disks[kind].mib;
    is_mounted = system_disk_mount_kind(dir, disks[kind].kind, disk_mib, disk, sizeof disk);
    snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    return is_mounted;
}

static void start_server(const char *const *settings)
{
    const char *arguments[32] = { "-o", "server.workers=1", "-o", "limits.max_value=1MiB" };
    size_t n = 4;

    for (size_t i = 0; settings[i] != NULL; i++) {
        arguments[n++] = "-o";
        arguments[n++] = settings[i];
    }
    server = system_server_start(disk, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

static unsigned random_below(unsigned below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice % below);
}

static const char *target_of(unsigned key)
{
    static char target[32];

    snprintf(target, sizeof target, "/v1/kv/s%u", key);
    return target;
}

/* Until it is taken. */
static void put(unsigned key)
{
    static char value[LARGE_BYTES];
    long begin_ms = system_now_ms(), took_ms;
    int status;

    memset(value, (int)(key + values[key]), value_bytes);
    snprintf(value, sizeof value, "%u.%u", key, ++values[key]);
    while ((status = system_client_status(&client, "PUT", target_of(key), value, value_bytes)) == 507) {
        n_refused++;
        ck_assert_msg(system_now_ms() - begin_ms < SYSTEM_DEADLINE_MS, "puts are refused for good: %llu bytes free",
                      (unsigned long long)disk_bytes(true));
        usleep(RETRY_US);
    }
    ck_assert_int_eq(status, values[key] == 1 ? 201 : 204);
    took_ms = system_now_ms() - begin_ms;
    longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
}

static void check_values(void)
{
    for (unsigned key = 0; key < n_keys; key++) {
        char text[32];

        snprintf(text, sizeof text, "%u.%u", key, values[key]);
        system_client_check(&client, target_of(key), 200, text);
    }
}

/* Keys for so much of what is free, each of them put, and put again. */
static void overwrite(unsigned size, unsigned percent, unsigned n_rounds)
{
    value_bytes = size;
    n_keys = (unsigned)(disk_bytes(true) / 100 * percent / (size + 64));
    ck_assert_uint_gt(n_keys, 0);
    ck_assert_uint_le(n_keys, KEYS_MAX);
    for (unsigned key = 0; key < n_keys; key++)
        put(key);
    for (unsigned i = 0; i < n_keys * n_rounds; i++)
        put(random_below(n_keys));
}

static void report(int kind, const char *what)
{
    printf("%s, %u MiB, %s: %u keys of %u bytes; %u puts refused, the longest wait %ld ms\n", disks[kind].kind,
           disk_mib, what, n_keys, value_bytes, n_refused, longest_ms);
}

static void check_after_restart(const char *const *settings)
{
    check_values();
    stop_server(SIGKILL);
    start_server(settings);
    check_values();
}

START_TEST(overwritten_values_come_back_as_space)
{
    static const char *const settings[] = { "log.file_size=4MiB", "log.sync=none", NULL };

    if (!mount_disk(_i))
        return;
    start_server(settings);
    overwrite(LARGE_BYTES, LIVE_PERCENT, N_ROUNDS);
    report(_i, "defaults");
    check_after_restart(settings);
}
END_TEST

/* One file, larger than the disk, and nobody who would merge it: only holes can help. */
START_TEST(no_setting_keeps_it_full)
{
    static const char *const settings[] = { "log.file_size=4GiB",
                                            "log.sync=none",
                                            "merge.policy=never",
                                            "merge.rate=1KiB",
                                            "merge.min_free=100GiB",
                                            "log.reserve=0",
                                            NULL };

    if (!mount_disk(_i))
        return;
    start_server(settings);
    overwrite(LARGE_BYTES, LIVE_PERCENT, N_ROUNDS);
    ck_assert_uint_gt(n_refused, 0);
    report(_i, "all settings against it");
    check_after_restart(settings);
}
END_TEST

/* No block has only dead records in it: something must be copied, in pieces. */
START_TEST(small_values_come_back_as_space)
{
    static const char *const settings[] = { "log.file_size=4GiB", "log.sync=none", "merge.policy=never", NULL };

    if (!mount_disk(_i))
        return;
    if (strcmp(disks[_i].kind, "xfs") == 0 && getenv("RK_SPACE_LONG") == NULL)
        return; /* 300 MiB of small values take a while */
    start_server(settings);
    overwrite(SMALL_BYTES, LIVE_PERCENT, 2);
    ck_assert_uint_gt(n_refused, 0);
    report(_i, "small values");
    check_after_restart(settings);
}
END_TEST

static void put_some(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        put(random_below(n_keys));
}

/* Somebody else takes all that is left, to the last block; some of what the store has is dead. */
START_TEST(a_disk_that_others_filled_comes_back)
{
    static const char *const settings[] = { "log.file_size=4MiB", "log.sync=none", "merge.policy=never", NULL };

    if (!mount_disk(_i))
        return;
    start_server(settings);
    overwrite(LARGE_BYTES, 20, 0);
    for (unsigned i = 0; i < 3; i++) {
        put_some(60);
        system_disk_fill(ballast);
        put_some(20);
        ck_assert_int_eq(unlink(ballast), 0);
    }
    report(_i, "filled by others");
    check_values();
    put_some(60);
    system_disk_fill(ballast);
    stop_server(SIGTERM);
    system_disk_fill(ballast);
    start_server(settings); /* and it starts on a full disk */
    put(0);
    check_values();
}
END_TEST

START_TEST(deletes_go_on_when_it_is_full)
{
    static const char *const settings[] = { "log.file_size=4MiB", "log.sync=none", "merge.policy=never", NULL };
    unsigned n = 0;

    if (!mount_disk(_i))
        return;
    start_server(settings);
    value_bytes = LARGE_BYTES;
    while (n < 200 && n < disk_bytes(true) / LARGE_BYTES / 2)
        put(n++);
    n_keys = n;
    system_disk_fill(ballast);
    for (unsigned key = 0; key < n / 2; key++)
        ck_assert_int_eq(system_client_status(&client, "DELETE", target_of(key), NULL, 0), 204);
    for (unsigned key = 0; key < n / 2; key++)
        system_client_check(&client, target_of(key), 404, "");
    put(n - 1);
    report(_i, "deletes");
}
END_TEST

static void limit_files(void)
{
    struct rlimit limit = { 64 << 20, 64 << 20 };

    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* Else puts fail one day, and for good. */
START_TEST(a_limit_of_files_below_file_size_is_refused)
{
    const char *arguments[] = { "-o", "log.file_size=65MiB", NULL };

    server = system_server_launch(dir, arguments, limit_files);
    ck_assert(!system_server_wait_serving(server));
    ck_assert(system_server_has_line(server, "limit of a file's size (ulimit -f)"));
    ck_assert_int_eq(system_server_stop(&server, 0), 1);
}
END_TEST

/* 5 MB of values, twice as much on the disk at most, hints and all. */
START_TEST(a_small_store_takes_little)
{
    char command[600];

    snprintf(disk, sizeof disk, "%s/store", dir);
    start_server((const char *const[]){ NULL });
    value_bytes = LARGE_BYTES;
    for (unsigned key = 0; key < 50; key++)
        put(key);
    snprintf(command, sizeof command, "[ $(du -sk '%s' | cut -f1) -le 10000 ]", disk);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

static unsigned count_data_files(void)
{
    char pattern[300];
    glob_t found;
    unsigned n = 0;

    snprintf(pattern, sizeof pattern, "%s/*.data", disk);
    if (glob(pattern, 0, NULL, &found) == 0)
        n = (unsigned)found.gl_pathc;
    globfree(&found);
    return n;
}

/* Who is restarted more often than it looks for something to merge has its dead files removed all the same, and all at
 * once: merge.check_interval is three minutes. */
START_TEST(restarts_do_not_let_it_grow)
{
    static const char *const settings[] = { "log.file_size=2MiB", "log.sync=none", NULL };

    snprintf(disk, sizeof disk, "%s/store", dir);
    value_bytes = LARGE_BYTES;
    n_keys = 10;
    for (unsigned round = 0; round < 3; round++) {
        long begin_ms = system_now_ms();

        start_server(settings);
        for (unsigned i = 0; i < 200; i++)
            put(i % n_keys);
        ck_assert_uint_ge(count_data_files(), 2);
        while (count_data_files() > 3) {
            ck_assert_msg(system_now_ms() - begin_ms < SYSTEM_DEADLINE_MS, "%u files stay", count_data_files());
            usleep(RETRY_US); /* the files of another process wake nobody */
        }
        check_values();
        stop_server(round % 2 == 0 ? SIGTERM : SIGKILL);
    }
}
END_TEST

/* The cases are named by their file systems. */
Suite *test_suite(void)
{
    Suite *suite = suite_create("system space");
    TCase *tcase;

    for (int i = 0; i < N_DISKS; i++) {
        tcase = tcase_create(disks[i].kind);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 600);
        tcase_add_loop_test(tcase, small_values_come_back_as_space, i, i + 1);
        tcase_add_loop_test(tcase, deletes_go_on_when_it_is_full, i, i + 1);
        tcase_add_loop_test(tcase, overwritten_values_come_back_as_space, i, i + 1);
        tcase_add_loop_test(tcase, no_setting_keeps_it_full, i, i + 1);
        tcase_add_loop_test(tcase, a_disk_that_others_filled_comes_back, i, i + 1);
        suite_add_tcase(suite, tcase);
    }
    tcase = tcase_create("plain");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_limit_of_files_below_file_size_is_refused);
    tcase_add_test(tcase, a_small_store_takes_little);
    tcase_add_test(tcase, restarts_do_not_let_it_grow);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* What deleted and overwritten records cost in the end. N_KEYS small keys are written through real connections,
 * overwritten four times, and half of them deleted, with reads beside, while the policy merges. When it has nothing
 * more to do, with nobody having asked for anything, the data files take no more than 1.5 times the bytes of the live
 * records; and every key is right, then, after a restart with hints, and after one without. A file may keep 15 % of
 * dead bytes here; with the default of merge.threshold.fragmentation, 40 %, 1.5 times could not be promised.
 *
 *   N_KEYS=5000000 ./check_system_footprint */
#include "footprint_load.h"
#include "system_ctl.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_KEYS_USUAL    100000u
#define N_KEYS_FULL     5000000u
#define LAST_ROUND      4u
#define PERCENT_MAX     150u
#define REST_LIMIT_MS   (30 * 60 * 1000)
#define FILE_BYTES_FULL (64u << 20)
#define FILE_BYTES_MIN  (1u << 20)

static char *dir;
static struct system_server *server;
static unsigned n_keys;

static void setup(void)
{
    const char *text = getenv("N_KEYS");

    dir = test_dir_create();
    server = NULL;
    n_keys = text != NULL ? (unsigned)strtoul(text, NULL, 10) : N_KEYS_USUAL;
    ck_assert_uint_ge(n_keys, 10000);
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* Files are as many, whatever the number of keys. */
static void start_server(void)
{
    uint64_t wanted_bytes = (uint64_t)FILE_BYTES_FULL * n_keys / N_KEYS_FULL;
    uint64_t file_bytes = wanted_bytes < FILE_BYTES_MIN ? FILE_BYTES_MIN : wanted_bytes;
    char file_size[64], small_file[64], reserve[64];
    const char *arguments[] = { "-o", "log.sync=interval",
                                "-o", file_size,
                                "-o", reserve,
                                "-o", small_file,
                                "-o", "limits.max_value=64KiB",
                                "-o", "merge.check_interval=1s",
                                "-o", "merge.trigger.fragmentation=30",
                                "-o", "merge.threshold.fragmentation=15",
                                NULL };
    long begin = system_now_ms();

    snprintf(file_size, sizeof file_size, "log.file_size=%" PRIu64, file_bytes);
    snprintf(reserve, sizeof reserve, "log.reserve=%" PRIu64, file_bytes / 4);
    snprintf(small_file, sizeof small_file, "merge.threshold.small_file=%" PRIu64, file_bytes / 8);
    server = system_server_start(dir, arguments);
    printf("server started in %.1f s\n", (double)(system_now_ms() - begin) / 1e3);
}

static void stop_server(void)
{
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
}

static void run_pass(const char *what, enum space_pass_kind kind, unsigned round)
{
    struct space_pass pass = { .kind = kind, .round = round, .n_keys = n_keys, .port = system_server_port(server) };
    long begin = system_now_ms();
    uint64_t n_requests = space_load_run(&pass);
    double seconds = (double)(system_now_ms() - begin) / 1e3;

    printf("%s: %" PRIu64 " requests in %.1f s, %.0f a second\n", what, n_requests, seconds,
           (double)n_requests / seconds);
}

static uint64_t figure_of(const char *answer, const char *name)
{
    char member[64];
    const char *at;

    snprintf(member, sizeof member, "\"%s\":", name);
    at = strstr(answer, member);
    ck_assert_msg(at != NULL, "no %s in %s", name, answer);
    return strtoull(at + strlen(member), NULL, 10);
}

static bool policy_rests(void)
{
    return strstr(system_ctl(dir, "merge status"), "\"state\":\"idle\"") != NULL
           && strstr(system_ctl(dir, "explain-space"), "\"eligible\":true") == NULL;
}

/* What the disk gives to files whose names end so; how many there are. */
static uint64_t disk_usage(const char *ending, unsigned *n_out)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    uint64_t bytes = 0;

    ck_assert_ptr_nonnull(folder);
    *n_out = 0;
    while ((entry = readdir(folder)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        struct stat status;

        if (dot == NULL || strcmp(dot, ending) != 0 || fstatat(dirfd(folder), entry->d_name, &status, 0) != 0)
            continue;
        bytes += (uint64_t)status.st_blocks * 512;
        ++*n_out;
    }
    closedir(folder);
    return bytes;
}

/* Returns how many there were since the start. */
static uint64_t tell_merges(const char *when)
{
    const char *merges = strstr(system_ctl(dir, "stats"), "\"merge\":");
    unsigned n_data;
    uint64_t data_bytes = disk_usage(".data", &n_data);

    printf("%s: %" PRIu64 " merges, %.0f MB written by them; %u data files take %.0f MB\n", when,
           figure_of(merges, "done"), (double)figure_of(merges, "written_bytes") / 1e6, n_data,
           (double)data_bytes / 1e6);
    ck_assert_uint_eq(figure_of(merges, "failed"), 0);
    return figure_of(merges, "done");
}

static void wait_for_rest(void)
{
    long begin = system_now_ms();

    while (!policy_rests()) {
        ck_assert_msg(system_now_ms() < begin + REST_LIMIT_MS, "the policy goes on and on: %s",
                      system_ctl(dir, "explain-space"));
        usleep(100000);
    }
    printf("at rest after %.1f s\n", (double)(system_now_ms() - begin) / 1e3);
}

static unsigned count_live(void)
{
    unsigned n = 0;

    for (unsigned key = 0; key < n_keys; key++)
        n += !space_key_is_doomed(key);
    return n;
}

static void check_all_keys(const char *what)
{
    run_pass(what, SPACE_CHECK, LAST_ROUND);
    ck_assert_uint_eq(figure_of(system_ctl(dir, "status"), "keys"), count_live());
}

static unsigned some_live_key(void)
{
    unsigned key = 0;

    while (space_key_is_doomed(key))
        key++;
    return key;
}

/* The records of all live keys are of one size: so their bytes are known, and not only from the server. */
static uint64_t live_bytes(void)
{
    char command[64];

    snprintf(command, sizeof command, "whereis key%08u", some_live_key());
    return count_live() * figure_of(system_ctl(dir, command), "size");
}

static void check_usage(const char *when)
{
    unsigned n_data, n_hints;
    uint64_t data_bytes = disk_usage(".data", &n_data), hint_bytes = disk_usage(".hint", &n_hints);
    uint64_t live = live_bytes();
    const char *status = system_ctl(dir, "status");

    printf(
        "%s: %u keys live, %.1f MB; dead %.1f MB, tombstones %.1f MB; %u data files take %.1f MB, %.2f times the live "
        "bytes; %u hints take %.1f MB\n",
        when, count_live(), (double)live / 1e6, (double)figure_of(status, "dead_bytes") / 1e6,
        (double)figure_of(status, "tombstone_bytes") / 1e6, n_data, (double)data_bytes / 1e6,
        (double)data_bytes / (double)live, n_hints, (double)hint_bytes / 1e6);
    ck_assert_uint_eq(figure_of(status, "live_bytes"), live);
    ck_assert_msg(data_bytes * 100 <= live * PERCENT_MAX, "%s", system_ctl(dir, "explain-space"));
}

static void remove_hints(void)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    unsigned n = 0;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL)
        if (strstr(entry->d_name, ".hint") != NULL) {
            ck_assert_int_eq(unlinkat(dirfd(folder), entry->d_name, 0), 0);
            n++;
        }
    closedir(folder);
    ck_assert_uint_gt(n, 0);
}

START_TEST(the_space_of_the_dead_is_given_back)
{
    start_server();
    run_pass("round 0", SPACE_WRITE, 0);
    run_pass("round 1", SPACE_WRITE, 1);
    run_pass("round 2", SPACE_WRITE, 2);
    run_pass("round 3", SPACE_WRITE, 3);
    run_pass("round 4 and deletes", SPACE_WRITE_AND_DELETE, LAST_ROUND);
    ck_assert_uint_gt(tell_merges("after the load"), 0);
    wait_for_rest();
    tell_merges("at rest");
    check_usage("at rest");
    check_all_keys("all keys, at rest");
    stop_server();
    start_server();
    check_all_keys("all keys, started with hints");
    stop_server();
    remove_hints();
    start_server();
    check_all_keys("all keys, started without hints");
    wait_for_rest();
    check_usage("at rest again");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("space");
    TCase *tcase = tcase_create("space");

    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 7200);
    tcase_add_test(tcase, the_space_of_the_dead_is_given_back);
    suite_add_tcase(suite, tcase);
    return suite;
}

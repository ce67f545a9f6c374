/* What a user sees of merges: nothing. Writers overwrite and delete their keys and read them back while data files of
 * one MiB are merged all the time; the server is killed, started again, and everything is still as it was. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_WRITERS      4
#define N_KEYS         40 /* of each writer */
#define VALUE_BYTES    6000
#define DELETE_EVERY   7 /* of the numbers of a key, every so many-th stands for a delete */
#define N_KILLS        4
#define FILES_BETWEEN  3 /* data files that are begun between two kills, at least */
#define LIVE_BYTES_MAX (N_WRITERS * N_KEYS * (VALUE_BYTES + 256))

static char *dir;
static struct system_server *server;
static atomic_bool stopping;
static int port;
static atomic_ulong n_acknowledged;

struct writer {
    pthread_t thread;
    unsigned number;
    unsigned sent[N_KEYS];
    unsigned acknowledged[N_KEYS];
};

static struct writer writers[N_WRITERS];

static void setup(void)
{
    dir = test_dir_create();
    memset(writers, 0, sizeof writers);
    n_acknowledged = 0;
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static bool is_absent(unsigned number)
{
    return number % DELETE_EVERY == 0; /* 0, too: not written yet */
}

static void make_target(char target[64], const struct writer *writer, unsigned key)
{
    snprintf(target, 64, "/v1/kv/w%u-%u", writer->number, key);
}

static void make_value(char value[VALUE_BYTES + 1], const char *target, unsigned number)
{
    int len = snprintf(value, VALUE_BYTES, "%u:%s:", number, target);

    memset(value + len, (int)('a' + number % 26), VALUE_BYTES - (size_t)len);
    value[VALUE_BYTES] = '\0';
}

/* One write; whether it was acknowledged. */
static void write_next(struct writer *writer, struct system_client *client, unsigned key)
{
    static _Thread_local char value[VALUE_BYTES + 1];
    char target[64];
    unsigned number = ++writer->sent[key];
    int status;

    make_target(target, writer, key);
    make_value(value, target, number);
    status = is_absent(number) ? system_client_status(client, "DELETE", target, NULL, 0)
                               : system_client_status(client, "PUT", target, value, VALUE_BYTES);
    if (status == 201 || status == 204 || (status == 404 && is_absent(number))) {
        writer->acknowledged[key] = number;
        n_acknowledged++;
    } else {
        sched_yield(); /* the connection broke */
    }
}

/* The key is as the last acknowledged write left it, or as one that was sent after that. */
static void check_key(const struct writer *writer, struct system_client *client, unsigned key)
{
    static _Thread_local char expected[VALUE_BYTES + 1];
    struct system_response response;
    char target[64];
    unsigned number = 0, acknowledged = writer->acknowledged[key], sent = writer->sent[key];
    bool absent_will_do = false;

    make_target(target, writer, key);
    system_client_request(client, "GET", target, NULL, 0, &response);
    for (unsigned i = acknowledged; i <= sent; i++)
        absent_will_do = absent_will_do || is_absent(i);
    if (response.status == 200) {
        ck_assert_int_eq(sscanf(response.body, "%u:", &number), 1);
        ck_assert_msg(number >= acknowledged && number <= sent && !is_absent(number),
                      "%s holds %u; acknowledged %u, sent %u", target, number, acknowledged, sent);
        make_value(expected, target, number);
        ck_assert_str_eq(response.body, expected);
    } else if (response.status != 0) { /* else the server was killed */
        ck_assert_int_eq(response.status, 404);
        ck_assert_msg(absent_will_do, "%s is gone; acknowledged %u, sent %u", target, acknowledged, sent);
    }
    system_response_fini(&response);
}

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    struct system_client client = { .fd = -1, .port = port };

    for (unsigned i = 0; !stopping; i++) {
        write_next(writer, &client, i * 7 % N_KEYS);
        check_key(writer, &client, i * 13 % N_KEYS);
    }
    system_client_close(&client);
    return NULL;
}

static void start_writers(void)
{
    stopping = false;
    for (unsigned i = 0; i < N_WRITERS; i++) {
        writers[i].number = i;
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
}

static void stop_writers(void)
{
    stopping = true;
    for (unsigned i = 0; i < N_WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
}

static void check_keys(void)
{
    struct system_client client;

    ck_assert(system_client_open(&client, system_server_port(server)));
    for (unsigned i = 0; i < N_WRITERS; i++)
        for (unsigned key = 0; key < N_KEYS; key++)
            check_key(&writers[i], &client, key);
    system_client_close(&client);
}

/* The sealed data files: their number, the highest of their numbers, and their bytes. */
struct listing {
    unsigned n_files;
    unsigned highest;
    off_t bytes;
};

static struct listing list_files(void)
{
    struct listing listing = { 0 };
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        struct stat status;
        unsigned number;

        if (strstr(entry->d_name, ".data") == NULL || sscanf(entry->d_name, "%u", &number) != 1
            || fstatat(dirfd(folder), entry->d_name, &status, 0) != 0)
            continue; /* it went meanwhile */
        listing.n_files++;
        listing.bytes += status.st_size;
        listing.highest = number > listing.highest ? number : listing.highest;
    }
    closedir(folder);
    return listing;
}

static void wait_for_files(unsigned n_more)
{
    unsigned until = list_files().highest + n_more;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (list_files().highest < until) {
        ck_assert_msg(system_now_ms() < deadline, "no progress: %lu writes acknowledged",
                      (unsigned long)n_acknowledged);
        usleep(1000);
    }
}

/* When nobody writes any more, what is left is little more than what is live. */
static void wait_for_rest(void)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (list_files().bytes > 3 * LIVE_BYTES_MAX + (2 << 20)) {
        ck_assert_msg(system_now_ms() < deadline, "%lld bytes in %u files are not merged",
                      (long long)list_files().bytes, list_files().n_files);
        usleep(10000);
    }
}

static const char *const sync_modes[] = { "log.sync=always", "log.sync=none" };

START_TEST(a_master_is_killed_while_it_merges)
{
    const char *arguments[] = {
        "-o", sync_modes[_i],
        "-o", "server.workers=2",
        "-o", "limits.max_value=64KiB",
        "-o", "ring.size=1MiB",
        "-o", "log.file_size=1MiB",
        "-o", "log.reserve=0",
        "-o", "merge.check_interval=100ms",
        "-o", "merge.threshold.dead_bytes=64KiB",
        "-o", "merge.trigger.dead_bytes=128KiB",
        "-o", "merge.min_free=0",
        NULL,
    };

    for (int i = 0; i < N_KILLS; i++) {
        server = system_server_start(dir, arguments);
        port = system_server_port(server);
        check_keys();
        start_writers();
        wait_for_files(FILES_BETWEEN + (unsigned)i);
        ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
        stop_writers();
    }
    server = system_server_start(dir, arguments);
    check_keys();
    wait_for_rest();
    check_keys();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system merge");
    TCase *tcase = tcase_create("merge");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 180);
    tcase_add_loop_test(tcase, a_master_is_killed_while_it_merges, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* A server under a load that is held: 64 clients on keep-alive connections, 70 % GET, 25 % PUT, 5 % DELETE, values from
 * 100 bytes to 64 KiB, while data files are merged. Each answer is the one that it must be, and what the server takes
 * does not grow: memory, descriptors, disk.
 *
 * RK_LOAD_SECONDS says how long; the allowance for memory is the same for a minute and for a night. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_CLIENTS       64
#define N_KEYS          64 /* of each client */
#define VALUE_BYTES_MAX (64u << 10)
#define SECONDS         10
#define FILE_MIB        16

#define N_WORKERS          2
#define N_PROCESSES        (N_WORKERS + 1)
#define GROWTH_KIB_MAX     8192 /* of one process, from the middle of the run to its end */
#define MORE_FDS_MAX       64   /* data files come and go */
#define DISK_FACTOR_TENTHS 25   /* of what is live */

/* What is freed is kept for a while: memory says nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define SHADOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SHADOW 1
#endif
#endif
#ifndef SHADOW
#define SHADOW 0
#endif

static char *dir;
static struct system_server *server;
static atomic_bool stopping;
static atomic_ulong n_answered;

/* What a key holds: nothing at 0, else the value that is made of this number. */
struct client {
    pthread_t thread;
    unsigned number;
    uint32_t random;
    uint32_t next_value;
    uint32_t values[N_KEYS];
    struct system_client connection;
    char why[256]; /* what was wrong first */
    char value[VALUE_BYTES_MAX];
};

static struct client clients[N_CLIENTS];

static void setup(void)
{
    dir = test_dir_create();
    server = NULL;
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static uint32_t scramble(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

static uint32_t next_random(struct client *client)
{
    client->random = client->random * 1664525 + 1013904223;
    return scramble(client->random);
}

/* As many values between 100 and 200 bytes as between 32 and 64 KiB. */
static size_t value_length(uint32_t value)
{
    uint32_t dice = scramble(value);
    size_t least = 100u << dice % 10;
    size_t length = least + scramble(dice) % least;

    return length < VALUE_BYTES_MAX ? length : VALUE_BYTES_MAX;
}

/* The bytes that a value number of a client's key stands for. */
static size_t make_value(struct client *client, unsigned key, uint32_t value)
{
    size_t length = value_length(value);
    uint32_t word = scramble(scramble(scramble(value) ^ client->number) ^ key);

    for (size_t i = 0; i < length; i++) {
        if (i % 4 == 0)
            word = word * 1664525 + 1013904223;
        client->value[i] = (char)(word >> (8 + i % 4 * 6));
    }
    return length;
}

static void note_fault(struct client *client, unsigned key, const char *request, int status)
{
    if (client->why[0] == '\0')
        snprintf(client->why, sizeof client->why, "client %u, %s of key %u (value %u): status %d", client->number,
                 request, key, client->values[key], status);
}

static void make_target(const struct client *client, unsigned key, char target[64])
{
    snprintf(target, 64, "/v1/kv/c%u-k%u", client->number, key);
}

static void put(struct client *client, unsigned key)
{
    uint32_t value = ++client->next_value;
    size_t length = make_value(client, key, value);
    char target[64];
    int status;

    make_target(client, key, target);
    status = system_client_status(&client->connection, "PUT", target, client->value, length);
    if (status != (client->values[key] == 0 ? 201 : 204))
        note_fault(client, key, "PUT", status);
    client->values[key] = value;
}

static void delete (struct client *client, unsigned key)
{
    char target[64];
    int status;

    make_target(client, key, target);
    status = system_client_status(&client->connection, "DELETE", target, NULL, 0);
    if (status != (client->values[key] == 0 ? 404 : 204))
        note_fault(client, key, "DELETE", status);
    client->values[key] = 0;
}

static void get(struct client *client, unsigned key)
{
    struct system_response response;
    char target[64];
    bool fits;

    make_target(client, key, target);
    system_client_request(&client->connection, "GET", target, NULL, 0, &response);
    if (client->values[key] == 0)
        fits = response.status == 404;
    else
        fits = response.status == 200 && response.body_len == make_value(client, key, client->values[key])
               && memcmp(response.body, client->value, response.body_len) == 0;
    if (!fits)
        note_fault(client, key, "GET", response.status);
    system_response_fini(&response);
}

static void *use_server(void *argument)
{
    struct client *client = argument;

    while (!stopping && client->why[0] == '\0') {
        unsigned key = next_random(client) % N_KEYS, dice = next_random(client) % 100;

        if (dice < 70)
            get(client, key);
        else if (dice < 95)
            put(client, key);
        else
            delete (client, key);
        n_answered++;
    }
    return NULL;
}

static void start_clients(void)
{
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        struct client *client = &clients[i];

        memset(client, 0, sizeof *client);
        client->number = client->random = i;
        client->connection = (struct system_client){ .fd = -1, .port = system_server_port(server) };
        for (unsigned key = 0; key < N_KEYS; key++)
            put(client, key);
        ck_assert_int_eq(pthread_create(&client->thread, NULL, use_server, client), 0);
    }
}

/* Reads every key once more. */
static void stop_clients(void)
{
    stopping = true;
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        for (unsigned key = 0; key < N_KEYS; key++)
            get(&clients[i], key);
        system_client_close(&clients[i].connection);
        ck_assert_msg(clients[i].why[0] == '\0', "%s", clients[i].why);
    }
}

/* What a process takes. */
struct taken {
    pid_t pid;
    long anonymous_kib;
    unsigned n_fds;
};

static long read_status(pid_t pid, const char *field)
{
    char path[64], line[256];
    long value = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "process %d is gone", (int)pid);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field) + 1, NULL, 10);
    fclose(file);
    ck_assert_msg(value >= 0, "%s has no %s", path, field);
    return value;
}

static unsigned count_fds(pid_t pid)
{
    char path[64];
    unsigned n = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    folder = opendir(path);
    ck_assert_msg(folder != NULL, "process %d is gone", (int)pid);
    while (readdir(folder) != NULL)
        n++;
    closedir(folder);
    return n;
}

/* Of the master and its workers, in this order. */
static void look(struct taken taken[N_PROCESSES])
{
    pid_t pids[N_PROCESSES] = { system_server_pid(server) };

    ck_assert_uint_eq(system_server_workers(server, pids + 1, N_WORKERS), N_WORKERS);
    for (unsigned i = 0; i < N_PROCESSES; i++)
        taken[i] = (struct taken){ .pid = pids[i],
                                   .anonymous_kib = read_status(pids[i], "RssAnon"),
                                   .n_fds = count_fds(pids[i]) };
}

static void compare(const struct taken *before, const struct taken *after)
{
    printf("process %d: %ld KiB and %u descriptors, then %ld and %u\n", (int)after->pid, before->anonymous_kib,
           before->n_fds, after->anonymous_kib, after->n_fds);
    ck_assert_msg(after->pid == before->pid, "process %d ended", (int)before->pid);
    ck_assert_uint_le(after->n_fds, before->n_fds + MORE_FDS_MAX);
    if (!SHADOW)
        ck_assert_int_le(after->anonymous_kib, before->anonymous_kib + GROWTH_KIB_MAX);
}

static uint64_t disk_bytes(void)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    uint64_t bytes = 0;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        struct stat status;

        if (strstr(entry->d_name, ".data") != NULL && fstatat(dirfd(folder), entry->d_name, &status, 0) == 0)
            bytes += (uint64_t)status.st_blocks * 512;
    }
    closedir(folder);
    return bytes;
}

static uint64_t live_bytes(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < N_CLIENTS; i++)
        for (unsigned key = 0; key < N_KEYS; key++)
            if (clients[i].values[key] != 0)
                bytes += value_length(clients[i].values[key]);
    return bytes;
}

/* When nobody writes any more, merges catch up, if they have not all the time. Beside what is live and may be dead: the
 * active file, and one that a merge is writing. */
static void check_disk(void)
{
    uint64_t live = live_bytes(), at_first = disk_bytes(), disk = at_first;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (disk > live * DISK_FACTOR_TENTHS / 10 + 2 * ((uint64_t)FILE_MIB << 20)) {
        ck_assert_msg(system_now_ms() < deadline, "%llu bytes on the disk, %llu are live", (unsigned long long)disk,
                      (unsigned long long)live);
        usleep(10000);
        disk = disk_bytes();
    }
    printf("%lu requests; %llu MB on the disk, then %llu, of which %llu are live\n", (unsigned long)n_answered,
           (unsigned long long)at_first / 1000000, (unsigned long long)disk / 1000000,
           (unsigned long long)live / 1000000);
}

static bool is_there(const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Files were merged: numbers are given out in turn, and the first ones are gone. */
static void check_merges(void)
{
    ck_assert_msg(!is_there("0000000001.data") && !is_there("0000000002.data"), "nothing was merged");
}

/* It is the time that is wanted here: a load that is held for so long. */
static void let_pass(long milliseconds)
{
    long deadline = system_now_ms() + milliseconds;

    while (system_now_ms() < deadline)
        usleep(10000);
}

static long load_ms(void)
{
    const char *text = getenv("RK_LOAD_SECONDS");

    return 1000 * (text != NULL && text[0] != '\0' ? strtol(text, NULL, 10) : SECONDS);
}

START_TEST(a_load_that_is_held_takes_no_more_and_no_more)
{
    const char *arguments[] = {
        "-o", "server.workers=2",
        "-o", "limits.max_value=64KiB",
        "-o", "log.file_size=16MiB",
        "-o", "log.reserve=0",
        "-o", "merge.check_interval=500ms",
        "-o", "merge.threshold.dead_bytes=4MiB",
        "-o", "merge.trigger.dead_bytes=8MiB",
        "-o", "merge.min_free=0",
        NULL,
    };
    struct taken middle[N_PROCESSES], end[N_PROCESSES];

    server = system_server_start(dir, arguments);
    start_clients();
    let_pass(load_ms() / 2);
    look(middle);
    let_pass(load_ms() / 2);
    look(end);
    stop_clients();
    check_disk();
    check_merges();
    for (unsigned i = 0; i < N_PROCESSES; i++)
        compare(&middle[i], &end[i]);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system load");
    TCase *tcase = tcase_create("load");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60 + 2 * (double)load_ms() / 1000);
    tcase_add_test(tcase, a_load_that_is_held_takes_no_more_and_no_more);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* What a user sees of a server that is killed: nothing that was acknowledged is lost, nothing is invented, and the
 * other processes go on.
 *
 * Writers overwrite their own few keys with rising numbers, on keep-alive connections, and note what they sent and what
 * was acknowledged. Afterwards each key must hold a number between the two. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_WRITERS       8
#define N_KEYS          16 /* of each writer */
#define N_WORKER_KILLS  20
#define N_MASTER_KILLS  5
#define N_RESTARTS      10
#define PROGRESS_ENOUGH 200 /* acknowledged writes between two kills */

static char *dir;
static struct system_server *server;
static atomic_bool stopping;
static atomic_int port;
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
    stopping = false;
    n_acknowledged = 0;
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static void put_next(struct writer *writer, struct system_client *client, unsigned key)
{
    char target[64], value[96];
    int len, status;

    writer->sent[key]++;
    snprintf(target, sizeof target, "/v1/kv/w%u-%u", writer->number, key);
    len = snprintf(value, sizeof value, "%u:%s", writer->sent[key], target);
    status = system_client_status(client, "PUT", target, value, (size_t)len);
    if (status == 201 || status == 204) {
        writer->acknowledged[key] = writer->sent[key];
        n_acknowledged++;
    } else {
        sched_yield(); /* the connection broke, or nobody listens for a moment */
    }
}

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    struct system_client client = { .fd = -1 };

    for (unsigned i = 0; !stopping; i++) {
        client.port = port;
        put_next(writer, &client, i % N_KEYS);
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

static void wait_for_progress(void)
{
    unsigned long until = n_acknowledged + PROGRESS_ENOUGH;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (n_acknowledged < until) {
        ck_assert_msg(system_now_ms() < deadline, "no progress: %lu writes acknowledged",
                      (unsigned long)n_acknowledged);
        usleep(1000);
    }
}

/* Each key holds a value that was sent, and none older than the last acknowledged one. */
static void check_keys(void)
{
    struct system_client client;

    ck_assert(system_client_open(&client, system_server_port(server)));
    for (unsigned i = 0; i < N_WRITERS; i++) {
        for (unsigned key = 0; key < N_KEYS; key++) {
            struct system_response response;
            char target[64], expected[96];
            unsigned number = 0;

            snprintf(target, sizeof target, "/v1/kv/w%u-%u", i, key);
            system_client_request(&client, "GET", target, NULL, 0, &response);
            if (writers[i].acknowledged[key] == 0 && response.status == 404) {
                system_response_fini(&response);
                continue;
            }
            ck_assert_int_eq(response.status, 200);
            ck_assert_int_eq(sscanf(response.body, "%u:", &number), 1);
            snprintf(expected, sizeof expected, "%u:%s", number, target);
            ck_assert_str_eq(response.body, expected);
            ck_assert_msg(number >= writers[i].acknowledged[key] && number <= writers[i].sent[key],
                          "%s holds %u; acknowledged %u, sent %u", target, number, writers[i].acknowledged[key],
                          writers[i].sent[key]);
            system_response_fini(&response);
        }
    }
    system_client_close(&client);
}

START_TEST(killed_workers_lose_nothing_and_are_replaced)
{
    static const char *const two[] = { "-o", "server.workers=2", "-o", "log.sync=none", NULL };
    pid_t pids[8], master;

    server = system_server_start(dir, two);
    master = system_server_pid(server);
    port = system_server_port(server);
    start_writers();
    for (int i = 0; i < N_WORKER_KILLS; i++) {
        unsigned n;

        wait_for_progress();
        n = system_server_workers(server, pids, 8);
        if (n > 0)
            kill(pids[(unsigned)i % n], SIGKILL);
    }
    wait_for_progress();
    stop_writers();
    check_keys();
    ck_assert_int_eq(system_server_pid(server), master);
    ck_assert_int_eq(kill(master, 0), 0);
}
END_TEST

static const char *const sync_modes[] = { "log.sync=always", "log.sync=interval", "log.sync=none" };

START_TEST(a_killed_master_loses_nothing)
{
    const char *arguments[] = { "-o", sync_modes[_i], "-o", "server.workers=2", NULL };

    for (int i = 0; i < N_MASTER_KILLS; i++) {
        pid_t workers[8];
        unsigned n;

        server = system_server_start(dir, arguments);
        port = system_server_port(server);
        if (i > 0)
            check_keys();
        n = system_server_workers(server, workers, 8);
        ck_assert_uint_eq(n, 2);
        start_writers();
        wait_for_progress();
        ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
        stop_writers();
    }
    server = system_server_start(dir, arguments);
    check_keys();
}
END_TEST

/* The workers of a master that was killed hold its port and its lock for a moment; who restarts at once waits for them.
 */
START_TEST(a_restart_right_after_a_kill_gets_its_port)
{
    char listen[64];
    const char *arguments[] = { "-o", "server.workers=4", "-o", listen, NULL };

    snprintf(listen, sizeof listen, "http.listen=127.0.0.1:0");
    server = system_server_start(dir, arguments);
    snprintf(listen, sizeof listen, "http.listen=127.0.0.1:%d", system_server_port(server));
    for (int i = 0; i < N_RESTARTS; i++) {
        struct system_server *killed = server;

        ck_assert_int_eq(kill(system_server_pid(killed), SIGKILL), 0);
        server = system_server_start(dir, arguments);
        ck_assert_int_eq(system_server_stop(&killed, SIGKILL), -SIGKILL);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system crash");
    TCase *tcase = tcase_create("crash");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 180);
    tcase_add_test(tcase, killed_workers_lose_nothing_and_are_replaced);
    tcase_add_test(tcase, a_restart_right_after_a_kill_gets_its_port);
    tcase_add_loop_test(tcase, a_killed_master_loses_nothing, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}

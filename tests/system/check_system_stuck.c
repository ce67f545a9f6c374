/* A worker that stands still costs its own connections and nothing else: the other one goes on reading and writing,
 * there is a diagnostic, and when its time is over it is killed and replaced. */
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_process.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_CLIENTS  16
#define N_BEFORE   2000
#define MAX_DURING 200000

static char *dir;
static struct system_server *server;
static struct system_client clients[N_CLIENTS];

static void setup(void)
{
    static const char *const arguments[] = { "-o", "server.workers=2", "-o", "worker.stuck_timeout=2s",
                                             "-o", "log.sync=none",    NULL };

    dir = test_dir_create();
    server = system_server_start(dir, arguments);
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert(system_client_open(&clients[i], system_server_port(server)));
}

static void teardown(void)
{
    for (int i = 0; i < N_CLIENTS; i++)
        system_client_close(&clients[i]);
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* A connection of the worker that runs while the other one stands still. All are asked at once and the first answer
 * counts, so the pause is far shorter than what gets a worker killed. */
static struct system_client *find_served(pid_t stopped)
{
    struct pollfd fds[N_CLIENTS];
    int served = -1;

    ck_assert(test_process_stop(stopped));
    for (int i = 0; i < N_CLIENTS; i++) {
        ck_assert(system_client_send(&clients[i], "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"));
        fds[i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
    }
    ck_assert_msg(poll(fds, N_CLIENTS, SYSTEM_DEADLINE_MS) > 0, "nothing is answered while one worker stands still");
    ck_assert_int_eq(kill(stopped, SIGCONT), 0);
    for (int i = 0; i < N_CLIENTS; i++) {
        if (fds[i].revents != 0)
            served = i;
        ck_assert_int_eq(system_client_receive_status(&clients[i], "GET"), 200);
    }
    return &clients[served];
}

static unsigned put_number;

/* Writes a new key, reads it back; how long the write took. */
static double put_us(struct system_client *client)
{
    struct timespec begin, end;
    char target[64];

    snprintf(target, sizeof target, "/v1/kv/stuck-%u", put_number++);
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &begin), 0);
    ck_assert_int_eq(system_client_status(client, "PUT", target, target, strlen(target)), 201);
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    ck_assert_int_eq(system_client_status(client, "GET", target, NULL, 0), 200);
    return (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3;
}

static int compare_times(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Sorts them and says how they are spread; the median. */
static double report(const char *when, double *times, unsigned n)
{
    qsort(times, n, sizeof *times, compare_times);
    printf("PUT %s: %u, median %.0f us, p99 %.0f us, longest %.0f us\n", when, n, times[n / 2], times[n * 99 / 100],
           times[n - 1]);
    return times[n / 2];
}

START_TEST(a_stopped_worker_delays_nobody_else_and_is_replaced)
{
    double *before = calloc(N_BEFORE, sizeof *before), *during = calloc(MAX_DURING, sizeof *during);
    struct system_client *client;
    pid_t pids[4], stopped;
    double median_before;
    unsigned n = 0;

    ck_assert_uint_eq(system_server_workers(server, pids, 4), 2);
    stopped = pids[0];
    client = find_served(stopped);
    for (unsigned i = 0; i < N_BEFORE; i++)
        before[i] = put_us(client);
    ck_assert(test_process_stop(stopped));
    /* Enough new keys that pages of the keydir grow, are freed, and wait for the worker that stands still. */
    while (n < MAX_DURING && !system_server_has_line(server, "killing worker"))
        during[n++] = put_us(client);
    ck_assert(system_server_has_line(server, "it is killed after worker.stuck_timeout"));
    ck_assert_uint_gt(n, 100);
    /* The same, but for the noise of a busy machine; waiting for the worker would be thousands of times as much. */
    median_before = report("before", before, N_BEFORE);
    ck_assert_double_lt(report("with a stopped worker", during, n), 5 * median_before);
    free(before);
    free(during);
    system_server_wait_line(server, "starting another");
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(system_client_status_retry(&clients[i], "GET", "/v1/kv/stuck-0", NULL, 0), 200);
}
END_TEST

static json_int_t accepted_by(size_t slot)
{
    json_t *root = json_loads(system_ctl(dir, "stats"), 0, NULL);
    json_t *worker = json_array_get(json_object_get(root, "workers"), slot);
    json_int_t n = json_integer_value(json_object_get(worker, "connections_accepted"));

    json_decref(root);
    return n;
}

/* It takes its share again: of new connections until it has one. */
static void wait_until_it_serves_again(void)
{
    json_int_t before = accepted_by(0);
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    while (accepted_by(0) == before) {
        struct system_client client;

        ck_assert_msg(system_now_ms() < deadline, "it gets no connections any more");
        ck_assert(system_client_open(&client, system_server_port(server)));
        ck_assert_int_eq(system_client_status(&client, "GET", "/livez", NULL, 0), 200);
        system_client_close(&client);
    }
}

/* New connections, half of which the kernel gives to the worker that stands still; the time is far below what gets it
 * killed, and they end long before that. */
START_TEST(new_connections_wait_for_no_worker_that_stands_still)
{
    static const char *const arguments[] = { "-o", "server.workers=2", "-o", "worker.stuck_timeout=10m", NULL };
    struct system_client queued[N_CLIENTS], fresh[N_CLIENTS];
    pid_t pids[4];

    for (int i = 0; i < N_CLIENTS; i++)
        system_client_close(&clients[i]);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    server = system_server_start(dir, arguments);
    ck_assert_uint_eq(system_server_workers(server, pids, 4), 2);
    ck_assert(test_process_stop(pids[0]));
    for (int i = 0; i < N_CLIENTS; i++) /* these wait for a second, as long as it takes to notice */
        ck_assert(system_client_open(&queued[i], system_server_port(server)));
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(system_client_status(&queued[i], "GET", "/livez", NULL, 0), 200);
    for (int i = 0; i < N_CLIENTS; i++) {
        ck_assert(system_client_open(&fresh[i], system_server_port(server)));
        ck_assert_int_eq(system_client_status(&fresh[i], "GET", "/livez", NULL, 0), 200);
    }
    ck_assert(!system_server_has_line(server, "killing worker"));
    ck_assert_int_eq(kill(pids[0], SIGCONT), 0);
    wait_until_it_serves_again();
    for (int i = 0; i < N_CLIENTS; i++) {
        ck_assert_int_eq(system_client_status(&queued[i], "GET", "/livez", NULL, 0), 200);
        system_client_close(&queued[i]);
        system_client_close(&fresh[i]);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system stuck");
    TCase *tcase = tcase_create("stuck");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_stopped_worker_delays_nobody_else_and_is_replaced);
    tcase_add_test(tcase, new_connections_wait_for_no_worker_that_stands_still);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* One key that everybody changes, over all workers, each answer durable: increments of 64 clients, none lost, none
 * given out twice, and many of them in one record; and loops of compare-and-set, of which none overwrites another's
 * value.
 *
 * Where strace may be used each fdatasync takes a while longer, so that how many increments wait for one is no matter
 * of the disk. */
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "system_tracer.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_CLIENTS    64u
#define N_INCREMENTS (TEST_SANITIZED ? 100u : 1000u) /* of each */
#define N_ALONE      100u                            /* of one client, before */
#define N_FOLDED     10u                             /* increments in one record, on average, at least */
#define N_SETTERS    16u
#define N_SETS       (TEST_SANITIZED ? 40u : 200u) /* of each */
#define N_KEYS       8u

static char *dir;
static struct system_server *server;
static uint8_t is_given[N_CLIENTS * 1000u + N_ALONE + 1]; /* by number */

struct hot_client {
    pthread_t thread;
    unsigned number;
    unsigned n;
    uint64_t *given; /* what each of its increments was answered */
};

static void setup(void)
{
    const char *arguments[] = { "-o", "server.workers=2", "-o", "log.sync=always", NULL };

    dir = test_dir_create();
    server = system_server_start(dir, arguments);
}

static void teardown(void)
{
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

static uint64_t last_sequence(void)
{
    const char *at = strstr(system_ctl(dir, "status"), "\"last_sequence\":");

    ck_assert(at != NULL);
    return strtoull(at + strlen("\"last_sequence\":"), NULL, 10);
}

static void *increment(void *argument)
{
    struct hot_client *hot = argument;
    struct system_client client;

    if (!system_client_open(&client, system_server_port(server)))
        return NULL;
    for (unsigned i = 0; i < hot->n; i++) {
        struct system_response response;

        system_client_request(&client, "POST", "/v1/kv/hot?op=incr", "", 0, &response);
        hot->given[i] = response.status == 200 ? strtoull(response.body, NULL, 10) : 0;
        system_response_fini(&response);
    }
    system_client_close(&client);
    return NULL;
}

/* So many clients at once; increments a second. */
static double run_clients(unsigned n_clients, unsigned n_each)
{
    struct hot_client clients[N_CLIENTS];
    long begin_ms = system_now_ms(), end_ms;

    for (unsigned i = 0; i < n_clients; i++) {
        clients[i] = (struct hot_client){ .number = i, .n = n_each, .given = calloc(n_each, sizeof(uint64_t)) };
        ck_assert_int_eq(pthread_create(&clients[i].thread, NULL, increment, &clients[i]), 0);
    }
    for (unsigned i = 0; i < n_clients; i++)
        ck_assert_int_eq(pthread_join(clients[i].thread, NULL), 0);
    end_ms = system_now_ms();
    for (unsigned i = 0; i < n_clients; i++) {
        for (unsigned j = 0; j < n_each; j++) {
            ck_assert_msg(clients[i].given[j] > 0 && clients[i].given[j] < sizeof is_given, "increment %u of client %u",
                          j, i);
            ck_assert_msg(is_given[clients[i].given[j]]++ == 0, "%" PRIu64 " was given out twice", clients[i].given[j]);
        }
        free(clients[i].given);
    }
    return n_clients * n_each * 1000.0 / (double)(end_ms - begin_ms + 1);
}

START_TEST(increments_of_many_clients_are_one_write)
{
    static const char *const slow_syncs[] = { "inject=fdatasync:delay_exit=3000", NULL };
    struct system_tracer *tracer = system_tracer_attach(system_server_pid(server), slow_syncs);
    struct system_client client = { .fd = -1, .port = system_server_port(server) };
    uint64_t n_records, n_increments = (uint64_t)N_CLIENTS * N_INCREMENTS;
    double alone, together;
    bool is_traced = tracer != NULL;
    char total[32];

    alone = run_clients(1, N_ALONE);
    n_records = last_sequence();
    together = run_clients(N_CLIENTS, N_INCREMENTS);
    n_records = last_sequence() - n_records;
    system_tracer_detach(&tracer);
    printf("one client: %.0f increments a second; %u clients: %.0f, %.1f times as many; %" PRIu64 " records\n", alone,
           N_CLIENTS, together, together / alone, n_records);
    snprintf(total, sizeof total, "%" PRIu64, n_increments + N_ALONE);
    system_client_check(&client, "/v1/kv/hot", 200, total);
    system_client_close(&client);
    if (is_traced)
        ck_assert_msg(n_records * N_FOLDED <= n_increments, "%" PRIu64 " records of %" PRIu64 " increments", n_records,
                      n_increments);
}
END_TEST

/* One success: the value that was read, and one more, if nobody was faster. */
static bool set_once(struct system_client *client, const char *target)
{
    struct system_response response;
    char headers[64], value[32];
    const char *tag;
    int status;

    system_client_request(client, "GET", target, NULL, 0, &response);
    tag = system_response_header(&response, "ETag");
    snprintf(headers, sizeof headers, "If-Match: %s\r\n", tag != NULL ? tag : "?");
    snprintf(value, sizeof value, "%ld", strtol(response.body, NULL, 10) + 1);
    system_response_fini(&response);
    system_client_request_with(client, "PUT", target, headers, value, strlen(value), &response);
    status = response.status;
    system_response_fini(&response);
    ck_assert_msg(status == 204 || status == 412, "status %d", status);
    return status == 204;
}

static void *set(void *argument)
{
    struct hot_client *hot = argument;
    struct system_client client;
    unsigned n_tries = 0, n_done = 0;
    char target[32];

    ck_assert(system_client_open(&client, system_server_port(server)));
    while (n_done < hot->n && n_tries < 1000 * hot->n) {
        snprintf(target, sizeof target, "/v1/kv/set%u", (hot->number + n_tries++) % N_KEYS);
        n_done += set_once(&client, target);
    }
    system_client_close(&client);
    hot->n = n_done;
    return NULL;
}

START_TEST(loops_of_compare_and_set_lose_nothing)
{
    struct hot_client setters[N_SETTERS];
    struct system_client client = { .fd = -1, .port = system_server_port(server) };
    unsigned long sum = 0;
    char target[32];

    for (unsigned i = 0; i < N_KEYS; i++) {
        snprintf(target, sizeof target, "/v1/kv/set%u", i);
        ck_assert_int_eq(system_client_status(&client, "PUT", target, "0", 1), 201);
    }
    for (unsigned i = 0; i < N_SETTERS; i++) {
        setters[i] = (struct hot_client){ .number = i, .n = N_SETS };
        ck_assert_int_eq(pthread_create(&setters[i].thread, NULL, set, &setters[i]), 0);
    }
    for (unsigned i = 0; i < N_SETTERS; i++) {
        ck_assert_int_eq(pthread_join(setters[i].thread, NULL), 0);
        ck_assert_uint_eq(setters[i].n, N_SETS);
    }
    for (unsigned i = 0; i < N_KEYS; i++) {
        struct system_response response;

        snprintf(target, sizeof target, "/v1/kv/set%u", i);
        system_client_request(&client, "GET", target, NULL, 0, &response);
        ck_assert_int_eq(response.status, 200);
        sum += strtoul(response.body, NULL, 10);
        system_response_fini(&response);
    }
    system_client_close(&client);
    ck_assert_uint_eq(sum, N_SETTERS * N_SETS);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system hot key");
    TCase *tcase = tcase_create("hot");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, increments_of_many_clients_are_one_write);
    tcase_add_test(tcase, loops_of_compare_and_set_lose_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* A worker is killed at every system call that it makes for a request: what was acknowledged is there, what was not is
 * there whole or not at all, and the replacement goes on with the same rings. RK_LONG=1 in the environment asks for the
 * figures of `make check-long`. */
#include "system_client.h"
#include "system_server.h"
#include "system_tracer.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE_BYTES 200000u
#define N_TIMES_MAX 64
#define PATIENCE_MS 500

#define STEP         (TEST_SANITIZED ? 3u : 1u) /* a sanitized worker starts slowly: every third of the calls */
#define N_SEEDS_LONG 50

/* Of the worker's event loop and of its reader threads, between the connection and its end. */
static const char *const calls[] = { "accept4", "epoll_wait", "epoll_ctl", "read",   "readv",   "recvfrom", "preadv2",
                                     "pread64", "openat",     "write",     "writev", "sendmsg", "futex",    "close" };

static const struct operation {
    const char *name;
    const char *method;
    const char *before; /* NULL: the key is not there */
    const char *value;  /* of a PUT */
    bool large;         /* the value that is read or written is LARGE_BYTES of its first letter */
} operations[] = {
    { "PUT of a new key", "PUT", NULL, "new", false },      { "PUT over an old value", "PUT", "old", "new", false },
    { "PUT of a large value", "PUT", "old", "new", true },  { "GET", "GET", "old", NULL, false },
    { "GET of a large value", "GET", "large", NULL, true }, { "DELETE", "DELETE", "old", NULL, false },
};
#define N_OPERATIONS (sizeof operations / sizeof operations[0])

static char *dir;
static struct system_server *server;
static char large[LARGE_BYTES + 1];
static unsigned seed; /* each has its own key and size of large values, and other keys that were written before */
static char target[32];

static void setup(void)
{
    static const char *const one[] = { "-o", "server.workers=1", "-o", "log.sync=none", NULL };

    dir = test_dir_create();
    server = system_server_start(dir, one);
}

static void teardown(void)
{
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* The value in full. */
static const char *value_of(const struct operation *operation, const char *text)
{
    if (text == NULL || !operation->large)
        return text;
    memset(large, text[0], LARGE_BYTES - seed * 1777);
    return large;
}

/* Until somebody serves. */
static int request(const char *method, const char *value)
{
    struct system_client client = { .fd = -1, .port = system_server_port(server) };
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int status;

    do {
        status = system_client_status(&client, method, target, value, value != NULL ? strlen(value) : 0);
        ck_assert_msg(system_now_ms() < deadline, "nobody answers");
    } while (status == 0);
    system_client_close(&client);
    return status;
}

static void prepare(const struct operation *operation)
{
    const char *value = value_of(operation, operation->before);
    int status = value != NULL ? request("PUT", value) : request("DELETE", NULL);

    ck_assert_msg(status == 201 || status == 204 || (value == NULL && status == 404), "%d", status);
}

static pid_t worker_pid(void)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    pid_t pids[4];

    while (system_server_workers(server, pids, 4) != 1) {
        ck_assert_msg(system_now_ms() < deadline, "there is no worker");
        usleep(1000);
    }
    return pids[0];
}

static bool body_is(const struct system_response *response, const struct operation *operation, const char *text)
{
    const char *value = value_of(operation, text);

    if (text == NULL)
        return response->status == 404;
    return response->status == 200 && response->body_len == strlen(value)
           && memcmp(response->body, value, response->body_len) == 0;
}

/* What the client was told holds; if it was told nothing, the operation happened or it did not. */
static void check_outcome(const struct operation *operation, int told, const char *where)
{
    struct system_client client = { .fd = -1, .port = system_server_port(server) };
    const char *after = strcmp(operation->method, "GET") == 0 ? operation->before : operation->value;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    struct system_response response;

    ck_assert_msg(told == 0 || told == 200 || told == 201 || told == 204, "%s: answered %d", where, told);
    system_client_request(&client, "GET", target, NULL, 0, &response);
    while (response.status == 0) {
        ck_assert_msg(system_now_ms() < deadline, "%s: nobody answers", where);
        system_response_fini(&response);
        system_client_request(&client, "GET", target, NULL, 0, &response);
    }
    ck_assert_msg(
        body_is(&response, operation, after) || (told == 0 && body_is(&response, operation, operation->before)),
        "%s: the client was told %d, and now finds %d, %zu bytes", where, told, response.status, response.body_len);
    system_response_fini(&response);
    system_client_close(&client);
}

/* One operation on a connection of its own; its status, 0 when the connection broke. */
static int run(const struct operation *operation)
{
    struct system_client client = { .fd = -1 };
    struct system_response response;
    const char *value = value_of(operation, operation->value);
    int status;

    if (!system_client_open(&client, system_server_port(server)))
        return 0;
    system_client_request(&client, operation->method, target, value, value != NULL ? strlen(value) : 0, &response);
    status = response.status;
    if (status == 200)
        ck_assert_msg(body_is(&response, operation, operation->before), "%s: a wrong value", operation->name);
    system_response_fini(&response);
    system_client_close(&client);
    return status;
}

/* Whether another worker comes; where strace cannot be used, none does. */
static bool is_replaced(pid_t worker)
{
    long deadline = system_now_ms() + PATIENCE_MS;

    while (worker_pid() == worker)
        if (system_now_ms() > deadline)
            return false;
    return true;
}

/* Kills the worker at the n-th such call, if the operation needs so many; whether it did. False, too, without strace.
 */
static bool kill_at(const struct operation *operation, const char *call, unsigned n)
{
    char trace[64], inject[96], where[160];
    const char *expressions[] = { trace, inject, NULL };
    struct system_tracer *tracer;
    pid_t worker;
    int status;

    prepare(operation);
    worker = worker_pid();
    snprintf(trace, sizeof trace, "trace=%s", call);
    snprintf(inject, sizeof inject, "inject=%s:signal=SIGKILL:when=%u", call, n);
    snprintf(where, sizeof where, "%s, killed at %s number %u", operation->name, call, n);
    tracer = system_tracer_attach(worker, expressions);
    if (tracer == NULL)
        return is_replaced(worker); /* it died while it waited for work */
    status = run(operation);
    system_tracer_detach(&tracer);
    check_outcome(operation, status, where);
    return worker_pid() != worker;
}

/* Other keys are written first, so that pages, files and rings are not those of a new server. */
static void use_seed(unsigned number)
{
    seed = number;
    for (unsigned i = 0; i < seed * 7; i++) {
        snprintf(target, sizeof target, "/v1/kv/before-%u-%u", seed, i);
        ck_assert_int_eq(request("PUT", value_of(&operations[i % N_OPERATIONS], "other")), 201);
    }
    snprintf(target, sizeof target, "/v1/kv/k%u", seed);
}

START_TEST(a_worker_is_killed_at_every_call)
{
    const struct operation *operation = &operations[_i % N_OPERATIONS];
    pid_t master = system_server_pid(server);
    unsigned n_kills = 0, n_calls = 0;

    use_seed((unsigned)_i / N_OPERATIONS);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (unsigned n = 1 + (unsigned)_i % STEP; n <= N_TIMES_MAX && kill_at(operation, calls[i], n); n += STEP) {
            n_kills++;
            n_calls += n == 1;
        }
    printf("%s, %u: killed at %u calls of %u kinds: 0 lost, 0 invented\n", operation->name, seed, n_kills, n_calls);
    ck_assert_int_eq(system_server_pid(server), master);
    ck_assert_int_eq(kill(master, 0), 0);
}
END_TEST

static int n_seeds(void)
{
    const char *text = getenv("RK_LONG");

    return text != NULL && text[0] != '\0' ? N_SEEDS_LONG : 1;
}

Suite *test_suite(void)
{
    Suite *suite = suite_create("system kill");
    TCase *tcase = tcase_create("kill");

    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_worker_is_killed_at_every_call, 0, n_seeds() * (int)N_OPERATIONS);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* What a user sees of a start that takes long: the server is alive, says how far it is, refuses the rest, and then
 * serves. strace makes the reads of recovery slow. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_VALUES    24
#define VALUE_BYTES (1u << 20)

static char *dir;
static char data_dir[256], slow_program[256];
static int port;
static struct system_server *server;
static struct system_client client;

/* A program that is the server, each of whose reads of data files takes long. */
static void make_slow_program(void)
{
    const char *program = getenv("RACKKVD") != NULL ? getenv("RACKKVD") : "./rackkvd";
    FILE *file;

    snprintf(slow_program, sizeof slow_program, "%s/slow", dir);
    file = fopen(slow_program, "we");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "#!/bin/sh\n"
            "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 " /* nor can leaks be looked for in a traced process */
            "exec strace -D -f -q -o /dev/null -e trace=pread64 -e inject=pread64:delay_enter=2000 %s \"$@\"\n",
            program);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(slow_program, 0700), 0);
}

static void setup(void)
{
    static const char *const no_sync[] = { "-o", "server.workers=1", "-o", "log.sync=none", NULL };
    static char value[VALUE_BYTES];

    dir = test_dir_create();
    snprintf(data_dir, sizeof data_dir, "%s/data", dir);
    make_slow_program();
    server = system_server_start(data_dir, no_sync);
    ck_assert(system_client_open(&client, system_server_port(server)));
    for (unsigned i = 0; i < N_VALUES; i++) {
        char target[32];

        snprintf(target, sizeof target, "/v1/kv/s%u", i);
        ck_assert_int_eq(system_client_status(&client, "PUT", target, value, sizeof value), 201);
    }
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
}

static void teardown(void)
{
    system_client_close(&client);
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    test_dir_remove(&dir);
}

/* Without hints all of the data is read. */
static void remove_hints(void)
{
    char pattern[300];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s/*.hint", data_dir);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        ck_assert_int_eq(unlink(found.gl_pathv[i]), 0);
    globfree(&found);
}

/* Starts it slowly, and connects to its worker; false where strace cannot be used. */
static bool start_slowly(void)
{
    const char *arguments[] = { "-o", "server.workers=1", NULL };
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    if (system("strace -D -q -o /dev/null true 2>/dev/null") != 0) {
        fprintf(stderr, "skipped: strace is not installed, or may not trace here\n");
        return false;
    }
    remove_hints();
    setenv("RACKKVD", slow_program, 1);
    server = system_server_launch(data_dir, arguments, NULL);
    port = system_server_port(server);
    while (!system_client_open(&client, port)) {
        ck_assert_msg(system_now_ms() < deadline, "it does not listen");
        usleep(1000);
    }
    return true;
}

static long member_of(const struct system_response *response, const char *name)
{
    const char *at = strstr(response->body, name);

    ck_assert_msg(at != NULL, "no %s in %s", name, response->body);
    return atol(at + strlen(name));
}

static void check_not_ready(const char *method, const char *target)
{
    struct system_response response;

    system_client_request(&client, method, target, "new", strcmp(method, "PUT") == 0 ? 3 : 0, &response);
    ck_assert_msg(response.status == 503, "%s %s: %d %s", method, target, response.status, response.body);
    ck_assert_ptr_nonnull(strstr(response.body, "\"not-ready\""));
    ck_assert_ptr_nonnull(system_response_header(&response, "Retry-After"));
    ck_assert_str_eq(system_response_header(&response, "RackKV-Outcome"), "none");
    system_response_fini(&response);
}

/* Waits until so many bytes are done. */
static void wait_progress(long done_bytes)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    long done = 0;

    while (done < done_bytes) {
        struct system_response response;

        ck_assert_msg(system_now_ms() < deadline, "no progress: %ld", done);
        system_client_request(&client, "GET", "/readyz", NULL, 0, &response);
        ck_assert_msg(response.status == 503, "%d %s", response.status, response.body);
        ck_assert_ptr_nonnull(system_response_header(&response, "Retry-After"));
        ck_assert_ptr_nonnull(strstr(response.body, "\"state\":\"recovering\""));
        done = member_of(&response, "\"done_bytes\":");
        ck_assert_int_le(done, member_of(&response, "\"total_bytes\":"));
        ck_assert_int_ge(member_of(&response, "\"records\":"), 0);
        system_response_fini(&response);
        usleep(5000);
    }
}

START_TEST(a_server_that_recovers_is_alive_and_not_ready)
{
    if (!start_slowly())
        return;
    ck_assert_int_eq(system_client_status(&client, "GET", "/livez", NULL, 0), 200);
    check_not_ready("GET", "/v1/kv/s1");
    check_not_ready("PUT", "/v1/kv/new");
    check_not_ready("DELETE", "/v1/kv/s1");
    wait_progress(VALUE_BYTES);
    check_not_ready("GET", "/v1/kv/s1");
    system_server_wait_line(server, "data in "); /* it serves */
    ck_assert_int_eq(system_client_status(&client, "GET", "/readyz", NULL, 0), 200);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/s1", NULL, 0), 200);
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/new", NULL, 0), 404);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/new", "1", 1), 201);
}
END_TEST

START_TEST(a_worker_that_dies_during_recovery_is_replaced)
{
    pid_t pids[8], first;
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;

    if (!start_slowly())
        return;
    ck_assert_int_eq(system_client_status(&client, "GET", "/livez", NULL, 0), 200);
    ck_assert_uint_ge(system_server_workers(server, pids, 8), 1);
    first = pids[0];
    kill(first, SIGKILL);
    system_client_close(&client);
    while (!system_client_open(&client, port) || system_client_status(&client, "GET", "/livez", NULL, 0) != 200)
        ck_assert_msg(system_now_ms() < deadline, "nobody answers");
    check_not_ready("GET", "/v1/kv/s1");
    system_server_wait_line(server, "data in ");
    ck_assert_int_eq(system_client_status(&client, "GET", "/v1/kv/s1", NULL, 0), 200);
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/new", "1", 1), 201);
}
END_TEST

START_TEST(a_server_that_recovers_stops_when_asked)
{
    if (!start_slowly())
        return;
    wait_progress(1);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    ck_assert(start_slowly());
    system_server_wait_line(server, "recovered 24 keys");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system start");
    TCase *tcase = tcase_create("start");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 90);
    tcase_add_test(tcase, a_server_that_recovers_is_alive_and_not_ready);
    tcase_add_test(tcase, a_worker_that_dies_during_recovery_is_replaced);
    tcase_add_test(tcase, a_server_that_recovers_stops_when_asked);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* What a user sees of a server whose disk fails: the right status and outcome, reads that go on, and nothing lost that
 * was acknowledged. Faults are put into system calls of the running master or worker. */
#include "system_client.h"
#include "system_server.h"
#include "system_tracer.h"
#include "test_dir.h"
#include "test_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *dir;
static struct system_server *server;
static struct system_client client;
static struct system_tracer *tracer;

static void setup(void)
{
    dir = test_dir_create();
    client.fd = -1;
}

static void stop_server(int expected_code)
{
    system_tracer_detach(&tracer);
    system_client_close(&client);
    ck_assert_int_eq(system_server_stop(&server, SIGTERM), expected_code);
}

static void teardown(void)
{
    if (server != NULL)
        stop_server(0);
    test_dir_remove(&dir);
}

static void start_server(const char *setting)
{
    const char *arguments[] = { "-o", "server.workers=1", "-o", setting, NULL };

    server = system_server_start(dir, arguments);
    ck_assert(system_client_open(&client, system_server_port(server)));
}

/* Makes calls of the master fail; false where that is not possible. */
static bool inject(pid_t pid, const char *fault)
{
    const char *expressions[] = { fault, NULL };

    tracer = system_tracer_attach(pid, expressions);
    return tracer != NULL;
}

static void check_body(const char *target, int status, const char *text)
{
    struct system_response response;

    system_client_request(&client, "GET", target, NULL, 0, &response);
    ck_assert_int_eq(response.status, status);
    ck_assert_msg(strstr(response.body, text) != NULL, "%s: no \"%s\" in: %s", target, text, response.body);
    system_response_fini(&response);
}

/* A write that is refused: its status, its code, and what it says of what happened. */
static void check_refused(const char *method, const char *target, int status, const char *code, const char *outcome)
{
    struct system_response response;
    const char *header;

    system_client_request(&client, method, target, "new", strcmp(method, "PUT") == 0 ? 3 : 0, &response);
    ck_assert_msg(response.status == status, "%s %s: %d %s", method, target, response.status, response.body);
    ck_assert_msg(strstr(response.body, code) != NULL, "no \"%s\" in: %s", code, response.body);
    header = system_response_header(&response, "RackKV-Outcome");
    ck_assert_ptr_nonnull(header);
    ck_assert_str_eq(header, outcome);
    ck_assert_int_eq(system_response_header(&response, "Retry-After") != NULL, status == 503);
    system_response_fini(&response);
}

static unsigned count_lines(const char *text)
{
    return system_server_count(server, text);
}

static void check_read_only(void)
{
    check_refused("PUT", "/v1/kv/c", 503, "read-only", "none");
    check_refused("DELETE", "/v1/kv/a", 503, "read-only", "none");
    check_body("/v1/kv/a", 200, "old");
    check_body("/readyz", 200, "read-only");
    system_server_wait_line(server, "writes are refused until a restart");
    for (int i = 0; i < 20; i++)
        check_refused("PUT", "/v1/kv/c", 503, "read-only", "none");
    ck_assert_uint_eq(count_lines("writes are refused until a restart"), 1);
}

START_TEST(a_failed_sync_ends_writes_and_not_reads)
{
    start_server("log.sync=always");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/a", "old", 3), 201);
    check_body("/readyz", 200, "ready\n");
    if (!inject(system_server_pid(server), "inject=fdatasync:error=EIO:when=1"))
        return;
    check_refused("PUT", "/v1/kv/b", 503, "read-only", "unknown");
    check_body("/v1/kv/b", 404, "not-found"); /* written, not durable: nobody may see it */
    check_read_only();
    stop_server(1);
    start_server("log.sync=always");
    check_body("/v1/kv/a", 200, "old");
    check_body("/readyz", 200, "ready\n");
    ck_assert_int_eq(system_client_status(&client, "DELETE", "/v1/kv/a", NULL, 0), 204);
}
END_TEST

START_TEST(a_failed_sync_in_the_background_ends_writes_too)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int status;

    start_server("log.sync=interval");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/a", "old", 3), 201);
    if (!inject(system_server_pid(server), "inject=fdatasync:error=EIO:when=1"))
        return;
    while ((status = system_client_status(&client, "PUT", "/v1/kv/b", "1", 1)) != 503) {
        ck_assert_msg(status == 201 || status == 204, "%d", status);
        ck_assert_msg(system_now_ms() < deadline, "writes go on");
        usleep(10000);
    }
    check_read_only();
    check_body("/v1/kv/b", 200, "1"); /* acknowledged: its durability was never promised */
    stop_server(1);
    start_server("log.sync=interval");
    check_body("/v1/kv/a", 200, "old");
    check_body("/v1/kv/b", 200, "1");
}
END_TEST

static const struct {
    const char *fault;
    int status;
    const char *code;
} write_faults[] = {
    { "inject=pwritev:error=EIO:when=1", 503, "write-error" },
    { "inject=pwritev:error=ENOSPC:when=1", 507, "no-space" },
    { "inject=pwritev:error=EFBIG:when=1", 503, "write-error" },
};

START_TEST(a_failed_write_did_not_happen_and_the_next_one_does)
{
    start_server("log.sync=always");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/a", "old", 3), 201);
    if (!inject(system_server_pid(server), write_faults[_i].fault))
        return;
    check_refused("PUT", "/v1/kv/a", write_faults[_i].status, write_faults[_i].code, "none");
    check_body("/v1/kv/a", 200, "old");
    ck_assert_int_eq(system_client_status(&client, "PUT", "/v1/kv/b", "good", 4), 201);
    check_body("/readyz", 200, "ready\n");
    system_server_wait_line(server, "1 failed writes so far");
    stop_server(0);
    start_server("log.sync=always");
    check_body("/v1/kv/a", 200, "old");
    check_body("/v1/kv/b", 200, "good");
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system faults");
    TCase *tcase = tcase_create("writes");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_failed_sync_ends_writes_and_not_reads);
    tcase_add_test(tcase, a_failed_sync_in_the_background_ends_writes_too);
    tcase_add_loop_test(tcase, a_failed_write_did_not_happen_and_the_next_one_does, 0,
                        sizeof write_faults / sizeof write_faults[0]);
    suite_add_tcase(suite, tcase);
    return suite;
}

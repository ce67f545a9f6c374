/* What rows cannot say of the contract of one key: what is refused outright, what time, merges and restarts do, large
 * values, and all workers together. */
#include "system_ctl.h"
#include "system_rows.h"
#include "test_main.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define A "/v1/kv/a"

struct refused_row {
    const char *request;
    int status;
    bool closes;
};

START_TEST(what_is_refused)
{
    static const struct refused_row rows[] = {
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
          true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
          true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, true },
        { "PUT /v1/kv/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2000001\r\nx", 413, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 33554433\r\n\r\nx", 413, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nRackKV-Meta-A: a\rb\r\nContent-Length: 1\r\n\r\nx", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\nHost: h\n\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400, true },
        { "PUT v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n", 400, true },
        { "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, true },
        { "BREW /v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n", 405, true },
        { "GET http://other:1/v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n", 404, false },
        { "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 204, false },
        { "GET /v1/kv/a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, false },
        { "GET /livez?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, false },
        { "GET /v1/kv/a HTTP/1.1\r\nHost: h\r\nRackKV-Unknown: 1\r\n\r\n", 400, false },
        { "GET /readyz HTTP/1.1\r\nHost: h\r\nRackKV-TTL: 1\r\n\r\n", 400, false },
        { "GET /get?key=a HTTP/1.1\r\nHost: h\r\nRackKV-Durability: synced\r\n\r\n", 400, false },
    };

    start_bed();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char byte;

        system_client_close(&bed.client);
        ck_assert(system_client_open(&bed.client, bed.client.port));
        ck_assert(system_client_send(&bed.client, rows[i].request));
        ck_assert_msg(system_client_receive_status(&bed.client, "GET") == rows[i].status, "%s", rows[i].request);
        if (rows[i].closes)
            ck_assert_msg(recv(bed.client.fd, &byte, 1, 0) == 0, "%s", rows[i].request);
        else
            ck_assert_int_eq(system_client_status(&bed.client, "GET", "/livez", NULL, 0), 200);
    }
    system_client_close(&bed.client);
    ck_assert_int_eq(system_client_status(&bed.client, "GET", "/v1/kv/a", NULL, 0), 404);
    stop_bed();
}
END_TEST

static int ask(const char *method, const char *target, const char *body)
{
    return system_client_status(&bed.client, method, target, body, body != NULL ? strlen(body) : 0);
}

/* Waits until it is gone; from then on it is for every request, whoever asks. */
static void wait_until_absent(const char *target)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int status;

    while ((status = ask("GET", target, NULL)) != 404) {
        ck_assert_int_eq(status, 200);
        ck_assert_int_lt(system_now_ms(), deadline);
    }
}

START_TEST(what_has_expired_is_absent)
{
    start_bed();
    ck_assert_int_eq(ask("PUT", A "?ttl=50ms", "v"), 201);
    wait_until_absent(A);
    ck_assert_int_eq(ask("DELETE", A, NULL), 404);
    ck_assert_int_eq(ask("POST", A "?op=touch&ttl=60", NULL), 404);
    ck_assert_int_eq(ask("PUT", A "?ttl=50ms", "v"), 201);
    wait_until_absent(A);
    check_row(&(struct row){ "create only", "PUT " A "?ttl=50ms", "If-None-Match: *\n", "v", 201, NULL, "" });
    wait_until_absent(A);
    check_row(&(struct row){ "If-Match", "PUT " A, "If-Match: *\n", "v", 412, "!ETag", NULL });
    check_row(&(struct row){ "incr", "POST " A "?op=incr", "", "", 200, NULL, "1" });
    check_row(&(struct row){ "incr", "GET " A, "", NULL, 200, "!RackKV-Expires", "1" });
    ck_assert_int_eq(ask("POST", A "?op=touch&ttl=50ms", ""), 204);
    wait_until_absent(A);
    ck_assert_int_eq(ask("POST", A "?op=append", "x"), 201);
    ck_assert_int_eq(ask("PUT", A, "v"), 204);
    stop_bed();
}
END_TEST

START_TEST(what_is_stored_outlives_merges_and_restarts)
{
    static const struct row put = {
        "all of it",
        "PUT " A "?expires=4000000000",
        "Content-Type: text/x\nCache-Control: max-age=5\nRackKV-Meta-B: 1\nrackkv-meta-a: 2\n",
        "v",
        204,
        NULL,
        ""
    };
    static const struct row get = {
        "all of it",
        "GET " A,
        "",
        NULL,
        200,
        "Content-Type: text/x\nCache-Control: max-age=5\nRackKV-Meta-B: 1\nrackkv-meta-a: 2\n"
        "RackKV-Expires: 4000000000\nETag: {etag}",
        "v"
    };

    start_bed();
    ck_assert_int_eq(ask("PUT", A, "before"), 201);
    check_row(&put);
    check_row(&get);
    (void)system_ctl(bed.dir, "merge start --all --wait");
    check_row(&get);
    check_row(&(struct row){ "its tag is good after a merge", "PUT /v1/kv/b", "", "v", 201, NULL, "" });
    ck_assert_int_eq(system_server_stop(&bed.server, SIGTERM), 0);
    bed.server = system_server_start(bed.dir, NULL);
    system_client_close(&bed.client);
    bed.client.port = system_server_port(bed.server);
    strcpy(bed.etag, bed.old);
    check_row(&get);
    stop_bed();
}
END_TEST

/* A range of a large value, whose blocks are read alone. */
START_TEST(ranges_of_a_large_value)
{
    const size_t len = 300001;
    char *value = malloc(len), text[100];
    struct system_response response;

    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + i * 31 % 26 - i / 65536 % 3);
    start_bed();
    ck_assert_int_eq(system_client_status(&bed.client, "PUT", A, value, len), 201);
    for (size_t first = 0; first < len; first += 32767) {
        size_t last = first + 70000 < len ? first + 70000 : len - 1;

        snprintf(text, sizeof text, "GET " A " HTTP/1.1\r\nHost: h\r\nRange: bytes=%zu-%zu\r\n\r\n", first, last);
        ck_assert(system_client_send(&bed.client, text));
        ck_assert(system_client_receive(&bed.client, "GET", &response));
        ck_assert_int_eq(response.status, 206);
        ck_assert_uint_eq(response.body_len, last - first + 1);
        ck_assert_mem_eq(response.body, value + first, response.body_len);
        system_response_fini(&response);
    }
    stop_bed();
    free(value);
}
END_TEST

#define N_CLIENTS 16
#define N_ROUNDS  25

static long value_of(struct system_client *client, const char *target)
{
    struct system_response response;
    long value;

    system_client_request(client, "GET", target, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    value = strtol(response.body, NULL, 10);
    system_response_fini(&response);
    return value;
}

static void *increment(void *port)
{
    struct system_client client = { .fd = -1, .port = *(int *)port };

    for (int i = 0; i < N_ROUNDS; i++)
        ck_assert_int_eq(system_client_status(&client, "POST", "/v1/kv/n?op=incr", "", 0), 200);
    system_client_close(&client);
    return NULL;
}

/* Reads, and writes one more if it is still that. */
static void *compare_and_set(void *port)
{
    struct system_client client = { .fd = -1, .port = *(int *)port };

    for (int done = 0; done < N_ROUNDS;) {
        struct system_response response;
        char text[300], etag[32];
        long value;
        int status;

        system_client_request(&client, "GET", "/v1/kv/c", NULL, 0, &response);
        ck_assert_int_eq(response.status, 200);
        value = strtol(response.body, NULL, 10);
        snprintf(etag, sizeof etag, "%s", system_response_header(&response, "ETag"));
        system_response_fini(&response);
        snprintf(text, sizeof text,
                 "PUT /v1/kv/c HTTP/1.1\r\nHost: h\r\nIf-Match: %s\r\nContent-Length: 6\r\n\r\n%06ld", etag, value + 1);
        ck_assert(system_client_send(&client, text));
        status = system_client_receive_status(&client, "PUT");
        ck_assert_msg(status == 204 || status == 412, "%d", status);
        done += status == 204;
    }
    system_client_close(&client);
    return NULL;
}

static void run_all(void *(*body)(void *port))
{
    pthread_t threads[N_CLIENTS];
    int port = system_server_port(bed.server);

    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, &port), 0);
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

START_TEST(nothing_is_lost_between_workers)
{
    start_bed();
    ck_assert_int_eq(ask("PUT", "/v1/kv/c", "0"), 201);
    run_all(increment);
    run_all(compare_and_set);
    ck_assert_int_eq(value_of(&bed.client, "/v1/kv/n"), N_CLIENTS * N_ROUNDS);
    ck_assert_int_eq(value_of(&bed.client, "/v1/kv/c"), N_CLIENTS * N_ROUNDS);
    stop_bed();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_one_key_all");
    TCase *tcase = tcase_create("one key");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_is_refused);
    tcase_add_test(tcase, what_has_expired_is_absent);
    tcase_add_test(tcase, what_is_stored_outlives_merges_and_restarts);
    tcase_add_test(tcase, ranges_of_a_large_value);
    tcase_add_test(tcase, nothing_is_lost_between_workers);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* The face as its clients see it: statuses, headers, framing and bytes, over real sockets. */
#include "fake_backend.h"
#include "raw_client.h"
#include "stats/stats_http.h"
#include "test_main.h"

#include "http/http_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "Host: h\r\n"

static struct fake_server server;
static struct raw_client client;

static void start_with(const struct rk_http_settings *settings)
{
    fake_server_start(&server, settings, NULL);
    raw_client_open(&client, server.port);
}

static void start(void)
{
    struct rk_http_settings settings = fake_settings();

    start_with(&settings);
}

static void stop(void)
{
    raw_client_close(&client);
    fake_server_stop(&server);
}

/* Sends one request on the common connection and checks the status. Free the answer. */
static struct raw_answer ask(const char *text, int status)
{
    struct raw_answer answer;

    raw_client_exchange(&client, text, &answer);
    ck_assert_msg(answer.status == status, "%s-> %s%s", text, answer.head, answer.body);
    return answer;
}

static void expect(const char *text, int status, const char *line)
{
    struct raw_answer answer = ask(text, status);

    ck_assert_msg(line == NULL || raw_answer_has(&answer, line), "%s-> %s", text, answer.head);
    raw_answer_fini(&answer);
}

static void expect_code(const char *text, int status, const char *code)
{
    struct raw_answer answer = ask(text, status);
    char *member;

    ck_assert_int_ge(asprintf(&member, "\"code\":\"%s\"", code), 0);
    ck_assert_msg(raw_answer_has(&answer, "Content-Type: application/problem+json"), "%s", answer.head);
    ck_assert_msg(strstr(answer.body, member) != NULL, "%s-> %s", text, answer.body);
    free(member);
    raw_answer_fini(&answer);
}

static void expect_body(const char *text, const char *body)
{
    struct raw_answer answer = ask(text, 200);

    ck_assert_str_eq(answer.body, body);
    raw_answer_fini(&answer);
}

START_TEST(put_get_replace_delete)
{
    struct raw_answer answer;

    start();
    answer = ask("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 201);
    ck_assert(raw_answer_has(&answer, "ETag: \"1001\""));
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1001"));
    ck_assert(raw_answer_has(&answer, "Content-Length: 0"));
    raw_answer_fini(&answer);
    answer = ask("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert_str_eq(answer.body, "hello");
    ck_assert(raw_answer_has(&answer, "ETag: \"1001\""));
    ck_assert(raw_answer_has(&answer, "Content-Type: application/octet-stream"));
    ck_assert(raw_answer_has(&answer, "Last-Modified: Sun, 22 Nov 2026 20:04:03 GMT"));
    ck_assert(raw_answer_has(&answer, "X-Content-Type-Options: nosniff"));
    ck_assert(raw_answer_has(&answer, "Cache-Control: no-cache"));
    raw_answer_fini(&answer);
    answer = ask("POST /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nbye", 204);
    ck_assert(raw_answer_has(&answer, "ETag: \"1002\""));
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1002"));
    ck_assert(!raw_answer_has_name(&answer, "Content-Length"));
    ck_assert(!raw_answer_has_name(&answer, "Transfer-Encoding"));
    raw_answer_fini(&answer);
    expect_body("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", "bye");
    answer = ask("DELETE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 204);
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1003"));
    ck_assert(!raw_answer_has_name(&answer, "ETag"));
    raw_answer_fini(&answer);
    expect("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1003");
    expect_code("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "not-found");
    expect("DELETE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1003");
    stop();
}
END_TEST

START_TEST(the_originals_endpoints)
{
    start();
    expect_body("GET /put?key=a+b&val=1%2B1 HTTP/1.1\r\n" HOST "\r\n", "OK");
    expect_body("GET /get?key=a+b HTTP/1.1\r\n" HOST "\r\n", "1+1");
    expect_body("GET /get?a%20b HTTP/1.1\r\n" HOST "\r\n", "1+1");
    expect_body("GET /v1/kv/a%20b HTTP/1.1\r\n" HOST "\r\n", "1+1");
    expect_body("PUT /put?key=k&value= HTTP/1.1\r\n" HOST "\r\n", "OK");
    expect_body("POST /put?key=k&value=x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "OK");
    expect("POST /get?key=k HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "Cache-Control: no-store");
    expect("GET /delete?key=k HTTP/1.1\r\n" HOST "\r\n", 200, "Cache-Control: no-store");
    expect_code("GET /delete?key=k HTTP/1.1\r\n" HOST "\r\n", 404, "not-found");
    expect_code("GET /get?key=k HTTP/1.1\r\n" HOST "\r\n", 404, "not-found");
    expect_body("GET /open?rw=1&syn=1 HTTP/1.1\r\n" HOST "\r\n", "OK");
    expect_code("GET /put?key=a HTTP/1.1\r\n" HOST "\r\n", 400, "missing-value");
    expect_code("GET /put?val=a HTTP/1.1\r\n" HOST "\r\n", 400, "missing-key");
    expect_code("GET /get?key= HTTP/1.1\r\n" HOST "\r\n", 400, "empty-key");
    expect_code("GET /get?key=%2 HTTP/1.1\r\n" HOST "\r\n", 400, "bad-escape");
    expect("DELETE /delete?key=a HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET, PUT, POST, OPTIONS");
    stop();
}
END_TEST

START_TEST(without_legacy_its_endpoints_are_404)
{
    struct rk_http_settings settings = fake_settings();

    settings.legacy = false;
    start_with(&settings);
    expect_code("GET /put?key=a&val=b HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    expect_code("GET /get?key=a HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    ck_assert_uint_eq(server.control->n_puts + server.control->n_gets, 0);
    stop();
}
END_TEST

START_TEST(service_endpoints)
{
    start();
    expect_body("GET /livez HTTP/1.1\r\n" HOST "\r\n", "alive\n");
    expect_body("GET /readyz HTTP/1.1\r\n" HOST "\r\n", "ready\n");
    expect("HEAD /readyz HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 6");
    server.control->not_ready = true;
    expect("GET /readyz HTTP/1.1\r\n" HOST "\r\n", 503, "Retry-After: 1");
    expect_code("GET /readyz HTTP/1.1\r\n" HOST "\r\n", 503, "not-ready");
    expect("POST /livez HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405, "Allow: GET, HEAD, OPTIONS");
    expect_code("GET / HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    expect_code("GET /livez/ HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    stop();
}
END_TEST

START_TEST(methods)
{
    static const char allow[] = "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS";
    struct raw_answer answer;

    start();
    expect("OPTIONS /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 204, allow);
    answer = ask("PATCH /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405);
    ck_assert(raw_answer_has(&answer, allow));
    ck_assert(raw_answer_has(&answer, "Connection: close"));
    raw_answer_fini(&answer);
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    ck_assert_uint_eq(server.control->n_puts + server.control->n_gets, 0);
    stop();
}
END_TEST

START_TEST(headers_come_back_as_they_were)
{
    struct raw_answer answer;

    start();
    expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST
           "Content-Type: text/html; charset=\"x\"\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
           201, NULL);
    answer = ask("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert(raw_answer_has(&answer, "Content-Type: text/html; charset=\"x\""));
    ck_assert(raw_answer_has(&answer, "Content-Encoding: gzip"));
    raw_answer_fini(&answer);
    expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\ny", 204, NULL);
    answer = ask("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert(raw_answer_has(&answer, "Content-Type: application/octet-stream"));
    ck_assert(!raw_answer_has_name(&answer, "Content-Encoding"));
    raw_answer_fini(&answer);
    server.control->bad_metadata = true;
    expect_code("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 500, "damaged-value");
    stop();
}
END_TEST

START_TEST(a_stored_header_too_long_is_refused)
{
    char text[2000];

    start();
    snprintf(text, sizeof text, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Type: %01025d\r\nContent-Length: 1\r\n\r\nx",
             0);
    expect_code(text, 400, "bad-metadata");
    ck_assert_uint_eq(server.control->n_puts, 0);
    stop();
}
END_TEST

/* What is not there yet must not be done as if it had not been asked for. */
START_TEST(unknown_conditions_and_options_are_not_ignored)
{
    static const char *const headers[] = { "If-Match: *",   "If-None-Match: \"1\"",      "If-Unmodified-Since: x",
                                           "RackKV-TTL: 5", "RackKV-Durability: synced", "Content-Range: bytes 0-1/2" };

    start();
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char text[200];

        snprintf(text, sizeof text, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "%s\r\nContent-Length: 1\r\n\r\nx", headers[i]);
        expect_code(text, 501, "not-implemented");
        snprintf(text, sizeof text, "DELETE /v1/kv/a HTTP/1.1\r\n" HOST "%s\r\n\r\n", headers[i]);
        expect_code(text, 501, "not-implemented");
    }
    expect_code("POST /v1/kv/a?op=incr HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 501, "not-implemented");
    expect_code("PUT /v1/kv/a?ttl=5 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 501, "not-implemented");
    ck_assert_uint_eq(server.control->n_puts + server.control->n_deletes, 0);
    stop();
}
END_TEST

static void expect_outcome(const char *text, int status, const char *code, const char *outcome)
{
    struct raw_answer answer = ask(text, status);
    char *member;

    ck_assert_int_ge(asprintf(&member, "\"code\":\"%s\"", code), 0);
    ck_assert_msg(strstr(answer.body, member) != NULL, "%s-> %s", text, answer.body);
    ck_assert_msg(raw_answer_has(&answer, outcome), "%s-> %s", text, answer.head);
    ck_assert_int_eq(raw_answer_has_name(&answer, "Retry-After"), status == 503);
    free(member);
    raw_answer_fini(&answer);
}

#define PUT_A    "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
#define GET_A    "GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n"
#define DELETE_A "DELETE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n"

START_TEST(every_write_says_what_became_of_it)
{
    start();
    server.control->write_error = RK_ERR_NO_SPACE;
    expect_outcome(PUT_A, 507, "no-space", "RackKV-Outcome: none");
    server.control->write_error = RK_ERR_FULL;
    expect_outcome(PUT_A, 507, "keydir-full", "RackKV-Outcome: none");
    server.control->write_error = RK_ERR_IO;
    expect_outcome(PUT_A, 503, "write-error", "RackKV-Outcome: unknown");
    server.control->write_error = RK_ERR_TIMEOUT;
    expect_outcome(DELETE_A, 503, "timeout", "RackKV-Outcome: unknown");
    server.control->write_error = RK_ERR_READ_ONLY;
    server.control->write_none = true;
    expect_outcome(PUT_A, 503, "read-only", "RackKV-Outcome: none");
    expect_outcome(DELETE_A, 503, "read-only", "RackKV-Outcome: none");
    server.control->submit_error = RK_ERR_AGAIN;
    expect_outcome(PUT_A, 503, "busy", "RackKV-Outcome: none");
    server.control->submit_error = RK_ERR_TOO_LARGE;
    expect_code(PUT_A, 413, "value-too-large");
    stop();
}
END_TEST

START_TEST(every_read_that_fails_says_so)
{
    start();
    expect(PUT_A, 201, NULL);
    for (int delayed = 0; delayed < 2; delayed++) {
        server.control->delay_gets = delayed;
        server.control->get_error = RK_ERR_CORRUPT;
        expect_code(GET_A, 500, "damaged-value");
        server.control->get_error = RK_ERR_IO;
        expect_code(GET_A, 500, "read-error");
        server.control->get_error = RK_ERR_FULL;
        expect_outcome(GET_A, 503, "busy", "RackKV-Outcome: none");
        server.control->get_error = RK_OK;
        expect_body(GET_A, "x");
        expect("GET /v1/kv/b HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1001");
    }
    stop();
}
END_TEST

START_TEST(what_does_not_end_in_time_is_answered)
{
    struct rk_http_settings settings = fake_settings();

    settings.request_timeout_ms = 200;
    start_with(&settings);
    server.control->hold = true;
    server.control->delay_gets = true;
    expect_outcome(PUT_A, 503, "timeout", "RackKV-Outcome: unknown");
    expect_outcome(GET_A, 503, "timeout", "RackKV-Outcome: none");
    ck_assert_uint_eq(server.control->n_cancelled, 2);
    server.control->hold = false; /* the connection and the server go on as before */
    expect_body(GET_A, "x");
    stop();
}
END_TEST

/* A late completion must not reach the request that came after. */
START_TEST(a_client_that_goes_away_cancels_nothing_else)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client other;

    settings.request_timeout_ms = 300;
    start_with(&settings);
    server.control->hold = true;
    raw_client_open(&other, server.port);
    ck_assert(raw_client_send_text(&other, PUT_A));
    fake_wait_for(&server.control->n_puts, 1);
    raw_client_close(&other);
    ck_assert(raw_client_send_text(&client, "PUT /v1/kv/b HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\ny"));
    fake_wait_for(&server.control->n_cancelled, 1); /* libh2o does not see the hang-up: the deadline ends it */
    server.control->hold = false;
    fake_server_wake(&server);
    {
        struct raw_answer answer;

        ck_assert(raw_client_receive(&client, false, &answer));
        ck_assert(answer.status == 201 || answer.status == 503);
        raw_answer_fini(&answer);
    }
    stop();
}
END_TEST

/* ---- bytes ---- */

static char *put_request(const char *path, const void *value, size_t len, bool chunked, size_t *len_out)
{
    size_t room = len + 256 + strlen(path);
    char *text = malloc(room);
    size_t at;

    if (chunked && len > 0)
        at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", path, len);
    else if (chunked)
        at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", path);
    else
        at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", path, len);
    if (len > 0)
        memcpy(text + at, value, len);
    at += len;
    if (chunked)
        at += (size_t)sprintf(text + at, "%s0\r\n\r\n", len > 0 ? "\r\n" : "");
    *len_out = at;
    return text;
}

static int put_value(const char *path, const void *value, size_t len, bool chunked)
{
    struct raw_client own;
    struct raw_answer answer;
    size_t request_len;
    char *request = put_request(path, value, len, chunked, &request_len);
    int status;

    raw_client_open(&own, server.port);
    (void)raw_client_send(&own, request, request_len); /* a refusal may come before all is taken */
    ck_assert(raw_client_receive(&own, false, &answer));
    status = answer.status;
    ck_assert(!chunked || raw_answer_has(&answer, "Connection: close"));
    if (status == 413)
        ck_assert_msg(strstr(answer.body, "\"limit\":2097152") != NULL, "%s", answer.body);
    raw_answer_fini(&answer);
    raw_client_close(&own);
    free(request);
    return status;
}

static void get_value(const char *path, const void *value, size_t len)
{
    struct raw_answer answer;
    char text[200];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
    answer = ask(text, 200);
    ck_assert_uint_eq(answer.body_len, len);
    ck_assert(memcmp(answer.body, value, len) == 0);
    raw_answer_fini(&answer);
    snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\n" HOST "\r\n", path);
    answer = ask(text, 200);
    snprintf(text, sizeof text, "Content-Length: %zu", len);
    ck_assert(raw_answer_has(&answer, text));
    raw_answer_fini(&answer);
}

static unsigned char *pattern(size_t len)
{
    unsigned char *bytes = malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    return bytes;
}

START_TEST(values_of_every_interesting_size)
{
    const size_t max = fake_settings().max_value_bytes;
    const size_t sizes[] = { 0, 1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 1 << 20, max - 1, max };
    unsigned char *bytes = pattern(max + 1);

    start();
    for (int delayed = 0; delayed < 2; delayed++) {
        server.control->delay_pieces = delayed;
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            int status = put_value("/v1/kv/length", bytes, sizes[i], false);

            ck_assert_int_eq(status, i == 0 && !delayed ? 201 : 204);
            get_value("/v1/kv/length", bytes, sizes[i]);
            ck_assert_int_eq(put_value("/v1/kv/chunks", bytes, sizes[i], true), i == 0 && !delayed ? 201 : 204);
            get_value("/v1/kv/chunks", bytes, sizes[i]);
        }
    }
    server.control->n_puts = 0;
    ck_assert_int_eq(put_value("/v1/kv/over", bytes, max + 1, false), 413);
    ck_assert_int_eq(put_value("/v1/kv/over", bytes, max + 1, true), 413);
    ck_assert_uint_eq(server.control->n_puts, 0);
    free(bytes);
    stop();
}
END_TEST

START_TEST(keys_of_every_byte)
{
    unsigned char key[256];
    char path[32 + 3 * 256] = "/v1/kv/";
    char *at = path + strlen(path);

    start();
    for (unsigned byte = 0; byte < 256; byte++) {
        char one[64], value[8];

        snprintf(value, sizeof value, "%u", byte);
        snprintf(one, sizeof one, "/v1/kv/%%%02x", byte);
        ck_assert_int_eq(put_value(one, value, strlen(value), false), 201);
        key[byte] = (unsigned char)byte;
        at += sprintf(at, "%%%02X", byte);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char one[64], value[8];

        snprintf(value, sizeof value, "%u", byte);
        snprintf(one, sizeof one, "/v1/kv/%%%02X", byte);
        get_value(one, value, strlen(value));
    }
    ck_assert_int_eq(put_value(path, key, sizeof key, false), 201);
    expect("GET /v1/kv/. HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
    expect("GET /v1/kv/.. HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    expect("GET /v1/kv/../../livez HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1257");
    expect("GET /v1/kv//livez HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1257");
    stop();
}
END_TEST

START_TEST(keys_at_their_limit)
{
    char text[20000];
    struct raw_answer answer;

    start();
    snprintf(text, sizeof text, "GET /v1/kv/%04096d HTTP/1.1\r\n" HOST "\r\n", 0);
    expect_code(text, 404, "not-found");
    snprintf(text, sizeof text, "GET /v1/kv/%04097d HTTP/1.1\r\n" HOST "\r\n", 0);
    answer = ask(text, 414);
    ck_assert_msg(strstr(answer.body, "\"code\":\"key-too-long\"") != NULL, "%s", answer.body);
    ck_assert_msg(strstr(answer.body, "\"limit\":4096") != NULL, "%s", answer.body);
    raw_answer_fini(&answer);
    expect_code("GET /v1/kv/ HTTP/1.1\r\n" HOST "\r\n", 400, "empty-key");
    expect_code("PUT /v1/kv?key= HTTP/1.1\r\n" HOST "\r\n", 400, "empty-key");
    expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 400, "missing-key");
    stop();
}
END_TEST

START_TEST(damage_in_a_large_value)
{
    unsigned char *bytes = pattern(300000);
    struct raw_answer answer;

    start();
    ck_assert_int_eq(put_value("/v1/kv/a", bytes, 300000, false), 201);
    for (int delayed = 0; delayed < 2; delayed++) {
        server.control->delay_pieces = delayed;
        server.control->piece_error = RK_ERR_CORRUPT;
        server.control->piece_error_at = 0;
        expect_code(GET_A, 500, "damaged-value"); /* the head was not sent: the connection lives on */
        server.control->piece_error_at = 131072;
        ck_assert(raw_client_send_text(&client, GET_A));
        ck_assert(!raw_client_receive(&client, false, &answer)); /* cut before the promised length */
        ck_assert_uint_le(client.len, 131072);
        raw_client_close(&client);
        raw_client_open(&client, server.port);
        server.control->piece_error = RK_OK;
        get_value("/v1/kv/a", bytes, 300000);
    }
    free(bytes);
    stop();
}
END_TEST

START_TEST(a_client_that_leaves_in_the_middle_of_a_value)
{
    unsigned char *bytes = pattern(2 << 20);

    start();
    ck_assert_int_eq(put_value("/v1/kv/a", bytes, 2 << 20, false), 201);
    for (int delayed = 0; delayed < 2; delayed++) {
        server.control->delay_pieces = delayed;
        for (int i = 0; i < 5; i++) {
            struct raw_client other;

            raw_client_open(&other, server.port);
            ck_assert(raw_client_send_text(&other, GET_A));
            fake_wait_for(&server.control->n_sources, (uint64_t)(delayed * 5 + i + 1));
            raw_client_close(&other);
        }
    }
    fake_wait_for(&server.control->n_released, 10);
    free(bytes);
    stop();
}
END_TEST

/* ---- the protocol ---- */

START_TEST(a_pipeline_stays_in_step)
{
    static char text[100 * 200];
    char *at = text;

    start();
    server.control->delay_gets = true;
    for (int i = 0; i < 100; i++) {
        if (i % 3 == 0)
            at += sprintf(at, "PUT /v1/kv/%d HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n%04d", i, i);
        else if (i % 3 == 1)
            at += sprintf(at, "GET /v1/kv/%d HTTP/1.1\r\n" HOST "\r\n", i - 1);
        else
            at += sprintf(at, "HEAD /v1/kv/%d HTTP/1.1\r\n" HOST "\r\n", i - 2);
    }
    ck_assert(raw_client_send_text(&client, text));
    for (int i = 0; i < 100; i++) {
        struct raw_answer answer;
        char value[8];

        snprintf(value, sizeof value, "%04d", i - 1);
        ck_assert(raw_client_receive(&client, i % 3 == 2, &answer));
        ck_assert_int_eq(answer.status, i % 3 == 0 ? 201 : 200);
        if (i % 3 == 1)
            ck_assert_str_eq(answer.body, value);
        raw_answer_fini(&answer);
    }
    expect_body("GET /livez HTTP/1.1\r\n" HOST "\r\n", "alive\n");
    stop();
}
END_TEST

START_TEST(http_1_0)
{
    start();
    expect("PUT /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 201,
           "Connection: keep-alive");
    expect("GET /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "Content-Length: 1");
    expect("DELETE /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 204, "Connection: keep-alive");
    expect("GET /v1/kv/a HTTP/1.0\r\n\r\n", 404, "Connection: close");
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    stop();
}
END_TEST

START_TEST(connection_close_is_honoured)
{
    start();
    expect("GET /livez HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200, "Connection: close");
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    stop();
}
END_TEST

START_TEST(expectations)
{
    start();
    expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", 100, NULL);
    expect("x", 201, NULL);
    expect_code("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413,
                "value-too-large");
    raw_client_close(&client);
    raw_client_open(&client, server.port);
    expect_code("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Expect: a-pony\r\nContent-Length: 1\r\n\r\n", 417,
                "expectation-failed");
    ck_assert_uint_eq(server.control->n_puts, 1);
    stop();
}
END_TEST

START_TEST(http_2_is_not_spoken)
{
    struct raw_answer answer;

    start();
    ck_assert(raw_client_send_text(&client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    ck_assert(raw_client_receive(&client, false, &answer));
    ck_assert_int_eq(answer.status, 400);
    raw_answer_fini(&answer);
    ck_assert_uint_eq(raw_client_receive_end(&client), 0);
    raw_client_close(&client);
    raw_client_open(&client, server.port);
    expect("GET /livez HTTP/1.1\r\n" HOST
           "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n",
           200, NULL);
    stop();
}
END_TEST

START_TEST(the_counters_count)
{
    start();
    expect(PUT_A, 201, NULL);
    expect(PUT_A, 204, NULL);
    expect_body(GET_A, "x");
    expect("GET /v1/kv/b HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    expect("GET /nowhere HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    ck_assert_uint_eq(server.stats->requests[RK_STATS_HTTP_PUT][RK_STATS_HTTP_201], 1);
    ck_assert_uint_eq(server.stats->requests[RK_STATS_HTTP_PUT][RK_STATS_HTTP_204], 1);
    ck_assert_uint_eq(server.stats->requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_200], 1);
    ck_assert_uint_eq(server.stats->requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_404], 1);
    ck_assert_uint_eq(server.stats->requests[RK_STATS_HTTP_REFUSED][RK_STATS_HTTP_404], 1);
    ck_assert_uint_eq(server.stats->connections_accepted, 1);
    ck_assert_uint_eq(server.stats->connections_open, 1);
    ck_assert_uint_ge(server.control->n_awake, 1);
    ck_assert_uint_le(server.control->n_awake, server.control->n_turns + 1); /* at most once a turn */
    stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_server");
    TCase *operations = tcase_create("operations");
    TCase *bytes = tcase_create("bytes");
    TCase *protocol = tcase_create("protocol");

    tcase_add_test(operations, put_get_replace_delete);
    tcase_add_test(operations, the_originals_endpoints);
    tcase_add_test(operations, without_legacy_its_endpoints_are_404);
    tcase_add_test(operations, service_endpoints);
    tcase_add_test(operations, methods);
    tcase_add_test(operations, headers_come_back_as_they_were);
    tcase_add_test(operations, a_stored_header_too_long_is_refused);
    tcase_add_test(operations, unknown_conditions_and_options_are_not_ignored);
    tcase_add_test(operations, every_write_says_what_became_of_it);
    tcase_add_test(operations, every_read_that_fails_says_so);
    tcase_add_test(operations, what_does_not_end_in_time_is_answered);
    tcase_add_test(operations, a_client_that_goes_away_cancels_nothing_else);
    tcase_add_test(operations, the_counters_count);
    tcase_add_test(bytes, values_of_every_interesting_size);
    tcase_add_test(bytes, keys_of_every_byte);
    tcase_add_test(bytes, keys_at_their_limit);
    tcase_add_test(bytes, damage_in_a_large_value);
    tcase_add_test(bytes, a_client_that_leaves_in_the_middle_of_a_value);
    tcase_add_test(protocol, a_pipeline_stays_in_step);
    tcase_add_test(protocol, http_1_0);
    tcase_add_test(protocol, connection_close_is_honoured);
    tcase_add_test(protocol, expectations);
    tcase_add_test(protocol, http_2_is_not_spoken);
    tcase_set_timeout(bytes, 30);
    suite_add_tcase(suite, operations);
    suite_add_tcase(suite, bytes);
    suite_add_tcase(suite, protocol);
    return suite;
}

/* Operations as clients see them: statuses, headers, bodies, and what becomes of what fails. */
#include "http_bed.h"
#include "stats/stats_http.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(put_get_replace_delete)
{
    struct raw_answer answer;

    bed_start();
    answer = bed_ask("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 201);
    ck_assert(raw_answer_has(&answer, "ETag: \"1001\""));
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1001"));
    ck_assert(raw_answer_has(&answer, "Content-Length: 0"));
    raw_answer_fini(&answer);
    answer = bed_ask("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert_str_eq(answer.body, "hello");
    ck_assert(raw_answer_has(&answer, "ETag: \"1001\""));
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1001")); /* by which clients know us */
    ck_assert(raw_answer_has(&answer, "Content-Type: application/octet-stream"));
    ck_assert(raw_answer_has(&answer, "Last-Modified: Sun, 22 Nov 2026 20:04:03 GMT"));
    ck_assert(raw_answer_has(&answer, "X-Content-Type-Options: nosniff"));
    ck_assert(raw_answer_has(&answer, "Cache-Control: no-cache"));
    raw_answer_fini(&answer);
    answer = bed_ask("POST /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nbye", 204);
    ck_assert(raw_answer_has(&answer, "ETag: \"1002\""));
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1002"));
    ck_assert(!raw_answer_has_name(&answer, "Content-Length"));
    ck_assert(!raw_answer_has_name(&answer, "Transfer-Encoding"));
    raw_answer_fini(&answer);
    bed_expect_body("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", "bye");
    bed_expect("HEAD /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200, "RackKV-Seq: 1002");
    answer = bed_ask("DELETE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 204);
    ck_assert(raw_answer_has(&answer, "RackKV-Seq: 1003"));
    ck_assert(!raw_answer_has_name(&answer, "ETag"));
    raw_answer_fini(&answer);
    bed_expect("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1003");
    bed_expect("HEAD /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "Content-Type: application/problem+json");
    bed_expect_code("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "not-found");
    bed_expect("DELETE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1003");
    bed_stop();
}
END_TEST

START_TEST(the_originals_endpoints)
{
    bed_start();
    bed_expect_body("GET /put?key=a+b&val=1%2B1 HTTP/1.1\r\n" HOST "\r\n", "OK");
    bed_expect_body("GET /get?key=a+b HTTP/1.1\r\n" HOST "\r\n", "1+1");
    bed_expect_body("GET /get?a%20b HTTP/1.1\r\n" HOST "\r\n", "1+1");
    bed_expect_body("GET /v1/kv/a%20b HTTP/1.1\r\n" HOST "\r\n", "1+1");
    bed_expect_body("PUT /put?key=k&value= HTTP/1.1\r\n" HOST "\r\n", "OK");
    bed_expect_body("POST /put?key=k&value=x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "OK");
    bed_expect("POST /get?key=k HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "Cache-Control: no-store");
    bed_expect("GET /delete?key=k HTTP/1.1\r\n" HOST "\r\n", 200, "Cache-Control: no-store");
    bed_expect_code("GET /delete?key=k HTTP/1.1\r\n" HOST "\r\n", 404, "not-found");
    bed_expect_code("GET /get?key=k HTTP/1.1\r\n" HOST "\r\n", 404, "not-found");
    bed_expect_body("GET /open?rw=1&syn=1 HTTP/1.1\r\n" HOST "\r\n", "OK");
    bed_expect_code("GET /put?key=a HTTP/1.1\r\n" HOST "\r\n", 400, "missing-value");
    bed_expect_code("GET /put?val=a HTTP/1.1\r\n" HOST "\r\n", 400, "missing-key");
    bed_expect_code("GET /get?key= HTTP/1.1\r\n" HOST "\r\n", 400, "empty-key");
    bed_expect_code("GET /get?key=%2 HTTP/1.1\r\n" HOST "\r\n", 400, "bad-escape");
    bed_expect("DELETE /delete?key=a HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET, HEAD, PUT, POST, OPTIONS");
    bed_stop();
}
END_TEST

START_TEST(without_legacy_its_endpoints_are_404)
{
    struct rk_http_settings settings = fake_settings();

    settings.legacy = false;
    bed_start_with(&settings);
    bed_expect_code("GET /put?key=a&val=b HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    bed_expect_code("GET /get?key=a HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    ck_assert_uint_eq(bed.server.control->n_puts + bed.server.control->n_gets, 0);
    bed_stop();
}
END_TEST

START_TEST(service_endpoints)
{
    bed_start();
    bed_expect_body("GET /livez HTTP/1.1\r\n" HOST "\r\n", "alive\n");
    bed_expect_body("GET /readyz HTTP/1.1\r\n" HOST "\r\n", "ready\n");
    bed_expect("HEAD /readyz HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: 6");
    bed.server.control->not_ready = true;
    bed_expect("GET /readyz HTTP/1.1\r\n" HOST "\r\n", 503, "Retry-After: 1");
    bed_expect_code("GET /readyz HTTP/1.1\r\n" HOST "\r\n", 503, "not-ready");
    bed_expect("POST /livez HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405, "Allow: GET, HEAD, OPTIONS");
    bed_expect_code("GET / HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    bed_expect_code("GET /livez/ HTTP/1.1\r\n" HOST "\r\n", 404, "no-such-endpoint");
    bed_stop();
}
END_TEST

START_TEST(methods)
{
    static const char allow[] = "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS";
    struct raw_answer answer;

    bed_start();
    bed_expect("OPTIONS /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 204, allow);
    answer = bed_ask("PATCH /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405);
    ck_assert(raw_answer_has(&answer, allow));
    ck_assert(raw_answer_has(&answer, "Connection: close"));
    raw_answer_fini(&answer);
    ck_assert_uint_eq(raw_client_receive_end(&bed.client), 0);
    ck_assert_uint_eq(bed.server.control->n_puts + bed.server.control->n_gets, 0);
    bed_stop();
}
END_TEST

START_TEST(headers_come_back_as_they_were)
{
    struct raw_answer answer;

    bed_start();
    bed_expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST
               "Content-Type: text/html; charset=\"x\"\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
               201, NULL);
    answer = bed_ask("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert(raw_answer_has(&answer, "Content-Type: text/html; charset=\"x\""));
    ck_assert(raw_answer_has(&answer, "Content-Encoding: gzip"));
    raw_answer_fini(&answer);
    bed_expect("PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\ny", 204, NULL);
    answer = bed_ask("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert(raw_answer_has(&answer, "Content-Type: application/octet-stream"));
    ck_assert(!raw_answer_has_name(&answer, "Content-Encoding"));
    raw_answer_fini(&answer);
    bed.server.control->bad_metadata = true;
    bed_expect_code("GET /v1/kv/a HTTP/1.1\r\n" HOST "\r\n", 500, "damaged-value");
    bed_stop();
}
END_TEST

START_TEST(a_stored_header_too_long_is_refused)
{
    char text[3000];

    bed_start();
    snprintf(text, sizeof text, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Type: %02049d\r\nContent-Length: 1\r\n\r\nx",
             0);
    bed_expect_code(text, 400, "bad-metadata");
    ck_assert_uint_eq(bed.server.control->n_puts, 0);
    bed_stop();
}
END_TEST

struct unknown {
    const char *request; /* method and target, or a header of a PUT */
    const char *member;
};

/* A client that believes in a parameter or a header that does nothing has to be told. */
START_TEST(unknown_parameters_and_headers_are_named)
{
    static const struct unknown parameters[] = {
        { "PUT /v1/kv/a?cas=0", "\"parameter\":\"cas\"" },
        { "PUT /v1/kv/a?TTL=5", "\"parameter\":\"TTL\"" },
        { "PUT /v1/kv/a?ttl%20=5", "\"parameter\":\"ttl%20\"" },
        { "PUT /v1/kv/a?op=add", "\"parameter\":\"op\"" },
        { "PUT /v1/kv/a?x", "\"parameter\":\"x\"" },
        { "PUT /v1/kv/a?=1", "\"parameter\":\"\"" },
        { "PUT /v1/kv/a?\"\\=1", "\"parameter\":\"%22%5C\"" },
        { "PUT /v1/kv/a?%74t%6c=5", "\"parameter\":\"%74t%6c\"" }, /* the names of options are spelled plainly */
        { "PUT /v1/kv/a?op=incr", "\"parameter\":\"op\"" },
        { "POST /v1/kv/a?by=1", "\"parameter\":\"by\"" },
        { "POST /v1/kv/a?op=incr&ttl=5", "\"parameter\":\"ttl\"" },
        { "POST /v1/kv/a?op=append&by=5", "\"parameter\":\"by\"" },
        { "POST /v1/kv/a?op=touch&by=5", "\"parameter\":\"by\"" },
        { "DELETE /v1/kv/a?ttl=1", "\"parameter\":\"ttl\"" },
        { "DELETE /v1/kv?recurse&key=a", "\"parameter\":\"recurse\"" },
        { "GET /v1/kv/a?ttl=1", "\"parameter\":\"ttl\"" },
        { "GET /v1/kv/a?val=1", "\"parameter\":\"val\"" },
        { "HEAD /v1/kv/a?x=1", NULL },
        { "GET /v1/kv/a?prefix=a", "\"parameter\":\"prefix\"" },
        { "GET /put?key=a&val=b&cas=0", "\"parameter\":\"cas\"" },
        { "GET /get?x=1&key=a", "\"parameter\":\"x\"" },
        { "GET /delete?key=a&ttl=1", "\"parameter\":\"ttl\"" },
        { "GET /open?rw=1&x", "\"parameter\":\"x\"" },
        { "GET /livez?x", "\"parameter\":\"x\"" },
        { "GET /readyz?key=a", "\"parameter\":\"key\"" },
    };
    static const struct unknown headers[] = {
        { "RackKV-Foo: 1", "\"header\":\"RackKV-Foo\"" },
        { "RackKV-Refused: head", "\"header\":\"RackKV-Refused\"" },
        { "rackkv-: 1", "\"header\":\"rackkv-\"" },
        { "RackKV-TTLs: 1", "\"header\":\"RackKV-TTLs\"" },
    };

    bed_start();
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        char text[200];
        struct raw_answer answer;

        snprintf(text, sizeof text, "%s HTTP/1.1\r\n" HOST "\r\n", parameters[i].request);
        answer = bed_ask(text, 400);
        ck_assert_msg(parameters[i].member == NULL || strstr(answer.body, parameters[i].member) != NULL, "%s-> %s",
                      text, answer.body);
        raw_answer_fini(&answer);
    }
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char text[200];
        struct raw_answer answer;

        snprintf(text, sizeof text, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "%s\r\n\r\n", headers[i].request);
        answer = bed_ask(text, 400);
        ck_assert_msg(strstr(answer.body, headers[i].member) != NULL, "%s-> %s", text, answer.body);
        raw_answer_fini(&answer);
    }
    bed_expect_code("GET /v1/kv/a HTTP/1.1\r\n" HOST "RackKV-TTL: 5\r\n\r\n", 400, "unknown-header");
    bed_expect_code("DELETE /v1/kv/a HTTP/1.1\r\n" HOST "RackKV-TTL: 5\r\n\r\n", 400, "unknown-header");
    bed_expect_code("GET /livez HTTP/1.1\r\n" HOST "RackKV-Durability: 5\r\n\r\n", 400, "unknown-header");
    ck_assert_uint_eq(bed.server.control->n_puts + bed.server.control->n_deletes + bed.server.control->n_gets, 0);
    bed_stop();
}
END_TEST

static void expect_outcome(const char *text, int status, const char *code, const char *outcome)
{
    struct raw_answer answer = bed_ask(text, status);
    char *member;

    ck_assert_int_ge(asprintf(&member, "\"code\":\"%s\"", code), 0);
    ck_assert_msg(strstr(answer.body, member) != NULL, "%s-> %s", text, answer.body);
    ck_assert_msg(raw_answer_has(&answer, outcome), "%s-> %s", text, answer.head);
    ck_assert_int_eq(raw_answer_has_name(&answer, "Retry-After"), status == 503);
    free(member);
    raw_answer_fini(&answer);
}

START_TEST(every_write_says_what_became_of_it)
{
    bed_start();
    bed.server.control->write_error = RK_ERR_NO_SPACE;
    expect_outcome(PUT_A, 507, "no-space", "RackKV-Outcome: none");
    bed.server.control->write_error = RK_ERR_FULL;
    expect_outcome(PUT_A, 507, "keydir-full", "RackKV-Outcome: none");
    bed.server.control->write_error = RK_ERR_IO;
    expect_outcome(PUT_A, 503, "write-error", "RackKV-Outcome: unknown");
    bed.server.control->write_error = RK_ERR_TIMEOUT;
    expect_outcome(DELETE_A, 503, "timeout", "RackKV-Outcome: unknown");
    bed.server.control->write_error = RK_ERR_READ_ONLY;
    bed.server.control->write_none = true;
    expect_outcome(PUT_A, 503, "read-only", "RackKV-Outcome: none");
    expect_outcome(DELETE_A, 503, "read-only", "RackKV-Outcome: none");
    bed.server.control->submit_error = RK_ERR_AGAIN;
    expect_outcome(PUT_A, 503, "busy", "RackKV-Outcome: none");
    bed.server.control->submit_error = RK_ERR_TOO_LARGE;
    bed_expect_code(PUT_A, 413, "value-too-large");
    bed_stop();
}
END_TEST

START_TEST(every_read_that_fails_says_so)
{
    bed_start();
    bed_expect(PUT_A, 201, NULL);
    for (int delayed = 0; delayed < 2; delayed++) {
        bed.server.control->delay_gets = delayed;
        bed.server.control->get_error = RK_ERR_CORRUPT;
        bed_expect_code(GET_A, 500, "damaged-value");
        bed.server.control->get_error = RK_ERR_IO;
        bed_expect_code(GET_A, 500, "read-error");
        bed.server.control->get_error = RK_ERR_FULL;
        expect_outcome(GET_A, 503, "busy", "RackKV-Outcome: none");
        bed.server.control->get_error = RK_OK;
        bed_expect_body(GET_A, "x");
        bed_expect("GET /v1/kv/b HTTP/1.1\r\n" HOST "\r\n", 404, "RackKV-Seq: 1001");
    }
    bed_stop();
}
END_TEST

START_TEST(what_does_not_end_in_time_is_answered)
{
    struct rk_http_settings settings = fake_settings();

    settings.request_timeout_ms = 200;
    bed_start_with(&settings);
    bed.server.control->hold = true;
    bed.server.control->delay_gets = true;
    expect_outcome(PUT_A, 503, "timeout", "RackKV-Outcome: unknown");
    expect_outcome(GET_A, 503, "timeout", "RackKV-Outcome: none");
    ck_assert_uint_eq(bed.server.control->n_cancelled, 2);
    bed.server.control->hold = false; /* the connection and the server go on as before */
    bed_expect_body(GET_A, "x");
    bed_stop();
}
END_TEST

/* libh2o does not see the hang-up while the request is held: the deadline ends it, and nobody else's. */
START_TEST(a_client_that_goes_away_cancels_nothing_else)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client other;

    settings.request_timeout_ms = 300;
    bed_start_with(&settings);
    bed.server.control->hold = true;
    raw_client_open(&other, bed.server.port);
    ck_assert(raw_client_send_text(&other, PUT_A));
    fake_wait_for(&bed.server.control->n_puts, 1);
    raw_client_close(&other);
    fake_wait_for(&bed.server.control->n_cancelled, 1);
    bed.server.control->hold = false;
    bed_expect("PUT /v1/kv/b HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\ny", 201, NULL);
    ck_assert_uint_eq(bed.server.control->n_cancelled, 1);
    bed_stop();
}
END_TEST

START_TEST(the_counters_count)
{
    bed_start();
    bed_expect(PUT_A, 201, NULL);
    bed_expect(PUT_A, 204, NULL);
    bed_expect_body(GET_A, "x");
    bed_expect("GET /v1/kv/b HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    bed_expect("GET /nowhere HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    ck_assert_uint_eq(bed.server.stats->requests[RK_STATS_HTTP_PUT][RK_STATS_HTTP_201], 1);
    ck_assert_uint_eq(bed.server.stats->requests[RK_STATS_HTTP_PUT][RK_STATS_HTTP_204], 1);
    ck_assert_uint_eq(bed.server.stats->requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_200], 1);
    ck_assert_uint_eq(bed.server.stats->requests[RK_STATS_HTTP_GET][RK_STATS_HTTP_404], 1);
    ck_assert_uint_eq(bed.server.stats->requests[RK_STATS_HTTP_REFUSED][RK_STATS_HTTP_404], 1);
    ck_assert_uint_eq(bed.server.stats->connections_accepted, 1);
    ck_assert_uint_eq(bed.server.stats->connections_open, 1);
    ck_assert_uint_ge(bed.server.control->n_awake, 1);
    ck_assert_uint_le(bed.server.control->n_awake, bed.server.control->n_turns + 1); /* at most once a turn */
    bed_stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_server");
    TCase *tcase = tcase_create("server");

    tcase_add_test(tcase, put_get_replace_delete);
    tcase_add_test(tcase, the_originals_endpoints);
    tcase_add_test(tcase, without_legacy_its_endpoints_are_404);
    tcase_add_test(tcase, service_endpoints);
    tcase_add_test(tcase, methods);
    tcase_add_test(tcase, headers_come_back_as_they_were);
    tcase_add_test(tcase, a_stored_header_too_long_is_refused);
    tcase_add_test(tcase, unknown_parameters_and_headers_are_named);
    tcase_add_test(tcase, every_write_says_what_became_of_it);
    tcase_add_test(tcase, every_read_that_fails_says_so);
    tcase_add_test(tcase, what_does_not_end_in_time_is_answered);
    tcase_add_test(tcase, a_client_that_goes_away_cancels_nothing_else);
    tcase_add_test(tcase, the_counters_count);
    suite_add_tcase(suite, tcase);
    return suite;
}

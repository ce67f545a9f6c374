/* Raw requests that two programs on a path could read in two ways, or that nobody should answer twice: each gets
 * exactly one answer, nothing of it is done, and the connection ends, however the bytes are cut. A second request
 * follows each at once: it must never be seen. */
#include "fake_backend.h"
#include "raw_client.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST    "Host: h\r\n"
#define PUT     "PUT /v1/kv/a HTTP/1.1\r\n"
#define HIDDEN  "DELETE /v1/kv/victim HTTP/1.1\r\n" HOST "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

struct row {
    int status;
    const char *code;
    const char *request;
};

static const struct row rows[] = {
    /* two framings */
    { 400, "repeated-header", PUT HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" },
    { 400, "repeated-header", PUT HOST "Content-Length: 1\r\ncontent-length: 1\r\n\r\na" },
    { 400, "repeated-header", PUT HOST "Content-Length: 0\r\nContent-Length: 66\r\n\r\n" },
    { 400, "two-framings", PUT HOST "Content-Length: 5\r\n" CHUNKED "\r\n0\r\n\r\n" },
    { 400, "two-framings", PUT HOST CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n" },
    { 400, "bad-content-length", PUT HOST CHUNKED "Content-Length: x\r\n\r\n0\r\n\r\n" },
    { 400, "repeated-header", PUT HOST CHUNKED CHUNKED "\r\n0\r\n\r\n" },
    { 400, "old-transfer-encoding", "PUT /v1/kv/a HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n" },
    { 400, "old-transfer-encoding", "PUT /v1/kv/a HTTP/1.0\r\n" HOST CHUNKED "\r\n1\r\na\r\n0\r\n\r\n" },
    { 400, "repeated-header", PUT HOST "Transfer-Encoding: identity\r\n" CHUNKED "\r\n0\r\n\r\n" },
    { 400, "two-framings", PUT HOST "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\na" },
    { 501, "unknown-coding", PUT HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
    { 400, "bad-transfer-encoding", PUT HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" },
    { 501, "unknown-coding", PUT HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
    { 400, "bad-transfer-encoding", PUT HOST "Transfer-Encoding:\r\n\r\n0\r\n\r\n" },
    { 400, "bad-body", PUT HOST CHUNKED "\r\nx\r\n\r\n" },
    { 400, "bad-body", PUT HOST CHUNKED "\r\n1\r\nab0\r\n\r\n" },
    { 400, "bad-content-length", PUT HOST "Content-Length: -1\r\n\r\n" },
    { 400, "bad-content-length", PUT HOST "Content-Length: +1\r\n\r\na" },
    { 400, "bad-content-length", PUT HOST "Content-Length: 1, 1\r\n\r\na" },
    { 400, "bad-content-length", PUT HOST "Content-Length: 0x1\r\n\r\na" },
    { 400, "bad-content-length", PUT HOST "Content-Length: 1 1\r\n\r\na" },
    { 400, "bad-content-length", PUT HOST "Content-Length:\r\n\r\na" },
    { 413, "value-too-large", PUT HOST "Content-Length: 18446744073709551614\r\n\r\na" },
    { 413, "value-too-large", PUT HOST "Content-Length: 9223372036854775807\r\n\r\na" },
    { 413, "value-too-large", PUT HOST "Content-Length: 99999999999999999999999\r\n\r\na" },

    /* lines */
    { 400, "folded-header", PUT HOST "X: a\r\n b\r\nContent-Length: 1\r\n\r\na" },
    { 400, "folded-header", PUT HOST "X: a\r\n\tb\r\n\r\n" },
    { 400, "folded-header", PUT HOST "X: a\r\n Content-Length: 5\r\n\r\n" },
    { 400, "bare-line-feed", "PUT /v1/kv/a HTTP/1.1\n" HOST "\r\n" },
    { 400, "bare-line-feed", PUT "Host: h\n\r\n" },
    { 400, "bare-line-feed", PUT HOST "X: y\n\r\n" },
    { 400, "bare-line-feed", PUT HOST "\n" },
    { 400, "bare-line-feed", "\nPUT /v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-field", PUT HOST "X: a\rb\r\n\r\n" },
    { 400, "bad-field", PUT HOST "X\r\n\r\n" },
    { 400, "bad-field", PUT HOST ": a\r\n\r\n" },
    { 400, "bad-field", PUT HOST "Content-Length : 1\r\n\r\na" },
    { 400, "bad-field", PUT HOST "Content\tLength: 1\r\n\r\na" },
    { 400, "bad-field", PUT HOST "X: a\x01\r\n\r\n" },
    { 400, "folded-header", PUT " Host: h\r\n\r\n" },

    /* hosts */
    { 400, "missing-host", PUT "\r\n" },
    { 400, "missing-host", PUT "Hosts: h\r\n\r\n" },
    { 400, "repeated-header", PUT HOST HOST "\r\n" },
    { 400, "repeated-header", PUT HOST "X: y\r\nhost: other\r\n\r\n" },

    /* request lines */
    { 400, "bad-target", "PUT http://u@h/v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-target", "PUT v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-target", "PUT * HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-target", "PUT  HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-target", "PUT ?key=a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-target", "CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n" },
    { 505, "bad-version", "PUT /v1/kv/a HTTP/1.2\r\n" HOST "\r\n" },
    { 505, "bad-version", "PUT /v1/kv/a HTTP/1.9\r\n" HOST "\r\n" },
    { 400, "bad-request-line", " /v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "P(T /v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 405, "method-not-allowed", "put /v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 405, "method-not-allowed", "PUTT /v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 405, "method-not-allowed", "TRACE /v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 405, "method-not-allowed", "PATCH /nowhere HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na" },
    { 505, "bad-version", "PUT /v1/kv/a HTTP/2.0\r\n" HOST "\r\n" },
    { 505, "bad-version", "PUT /v1/kv/a HTTP/0.9\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "PUT /v1/kv/a HTTP/1.10\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "PUT /v1/kv/a http/1.1\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "PUT /v1/kv/a HTTP/1.1 \r\n" HOST "\r\n" },
    { 400, "bad-request-line", "PUT /v1/kv/a b HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "PUT /v1/kv/a\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "PUT\r\n\r\n" },
    { 400, "bad-request-line", "PUT\t/v1/kv/a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, "bad-request-line", "\x16\x03\x01\x02" PUT HOST "\r\n" },
    { 400, "bad-target", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    { 417, "expectation-failed", PUT HOST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na" },
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static struct fake_server server;

static void start(void)
{
    struct rk_http_settings settings = fake_settings();

    fake_server_start(&server, &settings, NULL);
}

static void stop(void)
{
    fake_server_stop(&server);
}

/* Checks one answer, that it is the last, and that it is the only one. */
static void check_refusal(const struct row *row, struct raw_client *client)
{
    struct raw_answer answer;
    char member[64];

    ck_assert_msg(raw_client_receive(client, false, &answer), "not answered:\n%s", row->request);
    ck_assert_msg(answer.status == row->status, "%s-> %s%s", row->request, answer.head, answer.body);
    ck_assert_msg(raw_answer_has(&answer, "Connection: close"), "%s-> %s", row->request, answer.head);
    snprintf(member, sizeof member, "\"code\":\"%s\"", row->code);
    ck_assert_msg(strstr(answer.body, member) != NULL, "%s-> %s", row->request, answer.body);
    ck_assert(raw_answer_has(&answer, "Content-Type: application/problem+json"));
    raw_answer_fini(&answer);
    ck_assert_msg(raw_client_receive_end(client) == 0, "a second answer:\n%s", row->request);
}

static void expect_status(struct raw_client *client, int status)
{
    struct raw_answer answer;

    ck_assert(raw_client_receive(client, false, &answer));
    ck_assert_int_eq(answer.status, status);
    raw_answer_fini(&answer);
}

/* Sends the bytes in pieces: the first of `first` bytes, the others of `other`. */
static void check_cut(const struct row *row, size_t first, size_t other)
{
    struct raw_client client;
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%s" HIDDEN, row->request);
    size_t at = 0;

    ck_assert_uint_lt(len, sizeof text);
    raw_client_open(&client, server.port);
    while (at < len) {
        size_t piece = at == 0 ? first : other;

        piece = piece < len - at ? piece : len - at;
        if (!raw_client_send(&client, text + at, piece))
            break; /* it has heard enough */
        at += piece;
    }
    check_refusal(row, &client);
    raw_client_close(&client);
}

static void check_nothing_done(void)
{
    ck_assert_uint_eq(server.control->n_puts, 0);
    ck_assert_uint_eq(server.control->n_gets, 0);
    ck_assert_uint_eq(server.control->n_deletes, 0);
}

START_TEST(sent_whole)
{
    start();
    for (size_t i = 0; i < N_ROWS; i++)
        check_cut(&rows[i], SIZE_MAX, SIZE_MAX);
    check_nothing_done();
    stop();
}
END_TEST

START_TEST(sent_byte_by_byte)
{
    start();
    for (size_t i = 0; i < N_ROWS; i++)
        check_cut(&rows[i], 1, 1);
    check_nothing_done();
    stop();
}
END_TEST

START_TEST(cut_in_two)
{
    start();
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t at = 1 + i % 5; at < strlen(rows[i].request) + 8; at += 5)
            check_cut(&rows[i], at, SIZE_MAX);
    check_nothing_done();
    stop();
}
END_TEST

/* After good requests on the same connection, with their answers under way. */
START_TEST(behind_a_good_request)
{
    start();
    for (size_t i = 0; i < N_ROWS; i++) {
        struct raw_client client;
        struct raw_answer answer;
        char text[1024];

        snprintf(text, sizeof text, "GET /livez HTTP/1.1\r\n" HOST "\r\n%s" HIDDEN, rows[i].request);
        raw_client_open(&client, server.port);
        ck_assert(raw_client_send_text(&client, text));
        ck_assert(raw_client_receive(&client, false, &answer));
        ck_assert_int_eq(answer.status, 200);
        raw_answer_fini(&answer);
        check_refusal(&rows[i], &client);
        raw_client_close(&client);
    }
    check_nothing_done();
    stop();
}
END_TEST

/* The framing of a body in chunks is read to the letter: what follows a good one is the next request, and what follows
 * a bad one is nothing. */
START_TEST(what_follows_chunks)
{
    static const struct row bodies[] = {
        { 201, NULL, "1\r\na\r\n0\r\n\r\n" },         { 204, NULL, "1;x=y\r\na\r\n0\r\nTrailer: x\r\n\r\n" },
        { 204, NULL, "01\r\na\r\n000\r\n\r\n" },      { 400, "bad-body", "1\na\n0\n\n" },
        { 400, "bad-body", "0x1\r\na\r\n0\r\n\r\n" }, { 400, "bad-body", "1 \r\na\r\n0\r\n\r\n" },
        { 400, "bad-body", "2\r\na\r\n0\r\n\r\n" },   { 400, "bad-body", "1\r\na\r\n0\r\nTrailer\r\n\r\n" },
    };

    start();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct row row = { bodies[i].status, bodies[i].code, bodies[i].request };
        struct raw_client client;
        char text[512];

        snprintf(text, sizeof text, PUT HOST CHUNKED "\r\n%s" HIDDEN, bodies[i].request);
        raw_client_open(&client, server.port);
        ck_assert(raw_client_send_text(&client, text));
        if (row.code == NULL) {
            expect_status(&client, row.status);
            ck_assert_uint_eq(raw_client_receive_end(&client), 0); /* HIDDEN is not executed */
        } else
            check_refusal(&row, &client);
        raw_client_close(&client);
    }
    ck_assert_uint_eq(server.control->n_puts, 3);
    ck_assert_uint_eq(server.control->n_deletes, 0);
    stop();
}
END_TEST

static void check_big_head(const char *format, int zeros, int status, const char *code)
{
    struct row row = { .status = status, .code = code };
    struct raw_client client;
    char *text;

    ck_assert_int_ge(asprintf(&text, format, zeros, 0), 0);
    row.request = text;
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, text));
    ck_assert(raw_client_send_text(&client, HIDDEN));
    check_refusal(&row, &client);
    raw_client_close(&client);
    free(text);
}

START_TEST(heads_over_their_limits)
{
    start();
    check_big_head("PUT /v1/kv/%0*d HTTP/1.1\r\n" HOST "\r\n", 16384 - 6, 414, "target-too-long");
    check_big_head("PUT /v1/kv/%0*d HTTP/1.1\r\n" HOST "\r\n", 100000, 414, "target-too-long");
    check_big_head(PUT HOST "X: %0*d\r\n\r\n", 32768, 431, "head-too-large");
    check_big_head(PUT HOST "X: %0*d\r\n\r\n", 300000, 431, "head-too-large");
    check_nothing_done();
    stop();
}
END_TEST

START_TEST(too_many_headers)
{
    struct row row = { .status = 431, .code = "too-many-fields" };
    struct raw_client client;
    char text[101 * 8 + 200] = PUT HOST;

    start();
    for (int i = 0; i < 100; i++)
        strcat(text, "X: y\r\n");
    strcat(text, "\r\n");
    row.request = text;
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, text));
    check_refusal(&row, &client);
    raw_client_close(&client);
    check_nothing_done();
    stop();
}
END_TEST

/* The client is still sending when the answer is there: it can send on, and read it. */
START_TEST(a_refused_upload_can_read_why)
{
    static char mebibyte[1 << 20];
    struct row row = { .status = 413, .code = "value-too-large", .request = "a large PUT" };
    struct raw_client client;

    start();
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, PUT HOST "Content-Length: 99999999\r\n\r\n"));
    for (int i = 0; i < 8; i++)
        ck_assert(raw_client_send(&client, mebibyte, sizeof mebibyte));
    check_refusal(&row, &client);
    raw_client_close(&client);
    check_nothing_done();
    stop();
}
END_TEST

/* It may send on for a while, and not for ever. */
START_TEST(a_refused_upload_is_not_read_for_ever)
{
    static char mebibyte[1 << 20];
    struct raw_client client;
    size_t n_sent = 0;

    start();
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, PUT HOST "Content-Length: 99999999999\r\n\r\n"));
    while (n_sent < 4096 && raw_client_send(&client, mebibyte, sizeof mebibyte))
        n_sent++;
    ck_assert_msg(n_sent >= 8 && n_sent < 80, "%zu MiB were taken", n_sent); /* 64, and what the sockets hold */
    raw_client_close(&client);
    check_nothing_done();
    stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_refusals");
    TCase *tcase = tcase_create("refusals");

    tcase_add_test(tcase, sent_whole);
    tcase_add_test(tcase, sent_byte_by_byte);
    tcase_add_test(tcase, cut_in_two);
    tcase_add_test(tcase, behind_a_good_request);
    tcase_add_test(tcase, what_follows_chunks);
    tcase_add_test(tcase, heads_over_their_limits);
    tcase_add_test(tcase, too_many_headers);
    tcase_add_test(tcase, a_refused_upload_can_read_why);
    tcase_add_test(tcase, a_refused_upload_is_not_read_for_ever);
    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return suite;
}

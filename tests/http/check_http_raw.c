/* Raw requests, each sent whole, in two halves, its head before its body, and byte by byte, with another request behind
 * it that must be executed, or must not. What is expected is written beside each row, from RFC 9110 and 9112: a line is
 * put into requests of seven kinds, at the front of their fields and at their end, and what it does to one it does to
 * all, but for the exceptions that its row names. */
#include "fake_backend.h"
#include "raw_client.h"
#include "stats/stats_http.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST    "Host: h\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define NEXT    "DELETE /v1/kv/victim HTTP/1.1\r\n" HOST "\r\n" /* answered 404 */
#define N_OF(a) (sizeof(a) / sizeof(a)[0])

enum cut { CUT_WHOLE, CUT_HALVES, CUT_HEAD, CUT_BYTES, N_CUTS };

struct request {
    char *text;
    size_t len, head_len;
    int status;
    bool by_head;  /* refused before the body is read */
    bool has_next; /* the connection goes on: what is behind it is executed */
    bool expects;  /* asks for 100 Continue */
    bool to_head;  /* has an answer without a body */
    bool is_write;
};

static struct fake_server server;
static uint64_t n_requests, n_refused, n_writes, n_next;
static uint64_t answers[600];

static void start(void)
{
    struct rk_http_settings settings = fake_settings();

    fake_server_start(&server, &settings, NULL);
}

/* Everything that was done was to be done, and every answer was counted. */
static void stop(void)
{
    uint64_t counted[600] = { 0 };

    ck_assert_uint_eq(server.control->n_deletes, n_next);
    ck_assert_uint_eq(server.control->n_puts, n_writes);
    for (int op = 0; op < RK_STATS_HTTP_N_OPS; op++) {
        counted[400] += server.stats->requests[op][RK_STATS_HTTP_400];
        counted[431] += server.stats->requests[op][RK_STATS_HTTP_431];
        counted[501] += server.stats->requests[op][RK_STATS_HTTP_501];
        counted[505] += server.stats->requests[op][RK_STATS_HTTP_505];
    }
    for (int status = 400; status < 600; status++)
        ck_assert_msg(counted[status] == 0 || counted[status] == answers[status], "%d: %llu counted, %llu came", status,
                      (unsigned long long)counted[status], (unsigned long long)answers[status]);
    fake_server_stop(&server);
}

static void receive(const struct request *request, struct raw_client *client, bool to_head, int status)
{
    struct raw_answer answer;

    ck_assert_msg(raw_client_receive(client, to_head, &answer), "not answered:\n%s", request->text);
    ck_assert_msg(answer.status == status, "%s-> %s%s", request->text, answer.head, answer.body);
    ck_assert_msg(status == 100 || raw_answer_has_name(&answer, "Date"), "%s-> %s", request->text, answer.head);
    if (status >= 400)
        ck_assert_msg(raw_answer_has(&answer, "Content-Type: application/problem+json"), "%s-> %s", request->text,
                      answer.head);
    answers[answer.status]++;
    raw_answer_fini(&answer);
}

/* A server that has heard enough may stop to take what is sent. */
static void send_pieces(struct raw_client *client, const char *bytes, size_t len, size_t piece)
{
    for (size_t at = 0; at < len; at += piece)
        if (!raw_client_send(client, bytes + at, piece < len - at ? piece : len - at))
            break;
}

static void send_rest(const struct request *request, struct raw_client *client, size_t from, size_t piece)
{
    size_t len = request->len - from + strlen(NEXT);
    char *rest = malloc(len + 1);

    memcpy(rest, request->text + from, request->len - from);
    strcpy(rest + request->len - from, NEXT);
    send_pieces(client, rest, len, piece);
    free(rest);
}

/* Returns whether the answer has come already: before the body, which is sent only then. */
static bool send_head_first(const struct request *request, struct raw_client *client)
{
    bool is_accepted = !request->by_head;

    send_pieces(client, request->text, request->head_len, request->head_len);
    if (request->by_head)
        receive(request, client, request->to_head, request->status);
    else if (request->expects)
        receive(request, client, false, 100);
    send_rest(request, client, request->head_len, SIZE_MAX / 2);
    return !is_accepted;
}

static void check_cut(const struct request *request, enum cut cut)
{
    struct raw_client client;
    bool is_answered = false;
    size_t half = request->len / 2;

    raw_client_open(&client, server.port);
    if (cut == CUT_HEAD)
        is_answered = send_head_first(request, &client);
    else if (cut == CUT_HALVES) {
        send_pieces(&client, request->text, half, half);
        send_rest(request, &client, half, SIZE_MAX / 2);
    } else
        send_rest(request, &client, 0, cut == CUT_WHOLE ? SIZE_MAX / 2 : request->len > 4096 ? 997 : 1);
    if (!is_answered && request->expects && !request->by_head && cut != CUT_HEAD)
        receive(request, &client, false, 100);
    if (!is_answered)
        receive(request, &client, request->to_head, request->status);
    if (request->has_next)
        receive(request, &client, false, 404);
    else
        ck_assert_msg(raw_client_receive_end(&client) == 0, "a second answer:\n%s", request->text);
    raw_client_close(&client);
    n_next += request->has_next;
    n_writes += request->is_write && request->status < 300;
}

/* Takes the text. */
static void check_request(struct request *request)
{
    const char *end = strstr(request->text, "\r\n\r\n");

    request->len = strlen(request->text);
    request->head_len = end != NULL ? (size_t)(end - request->text) + 4 : request->len;
    request->by_head = request->by_head && request->status >= 400;
    if (request->status < 300
        && strcasestr(request->text, "\r\n"
                                     "Transfer-Encoding:")
               != NULL)
        request->has_next = false; /* chunks are the last of a connection */
    for (int cut = 0; cut < N_CUTS; cut++)
        check_cut(request, cut);
    n_requests++;
    n_refused += request->status >= 400;
    free(request->text);
}

/* ---- lines in requests ---- */

enum { BODY = 1, HTTP_1_0 = 2 };

static const struct base {
    const char *first, *fields, *body;
    int status;
    int traits;
    bool expects;
} bases[] = {
    { "GET /v1/kv/none HTTP/1.1", HOST, "", 404, 0, false },
    { "HEAD /v1/kv/none HTTP/1.1", HOST, "", 404, 0, false },
    { "GET /v1/kv/none HTTP/1.0", HOST, "", 404, HTTP_1_0, false },
    { "PUT /v1/kv/a HTTP/1.1", HOST "Content-Length: 3\r\n", "abc", 204, BODY, false },
    { "PUT /v1/kv/a HTTP/1.1", HOST CHUNKED, "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 204, BODY, false },
    { "PUT /v1/kv/a HTTP/1.1", HOST "Content-Length: 3\r\nExpect: 100-continue\r\n", "abc", 204, BODY, true },
    { "POST http://o:1/v1/kv/a HTTP/1.1", HOST "Content-Length: 003 \t\r\n", "abc", 204, BODY, false },
};

static const struct line {
    const char *line;
    int status;            /* 0: as without the line */
    bool is_fine_with_1_0; /* it says nothing there */
    bool closes;           /* the request is done, and is the last */
} lines[] = {
    { "X: y\r\n", 0, false, false },
    { "X:\r\n", 0, false, false },
    { "X: \t\r\n", 0, false, false },
    { "X: \xc3\xa4 \xff\tz\r\n", 0, false, false },
    { "!#$%&'*+-.^_`|~09azAZ: ok\r\n", 0, false, false },
    { "Hosts: x\r\nHos: y\r\n", 0, false, false },
    { "Connection: TE\r\nTE: trailers\r\n", 0, false, false },
    { "Connection: Upgrade\r\nUpgrade: h2c\r\n", 0, false, false },
    { "Content-Type: text/plain\r\nAccept: */*\r\n", 0, false, false },
    { "Transfer-Encodings: x\r\nContent-Lengths: y\r\n", 0, false, false },
    { "Connection: close\r\n", 0, false, true },
    { "connection: TE, CLOSE \r\n", 0, false, true },
    { "Connection: close, keep-alive\r\n", 0, false, true },
    { "Connection: keep-alive\r\nConnection: close\r\n", 0, false, true },

    { " X: folded\r\n", 400, false, false },
    { "X: y\r\n\tfolded\r\n", 400, false, false },
    { "X : y\r\n", 400, false, false },
    { "X\r\n", 400, false, false },
    { ": y\r\n", 400, false, false },
    { "X\x80: y\r\n", 400, false, false },
    { "X(: y\r\n", 400, false, false },
    { "X: a\rb\r\n", 400, false, false },
    { "X: a\x01\r\n", 400, false, false },
    { "X: a\x7f\r\n", 400, false, false },
    { "X: y\n", 400, false, false },
    { "X: y\r\r\n", 400, false, false },
    { "Host: h\r\n", 400, false, false },
    { "hOST : other\r\n", 400, false, false },
    { "Content-Length: x\r\n", 400, false, false },
    { "Content-Length:\r\n", 400, false, false },
    { "Content-Length: -1\r\n", 400, false, false },
    { "Content-Length: 3, 3\r\n", 400, false, false },
    { "Content-Length: 3\r\nContent-Length: 3\r\n", 400, false, false },
    { "Content-Length : 3\r\n", 400, false, false },
    { "Content-Length: 3\r\n" CHUNKED, 400, false, false },
    { CHUNKED CHUNKED, 400, false, false },
    { "Transfer-Encoding: chunked, chunked\r\n", 400, false, false },
    { "Transfer-Encoding:\r\n", 400, false, false },
    { "Transfer-Encoding: chunked, gzip\r\n", 400, false, false },
    { "RackKV-Foo: 1\r\n", 400, false, false },
    { "Expect: 200-ok\r\n", 417, true, false },
};

static bool is_head_request(const char *text)
{
    return strncmp(text, "HEAD ", 5) == 0;
}

static void check_line(const struct base *base, const struct line *line, bool at_front)
{
    bool is_1_0 = (base->traits & HTTP_1_0) != 0, has_body = (base->traits & BODY) != 0;
    bool is_refused = line->status != 0 && !(is_1_0 && line->is_fine_with_1_0);
    bool is_own =
        strncmp(line->line, "RackKV-", 7) == 0; /* the head itself is good, and without a body nothing is lost */
    struct request request = {
        .status = is_refused ? line->status : base->status,
        .by_head = true,
        .has_next = (!is_refused && !is_1_0 && !line->closes) || (is_own && !has_body && !is_1_0),
        .expects = base->expects,
        .to_head = is_head_request(base->first),
        .is_write = has_body,
    };

    ck_assert_int_ge(asprintf(&request.text, "%s\r\n%s%s%s\r\n%s", base->first, at_front ? line->line : "",
                              base->fields, at_front ? "" : line->line, base->body),
                     0);
    check_request(&request);
}

static void check_put_a(void)
{
    struct request request = { .status = 201, .has_next = true, .is_write = true };
    struct raw_client client;

    request.text = strdup("PUT /v1/kv/a HTTP/1.1\r\n" HOST "\r\n");
    raw_client_open(&client, server.port);
    ck_assert(raw_client_send_text(&client, request.text));
    receive(&request, &client, false, 201);
    raw_client_close(&client);
    free(request.text);
    n_writes++;
}

START_TEST(lines_in_requests_of_every_kind)
{
    start();
    check_put_a();
    for (size_t i = 0; i < N_OF(bases); i++)
        for (size_t j = 0; j < N_OF(lines); j++) {
            check_line(&bases[i], &lines[j], true);
            check_line(&bases[i], &lines[j], false);
        }
    printf("%llu requests, each in %d cuts, %llu of them refused\n", (unsigned long long)n_requests, N_CUTS,
           (unsigned long long)n_refused);
    stop();
}
END_TEST

/* ---- requests of their own ---- */

#define PUT  "PUT /v1/kv/a HTTP/1.1\r\n" HOST
#define PUTC PUT CHUNKED "\r\n"
#define GET  "GET /livez HTTP/1.1\r\n"

enum { NEXT_RUNS = 1, BY_HEAD = 2, WRITES = 4 };

static const struct row {
    int status;
    int traits;
    const char *request;
} rows[] = {
    /* first lines */
    { 200, NEXT_RUNS, GET HOST "\r\n" },
    { 200, NEXT_RUNS, "\r\n" GET HOST "\r\n" },
    { 400, BY_HEAD, "\r\n\r\n" GET HOST "\r\n" },
    { 400, BY_HEAD, "\n" GET HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez HTTP/1.1\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET  /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez  HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET\t/livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez HTTP/1.1 \r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez\r\n\r\n" },
    { 400, BY_HEAD, "GET\r\n" },
    { 400, BY_HEAD, "GET /\r\n" },
    { 400, BY_HEAD, "x\r\n" },
    { 400, BY_HEAD, " \r\n" },
    { 400, BY_HEAD, "\x16\x03\x01\x02\x05" },
    { 400, BY_HEAD, "G(T /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez HTTP/1.10\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez HTTP/11\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez http/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /livez HTCPCP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET /li\x01vez HTTP/1.1\r\n" HOST "\r\n" },
    { 505, BY_HEAD, "GET /livez HTTP/1.2\r\n" HOST "\r\n" },
    { 505, BY_HEAD, "GET /livez HTTP/2.0\r\n" HOST "\r\n" },
    { 505, BY_HEAD, "GET /livez HTTP/0.9\r\n" HOST "\r\n" },
    { 505, BY_HEAD, "PUT /v1/kv/a HTTP/3.0\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 405, BY_HEAD, "PATCH /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 405, BY_HEAD, "get /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 405, BY_HEAD, "TRACE /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 405, BY_HEAD | NEXT_RUNS, "PUT /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 405, BY_HEAD | NEXT_RUNS, "DELETE /get?key=a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" },
    { 405, BY_HEAD, "POST /readyz HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 404, BY_HEAD | NEXT_RUNS, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n" },
    { 404, BY_HEAD, "PUT /nowhere HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 404, BY_HEAD, "PUT /nowhere HTTP/1.1\r\n" HOST CHUNKED "\r\n1\r\nx\r\n0\r\n\r\n" },
    { 404, BY_HEAD, "PUT /nowhere HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx" },

    /* targets */
    { 200, NEXT_RUNS, "GET http://h/livez HTTP/1.1\r\n" HOST "\r\n" },
    { 200, NEXT_RUNS, "GET HTTP://[::1]:80/livez HTTP/1.1\r\nHost: other\r\n\r\n" },
    { 200, NEXT_RUNS, "HEAD http://h/livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET http://h/livez HTTP/1.1\r\n\r\n" },
    { 400, BY_HEAD, "GET http://u@h/livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET http://h:x/livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET http:///livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET ftp://h/livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET livez HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET ?key=a HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "GET * HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n" },
    { 404, BY_HEAD | NEXT_RUNS, "GET http://h HTTP/1.1\r\n" HOST "\r\n" },
    { 204, NEXT_RUNS, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" },
    { 204, NEXT_RUNS, "OPTIONS http://h HTTP/1.1\r\n" HOST "\r\n" },
    { 204, NEXT_RUNS, "OPTIONS /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab" },
    { 204, NEXT_RUNS, "OPTIONS /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 204, NEXT_RUNS, "OPTIONS /get HTTP/1.1\r\n" HOST "\r\n" },
    { 404, BY_HEAD | NEXT_RUNS, "OPTIONS /nowhere HTTP/1.1\r\n" HOST "\r\n" },
    { 200, NEXT_RUNS, "HEAD /livez HTTP/1.1\r\n" HOST "\r\n" },
    { 200, NEXT_RUNS, "HEAD /readyz HTTP/1.1\r\n" HOST "\r\n" },
    { 200, NEXT_RUNS, "HEAD /open HTTP/1.1\r\n" HOST "\r\n" },
    { 404, NEXT_RUNS, "HEAD /get?key=none HTTP/1.1\r\n" HOST "\r\n" },
    { 400, BY_HEAD, "HEAD /livez HTTP/1.1\r\n\r\n" },

    /* hosts */
    { 200, NEXT_RUNS, GET "Host:\r\n\r\n" },
    { 200, NEXT_RUNS, GET "Host: [::1]:80\r\n\r\n" },
    { 200, NEXT_RUNS, GET "Host: %41.b:65535\r\n\r\n" },
    { 400, BY_HEAD, GET "\r\n" },
    { 400, BY_HEAD, GET "Host: a b\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: u@h\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: a/b\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: a,b\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: a:b\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: [::1\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: a:99999\r\n\r\n" },
    { 400, BY_HEAD, GET "Host: \xc3\xa4\r\n\r\n" },
    { 400, BY_HEAD, GET "Host : h\r\n\r\n" },
    { 400, BY_HEAD, PUT "Host: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx" },

    /* lengths and codings */
    { 204, NEXT_RUNS | WRITES, PUT "Content-Length: 0\r\n\r\n" },
    { 204, NEXT_RUNS | WRITES, PUT "Content-Length: 00000000000000000000001 \t\r\n\r\nx" },
    { 204, NEXT_RUNS | WRITES, PUT "Transfer-Encoding: Chunked \t\r\n\r\n0\r\n\r\n" },
    { 413, BY_HEAD, PUT "Content-Length: 2097153\r\n\r\nx" },
    { 413, BY_HEAD, PUT "Content-Length: 99999999999999999999999\r\n\r\nx" },
    { 413, BY_HEAD, PUT "Expect: 100-continue\r\nContent-Length: 2097153\r\n\r\nx" },
    { 501, BY_HEAD, PUT "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
    { 501, BY_HEAD, PUT "Transfer-Encoding: identity\r\n\r\n" },
    { 400, BY_HEAD, "PUT /v1/kv/a HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n" },
    { 400, BY_HEAD, PUT "Content-Length: 1\r\n" CHUNKED "\r\nx" },

    /* expectations */
    { 417, BY_HEAD, PUT "Expect: a-pony\r\nContent-Length: 1\r\n\r\nx" },
    { 417, BY_HEAD, PUT "Expect: 100-continue\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx" },
    { 204, NEXT_RUNS | WRITES, PUT "Expect: 100-continue\r\n\r\n" },
    { 204, WRITES, "PUT /v1/kv/a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx" },
    { 204, NEXT_RUNS | WRITES,
      "PUT /v1/kv/a HTTP/1.0\r\nConnection: keep-alive\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx" },
    { 204, WRITES, "PUT /v1/kv/a HTTP/1.0\r\nConnection: keep-alive, close\r\nContent-Length: 1\r\n\r\nx" },

    /* keys, parameters, headers: before the body */
    { 400, BY_HEAD, "PUT /v1/kv/ HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 400, BY_HEAD, "PUT /v1/kv/%zz HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 400, BY_HEAD, "PUT /v1/kv HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx" },
    { 400, BY_HEAD, "PUT /v1/kv/a?cas=0 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 400, BY_HEAD, "PUT /v1/kv/a?%74tl=60 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },
    { 400, BY_HEAD, PUT "If-Match: a\r\nContent-Length: 1\r\n\r\nx" },
    { 400, BY_HEAD, PUT "RackKV-TTL: 0\r\nContent-Length: 1\r\n\r\nx" },
    { 412, BY_HEAD, PUT "If-None-Match: *\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx" },
    { 204, NEXT_RUNS | WRITES, "PUT /v1/kv?%6bey=a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" },

    /* chunks */
    { 204, NEXT_RUNS | WRITES, PUTC "5\r\nhello\r\n0\r\n\r\n" },
    { 204, NEXT_RUNS | WRITES, PUTC "00000005\r\nhello\r\n00\r\n\r\n" },
    { 204, NEXT_RUNS | WRITES, PUTC "a;x=\"\\\"\" ; y\r\n0123456789\r\n0;z\r\nA: b\r\n\r\n" },
    { 400, 0, PUTC "0x5\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "5g\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "5 5\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "5 \r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "6\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "4\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "5\nhello\n0\n\n" },
    { 400, 0, PUTC "5\r\nhello\n0\r\n\r\n" },
    { 400, 0, PUTC "5\r\nhello\r\n0\r\n\n" },
    { 400, 0, PUTC "5;a\rb\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "5;\r\nhello\r\n0\r\n\r\n" },
    { 400, 0, PUTC "5\r\nhello\r\n0\r\nTrailer\r\n\r\n" },
    { 400, 0, PUTC "5\r\nhello\r\n0\r\nT : x\r\n\r\n" },
    { 413, 0, PUTC "200001\r\nx" }, /* said by its size, before its data */
    { 413, 0, PUTC "1;x\r\na\r\nffffffffffffffff\r\n" },
    { 400, 0, PUTC "-1\r\n" },
    { 400, 0, PUTC "\r\n" },
    { 400, 0, PUTC "x" },
};

START_TEST(requests_of_their_own)
{
    start();
    check_put_a();
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct request request = {
            .text = strdup(rows[i].request),
            .status = rows[i].status,
            .by_head = (rows[i].traits & BY_HEAD) != 0,
            .has_next = (rows[i].traits & NEXT_RUNS) != 0,
            .to_head = is_head_request(rows[i].request),
            .is_write = (rows[i].traits & WRITES) != 0,
        };

        check_request(&request);
    }
    printf("%llu requests, each in %d cuts, %llu of them refused\n", (unsigned long long)n_requests, N_CUTS,
           (unsigned long long)n_refused);
    stop();
}
END_TEST

/* ---- sizes ---- */

static void check_repeated(const char *before, const char *unit, int n, const char *after, int status, bool by_head)
{
    struct request request = { .status = status, .by_head = by_head };

    request.text = malloc(strlen(before) + strlen(unit) * (size_t)n + strlen(after) + 1);
    strcpy(request.text, before);
    for (char *at = request.text + strlen(before); n > 0; n--)
        at = stpcpy(at, unit);
    strcat(request.text, after);
    request.has_next = status < 300;
    request.is_write = strncmp(before, "PUT", 3) == 0;
    check_request(&request);
}

START_TEST(sizes_at_their_bounds)
{
    start();
    check_put_a();
    check_repeated(GET HOST, "X: y\r\n", 99, "\r\n", 200, false);
    check_repeated(GET HOST, "X: y\r\n", 100, "\r\n", 431, true);
    check_repeated(GET HOST, "X: y\r\n", 1000, "\r\n", 431, false);
    check_repeated(GET HOST "X: ", "v", 32000, "\r\n\r\n", 200, false);
    check_repeated(GET HOST "X: ", "v", 33000, "", 431, true); /* it never ends */
    check_repeated(GET HOST, "X: 0123456789 0123456789 0123456789 0123456789 0123456789\r\n", 90, "\r\n", 200, false);
    check_repeated("PUT /v1/kv/a?", "&", 16000, " HTTP/1.1\r\n" HOST "\r\n", 204, false);
    check_repeated("GET /v1/kv/a?", "&", 17000, " HTTP/1.1\r\n" HOST "\r\n", 414, false);
    check_repeated("GET /", "a", 20000, "", 414, true); /* nor does this */
    check_repeated("PUT /v1/kv/", "%61", 4097, " HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 414, true);
    check_repeated(PUTC "1;", "x", 8000, "\r\na\r\n0\r\n\r\n", 204, false);
    check_repeated(PUTC "1;", "x", 1 << 20, "\r\na\r\n0\r\n\r\n", 400, false);
    check_repeated(PUTC "1\r\na\r\n0\r\n", "X: y\r\n", 1000, "\r\n", 204, false);
    check_repeated(PUTC "1\r\na\r\n0\r\n", "X: y\r\n", 200000, "\r\n", 400, false);
    stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_raw");
    TCase *tcase = tcase_create("raw");

    tcase_add_test(tcase, lines_in_requests_of_every_kind);
    tcase_add_test(tcase, requests_of_their_own);
    tcase_add_test(tcase, sizes_at_their_bounds);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return suite;
}

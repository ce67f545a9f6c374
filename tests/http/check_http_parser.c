/* The parser, table by table: heads, hosts, codings, options. */
#include "http/http_parser.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEAD 32768
#define HOST     "Host: h\r\n"
#define N_OF(a)  (sizeof(a) / sizeof(a)[0])

static const struct rk_http_bounds standard = { .max_head_bytes = MAX_HEAD, .max_fields = 100 };
static struct rk_http_field fields[RK_HTTP_FIELDS_MAX];

/* The bytes are left allocated until the next call: the head points into them. */
static enum rk_http_problem parse(const char *text, size_t len, const struct rk_http_bounds *bounds,
                                  struct rk_http_head *head)
{
    static char *bytes;

    free(bytes);
    bytes = memcpy(malloc(len > 0 ? len : 1), text, len); /* on the heap, so that overruns are seen */
    head->fields = fields;
    return rk_http_parse_head(bytes, len, bounds, head);
}

static enum rk_http_problem parse_text(const char *text, struct rk_http_head *head)
{
    return parse(text, strlen(text), &standard, head);
}

struct row {
    const char *head;
    enum rk_http_problem problem;
};

#define OK(head)                 \
    {                            \
        head, RK_HTTP_NO_PROBLEM \
    }
#define MORE(head)               \
    {                            \
        head, RK_HTTP_UNFINISHED \
    }
#define BAD(head, name)              \
    {                                \
        head, RK_HTTP_PROBLEM_##name \
    }
#define PUT "PUT /a HTTP/1.1\r\n" HOST

static const struct row rows[] = {
    OK("GET / HTTP/1.1\r\n" HOST "\r\n"),
    OK("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET / HTTP/1.0\r\n\r\n"),
    OK("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    OK("GET / HTTP/1.1\r\nhOsT: \t h \t\r\n\r\n"),
    OK(PUT "Content-Length: 1\r\n\r\n"),
    OK(PUT "content-length:0\r\n\r\n"),
    OK(PUT "content-length: \t7 \t \r\n\r\n"),
    OK(PUT "Transfer-Encoding: chunked\r\n\r\n"),
    OK(PUT "Transfer-Encoding: \tCHUNKED \t\r\n\r\n"),
    OK(PUT "Expect: 100-continue \t\r\n\r\n"),
    OK("GET / HTTP/1.0\r\nExpect: a-pony\r\n\r\n"),
    OK("FROB /a HTTP/1.1\r\n" HOST "\r\n"), /* a token: 405 is the route's */
    OK("M-SEARCH /* HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET / HTTP/1.1\r\n" HOST "Hosts: a\r\nHost-: b\r\nTransfer-Encodings: x\r\nContent-Lengths: y\r\n\r\n"),
    OK("GET / HTTP/1.1\r\n" HOST "X:\r\nY: \r\nZ: \xff\t\xc3\xa4\r\n\r\n"),
    OK("GET / HTTP/1.1\r\n" HOST "\r\n\r\n folded? no, a body\n"),
    OK("GET http://h/a HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET HTTPS://h:1/a HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET http://h?x HTTP/1.1\r\n" HOST "\r\n"),
    OK("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET /\x80\xff|\"<> HTTP/1.1\r\n" HOST "\r\n"),

    MORE(""),
    MORE("\r"),
    MORE("\r\n"),
    MORE("GET"),
    MORE("GET /a HTTP/1."),
    MORE("GET / HTTP/1.1\r\n" HOST),
    MORE("GET / HTTP/1.1\r\n" HOST "\r"),
    MORE("GET / HTTP/1.1\r\n" HOST "X: y\r"),

    BAD(PUT "Content-Length: 1\r\nContent-Length: 2\r\n", REPEATED_HEADER),
    BAD(PUT "Content-Length: 1\r\nX: y\r\ncontent-LENGTH: 1\r\n\r\n", REPEATED_HEADER),
    BAD(PUT "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", REPEATED_HEADER),
    BAD("GET / HTTP/1.1\r\n" HOST HOST, REPEATED_HEADER),
    BAD("GET / HTTP/1.0\r\n" HOST HOST "\r\n", REPEATED_HEADER),
    BAD(PUT "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", TWO_FRAMINGS),
    BAD(PUT "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", TWO_FRAMINGS),
    BAD(PUT "Content-Length:\r\n", BAD_CONTENT_LENGTH),
    BAD(PUT "Content-Length: 1, 1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD(PUT "Content-Length: +1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD(PUT "Content-Length: 0x1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD(PUT "Content-Length: 1 1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD("PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", OLD_TRANSFER_ENCODING),
    BAD(PUT "Expect: a-pony\r\n", EXPECTATION),
    BAD(PUT "Expect: 100-continue\r\nExpect: x\r\n", EXPECTATION),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\r\n b", FOLDED_HEADER),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", FOLDED_HEADER),
    BAD("GET / HTTP/1.1\r\n Host: h\r\n\r\n", FOLDED_HEADER),
    BAD("GET / HTTP/1.1\n" HOST "\r\n", BARE_LINE_FEED),
    BAD("GET /\n", BARE_LINE_FEED),
    BAD("GET\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\nHost: h\n\r\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\n" HOST "\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\n" HOST "X\n", BARE_LINE_FEED),
    BAD("\nGET / HTTP/1.1\r\n" HOST "\r\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\x01", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\x7f", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n" HOST "X : a", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n" HOST "\rX", BAD_FIELD),
    BAD("GET / HTTP/1.1\r\n\r\n", MISSING_HOST),
    BAD("GET http://h/ HTTP/1.1\r\n\r\n", MISSING_HOST),
    BAD("GET / HTTP/1.1\r\nHosts: h\r\n\r\n", MISSING_HOST),
    BAD("GET http://u@h/ HTTP/1.1", BAD_TARGET),
    BAD("GET http:///a HTTP/1.1", BAD_TARGET),
    BAD("GET http://h:99999/ HTTP/1.1", BAD_TARGET),
    BAD("GET ftp://h/ HTTP/1.1", BAD_TARGET),
    BAD("GET * HTTP/1.1", BAD_TARGET),
    BAD("OPTIONS *? HTTP/1.1", BAD_TARGET),
    BAD("GET  HTTP/1.1", BAD_TARGET),
    BAD("GET a HTTP/1.1", BAD_TARGET),
    BAD("CONNECT h:80 HTTP/1.1", BAD_TARGET),
    BAD("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD(" / HTTP/1.1", BAD_REQUEST_LINE),
    BAD("G@", BAD_REQUEST_LINE),
    BAD("G\xc3T /", BAD_REQUEST_LINE),
    BAD("GET /\r\n", BAD_REQUEST_LINE),
    BAD("GET\r\n", BAD_REQUEST_LINE),
    BAD("GET /\x01", BAD_REQUEST_LINE),
    BAD("GET / HTTP/1.1 \r\n", BAD_REQUEST_LINE),
    BAD("GET / HTTP/1.1\rX", BAD_REQUEST_LINE),
    BAD("GET /a b HTTP/1.1\r\n", BAD_REQUEST_LINE),
    BAD("GET /  HTTP/1.1\r\n", BAD_REQUEST_LINE),
    BAD("GET / http/1.1\r\n", BAD_REQUEST_LINE),
    BAD("GET / HTTP/1.10\r\n", BAD_REQUEST_LINE),
    BAD("GET / HTTP/1.2\r\n", BAD_VERSION),
    BAD("GET / HTTP/2.0\r\n", BAD_VERSION),
    BAD("GET / HTTP/0.9\r\n", BAD_VERSION),
};

START_TEST(every_head_of_the_table)
{
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct rk_http_head head;
        enum rk_http_problem problem = parse_text(rows[i].head, &head);

        ck_assert_msg(problem == rows[i].problem, "problem %d, not %d:\n%s", problem, rows[i].problem, rows[i].head);
    }
}
END_TEST

/* What is found wrong in all of the bytes is found at a prefix too, and never anything else before. */
START_TEST(every_cut_says_the_same_or_waits)
{
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct rk_http_head head;
        enum rk_http_problem problem = RK_HTTP_UNFINISHED;

        for (size_t len = 0; len <= strlen(rows[i].head) && problem == RK_HTTP_UNFINISHED; len++)
            problem = parse(rows[i].head, len, &standard, &head);
        ck_assert_msg(problem == rows[i].problem, "problem %d, not %d:\n%s", problem, rows[i].problem, rows[i].head);
    }
}
END_TEST

static bool span_is(struct rk_http_span span, const char *text)
{
    return span.at != NULL && span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static bool field_is(const struct rk_http_field *field, const char *name, const char *value)
{
    return span_is((struct rk_http_span){ field->name, field->name_len }, name)
           && span_is((struct rk_http_span){ field->value, field->value_len }, value);
}

START_TEST(what_a_good_head_says)
{
    static const char put[] =
        "\r\nPUT /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 0012 \r\nX:  y z\t\r\nRackKV-A: 1\r\n\r\n";
    struct rk_http_head head;

    ck_assert_int_eq(parse_text(put, &head), RK_HTTP_NO_PROBLEM);
    ck_assert_uint_eq(head.len, strlen(put));
    ck_assert(span_is(head.method, "PUT") && span_is(head.target, "/a?b") && head.authority.at == NULL);
    ck_assert(!head.is_1_0 && head.framing == RK_HTTP_LENGTH);
    ck_assert_uint_eq(head.content_length, 12);
    ck_assert_uint_eq(head.n_fields, 4);
    ck_assert(field_is(&fields[0], "Host", "h") && field_is(&fields[1], "Content-Length", "12"));
    ck_assert(field_is(&fields[2], "X", "y z") && field_is(&fields[3], "RackKV-A", "1"));
    ck_assert_int_eq(parse_text("GET http://o:8/p HTTP/1.1\r\nHost: h\r\n\r\nGET", &head), RK_HTTP_NO_PROBLEM);
    ck_assert(span_is(head.target, "/p") && span_is(head.authority, "o:8") && field_is(&fields[0], "Host", "o:8"));
    ck_assert_uint_eq(head.len, strlen("GET http://o:8/p HTTP/1.1\r\nHost: h\r\n\r\n"));
    ck_assert_int_eq(parse_text("OPTIONS http://o HTTP/1.0\r\n\r\n", &head), RK_HTTP_NO_PROBLEM);
    ck_assert(span_is(head.target, "*") && head.is_1_0 && head.framing == RK_HTTP_NO_BODY);
    ck_assert_int_eq(parse_text("GET http://o?x HTTP/1.0\r\n\r\n", &head), RK_HTTP_NO_PROBLEM);
    ck_assert(span_is(head.target, "/"));
    ck_assert_int_eq(parse_text(PUT "Content-Length: 18446744073709551616\r\n\r\n", &head), RK_HTTP_NO_PROBLEM);
    ck_assert(head.content_length == UINT64_MAX);
}
END_TEST

/* Expected by hand; HOST_OK is 200's, the others 400's. */
START_TEST(hosts)
{
    static const char *const good[] = {
        "",      "h",   "h:80",           "h:",    "h:0",      "h:65535",           "1.2.3.4",
        "a-b.c", "%41", "a_b~!$&'()*+;=", "[::1]", "[::1]:80", "[1:2:3:4:5:6:7:8]", "[::ffff:1.2.3.4]:1",
        "[::]"
    };
    static const char *const bad[] = { "a b",     "u@h",     "a/b",      "a,b",     "a:b",          "[::1",
                                       "a:99999", "a:65536", "a:-1",     "a:80:80", ":80",          "[::1]x",
                                       "[]",      "[g::1]",  "[1:2]",    "%4",      "%zz",          "a?b",
                                       "a#b",     "a\\b",    "\xc3\xa4", "a\tb",    "[::1%25eth0]", "[v1.x]",
                                       "::1",     "a|b",     "a\"b",     "<a>",     "[::1]:x",      "[1::2::3]" };

    for (size_t i = 0; i < N_OF(good) + N_OF(bad); i++) {
        const char *host = i < N_OF(good) ? good[i] : bad[i - N_OF(good)];
        char text[200];
        struct rk_http_head head;
        enum rk_http_problem problem;

        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
        problem = parse_text(text, &head);
        ck_assert_msg(problem == (i < N_OF(good) ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_HOST), "%s: %d", host,
                      problem);
    }
}
END_TEST

START_TEST(codings)
{
    static const struct {
        const char *value;
        enum rk_http_problem problem;
    } table[] = {
        OK("chunked"),
        OK("Chunked"),
        BAD("gzip", UNKNOWN_CODING),
        BAD("gzip, chunked", UNKNOWN_CODING),
        BAD("identity", UNKNOWN_CODING),
        BAD("xchunked", UNKNOWN_CODING),
        BAD("", BAD_TRANSFER_ENCODING),
        BAD("chunked, chunked", BAD_TRANSFER_ENCODING),
        BAD("chunked, gzip", BAD_TRANSFER_ENCODING),
        BAD("chunked,", BAD_TRANSFER_ENCODING),
        BAD(",chunked", BAD_TRANSFER_ENCODING),
        BAD("chunked;a=b", BAD_TRANSFER_ENCODING),
        BAD("chun ked", BAD_TRANSFER_ENCODING),
        BAD("\"chunked\"", BAD_TRANSFER_ENCODING),
        BAD("\x0b"
            "chunked",
            BAD_FIELD),
    };

    for (size_t i = 0; i < N_OF(table); i++) {
        char text[200];
        struct rk_http_head head;

        snprintf(text, sizeof text, PUT "Transfer-Encoding: %s\r\n\r\n", table[i].value);
        ck_assert_msg(parse_text(text, &head) == table[i].problem, "%s", table[i].value);
    }
}
END_TEST

START_TEST(connection_options)
{
    static const struct {
        const char *lines;
        unsigned seen;
    } table[] = {
        { "", 0 },
        { "Connection: close\r\n", RK_HTTP_SEEN_CLOSE },
        { "connection:  Close \r\n", RK_HTTP_SEEN_CLOSE },
        { "Connection: keep-alive\r\n", RK_HTTP_SEEN_KEEP_ALIVE },
        { "Connection: close, keep-alive\r\n", RK_HTTP_SEEN_CLOSE | RK_HTTP_SEEN_KEEP_ALIVE },
        { "Connection: keep-alive\r\nConnection: close\r\n", RK_HTTP_SEEN_CLOSE | RK_HTTP_SEEN_KEEP_ALIVE },
        { "Connection: TE\r\nConnection: Upgrade , x\r\n", 0 },
        { "Connection: ,,close,\r\n", RK_HTTP_SEEN_CLOSE },
        { "Connection: closed, xclose, not-keep-alive\r\n", 0 },
    };

    for (size_t i = 0; i < N_OF(table); i++) {
        char text[200];
        struct rk_http_head head;

        snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "%s\r\n", table[i].lines);
        ck_assert_int_eq(parse_text(text, &head), RK_HTTP_NO_PROBLEM);
        ck_assert_msg(head.seen == (table[i].seen | RK_HTTP_SEEN_HOST), "%s", table[i].lines);
        ck_assert_uint_eq(head.n_fields, 1);
    }
}
END_TEST

static enum rk_http_problem parse_sizes(size_t target_len, size_t field_len, size_t max_head)
{
    struct rk_http_bounds bounds = { .max_head_bytes = max_head, .max_fields = 100 };
    struct rk_http_head head;
    char *target = malloc(target_len + 1), *field = malloc(field_len + 1), *text;
    enum rk_http_problem problem;

    memset(target, 'a', target_len);
    target[0] = '/';
    target[target_len] = '\0';
    memset(field, 'x', field_len);
    field[field_len] = '\0';
    ck_assert_int_ge(asprintf(&text, "GET %s HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n", target, field), 0);
    problem = parse(text, strlen(text), &bounds, &head);
    free(target);
    free(field);
    free(text);
    return problem;
}

START_TEST(sizes_at_their_limits)
{
    ck_assert_int_eq(parse_sizes(RK_HTTP_TARGET_MAX, 1, MAX_HEAD), RK_HTTP_NO_PROBLEM);
    ck_assert_int_eq(parse_sizes(RK_HTTP_TARGET_MAX + 1, 1, MAX_HEAD), RK_HTTP_PROBLEM_TARGET_TOO_LONG);
    ck_assert_int_eq(parse_sizes(200000, 1, MAX_HEAD), RK_HTTP_PROBLEM_TARGET_TOO_LONG);
    ck_assert_int_eq(parse_sizes(5, 1000, 1000), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
    ck_assert_int_eq(parse_sizes(5, MAX_HEAD - 36, MAX_HEAD), RK_HTTP_NO_PROBLEM); /* 36 bytes around it */
    ck_assert_int_eq(parse_sizes(5, MAX_HEAD - 35, MAX_HEAD), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
    ck_assert_int_eq(parse_sizes(5, 100000, MAX_HEAD), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
    ck_assert_int_eq(parse_sizes(2000, 1, 1000), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
}
END_TEST

/* Connection and Expect count as lines, though they are not kept. */
START_TEST(fields_at_their_limit)
{
    const struct rk_http_bounds bounds = { .max_head_bytes = MAX_HEAD, .max_fields = 4 };
    static const char four[] = "GET / HTTP/1.1\r\n" HOST "Connection: x\r\nExpect: 100-continue\r\nY: z\r\n\r\n";
    static const char five[] = "GET / HTTP/1.1\r\n" HOST "Connection: x\r\nA: b\r\nY: z\r\nY:";
    struct rk_http_head head;

    ck_assert_int_eq(parse(four, strlen(four), &bounds, &head), RK_HTTP_NO_PROBLEM);
    ck_assert_uint_eq(head.n_fields, 2);
    ck_assert_int_eq(parse(five, strlen(five), &bounds, &head), RK_HTTP_PROBLEM_TOO_MANY_FIELDS);
    ck_assert_int_eq(parse(five, strlen(five) - 1, &bounds, &head), RK_HTTP_UNFINISHED);
}
END_TEST

START_TEST(exactly_the_token_bytes_make_a_name)
{
    static const char tokens[] = "!#$%&'*+-.^_`|~0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    for (unsigned byte = 1; byte < 256; byte++) {
        char method[64], name[64];
        struct rk_http_head head;
        bool is_token = strchr(tokens, (int)byte) != NULL;

        snprintf(method, sizeof method, "G%cT / HTTP/1.1\r\nHost: h\r\n\r\n", (int)byte);
        snprintf(name, sizeof name, "GET / HTTP/1.1\r\nHost: h\r\nX%c: y\r\n\r\n", (int)byte);
        ck_assert_msg((parse_text(method, &head) == RK_HTTP_NO_PROBLEM) == is_token, "byte %u", byte);
        ck_assert_msg((parse_text(name, &head) == RK_HTTP_NO_PROBLEM) == (is_token || byte == ':'), "byte %u", byte);
    }
}
END_TEST

/* Wherever the byte is among the eight that are looked at together. */
START_TEST(exactly_the_control_bytes_spoil_a_value)
{
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 20; at++) {
            char text[] = "GET / HTTP/1.1\r\nHost: h\r\nX: 01234567890123456789\r\n\r\n";
            struct rk_http_head head;
            bool is_text = byte == '\t' || (byte >= ' ' && byte != 0x7f);

            memset(strchr(text, 'X') + 3 + at, (int)byte, 1);
            ck_assert_msg((parse(text, sizeof text - 1, &standard, &head) == RK_HTTP_NO_PROBLEM) == is_text,
                          "byte %u at %zu", byte, at);
        }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_parser");
    TCase *tcase = tcase_create("parser");

    tcase_add_test(tcase, every_head_of_the_table);
    tcase_add_test(tcase, every_cut_says_the_same_or_waits);
    tcase_add_test(tcase, what_a_good_head_says);
    tcase_add_test(tcase, hosts);
    tcase_add_test(tcase, codings);
    tcase_add_test(tcase, connection_options);
    tcase_add_test(tcase, sizes_at_their_limits);
    tcase_add_test(tcase, fields_at_their_limit);
    tcase_add_test(tcase, exactly_the_token_bytes_make_a_name);
    tcase_add_test(tcase, exactly_the_control_bytes_spoil_a_value);
    suite_add_tcase(suite, tcase);
    return suite;
}

#include "http/http_head.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEAD 32768

static enum rk_http_problem check(const char *text, size_t len, size_t max_head, struct rk_http_head *head)
{
    char *bytes = memcpy(malloc(len > 0 ? len : 1), text, len); /* on the heap, so that overruns are seen */
    enum rk_http_problem problem = rk_http_head_check(bytes, len, max_head, head);

    free(bytes);
    return problem;
}

struct row {
    const char *head;
    enum rk_http_problem problem;
};

#define HOST "Host: h\r\n"
#define OK(head)                 \
    {                            \
        head, RK_HTTP_NO_PROBLEM \
    }
#define BAD(head, name)              \
    {                                \
        head, RK_HTTP_PROBLEM_##name \
    }

static const struct row rows[] = {
    OK("GET / HTTP/1.1\r\n" HOST "\r\n"),
    OK("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET / HTTP/1.0\r\n\r\n"),
    OK("GET / HTTP/1.0\r\n" HOST "\r\n"),
    OK("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    OK("GET / HTTP/1.1\r\nhOsT: h\r\n\r\n"),
    OK("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"),
    OK("PUT /a HTTP/1.1\r\n" HOST "content-length:0\r\n\r\n"),
    OK("PUT /a HTTP/1.1\r\n" HOST "content-length: \t7 \r\n\r\n"),
    OK("PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
    OK("FROB /a HTTP/1.1\r\n" HOST "\r\n"), /* a token: 405 is the handler's */
    OK("M-SEARCH /* HTTP/1.1\r\n" HOST "\r\n"),
    OK("GET / HTTP/1.1\r\n" HOST "Hosts: a\r\nHost-: b\r\nTransfer-Encodings: x\r\nContent-Lengths: y\r\n\r\n"),
    OK("GET / HTTP/1.1\r\n" HOST "X:\r\n\r\n"),
    OK("GET / HTTP/1.1\r\n" HOST "\r\n\r\n folded? no, a body\n"),

    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", REPEATED_HEADER),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\nX: y\r\ncontent-LENGTH: 1\r\n\r\n", REPEATED_HEADER),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", REPEATED_HEADER),
    BAD("GET / HTTP/1.1\r\n" HOST HOST "\r\n", REPEATED_HEADER),
    BAD("GET / HTTP/1.0\r\n" HOST HOST "\r\n", REPEATED_HEADER),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", TWO_FRAMINGS),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", TWO_FRAMINGS),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD("PUT /a HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", BAD_CONTENT_LENGTH),
    BAD("PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", OLD_TRANSFER_ENCODING),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", FOLDED_HEADER),
    BAD("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", FOLDED_HEADER),
    BAD("GET / HTTP/1.1\r\n Host: h\r\n\r\n", FOLDED_HEADER),
    BAD("GET / HTTP/1.1\n" HOST "\r\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\nHost: h\n\r\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\n" HOST "\n", BARE_LINE_FEED),
    BAD("\nGET / HTTP/1.1\r\n" HOST "\r\n", BARE_LINE_FEED),
    BAD("GET / HTTP/1.1\r\n\r\n", MISSING_HOST),
    BAD("GET / HTTP/1.1\r\nHosts: h\r\n\r\n", MISSING_HOST),
    BAD("GET http://h/ HTTP/1.1\r\n" HOST "\r\n", BAD_TARGET),
    BAD("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", BAD_TARGET),
    BAD("GET  HTTP/1.1\r\n" HOST "\r\n", BAD_TARGET),
    BAD("GET a HTTP/1.1\r\n" HOST "\r\n", BAD_TARGET),
    BAD("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", BAD_TARGET),
    BAD("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD(" / HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("G@T / HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("G\"T / HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("G\xc3T / HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET /\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET / HTTP/1.1 \r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET /a b HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET /  HTTP/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET / http/1.1\r\n" HOST "\r\n", BAD_REQUEST_LINE),
    BAD("GET / HTTP/1.2\r\n" HOST "\r\n", BAD_VERSION),
    BAD("GET / HTTP/2.0\r\n" HOST "\r\n", BAD_VERSION),
    BAD("GET / HTTP/0.9\r\n" HOST "\r\n", BAD_VERSION),
};

START_TEST(every_head_of_the_table)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rk_http_head head;
        enum rk_http_problem problem = check(rows[i].head, strlen(rows[i].head), MAX_HEAD, &head);

        ck_assert_msg(problem == rows[i].problem, "problem %d, not %d:\n%s", problem, rows[i].problem, rows[i].head);
    }
}
END_TEST

START_TEST(what_a_good_head_says)
{
    static const char put[] = "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char get[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\n";
    struct rk_http_head head;

    ck_assert_int_eq(check(put, strlen(put), MAX_HEAD, &head), RK_HTTP_NO_PROBLEM);
    ck_assert(head.is_chunked);
    ck_assert_uint_eq(head.len, strlen(put));
    ck_assert_int_eq(check(get, strlen(get), MAX_HEAD, &head), RK_HTTP_NO_PROBLEM);
    ck_assert(!head.is_chunked);
    ck_assert_uint_eq(head.len, strlen(get) - strlen("GET /b HTTP/1.1\r\n"));
}
END_TEST

/* A head cut anywhere is never taken for a good one, and never read past. */
START_TEST(every_cut_is_refused)
{
    static const char text[] = "\r\nPUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX: y\r\n\r\n";
    struct rk_http_head head;

    for (size_t len = 0; len < strlen(text); len++)
        ck_assert_int_ne(check(text, len, MAX_HEAD, &head), RK_HTTP_NO_PROBLEM);
    ck_assert_int_eq(check(text, strlen(text), MAX_HEAD, &head), RK_HTTP_NO_PROBLEM);
}
END_TEST

static char *head_with(size_t target_len, size_t header_len, size_t *len_out)
{
    char *target = malloc(target_len + 1), *header = malloc(header_len + 1), *text;

    memset(target, 'a', target_len);
    target[0] = '/';
    target[target_len] = '\0';
    memset(header, 'x', header_len);
    header[header_len] = '\0';
    ck_assert_int_ge(asprintf(&text, "GET %s HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n", target, header), 0);
    *len_out = strlen(text);
    free(target);
    free(header);
    return text;
}

static enum rk_http_problem check_sizes(size_t target_len, size_t header_len, size_t max_head)
{
    struct rk_http_head head;
    size_t len;
    char *text = head_with(target_len, header_len, &len);
    enum rk_http_problem problem = check(text, len, max_head != 0 ? max_head : len, &head);

    free(text);
    return problem;
}

START_TEST(sizes_at_their_limits)
{
    ck_assert_int_eq(check_sizes(RK_HTTP_TARGET_MAX, 1, MAX_HEAD), RK_HTTP_NO_PROBLEM);
    ck_assert_int_eq(check_sizes(RK_HTTP_TARGET_MAX + 1, 1, MAX_HEAD), RK_HTTP_PROBLEM_TARGET_TOO_LONG);
    ck_assert_int_eq(check_sizes(200000, 1, MAX_HEAD), RK_HTTP_PROBLEM_TARGET_TOO_LONG);
    ck_assert_int_eq(check_sizes(5, 1000, 0), RK_HTTP_NO_PROBLEM);
    ck_assert_int_eq(check_sizes(5, 1000, 1000), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
    ck_assert_int_eq(check_sizes(5, MAX_HEAD - 36, MAX_HEAD), RK_HTTP_NO_PROBLEM); /* 36 bytes around it */
    ck_assert_int_eq(check_sizes(5, MAX_HEAD - 35, MAX_HEAD), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
    ck_assert_int_eq(check_sizes(5, 100000, MAX_HEAD), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
    ck_assert_int_eq(check_sizes(2000, 1, 1000), RK_HTTP_PROBLEM_HEAD_TOO_LARGE);
}
END_TEST

START_TEST(exactly_the_token_bytes_make_a_method)
{
    static const char tokens[] = "!#$%&'*+-.^_`|~0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    for (unsigned byte = 1; byte < 256; byte++) {
        char text[64];
        struct rk_http_head head;
        int len = snprintf(text, sizeof text, "G%cT / HTTP/1.1\r\nHost: h\r\n\r\n", (int)byte);
        bool is_token = strchr(tokens, (int)byte) != NULL;

        ck_assert_msg((check(text, (size_t)len, MAX_HEAD, &head) == RK_HTTP_NO_PROBLEM) == is_token, "byte %u", byte);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_head");
    TCase *tcase = tcase_create("head");

    tcase_add_test(tcase, every_head_of_the_table);
    tcase_add_test(tcase, what_a_good_head_says);
    tcase_add_test(tcase, every_cut_is_refused);
    tcase_add_test(tcase, sizes_at_their_limits);
    tcase_add_test(tcase, exactly_the_token_bytes_make_a_method);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* Bodies in chunks: a table of them, each in pieces of every size, and their bounds. */
#include "http/http_parser.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

#define N_OF(a) (sizeof(a) / sizeof(a)[0])

#define WRONG "wrong"
#define LATER "later"

static const struct {
    const char *chunks;
    const char *data; /* or WRONG, or LATER: more has to come */
} bodies[] = {
    { "5\r\nhello\r\n0\r\n\r\n", "hello" },
    { "05\r\nhello\r\n000\r\n\r\n", "hello" },
    { "0000000000000005\r\nhello\r\n0\r\n\r\n", "hello" },
    { "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a" },
    { "5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello" },
    { "5 ; a = \"b\\\"\t;c\" ;d=e\r\nhello\r\n0\r\n\r\n", "hello" },
    { "1\r\na\r\n0\r\nX: y\r\nZ:\xff\r\n\r\n", "a" },
    { "0\r\n\r\n", "" },
    { "0\r\n\r\nGET / HTTP/1.1\r\n", "" },
    { "", LATER },
    { "5\r\nhel", LATER },
    { "5\r\nhello\r\n0\r\n", LATER },
    { "5\r\nhello\r\n0\r\n\r", LATER },
    { "5\r\nhello\r\n0\r\nX: y\r\n", LATER },
    { "ffffffffffffffff\r\na", LATER },
    { "0x5\r\nhello", WRONG },
    { "5g\r\nhello", WRONG },
    { "5 5\r\nhello", WRONG },
    { "5 \r\nhello", WRONG },
    { " 5\r\nhello", WRONG },
    { "-5\r\nhello", WRONG },
    { "+5\r\nhello", WRONG },
    { "\r\n", WRONG },
    { ";a\r\n", WRONG },
    { "6\r\nhello\r\n0\r\n\r\n", WRONG },
    { "4\r\nhello\r\n0\r\n\r\n", WRONG },
    { "5\nhello\r\n0\r\n\r\n", WRONG },
    { "5\r\nhello\n", WRONG },
    { "5\rhello", WRONG },
    { "5\r\nhello\r\n0\n", WRONG },
    { "5\r\nhello\r\n0\r\n\n", WRONG },
    { "5\r\nhello0\r\n\r\n", WRONG },
    { "5;a\rb\r\nhello", WRONG },
    { "5;a\nhello", WRONG },
    { "5;\r\nhello", WRONG },
    { "5;=b\r\nhello", WRONG },
    { "5;a=\r\nhello", WRONG },
    { "5;a b\r\nhello", WRONG },
    { "5;a=\"b\r\n", WRONG },
    { "5;a=\"b\"c\r\n", WRONG },
    { "5;a=\"\x01\"", WRONG },
    { "5;a=\"\\\x01\"", WRONG },
    { "00000000000000005\r\nhello", WRONG },
    { "0\r\nX\r\n\r\n", WRONG },
    { "0\r\n: y\r\n\r\n", WRONG },
    { "0\r\nX : y\r\n\r\n", WRONG },
    { "0\r\n X: y\r\n\r\n", WRONG },
    { "0\r\nX: a\rb\r\n\r\n", WRONG },
    { "0\r\nX: y\n\r\n", WRONG },
};

/* In pieces of this size, each decoded where the last one's data ends, as libh2o does it. */
static ssize_t decode(const char *chunks, size_t size, size_t piece, char *data, size_t *len_out)
{
    struct rk_http_chunked chunked = { .left = 0 };
    ssize_t left = -2;
    size_t out = 0;

    for (size_t at = 0; at < size && left == -2; at += piece) {
        size_t len = piece < size - at ? piece : size - at;

        memcpy(data + out, chunks + at, len);
        left = rk_http_chunked_decode(&chunked, data + out, &len);
        out += len;
        if (left >= 0)
            left += (ssize_t)(size - at - (piece < size - at ? piece : size - at));
    }
    *len_out = out;
    return left;
}

START_TEST(every_body_of_the_table)
{
    for (size_t i = 0; i < N_OF(bodies); i++)
        for (size_t piece = 1; piece <= strlen(bodies[i].chunks) + 1; piece++) {
            char data[256];
            const char *chunks = bodies[i].chunks, *rest = strstr(chunks, "GET");
            size_t len;
            ssize_t left = decode(chunks, strlen(chunks), piece, data, &len);

            if (strcmp(bodies[i].data, WRONG) == 0 || strcmp(bodies[i].data, LATER) == 0) {
                ck_assert_msg(left == (bodies[i].data[0] == 'w' ? -1 : -2), "%s: %zd", chunks, left);
                continue;
            }
            ck_assert_msg(left == (rest != NULL ? (ssize_t)strlen(rest) : 0), "%s: %zd", chunks, left);
            ck_assert_uint_eq(len, strlen(bodies[i].data));
            ck_assert_mem_eq(data, bodies[i].data, len);
        }
}
END_TEST

/* What comes after the body is left right behind its data. */
START_TEST(the_next_request_follows_the_data)
{
    char bytes[] = "3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\nGET / ";
    size_t len = sizeof bytes - 1;
    struct rk_http_chunked chunked = { .left = 0 };

    ck_assert_int_eq(rk_http_chunked_decode(&chunked, bytes, &len), 6);
    ck_assert_uint_eq(len, 5);
    ck_assert_mem_eq(bytes, "abcdeGET / ", 11);
}
END_TEST

static ssize_t decode_extra(const char *before, size_t n, const char *after)
{
    char *text = malloc(strlen(before) + n + strlen(after) + 1), *data;
    size_t len;
    ssize_t left;

    strcpy(text, before);
    memset(text + strlen(before), 'x', n);
    strcpy(text + strlen(before) + n, after);
    data = malloc(strlen(text) + 1);
    left = decode(text, strlen(text), 1000, data, &len);
    free(text);
    free(data);
    return left;
}

START_TEST(extensions_and_trailers_are_bounded)
{
    ck_assert_int_eq(decode_extra("1;", 8000, "\r\na\r\n0\r\n\r\n"), 0);
    ck_assert_int_eq(decode_extra("1;", 8200, "\r\na\r\n0\r\n\r\n"), -1);
    ck_assert_int_eq(decode_extra("0\r\nX:", 8000, "\r\n\r\n"), 0);
    ck_assert_int_eq(decode_extra("0\r\nX:", 8200, "\r\n\r\n"), -1);
    ck_assert_int_eq(decode_extra("1;", 1 << 20, ""), -1);
    ck_assert_int_eq(decode_extra("0\r\n", 1 << 20, ""), -1);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_chunked");
    TCase *tcase = tcase_create("chunked");

    tcase_add_test(tcase, every_body_of_the_table);
    tcase_add_test(tcase, the_next_request_follows_the_data);
    tcase_add_test(tcase, extensions_and_trailers_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}

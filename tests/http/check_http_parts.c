/* Parts of values, over a store in memory. */
#include "http_rows.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLY "Sun, 22 Nov 2026 20:04:02 GMT"
#define A     "/v1/kv/a"

/* ---- ranges ---- */

START_TEST(ranges_of_small_values)
{
    static const struct row rows[] = {
        { "PUT " A, "Content-Type: text/x\nRackKV-Expires: 4000000000\nRackKV-Meta-A: 1\n", "0123456789", 201, NULL,
          "" },
        { "GET " A, "Range: bytes=2-4\n", NULL, 206,
          "Content-Range: bytes 2-4/10\nContent-Length: 3\nContent-Type: text/x\nETag: \"1001\"\nRackKV-Meta-A: 1\n"
          "Accept-Ranges: bytes\nCache-Control: no-cache\nRackKV-Expires: 4000000000\nLast-Modified: " ROWS_THEN,
          "234" },
        { "GET " A, "Range: bytes=-3\n", NULL, 206, "Content-Range: bytes 7-9/10", "789" },
        { "GET " A, "Range: bytes=0-\n", NULL, 206, "Content-Range: bytes 0-9/10", "0123456789" },
        { "GET " A, "Range: bytes=10-\n", NULL, 416, "Content-Range: bytes */10\nETag: \"1001\"",
          "range-not-satisfiable" },
        { "GET " A, "Range: bytes=0-1,3-4\n", NULL, 200, "!Content-Range\nContent-Length: 10", "0123456789" },
        { "GET " A, "Range: lines=0-1\n", NULL, 200, "!Content-Range", "0123456789" },
        { "HEAD " A, "Range: bytes=0-1\n", NULL, 200, "!Content-Range\nContent-Length: 10\nAccept-Ranges: bytes",
          NULL },
        { "HEAD " A, "Range: bytes=99-\n", NULL, 200, "Content-Length: 10", NULL },
        { "GET " A, "Range: bytes=2-4\nIf-Range: \"1001\"\n", NULL, 206, NULL, "234" },
        { "GET " A, "Range: bytes=2-4\nIf-Range: \"1000\"\n", NULL, 200, "!Content-Range", "0123456789" },
        { "GET " A, "Range: bytes=2-4\nIf-Range: W/\"1001\"\n", NULL, 200, NULL, "0123456789" },
        { "GET " A, "Range: bytes=2-4\nIf-Range: " ROWS_THEN "\n", NULL, 200, NULL, "0123456789" },
        { "GET " A, "Range: bytes=99-\nIf-Range: \"1\"\n", NULL, 200, NULL, "0123456789" },
        { "GET " A, "Range: bytes=99-\nIf-Range: \"1001\"\n", NULL, 416, NULL, "range-not-satisfiable" },
        { "GET " A, "Range: bytes=2-4\nIf-Range: junk\n", NULL, 400, NULL, "\"header\":\"If-Range\"" },
        { "GET " A, "If-Range: junk\n", NULL, 200, NULL, "0123456789" },
        { "GET " A, "Range: bytes=2-4\nIf-None-Match: \"1001\"\n", NULL, 304, "!Content-Range", "" },
        { "GET " A, "Range: bytes=2-4\nIf-Match: \"1\"\n", NULL, 412, "!Content-Range", "condition-failed" },
        { "GET " A, "Range: bytes=2-4\nIf-Match: \"1001\"\n", NULL, 206, NULL, "234" },
        { "GET /get?key=a", "Range: bytes=2-4\n", NULL, 206, "Cache-Control: no-store", "234" },
        { "GET /v1/kv/none", "Range: bytes=2-4\n", NULL, 404, "!Content-Range", "not-found" },
    };

    CHECK_ROWS(rows);
}
END_TEST

#define LARGE_BYTES (200000u + 1)

static char large_byte(size_t at)
{
    return (char)('a' + at * 7 % 26 - (at / 65536 % 3));
}

/* Of a large value so many pieces are read as the range touches, and its bytes come. */
static void check_large_range(size_t first, size_t last)
{
    struct fake_control *control = bed.server.control;
    uint64_t n_pieces = control->n_pieces;
    struct raw_answer answer;
    char text[200];

    snprintf(text, sizeof text, "GET " A " HTTP/1.1\r\n" HOST "Range: bytes=%zu-%zu\r\n\r\n", first, last);
    answer = bed_ask(text, 206);
    ck_assert_uint_eq(answer.body_len, last - first + 1);
    for (size_t i = 0; i < answer.body_len; i++)
        ck_assert_msg(answer.body[i] == large_byte(first + i), "%zu-%zu: byte %zu", first, last, i);
    ck_assert_uint_eq(control->n_pieces - n_pieces, last / 65536 - first / 65536 + 1);
    raw_answer_fini(&answer);
}

START_TEST(ranges_of_large_values)
{
    static const size_t ranges[][2] = {
        { 0, 0 },
        { 0, 65535 },
        { 0, 65536 },
        { 65535, 65535 },
        { 65535, 65536 },
        { 65536, 65536 },
        { 65536, 131071 },
        { 65537, 131073 },
        { 1, LARGE_BYTES - 1 },
        { 131071, 131072 },
        { 100, 150000 },
        { 196607, LARGE_BYTES - 1 },
        { LARGE_BYTES - 1, LARGE_BYTES - 1 },
    };
    char *value = malloc(LARGE_BYTES + 1);
    struct row put = { "PUT " A, "", value, 201, NULL, "" };

    for (size_t i = 0; i < LARGE_BYTES; i++)
        value[i] = large_byte(i);
    value[LARGE_BYTES] = '\0';
    bed_start();
    check_row(&put);
    for (int delayed = 0; delayed < 2; delayed++) {
        bed.server.control->delay_pieces = delayed != 0;
        for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
            check_large_range(ranges[i][0], ranges[i][1]);
    }
    check_row(&(struct row){ "GET " A, "If-None-Match: *\n", NULL, 304, NULL, "" });
    check_row(&(struct row){ "GET " A, "If-Match: \"1\"\n", NULL, 412, NULL, "condition-failed" });
    check_row(&(struct row){ "GET " A, "Range: bytes=999999-\n", NULL, 416, NULL, "range-not-satisfiable" });
    check_row(&(struct row){ "HEAD " A, "Range: bytes=0-1\n", NULL, 200, "Content-Length: 200001", NULL });
    bed.server.control->piece_error = RK_ERR_CORRUPT;
    bed.server.control->piece_error_at = 65536;
    check_row(&(struct row){ "GET " A, "Range: bytes=0-1\n", NULL, 206, NULL, NULL });
    check_row(&(struct row){ "GET " A, "Range: bytes=65536-65536\n", NULL, 500, "!Content-Range", "damaged-value" });
    bed_stop();
    free(value);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_parts");
    TCase *tcase = tcase_create("one key");

    tcase_add_test(tcase, ranges_of_small_values);
    tcase_add_test(tcase, ranges_of_large_values);
    suite_add_tcase(suite, tcase);
    return suite;
}

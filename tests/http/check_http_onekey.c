/* What is done to one key, and on which conditions, over a store in memory. */
#include "http_rows.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLY "Sun, 22 Nov 2026 20:04:02 GMT"
#define A     "/v1/kv/a"

START_TEST(reads_with_conditions)
{
    static const struct row rows[] = {
        { "GET " A, "If-None-Match: *\n", NULL, 404, "RackKV-Seq: 1000\n!ETag", "not-found" },
        { "GET " A, "If-Match: *\n", NULL, 404, "RackKV-Seq: 1000", "not-found" },
        { "PUT " A, "Cache-Control: max-age=5\n", "v", 201, "ETag: \"1001\"\nRackKV-Seq: 1001", "" },
        { "PUT /v1/kv/b", "", "v", 201, NULL, "" },
        { "GET " A, "If-None-Match: \"1001\"\n", NULL, 304,
          "ETag: \"1001\"\nRackKV-Seq: 1001\nCache-Control: "
          "max-age=5\n!Content-Length\n!Content-Type\n!Transfer-Encoding",
          "" },
        { "HEAD " A, "If-None-Match: \"1001\"\n", NULL, 304, "ETag: \"1001\"", "" },
        { "GET " A, "If-None-Match: W/\"7\"\nIf-None-Match: W/\"1001\"\n", NULL, 304, NULL, "" },
        { "GET " A, "If-None-Match: \"1\"\n", NULL, 200, "ETag: \"1001\"", "v" },
        { "GET " A, "If-Match: \"1\"\n", NULL, 412, "ETag: \"1001\"\nRackKV-Seq: 1002", "condition-failed" },
        { "HEAD " A, "If-Match: \"1\"\n", NULL, 412, "ETag: \"1001\"\nRackKV-Seq: 1002", "" },
        { "GET " A, "If-Match: \"1\", \"1001\"\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-Modified-Since: " ROWS_THEN "\n", NULL, 304, NULL, "" },
        { "GET " A, "If-Modified-Since: " EARLY "\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-Modified-Since: yesterday\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-Unmodified-Since: " EARLY "\n", NULL, 412, NULL, "condition-failed" },
        { "GET " A, "If-Unmodified-Since: " ROWS_THEN "\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-None-Match: x\n", NULL, 400, NULL, "\"header\":\"If-None-Match\"" },
        { "GET " A, "If-Match:\n", NULL, 400, NULL, "\"header\":\"If-Match\"" },
        { "GET " A, "If-Unmodified-Since: x\n", NULL, 400, NULL, "\"header\":\"If-Unmodified-Since\"" },
        { "GET /get?key=a", "If-None-Match: \"1001\"\n", NULL, 304, "Cache-Control: no-store", "" },
        { "GET /get?key=x", "", NULL, 404, "Cache-Control: no-store", "not-found" },
        { "GET " A, "RackKV-TTL: 5\n", NULL, 400, NULL, "\"header\":\"RackKV-TTL\"" },
        { "GET " A, "RackKV-Durability: synced\n", NULL, 400, NULL, "unknown-header" },
        { "GET " A, "Content-Type: x\nCache-Control: no-cache\nContent-Range: x\n", NULL, 200, NULL, "v" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(writes_with_conditions)
{
    static const struct row rows[] = {
        { "PUT " A, "If-Match: *\n", "v", 412, "RackKV-Seq: 1000\n!ETag", "condition-failed" },
        { "PUT " A, "If-None-Match: *\n", "v", 201, "ETag: \"1001\"", "" },
        { "PUT " A, "If-None-Match: *\n", "w", 412, "ETag: \"1001\"\nRackKV-Seq: 1001", "condition-failed" },
        { "POST " A, "If-Match: \"1001\"\n", "w", 204, "ETag: \"1002\"", "" },
        { "GET " A, "", NULL, 200, NULL, "w" },
        { "PUT " A, "If-Match: \"1001\"\n", "x", 412, "ETag: \"1002\"\nRackKV-Seq: 1002", "condition-failed" },
        { "DELETE " A, "If-Match: \"1001\"\n", NULL, 412, "ETag: \"1002\"", "condition-failed" },
        { "POST " A "?op=append", "If-Match: \"1001\"\n", "x", 412, "ETag: \"1002\"", "condition-failed" },
        { "POST " A "?op=touch", "If-Match: \"1001\"\n", "", 412, "ETag: \"1002\"", "condition-failed" },
        { "POST " A "?op=incr", "If-Match: \"1001\"\n", "", 412, "ETag: \"1002\"", "condition-failed" },
        { "PUT " A, "If-Unmodified-Since: " EARLY "\n", "x", 412, "ETag: \"1002\"", "condition-failed" },
        { "PUT " A, "If-Modified-Since: " ROWS_THEN "\n", "x", 204, NULL, "" },
        { "PUT " A, "If-Modified-Since: x\n", "x", 400, NULL, "\"header\":\"If-Modified-Since\"" },
        { "DELETE " A, "If-Match: \"1\" \"2\"\n", NULL, 400, NULL, "bad-condition" },
        { "GET /put?key=a&val=y", "If-Match: \"1002\"\n", NULL, 412, "ETag: \"1003\"\nCache-Control: no-store",
          "condition-failed" },
        { "GET /put?key=a&val=y", "If-Match: \"1003\"\n", NULL, 200, "ETag: \"1004\"", "OK" },
        { "GET /delete?key=a", "If-Match: \"1003\"\n", NULL, 412, "ETag: \"1004\"", "condition-failed" },
        { "DELETE " A, "If-Match: \"1004\"\n", NULL, 204, "RackKV-Seq: 1005\n!ETag", "" },
        { "DELETE " A, "If-Match: *\n", NULL, 404, "RackKV-Seq: 1005\n!ETag", "not-found" },
        { "DELETE " A, "If-None-Match: *\n", NULL, 404, "RackKV-Seq: 1005", "not-found" },
        { "GET /delete?key=a", "If-Match: *\n", NULL, 404, "Cache-Control: no-store", "not-found" },
        { "POST " A "?op=touch", "If-Match: *\n", "", 404, "RackKV-Seq: 1005", "not-found" },
        { "POST " A "?op=append", "If-Match: *\n", "x", 412, "RackKV-Seq: 1005\n!ETag", "condition-failed" },
        { "POST " A "?op=incr", "If-Match: *\n", "", 412, NULL, "condition-failed" },
        { "PUT " A, "Content-Range: bytes 0-0/1\n", "x", 400, NULL, "\"code\":\"content-range\"" },
        { "POST " A "?op=append", "Content-Range: bytes 0-0/1\n", "x", 400, NULL, "content-range" },
        { "PUT " A, "Range: bytes=0-0\nIf-Range: junk\n", "x", 201, NULL, "" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(numbers)
{
    static const struct row rows[] = {
        { "POST " A "?op=incr", "", "", 200, "ETag: \"1001\"\nContent-Type: text/plain", "1" },
        { "POST " A "?op=incr", "", "ignored", 200, NULL, "2" },
        { "POST " A "?op=incr&by=40", "", NULL, 200, "ETag: \"1003\"\nRackKV-Seq: 1003", "42" },
        { "POST " A "?by=-50&op=incr", "", "", 200, NULL, "-8" },
        { "POST " A "?op=incr&by=%2D1", "", "", 200, NULL, "-9" },
        { "POST /v1/kv?op=incr&key=a", "", "", 200, NULL, "-8" },
        { "GET " A, "", NULL, 200, "ETag: \"1006\"", "-8" },
        { "POST " A "?op=incr&by=0", "", "", 200, NULL, "-8" },
        { "POST " A "?op=incr&by=x", "", "", 400, NULL, "\"parameter\":\"by\"" },
        { "POST " A "?op=incr&by=", "", "", 400, NULL, "bad-by" },
        { "POST " A "?op=incr&by=%zz", "", "", 400, NULL, "bad-by" },
        { "POST " A "?op=incr&by=1.5", "", "", 400, NULL, "bad-by" },
        { "POST " A "?op=incr&by=9223372036854775808", "", "", 400, NULL, "bad-by" },
        { "POST " A "?op=incr&by=-9223372036854775808", "", "", 409, "RackKV-Seq: 1007", "number-overflow" },
        { "PUT " A, "", "9223372036854775807", 204, NULL, "" },
        { "POST " A "?op=incr", "", "", 409, NULL, "number-overflow" },
        { "PUT " A, "", "", 204, NULL, "" },
        { "POST " A "?op=incr", "", "", 409, NULL, "not-a-number" },
        { "PUT " A, "", "12 ", 204, NULL, "" },
        { "POST " A "?op=incr", "", "", 409, NULL, "not-a-number" },
        { "POST " A "?op=incr&by=1&by=2", "", "", 400, NULL, "repeated-parameter" },
        { "POST " A "?op=add", "", "", 400, NULL, "unknown-operation" },
        { "POST " A "?op=INCR", "", "", 400, NULL, "unknown-operation" },
        { "POST " A "?op=", "", "", 400, NULL, "unknown-operation" },
        { "POST " A "?op=incr", "RackKV-TTL: 5\n", "", 400, NULL, "\"header\":\"RackKV-TTL\"" },
        { "POST " A "?op=incr", "RackKV-Meta-A: 5\n", "", 400, NULL, "\"header\":\"RackKV-Meta-\"" },
        { "GET " A, "", NULL, 200, NULL, "12 " },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(what_incr_append_and_touch_keep)
{
    static const struct row rows[] = {
        { "PUT " A, "RackKV-Expires: 4000000000\nContent-Type: text/x\nRackKV-Meta-A: 1\n", "7", 201, NULL, "" },
        { "POST " A "?op=incr", "Content-Type: text/other\n", "", 200, NULL, "8" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000000\nContent-Type: text/x\nRackKV-Meta-A: 1", "8" },
        { "POST " A "?op=append", "Content-Type: text/other\n", "9", 200, "ETag: \"1003\"", "" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000000\nContent-Type: text/x\nRackKV-Meta-A: 1", "89" },
        { "POST " A "?op=touch&expires=4000000001", "", "", 204, "ETag: \"1004\"\n!Content-Length", "" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000001\nContent-Type: text/x\nRackKV-Meta-A: 1", "89" },
        { "POST " A "?op=touch", "", "ignored", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "!RackKV-Expires\nContent-Type: text/x\nRackKV-Meta-A: 1", "89" },
        { "POST " A "?op=touch", "RackKV-Expires: 4000000002\n", "", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000002", "89" },
        { "PUT " A, "", "v", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "!RackKV-Expires\n!RackKV-Meta-A\nContent-Type: application/octet-stream", "v" },
        { "POST /v1/kv/new?op=append", "", "v", 201, "RackKV-Seq: 1008", "" },
        { "POST /v1/kv/none?op=touch&ttl=5", "", "", 404, "RackKV-Seq: 1008", "not-found" },
        { "POST /v1/kv/new?op=append", "RackKV-Meta-A: 1\n", "v", 400, NULL, "unknown-header" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(an_append_that_is_too_large)
{
    size_t half = (1u << 20) + 1;
    char *value = malloc(half + 1);
    struct row rows[] = {
        { "PUT " A, "", value, 201, NULL, "" },
        { "POST " A "?op=append", "", value, 413, NULL, "\"limit\":2097152" },
        { "GET " A, "", NULL, 200, "ETag: \"1001\"\nContent-Length: 1048577", NULL },
        { "POST " A "?op=append", "", "x", 200, NULL, "" },
    };

    memset(value, 'v', half);
    value[half] = '\0';
    CHECK_ROWS(rows);
    free(value);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_onekey");
    TCase *tcase = tcase_create("one key");

    tcase_add_test(tcase, reads_with_conditions);
    tcase_add_test(tcase, writes_with_conditions);
    tcase_add_test(tcase, numbers);
    tcase_add_test(tcase, what_incr_append_and_touch_keep);
    tcase_add_test(tcase, an_append_that_is_too_large);
    suite_add_tcase(suite, tcase);
    return suite;
}

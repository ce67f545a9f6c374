/* Listings over HTTP, over a store in memory: what may be asked for, pages, streams, and clients that leave. */
#include "http_rows.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KV     "/v1/kv"
#define STREAM "Accept: application/x-ndjson\n"

#define ROW_A "{\"key\":\"a\",\"size\":2,\"etag\":\"\\\"1001\\\"\",\"seq\":1001,\"expires\":null"
#define ROW_B "{\"key\":\"b/1\",\"size\":1,\"etag\":\"\\\"1002\\\"\",\"seq\":1002,\"expires\":4000000000"
#define ROW_C "{\"key64\":\"/w==\",\"size\":3,\"etag\":\"\\\"1003\\\"\",\"seq\":1003,\"expires\":null"

#define PUT_ALL                                                                                                      \
    { "PUT " KV "/a", "Content-Type: text/\"x\"\nRackKV-Meta-Own: 1\nrackkv-meta-own: 2\n", "\"\n", 201, NULL, "" }, \
        { "PUT " KV "/b%2F1", "RackKV-Expires: 4000000000\nContent-Language: de\n", "1", 201, NULL, "" },            \
    {                                                                                                                \
        "PUT " KV "/%ff", "",                                                                                        \
            "a\xff"                                                                                                  \
            "b",                                                                                                     \
            201, NULL, ""                                                                                            \
    }

START_TEST(pages)
{
    static const struct row rows[] = {
        { "GET " KV, "", NULL, 200,
          "Content-Type: application/json\nContent-Length: 53\nCache-Control: no-store\nVary: Accept\nRackKV-Seq: 1000",
          "{\"keys\":[],\"prefixes\":[],\"complete\":true,\"after\":\"\"}\n" },
        PUT_ALL,
        { "GET " KV, "", NULL, 200, "RackKV-Seq: 1003",
          "{\"keys\":[" ROW_A "}," ROW_B "}," ROW_C "}],\"prefixes\":[],\"complete\":true,\"after64\":\"/w==\"}\n" },
        { "GET " KV "?limit=1", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_A "}],\"prefixes\":[],\"complete\":false,\"after\":\"a\"}\n" },
        { "GET " KV "?limit=1&after=a", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_B "}],\"prefixes\":[],\"complete\":false,\"after\":\"b/1\"}\n" },
        { "GET " KV "?limit=1&after=b%2F1", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_C "}],\"prefixes\":[],\"complete\":true,\"after64\":\"/w==\"}\n" },
        { "GET " KV "?after64=/w==", "", NULL, 200, NULL,
          "{\"keys\":[],\"prefixes\":[],\"complete\":true,\"after64\":\"/w==\"}\n" },
        { "GET " KV "?after=&prefix=&values=0&limit=99999999999999999999", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_A "}," ROW_B "}," ROW_C "}],\"prefixes\":[],\"complete\":true,\"after64\":\"/w==\"}\n" },
        { "GET " KV "?prefix=b", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_B "}],\"prefixes\":[],\"complete\":true,\"after\":\"b/1\"}\n" },
        { "GET " KV "?prefix64=%2Fw%3D%3D", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_C "}],\"prefixes\":[],\"complete\":true,\"after64\":\"/w==\"}\n" },
        { "GET " KV "?delimiter=/", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_A "}," ROW_C "}],\"prefixes\":[\"b/\"],\"complete\":true,\"after64\":\"/w==\"}\n" },
        { "GET " KV "?delimiter=/&limit=2", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_A "}],\"prefixes\":[\"b/\"],\"complete\":false,\"after\":\"b/\"}\n" },
        { "GET " KV "?delimiter=%ff", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_A "}," ROW_B "}],\"prefixes\":[],\"prefixes64\":[\"/w==\"],\"complete\":true,"
          "\"after64\":\"/w==\"}\n" },
        { "GET " KV "?values=1&limit=1", "", NULL, 200, NULL,
          "{\"keys\":[" ROW_A
          ",\"content_type\":\"text/\\\"x\\\"\",\"meta\":{\"Own\":\"1, 2\"},\"value\":\"\\\"\\u000a\"}"
          "],\"prefixes\":[],\"complete\":false,\"after\":\"a\"}\n" },
        { "HEAD " KV "?values=1", "", NULL, 200, "Content-Type: application/json\n!Content-Length", NULL },
        { "HEAD " KV, STREAM, NULL, 200, "Content-Type: application/x-ndjson", NULL },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(streams)
{
    static const struct row rows[] = {
        { "GET " KV, STREAM, NULL, 200, "Content-Type: application/x-ndjson\nRackKV-Seq: 1000",
          "{\"complete\":true}\n" },
        PUT_ALL,
        { "GET " KV "?limit=1", STREAM, NULL, 200, "Content-Type: application/x-ndjson\nVary: Accept",
          ROW_A "}\n" ROW_B "}\n" ROW_C "}\n{\"complete\":true}\n" },
        { "GET " KV "?delimiter=/&after=a", STREAM, NULL, 200, NULL,
          "{\"prefix\":\"b/\"}\n" ROW_C "}\n{\"complete\":true}\n" },
        { "GET " KV "?delimiter=%ff&after=b", STREAM, NULL, 200, NULL,
          ROW_B "}\n{\"prefix64\":\"/w==\"}\n{\"complete\":true}\n" },
        { "GET " KV "?values=1&after=a", STREAM, NULL, 200, NULL,
          ROW_B ",\"content_language\":\"de\",\"value\":\"1\"}\n" ROW_C
                ",\"value64\":\"Yf9i\"}\n{\"complete\":true}\n" },
        /* the form that is wanted most; a page when it is all the same */
        { "GET " KV "?limit=1", "Accept: application/json, application/x-ndjson\n", NULL, 200,
          "Content-Type: application/json", NULL },
        { "GET " KV "?limit=1", "Accept: application/json;q=0.5\nAccept: application/x-ndjson;q=0.6\n", NULL, 200,
          "Content-Type: application/x-ndjson", NULL },
        { "GET " KV "?limit=1", "Accept: application/x-ndjson;q=0, */*\n", NULL, 200, "Content-Type: application/json",
          NULL },
        { "GET " KV "?limit=1", "Accept: text/html\n", NULL, 200, "Content-Type: application/json", NULL },
    };

    CHECK_ROWS(rows);
}
END_TEST

/* Each is refused by its name, and a key is asked for as before. */
START_TEST(what_is_wrong_is_named)
{
    static const struct row rows[] = {
        { "GET " KV "?limit=0", "", NULL, 400, NULL, "bad-limit" },
        { "GET " KV "?limit=-1", "", NULL, 400, NULL, "\"parameter\":\"limit\"" },
        { "GET " KV "?limit=", "", NULL, 400, NULL, "bad-limit" },
        { "GET " KV "?limit=1x", STREAM, NULL, 400, NULL, "bad-limit" },
        { "GET " KV "?limit=+1", "", NULL, 400, NULL, "bad-limit" },
        { "GET " KV "?delimiter=", "", NULL, 400, NULL, "\"parameter\":\"delimiter\"" },
        { "GET " KV "?values=yes", "", NULL, 400, NULL, "\"parameter\":\"values\"" },
        { "GET " KV "?values=", "", NULL, 400, NULL, "bad-values" },
        { "GET " KV "?prefix=%zz", "", NULL, 400, NULL, "\"parameter\":\"prefix\"" },
        { "GET " KV "?after=%2", "", NULL, 400, NULL, "bad-escape" },
        { "GET " KV "?prefix64=a", "", NULL, 400, NULL, "\"parameter\":\"prefix64\"" },
        { "GET " KV "?after64=/w=", "", NULL, 400, NULL, "bad-base64" },
        { "GET " KV "?after64=/x==", "", NULL, 400, NULL, "bad-base64" },
        { "GET " KV "?after64=/w%20=", "", NULL, 400, NULL, "\"parameter\":\"after64\"" },
        { "GET " KV "?after=a&after64=YQ==", "", NULL, 400, NULL, "\"parameter\":\"after64\"" },
        { "GET " KV "?prefix=a&prefix64=YQ==", "", NULL, 400, NULL, "repeated-parameter" },
        { "GET " KV "?limit=1&limit=1", "", NULL, 400, NULL, "repeated-parameter" },
        { "GET " KV "?prefixes=a", "", NULL, 400, NULL, "\"parameter\":\"prefixes\"" },
        { "GET " KV "?Limit=1", "", NULL, 400, NULL, "\"parameter\":\"Limit\"" },
        { "GET " KV "?key=a&prefix=a", "", NULL, 400, NULL, "\"parameter\":\"prefix\"" },
        { "GET " KV "/a?limit=1", "", NULL, 400, NULL, "\"parameter\":\"limit\"" },
        { "GET " KV "?ttl=1", "", NULL, 400, NULL, "\"parameter\":\"ttl\"" },
        { "GET " KV, "RackKV-TTL: 1\n", NULL, 400, NULL, "unknown-header" },
        { "GET " KV "/", "", NULL, 400, NULL, "empty-key" },
        { "GET " KV "?key=", "", NULL, 400, NULL, "empty-key" },
        { "PUT " KV "?prefix=a", "", "x", 400, NULL, "\"parameter\":\"prefix\"" },
        { "PUT " KV, "", "x", 400, NULL, "missing-key" },
        { "DELETE " KV, "", NULL, 400, NULL, "missing-key" },
        { "GET " KV "?key=none", "", NULL, 404, NULL, "not-found" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(a_key_that_is_too_long)
{
    char text[5000];
    char *at = text + sprintf(text, "GET " KV "?after=");

    memset(at, 'a', 4097);
    strcpy(at + 4097, " HTTP/1.1\r\n" HOST "\r\n");
    bed_start();
    bed_expect_code(text, 414, "key-too-long");
    at[4096] = ' ';
    strcpy(at + 4096, " HTTP/1.1\r\n" HOST "\r\n");
    bed_expect(text, 200, NULL);
    bed_stop();
}
END_TEST

static void put_many(unsigned n)
{
    char text[200];

    for (unsigned i = 0; i < n; i++) {
        struct raw_answer answer;

        snprintf(text, sizeof text, "PUT /v1/kv/k%05u HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", i);
        answer = bed_ask(text, 201);
        raw_answer_fini(&answer);
    }
}

/* The text of a chunked body that comes until the connection has no more of it. */
static char *read_chunks(struct raw_client *client, const char *text, bool *is_whole_out)
{
    size_t len = 0, room = 1 << 22;
    char *bytes = malloc(room + 1), *to = bytes, *from;
    ssize_t n;

    ck_assert(raw_client_send_text(client, text));
    while ((n = read(client->fd, bytes + len, room - len)) > 0)
        len += (size_t)n;
    bytes[len] = '\0';
    from = strstr(bytes, "\r\n\r\n");
    ck_assert_ptr_ne(from, NULL);
    *from = '\0';
    ck_assert_ptr_ne(strcasestr(bytes, "transfer-encoding: chunked"), NULL);
    from += 4;
    *is_whole_out = false;
    while (from < bytes + len) {
        size_t size = strtoul(from, &from, 16);

        *is_whole_out = size == 0;
        if (size == 0)
            break;
        memmove(to, from + 2, size);
        to += size;
        from += 2 + size + 2;
    }
    *to = '\0';
    return bytes;
}

#define GET_STREAM "GET /v1/kv HTTP/1.1\r\n" HOST "Accept: application/x-ndjson\r\nConnection: close\r\n\r\n"

static unsigned count(const char *text, const char *part)
{
    unsigned n = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

/* In slices of a few entries each, the body is what it is in one. */
START_TEST(many_slices)
{
    struct raw_answer answer;
    bool is_whole;
    char *body;

    bed_start();
    put_many(100);
    bed.server.control->slice_entries = 7;
    body = read_chunks(&bed.client, GET_STREAM, &is_whole);
    ck_assert(is_whole);
    ck_assert_uint_eq(count(body, "{\"key\":\"k"), 100);
    ck_assert_uint_eq(count(body, "\n"), 101);
    ck_assert_uint_ge(bed.server.control->n_slices, 15);
    free(body);
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    answer = bed_ask("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 200); /* it is short enough to have a length */
    ck_assert_uint_eq(count(answer.body, "{\"key\":\"k"), 100);
    ck_assert_uint_eq(count(answer.body, "\"complete\":true,\"after\":\"k00099\""), 1);
    raw_answer_fini(&answer);
    bed_stop();
}
END_TEST

/* What fails before the first byte has a status; later the stream is cut, and does not say that it is complete. */
START_TEST(failures)
{
    bool is_whole;
    char *body;

    bed_start();
    put_many(100);
    bed.server.control->slice_entries = 7;
    bed.server.control->slice_error = RK_ERR_CORRUPT;
    bed_expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 500, "damaged-value");
    bed.server.control->slice_error = RK_ERR_IO;
    bed_expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "Accept: application/x-ndjson\r\n\r\n", 500, "read-error");
    bed.server.control->slice_error = RK_ERR_LIMIT;
    bed_expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 503, "busy");
    bed.server.control->slice_error_at = 3;
    body = read_chunks(&bed.client, GET_STREAM, &is_whole);
    ck_assert(!is_whole);
    ck_assert_uint_eq(count(body, "{\"key\":\"k"), 21);
    ck_assert_uint_eq(count(body, "complete"), 0);
    free(body);
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    bed.server.control->list_error = RK_ERR_BUSY;
    bed_expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 503, "not-ready");
    bed_expect("HEAD /v1/kv HTTP/1.1\r\n" HOST "\r\n", 503, NULL);
    bed.server.control->list_error = RK_ERR_FULL;
    bed_expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 503, "busy");
    bed_stop();
}
END_TEST

/* A page that was worked for too long says so, and where to go on. */
START_TEST(a_late_page)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_answer answer;

    settings.list_time_ms = 0;
    bed_start_with(&settings);
    put_many(100);
    bed.server.control->slice_entries = 7;
    answer = bed_ask("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 200);
    ck_assert_uint_eq(count(answer.body, "{\"key\":\"k"), 7);
    ck_assert_uint_eq(count(answer.body, "\"complete\":false,\"after\":\"k00006\""), 1);
    raw_answer_fini(&answer);
    bed_stop();
}
END_TEST

/* A client that has gone, and one that does not come to its answer in time, end their listing. */
START_TEST(listings_end)
{
    struct rk_http_settings settings = fake_settings();
    struct raw_client other;

    settings.request_timeout_ms = 300;
    bed_start_with(&settings);
    put_many(3);
    bed.server.control->hold = true;
    raw_client_open(&other, bed.server.port);
    ck_assert(raw_client_send_text(&other, GET_STREAM));
    fake_wait_for(&bed.server.control->n_listings, 1);
    raw_client_close(&other);
    fake_wait_for(&bed.server.control->n_ended, 1);
    bed_expect_code("GET /v1/kv HTTP/1.1\r\n" HOST "\r\n", 503, "timeout");
    fake_wait_for(&bed.server.control->n_ended, 2);
    bed_stop();
}
END_TEST

/* Who does not read has no slices made: a few fill the buffers of the kernel, and then there is rest. */
START_TEST(who_does_not_read_makes_no_work)
{
    static char value[60000];
    char text[200];
    uint64_t n_slices = 0, n_before;
    struct raw_answer answer;
    struct raw_client other;

    memset(value, 'x', sizeof value);
    bed_start();
    for (unsigned i = 0; i < 400; i++) {
        snprintf(text, sizeof text, "PUT /v1/kv/k%05u HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", i,
                 sizeof value);
        ck_assert(raw_client_send_text(&bed.client, text));
        ck_assert(raw_client_send(&bed.client, value, sizeof value));
        ck_assert(raw_client_receive(&bed.client, false, &answer));
        raw_answer_fini(&answer);
    }
    raw_client_open(&other, bed.server.port);
    ck_assert(
        raw_client_send_text(&other, "GET /v1/kv?values=1 HTTP/1.1\r\n" HOST "Accept: application/x-ndjson\r\n\r\n"));
    do {
        n_before = n_slices;
        (void)usleep(100000); /* the time in which nothing happens any more */
        n_slices = bed.server.control->n_slices;
    } while (n_slices == 0 || n_slices != n_before);
    ck_assert_uint_lt(n_slices, 180);
    bed_expect("GET /v1/kv/k00001 HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
    raw_client_close(&other);
    fake_wait_for(&bed.server.control->n_ended, 1);
    bed_stop();
}
END_TEST

/* A large value comes in pieces, as base64, whatever its length leaves over. */
START_TEST(large_values)
{
    static char value[200002];

    memset(value, 'a', sizeof value); /* three of them are "YWFh" */
    bed_start();
    for (size_t len = 199999; len < 200002; len++) {
        char text[200];
        struct raw_answer answer;
        const char *at;
        bool is_whole;
        char *body;
        size_t n;

        snprintf(text, sizeof text, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", len);
        ck_assert(raw_client_send_text(&bed.client, text));
        ck_assert(raw_client_send(&bed.client, value, len));
        ck_assert(raw_client_receive(&bed.client, false, &answer));
        raw_answer_fini(&answer);
        bed.server.control->slice_entries = 1;
        body = read_chunks(&bed.client, "GET /v1/kv?values=1 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", &is_whole);
        ck_assert(is_whole);
        at = strstr(body, "\"value64\":\"");
        ck_assert_ptr_ne(at, NULL);
        at += strlen("\"value64\":\"");
        for (n = 0; n < len / 3; n++)
            ck_assert(memcmp(at + 4 * n, "YWFh", 4) == 0);
        at += 4 * n;
        ck_assert_int_eq(strncmp(at, len % 3 == 0 ? "\"}]" : len % 3 == 1 ? "YQ==\"}]" : "YWE=\"}]", 3), 0);
        free(body);
        raw_client_close(&bed.client);
        raw_client_open(&bed.client, bed.server.port);
    }
    bed_stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_list");
    TCase *tcase = tcase_create("listings");

    tcase_add_test(tcase, pages);
    tcase_add_test(tcase, streams);
    tcase_add_test(tcase, what_is_wrong_is_named);
    tcase_add_test(tcase, a_key_that_is_too_long);
    tcase_add_test(tcase, many_slices);
    tcase_add_test(tcase, failures);
    tcase_add_test(tcase, a_late_page);
    tcase_add_test(tcase, listings_end);
    tcase_add_test(tcase, who_does_not_read_makes_no_work);
    tcase_add_test(tcase, large_values);
    suite_add_tcase(suite, tcase);
    return suite;
}

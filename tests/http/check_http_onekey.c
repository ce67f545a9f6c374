/* Requests on one key, over a store in memory: each test is a table of requests in a row, and what each is answered
 * with. A refusal before a body ends its connection, so each request has its own. The first write has the sequence
 * 1001; what is written was written on Sun, 22 Nov 2026 20:04:03 GMT. */
#include "http_bed.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THEN  "Sun, 22 Nov 2026 20:04:03 GMT"
#define EARLY "Sun, 22 Nov 2026 20:04:02 GMT"

struct row {
    const char *first;  /* method and target */
    const char *fields; /* lines, each with its "\n" */
    const char *body;   /* NULL: none, and no Content-Length */
    int status;
    const char *has;    /* header lines of the answer, with "\n" between them; "!Name": it has none of that name */
    const char *answer; /* the body, or a part of it when it is a problem; NULL: whatever it is */
};

static char *format_request(const struct row *row)
{
    char *text = malloc(4096 + (row->body != NULL ? strlen(row->body) : 0));
    char *at = text + sprintf(text, "%s HTTP/1.1\r\n" HOST, row->first);

    for (const char *field = row->fields; *field != '\0'; field = strchr(field, '\n') + 1)
        at += sprintf(at, "%.*s\r\n", (int)(strchr(field, '\n') - field), field);
    if (row->body != NULL)
        at += sprintf(at, "Content-Length: %zu\r\n", strlen(row->body));
    sprintf(at, "\r\n%s", row->body != NULL ? row->body : "");
    return text;
}

static void check_headers(const struct row *row, const struct raw_answer *answer)
{
    char *lines = strdup(row->has != NULL ? row->has : ""), *rest = lines, *line;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        bool good = *line == '!' ? !raw_answer_has_name(answer, line + 1) : raw_answer_has(answer, line);

        ck_assert_msg(good, "%s\n%s-> '%s' expected in\n%s", row->first, row->fields, line, answer->head);
    }
    free(lines);
}

static void check_row(const struct row *row)
{
    struct raw_answer answer;
    char *text = format_request(row);

    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    ck_assert(raw_client_send_text(&bed.client, text));
    ck_assert_msg(raw_client_receive(&bed.client, strncmp(row->first, "HEAD", 4) == 0, &answer), "%s", text);
    ck_assert_msg(answer.status == row->status, "%s-> %s%s", text, answer.head, answer.body);
    check_headers(row, &answer);
    if (row->answer != NULL && row->status >= 400)
        ck_assert_msg(strstr(answer.body, row->answer) != NULL, "%s-> %s", text, answer.body);
    else if (row->answer != NULL)
        ck_assert_msg(strcmp(answer.body, row->answer) == 0, "%s-> %s", text, answer.body);
    raw_answer_fini(&answer);
    free(text);
}

static void check_rows(const struct row *rows, size_t n_rows)
{
    bed_start();
    for (size_t i = 0; i < n_rows; i++)
        check_row(&rows[i]);
    bed_stop();
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

#define A "/v1/kv/a"

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
        { "GET " A, "If-Modified-Since: " THEN "\n", NULL, 304, NULL, "" },
        { "GET " A, "If-Modified-Since: " EARLY "\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-Modified-Since: yesterday\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-Unmodified-Since: " EARLY "\n", NULL, 412, NULL, "condition-failed" },
        { "GET " A, "If-Unmodified-Since: " THEN "\n", NULL, 200, NULL, "v" },
        { "GET " A, "If-None-Match: x\n", NULL, 400, NULL, "\"header\":\"If-None-Match\"" },
        { "GET " A, "If-Match:\n", NULL, 400, NULL, "\"header\":\"If-Match\"" },
        { "GET " A, "If-Unmodified-Since: x\n", NULL, 400, NULL, "\"header\":\"If-Unmodified-Since\"" },
        { "GET /get?key=a", "If-None-Match: \"1001\"\n", NULL, 304, "Cache-Control: no-store", "" },
        { "GET /get?key=x", "", NULL, 404, "Cache-Control: no-store", "not-found" },
        { "GET " A, "RackKV-TTL: 5\n", NULL, 400, NULL, "\"header\":\"RackKV-TTL\"" },
        { "GET " A, "RackKV-Durability: synced\n", NULL, 400, NULL, "unknown-header" },
        { "GET " A, "Content-Type: x\nCache-Control: no-cache\nContent-Range: x\n", NULL, 200, NULL, "v" },
    };

    CHECK(rows);
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
        { "PUT " A, "If-Modified-Since: " THEN "\n", "x", 204, NULL, "" },
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

    CHECK(rows);
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

    CHECK(rows);
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

    CHECK(rows);
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
    CHECK(rows);
    free(value);
}
END_TEST

START_TEST(times)
{
    static const struct row rows[] = {
        { "PUT " A "?expires=4000000000", "", "v", 201, NULL, "" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000000", "v" },
        { "HEAD " A, "", NULL, 200, "RackKV-Expires: 4000000000", NULL },
        { "POST " A, "RackKV-Expires: 4000000001\n", "w", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000001", "w" },
        { "GET /put?key=a&val=x&expires=4000000002", "", NULL, 200, NULL, "OK" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000002", "x" },
        { "PUT " A "?expires=%34000000003", "If-Match: *\n", "v", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000003", "v" },
        { "PUT " A "?ttl=0", "", "v", 400, NULL, "\"parameter\":\"ttl\"" },
        { "PUT " A "?ttl=-1", "", "v", 400, NULL, "bad-ttl" },
        { "PUT " A "?ttl=", "", "v", 400, NULL, "bad-ttl" },
        { "PUT " A "?ttl", "", "v", 400, NULL, "bad-ttl" },
        { "PUT " A "?ttl=18446744073709551617", "", "v", 400, NULL, "bad-ttl" },
        { "PUT " A "?ttl=5&ttl=5", "", "v", 400, NULL, "repeated-parameter" },
        { "PUT " A "?ttl=5", "RackKV-TTL: 5\n", "v", 400, NULL, "repeated-parameter" },
        { "PUT " A, "RackKV-TTL: 5\nRackKV-TTL: 5\n", "v", 400, NULL, "repeated-header" },
        { "PUT " A, "RackKV-TTL: 5,\n", "v", 400, NULL, "\"header\":\"RackKV-TTL\"" },
        { "PUT " A, "RackKV-TTL:\n", "v", 400, NULL, "bad-ttl" },
        { "PUT " A, "RackKV-Expires: -1\n", "v", 400, NULL, "\"header\":\"RackKV-Expires\"" },
        { "PUT " A, "RackKV-TTL: 5\nRackKV-Expires: x\n", "v", 400, NULL, "bad-expires" },
        { "GET /put?key=a&val=b&ttl=x", "", NULL, 400, "Cache-Control: no-store", "bad-ttl" },
        { "POST " A "?op=touch&ttl=x", "", "", 400, NULL, "bad-ttl" },
        { "POST " A "?op=append&ttl=5", "", "x", 400, NULL, "\"parameter\":\"ttl\"" },
        { "GET " A, "", NULL, 200, "RackKV-Expires: 4000000003", "v" },
        { "PUT " A, "", "v", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "!RackKV-Expires", "v" },
    };

    CHECK(rows);
}
END_TEST

/* The header says the first second at which the value is surely gone. */
static uint64_t expires_of(const char *put, uint64_t before_s)
{
    struct row row = { put, "", "v", 0, NULL, NULL };
    struct raw_answer answer;
    char *text, *line;
    uint64_t expires;

    row.status = before_s == 0 ? 201 : 204;
    check_row(&row);
    text = format_request(&(struct row){ "GET " A, "", NULL, 200, NULL, NULL });
    raw_client_exchange(&bed.client, text, &answer);
    line = strstr(answer.head, "RackKV-Expires: ");
    ck_assert_ptr_nonnull(line);
    expires = strtoull(line + strlen("RackKV-Expires: "), NULL, 10);
    raw_answer_fini(&answer);
    free(text);
    return expires;
}

START_TEST(times_to_live_begin_now)
{
    static const struct {
        const char *put;
        uint64_t seconds;
    } rows[] = {
        { "PUT " A "?ttl=60", 60 },
        { "PUT " A "?ttl=10m", 600 },
        { "PUT " A "?ttl=2d", 2 * 86400 },
        { "PUT " A "?ttl=1001ms", 2 },
        { "PUT " A "?ttl=60&expires=4000000000", 60 },
        { "POST " A "?op=touch&ttl=2h", 7200 },
    };

    bed_start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before_s = (uint64_t)time(NULL);
        uint64_t expires = expires_of(rows[i].put, i);

        ck_assert_msg(expires >= before_s + rows[i].seconds && expires <= (uint64_t)time(NULL) + rows[i].seconds + 1,
                      "%s: %llu", rows[i].put, (unsigned long long)expires);
    }
    bed_stop();
}
END_TEST

START_TEST(metadata)
{
    static const struct row rows[] = {
        { "PUT " A,
          "Content-Type: text/html\nContent-Encoding: gzip\nCache-Control: public\nCache-Control: max-age=60\n"
          "Content-Disposition: attachment\nContent-Language: pl, en\nRackKV-Meta-Owner: me\nrackkv-meta-lower: l\n"
          "RACKKV-META-UPPER:  U U\t\nRackKV-Meta-Empty:\nX-Other: 1\n",
          "v", 201, NULL, "" },
        { "GET " A, "", NULL, 200,
          "Content-Type: text/html\nContent-Encoding: gzip\nCache-Control: public, max-age=60\n"
          "Content-Disposition: attachment\nContent-Language: pl, en\nRackKV-Meta-Owner: me\nrackkv-meta-lower: l\n"
          "RACKKV-META-UPPER: U U\nRackKV-Meta-Empty: \n!X-Other",
          "v" },
        { "HEAD " A, "", NULL, 200, "Cache-Control: public, max-age=60\nrackkv-meta-lower: l\nContent-Length: 1",
          NULL },
        { "GET /get?key=a", "", NULL, 200, "Cache-Control: no-store\nRackKV-Meta-Owner: me", "v" },
        { "GET " A, "If-None-Match: *\n", NULL, 304, "Cache-Control: public, max-age=60\n!RackKV-Meta-Owner", "" },
        { "PUT " A, "RackKV-Meta-New: n\n", "w", 204, NULL, "" },
        { "GET " A, "", NULL, 200,
          "RackKV-Meta-New: n\nContent-Type: application/octet-stream\nCache-Control: no-cache\n!Content-Encoding\n"
          "!Content-Disposition\n!Content-Language\n!RackKV-Meta-Owner",
          "w" },
        { "PUT " A, "If-Match: *\nRackKV-Meta-B: b\n", "x", 204, NULL, "" },
        { "GET " A, "", NULL, 200, "RackKV-Meta-B: b\n!RackKV-Meta-New", "x" },
        { "GET /put?key=a&val=y", "Content-Type: text/x\n", NULL, 200, NULL, "OK" },
        { "GET " A, "", NULL, 200, "Content-Type: application/octet-stream\n!RackKV-Meta-B", "y" },
        { "GET /put?key=a&val=z", "RackKV-Meta-A: 1\n", NULL, 400, NULL, "unknown-header" },
        { "PUT " A, "Content-Type: a\nContent-Type: b\n", "z", 400, NULL, "\"header\":\"Content-Type\"" },
        { "PUT " A, "RackKV-Meta-: x\n", "z", 400, NULL, "bad-metadata" },
        { "PUT " A, "RackKV-Meta-A: 1\nRackKV-Foo: 1\n", "z", 400, NULL, "\"header\":\"RackKV-Foo\"" },
        { "GET " A, "", NULL, 200, NULL, "y" },
    };

    CHECK(rows);
}
END_TEST

START_TEST(metadata_over_its_limit)
{
    char fields[3][3000];

    bed_start();
    for (int i = 0; i < 3; i++) {
        struct row row = { "PUT " A, fields[i], "v", i == 0 ? 201 : 400, NULL, i == 0 ? "" : "\"limit\":2048" };

        snprintf(fields[i], sizeof fields[i], "%s: %0*d\n", i < 2 ? "RackKV-Meta-A" : "Content-Language",
                 i == 0   ? 2047
                 : i == 1 ? 2048
                          : 2049,
                 0);
        check_row(&row);
    }
    ck_assert_uint_eq(bed.server.control->n_puts, 1);
    bed_stop();
}
END_TEST

START_TEST(durability_is_asked_for_and_told)
{
    static const struct row rows[] = {
        { "PUT " A, "RackKV-Durability: written\n", "1", 201, "RackKV-Durability: written", "" },
        { "PUT " A, "RackKV-Durability: synced\n", "1", 204, "RackKV-Durability: synced", "" },
        { "POST " A "?op=incr", "RackKV-Durability: written\n", "", 200, "RackKV-Durability: written", "2" },
        { "POST " A "?op=incr", "RackKV-Durability: synced\n", "", 200, "RackKV-Durability: synced", "3" },
        { "PUT " A, "If-Match: *\nRackKV-Durability: synced\n", "1", 204, "RackKV-Durability: synced", "" },
        { "GET /put?key=a&val=1", "RackKV-Durability: written\n", NULL, 200, "RackKV-Durability: written", "OK" },
        { "DELETE " A, "RackKV-Durability: synced\n", NULL, 204, "RackKV-Durability: synced", "" },
        { "PUT " A, "RackKV-Durability: maybe\n", "1", 400, NULL, "\"header\":\"RackKV-Durability\"" },
        { "PUT " A, "RackKV-Durability: synced\nRackKV-Durability: synced\n", "1", 400, NULL, "repeated-header" },
        { "PUT " A, "", "1", 201, "!RackKV-Durability", "" },
    };

    bed_start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int asked = strstr(rows[i].fields, "written") != NULL  ? RK_STORE_WRITTEN
                    : strstr(rows[i].fields, "synced") != NULL ? RK_STORE_SYNCED
                                                               : RK_STORE_AS_CONFIGURED;

        check_row(&rows[i]);
        if (rows[i].status < 400)
            ck_assert_msg(bed.server.control->last_durability == asked, "%s\n%s", rows[i].first, rows[i].fields);
    }
    bed.server.control->all_synced = true; /* what was done is told, and not what was asked for */
    check_row(&(struct row){ "PUT " A, "RackKV-Durability: written\n", "1", 204, "RackKV-Durability: synced", "" });
    check_row(&(struct row){ "POST " A "?op=incr", "RackKV-Durability: written\n", "", 200, "RackKV-Durability: synced",
                             "2" });
    bed_stop();
}
END_TEST

/* ---- ranges ---- */

START_TEST(ranges_of_small_values)
{
    static const struct row rows[] = {
        { "PUT " A, "Content-Type: text/x\nRackKV-Expires: 4000000000\nRackKV-Meta-A: 1\n", "0123456789", 201, NULL,
          "" },
        { "GET " A, "Range: bytes=2-4\n", NULL, 206,
          "Content-Range: bytes 2-4/10\nContent-Length: 3\nContent-Type: text/x\nETag: \"1001\"\nRackKV-Meta-A: 1\n"
          "Accept-Ranges: bytes\nCache-Control: no-cache\nRackKV-Expires: 4000000000\nLast-Modified: " THEN,
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
        { "GET " A, "Range: bytes=2-4\nIf-Range: " THEN "\n", NULL, 200, NULL, "0123456789" },
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

    CHECK(rows);
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

/* ---- what the store decides, and when ---- */

START_TEST(the_last_decision_counts)
{
    bed_start();
    check_row(&(struct row){ "PUT " A, "", "7", 201, NULL, "" });
    bed.server.control->decide_twice = true;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 200, NULL, "8" });
    check_row(&(struct row){ "POST " A "?op=append", "", "9", 200, NULL, "" });
    check_row(&(struct row){ "PUT " A, "If-Match: \"1003\"\n", "x", 204, "ETag: \"1004\"", "" });
    check_row(&(struct row){ "PUT " A, "If-None-Match: *\n", "y", 412, "ETag: \"1004\"", "condition-failed" });
    check_row(&(struct row){ "GET " A, "", NULL, 200, NULL, "x" });
    bed_stop();
}
END_TEST

/* An increment that has no record of its own has no tag. With a condition there is nothing to fold upon. */
START_TEST(folded_increments_have_no_tag)
{
    bed_start();
    check_row(&(struct row){ "PUT " A, "", "7", 201, NULL, "" });
    bed.server.control->fold = true;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 200, "!ETag\nRackKV-Seq: 1002", "8" });
    ck_assert(bed.server.control->last_folds);
    bed.server.control->fold = false;
    check_row(&(struct row){ "POST " A "?op=incr", "If-Match: \"1002\"\n", "", 200, "ETag: \"1003\"", "9" });
    ck_assert(!bed.server.control->last_folds);
    check_row(&(struct row){ "POST " A "?op=append", "", "x", 200, NULL, "" });
    ck_assert(!bed.server.control->last_folds);
    bed_stop();
}
END_TEST

struct failure_row {
    int err;
    bool none;
    int status;
    const char *outcome;
    const char *code;
};

START_TEST(updates_that_fail_say_what_happened)
{
    static const struct failure_row rows[] = {
        { RK_ERR_NO_SPACE, false, 507, "RackKV-Outcome: none", "no-space" },
        { RK_ERR_FULL, true, 507, "RackKV-Outcome: none", "keydir-full" },
        { RK_ERR_READ_ONLY, true, 503, "RackKV-Outcome: none", "read-only" },
        { RK_ERR_READ_ONLY, false, 503, "RackKV-Outcome: unknown", "read-only" },
        { RK_ERR_AGAIN, true, 503, "RackKV-Outcome: none", "busy" },
        { RK_ERR_TIMEOUT, false, 503, "RackKV-Outcome: unknown", "timeout" },
        { RK_ERR_IO, false, 503, "RackKV-Outcome: unknown", "write-error" },
        { RK_ERR_TOO_LARGE, true, 413, "!RackKV-Outcome", "\"limit\":2097152" },
        { RK_ERR_CORRUPT, true, 500, "RackKV-Outcome: none", "damaged-value" },
        { RK_ERR_NOT_FOUND, true, 404, "RackKV-Seq: 0", "not-found" },
    };

    bed_start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bed.server.control->write_error = rows[i].err;
        bed.server.control->write_none = rows[i].none;
        check_row(&(struct row){ "POST " A "?op=incr", "", "", rows[i].status, rows[i].outcome, rows[i].code });
    }
    bed.server.control->write_error = RK_OK;
    bed.server.control->submit_error = RK_ERR_BUSY;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 503, "RackKV-Outcome: none\nRetry-After: 1", "not-ready" });
    ck_assert_uint_eq(bed.server.control->n_updates, sizeof rows / sizeof rows[0] + 1);
    bed_stop();
}
END_TEST

START_TEST(an_update_that_is_late_may_have_happened)
{
    struct rk_http_settings settings = fake_settings();

    settings.request_timeout_ms = 100;
    bed_start_with(&settings);
    bed.server.control->hold = true;
    check_row(&(struct row){ "POST " A "?op=incr", "", "", 503, "RackKV-Outcome: unknown", "timeout" });
    ck_assert_uint_eq(bed.server.control->n_cancelled, 1);
    bed_stop();
}
END_TEST

/* ---- before the body ---- */

/* The answer to a head alone. */
static void check_waiting(const char *first, const char *fields, int status, const char *has, const char *code)
{
    struct row row = { first, fields, NULL, status, has, code };
    struct raw_answer answer;
    char text[400];

    snprintf(text, sizeof text, "%s HTTP/1.1\r\n" HOST "%s%sExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", first,
             fields, *fields != '\0' ? "\r\n" : "");
    raw_client_close(&bed.client);
    raw_client_open(&bed.client, bed.server.port);
    ck_assert(raw_client_send_text(&bed.client, text));
    ck_assert(raw_client_receive(&bed.client, false, &answer));
    ck_assert_msg(answer.status == status, "%s-> %s%s", text, answer.head, answer.body);
    row.fields = "";
    check_headers(&row, &answer);
    ck_assert_msg(code == NULL || strstr(answer.body, code) != NULL, "%s-> %s", text, answer.body);
    if (status >= 400)
        ck_assert(raw_answer_has(&answer, "Connection: close"));
    raw_answer_fini(&answer);
}

START_TEST(what_is_decided_before_the_body)
{
    bed_start();
    check_waiting("PUT " A, "If-Match: \"1\"", 412, "RackKV-Seq: 1000\n!ETag", "condition-failed");
    check_row(&(struct row){ "PUT " A, "", "v", 201, NULL, "" });
    check_waiting("PUT " A, "", 100, NULL, NULL);
    check_waiting("PUT " A, "If-None-Match: *", 412, "RackKV-Seq: 1001\nETag: \"1001\"", "condition-failed");
    check_waiting("PUT /v1/kv?key=%61", "If-None-Match: *", 412, "ETag: \"1001\"", "condition-failed");
    check_waiting("PUT " A, "If-Match: \"1001\"", 100, NULL, NULL);
    check_waiting("DELETE " A "b", "If-Match: *", 404, "RackKV-Seq: 1001\n!ETag", "not-found");
    check_waiting("PUT " A, "If-Match: junk", 400, NULL, "bad-condition");
    check_waiting("PUT " A, "RackKV-TTL: 0", 400, NULL, "bad-ttl");
    check_waiting("POST " A "?op=append", "If-None-Match: *", 412, "ETag: \"1001\"", "condition-failed");
    check_waiting("GET " A, "If-Match: \"1\"", 100, NULL, NULL); /* no write: nothing is known before it is whole */
    bed.server.control->delay_gets = true; /* the disk has to be asked: the condition is decided later */
    check_waiting("PUT " A, "If-None-Match: *", 100, NULL, NULL);
    bed.server.control->delay_gets = false;
    bed.server.control->get_error = RK_ERR_CORRUPT;
    check_waiting("PUT " A, "If-None-Match: *", 100, NULL, NULL);
    bed.server.control->get_error = RK_OK;
    bed.server.control->refuses = RK_ERR_NO_SPACE;
    check_waiting("PUT " A, "", 507, NULL, "no-space");
    check_waiting("DELETE " A, "", 100, NULL, NULL);
    check_waiting("GET /put?key=a&val=b", "", 507, NULL, "no-space");
    bed.server.control->refuses = RK_ERR_READ_ONLY;
    check_waiting("DELETE " A, "", 503, "RackKV-Outcome: none\nRetry-After: 1", "read-only");
    ck_assert_uint_eq(bed.server.control->n_updates, 0);
    bed_stop();
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
    tcase_add_test(tcase, times);
    tcase_add_test(tcase, times_to_live_begin_now);
    tcase_add_test(tcase, metadata);
    tcase_add_test(tcase, metadata_over_its_limit);
    tcase_add_test(tcase, durability_is_asked_for_and_told);
    tcase_add_test(tcase, ranges_of_small_values);
    tcase_add_test(tcase, ranges_of_large_values);
    tcase_add_test(tcase, the_last_decision_counts);
    tcase_add_test(tcase, folded_increments_have_no_tag);
    tcase_add_test(tcase, updates_that_fail_say_what_happened);
    tcase_add_test(tcase, an_update_that_is_late_may_have_happened);
    tcase_add_test(tcase, what_is_decided_before_the_body);
    suite_add_tcase(suite, tcase);
    return suite;
}

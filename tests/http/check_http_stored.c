/* What is stored beside a value and how long it stays, over a store in memory. */
#include "http_rows.h"
#include "store/store_types.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLY "Sun, 22 Nov 2026 20:04:02 GMT"
#define A     "/v1/kv/a"

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

    CHECK_ROWS(rows);
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
    text = format_row(&(struct row){ "GET " A, "", NULL, 200, NULL, NULL });
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

    CHECK_ROWS(rows);
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

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_stored");
    TCase *tcase = tcase_create("one key");

    tcase_add_test(tcase, times);
    tcase_add_test(tcase, times_to_live_begin_now);
    tcase_add_test(tcase, metadata);
    tcase_add_test(tcase, metadata_over_its_limit);
    tcase_add_test(tcase, durability_is_asked_for_and_told);
    suite_add_tcase(suite, tcase);
    return suite;
}

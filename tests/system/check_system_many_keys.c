/* The contract of many keys over real sockets, to two workers and a store on the disk: a row for each sentence about
 * listings. The first write of a store has the sequence 1. */
#include "system_rows.h"
#include "test_main.h"

#include <stdio.h>

#define KV     "/v1/kv"
#define STREAM "Accept: application/x-ndjson\n"

#define ROW(key, size, seq) \
    "{\"key\":\"" key "\",\"size\":" size ",\"etag\":\"\\\"" seq "\\\"\",\"seq\":" seq ",\"expires\":null}"
#define ROW_A                     ROW("a", "1", "2")
#define ROW_B                     ROW("b", "2", "1")
#define ROW_D1                    ROW("d/1", "1", "3")
#define ROW_D2                    ROW("d/2/x", "1", "4")
#define ROW_64                    "{\"key64\":\"/w==\",\"size\":1,\"etag\":\"\\\"5\\\"\",\"seq\":5,\"expires\":null}"
#define ALL                       ROW_A "," ROW_B "," ROW_D1 "," ROW_D2 "," ROW_64
#define PAGE(keys, prefixes, end) "{\"keys\":[" keys "],\"prefixes\":[" prefixes "]," end "}\n"

#define PUT_ALL                                                                                                     \
    { "", "PUT " KV "/b", "", "bb", 201, NULL, "" },                                                                \
        { "", "PUT " KV "/a", "Content-Type: text/x\n", "a", 201, NULL, "" },                                       \
        { "", "PUT " KV "/d%2F1", "", "1", 201, NULL, "" }, { "", "PUT " KV "/d%2F2%2Fx", "", "2", 201, NULL, "" }, \
    {                                                                                                               \
        "", "PUT " KV "/%ff", "", "\xfe", 201, NULL, ""                                                             \
    }

START_TEST(pages)
{
    static const struct row rows[] = {
        { "no keys", "GET " KV, "", NULL, 200, "Content-Type: application/json\nContent-Length:\nRackKV-Seq:",
          PAGE("", "", "\"complete\":true,\"after\":\"\"") },
        PUT_ALL,
        { "in byte order", "GET " KV, "", NULL, 200, "Vary: Accept\nCache-Control: no-store",
          PAGE(ALL, "", "\"complete\":true,\"after64\":\"/w==\"") },
        { "HEAD", "HEAD " KV, "", NULL, 200, "Content-Type: application/json", NULL },
        { "limit", "GET " KV "?limit=2", "", NULL, 200, NULL,
          PAGE(ROW_A "," ROW_B, "", "\"complete\":false,\"after\":\"b\"") },
        { "the page goes on behind it", "GET " KV "?limit=2&after=b", "", NULL, 200, NULL,
          PAGE(ROW_D1 "," ROW_D2, "", "\"complete\":false,\"after\":\"d/2/x\"") },
        { "after is a key, there or not", "GET " KV "?after=c&limit=1", "", NULL, 200, NULL,
          PAGE(ROW_D1, "", "\"complete\":false,\"after\":\"d/1\"") },
        { "the last page", "GET " KV "?after=d/2/x", "", NULL, 200, NULL,
          PAGE(ROW_64, "", "\"complete\":true,\"after64\":\"/w==\"") },
        { "after64", "GET " KV "?after64=%2Fw==", "", NULL, 200, NULL,
          PAGE("", "", "\"complete\":true,\"after64\":\"/w==\"") },
        { "prefix", "GET " KV "?prefix=d/", "", NULL, 200, NULL,
          PAGE(ROW_D1 "," ROW_D2, "", "\"complete\":true,\"after\":\"d/2/x\"") },
        { "prefix64", "GET " KV "?prefix64=/w==", "", NULL, 200, NULL,
          PAGE(ROW_64, "", "\"complete\":true,\"after64\":\"/w==\"") },
        { "prefix and after", "GET " KV "?prefix=d/&after=d/1", "", NULL, 200, NULL,
          PAGE(ROW_D2, "", "\"complete\":true,\"after\":\"d/2/x\"") },
        { "a limit beyond the maximum is clipped", "GET " KV "?prefix=a&limit=1001", "", NULL, 200, NULL,
          PAGE(ROW_A, "", "\"complete\":true,\"after\":\"a\"") },
        { "delimiter", "GET " KV "?delimiter=/", "", NULL, 200, NULL,
          PAGE(ROW_A "," ROW_B "," ROW_64, "\"d/\"", "\"complete\":true,\"after64\":\"/w==\"") },
        { "delimiter behind the prefix", "GET " KV "?delimiter=/&prefix=d/", "", NULL, 200, NULL,
          PAGE(ROW_D1, "\"d/2/\"", "\"complete\":true,\"after\":\"d/2/\"") },
        { "what is shared is an entry", "GET " KV "?delimiter=/&limit=3", "", NULL, 200, NULL,
          PAGE(ROW_A "," ROW_B, "\"d/\"", "\"complete\":false,\"after\":\"d/\"") },
        { "and the next page is behind it", "GET " KV "?delimiter=/&limit=3&after=d/", "", NULL, 200, NULL,
          PAGE(ROW_64, "", "\"complete\":true,\"after64\":\"/w==\"") },
        { "values", "GET " KV "?prefix=a&values=1", "", NULL, 200, NULL,
          "{\"keys\":[{\"key\":\"a\",\"size\":1,\"etag\":\"\\\"2\\\"\",\"seq\":2,\"expires\":null,"
          "\"content_type\":\"text/x\",\"value\":\"a\"}],\"prefixes\":[],\"complete\":true,\"after\":\"a\"}\n" },
        { "limit 0", "GET " KV "?limit=0", "", NULL, 400, NULL, "\"parameter\":\"limit\"" },
        { "limit negative", "GET " KV "?limit=-1", "", NULL, 400, NULL, "bad-limit" },
        { "limit no number", "GET " KV "?limit=ten", "", NULL, 400, NULL, "bad-limit" },
        { "an unknown parameter", "GET " KV "?recursive=1", "", NULL, 400, NULL, "\"parameter\":\"recursive\"" },
        { "an unknown header", "GET " KV, "RackKV-Recursive: 1\n", NULL, 400, NULL, "unknown-header" },
        { "base64 is padded", "GET " KV "?after64=/w", "", NULL, 400, NULL, "\"parameter\":\"after64\"" },
        { "no delete without a key", "DELETE " KV, "", NULL, 400, NULL, "missing-key" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(streams)
{
    static const struct row rows[] = {
        PUT_ALL,
        { "a line a key, and the end", "GET " KV "?prefix=d/", STREAM, NULL, 200, "Content-Type: application/x-ndjson",
          ROW_D1 "\n" ROW_D2 "\n{\"complete\":true}\n" },
        { "without a limit", "GET " KV "?limit=1&after=b", STREAM, NULL, 200, NULL,
          ROW_D1 "\n" ROW_D2 "\n" ROW_64 "\n{\"complete\":true}\n" },
        { "what is shared", "GET " KV "?delimiter=/&after=b", STREAM, NULL, 200, NULL,
          "{\"prefix\":\"d/\"}\n" ROW_64 "\n{\"complete\":true}\n" },
        { "values of any bytes", "GET " KV "?values=1&prefix64=/w==", STREAM, NULL, 200, NULL,
          "{\"key64\":\"/w==\",\"size\":1,\"etag\":\"\\\"5\\\"\",\"seq\":5,\"expires\":null,\"value64\":\"/g==\"}\n"
          "{\"complete\":true}\n" },
        { "nothing", "GET " KV "?prefix=none", STREAM, NULL, 200, NULL, "{\"complete\":true}\n" },
    };

    CHECK_ROWS(rows);
}
END_TEST

/* What changes a key changes its entry; what is gone, or has expired, does not come. */
START_TEST(what_is_there)
{
    static const struct row rows[] = {
        PUT_ALL,
        { "deleted", "DELETE " KV "/b", "", NULL, 204, NULL, "" },
        { "deleted-before keys never", "GET " KV "?limit=2", "", NULL, 200, NULL,
          PAGE(ROW_A "," ROW_D1, "", "\"complete\":false,\"after\":\"d/1\"") },
        { "overwritten", "PUT " KV "/a", "", "longer", 204, NULL, "" },
        { "the newest write", "GET " KV "?limit=1", "", NULL, 200, "RackKV-Seq: 7",
          PAGE(ROW("a", "6", "7"), "", "\"complete\":false,\"after\":\"a\"") },
        { "with an expiry", "PUT " KV "/a?expires=4000000000", "", "x", 204, NULL, "" },
        { "its expiry", "GET " KV "?limit=1", "", NULL, 200, NULL,
          "{\"keys\":[{\"key\":\"a\",\"size\":1,\"etag\":\"\\\"8\\\"\",\"seq\":8,\"expires\":4000000000}],"
          "\"prefixes\":[],\"complete\":false,\"after\":\"a\"}\n" },
        { "an expiry in the past", "PUT " KV "/a?expires=1", "", "x", 204, NULL, "" },
        { "expired keys never", "GET " KV "?limit=1", "", NULL, 200, NULL,
          PAGE(ROW_D1, "", "\"complete\":false,\"after\":\"d/1\"") },
        { "an increment", "POST " KV "/d%2F1?op=incr&by=41", "", "", 200, NULL, "42" },
        { "the newest write", "GET " KV "?prefix=d/1", "", NULL, 200, NULL,
          PAGE(ROW("d/1", "2", "10"), "", "\"complete\":true,\"after\":\"d/1\"") },
    };

    CHECK_ROWS(rows);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_many_keys");
    TCase *tcase = tcase_create("listings");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, pages);
    tcase_add_test(tcase, streams);
    tcase_add_test(tcase, what_is_there);
    suite_add_tcase(suite, tcase);
    return suite;
}

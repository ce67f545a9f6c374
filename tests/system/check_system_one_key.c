/* The contract of one key over real sockets, to two workers and a store on the disk: a row for each line that says
 * something of keys, of what can be done with one, of the original's endpoints, and of the small print. */
#include "system_rows.h"
#include "test_main.h"

#include <stdio.h>

START_TEST(keys)
{
    static char longest[16 + 4096 + 1], longer[16 + 4097 + 1], longer_query[16 + 4097 + 1];
    struct row rows[] = {
        { "everything after /v1/kv/", "PUT /v1/kv/a/b//c/./../d/", "", "1", 201, NULL, "" },
        { "everything after /v1/kv/", "GET /v1/kv/a/b//c/./../d/", "", NULL, 200, NULL, "1" },
        { "no redirect", "GET /v1//kv/a", "", NULL, 404, "!Location", "no-such-endpoint" },
        { "no dot-segments", "GET /v1/kv/a/b/d/", "", NULL, 404, NULL, NULL },
        { "decoded exactly once", "GET /v1/kv/a%2Fb%2f%2fc%2F.%2F..%2Fd%2F", "", NULL, 200, NULL, "1" },
        { "decoded exactly once", "PUT /v1/kv/%2541", "", "2", 201, NULL, "" },
        { "decoded exactly once", "GET /v1/kv/%41", "", NULL, 404, NULL, NULL },
        { "no trailing-slash rule", "GET /v1/kv/a/b//c/./../d", "", NULL, 404, NULL, NULL },
        { "+ is a plus", "PUT /v1/kv/x+y", "", "3", 201, NULL, "" },
        { "+ is a plus", "GET /v1/kv/x%2By", "", NULL, 200, NULL, "3" },
        { "+ is a plus", "GET /v1/kv/x%20y", "", NULL, 404, NULL, NULL },
        { "any bytes", "PUT /v1/kv/%00%FF%0D%0A", "", "4", 201, NULL, "" },
        { "by the query", "GET /v1/kv?key=%00%ff%0d%0a", "", NULL, 200, NULL, "4" },
        { "by the query, + is a plus", "GET /v1/kv?key=x+y", "", NULL, 200, NULL, "3" },
        { "by the query, %20 is a space", "GET /v1/kv?key=x%20y", "", NULL, 404, NULL, NULL },
        { "a bad escape", "GET /v1/kv/%zz", "", NULL, 400, NULL, "bad-escape" },
        { "a bad escape", "PUT /v1/kv/a%4", "", "x", 400, NULL, "bad-escape" },
        { "a bad escape", "GET /v1/kv?key=%", "", NULL, 400, NULL, "bad-escape" },
        { "empty", "GET /v1/kv/", "", NULL, 400, NULL, "empty-key" },
        { "empty", "PUT /v1/kv?key=", "", "x", 400, NULL, "empty-key" },
        { "1 to 4096 bytes", longest, "", "5", 201, NULL, "" },
        { "too long", longer, "", NULL, 414, NULL, "\"limit\":4096" },
        { "too long", longer_query, "", NULL, 414, NULL, "\"limit\":4096" },
    };

    sprintf(longest, "PUT /v1/kv/%04096d", 0);
    sprintf(longer, "GET /v1/kv/%04097d", 0);
    sprintf(longer_query, "GET /v1/kv?key=%04097d", 0);
    CHECK_ROWS(rows);
}
END_TEST

#define A "/v1/kv/a"

START_TEST(one_key)
{
    static const struct row rows[] = {
        { "GET 404", "GET " A, "", NULL, 404, "RackKV-Seq:", "not-found" },
        { "HEAD 404", "HEAD " A, "", NULL, 404, "RackKV-Seq:", NULL },
        { "PUT 201", "PUT " A, "", "hello", 201, "ETag:\nRackKV-Seq:", "" },
        { "GET 200", "GET " A, "", NULL, 200,
          "Content-Type: application/octet-stream\nContent-Length: 5\nETag: {etag}\nRackKV-Seq:\nLast-Modified:\n"
          "Accept-Ranges: bytes\nX-Content-Type-Options: nosniff\nCache-Control: no-cache\n!RackKV-Expires",
          "hello" },
        { "HEAD 200", "HEAD " A, "", NULL, 200,
          "Content-Type: application/octet-stream\nContent-Length: 5\nETag: {etag}\nRackKV-Seq:\nLast-Modified: "
          "{date}\n"
          "Accept-Ranges: bytes\nX-Content-Type-Options: nosniff\nCache-Control: no-cache\n!RackKV-Expires",
          NULL },
        { "GET 304", "GET " A, "If-None-Match: {etag}\n", NULL, 304,
          "ETag: {etag}\nCache-Control: no-cache\n!Content-Length", "" },
        { "HEAD 304", "HEAD " A, "If-Modified-Since: {date}\n", NULL, 304, "ETag: {etag}", NULL },
        { "206 for one range", "GET " A, "Range: bytes=1-3\n", NULL, 206,
          "Content-Range: bytes 1-3/5\nContent-Length: 3\nETag: {etag}\nCache-Control: no-cache", "ell" },
        { "416", "GET " A, "Range: bytes=5-\n", NULL, 416, "Content-Range: bytes */5", "range-not-satisfiable" },
        { "If-Range honoured", "GET " A, "Range: bytes=1-3\nIf-Range: {etag}\n", NULL, 206, NULL, "ell" },
        { "If-Range honoured", "GET " A, "Range: bytes=1-3\nIf-Range: \"x\"\n", NULL, 200, "!Content-Range", "hello" },
        { "several ranges: the whole", "GET " A, "Range: bytes=0-0,2-3\n", NULL, 200, "!Content-Range", "hello" },
        { "PUT 204", "PUT " A, "", "world", 204, "ETag:\nRackKV-Seq:\n!Content-Length", "" },
        { "POST without op", "POST " A, "", "again", 204, "ETag:", "" },
        { "PUT 412", "PUT " A, "If-Match: {old}\n", "x", 412, "ETag: {etag}\nRackKV-Seq:", "condition-failed" },
        { "DELETE 412", "DELETE " A, "If-Match: {old}\n", NULL, 412, "ETag: {etag}", "condition-failed" },
        { "DELETE 204", "DELETE " A, "If-Match: {etag}\n", NULL, 204, "RackKV-Seq:\n!ETag", "" },
        { "DELETE 404", "DELETE " A, "", NULL, 404, "RackKV-Seq:", "not-found" },
        { "incr: absent counts as 0, by defaults to 1", "POST " A "?op=incr", "", "", 200, "ETag:", "1" },
        { "incr: by", "POST " A "?op=incr&by=-43", "", "", 200, NULL, "-42" },
        { "incr: the new number as text", "GET " A, "", NULL, 200, NULL, "-42" },
        { "incr: keeps expiry and metadata", "PUT " A, "RackKV-Expires: 4000000000\nRackKV-Meta-A: 1\n", "7", 204, NULL,
          "" },
        { "incr: keeps expiry and metadata", "POST " A "?op=incr", "", "", 200, NULL, "8" },
        { "incr: keeps expiry and metadata", "GET " A, "", NULL, 200, "RackKV-Expires: 4000000000\nRackKV-Meta-A: 1",
          "8" },
        { "incr 409: overflow", "POST " A "?op=incr&by=9223372036854775807", "", "", 409, NULL, "number-overflow" },
        { "append 200", "POST " A "?op=append", "", "x", 200, "ETag:", "" },
        { "append: keeps expiry and metadata", "GET " A, "", NULL, 200, "RackKV-Expires: 4000000000\nRackKV-Meta-A: 1",
          "8x" },
        { "incr 409: not a number", "POST " A "?op=incr", "", "", 409, NULL, "not-a-number" },
        { "append 201", "POST /v1/kv/b?op=append", "", "new", 201, "ETag:", "" },
        { "touch 204: a new expiry", "POST " A "?op=touch&expires=4000000001", "", "", 204, "ETag:", "" },
        { "touch: the value as it is", "GET " A, "", NULL, 200, "RackKV-Expires: 4000000001\nRackKV-Meta-A: 1", "8x" },
        { "touch: or none", "POST " A "?op=touch", "", "", 204, NULL, "" },
        { "touch: or none", "GET " A, "", NULL, 200, "!RackKV-Expires", "8x" },
        { "touch 404", "POST /v1/kv/none?op=touch&ttl=60", "", "", 404, "RackKV-Seq:", "not-found" },
        { "other methods 405", "PATCH " A, "", "x", 405, "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS", NULL },
        { "OPTIONS 204", "OPTIONS " A, "", NULL, 204, "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS", "" },
        /* entity tags */
        { "create only", "PUT " A, "If-None-Match: *\n", "x", 412, "ETag:", "condition-failed" },
        { "create only", "PUT /v1/kv/c", "If-None-Match: *\n", "x", 201, NULL, "" },
        { "a list", "PUT /v1/kv/c", "If-Match: \"x\", {etag}\n", "y", 204, NULL, "" },
        { "in two lines", "PUT /v1/kv/c", "If-Match: \"x\"\nIf-Match: {etag}\n", "z", 204, NULL, "" },
        { "weak tags never match If-Match", "PUT /v1/kv/c", "If-Match: W/{etag}\n", "z", 412, NULL, NULL },
        { "weak tags match If-None-Match", "PUT /v1/kv/c", "If-None-Match: W/{etag}\n", "z", 412, NULL, NULL },
        { "If-None-Match on POST", "POST /v1/kv/c?op=append", "If-None-Match: {etag}\n", "z", 412, NULL, NULL },
        { "If-Modified-Since", "GET /v1/kv/c", "", NULL, 200, NULL, "z" },
        { "If-Modified-Since", "GET /v1/kv/c", "If-Modified-Since: {date}\n", NULL, 304, NULL, "" },
        { "If-Unmodified-Since", "DELETE /v1/kv/c", "If-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 GMT\n", NULL, 412,
          NULL, NULL },
        { "the order", "GET /v1/kv/c", "If-Match: {etag}\nIf-None-Match: {etag}\n", NULL, 304, NULL, "" },
        { "the order", "GET /v1/kv/c", "If-None-Match: \"1\"\nIf-Modified-Since: {date}\n", NULL, 200, NULL, "z" },
        { "malformed", "PUT /v1/kv/c", "If-Match: 1\n", "w", 400, NULL, "\"header\":\"If-Match\"" },
        { "malformed", "GET /v1/kv/c", "If-None-Match: *, \"1\"\n", NULL, 400, NULL, "\"header\":\"If-None-Match\"" },
        /* times to live */
        { "header", "PUT " A, "RackKV-TTL: 60\n", "v", 204, NULL, "" },
        { "header", "GET " A, "", NULL, 200, "RackKV-Expires:", "v" },
        { "a write without one clears it", "PUT " A, "", "v", 204, NULL, "" },
        { "a write without one clears it", "GET " A, "", NULL, 200, "!RackKV-Expires", "v" },
        { "units", "PUT " A "?ttl=500000ms", "", "v", 204, NULL, "" },
        { "units", "PUT " A "?ttl=10m", "", "v", 204, NULL, "" },
        { "units", "PUT " A "?ttl=7d", "", "v", 204, NULL, "" },
        { "absolute", "PUT " A "?expires=4000000000", "", "v", 204, NULL, "" },
        { "absolute", "GET " A, "", NULL, 200, "RackKV-Expires: 4000000000", "v" },
        { "the relative one wins", "PUT " A "?expires=1", "RackKV-TTL: 60\n", "v", 204, NULL, "" },
        { "the relative one wins", "GET " A, "", NULL, 200, NULL, "v" },
        { "0", "PUT " A, "RackKV-TTL: 0\n", "v", 400, NULL, "\"header\":\"RackKV-TTL\"" },
        { "negative", "PUT " A "?ttl=-5", "", "v", 400, NULL, "\"parameter\":\"ttl\"" },
        { "overflow", "PUT " A "?ttl=99999999999999999999", "", "v", 400, NULL, "bad-ttl" },
        { "overflow", "PUT " A, "RackKV-Expires: 9223372036854775807\n", "v", 400, NULL, "bad-expires" },
        { "no number", "PUT " A "?expires=tomorrow", "", "v", 400, NULL, "\"parameter\":\"expires\"" },
        /* metadata, durability */
        { "metadata are stored", "PUT " A,
          "Content-Type: text/html\nContent-Encoding: gzip\nCache-Control: max-age=60\nContent-Disposition: inline\n"
          "Content-Language: pl\nRackKV-Meta-Owner: me\nX-Other: 1\n",
          "v", 204, NULL, "" },
        { "and come back", "GET " A, "", NULL, 200,
          "Content-Type: text/html\nContent-Encoding: gzip\nCache-Control: max-age=60\nContent-Disposition: inline\n"
          "Content-Language: pl\nRackKV-Meta-Owner: me\n!X-Other",
          "v" },
        { "written", "PUT " A, "RackKV-Durability: written\n", "v", 204, "RackKV-Durability: written", "" },
        { "synced", "PUT " A, "RackKV-Durability: synced\n", "v", 204, "RackKV-Durability: synced", "" },
        { "written", "DELETE " A, "RackKV-Durability: written\n", NULL, 204, "RackKV-Durability: written", "" },
        { "synced", "POST " A "?op=incr", "RackKV-Durability: synced\n", "", 200, "RackKV-Durability: synced", "1" },
        { "no other durability", "PUT " A, "RackKV-Durability: none\n", "v", 400, NULL, "bad-durability" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(conditions_in_all_their_forms)
{
    static const struct row rows[] = {
        { "a date: 1", "PUT " A, "", "0123456789", 201, NULL, "" },
        { "a date: 1", "GET " A, "If-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 GMT\n", NULL, 412, "ETag: {etag}",
          NULL },
        { "a date: 2", "PUT " A, "If-Unmodified-Since: Thursday, 01-Jan-15 00:00:00 GMT\n", "x", 412, "ETag: {etag}",
          NULL },
        { "a date: 3", "DELETE " A, "If-Unmodified-Since: Thu Jan  1 00:00:00 2015\n", NULL, 412, "ETag: {etag}",
          NULL },
        { "a date: 1", "GET " A, "If-Modified-Since: Sun, 01 Jan 2068 00:00:00 GMT\n", NULL, 304, NULL, "" },
        { "a date: 2", "GET " A, "If-Modified-Since: Sunday, 01-Jan-68 00:00:00 GMT\n", NULL, 304, NULL, "" },
        { "a date: 3", "HEAD " A, "If-Modified-Since: Sun Jan  1 00:00:00 2068\n", NULL, 304, NULL, NULL },
        { "a date in no zone", "GET " A, "If-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 UTC\n", NULL, 400, NULL,
          "If-Unmodified-Since" },
        { "no such day", "GET " A, "If-Modified-Since: Fri, 31 Feb 2068 00:00:00 GMT\n", NULL, 200, NULL, NULL },
        { "a list: a comma in a tag", "GET " A, "If-None-Match: \"a,b\", W/\"c,d\",, {etag} ,\n", NULL, 304, NULL, "" },
        { "a list: no space in a tag", "GET " A, "If-None-Match: \"a b\"\n", NULL, 400, NULL, "If-None-Match" },
        { "a list: no * in a tag", "GET " A, "If-Match: \"x,*\", \"\"\n", NULL, 412, "ETag: {etag}", NULL },
        { "a list: one is enough", "PUT " A, "If-Match: W/{etag}, {etag}\n", "0123456789", 204, NULL, "" },
        { "* in a list", "PUT " A, "If-Match: *, *\n", "x", 400, NULL, "\"header\":\"If-Match\"" },
        { "* in two lines", "GET " A, "If-None-Match: *\nIf-None-Match: *\n", NULL, 400, NULL, "If-None-Match" },
        { "w/ in small letters", "GET " A, "If-None-Match: w/{etag}\n", NULL, 400, NULL, "If-None-Match" },
        { "an open quote", "DELETE " A, "If-Match: \"1\n", NULL, 400, NULL, "If-Match" },
        { "the order: 2 not asked", "GET " A, "If-Match: {etag}\nIf-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 GMT\n",
          NULL, 200, NULL, "0123456789" },
        { "the order: 3 after 1", "PUT " A, "If-Match: {etag}\nIf-None-Match: *\n", "x", 412, "ETag: {etag}", NULL },
        { "the order: 5 after 3", "GET " A, "If-None-Match: {etag}\nRange: bytes=90-\n", NULL, 304, NULL, "" },
        { "malformed before false", "PUT " A, "If-Match: \"1\"\nIf-None-Match: 1\n", "x", 400, NULL, "If-None-Match" },
        { "malformed before false", "PUT " A, "If-Match: \"1\"\nRackKV-TTL: 0\n", "x", 400, NULL, "bad-ttl" },
        { "If-Range: a weak tag", "GET " A, "Range: bytes=0-0\nIf-Range: W/{etag}\n", NULL, 200, "!Content-Range",
          "0123456789" },
        { "If-Range: a date", "GET " A, "Range: bytes=0-0\nIf-Range: {date}\n", NULL, 200, "!Content-Range",
          "0123456789" },
        { "If-Range: not it, no 416", "GET " A, "Range: bytes=90-\nIf-Range: \"x\"\n", NULL, 200, NULL, "0123456789" },
        { "If-Range: malformed", "GET " A, "Range: bytes=0-0\nIf-Range: *\n", NULL, 400, NULL, "If-Range" },
        { "a suffix", "GET " A, "Range: bytes=-3\n", NULL, 206, "Content-Range: bytes 7-9/10", "789" },
        { "a suffix of none", "GET " A, "Range: bytes=-0\n", NULL, 416, "Content-Range: bytes */10", NULL },
        { "a suffix of more", "GET " A, "Range: bytes=-99999999999999999999999\n", NULL, 206,
          "Content-Range: bytes 0-9/10", "0123456789" },
        { "an end beyond", "GET " A, "Range: BYTES=9-99999999999999999999999\n", NULL, 206,
          "Content-Range: bytes 9-9/10", "9" },
        { "a start beyond", "GET " A, "Range: bytes=99999999999999999999999-\n", NULL, 416, "Content-Range: bytes */10",
          NULL },
        { "an end before", "GET " A, "Range: bytes=2-1\n", NULL, 200, "!Content-Range", "0123456789" },
        { "another unit", "GET " A, "Range: lines=0-1\n", NULL, 200, "!Content-Range", "0123456789" },
        { "of nothing", "PUT " A, "", "", 204, NULL, "" },
        { "of nothing", "GET " A, "", NULL, 200, "Content-Length: 0", "" },
        { "of nothing", "GET " A, "Range: bytes=0-\n", NULL, 416, "Content-Range: bytes */0", NULL },
        { "of nothing", "GET " A, "Range: bytes=-0\n", NULL, 416, "Content-Range: bytes */0", NULL },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(numbers_times_and_names_at_their_ends)
{
    static const struct row rows[] = {
        { "the largest", "PUT " A, "", "9223372036854775806", 201, NULL, "" },
        { "the largest", "POST " A "?op=incr", "", "", 200, NULL, "9223372036854775807" },
        { "overflow", "POST " A "?op=incr", "", "", 409, "RackKV-Seq:", "number-overflow" },
        { "the smallest", "POST " A "?op=incr&by=-9223372036854775808", "", "", 200, NULL, "-1" },
        { "the smallest", "PUT " A, "", "-9223372036854775808", 204, NULL, "" },
        { "overflow", "POST " A "?op=incr&by=-1", "", "", 409, NULL, "number-overflow" },
        { "by of 65 bits", "POST " A "?op=incr&by=9223372036854775808", "", "", 400, NULL, "\"parameter\":\"by\"" },
        { "by with a plus", "POST " A "?op=incr&by=+1", "", "", 400, NULL, "\"parameter\":\"by\"" },
        { "zeros", "PUT " A, "", "007", 204, NULL, "" },
        { "zeros", "POST " A "?op=incr", "", "", 200, NULL, "8" },
        { "a plus", "PUT " A, "", "+7", 204, NULL, "" },
        { "a plus", "POST " A "?op=incr", "", "", 409, NULL, "not-a-number" },
        { "a space", "PUT " A, "", "7 ", 204, NULL, "" },
        { "a space", "POST " A "?op=incr", "", "", 409, NULL, "not-a-number" },
        { "65 bits", "PUT " A, "", "9223372036854775808", 204, NULL, "" },
        { "65 bits", "POST " A "?op=incr&by=-1", "", "", 409, NULL, "not-a-number" },
        { "hours", "PUT " A, "RackKV-TTL: 2h\n", "v", 204, NULL, "" },
        { "seconds", "PUT " A "?ttl=060s", "", "v", 204, NULL, "" },
        { "2^64 + 60", "PUT " A, "RackKV-TTL: 18446744073709551676\n", "v", 400, NULL, "bad-ttl" },
        { "too many days", "PUT " A "?ttl=99999999d", "", "v", 400, NULL, "bad-ttl" },
        { "a unit alone", "PUT " A "?ttl=ms", "", "v", 400, NULL, "bad-ttl" },
        { "no unit", "PUT " A "?ttl=1w", "", "v", 400, NULL, "bad-ttl" },
        { "a fraction", "PUT " A "?ttl=1.5", "", "v", 400, NULL, "bad-ttl" },
        { "an empty one", "PUT " A "?ttl=", "", "v", 400, NULL, "bad-ttl" },
        { "the last second", "PUT " A "?expires=253402300799", "", "v", 204, NULL, "" },
        { "the last second", "HEAD " A, "", NULL, 200, "RackKV-Expires: 253402300799", NULL },
        { "one more", "PUT " A "?expires=253402300800", "", "v", 400, NULL, "bad-expires" },
        { "twice", "PUT " A "?ttl=60", "RackKV-TTL: 60\n", "v", 400, NULL, "repeated-parameter" },
        { "twice", "PUT " A "?ttl=60&ttl=60", "", "v", 400, NULL, "repeated-parameter" },
        { "twice", "PUT " A, "RackKV-TTL: 60\nRackKV-TTL: 60\n", "v", 400, NULL, "repeated-header" },
        { "twice", "GET /v1/kv?key=a&key=a", "", NULL, 400, NULL, "repeated-parameter" },
        { "twice", "GET /v1/kv/a?key=a", "", NULL, 400, NULL, "repeated-parameter" },
        { "twice", "PUT " A, "RackKV-Durability: synced\nRackKV-Durability: synced\n", "v", 400, NULL, "repeated" },
        { "durability of touch", "POST " A "?op=touch", "RackKV-Durability: synced\n", "", 204,
          "RackKV-Durability: synced", "" },
        { "durability of append", "POST " A "?op=append", "RackKV-Durability: written\n", "", 200,
          "RackKV-Durability: written", "" },
        { "durability of a read", "GET " A, "RackKV-Durability: synced\n", NULL, 400, NULL, "unknown-header" },
        { "the case of names", "PUT " A, "RACKKV-META-Ab: \t 1 \t\n", "v", 204, NULL, "" },
        { "the case of names", "HEAD " A, "", NULL, 200, "RACKKV-META-Ab: 1", NULL },
        { "metadata without a name", "PUT " A, "RackKV-Meta-: 1\n", "v", 400, NULL, "RackKV-Meta-" },
        { "a key without =", "GET /v1/kv?key", "", NULL, 400, NULL, "empty-key" },
        { "no key", "PUT /v1/kv", "", "v", 400, NULL, "missing-key" },
        { "an op on other methods", "GET " A "?op=incr", "", NULL, 400, NULL, "\"parameter\":\"op\"" },
        { "a parameter of another op", "POST " A "?op=append&ttl=5", "", "", 400, NULL, "\"parameter\":\"ttl\"" },
        { "of two, the one that is unknown", "POST " A "?op=bogus&x=1", "", "", 400, NULL, "\"parameter\":\"x\"" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(the_originals_endpoints)
{
    static const struct row rows[] = {
        { "put", "GET /put?key=a+b&val=x+y", "", NULL, 200, "Cache-Control: no-store", "OK" },
        { "+ is a space", "GET /v1/kv/a%20b", "", NULL, 200, NULL, "x y" },
        { "value=", "POST /put?value=z&key=a+b", "", "form data", 200, NULL, "OK" },
        { "get", "PUT /get?key=a+b", "", NULL, 200, "Cache-Control: no-store", "z" },
        { "get?K", "GET /get?a+b", "", NULL, 200, NULL, "z" },
        { "with expires=", "GET /put?key=c&val=1&expires=4000000000", "", NULL, 200, NULL, "OK" },
        { "with expires=", "GET /v1/kv/c", "", NULL, 200, "RackKV-Expires: 4000000000", "1" },
        { "+ in a name, % in a key", "GET /put?key=a%2Bb%00&val=%2B", "", NULL, 200, NULL, "OK" },
        { "+ in a name, % in a key", "GET /get?a%2Bb%00", "", NULL, 200, "Cache-Control: no-store", "+" },
        { "two values", "GET /put?key=c&val=1&value=1", "", NULL, 400, NULL, "repeated-parameter" },
        { "no value", "GET /put?key=c", "", NULL, 400, "Cache-Control: no-store", "missing-value" },
        { "no key", "POST /delete", "", "", 400, NULL, "missing-key" },
        { "open takes two", "GET /open?key=c", "", NULL, 400, NULL, "\"parameter\":\"key\"" },
        { "with ttl=", "GET /put?key=c&val=1&ttl=60", "", NULL, 200, NULL, "OK" },
        { "with ttl=", "GET /v1/kv/c", "", NULL, 200, "RackKV-Expires:", "1" },
        { "without, it is cleared", "GET /put?key=c&val=1", "", NULL, 200, NULL, "OK" },
        { "without, it is cleared", "GET /v1/kv/c", "", NULL, 200, "!RackKV-Expires", "1" },
        { "a bad ttl", "GET /put?key=c&val=1&ttl=0", "", NULL, 400, NULL, "\"parameter\":\"ttl\"" },
        { "delete", "GET /delete?key=a+b", "", NULL, 200, "Cache-Control: no-store", "OK" },
        { "delete 404", "GET /delete?key=a+b", "", NULL, 404, "Cache-Control: no-store", "not-found" },
        { "get 404", "GET /get?key=a+b", "", NULL, 404, "Cache-Control: no-store", "not-found" },
        { "open", "GET /open?rw=true&syn=false", "", NULL, 200, "Cache-Control: no-store", "OK" },
        { "any of GET, PUT, POST", "DELETE /put?key=a&val=b", "", NULL, 405, "Allow: GET, HEAD, PUT, POST, OPTIONS",
          NULL },
        { "an unknown parameter", "GET /put?key=c&val=2&cas=0", "", NULL, 400, NULL, "\"parameter\":\"cas\"" },
        { "an unknown parameter", "GET /delete?key=c&ttl=5", "", NULL, 400, NULL, "\"parameter\":\"ttl\"" },
        { "nothing happened", "GET /get?key=c", "", NULL, 200, NULL, "1" },
    };

    CHECK_ROWS(rows);
}
END_TEST

START_TEST(the_small_print)
{
    static char metadata[2][2200];
    const struct row rows[] = {
        { "absent with If-Match", "GET " A, "If-Match: *\n", NULL, 404, "RackKV-Seq:", NULL },
        { "absent with If-Match", "HEAD " A, "If-Match: \"1\"\n", NULL, 404, "RackKV-Seq:", NULL },
        { "absent with If-Match", "DELETE " A, "If-Match: *\n", NULL, 404, "RackKV-Seq:", NULL },
        { "absent with If-Match", "POST " A "?op=touch", "If-Match: *\n", "", 404, "RackKV-Seq:", NULL },
        { "absent with If-Match", "PUT " A, "If-Match: *\n", "x", 412, "RackKV-Seq:\n!ETag", NULL },
        { "absent with If-Match", "POST " A "?op=incr", "If-Match: *\n", "", 412, "RackKV-Seq:\n!ETag", NULL },
        { "absent with If-Match", "POST " A "?op=append", "If-Match: *\n", "x", 412, "RackKV-Seq:\n!ETag", NULL },
        { "of a read, the value's", "PUT " A, "", "x", 201, "RackKV-Seq: 1\nETag: \"1\"", "" },
        { "of a failed condition, the last one", "PUT /v1/kv/b", "", "x", 201, "RackKV-Seq: 2", "" },
        { "of a read, the value's", "GET " A, "", NULL, 200, "RackKV-Seq: 1\nETag: \"1\"", "x" },
        { "of a failed condition, the last one", "GET " A, "If-Match: \"9\"\n", NULL, 412, "RackKV-Seq: 2\nETag: \"1\"",
          NULL },
        { "of a failed condition, the last one", "PUT " A, "If-Match: \"9\"\n", "y", 412, "RackKV-Seq: 2\nETag: \"1\"",
          NULL },
        { "of a 404, the last one", "GET /v1/kv/none", "", NULL, 404, "RackKV-Seq: 2", NULL },
        { "an empty list", "PUT " A, "If-Match:\n", "y", 400, NULL, "If-Match" },
        { "an empty list", "GET " A, "If-None-Match: ,\n", NULL, 400, NULL, "If-None-Match" },
        { "no date, on reads", "GET " A, "If-Modified-Since: x\n", NULL, 200, NULL, "x" },
        { "no date, on writes", "PUT " A, "If-Modified-Since: x\n", "y", 400, NULL, "If-Modified-Since" },
        { "no date, on writes", "PUT " A, "If-Unmodified-Since: x\n", "y", 400, NULL, "If-Unmodified-Since" },
        { "Content-Range on PUT", "PUT " A, "Content-Range: bytes 0-0/1\n", "y", 400, NULL, "content-range" },
        { "HEAD ignores Range", "HEAD " A, "Range: bytes=0-0\n", NULL, 200, "!Content-Range\nContent-Length: 1", NULL },
        { "expires in the past", "PUT " A "?expires=1", "", "y", 204, "ETag:", "" },
        { "absent at once", "GET " A, "", NULL, 404, "RackKV-Seq: 3", NULL },
        { "absent at once", "DELETE " A, "", NULL, 404, NULL, NULL },
        { "absent at once", "PUT " A, "If-None-Match: *\n", "z", 201, NULL, "" },
        { "touch without a time", "POST " A "?op=touch", "", "", 204, NULL, "" },
        { "the empty value is no number", "PUT " A, "", "", 204, NULL, "" },
        { "the empty value is no number", "POST " A "?op=incr", "", "", 409, NULL, "not-a-number" },
        { "a bad by", "POST " A "?op=incr&by=1x", "", "", 400, NULL, "\"parameter\":\"by\"" },
        { "an unknown op", "POST " A "?op=bogus", "", "x", 400, NULL, "unknown-operation" },
        { "metadata up to 2 KiB", "PUT " A, metadata[0], "m", 204, NULL, "" },
        { "metadata over 2 KiB", "PUT " A, metadata[1], "m", 400, NULL, "\"limit\":2048" },
    };

    for (int i = 0; i < 2; i++)
        snprintf(metadata[i], sizeof metadata[i], "RackKV-Meta-M: %0*d\n", 2047 + i, 0);
    CHECK_ROWS(rows);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_one_key");
    TCase *tcase = tcase_create("one key");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, keys);
    tcase_add_test(tcase, one_key);
    tcase_add_test(tcase, conditions_in_all_their_forms);
    tcase_add_test(tcase, numbers_times_and_names_at_their_ends);
    tcase_add_test(tcase, the_originals_endpoints);
    tcase_add_test(tcase, the_small_print);
    suite_add_tcase(suite, tcase);
    return suite;
}

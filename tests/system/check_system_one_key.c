/* The contract of one key over real sockets, to two workers and a store on the disk: a row for each line that says
 * something of keys, of what can be done with one, of the original's endpoints, of what is refused, and of the small
 * print. In a row, {etag} is the entity tag that was seen last, {old} the one before it, {date} the last Last-Modified.
 */
#include "system_client.h"
#include "system_ctl.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct row {
    const char *says;
    const char *first;  /* method and target */
    const char *fields; /* lines, each with its "\n" */
    const char *body;   /* NULL: none, and no Content-Length */
    int status;
    const char *has;    /* header lines, with "\n" between them; "!Name": none of that name; "Name:": some value */
    const char *answer; /* the body; of an error a part of it; NULL: whatever it is */
};

static struct bed {
    char *dir;
    struct system_server *server;
    struct system_client client;
    char etag[32], old[32], date[64];
} bed;

static void start(void)
{
    static const char *const arguments[] = { "-o", "server.workers=2", NULL };

    bed.dir = test_dir_create();
    bed.server = system_server_start(bed.dir, arguments);
    bed.client = (struct system_client){ .fd = -1, .port = system_server_port(bed.server) };
}

static void stop(void)
{
    system_client_close(&bed.client);
    ck_assert_int_eq(system_server_stop(&bed.server, SIGTERM), 0);
    test_dir_remove(&bed.dir);
}

/* ---- one row ---- */

static char *put_text(char *at, const char *text)
{
    static const struct {
        const char *name, *value;
    } words[] = { { "{etag}", bed.etag }, { "{old}", bed.old }, { "{date}", bed.date } };

    while (*text != '\0') {
        size_t i = 0;

        while (i < 3 && strncmp(text, words[i].name, strlen(words[i].name)) != 0)
            i++;
        if (i == 3) {
            *at++ = *text++;
            continue;
        }
        at = stpcpy(at, words[i].value);
        text += strlen(words[i].name);
    }
    *at = '\0';
    return at;
}

static void send_row(const struct row *row)
{
    char *text = malloc(8192 + strlen(row->first) + (row->body != NULL ? strlen(row->body) : 0));
    char *at = text + sprintf(text, "%s HTTP/1.1\r\nHost: h\r\n", row->first);

    for (const char *field = row->fields; *field != '\0'; field = strchr(field, '\n') + 1) {
        char line[4096];

        snprintf(line, sizeof line, "%.*s", (int)(strchr(field, '\n') - field), field);
        at = stpcpy(put_text(at, line), "\r\n");
    }
    if (row->body != NULL)
        at += sprintf(at, "Content-Length: %zu\r\n", strlen(row->body));
    sprintf(at, "\r\n%s", row->body != NULL ? row->body : "");
    if (bed.client.fd < 0)
        ck_assert(system_client_open(&bed.client, bed.client.port));
    ck_assert(system_client_send(&bed.client, text));
    free(text);
}

static void check_headers(const struct row *row, const struct system_response *response)
{
    char wanted[1024], *rest = wanted, *line;

    (void)put_text(wanted, row->has != NULL ? row->has : "");
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *colon = strchr(line, ':'), name[64];
        const char *value;

        snprintf(name, sizeof name, "%.*s", (int)(colon != NULL ? (size_t)(colon - line) : strlen(line)),
                 *line == '!' ? line + 1 : line);
        if (*line == '!')
            name[strlen(line) - 1] = '\0';
        value = system_response_header(response, name);
        if (*line == '!')
            ck_assert_msg(value == NULL, "%s: %s\n%s", row->says, row->first, response->head);
        else
            ck_assert_msg(value != NULL && (colon[1] == '\0' || strcmp(value, colon + 2) == 0), "%s: %s: '%s' in\n%s",
                          row->says, row->first, line, response->head);
    }
}

static void keep(char *out, size_t room, const struct system_response *response, const char *name)
{
    const char *value = system_response_header(response, name);

    if (value == NULL)
        return;
    if (out == bed.etag && strcmp(bed.etag, value) != 0)
        strcpy(bed.old, bed.etag);
    snprintf(out, room, "%s", value);
}

static void check_row(const struct row *row)
{
    struct system_response response;
    char method[16];
    const char *connection;

    send_row(row);
    ck_assert_int_eq(sscanf(row->first, "%15s", method), 1);
    ck_assert_msg(system_client_receive(&bed.client, method, &response), "%s: %s: no answer", row->says, row->first);
    ck_assert_msg(response.status == row->status, "%s: %s [%s]\n%s%s", row->says, row->first, row->fields,
                  response.head, response.body);
    check_headers(row, &response);
    if (row->status >= 400 && strcmp(method, "HEAD") != 0) {
        const char *type = system_response_header(&response, "Content-Type");

        ck_assert_msg(type != NULL && strcmp(type, "application/problem+json") == 0, "%s", row->first);
        ck_assert_msg(row->answer == NULL || strstr(response.body, row->answer) != NULL, "%s: %s\n%s", row->says,
                      row->first, response.body);
    } else if (row->answer != NULL)
        ck_assert_msg(strcmp(response.body, row->answer) == 0, "%s: %s\n%s", row->says, row->first, response.body);
    keep(bed.etag, sizeof bed.etag, &response, "ETag");
    keep(bed.date, sizeof bed.date, &response, "Last-Modified");
    connection = system_response_header(&response, "Connection");
    if (connection != NULL && strcmp(connection, "close") == 0)
        system_client_close(&bed.client);
    system_response_fini(&response);
}

#define CHECK(rows)                                                 \
    do {                                                            \
        start();                                                    \
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows)[0]; i++) \
            check_row(&(rows)[i]);                                  \
        stop();                                                     \
    } while (0)

/* ---- keys ---- */

START_TEST(keys)
{
    static char longest[16 + 4096 + 1], longer[16 + 4097 + 1], longer_query[16 + 4097 + 1];
    struct row rows[] = {
        { "everything after /v1/kv/", "PUT /v1/kv/a/b//c/./../d/", "", "1", 201, NULL, "" },
        { "everything after /v1/kv/", "GET /v1/kv/a/b//c/./../d/", "", NULL, 200, NULL, "1" },
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
    CHECK(rows);
}
END_TEST

/* ---- one key ---- */

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

    CHECK(rows);
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

    CHECK(rows);
}
END_TEST

/* ---- what is refused ---- */

struct refused_row {
    const char *request;
    int status;
    bool closes;
};

START_TEST(what_is_refused)
{
    static const struct refused_row rows[] = {
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
          true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
          true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, true },
        { "PUT /v1/kv/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\nHost: h\n\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\n\r\n", 400, true },
        { "PUT /v1/kv/a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400, true },
        { "PUT v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n", 400, true },
        { "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, true },
        { "BREW /v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n", 405, true },
        { "GET http://other:1/v1/kv/a HTTP/1.1\r\nHost: h\r\n\r\n", 404, false },
        { "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 204, false },
        { "GET /v1/kv/a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, false },
        { "GET /livez?x=1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, false },
        { "GET /v1/kv/a HTTP/1.1\r\nHost: h\r\nRackKV-Unknown: 1\r\n\r\n", 400, false },
        { "GET /readyz HTTP/1.1\r\nHost: h\r\nRackKV-TTL: 1\r\n\r\n", 400, false },
        { "GET /get?key=a HTTP/1.1\r\nHost: h\r\nRackKV-Durability: synced\r\n\r\n", 400, false },
    };

    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char byte;

        system_client_close(&bed.client);
        ck_assert(system_client_open(&bed.client, bed.client.port));
        ck_assert(system_client_send(&bed.client, rows[i].request));
        ck_assert_msg(system_client_receive_status(&bed.client, "GET") == rows[i].status, "%s", rows[i].request);
        if (rows[i].closes)
            ck_assert_msg(recv(bed.client.fd, &byte, 1, 0) == 0, "%s", rows[i].request);
        else
            ck_assert_int_eq(system_client_status(&bed.client, "GET", "/livez", NULL, 0), 200);
    }
    system_client_close(&bed.client);
    ck_assert_int_eq(system_client_status(&bed.client, "GET", "/v1/kv/a", NULL, 0), 404);
    stop();
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
    CHECK(rows);
}
END_TEST

/* ---- what time, merges and restarts do ---- */

static int ask(const char *method, const char *target, const char *body)
{
    return system_client_status(&bed.client, method, target, body, body != NULL ? strlen(body) : 0);
}

/* Waits until it is gone; from then on it is for every request, whoever asks. */
static void wait_until_absent(const char *target)
{
    long deadline = system_now_ms() + SYSTEM_DEADLINE_MS;
    int status;

    while ((status = ask("GET", target, NULL)) != 404) {
        ck_assert_int_eq(status, 200);
        ck_assert_int_lt(system_now_ms(), deadline);
    }
}

START_TEST(what_has_expired_is_absent)
{
    start();
    ck_assert_int_eq(ask("PUT", A "?ttl=50ms", "v"), 201);
    wait_until_absent(A);
    ck_assert_int_eq(ask("DELETE", A, NULL), 404);
    ck_assert_int_eq(ask("POST", A "?op=touch&ttl=60", NULL), 404);
    ck_assert_int_eq(ask("PUT", A "?ttl=50ms", "v"), 201);
    wait_until_absent(A);
    check_row(&(struct row){ "create only", "PUT " A "?ttl=50ms", "If-None-Match: *\n", "v", 201, NULL, "" });
    wait_until_absent(A);
    check_row(&(struct row){ "If-Match", "PUT " A, "If-Match: *\n", "v", 412, "!ETag", NULL });
    check_row(&(struct row){ "incr", "POST " A "?op=incr", "", "", 200, NULL, "1" });
    check_row(&(struct row){ "incr", "GET " A, "", NULL, 200, "!RackKV-Expires", "1" });
    ck_assert_int_eq(ask("POST", A "?op=touch&ttl=50ms", ""), 204);
    wait_until_absent(A);
    ck_assert_int_eq(ask("POST", A "?op=append", "x"), 201);
    ck_assert_int_eq(ask("PUT", A, "v"), 204);
    stop();
}
END_TEST

START_TEST(what_is_stored_outlives_merges_and_restarts)
{
    static const struct row put = {
        "all of it",
        "PUT " A "?expires=4000000000",
        "Content-Type: text/x\nCache-Control: max-age=5\nRackKV-Meta-B: 1\nrackkv-meta-a: 2\n",
        "v",
        204,
        NULL,
        ""
    };
    static const struct row get = {
        "all of it",
        "GET " A,
        "",
        NULL,
        200,
        "Content-Type: text/x\nCache-Control: max-age=5\nRackKV-Meta-B: 1\nrackkv-meta-a: 2\n"
        "RackKV-Expires: 4000000000\nETag: {etag}",
        "v"
    };

    start();
    ck_assert_int_eq(ask("PUT", A, "before"), 201);
    check_row(&put);
    check_row(&get);
    (void)system_ctl(bed.dir, "merge start --all --wait");
    check_row(&get);
    check_row(&(struct row){ "its tag is good after a merge", "PUT /v1/kv/b", "", "v", 201, NULL, "" });
    ck_assert_int_eq(system_server_stop(&bed.server, SIGTERM), 0);
    bed.server = system_server_start(bed.dir, NULL);
    system_client_close(&bed.client);
    bed.client.port = system_server_port(bed.server);
    strcpy(bed.etag, bed.old);
    check_row(&get);
    stop();
}
END_TEST

/* A range of a large value, whose blocks are read alone. */
START_TEST(ranges_of_a_large_value)
{
    const size_t len = 300001;
    char *value = malloc(len), text[100];
    struct system_response response;

    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + i * 31 % 26 - i / 65536 % 3);
    start();
    ck_assert_int_eq(system_client_status(&bed.client, "PUT", A, value, len), 201);
    for (size_t first = 0; first < len; first += 32767) {
        size_t last = first + 70000 < len ? first + 70000 : len - 1;

        snprintf(text, sizeof text, "GET " A " HTTP/1.1\r\nHost: h\r\nRange: bytes=%zu-%zu\r\n\r\n", first, last);
        ck_assert(system_client_send(&bed.client, text));
        ck_assert(system_client_receive(&bed.client, "GET", &response));
        ck_assert_int_eq(response.status, 206);
        ck_assert_uint_eq(response.body_len, last - first + 1);
        ck_assert_mem_eq(response.body, value + first, response.body_len);
        system_response_fini(&response);
    }
    stop();
    free(value);
}
END_TEST

/* ---- all workers together ---- */

#define N_CLIENTS 16
#define N_ROUNDS  25

static long value_of(struct system_client *client, const char *target)
{
    struct system_response response;
    long value;

    system_client_request(client, "GET", target, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    value = strtol(response.body, NULL, 10);
    system_response_fini(&response);
    return value;
}

static void *increment(void *port)
{
    struct system_client client = { .fd = -1, .port = *(int *)port };

    for (int i = 0; i < N_ROUNDS; i++)
        ck_assert_int_eq(system_client_status(&client, "POST", "/v1/kv/n?op=incr", "", 0), 200);
    system_client_close(&client);
    return NULL;
}

/* Reads, and writes one more if it is still that. */
static void *compare_and_set(void *port)
{
    struct system_client client = { .fd = -1, .port = *(int *)port };

    for (int done = 0; done < N_ROUNDS;) {
        struct system_response response;
        char text[300], etag[32];
        long value;
        int status;

        system_client_request(&client, "GET", "/v1/kv/c", NULL, 0, &response);
        ck_assert_int_eq(response.status, 200);
        value = strtol(response.body, NULL, 10);
        snprintf(etag, sizeof etag, "%s", system_response_header(&response, "ETag"));
        system_response_fini(&response);
        snprintf(text, sizeof text,
                 "PUT /v1/kv/c HTTP/1.1\r\nHost: h\r\nIf-Match: %s\r\nContent-Length: 6\r\n\r\n%06ld", etag, value + 1);
        ck_assert(system_client_send(&client, text));
        status = system_client_receive_status(&client, "PUT");
        ck_assert_msg(status == 204 || status == 412, "%d", status);
        done += status == 204;
    }
    system_client_close(&client);
    return NULL;
}

static void run_all(void *(*body)(void *port))
{
    pthread_t threads[N_CLIENTS];
    int port = system_server_port(bed.server);

    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, &port), 0);
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

START_TEST(nothing_is_lost_between_workers)
{
    start();
    ck_assert_int_eq(ask("PUT", "/v1/kv/c", "0"), 201);
    run_all(increment);
    run_all(compare_and_set);
    ck_assert_int_eq(value_of(&bed.client, "/v1/kv/n"), N_CLIENTS * N_ROUNDS);
    ck_assert_int_eq(value_of(&bed.client, "/v1/kv/c"), N_CLIENTS * N_ROUNDS);
    stop();
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system_one_key");
    TCase *tcase = tcase_create("one key");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, keys);
    tcase_add_test(tcase, one_key);
    tcase_add_test(tcase, the_originals_endpoints);
    tcase_add_test(tcase, what_is_refused);
    tcase_add_test(tcase, the_small_print);
    tcase_add_test(tcase, what_has_expired_is_absent);
    tcase_add_test(tcase, what_is_stored_outlives_merges_and_restarts);
    tcase_add_test(tcase, ranges_of_a_large_value);
    tcase_add_test(tcase, nothing_is_lost_between_workers);
    suite_add_tcase(suite, tcase);
    return suite;
}

#include "http/http_route.h"
#include "http/http_target.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

/* One target: the problem, or the path and the decoded key and value. Strings with their lengths, for NUL bytes. */
struct row {
    const char *target;
    enum rk_http_problem problem;
    const char *path; /* of its rows in the table; NULL: there is none */
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
};

#define BYTES(literal) (literal), sizeof(literal) - 1
#define NONE           NULL, 0
#define KEY(target, key)                                        \
    {                                                           \
        target, RK_HTTP_NO_PROBLEM, "/v1/kv/", BYTES(key), NONE \
    }
#define GET(target, key)                                     \
    {                                                        \
        target, RK_HTTP_NO_PROBLEM, "/get", BYTES(key), NONE \
    }
#define PUT(target, key, value)                                      \
    {                                                                \
        target, RK_HTTP_NO_PROBLEM, "/put", BYTES(key), BYTES(value) \
    }
#define NO_KEY(target, path)                         \
    {                                                \
        target, RK_HTTP_NO_PROBLEM, path, NONE, NONE \
    }
#define BAD(target, name)                                \
    {                                                    \
        target, RK_HTTP_PROBLEM_##name, NULL, NONE, NONE \
    }

static const struct row rows[] = {
    KEY("/v1/kv/a", "a"),
    KEY("/v1/kv/", ""),
    KEY("/v1/kv/a/b", "a/b"),
    KEY("/v1/kv/a%2Fb", "a/b"),
    KEY("/v1/kv/a%2fb", "a/b"),
    KEY("/v1/kv//", "/"),
    KEY("/v1/kv//a", "/a"),
    KEY("/v1/kv/a/", "a/"),
    KEY("/v1/kv/.", "."),
    KEY("/v1/kv/..", ".."),
    KEY("/v1/kv/../../livez", "../../livez"),
    KEY("/v1/kv/%2e%2e", ".."),
    KEY("/v1/kv/%2e%2e%2f%2e%2e%2flivez", "../../livez"),
    KEY("/v1/kv/%2E", "."),
    KEY("/v1/kv/%00", "\0"),
    KEY("/v1/kv/a%00b", "a\0b"),
    KEY("/v1/kv/%25", "%"),
    KEY("/v1/kv/%2525", "%25"), /* once, not twice */
    KEY("/v1/kv/+", "+"),
    KEY("/v1/kv/a+b", "a+b"),
    KEY("/v1/kv/%20", " "),
    KEY("/v1/kv/%ff%FE", "\xff\xfe"),
    KEY("/v1/kv/\xc3\xa4", "\xc3\xa4"),
    KEY("/v1/kv/a#b", "a#b"),
    KEY("/v1/kv/a?", "a"),
    KEY("/v1/kv/a?x=1", "a"),
    KEY("/v1/kv/a%3Fx=1", "a?x=1"),
    KEY("/v1/kv/a&key=b", "a&key=b"),
    KEY("/v1/kv?key=a", "a"),
    KEY("/v1/kv?key=", ""),
    KEY("/v1/kv?key=a+b", "a+b"),
    KEY("/v1/kv?key=a%20b", "a b"),
    KEY("/v1/kv?key=a%26b", "a&b"),
    KEY("/v1/kv?key=a=b", "a=b"),
    KEY("/v1/kv?key=a?b", "a?b"),
    KEY("/v1/kv?x&key=a&&y=2&", "a"),
    KEY("/v1/kv?key=/../a", "/../a"),
    NO_KEY("/v1/kv", "/v1/kv/"),
    NO_KEY("/v1/kv?", "/v1/kv/"),
    NO_KEY("/v1/kv?prefix=a", "/v1/kv/"),
    NO_KEY("/v1/kv?Key=a", "/v1/kv/"),
    BAD("/v1/kv?key=a&key=b", REPEATED_PARAMETER),
    BAD("/v1/kv/a?key=b", REPEATED_PARAMETER),
    BAD("/v1/kv/a%", BAD_ESCAPE),
    BAD("/v1/kv/a%2", BAD_ESCAPE),
    BAD("/v1/kv/%zz", BAD_ESCAPE),
    BAD("/v1/kv/%2g", BAD_ESCAPE),
    BAD("/v1/kv/%g2", BAD_ESCAPE),
    BAD("/v1/kv/% 2", BAD_ESCAPE),
    BAD("/v1/kv/%%41", BAD_ESCAPE),
    BAD("/v1/kv?key=%4", BAD_ESCAPE),

    PUT("/put?key=K&val=V", "K", "V"),
    PUT("/put?key=K&value=V", "K", "V"),
    PUT("/put?value=V&key=K", "K", "V"),
    PUT("/put?key=K&val=", "K", ""),
    PUT("/put?key=a+b&val=c+d%2Be", "a b", "c d+e"),
    PUT("/put?key=K&val=a%26b=c", "K", "a&b=c"),
    PUT("/put?key=K&val=a=b=", "K", "a=b="),
    PUT("/put?key=%00&val=%00", "\0", "\0"),
    BAD("/put?key=K&val=V&value=W", REPEATED_PARAMETER),
    BAD("/put?key=K&key=K&val=V", REPEATED_PARAMETER),
    BAD("/put?key=K&val=%", BAD_ESCAPE),
    { "/put?key=K", RK_HTTP_NO_PROBLEM, "/put", BYTES("K"), NONE },
    { "/put?val=V", RK_HTTP_NO_PROBLEM, "/put", NONE, BYTES("V") },
    NO_KEY("/put", "/put"),

    GET("/get?key=K", "K"),
    GET("/get?key=a+b", "a b"),
    GET("/get?K", "K"),
    GET("/get?a+b", "a b"),
    GET("/get?a%2Bb", "a+b"),
    GET("/get?a=b&c", "a=b&c"),
    GET("/get?x=1&key=K", "K"),
    GET("/get?key=", ""),
    BAD("/get?key=%q1", BAD_ESCAPE),
    BAD("/get?%q1", BAD_ESCAPE),
    NO_KEY("/get", "/get"),
    NO_KEY("/get?", "/get"),
    { "/delete?key=K", RK_HTTP_NO_PROBLEM, "/delete", BYTES("K"), NONE },
    NO_KEY("/delete?K", "/delete"),
    NO_KEY("/open", "/open"),
    NO_KEY("/open?rw=1&syn=0", "/open"),

    NO_KEY("/livez", "/livez"),
    NO_KEY("/livez?verbose", "/livez"),
    NO_KEY("/readyz", "/readyz"),

    /* Nothing is normalised into an endpoint. */
    NO_KEY("/", NULL),
    NO_KEY("", NULL),
    NO_KEY("?", NULL),
    NO_KEY("/v1", NULL),
    NO_KEY("/v1/", NULL),
    NO_KEY("/v1/kvx", NULL),
    NO_KEY("/v1/k%76/a", NULL),
    NO_KEY("/V1/kv/a", NULL),
    NO_KEY("//v1/kv/a", NULL),
    NO_KEY("/./v1/kv/a", NULL),
    NO_KEY("/x/../v1/kv/a", NULL),
    NO_KEY("/%76%31/kv/a", NULL),
    NO_KEY("/livez/", NULL),
    NO_KEY("/get/", NULL),
    NO_KEY("/ge%74?key=a", NULL),
    NO_KEY("/v1%2fkv%2fa", NULL),
};

static enum rk_http_problem decode(struct rk_http_span *span, bool plus_is_space, char *room)
{
    if (span->at == NULL || rk_http_target_is_plain(*span, plus_is_space))
        return RK_HTTP_NO_PROBLEM;
    return rk_http_target_decode(span, plus_is_space, room) ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_ESCAPE;
}

static void check_span(const struct row *row, struct rk_http_span span, const char *bytes, size_t len)
{
    ck_assert_msg((span.at == NULL) == (bytes == NULL), "%s: there or not", row->target);
    if (bytes != NULL)
        ck_assert_msg(span.len == len && memcmp(span.at, bytes, len) == 0, "%s: other bytes", row->target);
}

static bool plus_is_space(const struct rk_http_target *target)
{
    return target->path != NULL && target->path->is_legacy;
}

static void check_row(const struct row *row)
{
    size_t len = strlen(row->target);
    char *target_bytes = memcpy(malloc(len + 1), row->target, len + 1); /* on the heap, so that overruns are seen */
    char *key_room = malloc(len + 1), *value_room = malloc(len + 1);
    struct rk_http_target target;
    enum rk_http_problem problem = rk_http_target_parse(target_bytes, len, rk_http_routes, true, &target);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = decode(&target.key, plus_is_space(&target), key_room);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = decode(&target.value, plus_is_space(&target), value_room);
    ck_assert_msg(problem == row->problem, "%s: problem %d, not %d", row->target, problem, row->problem);
    if (problem == RK_HTTP_NO_PROBLEM) {
        ck_assert_msg(row->path == NULL ? target.path == NULL
                                        : target.path != NULL && strcmp(target.path->path, row->path) == 0,
                      "%s: not the path %s", row->target, row->path != NULL ? row->path : "(none)");
        check_span(row, target.key, row->key, row->key_len);
        check_span(row, target.value, row->value, row->value_len);
    }
    free(target_bytes);
    free(key_room);
    free(value_room);
}

START_TEST(every_target_of_the_table)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}
END_TEST

START_TEST(without_legacy_its_endpoints_do_not_exist)
{
    static const char *const paths[] = { "/put?key=a&val=b", "/get?key=a", "/delete?key=a", "/open" };
    struct rk_http_target target;

    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(rk_http_target_parse(paths[i], strlen(paths[i]), rk_http_routes, false, &target),
                         RK_HTTP_NO_PROBLEM);
        ck_assert_ptr_null(target.path);
    }
}
END_TEST

START_TEST(options_are_seen)
{
    static const char *const with[] = { "/v1/kv/a?op=incr", "/v1/kv/a?by=1", "/v1/kv?key=a&ttl=5",
                                        "/v1/kv/a?x&expires=1" };
    static const char *const without[] = { "/v1/kv/a?opx=1", "/v1/kv/a?%6fp=incr", "/v1/kv/a?tt%6c=5", "/v1/kv/op=1",
                                           "/v1/kv/a?x=op" };
    struct rk_http_target target;

    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        ck_assert_int_eq(rk_http_target_parse(with[i], strlen(with[i]), rk_http_routes, true, &target),
                         RK_HTTP_NO_PROBLEM);
        ck_assert_msg((target.parameters & RK_HTTP_OPTIONS) != 0, "%s", with[i]);
    }
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        ck_assert_int_eq(rk_http_target_parse(without[i], strlen(without[i]), rk_http_routes, true, &target),
                         RK_HTTP_NO_PROBLEM);
        ck_assert_msg((target.parameters & RK_HTTP_OPTIONS) == 0, "%s", without[i]);
    }
}
END_TEST

static size_t escape(const unsigned char *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        out[at++] = '%';
        out[at++] = digits[bytes[i] >> 4];
        out[at++] = digits[bytes[i] & 15];
    }
    return at;
}

/* Every byte, escaped and (where it can stand in a target) raw, comes back as itself and as nothing else. */
START_TEST(every_byte_comes_back)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned char key[3] = { 'a', (unsigned char)byte, 'z' };
        char text[32] = "/v1/kv/", room[32];
        size_t len = strlen(text) + escape(key, 3, text + strlen(text));
        struct rk_http_target target;

        ck_assert_int_eq(rk_http_target_parse(text, len, rk_http_routes, true, &target), RK_HTTP_NO_PROBLEM);
        ck_assert(!rk_http_target_is_plain(target.key, false));
        ck_assert(rk_http_target_decode(&target.key, false, room));
        ck_assert_uint_eq(target.key.len, 3);
        ck_assert_mem_eq(target.key.at, key, 3);
        if (byte == '%' || byte == '?')
            continue;
        memcpy(text + 7, key, 3);
        ck_assert_int_eq(rk_http_target_parse(text, 10, rk_http_routes, true, &target), RK_HTTP_NO_PROBLEM);
        ck_assert(rk_http_target_is_plain(target.key, false));
        ck_assert_uint_eq(target.key.len, 3);
        ck_assert_mem_eq(target.key.at, key, 3);
    }
}
END_TEST

/* ---- the table ---- */

static bool is_front(const char *path)
{
    return strlen(path) > 1 && path[strlen(path) - 1] == '/';
}

/* Two rows take the same requests. */
static bool is_twice(const struct rk_http_route *a, const struct rk_http_route *b)
{
    if (a == b || (a->methods & b->methods) == 0)
        return false;
    if (a->is_listing != b->is_listing)
        return (a > b) == a->is_listing; /* the one for a request without a key comes first */
    if (a->operation == NULL || b->operation == NULL)
        return a->operation == b->operation || (a->operation == NULL) == (a < b); /* the one without is the last */
    return strcmp(a->operation, b->operation) == 0;
}

/* What finds a row relies on: rows of a path stand together, and no two of them take one method and operation. */
START_TEST(the_table_is_in_order)
{
    size_t n = 0;

    for (const struct rk_http_route *route = rk_http_routes; route->path != NULL; route++, n++) {
        unsigned methods = 0;

        ck_assert_msg(route->methods != 0 && (route->methods >> RK_HTTP_OPTIONS_METHOD) == 0, "%s", route->path);
        ck_assert_msg(route->start != NULL || strcmp(route->path, "*") == 0, "%s: nobody answers", route->path);
        ck_assert_msg(route->start == NULL || route->summary[strlen(route->summary) - 1] == '.', "%s", route->path);
        ck_assert_msg(route->start == NULL || strpbrk(route->summary, "\"\\") == NULL, "%s", route->path);
        ck_assert_msg(route->operand == RK_HTTP_TAKES_NOTHING || (route->parameters & RK_HTTP_PARAMETER_KEY) != 0,
                      "%s: takes a key, and does not know the parameter", route->path);
        ck_assert_msg(!is_front(route->path) || (route->operand != RK_HTTP_TAKES_NOTHING) != route->is_listing, "%s",
                      route->path);
        for (const struct rk_http_route *other = rk_http_routes; other->path != NULL; other++) {
            if (strcmp(other->path, route->path) != 0)
                continue;
            ck_assert_msg(!is_twice(other, route), "%s: twice", route->path);
            ck_assert_msg(other <= route || other == route + 1 || strcmp(other[-1].path, route->path) == 0,
                          "%s: its rows do not stand together", route->path);
            methods |= other->methods;
        }
        for (unsigned method = RK_HTTP_GET; method < RK_HTTP_OTHER_METHOD; method++) {
            struct rk_http_target target = { .path = route };

            while (target.path > rk_http_routes && strcmp(target.path[-1].path, route->path) == 0)
                target.path--;
            ck_assert_msg((rk_http_route_find(&target, method) != NULL) == ((methods >> method & 1) != 0),
                          "%s: method %u", route->path, method);
        }
    }
    ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(an_operation_finds_its_row)
{
    static const struct {
        const char *target;
        enum rk_http_method method;
        const char *operation;
    } asked[] = {
        { "/v1/kv/a?op=incr", RK_HTTP_POST, "incr" },     { "/v1/kv?op=in%63r&key=a", RK_HTTP_POST, "incr" },
        { "/v1/kv/a?op=append", RK_HTTP_POST, "append" }, { "/v1/kv/a?ttl=1&op=touch", RK_HTTP_POST, "touch" },
        { "/v1/kv/a?op=incr", RK_HTTP_PUT, NULL },        { "/v1/kv/a?op=other", RK_HTTP_POST, NULL },
        { "/v1/kv/a?op=", RK_HTTP_POST, NULL },           { "/v1/kv/a", RK_HTTP_POST, NULL },
        { "/get?op=incr", RK_HTTP_POST, NULL },
    };

    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        const struct rk_http_route *route;
        struct rk_http_target target;

        ck_assert_int_eq(rk_http_target_parse(asked[i].target, strlen(asked[i].target), rk_http_routes, true, &target),
                         RK_HTTP_NO_PROBLEM);
        route = rk_http_route_find(&target, asked[i].method);
        ck_assert_ptr_nonnull(route);
        ck_assert_msg((route->operation == NULL) == (asked[i].operation == NULL), "%s", asked[i].target);
        ck_assert(route->operation == NULL || strcmp(route->operation, asked[i].operation) == 0);
    }
}
END_TEST

START_TEST(a_path_allows_what_its_rows_take)
{
    static const struct {
        const char *target, *allow;
    } paths[] = {
        { "/v1/kv/a", "GET, HEAD, PUT, POST, DELETE, OPTIONS" },
        { "/v1/kv?key=a", "GET, HEAD, PUT, POST, DELETE, OPTIONS" },
        { "/livez", "GET, HEAD, OPTIONS" },
        { "/get?a", "GET, HEAD, PUT, POST, OPTIONS" },
        { "*", "GET, HEAD, PUT, POST, DELETE, OPTIONS" },
    };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct rk_http_target target;
        char allow[RK_HTTP_ALLOW_BYTES];

        ck_assert_int_eq(rk_http_target_parse(paths[i].target, strlen(paths[i].target), rk_http_routes, true, &target),
                         RK_HTTP_NO_PROBLEM);
        rk_http_route_allow(target.path, allow);
        ck_assert_str_eq(allow, paths[i].allow);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_target");
    TCase *tcase = tcase_create("target");

    tcase_add_test(tcase, every_target_of_the_table);
    tcase_add_test(tcase, without_legacy_its_endpoints_do_not_exist);
    tcase_add_test(tcase, the_table_is_in_order);
    tcase_add_test(tcase, an_operation_finds_its_row);
    tcase_add_test(tcase, a_path_allows_what_its_rows_take);
    tcase_add_test(tcase, options_are_seen);
    tcase_add_test(tcase, every_byte_comes_back);
    suite_add_tcase(suite, tcase);
    return suite;
}

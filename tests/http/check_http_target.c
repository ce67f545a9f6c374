#include "http/http_target.h"
#include "test_main.h"

#include <stdlib.h>
#include <string.h>

/* One target: the problem, or the endpoint and the decoded key and value. Strings with their lengths, for NUL bytes. */
struct row {
    const char *target;
    enum rk_http_problem problem;
    enum rk_http_endpoint endpoint;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
};

#define BYTES(literal) (literal), sizeof(literal) - 1
#define NONE           NULL, 0
#define KEY(target, key)                                                   \
    {                                                                      \
        target, RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_KEY, BYTES(key), NONE \
    }
#define GET(target, key)                                                          \
    {                                                                             \
        target, RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_LEGACY_GET, BYTES(key), NONE \
    }
#define PUT(target, key, value)                                                           \
    {                                                                                     \
        target, RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_LEGACY_PUT, BYTES(key), BYTES(value) \
    }
#define NO_KEY(target, name)                                            \
    {                                                                   \
        target, RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_##name, NONE, NONE \
    }
#define BAD(target, name)                                                 \
    {                                                                     \
        target, RK_HTTP_PROBLEM_##name, RK_HTTP_ENDPOINT_NONE, NONE, NONE \
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
    NO_KEY("/v1/kv", KEY),
    NO_KEY("/v1/kv?", KEY),
    NO_KEY("/v1/kv?prefix=a", KEY),
    NO_KEY("/v1/kv?Key=a", KEY),
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
    { "/put?key=K", RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_LEGACY_PUT, BYTES("K"), NONE },
    { "/put?val=V", RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_LEGACY_PUT, NONE, BYTES("V") },
    NO_KEY("/put", LEGACY_PUT),

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
    NO_KEY("/get", LEGACY_GET),
    NO_KEY("/get?", LEGACY_GET),
    { "/delete?key=K", RK_HTTP_NO_PROBLEM, RK_HTTP_ENDPOINT_LEGACY_DELETE, BYTES("K"), NONE },
    NO_KEY("/delete?K", LEGACY_DELETE),
    NO_KEY("/open", LEGACY_OPEN),
    NO_KEY("/open?rw=1&syn=0", LEGACY_OPEN),

    NO_KEY("/livez", LIVEZ),
    NO_KEY("/livez?verbose", LIVEZ),
    NO_KEY("/readyz", READYZ),

    /* Nothing is normalised into an endpoint. */
    NO_KEY("/", NONE),
    NO_KEY("", NONE),
    NO_KEY("?", NONE),
    NO_KEY("/v1", NONE),
    NO_KEY("/v1/", NONE),
    NO_KEY("/v1/kvx", NONE),
    NO_KEY("/v1/k%76/a", NONE),
    NO_KEY("/V1/kv/a", NONE),
    NO_KEY("//v1/kv/a", NONE),
    NO_KEY("/./v1/kv/a", NONE),
    NO_KEY("/x/../v1/kv/a", NONE),
    NO_KEY("/%76%31/kv/a", NONE),
    NO_KEY("/livez/", NONE),
    NO_KEY("/get/", NONE),
    NO_KEY("/ge%74?key=a", NONE),
    NO_KEY("/v1%2fkv%2fa", NONE),
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

static void check_row(const struct row *row)
{
    size_t len = strlen(row->target);
    char *target_bytes = memcpy(malloc(len + 1), row->target, len + 1); /* on the heap, so that overruns are seen */
    char *key_room = malloc(len + 1), *value_room = malloc(len + 1);
    struct rk_http_target target;
    enum rk_http_problem problem = rk_http_target_parse(target_bytes, len, true, &target);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = decode(&target.key, target.plus_is_space, key_room);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = decode(&target.value, target.plus_is_space, value_room);
    ck_assert_msg(problem == row->problem, "%s: problem %d, not %d", row->target, problem, row->problem);
    if (problem == RK_HTTP_NO_PROBLEM) {
        ck_assert_msg(target.endpoint == row->endpoint, "%s: endpoint %d", row->target, target.endpoint);
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
        ck_assert_int_eq(rk_http_target_parse(paths[i], strlen(paths[i]), false, &target), RK_HTTP_NO_PROBLEM);
        ck_assert_int_eq(target.endpoint, RK_HTTP_ENDPOINT_NONE);
    }
}
END_TEST

START_TEST(options_are_seen)
{
    static const char *const with[] = { "/v1/kv/a?op=incr", "/v1/kv/a?by=1", "/v1/kv?key=a&ttl=5",
                                        "/v1/kv/a?x&expires=1" };
    static const char *const without[] = { "/v1/kv/a?opx=1", "/v1/kv/op=1", "/v1/kv/a?x=op" };
    struct rk_http_target target;

    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        ck_assert_int_eq(rk_http_target_parse(with[i], strlen(with[i]), true, &target), RK_HTTP_NO_PROBLEM);
        ck_assert_msg((target.parameters & RK_HTTP_OPTIONS) != 0, "%s", with[i]);
    }
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        ck_assert_int_eq(rk_http_target_parse(without[i], strlen(without[i]), true, &target), RK_HTTP_NO_PROBLEM);
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

        ck_assert_int_eq(rk_http_target_parse(text, len, true, &target), RK_HTTP_NO_PROBLEM);
        ck_assert(!rk_http_target_is_plain(target.key, false));
        ck_assert(rk_http_target_decode(&target.key, false, room));
        ck_assert_uint_eq(target.key.len, 3);
        ck_assert_mem_eq(target.key.at, key, 3);
        if (byte == '%' || byte == '?')
            continue;
        memcpy(text + 7, key, 3);
        ck_assert_int_eq(rk_http_target_parse(text, 10, true, &target), RK_HTTP_NO_PROBLEM);
        ck_assert(rk_http_target_is_plain(target.key, false));
        ck_assert_uint_eq(target.key.len, 3);
        ck_assert_mem_eq(target.key.at, key, 3);
    }
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("http_target");
    TCase *tcase = tcase_create("target");

    tcase_add_test(tcase, every_target_of_the_table);
    tcase_add_test(tcase, without_legacy_its_endpoints_do_not_exist);
    tcase_add_test(tcase, options_are_seen);
    tcase_add_test(tcase, every_byte_comes_back);
    suite_add_tcase(suite, tcase);
    return suite;
}

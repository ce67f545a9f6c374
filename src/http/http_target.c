#include "http/http_target.h"

#include <string.h>

#define KEY_PREFIX "/v1/kv/"

static bool span_is(struct rk_http_span span, const char *text, size_t len)
{
    return span.len == len && memcmp(span.at, text, len) == 0;
}

#define SPAN_IS(span, literal) span_is(span, literal, sizeof(literal) - 1)

/* The endpoints other than keys in paths. */
static enum rk_http_endpoint endpoint_of_path(struct rk_http_span path, bool legacy)
{
    if (SPAN_IS(path, "/v1/kv"))
        return RK_HTTP_ENDPOINT_KEY;
    if (SPAN_IS(path, "/livez"))
        return RK_HTTP_ENDPOINT_LIVEZ;
    if (SPAN_IS(path, "/readyz"))
        return RK_HTTP_ENDPOINT_READYZ;
    if (!legacy)
        return RK_HTTP_ENDPOINT_NONE;
    if (SPAN_IS(path, "/get"))
        return RK_HTTP_ENDPOINT_LEGACY_GET;
    if (SPAN_IS(path, "/put"))
        return RK_HTTP_ENDPOINT_LEGACY_PUT;
    if (SPAN_IS(path, "/delete"))
        return RK_HTTP_ENDPOINT_LEGACY_DELETE;
    if (SPAN_IS(path, "/open"))
        return RK_HTTP_ENDPOINT_LEGACY_OPEN;
    return RK_HTTP_ENDPOINT_NONE;
}

/* Takes the bytes before the separator off the front; the separator goes too. */
static struct rk_http_span take_until(struct rk_http_span *rest, char separator)
{
    const char *end = memchr(rest->at, separator, rest->len);
    struct rk_http_span taken = { rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len };
    size_t used = end != NULL ? taken.len + 1 : taken.len;

    rest->at += used;
    rest->len -= used;
    return taken;
}

static bool is_option(struct rk_http_span name)
{
    return SPAN_IS(name, "op") || SPAN_IS(name, "by") || SPAN_IS(name, "ttl") || SPAN_IS(name, "expires");
}

static enum rk_http_problem set_once(struct rk_http_span *slot, struct rk_http_span value)
{
    if (slot->at != NULL)
        return RK_HTTP_PROBLEM_REPEATED_PARAMETER; /* which one is meant nobody can know */
    *slot = value;
    return RK_HTTP_NO_PROBLEM;
}

/* Parameters that nobody asks for are passed over, as query parsers do. */
static enum rk_http_problem parse_parameter(struct rk_http_target *target, struct rk_http_span parameter)
{
    struct rk_http_span name = take_until(&parameter, '=');

    if (SPAN_IS(name, "key"))
        return set_once(&target->key, parameter);
    if (target->endpoint == RK_HTTP_ENDPOINT_LEGACY_PUT && (SPAN_IS(name, "val") || SPAN_IS(name, "value")))
        return set_once(&target->value, parameter);
    if (target->endpoint == RK_HTTP_ENDPOINT_KEY && is_option(name))
        target->has_option = true;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem parse_query(struct rk_http_target *target, struct rk_http_span query)
{
    struct rk_http_span rest = query;

    while (rest.len > 0) {
        enum rk_http_problem problem = parse_parameter(target, take_until(&rest, '&'));

        if (problem != RK_HTTP_NO_PROBLEM)
            return problem;
    }
    /* The original also takes the bare key: /get?K */
    if (target->endpoint == RK_HTTP_ENDPOINT_LEGACY_GET && target->key.at == NULL && query.len > 0)
        target->key = query;
    return RK_HTTP_NO_PROBLEM;
}

static bool takes_key(enum rk_http_endpoint endpoint)
{
    return endpoint >= RK_HTTP_ENDPOINT_KEY && endpoint <= RK_HTTP_ENDPOINT_LEGACY_DELETE;
}

enum rk_http_problem rk_http_target_parse(const char *bytes, size_t len, bool legacy, struct rk_http_target *target_out)
{
    struct rk_http_span rest = { bytes, len };
    struct rk_http_span path = take_until(&rest, '?');
    struct rk_http_target target = { .endpoint = RK_HTTP_ENDPOINT_NONE };
    enum rk_http_problem problem = RK_HTTP_NO_PROBLEM;

    if (path.len >= strlen(KEY_PREFIX) && memcmp(path.at, KEY_PREFIX, strlen(KEY_PREFIX)) == 0) {
        target.endpoint = RK_HTTP_ENDPOINT_KEY;
        target.key.at = path.at + strlen(KEY_PREFIX);
        target.key.len = path.len - strlen(KEY_PREFIX);
    } else
        target.endpoint = endpoint_of_path(path, legacy);
    target.plus_is_space =
        target.endpoint >= RK_HTTP_ENDPOINT_LEGACY_PUT && target.endpoint <= RK_HTTP_ENDPOINT_LEGACY_OPEN;
    if (rest.len > 0 && takes_key(target.endpoint))
        problem = parse_query(&target, rest);
    if (problem == RK_HTTP_NO_PROBLEM)
        *target_out = target;
    return problem;
}

bool rk_http_target_is_plain(struct rk_http_span span, bool plus_is_space)
{
    return memchr(span.at, '%', span.len) == NULL && !(plus_is_space && memchr(span.at, '+', span.len) != NULL);
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool rk_http_target_decode(struct rk_http_span *span, bool plus_is_space, char *room)
{
    const char *at = span->at;
    const char *end = at + span->len;
    char *out = room;

    while (at < end) {
        int high, low;

        if (*at != '%') {
            *out++ = *at == '+' && plus_is_space ? ' ' : *at;
            at++;
            continue;
        }
        if (end - at < 3 || (high = hex_digit(at[1])) < 0 || (low = hex_digit(at[2])) < 0)
            return false;
        *out++ = (char)(high << 4 | low);
        at += 3;
    }
    *span = (struct rk_http_span){ room, (size_t)(out - room) };
    return true;
}

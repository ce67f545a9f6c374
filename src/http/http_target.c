#include "http/http_target.h"

#include <stdint.h>
#include <string.h>

static bool span_is(struct rk_http_span span, const char *text, size_t len)
{
    return span.len == len && memcmp(span.at, text, len) == 0;
}

/* Whether the path is that of the row; for one with a key in it, where the key begins. */
static inline bool is_path_of(const struct rk_http_route *route, struct rk_http_span path, struct rk_http_span *key)
{
    size_t len = route->path_len;
    bool is_front = len > 1 && route->path[len - 1] == '/';

    if (!is_front)
        return span_is(path, route->path, len);
    if (path.len + 1 < len || memcmp(path.at, route->path, len - 1) != 0)
        return false;
    if (path.len + 1 == len)
        return true; /* its key is a parameter */
    if (path.at[len - 1] != '/')
        return false;
    *key = (struct rk_http_span){ path.at + len, path.len - len };
    return true;
}

static const struct rk_http_route *find_path(const struct rk_http_route *routes, bool legacy, struct rk_http_span path,
                                             struct rk_http_span *key)
{
    for (const struct rk_http_route *route = routes; route->path != NULL; route++)
        if ((legacy || !route->is_legacy) && is_path_of(route, path, key))
            return route;
    return NULL;
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

static const struct {
    const char *name;
    size_t len;
    enum rk_http_parameter parameter;
} parameters[] = {
    { "key", 3, RK_HTTP_PARAMETER_KEY },       { "val", 3, RK_HTTP_PARAMETER_VALUE },
    { "value", 5, RK_HTTP_PARAMETER_VALUE },   { "op", 2, RK_HTTP_PARAMETER_OP },
    { "by", 2, RK_HTTP_PARAMETER_BY },         { "ttl", 3, RK_HTTP_PARAMETER_TTL },
    { "rw", 2, RK_HTTP_PARAMETER_RW },         { "expires", 7, RK_HTTP_PARAMETER_EXPIRES },
    { "syn", 3, RK_HTTP_PARAMETER_SYN },       { "prefix", 6, RK_HTTP_PARAMETER_PREFIX },
    { "after", 5, RK_HTTP_PARAMETER_AFTER },   { "prefix64", 8, RK_HTTP_PARAMETER_PREFIX64 },
    { "limit", 5, RK_HTTP_PARAMETER_LIMIT },   { "after64", 7, RK_HTTP_PARAMETER_AFTER64 },
    { "values", 6, RK_HTTP_PARAMETER_VALUES }, { "delimiter", 9, RK_HTTP_PARAMETER_DELIMITER },
};

#define N_PARAMETERS   (sizeof parameters / sizeof parameters[0])
#define NAME_MAX_BYTES (3 * 9) /* "delimiter", all of it escaped */

const char *rk_http_parameter_name(enum rk_http_parameter parameter)
{
    size_t at = 0;

    while (parameters[at].parameter != parameter)
        at++;
    return parameters[at].name;
}

/* 0 for a name that is no parameter's. */
static unsigned parameter_of(struct rk_http_span name)
{
    for (size_t i = 0; i < N_PARAMETERS; i++)
        if (span_is(name, parameters[i].name, parameters[i].len))
            return parameters[i].parameter;
    return 0;
}

static enum rk_http_problem parse_parameter(struct rk_http_target *target, struct rk_http_span parameter)
{
    char room[NAME_MAX_BYTES];
    struct rk_http_span sent = take_until(&parameter, '=');
    struct rk_http_span name = sent;
    unsigned bit;

    if (name.len <= sizeof room && !rk_http_target_is_plain(name, target->path->is_legacy)
        && !rk_http_target_decode(&name, target->path->is_legacy, room))
        return RK_HTTP_PROBLEM_BAD_ESCAPE;
    bit = parameter_of(name);
    if ((bit & (RK_HTTP_OPTIONS | RK_HTTP_LIST_OPTIONS)) != 0 && name.at != sent.at)
        bit = 0;
    if (bit == 0 && target->unknown.at == NULL)
        target->unknown = sent;
    if ((target->parameters & bit) != 0 || (bit == RK_HTTP_PARAMETER_KEY && target->key.at != NULL))
        return RK_HTTP_PROBLEM_REPEATED_PARAMETER; /* which one is meant nobody can know */
    target->parameters |= bit;
    if (bit == RK_HTTP_PARAMETER_KEY)
        target->key = parameter;
    else if (bit == RK_HTTP_PARAMETER_VALUE)
        target->value = parameter;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem parse_query(struct rk_http_target *target, struct rk_http_span query)
{
    struct rk_http_span rest = query;

    target->query = query;
    while (rest.len > 0) {
        struct rk_http_span parameter = take_until(&rest, '&');
        enum rk_http_problem problem = RK_HTTP_NO_PROBLEM;

        if (parameter.len > 0)
            problem = parse_parameter(target, parameter);
        if (problem != RK_HTTP_NO_PROBLEM)
            return problem;
    }
    /* The original also takes the bare key: /get?K */
    if (target->path->takes_bare_key && target->key.at == NULL && query.len > 0) {
        target->key = query;
        target->unknown.at = NULL;
        target->parameters = RK_HTTP_PARAMETER_KEY;
    }
    return RK_HTTP_NO_PROBLEM;
}

enum rk_http_problem rk_http_target_parse(const char *bytes, size_t len, const struct rk_http_route *routes,
                                          bool legacy, struct rk_http_target *target_out)
{
    struct rk_http_span rest = { bytes, len };
    struct rk_http_span path = take_until(&rest, '?');
    struct rk_http_span key = { NULL, 0 };
    const struct rk_http_route *route = find_path(routes, legacy, path, &key);
    struct rk_http_target target;
    enum rk_http_problem problem;

    if (rest.len == 0 || route == NULL) { /* nearly always */
        *target_out = (struct rk_http_target){ .path = route, .key = key };
        return RK_HTTP_NO_PROBLEM;
    }
    target = (struct rk_http_target){ .path = route, .key = key };
    problem = parse_query(&target, rest);
    if (problem == RK_HTTP_NO_PROBLEM)
        *target_out = target;
    return problem;
}

/* Each comes once, and is spelled as it is. */
struct rk_http_span rk_http_target_option(const struct rk_http_target *target, enum rk_http_parameter option)
{
    struct rk_http_span rest = target->query;

    if ((target->parameters & option) == 0)
        return (struct rk_http_span){ NULL, 0 };
    while (true) {
        struct rk_http_span parameter = take_until(&rest, '&');

        if (parameter_of(take_until(&parameter, '=')) == option)
            return parameter;
    }
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

size_t rk_http_target_decoded_len(struct rk_http_span span)
{
    const char *at = span.at;
    const char *end = at + span.len;
    size_t len = span.len;

    while ((at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        if (end - at < 3 || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
            return SIZE_MAX;
        at += 3;
        len -= 2;
    }
    return len;
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

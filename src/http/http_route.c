#include "http/http_route.h"

#include "http/http_metadata.h"

#include <string.h>
#include <strings.h>

#define NAME_SHOWN_MAX 60 /* bytes of an unknown name that the answer repeats */

/* A comparison with a constant length is a few instructions; this comes twice with every request. */
#define SPAN_IS(span, literal) \
    ((span).len == sizeof(literal) - 1 && memcmp((span).at, literal, sizeof(literal) - 1) == 0)

static const char *const method_names[] = {
    [RK_HTTP_GET] = "GET",   [RK_HTTP_HEAD] = "HEAD",     [RK_HTTP_PUT] = "PUT",
    [RK_HTTP_POST] = "POST", [RK_HTTP_DELETE] = "DELETE", [RK_HTTP_OPTIONS_METHOD] = "OPTIONS",
};

enum rk_http_method rk_http_method_of(struct rk_http_span method)
{
    if (SPAN_IS(method, "GET"))
        return RK_HTTP_GET;
    if (SPAN_IS(method, "PUT"))
        return RK_HTTP_PUT;
    if (SPAN_IS(method, "POST"))
        return RK_HTTP_POST;
    if (SPAN_IS(method, "DELETE"))
        return RK_HTTP_DELETE;
    if (SPAN_IS(method, "HEAD"))
        return RK_HTTP_HEAD;
    return SPAN_IS(method, "OPTIONS") ? RK_HTTP_OPTIONS_METHOD : RK_HTTP_OTHER_METHOD;
}

/* The rows of one path have the same text, and mostly the same copy of it. */
static inline bool is_same_path(const struct rk_http_route *a, const struct rk_http_route *b)
{
    return a->path == b->path || (b->path != NULL && strcmp(a->path, b->path) == 0);
}

const struct rk_http_route *rk_http_route_find(const struct rk_http_route *path, enum rk_http_method method)
{
    for (const struct rk_http_route *route = path; is_same_path(path, route); route++)
        if ((route->methods & 1u << method) != 0)
            return route;
    return NULL;
}

void rk_http_route_allow(const struct rk_http_route *path, char out[RK_HTTP_ALLOW_BYTES])
{
    char *at = out;

    for (unsigned method = RK_HTTP_GET; method < RK_HTTP_OPTIONS_METHOD; method++)
        if (rk_http_route_find(path, method) != NULL)
            at = stpcpy(stpcpy(at, method_names[method]), ", ");
    memcpy(at, "OPTIONS", sizeof "OPTIONS");
}

/* What any path of the server takes: for a request to none of them. */
static void allow_of_all(char out[RK_HTTP_ALLOW_BYTES])
{
    static const struct rk_http_route all[] = {
        { .path = "*", .methods = (1u << RK_HTTP_OPTIONS_METHOD) - 1 },
        { .path = NULL },
    };

    rk_http_route_allow(all, out);
}

/* ---- names that are not known ---- */

/* A name may be any bytes: what is not plain is written with a percent sign and two digits. */
static void show_name(struct rk_http_refusal *refusal, const char *member, struct rk_http_span name)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = refusal->members;
    char *end = at + NAME_SHOWN_MAX + strlen(member);

    at = stpcpy(stpcpy(stpcpy(at, "\""), member), "\":\"");
    for (size_t i = 0; i < name.len && at < end; i++) {
        unsigned char byte = (unsigned char)name.at[i];

        if (byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\') {
            *at++ = (char)byte;
            continue;
        }
        *at++ = '%';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    memcpy(at, "\"", 2);
}

static enum rk_http_problem check_parameters(const struct rk_http_target *target, const struct rk_http_route *route,
                                             struct rk_http_refusal *refusal)
{
    struct rk_http_span name = target->unknown;
    unsigned wrong = 0;

    if (target->parameters != 0)
        wrong = target->parameters & ~route->parameters;
    if (wrong == 0 && name.at == NULL)
        return RK_HTTP_NO_PROBLEM;
    if (name.at == NULL) {
        name.at = rk_http_parameter_name(wrong & -wrong);
        name.len = strlen(name.at);
    }
    show_name(refusal, "parameter", name);
    return RK_HTTP_PROBLEM_UNKNOWN_PARAMETER;
}

static const struct {
    const char *name;
    bool is_front; /* of the names of many */
    enum rk_http_own_header header;
} own_headers[] = {
    { "rackkv-ttl", false, RK_HTTP_OWN_TTL },
    { "rackkv-expires", false, RK_HTTP_OWN_EXPIRES },
    { "rackkv-durability", false, RK_HTTP_OWN_DURABILITY },
    { "rackkv-meta-", true, RK_HTTP_OWN_META },
};

/* 0 for a name that is none of ours. */
static unsigned own_header_of(struct rk_http_span name)
{
    for (size_t i = 0; i < sizeof own_headers / sizeof own_headers[0]; i++) {
        size_t len = strlen(own_headers[i].name);

        if ((own_headers[i].is_front ? name.len >= len : name.len == len)
            && strncasecmp(name.at, own_headers[i].name, len) == 0)
            return own_headers[i].header;
    }
    return 0;
}

static enum rk_http_problem check_options(const struct rk_http_head *head, const struct rk_http_target *target,
                                          const struct rk_http_route *route, struct rk_http_refusal *refusal)
{
    struct rk_http_span own = head->own_field;

    if (own.at == NULL && target->parameters == 0 && (head->seen & RK_HTTP_SEEN_CONDITION) == 0)
        return RK_HTTP_NO_PROBLEM; /* nearly always */
    if (own.at != NULL && (route->own_headers & own_header_of(own)) == 0) {
        show_name(refusal, "header", own);
        return RK_HTTP_PROBLEM_UNKNOWN_HEADER;
    }
    /* A write without its condition or option would be another one. */
    if (own.at != NULL || (target->parameters & RK_HTTP_OPTIONS) != 0
        || (route->writes && (head->seen & RK_HTTP_SEEN_CONDITION) != 0))
        return RK_HTTP_PROBLEM_NOT_IMPLEMENTED;
    return RK_HTTP_NO_PROBLEM;
}

/* ---- the key, the value, the body ---- */

static enum rk_http_problem check_key(struct rk_http_span key, uint32_t max_bytes)
{
    size_t len;

    if (key.at == NULL)
        return RK_HTTP_PROBLEM_MISSING_KEY;
    len = rk_http_target_decoded_len(key);
    if (len == SIZE_MAX)
        return RK_HTTP_PROBLEM_BAD_ESCAPE;
    if (len == 0)
        return RK_HTTP_PROBLEM_EMPTY_KEY;
    return len > max_bytes ? RK_HTTP_PROBLEM_KEY_TOO_LONG : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_value(struct rk_http_span value)
{
    if (value.at == NULL)
        return RK_HTTP_PROBLEM_MISSING_VALUE;
    return rk_http_target_decoded_len(value) == SIZE_MAX ? RK_HTTP_PROBLEM_BAD_ESCAPE : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_operation(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                            const struct rk_http_target *target, const struct rk_http_route *route,
                                            struct rk_http_refusal *refusal)
{
    enum rk_http_problem problem = check_parameters(target, route, refusal);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_options(head, target, route, refusal);
    if (problem == RK_HTTP_NO_PROBLEM && route->operand != RK_HTTP_TAKES_NOTHING)
        problem = check_key(target->key, bounds->max_key_bytes);
    if (problem == RK_HTTP_NO_PROBLEM && route->operand == RK_HTTP_TAKES_VALUE)
        problem = check_value(target->value);
    if (problem == RK_HTTP_NO_PROBLEM && route->operand == RK_HTTP_TAKES_BODY
        && (head->seen & RK_HTTP_SEEN_LONG_TYPE) != 0)
        problem = RK_HTTP_PROBLEM_BAD_METADATA;
    return problem;
}

/* ---- all of it ---- */

static enum rk_http_problem check_method(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                         enum rk_http_method method, const struct rk_http_target *target,
                                         struct rk_http_refusal *refusal)
{
    const struct rk_http_route *route = rk_http_route_find(target->path, method);
    enum rk_http_problem problem = RK_HTTP_NO_PROBLEM;

    if (route == NULL && method != RK_HTTP_OPTIONS_METHOD) {
        rk_http_route_allow(target->path, refusal->allow);
        return RK_HTTP_PROBLEM_METHOD;
    }
    if (route != NULL)
        problem = check_operation(head, bounds, target, route, refusal);
    if (problem == RK_HTTP_NO_PROBLEM && head->content_length > bounds->max_value_bytes)
        problem = RK_HTTP_PROBLEM_VALUE_TOO_LARGE;
    return problem;
}

static enum rk_http_problem check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                  enum rk_http_method method, struct rk_http_refusal *refusal)
{
    struct rk_http_target target = { .path = NULL };
    enum rk_http_problem problem =
        rk_http_target_parse(head->target.at, head->target.len, bounds->routes, bounds->legacy, &target);

    if (method == RK_HTTP_OTHER_METHOD) {
        if (target.path != NULL)
            rk_http_route_allow(target.path, refusal->allow);
        else
            allow_of_all(refusal->allow);
        return RK_HTTP_PROBLEM_METHOD;
    }
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    return target.path != NULL ? check_method(head, bounds, method, &target, refusal) : RK_HTTP_PROBLEM_NO_ENDPOINT;
}

uint64_t rk_http_route_limit(enum rk_http_problem problem, const struct rk_http_bounds *bounds)
{
    switch (problem) {
    case RK_HTTP_PROBLEM_HEAD_TOO_LARGE:
        return bounds->max_head_bytes;
    case RK_HTTP_PROBLEM_TOO_MANY_FIELDS:
        return bounds->max_fields;
    case RK_HTTP_PROBLEM_TARGET_TOO_LONG:
        return RK_HTTP_TARGET_MAX;
    case RK_HTTP_PROBLEM_KEY_TOO_LONG:
        return bounds->max_key_bytes;
    case RK_HTTP_PROBLEM_VALUE_TOO_LARGE:
        return bounds->max_value_bytes;
    case RK_HTTP_PROBLEM_BAD_METADATA:
        return RK_HTTP_METADATA_VALUE_MAX;
    default:
        return 0;
    }
}

enum rk_http_problem rk_http_route_check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                         struct rk_http_refusal *refusal_out)
{
    enum rk_http_method method = rk_http_method_of(head->method);
    struct rk_http_refusal *refusal = refusal_out;
    bool has_body = head->framing == RK_HTTP_CHUNKED || head->content_length > 0;

    refusal->members[0] = '\0';
    refusal->allow[0] = '\0';
    refusal->problem = check(head, bounds, method, refusal);
    if (refusal->problem == RK_HTTP_NO_PROBLEM)
        return RK_HTTP_NO_PROBLEM;
    refusal->closes = has_body || method == RK_HTTP_OTHER_METHOD;
    refusal->limit = rk_http_route_limit(refusal->problem, bounds);
    return refusal->problem;
}

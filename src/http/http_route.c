#include "http/http_route.h"

#include "http/http_metadata.h"

#include <string.h>
#include <strings.h>

#define NAME_SHOWN_MAX 60 /* bytes of an unknown name that the answer repeats */

#define SPAN_IS(span, literal) ((span).len == sizeof(literal) - 1 && memcmp((span).at, literal, (span).len) == 0)

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

/* ---- what each kind of path takes ---- */

#define READ    (1u << RK_HTTP_GET | 1u << RK_HTTP_HEAD)
#define OPTIONS (1u << RK_HTTP_OPTIONS_METHOD)

struct route {
    const char *allow;
    unsigned methods;    /* bits of enum rk_http_method */
    unsigned parameters; /* of enum rk_http_parameter, for every method */
};

static const struct route key_route = { "GET, HEAD, PUT, POST, DELETE, OPTIONS",
                                        READ | OPTIONS | 1u << RK_HTTP_PUT | 1u << RK_HTTP_POST | 1u << RK_HTTP_DELETE,
                                        RK_HTTP_PARAMETER_KEY };
static const struct route service_route = { "GET, HEAD, OPTIONS", READ | OPTIONS, 0 };

#define LEGACY_ROUTE(parameters)                                                                             \
    {                                                                                                        \
        "GET, HEAD, PUT, POST, OPTIONS", READ | OPTIONS | 1u << RK_HTTP_PUT | 1u << RK_HTTP_POST, parameters \
    }

static const struct route legacy_put_route =
    LEGACY_ROUTE(RK_HTTP_PARAMETER_KEY | RK_HTTP_PARAMETER_VALUE | RK_HTTP_PARAMETER_TTL | RK_HTTP_PARAMETER_EXPIRES);
static const struct route legacy_key_route = LEGACY_ROUTE(RK_HTTP_PARAMETER_KEY);
static const struct route legacy_open_route = LEGACY_ROUTE(RK_HTTP_PARAMETER_RW | RK_HTTP_PARAMETER_SYN);

static const struct route *route_of(enum rk_http_endpoint endpoint)
{
    switch (endpoint) {
    case RK_HTTP_ENDPOINT_LEGACY_PUT:
        return &legacy_put_route;
    case RK_HTTP_ENDPOINT_LEGACY_GET:
    case RK_HTTP_ENDPOINT_LEGACY_DELETE:
        return &legacy_key_route;
    case RK_HTTP_ENDPOINT_LEGACY_OPEN:
        return &legacy_open_route;
    case RK_HTTP_ENDPOINT_LIVEZ:
    case RK_HTTP_ENDPOINT_READYZ:
        return &service_route;
    default:
        return &key_route;
    }
}

const char *rk_http_route_allow(enum rk_http_endpoint endpoint)
{
    return route_of(endpoint)->allow;
}

static unsigned parameters_of(enum rk_http_endpoint endpoint, enum rk_http_method method)
{
    unsigned parameters = route_of(endpoint)->parameters;

    if (endpoint == RK_HTTP_ENDPOINT_KEY && method == RK_HTTP_PUT)
        parameters |= RK_HTTP_PARAMETER_TTL | RK_HTTP_PARAMETER_EXPIRES;
    if (endpoint == RK_HTTP_ENDPOINT_KEY && method == RK_HTTP_POST)
        parameters |= RK_HTTP_OPTIONS;
    return parameters;
}

static bool is_write(enum rk_http_endpoint endpoint, enum rk_http_method method)
{
    if (endpoint == RK_HTTP_ENDPOINT_KEY)
        return method == RK_HTTP_PUT || method == RK_HTTP_POST || method == RK_HTTP_DELETE;
    return endpoint == RK_HTTP_ENDPOINT_LEGACY_PUT || endpoint == RK_HTTP_ENDPOINT_LEGACY_DELETE;
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

static enum rk_http_problem check_parameters(const struct rk_http_target *target, enum rk_http_method method,
                                             struct rk_http_refusal *refusal)
{
    struct rk_http_span name = target->unknown;
    unsigned wrong = 0;

    if (target->parameters != 0)
        wrong = target->parameters & ~parameters_of(target->endpoint, method);
    if (wrong == 0 && name.at == NULL)
        return RK_HTTP_NO_PROBLEM;
    if (name.at == NULL) {
        name.at = rk_http_parameter_name(wrong & -wrong);
        name.len = strlen(name.at);
    }
    show_name(refusal, "parameter", name);
    return RK_HTTP_PROBLEM_UNKNOWN_PARAMETER;
}

static bool begins_with(struct rk_http_span name, const char *start)
{
    return name.len >= strlen(start) && strncasecmp(name.at, start, strlen(start)) == 0;
}

/* Those that a write can have; this server does none of what they ask for. */
static bool is_known_header(struct rk_http_span name, bool is_delete)
{
    if (begins_with(name, "rackkv-durability") && name.len == strlen("rackkv-durability"))
        return true;
    return !is_delete
           && (begins_with(name, "rackkv-meta-")
               || (begins_with(name, "rackkv-ttl") && name.len == strlen("rackkv-ttl"))
               || (begins_with(name, "rackkv-expires") && name.len == strlen("rackkv-expires")));
}

static enum rk_http_problem check_options(const struct rk_http_head *head, const struct rk_http_target *target,
                                          enum rk_http_method method, struct rk_http_refusal *refusal)
{
    struct rk_http_span own = head->own_field;
    bool writes, is_delete;

    if (own.at == NULL && target->parameters == 0 && (head->seen & RK_HTTP_SEEN_CONDITION) == 0)
        return RK_HTTP_NO_PROBLEM; /* nearly always */
    writes = is_write(target->endpoint, method);
    is_delete = method == RK_HTTP_DELETE || target->endpoint == RK_HTTP_ENDPOINT_LEGACY_DELETE;
    if (own.at != NULL && !(writes && is_known_header(own, is_delete))) {
        show_name(refusal, "header", own);
        return RK_HTTP_PROBLEM_UNKNOWN_HEADER;
    }
    /* A write without its condition or option would be another one. */
    if (own.at != NULL || (target->parameters & RK_HTTP_OPTIONS) != 0
        || (writes && (head->seen & RK_HTTP_SEEN_CONDITION) != 0))
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

static enum rk_http_problem check_value(const struct rk_http_head *head, const struct rk_http_target *target)
{
    if (target->endpoint == RK_HTTP_ENDPOINT_LEGACY_PUT) {
        if (target->value.at == NULL)
            return RK_HTTP_PROBLEM_MISSING_VALUE;
        return rk_http_target_decoded_len(target->value) == SIZE_MAX ? RK_HTTP_PROBLEM_BAD_ESCAPE : RK_HTTP_NO_PROBLEM;
    }
    return (head->seen & RK_HTTP_SEEN_LONG_TYPE) != 0 ? RK_HTTP_PROBLEM_BAD_METADATA : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_operation(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                            const struct rk_http_target *target, enum rk_http_method method,
                                            struct rk_http_refusal *refusal)
{
    bool takes_key = target->endpoint >= RK_HTTP_ENDPOINT_KEY && target->endpoint <= RK_HTTP_ENDPOINT_LEGACY_DELETE;
    enum rk_http_problem problem = check_parameters(target, method, refusal);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_options(head, target, method, refusal);
    if (problem == RK_HTTP_NO_PROBLEM && takes_key)
        problem = check_key(target->key, bounds->max_key_bytes);
    if (problem == RK_HTTP_NO_PROBLEM && is_write(target->endpoint, method) && method != RK_HTTP_DELETE)
        problem = check_value(head, target);
    return problem;
}

/* ---- all of it ---- */

static enum rk_http_problem check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                  enum rk_http_method method, struct rk_http_refusal *refusal)
{
    struct rk_http_target target = { .endpoint = RK_HTTP_ENDPOINT_NONE };
    enum rk_http_problem problem = rk_http_target_parse(head->target.at, head->target.len, bounds->legacy, &target);
    const struct route *route = route_of(target.endpoint);

    refusal->allow = route->allow;
    if (method == RK_HTTP_OTHER_METHOD)
        return RK_HTTP_PROBLEM_METHOD;
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    if (target.endpoint == RK_HTTP_ENDPOINT_NONE)
        return RK_HTTP_PROBLEM_NO_ENDPOINT;
    if ((route->methods & 1u << method) == 0)
        return RK_HTTP_PROBLEM_METHOD;
    if (method != RK_HTTP_OPTIONS_METHOD)
        problem = check_operation(head, bounds, &target, method, refusal);
    if (problem == RK_HTTP_NO_PROBLEM && head->content_length > bounds->max_value_bytes)
        problem = RK_HTTP_PROBLEM_VALUE_TOO_LARGE;
    return problem;
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
    refusal->problem = check(head, bounds, method, refusal);
    if (refusal->problem == RK_HTTP_NO_PROBLEM)
        return RK_HTTP_NO_PROBLEM;
    refusal->closes = has_body || method == RK_HTTP_OTHER_METHOD;
    refusal->limit = rk_http_route_limit(refusal->problem, bounds);
    if (refusal->problem != RK_HTTP_PROBLEM_METHOD)
        refusal->allow = NULL;
    return refusal->problem;
}

#include "http/http_route.h"

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
    unsigned parameters; /* of enum rk_http_parameter, where it is no operation on a key */
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

enum rk_http_problem rk_http_route_kind(const struct rk_http_target *target, enum rk_http_method method,
                                        enum rk_http_kind *kind_out)
{
    bool reads = method == RK_HTTP_GET || method == RK_HTTP_HEAD;

    switch (target->endpoint) {
    case RK_HTTP_ENDPOINT_KEY:
        if (method == RK_HTTP_POST)
            return rk_http_ask_kind_of_op(target, kind_out) ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_OP;
        *kind_out = reads ? RK_HTTP_KIND_READ : method == RK_HTTP_DELETE ? RK_HTTP_KIND_DELETE : RK_HTTP_KIND_PUT;
        return RK_HTTP_NO_PROBLEM;
    case RK_HTTP_ENDPOINT_LEGACY_GET:
        *kind_out = RK_HTTP_KIND_LEGACY_READ;
        return RK_HTTP_NO_PROBLEM;
    case RK_HTTP_ENDPOINT_LEGACY_PUT:
        *kind_out = RK_HTTP_KIND_LEGACY_PUT;
        return RK_HTTP_NO_PROBLEM;
    case RK_HTTP_ENDPOINT_LEGACY_DELETE:
        *kind_out = RK_HTTP_KIND_LEGACY_DELETE;
        return RK_HTTP_NO_PROBLEM;
    default:
        *kind_out = RK_HTTP_KIND_NONE;
        return RK_HTTP_NO_PROBLEM;
    }
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

static enum rk_http_problem check_parameters(const struct rk_http_target *target, unsigned taken,
                                             struct rk_http_refusal *refusal)
{
    struct rk_http_span name = target->unknown;
    unsigned wrong = target->parameters & ~taken;

    if (wrong == 0 && name.at == NULL)
        return RK_HTTP_NO_PROBLEM;
    if (name.at == NULL) {
        name.at = rk_http_parameter_name(wrong & -wrong);
        name.len = strlen(name.at);
    }
    show_name(refusal, "parameter", name);
    return RK_HTTP_PROBLEM_UNKNOWN_PARAMETER;
}

/* ---- the fields, and what the options say ---- */

void rk_http_route_collect(const struct rk_http_head *head, struct rk_http_line lines[RK_HTTP_FIELDS_MAX],
                           struct rk_http_fields *fields_out)
{
    *fields_out = (struct rk_http_fields){ .given = 0 };
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct rk_http_field *field = &head->fields[i];
        struct rk_http_span value = { field->value, field->value_len };

        rk_http_field_take(fields_out, (struct rk_http_span){ field->name, field->name_len }, value, &lines[i]);
    }
}

/* Seldom called, hence its room on the stack is not everybody's. */
__attribute__((noinline)) static enum rk_http_problem read_ask(const struct rk_http_head *head,
                                                               const struct rk_http_target *target,
                                                               enum rk_http_kind kind, struct rk_http_wrong *wrong)
{
    struct rk_http_line lines[RK_HTTP_FIELDS_MAX];
    uint8_t metadata[RK_HTTP_METADATA_MAX];
    struct rk_http_fields fields;
    struct rk_http_ask ask;
    size_t metadata_len;
    enum rk_http_problem problem;

    rk_http_route_collect(head, lines, &fields);
    problem = rk_http_ask_read(&fields, target, kind, &ask, wrong);
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    return rk_http_ask_metadata(&ask, metadata, &metadata_len, wrong);
}

static enum rk_http_problem check_ask(const struct rk_http_head *head, const struct rk_http_target *target,
                                      enum rk_http_kind kind, struct rk_http_refusal *refusal)
{
    struct rk_http_wrong wrong = { .member = NULL };
    enum rk_http_problem problem;

    if ((target->parameters & RK_HTTP_OPTIONS) == 0 && (head->seen & RK_HTTP_SEEN_ASKING) == 0)
        return RK_HTTP_NO_PROBLEM; /* nearly always */
    problem = read_ask(head, target, kind, &wrong);
    if (wrong.member != NULL)
        show_name(refusal, wrong.member, wrong.name);
    refusal->limit = wrong.limit;
    return problem;
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

static enum rk_http_problem check_value(const struct rk_http_target *target)
{
    if (target->value.at == NULL)
        return RK_HTTP_PROBLEM_MISSING_VALUE;
    return rk_http_target_decoded_len(target->value) == SIZE_MAX ? RK_HTTP_PROBLEM_BAD_ESCAPE : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_operation(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                            const struct rk_http_target *target, enum rk_http_method method,
                                            struct rk_http_refusal *refusal)
{
    enum rk_http_kind kind;
    enum rk_http_problem problem = rk_http_route_kind(target, method, &kind);
    bool is_operation = kind != RK_HTTP_KIND_NONE;

    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    refusal->kind = kind;
    problem = check_parameters(
        target, is_operation ? rk_http_ask_parameters(kind) : route_of(target->endpoint)->parameters, refusal);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_ask(head, target, kind, refusal);
    if (problem == RK_HTTP_NO_PROBLEM && is_operation)
        problem = check_key(target->key, bounds->max_key_bytes);
    if (problem == RK_HTTP_NO_PROBLEM && kind == RK_HTTP_KIND_LEGACY_PUT)
        problem = check_value(target);
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

    *refusal = (struct rk_http_refusal){ .problem = RK_HTTP_NO_PROBLEM };
    refusal->problem = check(head, bounds, method, refusal);
    if (refusal->problem == RK_HTTP_NO_PROBLEM)
        return RK_HTTP_NO_PROBLEM;
    refusal->closes = has_body || method == RK_HTTP_OTHER_METHOD;
    if (refusal->limit == 0)
        refusal->limit = rk_http_route_limit(refusal->problem, bounds);
    if (refusal->problem != RK_HTTP_PROBLEM_METHOD)
        refusal->allow = NULL;
    return refusal->problem;
}

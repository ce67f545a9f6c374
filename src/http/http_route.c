#include "http/http_route.h"

#include "base/base_planted.h"
#include "http/http_ask.h"

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

static inline const struct rk_http_route *find(const struct rk_http_route *path, enum rk_http_method method,
                                               const struct rk_http_target *target)
{
    for (const struct rk_http_route *route = path; is_same_path(path, route); route++)
        if ((route->methods & 1u << method) != 0 && !(route->is_listing && target->key.at != NULL)
            && (route->operation == NULL
                || rk_http_option_is(rk_http_target_option(target, RK_HTTP_PARAMETER_OP), route->operation)))
            return route;
    return NULL;
}

const struct rk_http_route *rk_http_route_find(const struct rk_http_target *target, enum rk_http_method method)
{
    return find(target->path, method, target);
}

/* Whether op= can name something. */
static bool has_operations(const struct rk_http_route *path, enum rk_http_method method)
{
    for (const struct rk_http_route *route = path; is_same_path(path, route); route++)
        if ((route->methods & 1u << method) != 0 && route->operation != NULL)
            return true;
    return false;
}

void rk_http_route_allow(const struct rk_http_route *path, char out[RK_HTTP_ALLOW_BYTES])
{
    const struct rk_http_target none = { .path = path };
    char *at = out;

    for (unsigned method = RK_HTTP_GET; method < RK_HTTP_OPTIONS_METHOD; method++)
        if (rk_http_route_find(&none, method) != NULL)
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

static enum rk_http_problem check_parameters(const struct rk_http_found *found, struct rk_http_refusal *refusal)
{
    const struct rk_http_target *target = &found->target;
    struct rk_http_span name = target->unknown;
    unsigned wrong = target->parameters & ~found->route->parameters;

    if ((wrong == 0 && name.at == NULL) || RK_PLANTED(unknown_parameter_passed_over))
        return RK_HTTP_NO_PROBLEM;
    if (name.at == NULL) {
        name.at = rk_http_parameter_name(wrong & -wrong);
        name.len = strlen(name.at);
    }
    show_name(refusal, "parameter", name);
    return target->unknown.at == NULL && wrong == RK_HTTP_PARAMETER_OP && has_operations(target->path, found->method)
               ? RK_HTTP_PROBLEM_BAD_OP
               : RK_HTTP_PROBLEM_UNKNOWN_PARAMETER;
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
                                                               const struct rk_http_route *route,
                                                               struct rk_http_wrong *wrong)
{
    struct rk_http_line lines[RK_HTTP_FIELDS_MAX];
    uint8_t metadata[RK_HTTP_METADATA_MAX];
    struct rk_http_fields fields;
    struct rk_http_ask ask;
    size_t metadata_len;
    enum rk_http_problem problem;

    rk_http_route_collect(head, lines, &fields);
    problem = rk_http_ask_read(&fields, target, route, &ask, wrong);
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    return rk_http_ask_metadata(&ask, metadata, &metadata_len, wrong);
}

static enum rk_http_problem check_ask(const struct rk_http_head *head, const struct rk_http_target *target,
                                      const struct rk_http_route *route, struct rk_http_refusal *refusal)
{
    struct rk_http_wrong wrong = { .member = NULL };
    enum rk_http_problem problem;

    if ((target->parameters & RK_HTTP_OPTIONS) == 0 && (head->seen & RK_HTTP_SEEN_ASKING) == 0)
        return RK_HTTP_NO_PROBLEM; /* nearly always */
    problem = read_ask(head, target, route, &wrong);
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

static enum rk_http_problem check_value(struct rk_http_span value)
{
    if (value.at == NULL)
        return RK_HTTP_PROBLEM_MISSING_VALUE;
    return rk_http_target_decoded_len(value) == SIZE_MAX ? RK_HTTP_PROBLEM_BAD_ESCAPE : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_operation(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                            const struct rk_http_found *found, struct rk_http_refusal *refusal)
{
    const struct rk_http_target *target = &found->target;
    const struct rk_http_route *route = found->route;
    enum rk_http_problem problem = check_parameters(found, refusal);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_ask(head, target, route, refusal);
    if (problem == RK_HTTP_NO_PROBLEM && route->operand != RK_HTTP_TAKES_NOTHING)
        problem = check_key(target->key, bounds->max_key_bytes);
    if (problem == RK_HTTP_NO_PROBLEM && route->operand == RK_HTTP_TAKES_VALUE)
        problem = check_value(target->value);
    return problem;
}

/* ---- all of it ---- */

enum rk_http_problem rk_http_route_look_up(struct rk_http_span target, enum rk_http_method method,
                                           const struct rk_http_bounds *bounds, struct rk_http_found *found_out)
{
    struct rk_http_found *found = found_out;
    enum rk_http_problem problem =
        rk_http_target_parse(target.at, target.len, bounds->routes, bounds->legacy, &found->target);

    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    if (found->target.path == NULL)
        return RK_HTTP_PROBLEM_NO_ENDPOINT;
    found->method = method;
    found->route = rk_http_route_find(&found->target, method);
    found->asks_more = (found->target.parameters & RK_HTTP_OPTIONS) != 0;
    return found->route == NULL && method != RK_HTTP_OPTIONS_METHOD ? RK_HTTP_PROBLEM_METHOD : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                  struct rk_http_found *found, struct rk_http_refusal *refusal)
{
    enum rk_http_method method = rk_http_method_of(head->method);
    enum rk_http_problem problem;

    found->target.path = NULL;
    problem = rk_http_route_look_up(head->target, method, bounds, found);
    if (method == RK_HTTP_OTHER_METHOD)
        problem = RK_HTTP_PROBLEM_METHOD; /* whatever else is wrong */
    if (problem == RK_HTTP_PROBLEM_METHOD && found->target.path == NULL)
        allow_of_all(refusal->allow);
    else if (problem == RK_HTTP_PROBLEM_METHOD)
        rk_http_route_allow(found->target.path, refusal->allow);
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    found->asks_more |= (head->seen & (RK_HTTP_SEEN_ASKING | RK_HTTP_SEEN_TYPE)) != 0;
    refusal->route = found->route;
    if (found->route != NULL)
        problem = check_operation(head, bounds, found, refusal);
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

/* What may be looked at; not its texts, which are long. */
static void clear(struct rk_http_refusal *refusal)
{
    refusal->route = NULL;
    refusal->limit = refusal->sequence = refusal->etag = 0;
    refusal->allow[0] = refusal->members[0] = '\0';
}

enum rk_http_problem rk_http_route_check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                         struct rk_http_found *found_out, struct rk_http_refusal *refusal_out)
{
    struct rk_http_refusal *refusal = refusal_out;
    bool has_body = head->framing == RK_HTTP_CHUNKED || head->content_length > 0;

    clear(refusal);
    refusal->problem = check(head, bounds, found_out, refusal);
    if (refusal->problem == RK_HTTP_NO_PROBLEM)
        return RK_HTTP_NO_PROBLEM;
    refusal->closes = has_body || rk_http_method_of(head->method) == RK_HTTP_OTHER_METHOD;
    if (refusal->limit == 0)
        refusal->limit = rk_http_route_limit(refusal->problem, bounds);
    return refusal->problem;
}

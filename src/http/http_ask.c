#include "http/http_ask.h"

#include "http/http_number.h"

#include <string.h>

#define CONDITIONS                                                                                         \
    (RK_HTTP_FIELD_BIT(IF_MATCH) | RK_HTTP_FIELD_BIT(IF_NONE_MATCH) | RK_HTTP_FIELD_BIT(IF_MODIFIED_SINCE) \
     | RK_HTTP_FIELD_BIT(IF_UNMODIFIED_SINCE))

/* Those of our own, as bits of enum rk_http_own_header. */
#define OWN_SHIFT RK_HTTP_FIELD_TTL
#define OWN_MASK  ((1u << (RK_HTTP_N_FIELDS - OWN_SHIFT)) - 1)

_Static_assert(RK_HTTP_OWN_TTL == 1 << (RK_HTTP_FIELD_TTL - OWN_SHIFT)
                   && RK_HTTP_OWN_EXPIRES == 1 << (RK_HTTP_FIELD_EXPIRES - OWN_SHIFT)
                   && RK_HTTP_OWN_DURABILITY == 1 << (RK_HTTP_FIELD_DURABILITY - OWN_SHIFT)
                   && RK_HTTP_OWN_META == 1 << (RK_HTTP_FIELD_META - OWN_SHIFT),
               "the same order");

/* ---- where it stands ---- */

static enum rk_http_problem wrong_field(struct rk_http_wrong *wrong, const char *name, enum rk_http_problem problem)
{
    *wrong = (struct rk_http_wrong){ .member = "header", .name = { name, strlen(name) } };
    return problem;
}

static enum rk_http_problem wrong_parameter(struct rk_http_wrong *wrong, enum rk_http_parameter parameter,
                                            enum rk_http_problem problem)
{
    const char *name = rk_http_parameter_name(parameter);

    *wrong = (struct rk_http_wrong){ .member = "parameter", .name = { name, strlen(name) } };
    return problem;
}

/* ---- times, durability, numbers ---- */

/* One time, which may stand in a field or in a parameter. */
struct time_option {
    enum rk_http_field_id field;
    enum rk_http_parameter parameter;
    enum rk_http_problem problem;
    bool (*parse)(struct rk_http_span text, uint64_t *ms_out);
};

static const struct time_option ttl_option = { RK_HTTP_FIELD_TTL, RK_HTTP_PARAMETER_TTL, RK_HTTP_PROBLEM_BAD_TTL,
                                               rk_http_option_ttl };
static const struct time_option expires_option = { RK_HTTP_FIELD_EXPIRES, RK_HTTP_PARAMETER_EXPIRES,
                                                   RK_HTTP_PROBLEM_BAD_EXPIRES, rk_http_option_expires };

static enum rk_http_problem read_time(const struct time_option *option, const struct rk_http_fields *fields,
                                      const struct rk_http_target *target, uint64_t *ms_out,
                                      struct rk_http_wrong *wrong)
{
    const struct rk_http_line *lines = fields->first[option->field];
    struct rk_http_span sent = rk_http_target_option(target, option->parameter);
    char room[RK_HTTP_OPTION_BYTES_MAX];

    if (lines != NULL && lines->next != NULL)
        return wrong_field(wrong, rk_http_field_name(option->field), RK_HTTP_PROBLEM_REPEATED_HEADER);
    if (lines != NULL && !option->parse(lines->value, ms_out))
        return wrong_field(wrong, rk_http_field_name(option->field), option->problem);
    if (sent.at == NULL)
        return RK_HTTP_NO_PROBLEM;
    if (lines != NULL) /* which of the two is meant nobody can know */
        return wrong_parameter(wrong, option->parameter, RK_HTTP_PROBLEM_REPEATED_PARAMETER);
    if (!option->parse(rk_http_option_decode(sent, target->path->is_legacy, room), ms_out))
        return wrong_parameter(wrong, option->parameter, option->problem);
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem read_expiry(const struct rk_http_fields *fields, const struct rk_http_target *target,
                                        struct rk_http_expiry *expiry, struct rk_http_wrong *wrong)
{
    enum rk_http_problem problem = read_time(&ttl_option, fields, target, &expiry->ttl_ms, wrong);

    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_time(&expires_option, fields, target, &expiry->expires_ms, wrong);
    return problem;
}

static enum rk_http_problem read_durability(const struct rk_http_line *lines, struct rk_http_ask *ask,
                                            struct rk_http_wrong *wrong)
{
    const char *name = rk_http_field_name(RK_HTTP_FIELD_DURABILITY);

    if (lines == NULL)
        return RK_HTTP_NO_PROBLEM;
    if (lines->next != NULL)
        return wrong_field(wrong, name, RK_HTTP_PROBLEM_REPEATED_HEADER);
    ask->has_durability = true;
    return rk_http_option_durability(lines->value, &ask->is_synced)
               ? RK_HTTP_NO_PROBLEM
               : wrong_field(wrong, name, RK_HTTP_PROBLEM_BAD_DURABILITY);
}

static enum rk_http_problem read_by(const struct rk_http_target *target, int64_t *by_out, struct rk_http_wrong *wrong)
{
    struct rk_http_span by = rk_http_target_option(target, RK_HTTP_PARAMETER_BY);
    char room[RK_HTTP_OPTION_BYTES_MAX];

    *by_out = 1;
    if (by.at == NULL || rk_http_number_parse(rk_http_option_decode(by, target->path->is_legacy, room), by_out))
        return RK_HTTP_NO_PROBLEM;
    return wrong_parameter(wrong, RK_HTTP_PARAMETER_BY, RK_HTTP_PROBLEM_BAD_BY);
}

/* ---- conditions and ranges ---- */

static enum rk_http_problem read_conditions(const struct rk_http_fields *fields, enum rk_http_need need,
                                            struct rk_http_ask *ask, struct rk_http_wrong *wrong)
{
    const char *malformed;

    ask->is_conditional = (fields->given & CONDITIONS) != 0;
    if (!ask->is_conditional)
        return RK_HTTP_NO_PROBLEM;
    ask->conditions = (struct rk_http_conditions){
        .if_match = fields->first[RK_HTTP_FIELD_IF_MATCH],
        .if_none_match = fields->first[RK_HTTP_FIELD_IF_NONE_MATCH],
        .if_modified_since = fields->first[RK_HTTP_FIELD_IF_MODIFIED_SINCE],
        .if_unmodified_since = fields->first[RK_HTTP_FIELD_IF_UNMODIFIED_SINCE],
    };
    malformed = rk_http_condition_malformed(&ask->conditions, need);
    return malformed == NULL ? RK_HTTP_NO_PROBLEM : wrong_field(wrong, malformed, RK_HTTP_PROBLEM_BAD_CONDITION);
}

/* Without Range, If-Range means nothing. */
static enum rk_http_problem read_range(const struct rk_http_fields *fields, struct rk_http_ask *ask,
                                       struct rk_http_wrong *wrong)
{
    ask->range = fields->first[RK_HTTP_FIELD_RANGE];
    if (ask->range == NULL)
        return RK_HTTP_NO_PROBLEM;
    ask->if_range = fields->first[RK_HTTP_FIELD_IF_RANGE];
    if (ask->if_range == NULL || rk_http_condition_is_if_range(ask->if_range))
        return RK_HTTP_NO_PROBLEM;
    return wrong_field(wrong, rk_http_field_name(RK_HTTP_FIELD_IF_RANGE), RK_HTTP_PROBLEM_BAD_CONDITION);
}

/* ---- all of it ---- */

static enum rk_http_problem find_unknown(const struct rk_http_fields *fields, const struct rk_http_route *route,
                                         struct rk_http_wrong *wrong)
{
    unsigned unknown = fields->given >> OWN_SHIFT & OWN_MASK & ~route->own_headers;

    if (fields->unknown.at != NULL) {
        *wrong = (struct rk_http_wrong){ .member = "header", .name = fields->unknown };
        return RK_HTTP_PROBLEM_UNKNOWN_HEADER;
    }
    if (unknown != 0)
        return wrong_field(wrong, rk_http_field_name((enum rk_http_field_id)(OWN_SHIFT + __builtin_ctz(unknown))),
                           RK_HTTP_PROBLEM_UNKNOWN_HEADER);
    if ((fields->given & RK_HTTP_FIELD_BIT(CONTENT_RANGE)) != 0 && route->need == RK_HTTP_MAKES_KEY)
        return wrong_field(wrong, rk_http_field_name(RK_HTTP_FIELD_CONTENT_RANGE), RK_HTTP_PROBLEM_BAD_CONTENT_RANGE);
    return RK_HTTP_NO_PROBLEM;
}

static void take_metadata(const struct rk_http_fields *fields, struct rk_http_metadata_lines *lines)
{
    for (int field = 0; field < RK_HTTP_N_STORED; field++)
        lines->stored[field] = fields->first[field];
    lines->own = fields->first[RK_HTTP_FIELD_META];
}

enum rk_http_problem rk_http_ask_read(const struct rk_http_fields *fields, const struct rk_http_target *target,
                                      const struct rk_http_route *route, struct rk_http_ask *ask_out,
                                      struct rk_http_wrong *wrong_out)
{
    struct rk_http_ask *ask = ask_out;
    enum rk_http_problem problem = find_unknown(fields, route, wrong_out);

    *ask = (struct rk_http_ask){ .by = 1 };
    if (problem != RK_HTTP_NO_PROBLEM || route->operand == RK_HTTP_TAKES_NOTHING)
        return problem;
    if (route->stores_headers)
        take_metadata(fields, &ask->metadata);
    problem = read_conditions(fields, route->need, ask, wrong_out);
    if (problem == RK_HTTP_NO_PROBLEM && route->need == RK_HTTP_READS)
        problem = read_range(fields, ask, wrong_out);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_expiry(fields, target, &ask->expiry, wrong_out);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_durability(fields->first[RK_HTTP_FIELD_DURABILITY], ask, wrong_out);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = read_by(target, &ask->by, wrong_out);
    return problem;
}

enum rk_http_problem rk_http_ask_metadata(const struct rk_http_ask *ask, uint8_t *out, size_t *len_out,
                                          struct rk_http_wrong *wrong_out)
{
    struct rk_http_span name;
    enum rk_err err = rk_http_metadata_encode(&ask->metadata, out, len_out, &name);

    if (err == RK_OK)
        return RK_HTTP_NO_PROBLEM;
    *wrong_out = (struct rk_http_wrong){
        .member = "header",
        .name = name,
        .limit = err == RK_ERR_TOO_LARGE ? RK_HTTP_METADATA_VALUE_MAX : 0,
    };
    return RK_HTTP_PROBLEM_BAD_METADATA;
}

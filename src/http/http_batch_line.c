#include "http/http_batch_line.h"

#include "http/http_json.h"
#include "http/http_number.h"
#include "http/http_option.h"

#include <string.h>

enum member { OP, KEY, KEY64, VALUE, VALUE64, TTL, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, BY, N_MEMBERS };

#define BIT(member) (1u << (member))

static const char *const names[N_MEMBERS] = {
    [OP] = "op",
    [KEY] = "key",
    [KEY64] = "key64",
    [VALUE] = "value",
    [VALUE64] = "value64",
    [TTL] = "ttl",
    [BY] = "by",
    [IF_MATCH] = "if_match",
    [IF_NONE_MATCH] = "if_none_match",
    [CONTENT_TYPE] = "content_type",
};

#define CONDITIONS (BIT(IF_MATCH) | BIT(IF_NONE_MATCH))

static const struct {
    const char *name;
    unsigned members; /* that it may have beside op and the key */
} operations[] = {
    [RK_HTTP_BATCH_GET] = { "get", 0 },
    [RK_HTTP_BATCH_PUT] = { "put", BIT(VALUE) | BIT(VALUE64) | BIT(TTL) | BIT(CONTENT_TYPE) | CONDITIONS },
    [RK_HTTP_BATCH_DELETE] = { "delete", CONDITIONS },
    [RK_HTTP_BATCH_INCR] = { "incr", BIT(BY) | CONDITIONS },
};

#define N_OPERATIONS (sizeof operations / sizeof operations[0])

struct members {
    unsigned given;
    struct rk_http_span values[N_MEMBERS];
};

static bool span_is(struct rk_http_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static unsigned find_name(struct rk_http_span name)
{
    unsigned member = 0;

    while (member < N_MEMBERS && !span_is(name, names[member]))
        member++;
    return member;
}

/* An object whose members are all known, and there once, each of its kind. */
static bool read_members(struct rk_http_json *json, struct members *members)
{
    struct rk_http_json_member member;
    bool good = false, is_first = true;

    if (!rk_http_json_begin(json))
        return false;
    while (rk_http_json_next(json, is_first, &member, &good)) {
        unsigned id = find_name(member.name);

        if (id == N_MEMBERS || (members->given & BIT(id)) != 0)
            return false;
        if (member.kind == RK_HTTP_JSON_NUMBER && id != TTL && id != BY)
            return false;
        members->given |= BIT(id);
        members->values[id] = member.value;
        is_first = false;
    }
    return good;
}

/* One of a text and its base64. */
static bool take_bytes(struct members *members, enum member plain, char **room, struct rk_http_span *out)
{
    enum member encoded = plain + 1;

    if ((members->given & BIT(plain)) != 0 && (members->given & BIT(encoded)) != 0)
        return false;
    *out = members->values[plain];
    if ((members->given & BIT(encoded)) == 0)
        return out->at != NULL;
    *out = members->values[encoded];
    if (!rk_http_json_decode64(out, *room))
        return false;
    *room += out->len;
    return true;
}

static bool find_kind(const struct members *members, enum rk_http_batch_kind *kind_out)
{
    const unsigned common = BIT(OP) | BIT(KEY) | BIT(KEY64);

    if ((members->given & BIT(OP)) == 0)
        return false;
    for (unsigned kind = 0; kind < N_OPERATIONS; kind++)
        if (span_is(members->values[OP], operations[kind].name)) {
            *kind_out = (enum rk_http_batch_kind)kind;
            return (members->given & ~common & ~operations[kind].members) == 0;
        }
    return false;
}

static enum rk_http_problem read_options(const struct members *members, struct rk_http_batch_line *line)
{
    struct rk_http_conditions conditions;

    line->by = 1;
    line->content_type.value = members->values[CONTENT_TYPE];
    line->if_match.value = members->values[IF_MATCH];
    line->if_none_match.value = members->values[IF_NONE_MATCH];
    if ((members->given & BIT(TTL)) != 0 && !rk_http_option_ttl(members->values[TTL], &line->ttl_ms))
        return RK_HTTP_PROBLEM_BAD_TTL;
    if ((members->given & BIT(BY)) != 0 && !rk_http_number_parse(members->values[BY], &line->by))
        return RK_HTTP_PROBLEM_BAD_BY;
    return rk_http_batch_line_conditions(line, &conditions)
                   && rk_http_condition_malformed(&conditions, RK_HTTP_MAKES_KEY) != NULL
               ? RK_HTTP_PROBLEM_BAD_CONDITION
               : RK_HTTP_NO_PROBLEM;
}

bool rk_http_batch_line_conditions(const struct rk_http_batch_line *line, struct rk_http_conditions *conditions_out)
{
    *conditions_out = (struct rk_http_conditions){
        .if_match = line->if_match.value.at != NULL ? &line->if_match : NULL,
        .if_none_match = line->if_none_match.value.at != NULL ? &line->if_none_match : NULL,
    };
    return conditions_out->if_match != NULL || conditions_out->if_none_match != NULL;
}

enum rk_http_problem rk_http_batch_line_read(struct rk_http_span text, char *room, uint32_t max_key_bytes,
                                             struct rk_http_batch_line *line_out)
{
    struct rk_http_json json = { text.at, text.at + text.len, room };
    struct members members = { .given = 0 };

    *line_out = (struct rk_http_batch_line){ .by = 1 };
    if (!read_members(&json, &members) || !find_kind(&members, &line_out->kind)
        || !take_bytes(&members, KEY, &json.room, &line_out->key))
        return RK_HTTP_PROBLEM_BAD_BATCH_LINE;
    if (line_out->key.len == 0)
        return RK_HTTP_PROBLEM_EMPTY_KEY;
    if (line_out->key.len > max_key_bytes)
        return RK_HTTP_PROBLEM_KEY_TOO_LONG;
    if (line_out->kind == RK_HTTP_BATCH_PUT && !take_bytes(&members, VALUE, &json.room, &line_out->value))
        return RK_HTTP_PROBLEM_BAD_BATCH_LINE;
    return read_options(&members, line_out);
}

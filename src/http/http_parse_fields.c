/* The fields of a head. */
#include "http/http_parse_private.h"

#include "base/base_planted.h"
#include "http/http_metadata.h"

#include <strings.h>

#define OWN_PREFIX "rackkv-"

#define T(byte) [byte] = 1
const uint8_t rk_http_token_bytes[256] = {
    T('!'), T('#'), T('$'), T('%'), T('&'), T('\''), T('*'), T('+'), T('-'), T('.'), T('^'), T('_'), T('`'),
    T('|'), T('~'), T('0'), T('1'), T('2'), T('3'),  T('4'), T('5'), T('6'), T('7'), T('8'), T('9'), T('A'),
    T('B'), T('C'), T('D'), T('E'), T('F'), T('G'),  T('H'), T('I'), T('J'), T('K'), T('L'), T('M'), T('N'),
    T('O'), T('P'), T('Q'), T('R'), T('S'), T('T'),  T('U'), T('V'), T('W'), T('X'), T('Y'), T('Z'), T('a'),
    T('b'), T('c'), T('d'), T('e'), T('f'), T('g'),  T('h'), T('i'), T('j'), T('k'), T('l'), T('m'), T('n'),
    T('o'), T('p'), T('q'), T('r'), T('s'), T('t'),  T('u'), T('v'), T('w'), T('x'), T('y'), T('z'),
};
#undef T

static bool name_is(const struct rk_http_field *field, const char *name)
{
    return strncasecmp(field->name, name, field->name_len) == 0;
}

static void trim(struct rk_http_field *field)
{
    while (field->value_len > 0 && (*field->value == ' ' || *field->value == '\t')) {
        field->value++;
        field->value_len--;
    }
    while (field->value_len > 0
           && (field->value[field->value_len - 1] == ' ' || field->value[field->value_len - 1] == '\t'))
        field->value_len--;
}

static enum rk_http_problem take_field(struct rk_http_cursor *cursor, bool has_room, struct rk_http_field *field)
{
    const char *start = cursor->at;
    enum rk_http_problem problem;

    if (*start == ' ' || *start == '\t')
        return RK_HTTP_PROBLEM_FOLDED_HEADER;
    while (cursor->at < cursor->end && rk_http_is_token_byte(*cursor->at))
        cursor->at++;
    if (cursor->at == cursor->end || *cursor->at != ':' || cursor->at == start)
        return rk_http_stopped(cursor, RK_HTTP_PROBLEM_BAD_FIELD);
    if (!has_room)
        return RK_HTTP_PROBLEM_TOO_MANY_FIELDS;
    field->name = start;
    field->name_len = (size_t)(cursor->at - start);
    field->value = ++cursor->at;
    while ((cursor->at = rk_http_skip(cursor->at, cursor->end, ' ')) < cursor->end && *cursor->at == '\t')
        cursor->at++;
    field->value_len = (size_t)(cursor->at - field->value);
    problem = rk_http_take_line_end(cursor, RK_HTTP_PROBLEM_BAD_FIELD);
    trim(field);
    return problem;
}

/* ---- what the fields mean that frame or direct a request ---- */

static enum rk_http_problem note_host(struct rk_http_head *head, struct rk_http_field *field)
{
    if ((head->seen & RK_HTTP_SEEN_HOST) != 0)
        return RK_HTTP_PROBLEM_REPEATED_HEADER;
    head->seen |= RK_HTTP_SEEN_HOST;
    if (!rk_http_value_is_host((struct rk_http_span){ field->value, field->value_len }, true))
        return RK_HTTP_PROBLEM_BAD_HOST;
    if (head->authority.at != NULL) { /* RFC 9112 section 3.2.2: what Host says is ignored */
        field->value = head->authority.at;
        field->value_len = head->authority.len;
    }
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem note_length(struct rk_http_head *head, struct rk_http_field *field)
{
    struct rk_http_span value = { field->value, field->value_len };

    if ((head->seen & RK_HTTP_SEEN_LENGTH) != 0 && !RK_PLANTED(two_lengths_accepted))
        return RK_HTTP_PROBLEM_REPEATED_HEADER;
    head->seen |= RK_HTTP_SEEN_LENGTH;
    if (!rk_http_value_is_length(&value, &head->content_length))
        return RK_HTTP_PROBLEM_BAD_CONTENT_LENGTH;
    field->value = value.at;
    field->value_len = value.len;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem note_coding(struct rk_http_head *head, const struct rk_http_field *field)
{
    if ((head->seen & RK_HTTP_SEEN_CODING) != 0)
        return RK_HTTP_PROBLEM_REPEATED_HEADER;
    head->seen |= RK_HTTP_SEEN_CODING;
    return rk_http_value_check_coding((struct rk_http_span){ field->value, field->value_len });
}

/* A client that speaks HTTP/1.0 cannot expect anything (RFC 9110 section 10.1.1). */
static enum rk_http_problem note_expect(struct rk_http_head *head, const struct rk_http_field *field)
{
    if (head->is_1_0)
        return RK_HTTP_NO_PROBLEM;
    head->seen |= RK_HTTP_SEEN_EXPECT;
    return rk_http_value_is((struct rk_http_span){ field->value, field->value_len }, "100-continue")
               ? RK_HTTP_NO_PROBLEM
               : RK_HTTP_PROBLEM_EXPECTATION;
}

static void note_type(struct rk_http_head *head, const struct rk_http_field *field)
{
    if (field->value_len > RK_HTTP_METADATA_VALUE_MAX)
        head->seen |= RK_HTTP_SEEN_LONG_TYPE;
}

/* Fields that are told apart by the length of their names first. Clears *is_kept_ref for those that `seen` tells. */
static enum rk_http_problem note_field(struct rk_http_head *head, struct rk_http_field *field, bool *is_kept_ref)
{
    switch (field->name_len) {
    case 4:
        return name_is(field, "host") ? note_host(head, field) : RK_HTTP_NO_PROBLEM;
    case 6:
        *is_kept_ref = !name_is(field, "expect");
        return *is_kept_ref ? RK_HTTP_NO_PROBLEM : note_expect(head, field);
    case 10:
        *is_kept_ref = !name_is(field, "connection");
        if (!*is_kept_ref)
            head->seen |= rk_http_value_connection((struct rk_http_span){ field->value, field->value_len });
        return RK_HTTP_NO_PROBLEM;
    case 14:
        return name_is(field, "content-length") ? note_length(head, field) : RK_HTTP_NO_PROBLEM;
    case 17:
        return name_is(field, "transfer-encoding") ? note_coding(head, field) : RK_HTTP_NO_PROBLEM;
    default:
        return RK_HTTP_NO_PROBLEM;
    }
}

/* Fields that change what an operation does. */
static void note_option(struct rk_http_head *head, const struct rk_http_field *field)
{
    size_t len = field->name_len;

    if ((len == 8 && name_is(field, "if-match")) || (len == 13 && name_is(field, "if-none-match"))
        || (len == 13 && name_is(field, "content-range")) || (len == 19 && name_is(field, "if-unmodified-since")))
        head->seen |= RK_HTTP_SEEN_CONDITION;
    else if ((len == 12 && name_is(field, "content-type")) || (len == 16 && name_is(field, "content-encoding")))
        note_type(head, field);
    else if (head->own_field.at == NULL && len >= strlen(OWN_PREFIX)
             && strncasecmp(field->name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
        head->own_field = (struct rk_http_span){ field->name, len };
}

enum rk_http_problem rk_http_parse_fields(struct rk_http_cursor *cursor, unsigned max_fields, struct rk_http_head *head)
{
    unsigned n_lines = 0;

    while (cursor->at < cursor->end && *cursor->at != '\r') {
        struct rk_http_field field;
        bool is_kept = true;
        enum rk_http_problem problem = take_field(cursor, n_lines < max_fields, &field);

        if (problem == RK_HTTP_NO_PROBLEM)
            problem = note_field(head, &field, &is_kept);
        if (problem != RK_HTTP_NO_PROBLEM)
            return problem;
        note_option(head, &field);
        if (is_kept)
            head->fields[head->n_fields++] = field;
        n_lines++;
    }
    return rk_http_take_line_end(cursor, RK_HTTP_PROBLEM_BAD_FIELD);
}

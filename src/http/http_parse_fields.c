/* The fields of a head. */
#include "http/http_parse_private.h"

#include "base/base_planted.h"
#include "http/http_field.h"
#include "http/http_metadata.h"

#include <strings.h>

/* The first letter tells most names apart. */
static bool name_is(const struct rk_http_field *field, const char *name)
{
    return (*field->name | 0x20) == *name && strncasecmp(field->name, name, field->name_len) == 0;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void set_value(struct rk_http_field *field, const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    field->value = at;
    field->value_len = (size_t)(end - at);
}

static enum rk_http_problem take_field(struct rk_http_cursor *cursor, bool has_room, struct rk_http_field *field)
{
    const char *start = cursor->at, *end = cursor->end, *at;

    if (is_blank(*start))
        return RK_HTTP_PROBLEM_FOLDED_HEADER;
    at = rk_http_skip_token(start, end);
    cursor->at = at;
    if (at == end || *at != ':' || at == start)
        return rk_http_stopped(cursor, RK_HTTP_PROBLEM_BAD_FIELD);
    if (!has_room)
        return RK_HTTP_PROBLEM_TOO_MANY_FIELDS;
    field->name = start;
    field->name_len = (size_t)(at - start);
    cursor->at = rk_http_text_skip_value(at + 1, end);
    set_value(field, at + 1, cursor->at);
    return rk_http_take_line_end(cursor, RK_HTTP_PROBLEM_BAD_FIELD);
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

/* That a coding is not known is said when nothing is wrong with the whole head. */
static enum rk_http_problem note_coding(struct rk_http_head *head, const struct rk_http_field *field)
{
    enum rk_http_problem problem;

    if ((head->seen & RK_HTTP_SEEN_CODING) != 0)
        return RK_HTTP_PROBLEM_REPEATED_HEADER;
    head->seen |= RK_HTTP_SEEN_CODING;
    problem = rk_http_value_check_coding((struct rk_http_span){ field->value, field->value_len });
    if (problem != RK_HTTP_PROBLEM_UNKNOWN_CODING)
        return problem;
    head->seen |= RK_HTTP_SEEN_UNKNOWN_CODING;
    return RK_HTTP_NO_PROBLEM;
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

/* A value's type alone is stored as it is, and asks for nothing else. */
static unsigned note_asking(unsigned seen, const struct rk_http_field *field)
{
    bool is_short = field->value_len <= RK_HTTP_METADATA_VALUE_MAX;

    if (field->name_len == strlen("content-type") && (*field->name | 0x20) == 'c' && is_short
        && (seen & RK_HTTP_SEEN_TYPE) == 0)
        return RK_HTTP_SEEN_TYPE; /* or another name that begins so: who uses it looks again */
    return rk_http_field_find(field->name, field->name_len) == RK_HTTP_FIELD_OTHER ? 0 : RK_HTTP_SEEN_ASKING;
}

/* Fields that `seen` tells are not kept. */
static enum rk_http_problem note_unkept(struct rk_http_head *head, const struct rk_http_field *field)
{
    head->n_fields--;
    if (field->name_len == strlen("expect"))
        return note_expect(head, field);
    head->seen |= rk_http_value_connection((struct rk_http_span){ field->value, field->value_len });
    return RK_HTTP_NO_PROBLEM;
}

/* Looks at the fields that matter, which the lengths of their names tell apart first. The field is the head's last. */
static enum rk_http_problem note_field(struct rk_http_head *head, struct rk_http_field *field)
{
    switch (field->name_len) {
    case 4:
        return name_is(field, "host") ? note_host(head, field) : RK_HTTP_NO_PROBLEM;
    case 6:
        return name_is(field, "expect") ? note_unkept(head, field) : RK_HTTP_NO_PROBLEM;
    case 10:
        if (name_is(field, "connection"))
            return note_unkept(head, field);
        break;
    case 14:
        if (name_is(field, "content-length"))
            return note_length(head, field);
        break;
    case 17:
        if (name_is(field, "transfer-encoding"))
            return note_coding(head, field);
        break;
    default:
        break;
    }
    head->seen |= note_asking(head->seen, field);
    return RK_HTTP_NO_PROBLEM;
}

enum rk_http_problem rk_http_parse_fields(struct rk_http_cursor *cursor, unsigned max_fields, struct rk_http_head *head)
{
    for (unsigned n_lines = 0; cursor->at < cursor->end && *cursor->at != '\r'; n_lines++) {
        struct rk_http_field spare; /* for the line that is one too many */
        struct rk_http_field *field = n_lines < max_fields ? &head->fields[head->n_fields] : &spare;
        enum rk_http_problem problem = take_field(cursor, n_lines < max_fields, field);

        if (problem != RK_HTTP_NO_PROBLEM)
            return problem;
        head->n_fields++;
        problem = note_field(head, field);
        if (problem != RK_HTTP_NO_PROBLEM)
            return problem;
    }
    return rk_http_take_line_end(cursor, RK_HTTP_PROBLEM_BAD_FIELD);
}

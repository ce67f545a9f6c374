#include "http/http_condition.h"

#include "base/base_planted.h"
#include "http/http_date.h"
#include "http/http_text.h"

#include <string.h>

struct tag {
    bool is_weak;
    struct rk_http_span text; /* between the quotes */
};

enum step { STEP_TAG, STEP_END, STEP_BAD };

/* Where a list is read: the rest of a line, and the lines behind it. */
struct tag_reader {
    struct rk_http_span rest;
    const struct rk_http_line *next;
    bool is_separated; /* a tag may begin here */
};

static struct tag_reader reader_of(const struct rk_http_line *lines)
{
    return (struct tag_reader){ lines->value, lines->next, true };
}

static void advance(struct rk_http_span *rest, size_t len)
{
    rest->at += len;
    rest->len -= len;
}

/* Lists may have empty members (RFC 9110 section 5.6.1.2), and a line ends one. */
static void skip_separators(struct tag_reader *reader)
{
    while (true) {
        while (reader->rest.len > 0
               && (*reader->rest.at == ' ' || *reader->rest.at == '\t' || *reader->rest.at == ',')) {
            reader->is_separated |= *reader->rest.at == ',';
            advance(&reader->rest, 1);
        }
        if (reader->rest.len > 0 || reader->next == NULL)
            return;
        reader->is_separated = true;
        reader->rest = reader->next->value;
        reader->next = reader->next->next;
    }
}

/* RFC 9110 section 8.8.3; no backslash escapes anything in it. */
static bool is_tag_byte(char byte)
{
    unsigned char code = (unsigned char)byte;

    return code == '!' || (code >= '#' && code != 0x7f);
}

/* A tag at the start of the span is taken off. */
static bool take_tag(struct rk_http_span *rest, struct tag *tag_out)
{
    size_t len = 0;

    tag_out->is_weak = rest->len >= 2 && memcmp(rest->at, "W/", 2) == 0;
    if (tag_out->is_weak)
        advance(rest, 2);
    if (rest->len == 0 || *rest->at != '"')
        return false;
    advance(rest, 1);
    while (len < rest->len && is_tag_byte(rest->at[len]))
        len++;
    if (len == rest->len || rest->at[len] != '"')
        return false;
    tag_out->text = (struct rk_http_span){ rest->at, len };
    advance(rest, len + 1);
    return true;
}

static enum step next_tag(struct tag_reader *reader, struct tag *tag_out)
{
    skip_separators(reader);
    if (reader->rest.len == 0)
        return STEP_END;
    if (!reader->is_separated || !take_tag(&reader->rest, tag_out))
        return STEP_BAD;
    reader->is_separated = false;
    return STEP_TAG;
}

static bool is_star(const struct rk_http_line *lines)
{
    return lines->next == NULL && lines->value.len == 1 && lines->value.at[0] == '*';
}

/* "*", or a list with at least one tag. */
static bool is_tag_list(const struct rk_http_line *lines)
{
    struct tag_reader reader = reader_of(lines);
    struct tag tag;
    size_t n_tags = 0;
    enum step step;

    if (is_star(lines))
        return true;
    while ((step = next_tag(&reader, &tag)) == STEP_TAG)
        n_tags++;
    return (step == STEP_END && n_tags > 0) || RK_PLANTED(malformed_condition_taken);
}

static bool names(const struct tag *tag, uint64_t sequence)
{
    char text[RK_HTTP_DECIMAL_BYTES];
    size_t len = rk_http_text_decimal(sequence, text);

    return tag->text.len == len && memcmp(tag->text.at, text, len) == 0;
}

/* Whether the list names this state of a key that exists. */
static bool matches(const struct rk_http_line *lines, uint64_t sequence, bool weak_too)
{
    struct tag_reader reader = reader_of(lines);
    struct tag tag;

    if (is_star(lines))
        return true;
    while (next_tag(&reader, &tag) == STEP_TAG)
        if ((weak_too || !tag.is_weak || RK_PLANTED(weak_tag_matches)) && names(&tag, sequence))
            return true;
    return false;
}

/* Two lines are no date. */
static bool read_date(const struct rk_http_line *lines, int64_t *seconds_out)
{
    return lines->next == NULL && rk_http_date_parse(lines->value, seconds_out);
}

const char *rk_http_condition_malformed(const struct rk_http_conditions *conditions, enum rk_http_need need)
{
    const struct rk_http_line *modified = conditions->if_modified_since, *unmodified = conditions->if_unmodified_since;
    int64_t seconds;

    if (conditions->if_match != NULL && !is_tag_list(conditions->if_match))
        return "If-Match";
    if (conditions->if_none_match != NULL && !is_tag_list(conditions->if_none_match))
        return "If-None-Match";
    if (unmodified != NULL && !read_date(unmodified, &seconds))
        return "If-Unmodified-Since";
    if (modified != NULL && need != RK_HTTP_READS && !read_date(modified, &seconds))
        return "If-Modified-Since";
    return NULL;
}

/* Was it written after the second that the field names? What is no date says no. */
static bool was_written_later(const struct rk_http_line *lines, const struct rk_http_key_state *state)
{
    int64_t seconds;

    return read_date(lines, &seconds) && (int64_t)(state->write_time_ms / 1000) > seconds;
}

static bool was_not_written_later(const struct rk_http_line *lines, const struct rk_http_key_state *state)
{
    int64_t seconds;

    return read_date(lines, &seconds) && (int64_t)(state->write_time_ms / 1000) <= seconds;
}

static enum rk_http_verdict evaluate_absent(const struct rk_http_conditions *conditions, enum rk_http_need need)
{
    if (need != RK_HTTP_MAKES_KEY)
        return RK_HTTP_ABSENT;
    return conditions->if_match != NULL ? RK_HTTP_FAILED : RK_HTTP_PROCEED;
}

enum rk_http_verdict rk_http_condition_evaluate(const struct rk_http_conditions *conditions, enum rk_http_need need,
                                                const struct rk_http_key_state *state)
{
    enum rk_http_verdict unchanged = need == RK_HTTP_READS ? RK_HTTP_NOT_MODIFIED : RK_HTTP_FAILED;

    if (!state->exists)
        return evaluate_absent(conditions, need);
    if (conditions->if_match != NULL) {
        if (!matches(conditions->if_match, state->sequence, false))
            return RK_HTTP_FAILED;
    } else if (conditions->if_unmodified_since != NULL && was_written_later(conditions->if_unmodified_since, state))
        return RK_HTTP_FAILED;
    if (conditions->if_none_match != NULL)
        return matches(conditions->if_none_match, state->sequence, true) ? unchanged : RK_HTTP_PROCEED;
    if (need == RK_HTTP_READS && conditions->if_modified_since != NULL
        && was_not_written_later(conditions->if_modified_since, state))
        return RK_HTTP_NOT_MODIFIED;
    return RK_HTTP_PROCEED;
}

/* One tag, and nothing around it. */
static bool read_one_tag(const struct rk_http_line *lines, struct tag *tag_out)
{
    struct rk_http_span rest = lines->value;

    return lines->next == NULL && take_tag(&rest, tag_out) && rest.len == 0;
}

bool rk_http_condition_is_if_range(const struct rk_http_line *lines)
{
    struct tag tag;
    int64_t seconds;

    return read_one_tag(lines, &tag) || read_date(lines, &seconds);
}

bool rk_http_condition_if_range_holds(const struct rk_http_line *lines, uint64_t sequence)
{
    struct tag tag;

    return read_one_tag(lines, &tag) && !tag.is_weak && names(&tag, sequence);
}

/* The first line of a request, and the head around it. */
#include "http/http_parse_private.h"

#include <strings.h>

#define VERSION_LEN 8 /* "HTTP/1.1" */

/* A head is looked at again at each of its first bytes, at each end of a line, and at each step of this size. */
#define DUE_START_BYTES 32
#define DUE_STEP_BYTES  4096

/* Some clients send an empty line after a body (RFC 9112 section 2.2): one is passed over. */
static enum rk_http_problem skip_empty_line(struct rk_http_cursor *cursor)
{
    if (cursor->at == cursor->end)
        return RK_HTTP_UNFINISHED;
    return *cursor->at == '\r' ? rk_http_take_line_end(cursor, RK_HTTP_PROBLEM_BAD_REQUEST_LINE) : RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem take_method(struct rk_http_cursor *cursor, struct rk_http_span *method_out)
{
    const char *start = cursor->at;

    cursor->at = rk_http_skip_token(start, cursor->end);
    if (cursor->at == cursor->end || *cursor->at != ' ' || cursor->at == start)
        return rk_http_stopped(cursor, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    *method_out = (struct rk_http_span){ start, (size_t)(cursor->at - start) };
    cursor->at++;
    return RK_HTTP_NO_PROBLEM;
}

static bool is_options(struct rk_http_span method)
{
    return method.len == 7 && memcmp(method.at, "OPTIONS", 7) == 0;
}

static bool take_scheme(struct rk_http_span *target)
{
    size_t len = 0;

    if (target->len >= 7 && strncasecmp(target->at, "http://", 7) == 0)
        len = 7;
    else if (target->len >= 8 && strncasecmp(target->at, "https://", 8) == 0)
        len = 8;
    target->at += len;
    target->len -= len;
    return len > 0;
}

/* http://authority/path?query. The path of a target that has none is "/", or "*" for OPTIONS: RFC 9112 section 3.2.4;
 * what a query without a path asks for is not served either way. */
static enum rk_http_problem split_absolute(struct rk_http_head *head)
{
    struct rk_http_span rest = head->target;
    size_t len = 0;

    if (!take_scheme(&rest))
        return RK_HTTP_PROBLEM_BAD_TARGET;
    while (len < rest.len && rest.at[len] != '/' && rest.at[len] != '?')
        len++;
    head->authority = (struct rk_http_span){ rest.at, len };
    if (!rk_http_value_is_host(head->authority, false))
        return RK_HTTP_PROBLEM_BAD_TARGET;
    head->target = (struct rk_http_span){ rest.at + len, rest.len - len };
    if (head->target.len == 0 && is_options(head->method))
        head->target = (struct rk_http_span){ "*", 1 };
    else if (head->target.len == 0 || head->target.at[0] == '?')
        head->target = (struct rk_http_span){ "/", 1 };
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_target(struct rk_http_head *head)
{
    if (head->target.len == 0)
        return RK_HTTP_PROBLEM_BAD_TARGET;
    if (head->target.at[0] == '/')
        return RK_HTTP_NO_PROBLEM;
    if (head->target.len == 1 && head->target.at[0] == '*' && is_options(head->method))
        return RK_HTTP_NO_PROBLEM;
    return split_absolute(head);
}

static enum rk_http_problem take_target(struct rk_http_cursor *cursor, struct rk_http_head *head)
{
    const char *start = cursor->at;

    cursor->at = rk_http_text_skip(start, cursor->end, '!');
    if (cursor->at - start > RK_HTTP_TARGET_MAX)
        return RK_HTTP_PROBLEM_TARGET_TOO_LONG;
    if (cursor->at == cursor->end || *cursor->at != ' ')
        return rk_http_stopped(cursor, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    head->target = (struct rk_http_span){ start, (size_t)(cursor->at - start) };
    cursor->at++;
    return check_target(head);
}

static bool is_version_byte(const char *version, size_t at)
{
    return at == 5 || at == 7 ? version[at] >= '0' && version[at] <= '9' : version[at] == "HTTP/x.x"[at];
}

static enum rk_http_problem take_version(struct rk_http_cursor *cursor, struct rk_http_head *head)
{
    const char *version = cursor->at;
    enum rk_http_problem problem;

    if (cursor->end - version >= VERSION_LEN + 2 && memcmp(version, "HTTP/1.1\r\n", VERSION_LEN + 2) == 0) {
        cursor->at += VERSION_LEN + 2; /* nearly always */
        return RK_HTTP_NO_PROBLEM;
    }

    while (cursor->at < cursor->end && cursor->at < version + VERSION_LEN
           && is_version_byte(version, (size_t)(cursor->at - version)))
        cursor->at++;
    if (cursor->at < version + VERSION_LEN)
        return rk_http_stopped(cursor, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    problem = rk_http_take_line_end(cursor, RK_HTTP_PROBLEM_BAD_REQUEST_LINE);
    if (problem != RK_HTTP_NO_PROBLEM)
        return problem;
    head->is_1_0 = version[7] == '0';
    return version[5] == '1' && version[7] <= '1' ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_VERSION;
}

/* What no single line can tell. */
static enum rk_http_problem check_framing(struct rk_http_head *head)
{
    bool has_length = (head->seen & RK_HTTP_SEEN_LENGTH) != 0;
    bool has_coding = (head->seen & RK_HTTP_SEEN_CODING) != 0;

    if (has_coding && has_length)
        return RK_HTTP_PROBLEM_TWO_FRAMINGS;
    if (has_coding && head->is_1_0)
        return RK_HTTP_PROBLEM_OLD_TRANSFER_ENCODING;
    if ((head->seen & RK_HTTP_SEEN_HOST) == 0 && !head->is_1_0)
        return RK_HTTP_PROBLEM_MISSING_HOST;
    if ((head->seen & RK_HTTP_SEEN_UNKNOWN_CODING) != 0)
        return RK_HTTP_PROBLEM_UNKNOWN_CODING;
    head->framing = has_coding ? RK_HTTP_CHUNKED : has_length ? RK_HTTP_LENGTH : RK_HTTP_NO_BODY;
    return RK_HTTP_NO_PROBLEM;
}

enum rk_http_problem rk_http_parse_head(const char *bytes, size_t size, const struct rk_http_bounds *bounds,
                                        struct rk_http_head *head)
{
    bool is_cut = size >= bounds->max_head_bytes;
    struct rk_http_cursor cursor = { bytes, bytes + (is_cut ? bounds->max_head_bytes : size) };
    struct rk_http_field *fields = head->fields;
    enum rk_http_problem problem = skip_empty_line(&cursor);

    *head = (struct rk_http_head){ .fields = fields };
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = take_method(&cursor, &head->method);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = take_target(&cursor, head);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = take_version(&cursor, head);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = rk_http_parse_fields(&cursor, bounds->max_fields, head);
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_framing(head);
    head->len = (size_t)(cursor.at - bytes);
    return problem == RK_HTTP_UNFINISHED && is_cut ? RK_HTTP_PROBLEM_HEAD_TOO_LARGE : problem;
}

bool rk_http_parse_is_due(const char *bytes, size_t size, size_t last_size, size_t max_head_bytes)
{
    return last_size < DUE_START_BYTES || size >= max_head_bytes || size / DUE_STEP_BYTES != last_size / DUE_STEP_BYTES
           || memchr(bytes + last_size, '\n', size - last_size) != NULL;
}

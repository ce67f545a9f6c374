#include "http/http_head.h"

#include "base/base_planted.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define VERSION_LEN 8 /* "HTTP/1.1" */

struct scan {
    const char *at;
    const char *end; /* of what may be looked at */
    bool is_1_0;
    unsigned n_hosts;
    unsigned n_lengths;
    unsigned n_encodings;
};

/* RFC 9110 section 5.6.2: the bytes of a token, as a set of 128 bits. */
static bool is_token_byte(unsigned char byte)
{
    static const uint64_t set[2] = {
        0x03ff6cfa00000000ull, /* ! # $ % & ' * + - . 0-9 */
        0x57ffffffc7fffffeull, /* A-Z ^ _ ` a-z | ~ */
    };

    return byte < 128 && (set[byte >> 6] >> (byte & 63) & 1) != 0;
}

/* Takes the next line off, without its CR LF. False at the end of what may be looked at, or at a bare LF (then
 * *line_out has a length). */
static enum rk_http_problem take_line(struct scan *scan, const char **line_out, size_t *len_out)
{
    const char *feed = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));

    if (feed == NULL)
        return RK_HTTP_PROBLEM_HEAD_TOO_LARGE;
    if (feed == scan->at || feed[-1] != '\r')
        return RK_HTTP_PROBLEM_BARE_LINE_FEED;
    *line_out = scan->at;
    *len_out = (size_t)(feed - 1 - scan->at);
    scan->at = feed + 1;
    return RK_HTTP_NO_PROBLEM;
}

static enum rk_http_problem check_version(struct scan *scan, const char *version, size_t len)
{
    if (len != VERSION_LEN || memcmp(version, "HTTP/", 5) != 0)
        return RK_HTTP_PROBLEM_BAD_REQUEST_LINE;
    if (memcmp(version + 5, "1.1", 3) == 0)
        return RK_HTTP_NO_PROBLEM;
    scan->is_1_0 = memcmp(version + 5, "1.0", 3) == 0;
    return scan->is_1_0 ? RK_HTTP_NO_PROBLEM : RK_HTTP_PROBLEM_BAD_VERSION;
}

static enum rk_http_problem check_request_line(struct scan *scan, const char *line, size_t len)
{
    const char *end = line + len;
    const char *method_end = line;
    const char *target, *target_end;

    while (method_end < end && is_token_byte((unsigned char)*method_end))
        method_end++;
    if (method_end == line || method_end == end || *method_end != ' ')
        return RK_HTTP_PROBLEM_BAD_REQUEST_LINE;
    target = method_end + 1;
    target_end = memchr(target, ' ', (size_t)(end - target));
    if (target_end == NULL)
        return RK_HTTP_PROBLEM_BAD_REQUEST_LINE;
    if (target == target_end || *target != '/')
        return RK_HTTP_PROBLEM_BAD_TARGET;
    if (target_end - target > RK_HTTP_TARGET_MAX)
        return RK_HTTP_PROBLEM_TARGET_TOO_LONG;
    return check_version(scan, target_end + 1, (size_t)(end - target_end - 1));
}

/* Whether the line is the header of this lower-case name. */
static bool line_is(const char *line, size_t len, const char *name, size_t name_len)
{
    return len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0;
}

#define LINE_IS(line, len, name) line_is(line, len, name, sizeof(name) - 1)

static bool is_decimal(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (at == end)
        return false;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at == end;
}

static enum rk_http_problem check_content_length(struct scan *scan, const char *line, size_t len)
{
    if (!LINE_IS(line, len, "content-length"))
        return RK_HTTP_NO_PROBLEM;
    if (++scan->n_lengths > 1 && !RK_PLANTED(two_lengths_accepted))
        return RK_HTTP_PROBLEM_REPEATED_HEADER;
    return is_decimal(line + sizeof("content-length:") - 1, line + len) ? RK_HTTP_NO_PROBLEM
                                                                        : RK_HTTP_PROBLEM_BAD_CONTENT_LENGTH;
}

/* Looks at the three names that frame or direct a request, told apart by their first letter. */
static enum rk_http_problem check_header(struct scan *scan, const char *line, size_t len)
{
    switch (line[0] | 0x20) {
    case 'h':
        if (LINE_IS(line, len, "host") && ++scan->n_hosts > 1)
            return RK_HTTP_PROBLEM_REPEATED_HEADER;
        return RK_HTTP_NO_PROBLEM;
    case 'c':
        return check_content_length(scan, line, len);
    case 't':
        if (LINE_IS(line, len, "transfer-encoding") && ++scan->n_encodings > 1)
            return RK_HTTP_PROBLEM_REPEATED_HEADER;
        return RK_HTTP_NO_PROBLEM;
    default:
        return line[0] == ' ' || line[0] == '\t' ? RK_HTTP_PROBLEM_FOLDED_HEADER : RK_HTTP_NO_PROBLEM;
    }
}

static enum rk_http_problem check_framing(const struct scan *scan)
{
    if (scan->n_encodings > 0 && scan->n_lengths > 0)
        return RK_HTTP_PROBLEM_TWO_FRAMINGS;
    if (scan->n_encodings > 0 && scan->is_1_0)
        return RK_HTTP_PROBLEM_OLD_TRANSFER_ENCODING;
    if (scan->n_hosts == 0 && !scan->is_1_0)
        return RK_HTTP_PROBLEM_MISSING_HOST;
    return RK_HTTP_NO_PROBLEM;
}

/* The first line that has something: some clients send an empty one after a body (RFC 9112 section 2.2). */
static enum rk_http_problem take_request_line(struct scan *scan, const char **line_out, size_t *len_out)
{
    enum rk_http_problem problem = take_line(scan, line_out, len_out);

    return problem == RK_HTTP_NO_PROBLEM && *len_out == 0 ? take_line(scan, line_out, len_out) : problem;
}

enum rk_http_problem rk_http_head_check(const char *bytes, size_t size, size_t max_head, struct rk_http_head *head_out)
{
    struct scan scan = { .at = bytes, .end = bytes + (size < max_head ? size : max_head) };
    const char *line;
    size_t len;
    enum rk_http_problem problem = take_request_line(&scan, &line, &len);

    if (problem == RK_HTTP_PROBLEM_HEAD_TOO_LARGE && max_head > RK_HTTP_TARGET_MAX)
        return RK_HTTP_PROBLEM_TARGET_TOO_LONG; /* nothing else makes a first line as long as that */
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_request_line(&scan, line, len);
    while (problem == RK_HTTP_NO_PROBLEM) {
        problem = take_line(&scan, &line, &len);
        if (problem == RK_HTTP_NO_PROBLEM && len == 0)
            break;
        if (problem == RK_HTTP_NO_PROBLEM)
            problem = check_header(&scan, line, len);
    }
    if (problem == RK_HTTP_NO_PROBLEM)
        problem = check_framing(&scan);
    if (problem == RK_HTTP_NO_PROBLEM)
        *head_out = (struct rk_http_head){ .len = (size_t)(scan.at - bytes), .is_chunked = scan.n_encodings > 0 };
    return problem;
}

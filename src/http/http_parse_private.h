/* What the files of the parser share: for http_parse_*.c alone. */
#ifndef RK_HTTP_PARSE_PRIVATE_H
#define RK_HTTP_PARSE_PRIVATE_H

#include "http/http_parser.h"
#include "http/http_text.h"

#include <string.h>

struct rk_http_cursor {
    const char *at;
    const char *end; /* of what may be looked at */
};

/* What a byte can be part of: a name, that is a token (RFC 9110 section 5.6.2), or the name of a host (RFC 3986
 * section 3.2.2). */
#define RK_HTTP_BYTE_OF_NAME 1
#define RK_HTTP_BYTE_OF_HOST 2

extern const uint8_t rk_http_bytes[256]; /* http_parse_bytes.c */

static inline bool rk_http_is_token_byte(char byte)
{
    return (rk_http_bytes[(unsigned char)byte] & RK_HTTP_BYTE_OF_NAME) != 0;
}

/* The first byte that is none of a token, or the end. */
static inline const char *rk_http_skip_token(const char *at, const char *end)
{
    while (end - at >= 4 && rk_http_is_token_byte(at[0]) && rk_http_is_token_byte(at[1]) && rk_http_is_token_byte(at[2])
           && rk_http_is_token_byte(at[3]))
        at += 4;
    while (at < end && rk_http_is_token_byte(*at))
        at++;
    return at;
}

/* What stopping at this byte means: the bytes are at an end, or a line is, too early, or `other`. */
static inline enum rk_http_problem rk_http_stopped(const struct rk_http_cursor *cursor, enum rk_http_problem other)
{
    if (cursor->at == cursor->end)
        return RK_HTTP_UNFINISHED;
    return *cursor->at == '\n' ? RK_HTTP_PROBLEM_BARE_LINE_FEED : other;
}

/* Takes CR LF; the cursor is at a byte that is not part of the line's text. */
static inline enum rk_http_problem rk_http_take_line_end(struct rk_http_cursor *cursor, enum rk_http_problem other)
{
    if (cursor->at == cursor->end || *cursor->at != '\r')
        return rk_http_stopped(cursor, other);
    if (cursor->end - cursor->at < 2)
        return RK_HTTP_UNFINISHED;
    if (cursor->at[1] != '\n')
        return other;
    cursor->at += 2;
    return RK_HTTP_NO_PROBLEM;
}

/* ---- http_parse_fields.c ---- */

/* The fields and the empty line. */
enum rk_http_problem rk_http_parse_fields(struct rk_http_cursor *cursor, unsigned max_fields,
                                          struct rk_http_head *head);

/* ---- http_parse_values.c: what is in the value of a field ---- */

bool rk_http_value_is(struct rk_http_span value, const char *text); /* in any case */

/* A host, with a port or without (RFC 9110 section 7.2); `may_be_empty` for the Host of a client that knows none. */
bool rk_http_value_is_host(struct rk_http_span value, bool may_be_empty);

/* The digits without leading zeros, and their number. False when there are others, or none. */
bool rk_http_value_is_length(struct rk_http_span *value, uint64_t *length_out);

/* Transfer-Encoding: no problem for exactly "chunked". */
enum rk_http_problem rk_http_value_check_coding(struct rk_http_span value);

/* The options of Connection, as bits of enum rk_http_seen. */
unsigned rk_http_value_connection(struct rk_http_span value);

#endif

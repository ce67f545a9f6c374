/* What the files of the parser share: for http_parse_*.c alone. */
#ifndef RK_HTTP_HTTP_PARSE_PRIVATE_H
#define RK_HTTP_HTTP_PARSE_PRIVATE_H

#include "http/http_parser.h"

#include <endian.h>
#include <string.h>

struct rk_http_cursor {
    const char *at;
    const char *end; /* of what may be looked at */
};

/* RFC 9110 section 5.6.2: the bytes of a token. */
extern const uint8_t rk_http_token_bytes[256];

static inline bool rk_http_is_token_byte(char byte)
{
    return rk_http_token_bytes[(unsigned char)byte] != 0;
}

#define RK_HTTP_EACH_BYTE(byte) (0x0101010101010101u * (byte))

/* Of eight bytes those below `low`, and DEL: the high bit of each. Exact up to the first of them, which is all that is
 * asked for. */
static inline uint64_t rk_http_stops(uint64_t bytes, unsigned low)
{
    uint64_t del = bytes ^ RK_HTTP_EACH_BYTE(0x7fu);
    uint64_t below = (bytes - RK_HTTP_EACH_BYTE(low)) & ~bytes;

    return (below | ((del - RK_HTTP_EACH_BYTE(1u)) & ~del)) & RK_HTTP_EACH_BYTE(0x80u);
}

/* The first byte that is below `low` or DEL, or the end. */
static inline const char *rk_http_skip(const char *at, const char *end, unsigned low)
{
    while (end - at >= 8) {
        uint64_t bytes, stops;

        memcpy(&bytes, at, sizeof bytes);
        stops = rk_http_stops(le64toh(bytes), low);
        if (stops != 0)
            return at + __builtin_ctzll(stops) / 8;
        at += 8;
    }
    while (at < end && (unsigned char)*at >= low && *at != 0x7f)
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

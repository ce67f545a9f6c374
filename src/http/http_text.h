/* Numbers and dates as HTTP writes them, without printf: they are on the path of every answer; and what is text in a
 * head. Pure. */
#ifndef RK_HTTP_TEXT_H
#define RK_HTTP_TEXT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RK_HTTP_DECIMAL_BYTES 20 /* of the largest 64-bit number */
#define RK_HTTP_DATE_BYTES    29 /* "Sun, 22 Nov 2026 20:04:03 GMT" */

/* Writes the number without a terminator; returns its length. Any thread. */
size_t rk_http_text_decimal(uint64_t number, char *out);

/* Writes RK_HTTP_DATE_BYTES (RFC 9110 section 5.6.7), without a terminator. Times after the year 9999 are written as
 * its end. Any thread. */
void rk_http_text_date(uint64_t wall_ms, char *out);

#define RK_HTTP_EACH_BYTE(byte) (0x0101010101010101u * (byte))

/* Of eight bytes those below `low`, and DEL: the high bit of each. Exact up to the first of them, which is all that is
 * asked for. */
static inline uint64_t rk_http_text_stops(uint64_t bytes, unsigned low)
{
    uint64_t del = bytes ^ RK_HTTP_EACH_BYTE(0x7fu);
    uint64_t below = (bytes - RK_HTTP_EACH_BYTE(low)) & ~bytes;

    return (below | ((del - RK_HTTP_EACH_BYTE(1u)) & ~del)) & RK_HTTP_EACH_BYTE(0x80u);
}

/* The first byte that is below `low` or DEL, or the end: eight bytes at a time. Any thread. */
static inline const char *rk_http_text_skip(const char *at, const char *end, unsigned low)
{
    while (end - at >= 8) {
        uint64_t bytes, stops;

        memcpy(&bytes, at, sizeof bytes);
        stops = rk_http_text_stops(le64toh(bytes), low);
        if (stops != 0)
            return at + __builtin_ctzll(stops) / 8;
        at += 8;
    }
    while (at < end && (unsigned char)*at >= low && *at != 0x7f)
        at++;
    return at;
}

/* The first byte that no value of a header may have (RFC 9110 section 5.5: control bytes but the tab), or the end. Any
 * thread. */
static inline const char *rk_http_text_skip_value(const char *at, const char *end)
{
    while ((at = rk_http_text_skip(at, end, ' ')) < end && *at == '\t')
        at++;
    return at;
}

#endif

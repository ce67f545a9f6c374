/* Numbers and dates as HTTP writes them, without printf: they are on the path of every answer. Pure. */
#ifndef RK_HTTP_HTTP_TEXT_H
#define RK_HTTP_HTTP_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define RK_HTTP_DECIMAL_BYTES 20 /* of the largest 64-bit number */
#define RK_HTTP_DATE_BYTES    29 /* "Sun, 22 Nov 2026 20:04:03 GMT" */

/* Writes the number without a terminator; returns its length. Any thread. */
size_t rk_http_text_decimal(uint64_t number, char *out);

/* Writes RK_HTTP_DATE_BYTES (RFC 9110 section 5.6.7), without a terminator. Times after the year 9999 are written as
 * its end. Any thread. */
void rk_http_text_date(uint64_t wall_ms, char *out);

#endif

/* Numbers that a client sends as decimal text, and the arithmetic of op=incr. Pure. */
#ifndef RK_HTTP_NUMBER_H
#define RK_HTTP_NUMBER_H

#include "http/http_target.h"

#include <stdint.h>

#define RK_HTTP_NUMBER_BYTES 20 /* of the longest 64-bit signed number as text */

/* Digits, and with a minus before them or none: a 64-bit signed number. False, and nothing set, for anything else: the
 * empty text, a plus, white space, a point, one that does not fit. Any thread. */
bool rk_http_number_parse(struct rk_http_span text, int64_t *number_out);

/* Digits alone; false also for a number over `max`. Any thread. */
bool rk_http_number_parse_unsigned(struct rk_http_span text, uint64_t max, uint64_t *number_out);

/* The sum; false, and nothing set, when it does not fit. Any thread. */
bool rk_http_number_add(int64_t a, int64_t b, int64_t *sum_out);

/* Writes the number without a terminator; returns its length. `out` has RK_HTTP_NUMBER_BYTES. Any thread. */
size_t rk_http_number_format(int64_t number, char *out);

#endif

/* Range (RFC 9110 section 14): which part of a value a GET asks for. One range of bytes is answered with that part;
 * several ranges, other units, and what cannot be read are passed over, so that the whole value comes. Pure. */
#ifndef RK_HTTP_RANGE_H
#define RK_HTTP_RANGE_H

#include "http/http_lines.h"

#include <stdint.h>

enum rk_http_range {
    RK_HTTP_RANGE_WHOLE,
    RK_HTTP_RANGE_PART,
    RK_HTTP_RANGE_NONE, /* 416: there is no such byte */
};

/* For a value of `size` bytes; for a part, *first_out is its first byte, and *len_out, at least 1, how many there are.
 * Numbers of any length are good: what is behind the end is behind the end. Any thread. */
enum rk_http_range rk_http_range_find(const struct rk_http_line *lines, uint64_t size, uint64_t *first_out,
                                      uint64_t *len_out);

/* The room for a Content-Range, and it written: for a part, or, with len 0, for none. Returns its length; no
 * terminator. Any thread. */
#define RK_HTTP_CONTENT_RANGE_BYTES (sizeof "bytes -/" + 3 * 20)
size_t rk_http_range_format(uint64_t first, uint64_t len, uint64_t size, char *out);

#endif

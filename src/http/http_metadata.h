/* What is stored beside a value so that it comes back as it was sent. Pure.
 *
 * A record's metadata is a list of items, in the order of their tags, each at most once; none at all is the usual case:
 *
 *   +-----+------------+----------+-----+------------+----------+
 *   | tag | length     | bytes    | tag | length     | bytes    | ...
 *   | u8  | u16 little | length   | u8  | u16 little | length   |
 *   +-----+------------+----------+-----+------------+----------+
 *
 *   tag 1  Content-Type      absent: application/octet-stream
 *   tag 2  Content-Encoding  absent: none
 *
 * Items with other tags are of a later version; a reader passes over them. */
#ifndef RK_HTTP_METADATA_H
#define RK_HTTP_METADATA_H

#include "base/base_err.h"

#include <stddef.h>
#include <stdint.h>

#define RK_HTTP_METADATA_VALUE_MAX 1024 /* bytes of one item */
#define RK_HTTP_METADATA_MAX       (2 * (3 + RK_HTTP_METADATA_VALUE_MAX))

struct rk_http_metadata {
    const char *content_type; /* NULL: absent */
    size_t content_type_len;
    const char *content_encoding;
    size_t content_encoding_len;
};

/* Writes the items; `out` has RK_HTTP_METADATA_MAX. RK_ERR_TOO_LARGE; RK_ERR_INVALID for bytes that no header value
 * may have. Any thread. */
enum rk_err rk_http_metadata_encode(const struct rk_http_metadata *metadata, uint8_t *out, size_t *len_out);

/* Reads them; the strings point into `bytes`. RK_ERR_CORRUPT when the items do not add up, or when one could not be
 * sent as a header. Any thread. */
enum rk_err rk_http_metadata_decode(const uint8_t *bytes, size_t len, struct rk_http_metadata *metadata_out);

#endif

/* What is stored beside a value so that it comes back as it was sent. Pure.
 *
 * A record's metadata is a list of items, in the order of their tags, each at most once; none at all is the usual case:
 *
 *   +-----+------------+----------+-----+------------+----------+
 *   | tag | length     | bytes    | tag | length     | bytes    | ...
 *   | u8  | u16 little | length   | u8  | u16 little | length   |
 *   +-----+------------+----------+-----+------------+----------+
 *
 *   tag 1  Content-Type         absent: application/octet-stream
 *   tag 2  Content-Encoding     absent: none
 *   tag 3  Cache-Control        absent: no-cache
 *   tag 4  Content-Disposition  absent: none
 *   tag 5  Content-Language     absent: none
 *   tag 6  the fields RackKV-Meta-*, in the order in which they came, names as they were spelled:
 *
 *            +-------------+--------------+------+-------+
 *            | name length | value length | name | value | ...
 *            | u8          | u16 little   |      |       |
 *            +-------------+--------------+------+-------+
 *
 * 1. Items with other tags are of a later version; a reader passes over them. So did the readers before tags 3 to 6.
 * 2. What is decoded can be sent as a header: no name and no value can end a line.
 * 3. What is encoded has at most RK_HTTP_METADATA_MAX bytes. */
#ifndef RK_HTTP_METADATA_H
#define RK_HTTP_METADATA_H

#include "base/base_err.h"
#include "http/http_lines.h"

#include <stdint.h>

enum rk_http_stored {
    RK_HTTP_CONTENT_TYPE,
    RK_HTTP_CONTENT_ENCODING,
    RK_HTTP_CACHE_CONTROL,
    RK_HTTP_CONTENT_DISPOSITION,
    RK_HTTP_CONTENT_LANGUAGE,
    RK_HTTP_N_STORED
};

#define RK_HTTP_OWN_PREFIX "RackKV-Meta-" /* in any case */

/* Bytes of one of the stored values; and of all RackKV-Meta-* together: of their names behind the prefix, and of their
 * values. */
#define RK_HTTP_METADATA_VALUE_MAX      2048
#define RK_HTTP_METADATA_NAME_MAX       255 /* with the prefix */
#define RK_HTTP_METADATA_OWN_FIELDS_MAX 100

#define RK_HTTP_METADATA_OWN_BYTES \
    (RK_HTTP_METADATA_VALUE_MAX + RK_HTTP_METADATA_OWN_FIELDS_MAX * (3 + sizeof RK_HTTP_OWN_PREFIX - 1))
#define RK_HTTP_METADATA_MAX (RK_HTTP_N_STORED * (3 + RK_HTTP_METADATA_VALUE_MAX) + 3 + RK_HTTP_METADATA_OWN_BYTES)

/* As a request has them: the lines of each field, NULL where it has none; and whole lines ("RackKV-Meta-Owner: me"). */
struct rk_http_metadata_lines {
    const struct rk_http_line *stored[RK_HTTP_N_STORED];
    const struct rk_http_line *own;
};

struct rk_http_metadata {
    struct rk_http_span stored[RK_HTTP_N_STORED];
    struct rk_http_span own; /* read with rk_http_metadata_next_own */
};

/* The name of the field, as it is sent. Any thread. */
const char *rk_http_metadata_name(enum rk_http_stored field);

/* Writes the items; `out` has RK_HTTP_METADATA_MAX. The lines of a list become one (RFC 9110 section 5.3); an empty
 * value is none. RK_ERR_TOO_LARGE: RK_HTTP_METADATA_VALUE_MAX is passed; RK_ERR_INVALID for bytes that no field may
 * have, for a field that is no list and has two lines, and for an own one without a name behind the prefix or with a
 * name that is too long. *wrong_out then names the field. Any thread. */
enum rk_err rk_http_metadata_encode(const struct rk_http_metadata_lines *lines, uint8_t *out, size_t *len_out,
                                    struct rk_http_span *wrong_out);

/* The same for a Content-Type and nothing else; `out` has RK_HTTP_METADATA_TYPE_MAX. Any thread. */
#define RK_HTTP_METADATA_TYPE_MAX (3 + RK_HTTP_METADATA_VALUE_MAX)
enum rk_err rk_http_metadata_encode_type(struct rk_http_span type, uint8_t *out, size_t *len_out);

/* Reads them; the spans point into `bytes`. RK_ERR_CORRUPT when the items do not add up, or when one could not be sent
 * as a header. Any thread. */
enum rk_err rk_http_metadata_decode(const uint8_t *bytes, size_t len, struct rk_http_metadata *metadata_out);

/* Takes the next own field off; false after the last. For what was decoded. Any thread. */
bool rk_http_metadata_next_own(struct rk_http_span *own, struct rk_http_span *name_out, struct rk_http_span *value_out);

#endif

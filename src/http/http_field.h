/* The fields of a request that say more about an operation on a key: recognised by their names, and collected. Fields
 * that frame or direct a request are the parser's. Pure. */
#ifndef RK_HTTP_FIELD_H
#define RK_HTTP_FIELD_H

#include "http/http_lines.h"

#include <stdint.h>

/* The first five are stored beside a value, in the order of enum rk_http_stored (http_metadata.h). */
#define RK_HTTP_FIELD_TABLE(X)                    \
    X(CONTENT_TYPE, "Content-Type")               \
    X(CONTENT_ENCODING, "Content-Encoding")       \
    X(CACHE_CONTROL, "Cache-Control")             \
    X(CONTENT_DISPOSITION, "Content-Disposition") \
    X(CONTENT_LANGUAGE, "Content-Language")       \
    X(IF_MATCH, "If-Match")                       \
    X(IF_NONE_MATCH, "If-None-Match")             \
    X(IF_MODIFIED_SINCE, "If-Modified-Since")     \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since") \
    X(IF_RANGE, "If-Range")                       \
    X(RANGE, "Range")                             \
    X(CONTENT_RANGE, "Content-Range")             \
    X(TTL, "RackKV-TTL")                          \
    X(EXPIRES, "RackKV-Expires")                  \
    X(DURABILITY, "RackKV-Durability")            \
    X(META, "RackKV-Meta-") /* what begins so */

enum rk_http_field_id {
#define RK_HTTP_FIELD_ENUM(id, name) RK_HTTP_FIELD_##id,
    RK_HTTP_FIELD_TABLE(RK_HTTP_FIELD_ENUM)
#undef RK_HTTP_FIELD_ENUM
        RK_HTTP_N_FIELDS,
    RK_HTTP_FIELD_UNKNOWN_OWN = RK_HTTP_N_FIELDS, /* begins with RackKV-, and is none of these */
    RK_HTTP_FIELD_OTHER,
};

/* Bit n: there is a field with a name of n bytes that does not begin with RackKV-. */
#define RK_HTTP_FIELD_LENGTHS (1u << 5 | 1u << 8 | 1u << 12 | 1u << 13 | 1u << 16 | 1u << 17 | 1u << 19)

/* By a name in any case; `len` is at least 1. */
enum rk_http_field_id rk_http_field_recognise(const char *name, size_t len);

/* The same; most names are told apart by their first letter and their length. Any thread. */
static inline enum rk_http_field_id rk_http_field_find(const char *name, size_t len)
{
    bool is_own = (*name | 0x20) == 'r' && len > 6;

    if (!is_own && (len > 19 || (RK_HTTP_FIELD_LENGTHS >> len & 1) == 0))
        return RK_HTTP_FIELD_OTHER;
    return rk_http_field_recognise(name, len);
}

/* As it is sent. Any thread. */
const char *rk_http_field_name(enum rk_http_field_id id);

/* The fields of one request: for each its lines, NULL where there are none. */
struct rk_http_fields {
    uint32_t given; /* bits of enum rk_http_field_id */
    struct rk_http_line *first[RK_HTTP_N_FIELDS];
    struct rk_http_line *last[RK_HTTP_N_FIELDS];
    struct rk_http_span unknown; /* the name of the first that begins with RackKV- and is not known */
};

#define RK_HTTP_FIELD_BIT(id) (UINT32_C(1) << RK_HTTP_FIELD_##id)

/* Adds a field if it is one of these, with a line whose room is the caller's: true when the room was needed. Of
 * RackKV-Meta-* the line is the whole one, from the name on, which has to stand before the value in memory; or the name
 * is RK_HTTP_FIELD_WHOLE, and the value is the whole line. */
bool rk_http_field_take(struct rk_http_fields *fields, struct rk_http_span name, struct rk_http_span value,
                        struct rk_http_line *line);

/* libh2o writes the names of fields in small letters where they stand. So it is given those of RackKV-Meta-* as values.
 */
#define RK_HTTP_FIELD_WHOLE "rackkv-meta-"

#endif

/* HTTP/1 as RFC 9112 has it, to the letter: the head of a request and the framing of a body in chunks. libh2o calls
 * this parser in place of its own (http_interpose.h), so there is one reading of every byte, and no second parser
 * before or behind it. Pure: no memory of its own, any thread.
 *
 * The rules:
 *  1. Bytes are read from left to right, each once. The first that is wrong decides what the answer is, so it does not
 *     matter in which pieces they come, and it is given when the line is there at the latest.
 *  2. Lines end in CR LF, alone or not at all. No folded lines, no control bytes, no space before a colon.
 *  3. What frames or directs a request (Host, Content-Length, Transfer-Encoding) comes at most once.
 *  4. White space around a value is no part of it.
 *  5. Nothing is held that could grow: the head, its fields and the target have bounds, and so has what is written
 *     around chunks. */
#ifndef RK_HTTP_PARSER_H
#define RK_HTTP_PARSER_H

#include "http/http_problem.h"
#include "http/http_target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RK_HTTP_TARGET_MAX 16384 /* bytes; a longer target is 414 */
#define RK_HTTP_FIELDS_MAX 100   /* what limits.max_fields can be at most: libh2o has room for no more */

/* What a server allows: from the configuration. */
struct rk_http_bounds {
    size_t max_head_bytes;
    unsigned max_fields;
    uint64_t max_value_bytes;
    uint32_t max_key_bytes;
    bool legacy;                        /* the original's four endpoints are there */
    const struct rk_http_route *routes; /* the endpoints; for who decides what a head asks for */
};

struct rk_http_field {
    const char *name; /* in any case */
    size_t name_len;
    const char *value;
    size_t value_len;
};

enum rk_http_framing { RK_HTTP_NO_BODY, RK_HTTP_LENGTH, RK_HTTP_CHUNKED };

/* Fields that a decision depends on: bits of rk_http_head.seen. */
enum rk_http_seen {
    RK_HTTP_SEEN_HOST = 1 << 0,
    RK_HTTP_SEEN_LENGTH = 1 << 1,
    RK_HTTP_SEEN_CODING = 1 << 2,
    RK_HTTP_SEEN_EXPECT = 1 << 3,
    RK_HTTP_SEEN_CLOSE = 1 << 4,      /* an option of Connection */
    RK_HTTP_SEEN_KEEP_ALIVE = 1 << 5, /* the same */
    RK_HTTP_SEEN_TYPE = 1 << 6,       /* perhaps a Content-Type */
    RK_HTTP_SEEN_ASKING = 1 << 7,     /* another field of http_field.h, a second type, or one that is too long */
    RK_HTTP_SEEN_UNKNOWN_CODING = 1 << 8,
};

struct rk_http_head {
    size_t len; /* up to and with the empty line */
    struct rk_http_span method;
    struct rk_http_span target;    /* path and query, or "*" */
    struct rk_http_span authority; /* of an absolute target; NULL: it was none */
    bool is_1_0;
    unsigned seen;
    enum rk_http_framing framing;
    uint64_t content_length; /* UINT64_MAX when it is that or more */

    /* The fields but Connection and Expect, which `seen` tells. The caller gives the room: bounds.max_fields. */
    struct rk_http_field *fields;
    size_t n_fields;
};

/* RK_HTTP_NO_PROBLEM when the head is complete and good; RK_HTTP_UNFINISHED when more bytes can make it so; or what is
 * wrong with it (method is set then, if it was read). The fields point into `bytes`. */
enum rk_http_problem rk_http_parse_head(const char *bytes, size_t size, const struct rk_http_bounds *bounds,
                                        struct rk_http_head *head);

/* Whether a head that was unfinished at `last_size` bytes has to be looked at again: a line was ended since, or a bound
 * may have been passed. So a head that drips in is read again once a line, and not once a byte. */
bool rk_http_parse_is_due(const char *bytes, size_t size, size_t last_size, size_t max_head_bytes);

/* ---- chunks ---- */

#define RK_HTTP_CHUNK_DIGITS_MAX 16   /* of a size, leading zeros too */
#define RK_HTTP_CHUNK_EXTRA_MAX  8192 /* bytes of extensions and trailers, of a body in all */

/* Zeroed before the first byte. Of the size and form that libh2o sets aside for its own decoder. */
struct rk_http_chunked {
    uint32_t left; /* of the chunk's data, or of its size what is read; 2^32 - 1 for anything larger */
    uint32_t n_extra;
    char is_libh2os; /* it sets this; nothing depends on it */
    uint8_t n_digits;
    uint8_t state;
};

/* Decodes in place: *size_ref bytes become those of the data among them. Returns -2 when more is to come, -1 when the
 * framing is wrong, or how many bytes after the end of the body are there: they follow the data. */
ssize_t rk_http_chunked_decode(struct rk_http_chunked *chunked, char *bytes, size_t *size_ref);

bool rk_http_chunked_is_in_data(const struct rk_http_chunked *chunked);

#endif

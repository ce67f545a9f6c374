/* The target of a request, from its raw bytes: which endpoint, which key, which value. Pure.
 *
 * The rules, which libh2o's own normalised path breaks:
 *  1. A key in a path is everything after "/v1/kv/" up to the first '?', percent-decoded exactly once. Dot segments,
 *     double slashes and trailing slashes are bytes like others, and nothing is redirected.
 *  2. A '+' is a plus; only in the queries of the original's four endpoints is it a space.
 *  3. A percent sign without two hexadecimal digits is an error, never a byte that stands for itself.
 *  4. The names of parameters are decoded before they are recognised, each once; an unknown one is not passed over.
 * Those of options, which make another operation of a request, have to be spelled as they are.
 *  5. So two different keys never have the same target, and no key reaches another endpoint. */
#ifndef RK_HTTP_TARGET_H
#define RK_HTTP_TARGET_H

#include "http/http_problem.h"

#include <stdbool.h>
#include <stddef.h>

enum rk_http_endpoint {
    RK_HTTP_ENDPOINT_NONE,
    RK_HTTP_ENDPOINT_KEY, /* /v1/kv/{key} and /v1/kv?key= */
    RK_HTTP_ENDPOINT_LEGACY_PUT,
    RK_HTTP_ENDPOINT_LEGACY_GET,
    RK_HTTP_ENDPOINT_LEGACY_DELETE,
    RK_HTTP_ENDPOINT_LEGACY_OPEN,
    RK_HTTP_ENDPOINT_LIVEZ,
    RK_HTTP_ENDPOINT_READYZ,
    RK_HTTP_ENDPOINT_SERVER, /* "*": the server as a whole */
};

struct rk_http_span {
    const char *at; /* NULL: not there */
    size_t len;
};

/* Bits of rk_http_target.parameters. */
enum rk_http_parameter {
    RK_HTTP_PARAMETER_KEY = 1 << 0,
    RK_HTTP_PARAMETER_VALUE = 1 << 1,
    RK_HTTP_PARAMETER_OP = 1 << 2,
    RK_HTTP_PARAMETER_BY = 1 << 3,
    RK_HTTP_PARAMETER_TTL = 1 << 4,
    RK_HTTP_PARAMETER_EXPIRES = 1 << 5,
    RK_HTTP_PARAMETER_RW = 1 << 6,
    RK_HTTP_PARAMETER_SYN = 1 << 7,
};

/* Those that make another operation of a plain read or write. Their names are written without escapes: an escaped one
 * is unknown. */
#define RK_HTTP_OPTIONS \
    (RK_HTTP_PARAMETER_OP | RK_HTTP_PARAMETER_BY | RK_HTTP_PARAMETER_TTL | RK_HTTP_PARAMETER_EXPIRES)

struct rk_http_target {
    enum rk_http_endpoint endpoint;
    bool plus_is_space;
    unsigned parameters;         /* that are given */
    struct rk_http_span unknown; /* the first name that is none of them, as it was sent */
    struct rk_http_span key;     /* both still escaped */
    struct rk_http_span value;
    struct rk_http_span op, by, ttl, expires; /* the options, still escaped */
};

/* Finds the endpoint and what its query says; without `legacy` the four endpoints do not exist. Any bytes. The spans
 * point into the target. Any thread. */
enum rk_http_problem rk_http_target_parse(const char *target, size_t len, bool legacy,
                                          struct rk_http_target *target_out);

/* Whether the bytes stand for themselves, so that nothing has to be decoded. */
bool rk_http_target_is_plain(struct rk_http_span span, bool plus_is_space);

/* How long the bytes are once they are decoded; SIZE_MAX when there is a bad escape among them. Any thread. */
size_t rk_http_target_decoded_len(struct rk_http_span span);

/* Decodes the span once into `room` (at least span->len bytes), and points it there. False, and nothing changed, at a
 * bad escape. Any thread. */
bool rk_http_target_decode(struct rk_http_span *span, bool plus_is_space, char *room);

/* The name of a parameter. */
const char *rk_http_parameter_name(enum rk_http_parameter parameter);

#endif

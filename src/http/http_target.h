/* The target of a request, from its raw bytes: which endpoint, which key, which value. Pure.
 *
 * The rules, which libh2o's own normalised path breaks:
 *  1. A key in a path is everything after "/v1/kv/" up to the first '?', percent-decoded exactly once. Dot segments,
 *     double slashes and trailing slashes are bytes like others, and nothing is redirected.
 *  2. A '+' is a plus; only in the queries of the original's four endpoints is it a space.
 *  3. A percent sign without two hexadecimal digits is an error, never a byte that stands for itself.
 *  4. So two different keys never have the same target, and no key reaches another endpoint. */
#ifndef RK_HTTP_HTTP_TARGET_H
#define RK_HTTP_HTTP_TARGET_H

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
};

struct rk_http_span {
    const char *at; /* NULL: not there */
    size_t len;
};

struct rk_http_target {
    enum rk_http_endpoint endpoint;
    bool plus_is_space;
    bool has_option;         /* op, by, ttl or expires is given: the request is not a plain read or write */
    struct rk_http_span key; /* both still escaped */
    struct rk_http_span value;
};

/* Finds the endpoint and what its query says; without `legacy` the four endpoints do not exist. Any bytes. The spans
 * point into the target. Any thread. */
enum rk_http_problem rk_http_target_parse(const char *target, size_t len, bool legacy,
                                          struct rk_http_target *target_out);

/* Whether the bytes stand for themselves, so that nothing has to be decoded. */
bool rk_http_target_is_plain(struct rk_http_span span, bool plus_is_space);

/* Decodes the span once into `room` (at least span->len bytes), and points it there. False, and nothing changed, at a
 * bad escape. Any thread. */
bool rk_http_target_decode(struct rk_http_span *span, bool plus_is_space, char *room);

#endif

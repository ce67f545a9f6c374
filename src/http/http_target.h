/* The target of a request, from its raw bytes: which path of the table, which key, which value. Pure.
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
#include "http/http_routes.h"

#include <stdbool.h>
#include <stddef.h>

struct rk_http_span {
    const char *at; /* NULL: not there */
    size_t len;
};

struct rk_http_target {
    const struct rk_http_route *path; /* the first row of its path; NULL: there is no such path */
    unsigned parameters;              /* that are given, bits of enum rk_http_parameter */
    struct rk_http_span unknown;      /* the first name that is none of them, as it was sent */
    struct rk_http_span key;          /* both still escaped */
    struct rk_http_span value;
    struct rk_http_span query;
};

/* Finds the path among the routes, and what the query says; without `legacy` the original's paths do not exist. Any
 * bytes. The spans point into the target. Any thread. */
enum rk_http_problem rk_http_target_parse(const char *target, size_t len, const struct rk_http_route *routes,
                                          bool legacy, struct rk_http_target *target_out);

/* What one of the options says (RK_HTTP_OPTIONS, RK_HTTP_LIST_OPTIONS), still escaped; at NULL: it is not given. Any thread. */
struct rk_http_span rk_http_target_option(const struct rk_http_target *target, enum rk_http_parameter option);

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

/* What the head of a request decides: which endpoint it is for (http_routes.h), and whether it is refused before its
 * body is read. Pure: it is given the table. */
#ifndef RK_HTTP_ROUTE_H
#define RK_HTTP_ROUTE_H

#include "http/http_field.h"
#include "http/http_parser.h"

enum rk_http_method rk_http_method_of(struct rk_http_span method);

/* The row of the target's path for this method, and for the operation that its op= names, if a row has that; NULL: the
 * path does not take the method. Any thread. */
const struct rk_http_route *rk_http_route_find(const struct rk_http_target *target, enum rk_http_method method);

/* Collects the fields of the head that say more about an operation. Any thread. */
void rk_http_route_collect(const struct rk_http_head *head, struct rk_http_line lines[RK_HTTP_FIELDS_MAX],
                           struct rk_http_fields *fields_out);

#define RK_HTTP_ALLOW_BYTES sizeof("GET, HEAD, PUT, POST, DELETE, OPTIONS")

/* The methods that the path takes, as its Allow header says it. Any thread. */
void rk_http_route_allow(const struct rk_http_route *path, char out[RK_HTTP_ALLOW_BYTES]);

/* What a head asks for. */
struct rk_http_found {
    struct rk_http_target target; /* its path is not NULL */
    enum rk_http_method method;
    const struct rk_http_route *route; /* NULL: OPTIONS */
    bool asks_more;                    /* there are fields of http_field.h, or options */
};

/* A target of this method: a problem, or *found_out, where asks_more is what the target knows of it. Any thread. */
enum rk_http_problem rk_http_route_look_up(struct rk_http_span target, enum rk_http_method method,
                                           const struct rk_http_bounds *bounds, struct rk_http_found *found_out);

#define RK_HTTP_MEMBERS_BYTES 128

/* Why a request is refused, and what its answer says of that. */
struct rk_http_refusal {
    enum rk_http_problem problem;
    const struct rk_http_route *route; /* NULL: it is not known */
    bool closes;       /* what comes after the head is no request that could be trusted, or a body that nobody reads */
    uint64_t limit;    /* 0: none */
    uint64_t sequence; /* of the store, when a condition failed; 0: none */
    uint64_t etag;     /* of the value that is there then; 0: none */
    char allow[RK_HTTP_ALLOW_BYTES];     /* or "" */
    char members[RK_HTTP_MEMBERS_BYTES]; /* of the JSON object: the name that is not known; or "" */
};

/* For a head without a problem of its own: whether the request is one that is served. RK_HTTP_NO_PROBLEM and
 * *found_out, or the problem, which *refusal_out says more about. Any thread. */
enum rk_http_problem rk_http_route_check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                         struct rk_http_found *found_out, struct rk_http_refusal *refusal_out);

/* The limit that a problem of the head is about; 0: none. Any thread. */
uint64_t rk_http_route_limit(enum rk_http_problem problem, const struct rk_http_bounds *bounds);

#endif

/* What the head of a request decides: which operation it is, and whether it is refused before its body is read. One
 * table of what each path takes. Pure. */
#ifndef RK_HTTP_ROUTE_H
#define RK_HTTP_ROUTE_H

#include "http/http_parser.h"

enum rk_http_method {
    RK_HTTP_GET,
    RK_HTTP_HEAD,
    RK_HTTP_PUT,
    RK_HTTP_POST,
    RK_HTTP_DELETE,
    RK_HTTP_OPTIONS_METHOD,
    RK_HTTP_OTHER_METHOD,
};

enum rk_http_method rk_http_method_of(struct rk_http_span method);

/* The methods that this kind of path takes, as its Allow header says it. Any thread. */
const char *rk_http_route_allow(enum rk_http_endpoint endpoint);

#define RK_HTTP_MEMBERS_BYTES 128

/* Why a request is refused, and what its answer says of that. */
struct rk_http_refusal {
    enum rk_http_problem problem;
    bool closes;       /* what comes after the head is no request that could be trusted, or a body that nobody reads */
    uint64_t limit;    /* 0: none */
    const char *allow; /* NULL: none */
    char members[RK_HTTP_MEMBERS_BYTES]; /* of the JSON object: the name that is not known; or "" */
};

/* For a head without a problem of its own: whether the request is one that is served. RK_HTTP_NO_PROBLEM, or the
 * problem, which *refusal_out says more about. Any thread. */
enum rk_http_problem rk_http_route_check(const struct rk_http_head *head, const struct rk_http_bounds *bounds,
                                         struct rk_http_refusal *refusal_out);

/* The limit that a problem of the head is about; 0: none. Any thread. */
uint64_t rk_http_route_limit(enum rk_http_problem problem, const struct rk_http_bounds *bounds);

#endif

/* What an endpoint is: a row of one table (http_routes.c). From it come which paths there are, the Allow header, which
 * parameters and headers of ours a request may have, what is counted, and who answers. */
#ifndef RK_HTTP_ROUTES_H
#define RK_HTTP_ROUTES_H

#include "stats/stats_http.h"

#include <stdbool.h>
#include <stddef.h>

struct rk_http_request;

enum rk_http_method {
    RK_HTTP_GET,
    RK_HTTP_HEAD,
    RK_HTTP_PUT,
    RK_HTTP_POST,
    RK_HTTP_DELETE,
    RK_HTTP_OPTIONS_METHOD,
    RK_HTTP_OTHER_METHOD,
};

/* Parameters of a query, as bits. */
enum rk_http_parameter {
    RK_HTTP_PARAMETER_KEY = 1 << 0,
    RK_HTTP_PARAMETER_VALUE = 1 << 1,
    RK_HTTP_PARAMETER_OP = 1 << 2,
    RK_HTTP_PARAMETER_BY = 1 << 3,
    RK_HTTP_PARAMETER_TTL = 1 << 4,
    RK_HTTP_PARAMETER_EXPIRES = 1 << 5,
    RK_HTTP_PARAMETER_RW = 1 << 6,
    RK_HTTP_PARAMETER_SYN = 1 << 7,
    RK_HTTP_PARAMETER_PREFIX = 1 << 8,
    RK_HTTP_PARAMETER_PREFIX64 = 1 << 9,
    RK_HTTP_PARAMETER_AFTER = 1 << 10,
    RK_HTTP_PARAMETER_AFTER64 = 1 << 11,
    RK_HTTP_PARAMETER_LIMIT = 1 << 12,
    RK_HTTP_PARAMETER_DELIMITER = 1 << 13,
    RK_HTTP_PARAMETER_VALUES = 1 << 14,
};

/* Those that make another operation of a plain read or write. Their names are written without escapes: an escaped one
 * is unknown. */
#define RK_HTTP_OPTIONS \
    (RK_HTTP_PARAMETER_OP | RK_HTTP_PARAMETER_BY | RK_HTTP_PARAMETER_TTL | RK_HTTP_PARAMETER_EXPIRES)

/* Those of a listing; their names are written so, too. */
#define RK_HTTP_LIST_OPTIONS                                                                                     \
    (RK_HTTP_PARAMETER_PREFIX | RK_HTTP_PARAMETER_PREFIX64 | RK_HTTP_PARAMETER_AFTER | RK_HTTP_PARAMETER_AFTER64 \
     | RK_HTTP_PARAMETER_LIMIT | RK_HTTP_PARAMETER_DELIMITER | RK_HTTP_PARAMETER_VALUES)

/* Headers of a request that begin with RackKV-, as bits. */
enum rk_http_own_header {
    RK_HTTP_OWN_TTL = 1 << 0,
    RK_HTTP_OWN_EXPIRES = 1 << 1,
    RK_HTTP_OWN_DURABILITY = 1 << 2,
    RK_HTTP_OWN_META = 1 << 3, /* RackKV-Meta-*, any of them */
};

/* What the operation needs of its key; 0 where it takes none. */
enum rk_http_need {
    RK_HTTP_READS,     /* GET, HEAD */
    RK_HTTP_NEEDS_KEY, /* a write that does nothing without the key: DELETE, touch */
    RK_HTTP_MAKES_KEY, /* a write that makes the key where there is none */
};

/* What the request must bring. */
enum rk_http_operand {
    RK_HTTP_TAKES_NOTHING,
    RK_HTTP_TAKES_KEY,
    RK_HTTP_TAKES_BODY,  /* a key, and a value in the body */
    RK_HTTP_TAKES_VALUE, /* a key, and a value in the query */
};

/* One endpoint. The rows of one path stand together; a path that ends with a slash is the front of many: what is behind
 * it is the key, and without the slash it takes the key as a parameter. */
struct rk_http_route {
    const char *path; /* NULL: behind the last row */
    size_t path_len;
    unsigned methods;         /* bits 1 << enum rk_http_method; every path takes OPTIONS besides */
    const char *summary;      /* what it does: a sentence for /v1/openapi.json, without quotes or backslashes */
    const char *operation;    /* that op= has to name; NULL: none is named */
    enum rk_stats_http_op op; /* what it counts as */
    enum rk_http_operand operand;
    enum rk_http_need need;
    bool is_legacy;                                 /* the original's: there with http.legacy only; a plus is a space */
    bool is_listing;                                /* of many keys: for a request that names none */
    bool takes_bare_key;                            /* the query as a whole is the key when it does not name one */
    unsigned parameters;                            /* that it knows */
    unsigned own_headers;                           /* that it knows */
    bool stores_headers;                            /* those of http_metadata.h, beside the value */
    void (*start)(struct rk_http_request *request); /* answers, now or later */
};

/* The last row has no path. */
extern const struct rk_http_route rk_http_routes[];

#endif

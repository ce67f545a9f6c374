/* One request, and what becomes of it while its answer is not there yet. For src/http alone. */
#ifndef RK_HTTP_REQUEST_H
#define RK_HTTP_REQUEST_H

#include "http/http_state.h"

struct rk_http_ask;
struct rk_http_operation;
struct rk_http_update;
struct rk_listing;

/* One request, in its pool: as long as the request lives. */
struct rk_http_request {
    struct rk_http_server *server;
    h2o_req_t *req;
    const struct rk_http_route *route; /* NULL: refused */
    enum rk_stats_http_op op;
    struct rk_http_span key; /* decoded */
    struct rk_http_span value;
    const struct rk_http_ask *ask;             /* NULL: nothing but to read or to write */
    struct rk_http_span type;                  /* then the Content-Type, if there is one */
    const struct rk_http_operation *operation; /* of a write */
    struct rk_http_update *update;             /* NULL: it does not depend on what the key is */
    uint64_t sequence;                         /* of a conditional read: the last one published before it looked */

    /* While the answer is not there yet (rk_http_request_hold): */
    bool is_held;
    rk_store_ticket ticket; /* 0: nothing under way */
    uint64_t deadline_ns;
    h2o_linklist_t deadline;
    void (*on_deadline)(struct rk_http_request *request);

    /* A large value on its way out: */
    h2o_generator_t generator;
    struct rk_store_source *source; /* released when the request ends */
    int status;
    size_t value_len;
    size_t first, end; /* what of it is sent */
    size_t offset;     /* of the piece in hand */
    size_t piece_len;  /* its length */
    uint8_t *piece;

    /* A listing on its way out: */
    struct rk_listing *listing; /* ended when the request ends */
    bool is_stream;             /* NDJSON, not a page */
    bool has_head;              /* of the answer, sent */
};

/* Keeps the request until it is answered later: it is counted, and on_deadline is called when request_timeout is over;
 * when it ends, answered or not, what is under way is cancelled, and its source released. Once a request. */
void rk_http_request_hold(struct rk_http_request *request, void (*on_deadline)(struct rk_http_request *request));

/* What was under way is done: the deadline is off. */
void rk_http_request_settle(struct rk_http_request *request);

/* How much of thousandths the request's Accept wants this media type (http_accept.h). */
unsigned rk_http_request_weight(const h2o_req_t *req, const char *type);

/* Calls on_deadline where it is due. */
void rk_http_request_expire(struct rk_http_server *server, uint64_t now_ns);

#endif

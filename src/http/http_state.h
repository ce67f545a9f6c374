/* The state of one worker's HTTP face, which the files of src/http share: for src/http alone. From the floor up, each
 * calling only what stands above it here:
 *
 *   http_socket.c       which connection a socket of libh2o's belongs to
 *   http_reading.c      what libh2o asks of its reading: shares of a turn, memory of bodies, clients that left
 *   http_watch.c        other descriptors on the same loop, and the hook of a turn
 *   http_connection.c   one connection: counted, closed with its last answer read
 *   http_sweep.c        how long it may take for what it does
 *   http_listeners.c    accepting, also for others
 *   http_answer.c       statuses, headers and bodies
 *   http_fallback.c     the errors that libh2o answers itself
 *   http_request.c      one request that is answered later
 *   http_expect.c       what the store decides about a request before its body comes
 *   http_pieces.c       large values, piece by piece
 *   http_update.c       what a write makes of a key, from what the key is
 *   http_list_page.c    what a listing answers, row by row
 *   http_read.c, http_write.c, http_list.c, http_service.c, http_metrics.c
 *                       the endpoints: a row of http_routes.c each
 *   http_handler.c      one request: refused, or given to its endpoint
 *   http_probe.c        the look at the start whether ours is the parser
 *   http_server.c       life cycle, and the turn of the loop
 *
 * Everything runs on the thread that turns the loop. */
#ifndef RK_HTTP_STATE_H
#define RK_HTTP_STATE_H

#include "http/http_backend.h"
#include "http/http_parser.h"
#include "http/http_server.h"
#include "stats/stats_http.h"

#include <h2o.h>

struct rk_http_server {
    struct rk_http_settings settings;
    struct rk_http_bounds bounds; /* what the parser is told of them */
    struct rk_http_backend backend;
    struct rk_stats_http *stats;
    struct rk_stats_http own_stats; /* when the caller gave none */

    h2o_globalconf_t config;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_evloop_t *loop;

    struct rk_http_listener *listeners; /* our own, then those of others */
    size_t n_listeners;
    bool accepting;
    bool draining;
    uint64_t accept_again_ns; /* accepting stopped for want of descriptors until then; 0: it did not */
    h2o_linklist_t watches;   /* struct watch */

    size_t n_connections;
    size_t n_linger_fds;
    struct rk_http_connection *reading; /* whose bytes libh2o looks at; NULL once it has closed it */
    size_t req_offset;                  /* of the request in libh2o's connection */

    uint64_t n_turns;
    unsigned share;             /* requests that a connection may begin in a turn out of what it sent before */
    size_t n_waiting;           /* connections that have had theirs */
    h2o_linklist_t waiting;     /* they */
    h2o_linklist_t connections; /* struct rk_http_connection */
    uint64_t next_sweep_ns;

    size_t n_requests;        /* held: not answered yet */
    h2o_linklist_t deadlines; /* struct rk_http_request, the earliest first: all have the same time */

    void (*on_awake)(void *context);
    void *awake_context;
    bool is_awake; /* the hook was called in this turn */
};

#endif

/* What the files of src/http share, with libh2o in it: for src/http alone.
 *
 *   http_server.c      life cycle, listeners, the turn of the loop, watched descriptors
 *   http_listeners.c   accepting, also for others
 *   http_connection.c  one connection: counted, closed with its last answer read
 *   http_reading.c     what libh2o asks of its reading: shares of a turn, memory of bodies, clients that left
 *   http_sweep.c       how long it may take for what it does
 *   http_handler.c     one request: refused, or routed to its operation
 *   http_probe.c       the look at the start whether ours is the parser
 *   http_expect.c      what the store decides about a request before its body comes
 *   http_read.c        GET and HEAD, conditions on them, parts of values
 *   http_pieces.c      large values, piece by piece
 *   http_write.c       PUT, POST and DELETE, from the request to the writer and back
 *   http_update.c      what they do to what the key is: conditions, increments, ...
 *   http_answer.c      statuses, headers and bodies
 *
 * Everything runs on the thread that turns the loop. */
#ifndef RK_HTTP_INTERNAL_H
#define RK_HTTP_INTERNAL_H

#include "http/http_ask.h"
#include "http/http_backend.h"
#include "http/http_parser.h"
#include "http/http_problem.h"
#include "http/http_server.h"
#include "http/http_target.h"
#include "stats/stats_http.h"

#include <h2o.h>

struct rk_http_refusal;
struct rk_http_update;

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

/* One request, in its pool: as long as the request lives. */
struct rk_http_request {
    struct rk_http_server *server;
    h2o_req_t *req;
    enum rk_http_kind kind;
    enum rk_stats_http_op op;
    struct rk_http_span key; /* decoded */
    struct rk_http_span value;
    const struct rk_http_ask *ask; /* NULL: nothing but to read or to write */
    uint64_t sequence;             /* of a conditional read: the last one published before it looked */
    struct rk_http_update *update; /* NULL: it does not depend on what the key is */

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
};

/* ---- http_server.c ---- */

void rk_http_server_note_awake(struct rk_http_server *server);

/* ---- http_listeners.c ---- */

/* Takes over the sockets of the settings. */
void rk_http_listeners_open(struct rk_http_server *server);

/* Accepts what is queued. */
void rk_http_listeners_drain(struct rk_http_server *server);
void rk_http_listeners_close(struct rk_http_server *server);

/* Stops and starts accepting, as connections come and go. */
void rk_http_server_update_listeners(struct rk_http_server *server);

/* ---- http_connection.c ---- */

/* Takes over an accepted descriptor. */
void rk_http_connection_open(struct rk_http_server *server, int fd);

/* A request of this connection has reached the handler. */
void rk_http_connection_note_request(h2o_req_t *req);

/* The answer to this request is the connection's last, and the client may still be sending: once the answer is out,
 * what comes is read and dropped for a while. A close at once would reset the connection, and the client could lose the
 * answer that tells it why. */
void rk_http_connection_linger(h2o_req_t *req);

/* ---- http_reading.c ---- */

/* Finds what stands behind libh2o's calls: before its first. RK_ERR_MISMATCH when there is nothing. */
enum rk_err rk_http_reading_bind(struct rk_detail *detail);

/* Sees that libh2o's calls come; RK_ERR_MISMATCH when they do not, RK_ERR_LIMIT. Before the first connection. */
enum rk_err rk_http_reading_setup(struct rk_http_server *server, struct rk_detail *detail);

/* The end of a turn: who had its share goes on with its next request. */
void rk_http_reading_turn(struct rk_http_server *server);

/* ---- http_sweep.c ---- */

/* Closes connections whose time is over, and all idle ones while draining. */
void rk_http_connection_sweep(struct rk_http_server *server, uint64_t now_ns);

/* Cuts every connection; their requests end in the next turns of the loop. */
void rk_http_connection_cut_all(struct rk_http_server *server);

/* The time between two sweeps. */
uint64_t rk_http_connection_sweep_interval_ns(const struct rk_http_server *server);

/* ---- http_probe.c ---- */

/* Whether the parser of this program is the one that libh2o calls. Before anything is served. */
enum rk_err rk_http_probe(struct rk_http_server *server, struct rk_detail *detail);

/* ---- http_handler.c ---- */

void rk_http_handler_register(struct rk_http_server *server, h2o_hostconf_t *host);

/* Keeps the request until it is answered later: it is counted, and on_deadline is called when request_timeout is over;
 * when it ends, answered or not, what is under way is cancelled, and its source released. Once a request. */
void rk_http_request_hold(struct rk_http_request *request, void (*on_deadline)(struct rk_http_request *request));

/* What was under way is done: the deadline is off. */
void rk_http_request_settle(struct rk_http_request *request);

/* Calls on_deadline where it is due. */
void rk_http_request_expire(struct rk_http_server *server, uint64_t now_ns);

/* ---- http_expect.c ---- */

/* Whether the store lets a request happen whose client waits to send its body: a judge of http_interpose.h, with the
 * server as its context. */
enum rk_http_problem rk_http_expect_judge(void *server, const struct rk_http_head *head,
                                          struct rk_http_refusal *refusal);

/* ---- http_read.c ---- */

void rk_http_read_start(struct rk_http_request *request);

/* A read that failed, or came too late, with what it had added to the answer taken back. */
void rk_http_read_fail(struct rk_http_request *request, enum rk_err err);
void rk_http_read_expire(struct rk_http_request *request);

/* ---- http_pieces.c ---- */

/* Answers with the bytes [first, first + len), len at least 1, of a large value: with request->status, and the headers
 * that are there. The source is the request's from here on. */
void rk_http_pieces_start(struct rk_http_request *request, const struct rk_store_value *value, size_t first,
                          size_t len);

/* ---- http_write.c ---- */

void rk_http_write_start(struct rk_http_request *request);

/* ---- http_answer.c: each ends the request's handling ---- */

#define RK_HTTP_HEADERS_LIKELY 12

/* Adds a header; name and value live as long as the request. */
void rk_http_answer_header(h2o_req_t *req, const h2o_iovec_t *name, const char *printed, const char *value, size_t len);

static inline void rk_http_answer_token(h2o_req_t *req, const h2o_token_t *token, const char *printed,
                                        const char *value, size_t len)
{
    rk_http_answer_header(req, &token->buf, printed, value, len);
}

/* Adds `name: number` or, quoted, an ETag. */
void rk_http_answer_sequence(h2o_req_t *req, uint64_t sequence);
void rk_http_answer_etag(h2o_req_t *req, uint64_t sequence);

/* 200, 201, 206 with a body in memory that lives as long as the request (HEAD: only its length); 204, 304 without one.
 */
void rk_http_answer_body(struct rk_http_request *request, int status, const char *body, size_t len);
void rk_http_answer_empty(struct rk_http_request *request, int status);

/* The words beside 200, 201, 204, 206, 304. */
const char *rk_http_answer_reason(int status);

/* A problem, with its body; headers that are there stay. */
void rk_http_answer_problem(struct rk_http_request *request, enum rk_http_problem problem, uint64_t limit,
                            const char *members);

/* A problem of an operation on the store: it did not happen (certain), or it may have. */
void rk_http_answer_outcome(struct rk_http_request *request, enum rk_http_problem problem, bool none);

/* The answer that follows is the last of its connection: what comes behind the request cannot be trusted. */
void rk_http_answer_last(struct rk_http_request *request);

/* Gives the errors that libh2o answers by itself, without the handler, the body that all others have. */
void rk_http_answer_register(struct rk_http_server *server, h2o_hostconf_t *host);

/* Sets status and reason. */
void rk_http_answer_status(struct rk_http_request *request, int status, const char *reason);

#endif

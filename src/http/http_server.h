/* The HTTP face of one worker: listeners, connections and the request handler, over one libh2o event loop. One thread
 * creates it, turns it and destroys it. */
#ifndef RK_HTTP_SERVER_H
#define RK_HTTP_SERVER_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_http_backend;
struct rk_http_server;

#define RK_HTTP_LISTENERS_MAX 16

struct rk_http_settings {
    int listener_fds[RK_HTTP_LISTENERS_MAX]; /* listening, non-blocking; the server takes them over */
    size_t n_listeners;
    const int *other_listener_fds; /* of others on the same addresses, taken over as well; need not outlive the call */
    size_t n_other_listeners;
    bool legacy; /* the four endpoints /put /get /delete /open */
    size_t max_connections;
    size_t max_linger_fds; /* further descriptors, for connections whose last answer is on its way */
    uint32_t max_key_bytes;
    uint32_t max_value_bytes;
    uint32_t max_head_bytes;
    uint32_t max_fields;
    uint64_t upload_memory_bytes; /* buffers of all workers together, for bodies that are not complete */
    uint64_t min_rate_bytes;      /* a second, in each request_timeout of a body or of an answer that is taken */
    uint64_t request_timeout_ms;  /* from the first byte of a head to its last; also for an answer of the writer */
    uint64_t idle_timeout_ms;     /* a connection without a request */
    uint64_t list_time_ms;        /* that a page of a listing may be worked for */
};

/* Counters of this worker, read by anyone, written by the server's thread (relaxed). Lives in shared memory: zeroed
 * before, given by the caller: stats/stats_http.h. */
struct rk_stats_http;

/* The table of calls is copied; `stats` may be NULL. */
enum rk_err rk_http_server_create(struct rk_http_server **server_out, const struct rk_http_settings *settings,
                                  const struct rk_http_backend *backend, struct rk_stats_http *stats,
                                  struct rk_detail *detail);

/* Calls back on the loop whenever the eventfd was written; reads it. The descriptor stays the caller's. Returns RK_OK.
 */
enum rk_err rk_http_server_watch_eventfd(struct rk_http_server *server, int event_fd, void (*on_event)(void *context),
                                         void *context);

/* The same for any descriptor that becomes readable (a socket, a pipe): the callback reads it itself, to EAGAIN. */
enum rk_err rk_http_server_watch_readable(struct rk_http_server *server, int fd, void (*on_readable)(void *context),
                                          void *context);

/* One turn: waits at most max_wait_ms, handles what came. RK_ERR_IO when the loop itself failed: the worker ends. */
enum rk_err rk_http_server_turn(struct rk_http_server *server, int max_wait_ms);

/* Calls on_awake once a turn, before the first callback of that turn: who said "I sleep" takes it back there. NULL:
 * nobody is called. */
void rk_http_server_set_awake_hook(struct rk_http_server *server, void (*on_awake)(void *context), void *context);

/* Whether it takes new connections now: there may be more, and it has not stopped listening. */
bool rk_http_server_is_accepting(const struct rk_http_server *server);

/* Accepts also (or no longer) from n of the other listeners, from the first one given: nobody else does now. */
void rk_http_server_take_over(struct rk_http_server *server, size_t first, size_t n, bool taking);

/* Accepts what is queued, then stops listening; answers from now on close their connections; idle connections close. */
void rk_http_server_drain(struct rk_http_server *server);

size_t rk_http_server_n_connections(const struct rk_http_server *server);
size_t rk_http_server_n_requests(const struct rk_http_server *server); /* not answered yet */

/* Closes what can be closed. Only after a drain, or in tests; a worker process just exits. */
void rk_http_server_destroy(struct rk_http_server **server);

#endif

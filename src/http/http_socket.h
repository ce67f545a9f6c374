/* One connection, as http_connection.c, http_reading.c and http_sweep.c share it, and how it is found from libh2o's
 * socket. For src/http alone.
 *
 * libh2o keeps its own state of a connection. What it asks of the socket's reading passes through http_reading.c, which
 * so knows when a request begins, and what is buffered. */
#ifndef RK_HTTP_SOCKET_H
#define RK_HTTP_SOCKET_H

#include "http/http_state.h"

/* What a sweep sees a client do. */
enum rk_http_state {
    RK_HTTP_DOING_IDLE,
    RK_HTTP_DOING_HEAD,    /* an unfinished head */
    RK_HTTP_DOING_BODY,    /* an unfinished body */
    RK_HTTP_DOING_WAITING, /* for the store */
    RK_HTTP_DOING_WRITING, /* the client has to take some of its answer */
};

struct rk_http_connection {
    struct rk_http_server *server;
    void (*on_close)(struct rk_http_connection *connection); /* libh2o has closed its socket */
    h2o_linklist_t link;
    h2o_socket_t *socket;
    int linger_fd; /* a second descriptor of the same socket, that outlives libh2o's; -1: none */
    bool is_lingering;
    uint64_t n_lingered; /* bytes that were dropped since */

    /* http_reading.c: */
    h2o_socket_cb on_read; /* libh2o's; NULL: it did not ask for reading yet */
    bool is_parked;        /* watched, and not read: libh2o has its request */
    bool has_left;         /* the client sends nothing more, since left_ns */
    bool is_between;       /* a request has reached the handler, and reading begins anew after it */
    uint64_t left_ns;
    uint64_t n_read_bytes;
    bool is_unbounded;       /* its body went beyond upload_memory, and it was not told so yet */
    size_t n_buffered_bytes; /* as they are counted in server->stats */
    uint64_t turn;           /* in which n_in_turn requests were begun */
    unsigned n_in_turn;
    h2o_buffer_t *kept; /* what it sent, while it waits for the end of the turn; NULL: it does not */
    h2o_linklist_t waiting;

    /* http_sweep.c: */
    uint64_t n_requests;
    uint64_t swept_requests;
    enum rk_http_state state;
    uint64_t since_ns;      /* when a sweep first saw this state, or when this window of its rate began */
    uint64_t n_moved_bytes; /* then */
};

/* Makes the socket the connection's. */
void rk_http_socket_bind(h2o_socket_t *socket, struct rk_http_connection *connection);

/* The connection of a socket; NULL: it is none's. */
struct rk_http_connection *rk_http_socket_connection(const h2o_socket_t *socket);

/* The request that libh2o reads or answers on it. */
h2o_req_t *rk_http_socket_req(const struct rk_http_connection *connection);

#endif

/* What libh2o asks of the reading of a connection.
 *
 * libh2o 2.2.5 calls h2o_socket_read_start and h2o_socket_read_stop through the dynamic linker, so that a program which
 * defines them gets the calls; the real ones are behind RTLD_NEXT. Sockets that are no connection's pass through. For a
 * connection they come at fixed places of HTTP/1: reading starts when a connection begins and when an answer is out,
 * and stops when a request is whole. Here that means (doc/design/0022 to 0024):
 *
 * 1. Stopping parks: the socket stays registered with the kernel and is not read, so a request that waits for the store
 *    costs no epoll_ctl. What makes a parked socket readable is looked at: more bytes of a pipeline really stop the
 *    reading, until the answer is out; the end of the stream tells that the client has left.
 * 2. A connection whose share of a turn is used up finds an empty buffer when it goes on with its next request. It gets
 *    its bytes back at the end of the turn, when all others had theirs.
 * 3. After each read the buffers of all connections are summed up. The one whose body goes beyond
 *    limits.upload_memory is refused. */
#include "http/http_reading.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_time.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* A body that needs no more than this is never refused: libh2o's first buffers, and what any request may need. */
#define SMALL_BYTES (64u << 10)

/* Requests of a turn that come out of buffers, shared by all who have more than one there. */
#define PIPELINED_A_TURN 32u

static void (*real_read_start)(h2o_socket_t *socket, h2o_socket_cb callback);
static void (*real_read_stop)(h2o_socket_t *socket);
static bool probed; /* libh2o has called */

static void on_readable(h2o_socket_t *socket, const char *err);

/* ---- what is buffered ---- */

static void count_buffer(struct rk_http_connection *connection)
{
    const h2o_buffer_t *input = connection->socket->input;
    size_t now = input->bytes != NULL ? input->capacity : 0;
    struct rk_stats_http *stats = connection->server->stats;

    if (now == connection->n_buffered_bytes)
        return;
    rk_counter_add(&stats->upload_bytes, now - connection->n_buffered_bytes); /* it may wrap: the sum is right */
    connection->n_buffered_bytes = now;
}

static bool is_too_much(const struct rk_http_connection *connection)
{
    const struct rk_http_server *server = connection->server;
    const struct rk_http_backend *backend = &server->backend;
    uint64_t sum = atomic_load_explicit(&server->stats->upload_bytes, memory_order_relaxed);

    if (connection->n_buffered_bytes <= SMALL_BYTES)
        return false;
    if (backend->uploads_elsewhere != NULL)
        sum += backend->uploads_elsewhere(backend->self);
    return sum > server->settings.upload_memory_bytes;
}

/* As libh2o refuses a body that is too large. Where no head ends in all this there is nothing to answer to. */
static void refuse(struct rk_http_connection *connection)
{
    h2o_req_t *req = rk_http_socket_req(connection);

    if (req->version == 0) {
        connection->on_read(connection->socket, h2o_socket_error_closed);
        return;
    }
    real_read_stop(connection->socket);
    req->http1_is_persistent = 0;
    h2o_send_error_503(req, "Service Unavailable", "", H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION);
}

void rk_http_reading_bound(struct rk_http_connection *connection)
{
    if (!connection->is_unbounded || h2o_socket_is_writing(connection->socket))
        return;
    connection->is_unbounded = false;
    if (rk_http_socket_req(connection)->pathconf == NULL && is_too_much(connection))
        refuse(connection);
}

/* ---- parking ---- */

static void unpark(struct rk_http_connection *connection)
{
    if (connection->is_parked)
        h2o_socket_dont_read(connection->socket, 0);
    connection->is_parked = false;
}

/* Only what waits for the store is looked at: a client that does not take an answer is found by its rate, and one that
 * has taken it has often sent its next request by now. */
static void on_parked(h2o_socket_t *socket, const char *err)
{
    struct rk_http_connection *connection = rk_http_socket_connection(socket);
    ssize_t n = 1;
    char byte;

    if (!h2o_socket_is_writing(socket))
        n = recv(h2o_socket_get_fd(socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    unpark(connection);
    if (n < 0) {
        rk_http_reading_abandon(connection);
        return;
    }
    connection->has_left = n == 0;
    connection->left_ns = rk_time_monotonic_ns();
    real_read_stop(socket); /* or it would be readable for ever */
}

static void park(struct rk_http_connection *connection)
{
    connection->is_parked = true;
    h2o_socket_dont_read(connection->socket, 1);
    connection->socket->_cb.read = on_parked;
}

void rk_http_reading_abandon(struct rk_http_connection *connection)
{
    rk_counter_add(&connection->server->stats->connections_left, 1);
    connection->on_read(connection->socket, h2o_socket_error_closed);
}

/* ---- shares of a turn ---- */

static bool has_had_its_share(struct rk_http_connection *connection)
{
    struct rk_http_server *server = connection->server;

    if (connection->turn != server->n_turns) {
        connection->turn = server->n_turns;
        connection->n_in_turn = 0;
    }
    return ++connection->n_in_turn > server->share;
}

static void keep_waiting(struct rk_http_connection *connection)
{
    connection->kept = connection->socket->input;
    h2o_buffer_init(&connection->socket->input, &h2o_socket_buffer_prototype);
    h2o_linklist_insert(&connection->server->waiting, &connection->waiting);
    connection->server->n_waiting++;
}

static void give_back(struct rk_http_connection *connection)
{
    RK_ASSERT(connection->socket->input->bytes == NULL); /* nothing is read between the callbacks of one turn */
    connection->socket->input = connection->kept;
    connection->kept = NULL;
    h2o_linklist_unlink(&connection->waiting);
    connection->server->n_waiting--;
}

void rk_http_reading_turn(struct rk_http_server *server)
{
    size_t n = server->n_waiting;

    server->n_turns++;
    server->share = n < PIPELINED_A_TURN ? PIPELINED_A_TURN / (n + 1) : 1;
    while (n-- > 0) {
        struct rk_http_connection *connection =
            H2O_STRUCT_FROM_MEMBER(struct rk_http_connection, waiting, server->waiting.next);

        give_back(connection);
        (void)has_had_its_share(connection); /* this one counts */
        connection->on_read(connection->socket, NULL);
    }
}

void rk_http_reading_end(struct rk_http_connection *connection)
{
    rk_counter_add(&connection->server->stats->upload_bytes, -(uint64_t)connection->n_buffered_bytes);
    connection->n_buffered_bytes = 0;
    if (connection->server->reading == connection)
        connection->server->reading = NULL; /* it ends with what was read */
    if (connection->kept == NULL)
        return;
    h2o_buffer_dispose(&connection->kept);
    h2o_linklist_unlink(&connection->waiting);
    connection->server->n_waiting--;
}

/* ---- the calls ---- */

static void on_readable(h2o_socket_t *socket, const char *err)
{
    struct rk_http_connection *connection = rk_http_socket_connection(socket);

    struct rk_http_server *server = connection->server;

    connection->n_read_bytes += socket->bytes_read;
    count_buffer(connection);
    server->reading = connection;
    connection->on_read(socket, err);
    if (server->reading == connection && is_too_much(connection)) {
        connection->is_unbounded = true;
        rk_http_reading_bound(connection);
    }
}

void h2o_socket_read_start(h2o_socket_t *socket, h2o_socket_cb callback)
{
    struct rk_http_connection *connection = rk_http_socket_connection(socket);
    bool is_between;

    probed = true;
    if (connection == NULL) {
        real_read_start(socket, callback);
        return;
    }
    connection->on_read = callback;
    connection->has_left = false;
    unpark(connection);
    real_read_start(socket, on_readable);
    count_buffer(connection);
    is_between = connection->is_between;
    connection->is_between = false;
    if (is_between && socket->input->size > 0 && has_had_its_share(connection))
        keep_waiting(connection);
}

void h2o_socket_read_stop(h2o_socket_t *socket)
{
    struct rk_http_connection *connection = rk_http_socket_connection(socket);

    if (connection == NULL || connection->on_read == NULL || !h2o_socket_is_reading(socket))
        real_read_stop(socket);
    else if (!connection->is_parked)
        park(connection);
}

/* ---- whether they come ---- */

enum rk_err rk_http_reading_bind(struct rk_detail *detail)
{
    void *start = dlsym(RTLD_NEXT, "h2o_socket_read_start");
    void *stop = dlsym(RTLD_NEXT, "h2o_socket_read_stop");

    memcpy(&real_read_start, &start, sizeof start); /* ISO C has no cast from an object to a function */
    memcpy(&real_read_stop, &stop, sizeof stop);
    if (start != NULL && stop != NULL)
        return RK_OK;
    rk_detail_set(detail, "libh2o is not a shared library here: its reading cannot be steered");
    return RK_ERR_MISMATCH;
}

static int note_req_offset(h2o_req_t *req, void *context)
{
    struct rk_http_server *server = context;

    server->req_offset = (size_t)((char *)req - (char *)req->conn);
    return 0;
}

/* libh2o accepts one end of a pair of sockets, has to ask for its reading then, and shows where in its connection the
 * request is. */
static void probe(struct rk_http_server *server, int fd)
{
    h2o_socket_t *socket = h2o_evloop_socket_create(server->loop, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);

    probed = false;
    h2o_accept(&server->accept, socket);
    (void)server->config.http1.callbacks.foreach_request(&server->context, note_req_offset, server); /* never stops */
    socket->_cb.read(socket, h2o_socket_error_closed);
}

enum rk_err rk_http_reading_setup(struct rk_http_server *server, struct rk_detail *detail)
{
    int pair[2];

    h2o_linklist_init_anchor(&server->waiting);
    server->share = PIPELINED_A_TURN;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        rk_detail_set(detail, "a pair of sockets: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    probe(server, pair[0]);
    (void)close(pair[1]); /* nobody is at the other end */
    if (!probed || server->req_offset == 0) {
        rk_detail_set(detail, "libh2o does not call this program's h2o_socket_read_start: another build of it?");
        return RK_ERR_MISMATCH;
    }
    return RK_OK;
}

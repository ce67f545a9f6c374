/* Connections: each is counted from its accept to its close, and lingers after an answer that the client may not
 * expect. What it does in between, and how long it may take, is in http_reading.c and http_sweep.c. */
#include "http/http_connection.h"

#include "base/base_mem.h"
#include "base/base_time.h"
#include "http/http_reading.h"

#include <errno.h>
#include <fcntl.h>

#define LINGER_MAX_PASSES 64 /* reads in one go, so that a fast sender holds up nobody */
#define LINGER_MAX_BYTES  (64u << 20)

static void count_open(struct rk_http_server *server)
{
    atomic_store_explicit(&server->stats->connections_open, server->n_connections, memory_order_relaxed);
}

static void close_connection(struct rk_http_connection *connection)
{
    struct rk_http_server *server = connection->server;

    h2o_linklist_unlink(&connection->link);
    free(connection);
    server->n_connections--;
    count_open(server); /* the end of the turn sees whether there is room for another */
}

/* ---- lingering ---- */

static void on_lingering_close(void *context)
{
    close_connection(context);
}

static void on_lingering_readable(h2o_socket_t *socket, const char *err)
{
    struct rk_http_connection *connection = socket->on_close.data;
    int fd = h2o_socket_get_fd(socket);
    char drop[4096];

    for (int i = 0; i < LINGER_MAX_PASSES; i++) {
        /* MSG_TRUNC: a TCP socket drops the bytes without copying them, so the size can be more than the buffer's */
        ssize_t n = recv(fd, drop, sizeof drop, MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        connection->n_lingered += n > 0 ? (uint64_t)n : 0;
        if (n <= 0 || connection->n_lingered > LINGER_MAX_BYTES) {
            h2o_socket_close(socket);
            return;
        }
    }
}

static void start_lingering(struct rk_http_connection *connection)
{
    int fd = connection->linger_fd;

    connection->linger_fd = -1;
    connection->server->n_linger_fds--; /* libh2o's is closed: it is the connection's only one */
    connection->is_lingering = true;
    connection->since_ns = rk_time_monotonic_ns();
    (void)shutdown(fd, SHUT_WR); /* fails when the client is gone already; the read then says so */
    connection->socket = h2o_evloop_socket_create(connection->server->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    connection->socket->on_close.cb = on_lingering_close;
    connection->socket->on_close.data = connection;
    h2o_socket_read_start(connection->socket, on_lingering_readable);
}

static void on_close(struct rk_http_connection *connection)
{
    rk_http_reading_end(connection);
    if (connection->linger_fd >= 0)
        start_lingering(connection);
    else
        close_connection(connection);
}

/* ---- from accept on ---- */

void rk_http_connection_open(struct rk_http_server *server, int fd)
{
    struct rk_http_connection *connection = rk_mem_calloc(1, sizeof *connection);

    connection->server = server;
    connection->linger_fd = -1;
    connection->since_ns = rk_time_monotonic_ns();
    connection->on_close = on_close;
    rk_http_socket_bind(h2o_evloop_socket_create(server->loop, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION), connection);
    h2o_linklist_insert(&server->connections, &connection->link);
    server->n_connections++;
    rk_counter_add(&server->stats->connections_accepted, 1);
    count_open(server);
    h2o_accept(&server->accept, connection->socket);
}

static struct rk_http_connection *connection_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

void rk_http_connection_note_request(h2o_req_t *req)
{
    struct rk_http_connection *connection = connection_of(req);

    connection->n_requests++;
    connection->is_between = true;
}

void rk_http_connection_linger(h2o_req_t *req)
{
    struct rk_http_connection *connection = connection_of(req);

    struct rk_http_server *server = connection->server;

    if (connection->linger_fd >= 0 || server->n_linger_fds >= server->settings.max_linger_fds)
        return; /* without a descriptor to spare it just closes */
    connection->linger_fd = fcntl(h2o_socket_get_fd(connection->socket), F_DUPFD_CLOEXEC, 0);
    server->n_linger_fds += connection->linger_fd >= 0;
}

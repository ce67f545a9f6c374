/* Connections: each is counted from its accept to its close, and has a time for everything it does.
 *
 * libh2o has one timeout for the idle time, the head and the body together, on the wall clock. Here a sweep looks at
 * every connection a few times in the shortest of the limits, on the monotonic clock: one that was idle, or inside the
 * same unfinished request, in all sweeps of its limit is shut down, and libh2o then closes it as if the client had.
 * libh2o's own timeout stays as a belt. A client that takes no answer is cut by the kernel (TCP_USER_TIMEOUT). */
#include "http/http_internal.h"

#include "base/base_mem.h"
#include "base/base_time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#define SWEEPS_A_LIMIT    8
#define SWEEP_MIN_MS      10
#define SWEEP_MAX_MS      400
#define SWEEP_DRAINING_MS 50

/* While draining, an idle connection gets this long to send the request that may be under way: its answer says
 * "Connection: close". */
#define DRAINING_IDLE_MS 300

#define LINGER_MS         1000
#define LINGER_MAX_PASSES 64 /* reads in one go, so that a fast sender holds up nobody */
#define LINGER_MAX_BYTES  (64u << 20)

enum state { STATE_IDLE, STATE_READING, STATE_ANSWERING };

struct rk_http_connection {
    struct rk_http_server *server;
    h2o_linklist_t link;
    h2o_socket_t *socket;
    int linger_fd; /* a second descriptor of the same socket, that outlives libh2o's; -1: none */
    bool is_lingering;
    uint64_t n_lingered; /* bytes that were dropped since */
    uint64_t n_requests;
    uint64_t swept_requests; /* all three as the last sweep saw them */
    enum state state;
    uint64_t since_ns; /* when a sweep first saw this state */
};

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
    count_open(server);
    rk_http_server_update_listeners(server);
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
    connection->is_lingering = true;
    connection->since_ns = rk_time_monotonic_ns();
    (void)shutdown(fd, SHUT_WR); /* fails when the client is gone already; the read then says so */
    connection->socket = h2o_evloop_socket_create(connection->server->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    connection->socket->on_close.cb = on_lingering_close;
    connection->socket->on_close.data = connection;
    h2o_socket_read_start(connection->socket, on_lingering_readable);
}

static void on_close(void *context)
{
    struct rk_http_connection *connection = context;

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
    connection->socket = h2o_evloop_socket_create(server->loop, fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    connection->socket->on_close.cb = on_close;
    connection->socket->on_close.data = connection;
    h2o_linklist_insert(&server->connections, &connection->link);
    server->n_connections++;
    rk_stats_add(&server->stats->connections_accepted, 1);
    count_open(server);
    h2o_accept(&server->accept, connection->socket);
}

static struct rk_http_connection *connection_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

void rk_http_connection_note_request(h2o_req_t *req)
{
    connection_of(req)->n_requests++;
}

void rk_http_connection_linger(h2o_req_t *req)
{
    struct rk_http_connection *connection = connection_of(req);

    if (connection->linger_fd < 0) /* without a descriptor to spare it just closes */
        connection->linger_fd = fcntl(h2o_socket_get_fd(connection->socket), F_DUPFD_CLOEXEC, 0);
}

/* ---- the sweep ---- */

static void cut(struct rk_http_connection *connection)
{
    (void)shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR); /* fails when it is down already */
}

static bool has_unread_bytes(const struct rk_http_connection *connection)
{
    int n = 0;

    return ioctl(h2o_socket_get_fd(connection->socket), FIONREAD, &n) == 0 && n > 0;
}

static uint64_t limit_ms(const struct rk_http_server *server, enum state state)
{
    switch (state) {
    case STATE_IDLE:
        return server->draining ? DRAINING_IDLE_MS : server->settings.idle_timeout_ms;
    case STATE_READING:
        return server->settings.request_timeout_ms;
    default:
        return UINT64_MAX / RK_NS_PER_MS;
    }
}

static enum state state_of(const h2o_req_t *req, const h2o_socket_t *socket)
{
    if (req->pathconf != NULL)
        return STATE_ANSWERING;
    return socket->input->size > 0 ? STATE_READING : STATE_IDLE;
}

struct sweep {
    struct rk_http_server *server;
    uint64_t now_ns;
};

/* Only shuts down: libh2o walks its list of connections around this. */
static int sweep_request(h2o_req_t *req, void *context)
{
    const struct sweep *sweep = context;
    struct rk_http_connection *connection = connection_of(req);
    enum state state = state_of(req, connection->socket);

    if (state != connection->state || connection->n_requests != connection->swept_requests) {
        connection->state = state;
        connection->swept_requests = connection->n_requests;
        connection->since_ns = sweep->now_ns;
    } else if (sweep->now_ns - connection->since_ns >= limit_ms(sweep->server, state) * RK_NS_PER_MS
               && !(state == STATE_IDLE && has_unread_bytes(connection))) {
        rk_stats_add(&sweep->server->stats->connections_timed_out, !sweep->server->draining);
        cut(connection);
    }
    return 0;
}

static void sweep_lingering(struct rk_http_server *server, uint64_t now_ns)
{
    h2o_linklist_t *next;

    for (h2o_linklist_t *node = server->connections.next; node != &server->connections; node = next) {
        struct rk_http_connection *connection = H2O_STRUCT_FROM_MEMBER(struct rk_http_connection, link, node);

        next = node->next;
        if (connection->is_lingering && now_ns - connection->since_ns >= LINGER_MS * RK_NS_PER_MS)
            h2o_socket_close(connection->socket);
    }
}

void rk_http_connection_sweep(struct rk_http_server *server, uint64_t now_ns)
{
    struct sweep sweep = { server, now_ns };

    (void)server->config.http1.callbacks.foreach_request(&server->context, sweep_request, &sweep); /* never stops */
    sweep_lingering(server, now_ns);
}

uint64_t rk_http_connection_sweep_interval_ns(const struct rk_http_server *server)
{
    const struct rk_http_settings *settings = &server->settings;
    uint64_t shortest = settings->idle_timeout_ms < settings->request_timeout_ms ? settings->idle_timeout_ms
                                                                                 : settings->request_timeout_ms;
    uint64_t interval = server->draining ? SWEEP_DRAINING_MS : shortest / SWEEPS_A_LIMIT;

    interval = interval < SWEEP_MIN_MS ? SWEEP_MIN_MS : interval;
    return (interval > SWEEP_MAX_MS ? SWEEP_MAX_MS : interval) * RK_NS_PER_MS;
}

void rk_http_connection_cut_all(struct rk_http_server *server)
{
    for (h2o_linklist_t *node = server->connections.next; node != &server->connections; node = node->next)
        cut(H2O_STRUCT_FROM_MEMBER(struct rk_http_connection, link, node));
}

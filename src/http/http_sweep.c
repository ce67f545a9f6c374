/* The time that a connection has for everything it does. A sweep looks at all of them a few times in the shortest of
 * the limits, on the monotonic clock:
 *
 *   without a request       http.idle_timeout
 *   an unfinished head      http.request_timeout
 *   a body that is sent, or an answer that is taken
 *                           as long as it takes, at http.min_rate over each http.request_timeout: one rule for both
 *   a request that waits    its own deadline (http_handler.c), and as long as the client is there
 *
 * What is over its time is shut down, and libh2o then closes it as if the client had. libh2o's one timeout for idle
 * time, head and body together is set beyond all of these. */
#include "http/http_sweep.h"

#include "base/base_time.h"
#include "http/http_reading.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#define SWEEPS_A_LIMIT    8
#define SWEEP_MIN_MS      10
#define SWEEP_MAX_MS      400
#define SWEEP_DRAINING_MS 50

/* While draining, an idle connection gets this long to send the request that may be under way: its answer says
 * "Connection: close". */
#define DRAINING_IDLE_MS 300

/* A client that has sent the end of its stream may still read: so long it can wait for an answer. One that has closed
 * looks the same. */
#define LEFT_MS 1000

#define LINGER_MS 1000

static void cut(struct rk_http_connection *connection)
{
    (void)shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR); /* fails when it is down already */
}

/* What it did not take is dropped at once, and not kept in the kernel until that gives up. */
static void cut_hard(struct rk_http_connection *connection)
{
    struct linger none = { 1, 0 };

    (void)setsockopt(h2o_socket_get_fd(connection->socket), SOL_SOCKET, SO_LINGER, &none, sizeof none); /* it is cut */
    cut(connection);
}

static bool has_unread_bytes(const struct rk_http_connection *connection)
{
    int n = 0;

    return ioctl(h2o_socket_get_fd(connection->socket), FIONREAD, &n) == 0 && n > 0;
}

static enum rk_http_state state_of(const struct rk_http_connection *connection)
{
    const h2o_req_t *req = rk_http_socket_req(connection);

    if (req->pathconf != NULL)
        return h2o_socket_is_writing(connection->socket) ? RK_HTTP_DOING_WRITING : RK_HTTP_DOING_WAITING;
    if (req->version != 0)
        return RK_HTTP_DOING_BODY;
    return connection->socket->input->size > 0 ? RK_HTTP_DOING_HEAD : RK_HTTP_DOING_IDLE;
}

/* Bytes that its client has got: acknowledged, or (a Unix socket) out of the queue. */
static uint64_t count_taken(const struct rk_http_connection *connection)
{
    int fd = h2o_socket_get_fd(connection->socket);
    struct tcp_info info;
    socklen_t len = sizeof info;
    int n_queued = 0;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
        return info.tcpi_bytes_acked;
    (void)ioctl(fd, SIOCOUTQ, &n_queued); /* fails for no stream socket */
    return connection->socket->bytes_written - (uint64_t)n_queued;
}

static uint64_t count_moved(const struct rk_http_connection *connection)
{
    return connection->state == RK_HTTP_DOING_WRITING ? count_taken(connection) : connection->n_read_bytes;
}

static void begin_state(struct rk_http_connection *connection, uint64_t now_ns)
{
    connection->since_ns = now_ns;
    connection->n_moved_bytes = count_moved(connection);
}

static bool is_over(const struct rk_http_connection *connection, uint64_t now_ns, uint64_t limit_ms)
{
    return now_ns - connection->since_ns >= limit_ms * RK_NS_PER_MS;
}

/* At the end of each window: whether as much was moved in it as has to be, and at least something. */
static bool is_too_slow(struct rk_http_connection *connection, uint64_t now_ns)
{
    const struct rk_http_settings *settings = &connection->server->settings;
    uint64_t needed = settings->min_rate_bytes * settings->request_timeout_ms / 1000;
    uint64_t before = connection->n_moved_bytes;

    if (!is_over(connection, now_ns, settings->request_timeout_ms))
        return false;
    begin_state(connection, now_ns);
    return connection->n_moved_bytes - before < (needed > 0 ? needed : 1);
}

static void time_out(struct rk_http_connection *connection)
{
    struct rk_http_server *server = connection->server;

    rk_counter_add(&server->stats->connections_timed_out, !server->draining);
    if (connection->state == RK_HTTP_DOING_WRITING)
        cut_hard(connection);
    else
        cut(connection);
}

static void sweep_state(struct rk_http_connection *connection, uint64_t now_ns)
{
    const struct rk_http_server *server = connection->server;
    const struct rk_http_settings *settings = &server->settings;

    switch (connection->state) {
    case RK_HTTP_DOING_IDLE:
        if (is_over(connection, now_ns, server->draining ? DRAINING_IDLE_MS : settings->idle_timeout_ms)
            && !has_unread_bytes(connection))
            time_out(connection);
        break;
    case RK_HTTP_DOING_HEAD:
        if (is_over(connection, now_ns, settings->request_timeout_ms))
            time_out(connection);
        break;
    case RK_HTTP_DOING_BODY:
    case RK_HTTP_DOING_WRITING:
        if (is_too_slow(connection, now_ns))
            time_out(connection);
        else
            rk_http_reading_bound(connection);
        break;
    case RK_HTTP_DOING_WAITING:
        if (connection->has_left && now_ns - connection->left_ns >= LEFT_MS * RK_NS_PER_MS)
            rk_http_reading_abandon(connection);
        break;
    }
}

static void sweep_one(struct rk_http_connection *connection, uint64_t now_ns)
{
    enum rk_http_state state = state_of(connection);
    bool is_new = connection->n_requests != connection->swept_requests
                  && (state == RK_HTTP_DOING_IDLE || state == RK_HTTP_DOING_HEAD);

    connection->swept_requests = connection->n_requests;
    if (state != connection->state || is_new) {
        connection->state = state;
        begin_state(connection, now_ns);
    }
    sweep_state(connection, now_ns); /* it may be gone after this */
}

void rk_http_connection_sweep(struct rk_http_server *server, uint64_t now_ns)
{
    h2o_linklist_t *next;

    for (h2o_linklist_t *node = server->connections.next; node != &server->connections; node = next) {
        struct rk_http_connection *connection = H2O_STRUCT_FROM_MEMBER(struct rk_http_connection, link, node);

        next = node->next;
        if (!connection->is_lingering)
            sweep_one(connection, now_ns);
        else if (is_over(connection, now_ns, LINGER_MS))
            h2o_socket_close(connection->socket);
    }
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

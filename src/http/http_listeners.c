/* Listening sockets: the server's own, and those of others on the same addresses, from which it accepts only while it
 * is asked to (a server that stands still leaves its share of new connections in the kernel's queue). */
#include "http/http_listeners.h"

#include "base/base_mem.h"
#include "base/base_time.h"
#include "http/http_connection.h"
#include "http/http_watch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define ACCEPTS_A_TURN  64
#define ACCEPT_PAUSE_NS (100 * RK_NS_PER_MS)

struct rk_http_listener {
    struct rk_http_server *server;
    h2o_socket_t *socket; /* NULL: closed, or an address that is ours already */
    bool is_wanted;
    bool is_read;
};

/* False when there is nothing more to accept for now. Whatever the reason is, the listener stays readable: any error
 * but a connection that went away again stops accepting for a while, or the loop would spin. */
static bool accept_one(struct rk_http_server *server, h2o_socket_t *socket)
{
    int fd = accept4(h2o_socket_get_fd(socket), NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        rk_http_connection_open(server, fd);
        return true;
    }
    if (errno == ECONNABORTED || errno == EINTR)
        return true;
    if (errno != EAGAIN) {
        server->accept_again_ns = rk_time_monotonic_ns() + ACCEPT_PAUSE_NS;
        rk_counter_add(&server->stats->accept_pauses, 1);
    }
    return false;
}

static bool may_accept(const struct rk_http_server *server)
{
    return server->accept_again_ns == 0 && server->n_connections < server->settings.max_connections;
}

static void accept_some(struct rk_http_listener *listener, size_t n_max)
{
    struct rk_http_server *server = listener->server;

    for (size_t i = 0; i < n_max && may_accept(server); i++)
        if (!accept_one(server, listener->socket))
            break;
    rk_http_listeners_update(server);
}

static void on_accept(h2o_socket_t *socket, const char *err)
{
    struct rk_http_listener *listener = socket->data;

    rk_http_watch_note_awake(listener->server);
    accept_some(listener, ACCEPTS_A_TURN);
}

static void update_listener(struct rk_http_listener *listener, bool accepting)
{
    bool is_read = accepting && listener->is_wanted;

    if (listener->socket == NULL || is_read == listener->is_read)
        return;
    listener->is_read = is_read;
    if (is_read)
        h2o_socket_read_start(listener->socket, on_accept);
    else
        h2o_socket_read_stop(listener->socket);
}

static void update_all(struct rk_http_server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++)
        update_listener(&server->listeners[i], server->accepting);
}

void rk_http_listeners_update(struct rk_http_server *server)
{
    bool accepting = may_accept(server);

    if (accepting == server->accepting)
        return;
    if (!accepting && server->accept_again_ns == 0)
        rk_counter_add(&server->stats->accept_pauses, 1); /* as many as there may be */
    server->accepting = accepting;
    update_all(server);
}

bool rk_http_server_is_accepting(const struct rk_http_server *server)
{
    return server->accepting;
}

void rk_http_server_take_over(struct rk_http_server *server, size_t first, size_t n, bool taking)
{
    size_t begin = server->settings.n_listeners + first;

    for (size_t i = begin; i < begin + n && i < server->n_listeners; i++)
        server->listeners[i].is_wanted = taking;
    update_all(server);
}

static int domain_of(int fd)
{
    int domain = 0;
    socklen_t len = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 ? domain : AF_UNSPEC;
}

/* What accepted sockets inherit (tcp(7)). Unix-domain sockets have none of it. */
static void set_tcp_options(int fd)
{
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* it serves without it all the same */
}

static void open_listener(struct rk_http_server *server, struct rk_http_listener *listener, int fd, bool is_own)
{
    int domain = domain_of(fd);

    listener->server = server;
    if (domain == AF_UNIX && !is_own) {
        (void)close(fd); /* a Unix socket is one for all: it is ours, too */
        return;
    }
    if (domain != AF_UNIX)
        set_tcp_options(fd);
    listener->socket = h2o_evloop_socket_create(server->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    listener->socket->data = listener;
    listener->is_wanted = is_own;
}

void rk_http_listeners_open(struct rk_http_server *server)
{
    const struct rk_http_settings *settings = &server->settings;
    size_t n_own = settings->n_listeners;

    server->n_listeners = n_own + settings->n_other_listeners;
    server->listeners = rk_mem_calloc(server->n_listeners + 1, sizeof *server->listeners);
    for (size_t i = 0; i < n_own; i++)
        open_listener(server, &server->listeners[i], settings->listener_fds[i], true);
    for (size_t i = 0; i < settings->n_other_listeners; i++)
        open_listener(server, &server->listeners[n_own + i], settings->other_listener_fds[i], false);
    rk_http_listeners_update(server);
}

void rk_http_listeners_drain(struct rk_http_server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++)
        if (server->listeners[i].socket != NULL && server->listeners[i].is_wanted)
            accept_some(&server->listeners[i], server->settings.max_connections);
}

void rk_http_listeners_close(struct rk_http_server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++)
        if (server->listeners[i].socket != NULL)
            h2o_socket_close(server->listeners[i].socket);
    free(server->listeners);
    server->listeners = NULL;
    server->n_listeners = 0;
}

#include "http/http_watch.h"

#include "base/base_mem.h"

#include <errno.h>
#include <fcntl.h>

struct watch {
    h2o_linklist_t link;
    struct rk_http_server *server;
    h2o_socket_t *socket;
    void (*callback)(void *context);
    void *context;
};

void rk_http_watch_note_awake(struct rk_http_server *server)
{
    if (server->is_awake)
        return;
    server->is_awake = true;
    if (server->on_awake != NULL)
        server->on_awake(server->awake_context);
}

void rk_http_server_set_awake_hook(struct rk_http_server *server, void (*on_awake)(void *context), void *context)
{
    server->on_awake = on_awake;
    server->awake_context = context;
}

void rk_http_watch_close_all(struct rk_http_server *server)
{
    while (!h2o_linklist_is_empty(&server->watches)) {
        struct watch *watch = H2O_STRUCT_FROM_MEMBER(struct watch, link, server->watches.next);

        h2o_linklist_unlink(&watch->link);
        h2o_socket_close(watch->socket);
        free(watch);
    }
}

static void on_eventfd(h2o_socket_t *socket, const char *err)
{
    struct watch *watch = socket->data;

    if (err != NULL) {
        h2o_socket_read_stop(socket); /* would be readable for ever */
        return;
    }
    h2o_buffer_consume(&socket->input, socket->input->size);
    rk_http_watch_note_awake(watch->server);
    watch->callback(watch->context);
}

static void on_readable(h2o_socket_t *socket, const char *err)
{
    struct watch *watch = socket->data;

    rk_http_watch_note_awake(watch->server);
    watch->callback(watch->context);
}

/* libh2o closes what it watches, so it gets a descriptor of its own. */
static enum rk_err add_watch(struct rk_http_server *server, int fd, int flags, h2o_socket_cb on_event,
                             void (*callback)(void *context), void *context)
{
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct watch *watch;

    if (own_fd < 0)
        return rk_err_from_errno(errno);
    watch = rk_mem_calloc(1, sizeof *watch);
    watch->server = server;
    watch->callback = callback;
    watch->context = context;
    watch->socket = h2o_evloop_socket_create(server->loop, own_fd, flags);
    watch->socket->data = watch;
    h2o_linklist_insert(&server->watches, &watch->link);
    h2o_socket_read_start(watch->socket, on_event);
    return RK_OK;
}

enum rk_err rk_http_server_watch_eventfd(struct rk_http_server *server, int event_fd, void (*on_event)(void *context),
                                         void *context)
{
    return add_watch(server, event_fd, 0, on_eventfd, on_event, context);
}

enum rk_err rk_http_server_watch_readable(struct rk_http_server *server, int fd, void (*callback)(void *context),
                                          void *context)
{
    return add_watch(server, fd, H2O_SOCKET_FLAG_DONT_READ, on_readable, callback, context);
}

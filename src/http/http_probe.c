/* The look at the start whether libh2o really calls this program's parser: a connection over a socket pair, with a head
 * and the beginning of a body in chunks on it, and a close. It has to have come by both functions. Nothing is answered,
 * no handler is called, nothing is counted: the request never ends. */
#include "http/http_probe.h"

#include "base/base_detail.h"
#include "http/http_interpose.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX    100
#define TURN_WAIT_MS 10

/* The shortest key and the shortest value: no limit is so low that the head would be refused, and so answered. */
static const char probe[] = "PUT /v1/kv/p HTTP/1.1\r\nHost: probe\r\nTransfer-Encoding: chunked\r\n\r\n1";

static void on_close(void *context)
{
    *(bool *)context = true;
}

/* The loop is turned until libh2o has closed its end, as it does when it reads the end of ours. */
static enum rk_err turn_until(struct rk_http_server *server, const bool *is_closed)
{
    for (int i = 0; i < TURNS_MAX && !*is_closed; i++)
        if (h2o_evloop_run(server->loop, TURN_WAIT_MS) != 0 && errno != EINTR)
            return RK_ERR_IO;
    return *is_closed ? RK_OK : RK_ERR_TIMEOUT;
}

static enum rk_err send_probe(struct rk_http_server *server)
{
    int fds[2];
    bool is_closed = false;
    h2o_socket_t *socket;
    ssize_t n;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return rk_err_from_errno(errno);
    socket = h2o_evloop_socket_create(server->loop, fds[0], H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
    socket->on_close.cb = on_close;
    socket->on_close.data = &is_closed;
    h2o_accept(&server->accept, socket);
    n = write(fds[1], probe, strlen(probe));
    (void)close(fds[1]);
    return turn_until(server, &is_closed) == RK_OK && n == (ssize_t)strlen(probe) ? RK_OK : RK_ERR_IO;
}

enum rk_err rk_http_probe(struct rk_http_server *server, struct rk_detail *detail)
{
    struct rk_http_interpose_calls before = rk_http_interpose_calls(), after;
    enum rk_err err = send_probe(server);

    if (err != RK_OK) {
        rk_detail_set(detail, "the look at the start whether requests are parsed did not end");
        return err;
    }
    after = rk_http_interpose_calls();
    if (after.n_heads > before.n_heads && after.n_chunks > before.n_chunks)
        return RK_OK;
    rk_detail_set(detail, "libh2o parses requests by itself, too leniently to serve them: this program's HTTP parser "
                          "was not called; a libh2o that is linked without -Bsymbolic, as Debian's is, calls it");
    return RK_ERR_INVALID;
}

#include "fake_server.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EXCHANGES_MAX 32

struct blob {
    char *bytes;
    size_t size;
    bool resets; /* the connection ends with it, and not by a close */
};

struct fake_server {
    int listen_fd;
    int stop_fd; /* an eventfd */
    char url[160];
    pthread_t thread;
    pthread_mutex_t lock; /* for all below */
    struct blob answers[EXCHANGES_MAX];
    struct blob requests[EXCHANGES_MAX];
    size_t n_answers, n_answered, n_requests, n_connections;
};

/* False when the test is over. */
static bool wait_readable(struct fake_server *server, int fd)
{
    struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = server->stop_fd, .events = POLLIN } };

    RK_ASSERT(poll(fds, 2, -1) > 0);
    return (fds[1].revents & POLLIN) == 0;
}

static void send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n_sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (n_sent <= 0) /* the client is gone: it is what some tests look at */
            return;
        bytes += n_sent;
        size -= (size_t)n_sent;
    }
}

/* The size of the whole request, once its head is there; else 0. */
static size_t whole_size(const struct blob *request)
{
    const char *end = request->size > 0 ? strstr(request->bytes, "\r\n\r\n") : NULL;
    const char *length = end != NULL ? strcasestr(request->bytes, "\r\nContent-Length:") : NULL;
    size_t head_size;

    if (end == NULL)
        return 0;
    head_size = (size_t)(end - request->bytes) + 4;
    return length != NULL && length < end ? head_size + strtoull(length + 17, NULL, 10) : head_size;
}

/* False at the end of the connection. */
static bool read_request(struct fake_server *server, int fd, struct blob *request)
{
    bool continued = false;

    while (whole_size(request) == 0 || request->size < whole_size(request)) {
        char *bytes = realloc(request->bytes, request->size + 65536 + 1);
        ssize_t n_read;

        RK_ASSERT(bytes != NULL);
        request->bytes = bytes;
        if (!wait_readable(server, fd))
            return false;
        n_read = recv(fd, bytes + request->size, 65536, 0);
        if (n_read <= 0)
            return false;
        request->size += (size_t)n_read;
        bytes[request->size] = '\0';
        if (!continued && whole_size(request) != 0 && strcasestr(bytes, "\r\nExpect: 100-continue\r\n") != NULL) {
            send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
            continued = true;
        }
    }
    return true;
}

/* Until the client's kernel has all of it: a reset would take the rest away, and the client would not know of it. */
static void await_acknowledgement(int fd)
{
    int n_left = 1;

    while (ioctl(fd, SIOCOUTQ, &n_left) == 0 && n_left > 0)
        (void)sched_yield();
}

/* Notes the request; false when the connection is to be closed. */
static bool answer(struct fake_server *server, int fd, struct blob *request)
{
    static const char none[] = "HTTP/1.1 500 No answer was queued\r\nContent-Length: 0\r\n\r\n";
    struct blob bytes = { (char *)(uintptr_t)none, sizeof none - 1, false };

    pthread_mutex_lock(&server->lock);
    RK_ASSERT(server->n_requests < EXCHANGES_MAX);
    server->requests[server->n_requests++] = *request;
    if (server->n_answered < server->n_answers)
        bytes = server->answers[server->n_answered++];
    pthread_mutex_unlock(&server->lock);
    *request = (struct blob){ 0 };
    send_all(fd, bytes.bytes, bytes.size);
    if (bytes.resets) {
        struct linger at_once = { .l_onoff = 1 };

        await_acknowledgement(fd);
        RK_ASSERT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
        return false;
    }
    /* A head without an end is a connection that breaks. */
    return bytes.size > 0 && strstr(bytes.bytes, "\r\n\r\n") != NULL
           && strstr(bytes.bytes, "Connection: close") == NULL;
}

static void serve_connection(struct fake_server *server, int fd)
{
    struct blob request = { 0 };

    while (read_request(server, fd, &request) && answer(server, fd, &request))
        continue;
    free(request.bytes);
    (void)close(fd);
}

static void *serve(void *context)
{
    struct fake_server *server = context;

    while (wait_readable(server, server->listen_fd)) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

        RK_ASSERT(fd >= 0);
        pthread_mutex_lock(&server->lock);
        server->n_connections++;
        pthread_mutex_unlock(&server->lock);
        serve_connection(server, fd);
    }
    return NULL;
}

static void listen_unix(struct fake_server *server, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    RK_ASSERT(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RK_ASSERT(bind(server->listen_fd, (struct sockaddr *)&address, sizeof address) == 0);
    (void)snprintf(server->url, sizeof server->url, "unix:%s", path);
}

static void listen_tcp(struct fake_server *server)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;

    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RK_ASSERT(bind(server->listen_fd, (struct sockaddr *)&address, sizeof address) == 0);
    RK_ASSERT(getsockname(server->listen_fd, (struct sockaddr *)&address, &size) == 0);
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
}

struct fake_server *fake_server_start(const char *socket_path)
{
    struct fake_server *server = rk_mem_calloc(1, sizeof *server);

    pthread_mutex_init(&server->lock, NULL);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (socket_path != NULL)
        listen_unix(server, socket_path);
    else
        listen_tcp(server);
    RK_ASSERT(listen(server->listen_fd, 16) == 0);
    RK_ASSERT(pthread_create(&server->thread, NULL, serve, server) == 0);
    return server;
}

void fake_server_stop(struct fake_server **server)
{
    struct fake_server *self = *server;

    RK_ASSERT(eventfd_write(self->stop_fd, 1) == 0);
    pthread_join(self->thread, NULL);
    (void)close(self->listen_fd);
    (void)close(self->stop_fd);
    for (size_t i = 0; i < EXCHANGES_MAX; i++) {
        free(self->answers[i].bytes);
        free(self->requests[i].bytes);
    }
    pthread_mutex_destroy(&self->lock);
    free(self);
    *server = NULL;
}

const char *fake_server_url(const struct fake_server *server)
{
    return server->url;
}

static void queue_answer(struct fake_server *server, const void *bytes, size_t size, bool resets)
{
    struct blob copy = { rk_mem_calloc(1, size + 1), size, resets };

    if (size > 0)
        memcpy(copy.bytes, bytes, size);
    pthread_mutex_lock(&server->lock);
    RK_ASSERT(server->n_answers < EXCHANGES_MAX);
    server->answers[server->n_answers++] = copy;
    pthread_mutex_unlock(&server->lock);
}

void fake_server_answer(struct fake_server *server, const void *bytes, size_t size)
{
    queue_answer(server, bytes, size, false);
}

void fake_server_answer_and_reset(struct fake_server *server, const void *bytes, size_t size)
{
    queue_answer(server, bytes, size, true);
}

void fake_server_answer_text(struct fake_server *server, const char *status, const char *headers, const char *body)
{
    char *text = NULL;
    int size = asprintf(&text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);

    RK_ASSERT(size > 0);
    fake_server_answer(server, text, (size_t)size);
    free(text);
}

const char *fake_server_request(struct fake_server *server, size_t n, size_t *size_out)
{
    const char *bytes;

    pthread_mutex_lock(&server->lock);
    RK_ASSERT(n < server->n_requests);
    bytes = server->requests[n].bytes;
    if (size_out != NULL)
        *size_out = server->requests[n].size;
    pthread_mutex_unlock(&server->lock);
    return bytes;
}

static size_t read_count(struct fake_server *server, const size_t *count)
{
    size_t value;

    pthread_mutex_lock(&server->lock);
    value = *count;
    pthread_mutex_unlock(&server->lock);
    return value;
}

size_t fake_server_n_requests(struct fake_server *server)
{
    return read_count(server, &server->n_requests);
}

size_t fake_server_n_connections(struct fake_server *server)
{
    return read_count(server, &server->n_connections);
}

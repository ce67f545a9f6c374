#include "control/control_server.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "base/base_unix.h"
#include "control/control_client.h"
#include "control/control_jobs.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rackkv/control.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG           64
#define ACCEPT_PAUSE_MS   100 /* without descriptors the listener would be readable all the time */
#define LOOK_AT_CLOCKS_MS 250

enum poll_index { POLL_STOP, POLL_LISTENER, POLL_JOBS, POLL_CLIENTS };

_Static_assert(RK_CONTROL_JOBS_MAX < RK_CONTROL_CLIENTS_MAX, "there is a client that no job works for");

struct rk_control_server {
    struct rk_control_server_settings settings;
    char *path;
    struct rk_unix_listener listener;
    int stop_fd;
    pthread_t thread;
    struct rk_control_client clients[RK_CONTROL_CLIENTS_MAX];
    struct rk_control_jobs jobs;
    bool accept_paused;
};

json_t *rk_control_refuse(const char *name, const char *format, ...)
{
    char text[RK_DETAIL_BYTES];
    json_t *answer;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    answer = json_pack("{s:b, s:s, s:s}", RK_CONTROL_OK, 0, RK_CONTROL_ERROR, name, RK_CONTROL_DETAIL, text);
    if (answer != NULL)
        return answer;
    for (char *at = text; *at != '\0'; at++) /* what was quoted or cut is no UTF-8 any more */
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return json_pack("{s:b, s:s, s:s}", RK_CONTROL_OK, 0, RK_CONTROL_ERROR, name, RK_CONTROL_DETAIL, text);
}

/* The answer as a line of the client's; a client for which there is no memory is closed. */
static void give_answer(struct rk_control_client *client, json_t *answer)
{
    char *text = answer != NULL ? json_dumps(answer, RK_CONTROL_JSON_FLAGS) : NULL;
    size_t size = text != NULL ? strlen(text) : 0;
    char *line = text != NULL ? realloc(text, size + 2) : NULL;

    json_decref(answer);
    if (line == NULL) {
        free(text);
        client->closing = true;
        return;
    }
    memcpy(line + size, "\n", 2);
    rk_control_client_answer(client, line, size + 1);
}

/* Hands the request to a job, and then owns it no more; the refusal when there can be no job. */
static json_t *delegate(struct rk_control_server *server, struct rk_control_client *client, json_t *request)
{
    struct rk_detail detail = { "" };
    enum rk_err err = rk_control_jobs_start(&server->jobs, client, request, &detail);

    client->is_waiting = err == RK_OK;
    client->is_delayed = err == RK_ERR_AGAIN;
    if (err == RK_OK)
        return NULL;
    json_decref(request);
    return client->is_delayed ? NULL : rk_control_refuse("failed", "%s", detail.text);
}

/* NULL when it comes later, or was not taken: the client's flags say which. */
static json_t *answer_line(struct rk_control_server *server, struct rk_control_client *client, const char *line,
                           size_t size)
{
    const struct rk_control_server_settings *settings = &server->settings;
    json_error_t error;
    json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
    json_t *answer;

    if (request == NULL)
        return rk_control_refuse("usage", "this is no JSON object: %s, at byte %d", error.text, error.position);
    if (json_is_object(request) && settings->may_wait(settings->context, request))
        return delegate(server, client, request);
    answer = json_is_object(request)
                 ? settings->answer(settings->context, request)
                 : rk_control_refuse("usage", "a request is a JSON object, as {\"command\": \"ping\"}");
    json_decref(request);
    return answer;
}

static void take_line(struct rk_control_server *server, struct rk_control_client *client, const char *line, size_t size)
{
    json_t *answer;

    client->is_delayed = false;
    answer = answer_line(server, client, line, size);
    if (client->is_delayed)
        return;
    rk_control_client_forget_line(client, size);
    if (!client->is_waiting)
        give_answer(client, answer);
}

/* One line, if one is there and the last answer was taken. */
static void answer_client(struct rk_control_server *server, struct rk_control_client *client)
{
    const char *line;
    size_t size;

    if (client->answer != NULL || client->closing || client->is_waiting)
        return;
    line = rk_control_client_line(client, &size);
    if (line != NULL) {
        take_line(server, client, line, size);
    } else if (client->input_size >= RK_CONTROL_LINE_BYTES_MAX) {
        give_answer(client, rk_control_refuse("too_large", "a request is one line of less than %zu bytes",
                                              RK_CONTROL_LINE_BYTES_MAX));
        client->closing = true;
    } else if (client->ended) {
        client->closing = true;
    }
}

static void close_client(struct rk_control_server *server, struct rk_control_client *client)
{
    rk_control_jobs_forget(&server->jobs, client);
    rk_control_client_fini(client);
}

static void serve_client(struct rk_control_server *server, struct rk_control_client *client, short events,
                         uint64_t now_ns)
{
    bool is_there = true;

    if (client->is_waiting || client->is_delayed) /* nothing is read; but who has gone waits for nothing */
        is_there = (events & (POLLHUP | POLLERR)) == 0;
    else if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
        is_there = rk_control_client_read(client, RK_CONTROL_LINE_BYTES_MAX, now_ns);
    if (is_there) {
        answer_client(server, client);
        is_there = rk_control_client_send(client, now_ns);
    }
    if (is_there && client->answer != NULL && now_ns - client->active_ns > server->settings.patience_ms * RK_NS_PER_MS)
        is_there = false;
    if (!is_there)
        close_client(server, client);
}

/* What the jobs have done goes to who asked, if he is still there. */
static void take_answers(struct rk_control_server *server, uint64_t now_ns)
{
    struct rk_control_client *client;
    json_t *answer;

    while (rk_control_jobs_take(&server->jobs, &client, &answer)) {
        if (client == NULL) {
            json_decref(answer);
            continue;
        }
        client->is_waiting = false;
        client->active_ns = now_ns; /* its patience with us is over, ours with it begins */
        give_answer(client, answer);
    }
}

/* A free place, or that of the client that was silent the longest; not of one whose request is being answered. */
static struct rk_control_client *find_place(struct rk_control_server *server)
{
    struct rk_control_client *place = NULL;

    for (size_t i = 0; i < RK_CONTROL_CLIENTS_MAX; i++) {
        struct rk_control_client *client = &server->clients[i];

        if (client->fd < 0)
            return client;
        if (!client->is_waiting && (place == NULL || client->active_ns < place->active_ns))
            place = client;
    }
    rk_control_client_fini(place);
    return place;
}

static void accept_client(struct rk_control_server *server, uint64_t now_ns)
{
    int fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0)
        rk_control_client_init(find_place(server), fd, now_ns);
    else
        server->accept_paused = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
}

static short wanted_events(const struct rk_control_client *client)
{
    if (client->is_waiting || client->is_delayed)
        return 0;
    return client->answer != NULL ? POLLOUT : client->ended ? 0 : POLLIN;
}

/* Waits for something to do; whether to go on. */
static bool wait_for_events(struct rk_control_server *server, struct pollfd fds[POLL_CLIENTS + RK_CONTROL_CLIENTS_MAX])
{
    int wait_ms = -1;
    size_t size;

    fds[POLL_STOP] = (struct pollfd){ .fd = server->stop_fd, .events = POLLIN };
    fds[POLL_LISTENER] = (struct pollfd){ .fd = server->accept_paused ? -1 : server->listener.fd, .events = POLLIN };
    fds[POLL_JOBS] = (struct pollfd){ .fd = server->jobs.done_fd, .events = POLLIN };
    if (server->accept_paused)
        wait_ms = ACCEPT_PAUSE_MS;
    for (size_t i = 0; i < RK_CONTROL_CLIENTS_MAX; i++) {
        const struct rk_control_client *client = &server->clients[i];

        fds[POLL_CLIENTS + i] = (struct pollfd){ .fd = client->fd, .events = wanted_events(client) };
        if (client->answer != NULL && (wait_ms < 0 || wait_ms > LOOK_AT_CLOCKS_MS))
            wait_ms = LOOK_AT_CLOCKS_MS;
        else if (client->answer == NULL && client->fd >= 0 && !client->is_waiting && !client->is_delayed
                 && (client->ended || rk_control_client_line(client, &size) != NULL))
            wait_ms = 0; /* more than one line came at once */
    }
    (void)poll(fds, POLL_CLIENTS + RK_CONTROL_CLIENTS_MAX, wait_ms); /* an error leaves revents as they were: 0 */
    return fds[POLL_STOP].revents == 0;
}

/* The server ends; who was promised an answer gets it, if he takes it at once. */
static void give_last_answers(struct rk_control_server *server)
{
    uint64_t now_ns;

    rk_control_jobs_finish(&server->jobs);
    now_ns = rk_time_monotonic_ns();
    take_answers(server, now_ns);
    for (size_t i = 0; i < RK_CONTROL_CLIENTS_MAX; i++)
        if (server->clients[i].fd >= 0)
            (void)rk_control_client_send(&server->clients[i], now_ns);
}

static void *server_main(void *argument)
{
    struct rk_control_server *server = argument;
    struct pollfd fds[POLL_CLIENTS + RK_CONTROL_CLIENTS_MAX];

    while (wait_for_events(server, fds)) {
        uint64_t now_ns = rk_time_monotonic_ns();

        take_answers(server, now_ns);
        for (size_t i = 0; i < RK_CONTROL_CLIENTS_MAX; i++)
            if (server->clients[i].fd >= 0)
                serve_client(server, &server->clients[i], fds[POLL_CLIENTS + i].revents, now_ns);
        server->accept_paused = false;
        if (fds[POLL_LISTENER].revents != 0)
            accept_client(server, now_ns);
    }
    give_last_answers(server);
    return NULL;
}

static void destroy(struct rk_control_server *server)
{
    for (size_t i = 0; i < RK_CONTROL_CLIENTS_MAX; i++)
        rk_control_client_fini(&server->clients[i]);
    rk_unix_close(server->path, &server->listener);
    if (server->stop_fd >= 0)
        (void)close(server->stop_fd);
    rk_control_jobs_fini(&server->jobs);
    free(server->path);
    free(server);
}

enum rk_err rk_control_server_start(struct rk_control_server **server_out,
                                    const struct rk_control_server_settings *settings, struct rk_detail *detail)
{
    static const struct rk_unix_access access = { .mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1 };
    struct rk_control_server *server = rk_mem_calloc(1, sizeof *server);
    enum rk_err err;

    server->settings = *settings;
    server->path = rk_mem_strdup(settings->path);
    server->listener.fd = -1;
    server->jobs.done_fd = -1;
    for (size_t i = 0; i < RK_CONTROL_CLIENTS_MAX; i++)
        server->clients[i].fd = -1;
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd < 0) {
        rk_detail_set(detail, "making an eventfd: %s", strerror(errno));
        err = RK_ERR_LIMIT;
    } else {
        err = rk_control_jobs_init(&server->jobs, settings->answer, settings->context, detail);
    }
    if (err == RK_OK)
        err = rk_unix_listen(server->path, BACKLOG, &access, &server->listener, detail);
    if (err == RK_OK)
        err = rk_thread_start(&server->thread, "rk-control", server_main, server, detail);
    if (err != RK_OK) {
        destroy(server);
        return err;
    }
    *server_out = server;
    return RK_OK;
}

void rk_control_server_stop(struct rk_control_server **server)
{
    if (*server == NULL)
        return;
    (void)eventfd_write((*server)->stop_fd, 1); /* the count of one cannot be full */
    pthread_join((*server)->thread, NULL);
    destroy(*server);
    *server = NULL;
}

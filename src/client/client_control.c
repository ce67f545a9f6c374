#include "client/client_control.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "base/base_unix.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <rackkv/control.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS      60000u
#define READ_BYTES       65536u
#define ANSWER_BYTES_MAX ((size_t)256 << 20) /* of some million data files */

struct rk_client_control {
    int fd;
    char *path;
    uint64_t timeout_ms;  /* 0: PATIENCE_MS for each answer */
    uint64_t deadline_ns; /* of all, or of the answer that is waited for */
};

/* A line that grows as it comes. */
struct line {
    char *bytes;
    size_t size, capacity;
};

static void set_deadline(struct rk_client_control *control, uint64_t ms)
{
    control->deadline_ns = rk_time_monotonic_ns() + ms * RK_NS_PER_MS;
}

enum rk_err rk_client_control_open(struct rk_client_control **control_out, const char *path, uint64_t timeout_ms,
                                   struct rk_detail *detail)
{
    struct rk_client_control *control;
    int fd;
    enum rk_err err = rk_unix_connect(path, &fd, detail);

    if (err != RK_OK)
        return err;
    control = rk_mem_calloc(1, sizeof *control);
    control->fd = fd;
    control->path = rk_mem_strdup(path);
    control->timeout_ms = timeout_ms;
    set_deadline(control, timeout_ms);
    *control_out = control;
    return RK_OK;
}

void rk_client_control_close(struct rk_client_control **control)
{
    if (*control == NULL)
        return;
    (void)close((*control)->fd); /* what was sent was answered, or is given up */
    free((*control)->path);
    free(*control);
    *control = NULL;
}

static enum rk_err refuse_late(const struct rk_client_control *control, struct rk_detail *detail)
{
    uint64_t ms = control->timeout_ms != 0 ? control->timeout_ms : PATIENCE_MS;

    rk_detail_set(detail, "%s: the server did not answer within %.3g s%s; what was asked for may go on", control->path,
                  (double)ms / 1000, control->timeout_ms != 0 ? " (--timeout)" : "");
    return RK_ERR_TIMEOUT;
}

/* Until the socket is ready for it, or the deadline. */
static enum rk_err wait_ready(const struct rk_client_control *control, short events, struct rk_detail *detail)
{
    struct pollfd ready = { .fd = control->fd, .events = events };
    uint64_t now_ns;
    int n = 0;

    while (n <= 0 && (now_ns = rk_time_monotonic_ns()) < control->deadline_ns) {
        uint64_t rest_ms = (control->deadline_ns - now_ns) / RK_NS_PER_MS + 1;

        n = poll(&ready, 1, rest_ms < INT_MAX ? (int)rest_ms : INT_MAX); /* -1 is a signal: once more */
    }
    return n > 0 ? RK_OK : refuse_late(control, detail);
}

static enum rk_err send_line(const struct rk_client_control *control, const char *line, size_t size,
                             struct rk_detail *detail)
{
    size_t sent = 0;

    while (sent < size) {
        enum rk_err err = wait_ready(control, POLLOUT, detail);
        ssize_t n;

        if (err != RK_OK)
            return err;
        n = send(control->fd, line + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            rk_detail_set(detail, "%s: the server closed the connection: %s", control->path, strerror(errno));
            return RK_ERR_CLOSED;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return RK_OK;
}

static enum rk_err send_request(const struct rk_client_control *control, const json_t *request,
                                struct rk_detail *detail)
{
    char *text = json_dumps(request, JSON_COMPACT);
    size_t size = text != NULL ? strlen(text) : 0;
    enum rk_err err;

    if (text == NULL) {
        rk_detail_set(detail, "out of memory");
        return RK_ERR_NO_MEMORY;
    }
    text[size] = '\n'; /* in place of the NUL */
    err = send_line(control, text, size + 1, detail);
    free(text);
    return err;
}

static bool reserve(struct line *line)
{
    size_t capacity = line->capacity == 0 ? READ_BYTES : 2 * line->capacity;
    char *bytes;

    if (line->size < line->capacity)
        return true;
    bytes = line->capacity < ANSWER_BYTES_MAX ? realloc(line->bytes, capacity) : NULL;
    if (bytes == NULL)
        return false;
    line->bytes = bytes;
    line->capacity = capacity;
    return true;
}

/* Up to the end of a line, behind which nothing comes unasked, or of the connection. */
static enum rk_err read_line(const struct rk_client_control *control, struct line *line, struct rk_detail *detail)
{
    while (line->size == 0 || line->bytes[line->size - 1] != '\n') {
        enum rk_err err = wait_ready(control, POLLIN, detail);
        ssize_t n;

        if (err != RK_OK)
            return err;
        if (!reserve(line)) {
            rk_detail_set(detail, "%s: the answer is too long", control->path);
            return RK_ERR_NO_MEMORY;
        }
        n = recv(control->fd, line->bytes + line->size, line->capacity - line->size, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
            rk_detail_set(detail, "%s: the server ended before it answered", control->path);
            return RK_ERR_CLOSED;
        }
        line->size += n > 0 ? (size_t)n : 0;
    }
    return RK_OK;
}

enum rk_err rk_client_control_ask(struct rk_client_control *control, const json_t *request, json_t **answer_out,
                                  struct rk_detail *detail)
{
    struct line line = { NULL, 0, 0 };
    enum rk_err err;
    json_t *answer;

    if (control->timeout_ms == 0)
        set_deadline(control, PATIENCE_MS);
    err = send_request(control, request, detail);
    if (err == RK_OK)
        err = read_line(control, &line, detail);
    answer = err == RK_OK ? json_loadb(line.bytes, line.size, 0, NULL) : NULL;
    free(line.bytes);
    if (err != RK_OK)
        return err;
    if (json_is_object(answer) && json_is_boolean(json_object_get(answer, RK_CONTROL_OK))) {
        *answer_out = answer;
        return RK_OK;
    }
    rk_detail_set(detail, "%s: what came is no answer of a RackKV server", control->path);
    json_decref(answer);
    return RK_ERR_MISMATCH;
}

#include "client/client_control.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_unix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rk_client_control {
    FILE *in; /* owns the descriptor */
    char *path;
};

enum rk_err rk_client_control_open(struct rk_client_control **control_out, const char *path, struct rk_detail *detail)
{
    struct rk_client_control *control;
    int fd;
    enum rk_err err = rk_unix_connect(path, &fd, detail);

    if (err != RK_OK)
        return err;
    control = rk_mem_calloc(1, sizeof *control);
    control->path = rk_mem_strdup(path);
    control->in = fdopen(fd, "r");
    if (control->in == NULL) {
        rk_detail_set(detail, "%s: %s", path, strerror(errno));
        (void)close(fd); /* nothing was said */
        rk_client_control_close(&control);
        return RK_ERR_NO_MEMORY;
    }
    *control_out = control;
    return RK_OK;
}

void rk_client_control_close(struct rk_client_control **control)
{
    if (*control == NULL)
        return;
    if ((*control)->in != NULL)
        (void)fclose((*control)->in); /* it was only read */
    free((*control)->path);
    free(*control);
    *control = NULL;
}

static enum rk_err send_request(const struct rk_client_control *control, const json_t *request,
                                struct rk_detail *detail)
{
    char *text = json_dumps(request, JSON_COMPACT);
    size_t size = text != NULL ? strlen(text) : 0, sent = 0;

    if (text == NULL)
        return RK_ERR_NO_MEMORY;
    text[size] = '\n'; /* in place of the NUL */
    while (sent <= size) {
        ssize_t n = send(fileno(control->in), text + sent, size + 1 - sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            rk_detail_set(detail, "%s: the server closed the connection: %s", control->path, strerror(errno));
            break;
        }
        sent += (size_t)n;
    }
    free(text);
    return sent > size ? RK_OK : RK_ERR_CLOSED;
}

enum rk_err rk_client_control_ask(struct rk_client_control *control, const json_t *request, json_t **answer_out,
                                  struct rk_detail *detail)
{
    enum rk_err err = send_request(control, request, detail);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    json_t *answer;

    if (err != RK_OK)
        return err;
    size = getline(&line, &capacity, control->in);
    answer = size > 0 ? json_loadb(line, (size_t)size, 0, NULL) : NULL;
    free(line);
    if (size <= 0) {
        rk_detail_set(detail, "%s: the server ended before it answered", control->path);
        return RK_ERR_CLOSED;
    }
    if (!json_is_object(answer)) {
        rk_detail_set(detail, "%s: what came is no answer of a RackKV server", control->path);
        json_decref(answer);
        return RK_ERR_CORRUPT;
    }
    *answer_out = answer;
    return RK_OK;
}

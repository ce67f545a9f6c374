#include "control/control_private.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "compactor/compactor.h"

#include <stdlib.h>

#define PATIENCE_MS 30000

static void copy_strings(struct rk_control_settings *settings)
{
    for (size_t i = 0; i < settings->n_urls; i++)
        settings->urls[i] = rk_mem_strdup(settings->urls[i]);
    settings->socket_path = NULL; /* the server's copy is the one in use */
}

static void destroy(struct rk_control *control)
{
    for (size_t i = 0; i < control->settings.n_urls; i++)
        free((char *)(uintptr_t)control->settings.urls[i]);
    free(control);
}

enum rk_err rk_control_start(struct rk_control **control_out, const struct rk_control_settings *settings,
                             struct rk_detail *detail)
{
    struct rk_control *control = rk_mem_calloc(1, sizeof *control);
    enum rk_err err;

    control->settings = *settings;
    copy_strings(&control->settings);
    err = rk_control_server_start(&control->server,
                                  &(struct rk_control_server_settings){ .path = settings->socket_path,
                                                                        .answer = rk_control_answer,
                                                                        .may_wait = rk_control_may_wait,
                                                                        .context = control,
                                                                        .patience_ms = PATIENCE_MS },
                                  detail);
    if (err != RK_OK) {
        rk_detail_wrap(detail, "server.control_socket");
        destroy(control);
        return err;
    }
    *control_out = control;
    return RK_OK;
}

void rk_control_serve(struct rk_control *control, struct rk_log_writer *log, struct rk_compactor *compactor)
{
    control->log = log;
    control->compactor = compactor;
    /* Partner: the acquire load of rk_control_answer. */
    atomic_store_explicit(&control->serving, true, memory_order_release);
}

void rk_control_stop(struct rk_control **control)
{
    if (*control == NULL)
        return;
    if ((*control)->compactor != NULL) /* nobody has to wait for what is still looked for */
        rk_compactor_dismiss((*control)->compactor);
    rk_control_server_stop(&(*control)->server);
    destroy(*control);
    *control = NULL;
}

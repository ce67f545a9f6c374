#include "master/master_control.h"

#include "base/base_time.h"
#include "conf/conf.h"
#include "control/control.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"

#include <stdlib.h>

static void set_urls(struct rk_control_settings *settings, const struct rk_master_listeners *listeners)
{
    while (settings->n_urls < rk_master_listeners_count(listeners) && settings->n_urls < RK_CONTROL_URLS_MAX) {
        settings->urls[settings->n_urls] = rk_master_listeners_url(listeners, settings->n_urls);
        settings->n_urls++;
    }
}

static enum rk_err take(void *owner, struct rk_detail *detail)
{
    struct rk_master_control *control = owner;
    const struct rk_master_engine *engine = control->engine;
    char *path = rk_conf_control_socket(control->conf);
    struct rk_control_settings settings = {
        .socket_path = path,
        .started_ns = control->started_ns,
        .n_slots = engine->n_slots,
        .board = engine->board,
        .stats = engine->stats,
        .store = engine->store,
        .keydir = engine->keydir,
        .writer = engine->writer,
    };
    enum rk_err err;

    set_urls(&settings, *control->listeners);
    err = rk_control_start(&control->control, &settings, detail);
    free(path);
    if (err == RK_OK && control->serving)
        rk_control_serve(control->control, engine->log, engine->compactor);
    return err;
}

enum rk_err rk_master_control_start(struct rk_master_control *control, struct rk_detail *detail)
{
    control->started_ns = rk_time_monotonic_ns();
    control->late = (struct rk_master_late){ .what = "the control socket", .take = take, .owner = control };
    return rk_master_late_start(&control->late, detail);
}

void rk_master_control_serve(struct rk_master_control *control)
{
    control->serving = true;
    if (control->control != NULL)
        rk_control_serve(control->control, control->engine->log, control->engine->compactor);
}

void rk_master_control_stop(struct rk_master_control *control)
{
    rk_control_stop(&control->control);
}

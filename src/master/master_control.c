#include "master/master_control.h"

#include "conf/conf.h"
#include "control/control.h"
#include "master/master_engine.h"
#include "master/master_listeners.h"

#include <stdlib.h>

enum rk_err rk_master_control_start(struct rk_control **control_out, const struct rk_conf *conf,
                                    const struct rk_master_engine *engine, const struct rk_master_listeners *listeners,
                                    struct rk_detail *detail)
{
    char *path = rk_conf_control_socket(conf);
    struct rk_control_settings settings = {
        .socket_path = path,
        .n_slots = engine->n_slots,
        .board = engine->board,
        .stats = engine->stats,
        .store = engine->store,
        .keydir = engine->keydir,
        .writer = engine->writer,
    };
    enum rk_err err;

    while (settings.n_urls < rk_master_listeners_count(listeners) && settings.n_urls < RK_CONTROL_URLS_MAX) {
        settings.urls[settings.n_urls] = rk_master_listeners_url(listeners, settings.n_urls);
        settings.n_urls++;
    }
    err = rk_control_start(control_out, &settings, detail);
    free(path);
    return err;
}

#include "bin/bin_socket.h"

#include "base/base_detail.h"
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

static enum rk_err load(struct rk_conf *conf, const struct rk_bin_socket_words *words, struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    if (words->conf_file != NULL)
        err = rk_conf_load_file(conf, words->conf_file, detail);
    for (size_t i = 0; err == RK_OK && i < words->n_overrides; i++)
        err = rk_conf_override(conf, words->overrides[i], detail);
    return err;
}

char *rk_bin_socket_find(const struct rk_bin_socket_words *words, struct rk_detail *detail)
{
    const char *from_environment = getenv("RACKKV_SOCKET");
    bool is_configured = words->conf_file != NULL || words->n_overrides > 0;
    struct rk_conf conf;
    char *path = NULL;

    if (words->socket != NULL)
        return strdup(words->socket);
    if (!is_configured && from_environment != NULL && from_environment[0] != '\0')
        return strdup(from_environment);
    rk_conf_init(&conf);
    if (load(&conf, words, detail) == RK_OK)
        path = rk_conf_control_socket(&conf);
    rk_conf_fini(&conf);
    return path;
}

/* The errors that libh2o answers by itself, without the handler. For src/http alone. */
#ifndef RK_HTTP_FALLBACK_H
#define RK_HTTP_FALLBACK_H

#include "http/http_state.h"

/* Gives them the body that all other errors have. */
void rk_http_fallback_register(struct rk_http_server *server, h2o_hostconf_t *host);

#endif

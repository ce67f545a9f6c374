/* Where libh2o hands requests over. For src/http alone. */
#ifndef RK_HTTP_HANDLER_H
#define RK_HTTP_HANDLER_H

#include "http/http_state.h"

void rk_http_handler_register(struct rk_http_server *server, h2o_hostconf_t *host);

#endif

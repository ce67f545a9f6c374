/* Accepting. For src/http alone. */
#ifndef RK_HTTP_LISTENERS_H
#define RK_HTTP_LISTENERS_H

#include "http/http_state.h"

/* Takes over the sockets of the settings. */
void rk_http_listeners_open(struct rk_http_server *server);

/* Accepts what is queued. */
void rk_http_listeners_drain(struct rk_http_server *server);
void rk_http_listeners_close(struct rk_http_server *server);

/* Stops and starts accepting, as connections have come and gone. Once a turn. */
void rk_http_listeners_update(struct rk_http_server *server);

#endif

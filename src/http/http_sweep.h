/* The time that connections have. For src/http alone. */
#ifndef RK_HTTP_SWEEP_H
#define RK_HTTP_SWEEP_H

#include "http/http_state.h"

/* Closes connections whose time is over, and all idle ones while draining. */
void rk_http_connection_sweep(struct rk_http_server *server, uint64_t now_ns);

/* Cuts every connection; their requests end in the next turns of the loop. */
void rk_http_connection_cut_all(struct rk_http_server *server);

/* The time between two sweeps. */
uint64_t rk_http_connection_sweep_interval_ns(const struct rk_http_server *server);

#endif

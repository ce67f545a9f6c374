/* The look at the start. For src/http alone. */
#ifndef RK_HTTP_PROBE_H
#define RK_HTTP_PROBE_H

#include "http/http_state.h"

/* Whether the parser of this program is the one that libh2o calls. Before anything is served. */
enum rk_err rk_http_probe(struct rk_http_server *server, struct rk_detail *detail);

#endif

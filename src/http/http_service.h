/* What is asked of the server and not of a key: start functions of http_routes.h. */
#ifndef RK_HTTP_SERVICE_H
#define RK_HTTP_SERVICE_H

struct rk_http_request;

void rk_http_livez_start(struct rk_http_request *request);
void rk_http_readyz_start(struct rk_http_request *request);

/* The original's: the store is open; rw= and syn= change nothing. */
void rk_http_open_start(struct rk_http_request *request);

#endif

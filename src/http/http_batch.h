/* POST /v1/batch: a start function of http_routes.h. */
#ifndef RK_HTTP_BATCH_H
#define RK_HTTP_BATCH_H

struct rk_http_request;

#define RK_HTTP_BATCH_LINES_MAX 10000u

void rk_http_batch_start(struct rk_http_request *request);

#endif

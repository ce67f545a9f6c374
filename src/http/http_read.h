/* GET and HEAD of a key: a start function of http_routes.h. */
#ifndef RK_HTTP_READ_H
#define RK_HTTP_READ_H

struct rk_http_request;

void rk_http_read_start(struct rk_http_request *request);

#endif

/* PUT, POST and DELETE of a key: start functions of http_routes.h. */
#ifndef RK_HTTP_WRITE_H
#define RK_HTTP_WRITE_H

struct rk_http_request;

void rk_http_put_start(struct rk_http_request *request);
void rk_http_delete_start(struct rk_http_request *request);
void rk_http_incr_start(struct rk_http_request *request);
void rk_http_append_start(struct rk_http_request *request);
void rk_http_touch_start(struct rk_http_request *request);

#endif

/* Many keys in their order: a start function of http_routes.h. */
#ifndef RK_HTTP_LIST_H
#define RK_HTTP_LIST_H

struct rk_http_request;

void rk_http_list_start(struct rk_http_request *request);

#endif

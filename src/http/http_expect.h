/* What the store decides about a request before its body comes. For src/http alone. */
#ifndef RK_HTTP_EXPECT_H
#define RK_HTTP_EXPECT_H

#include "http/http_route.h"

/* Whether the store lets a request happen whose client waits to send its body: a judge of http_interpose.h, with the
 * server as its context. On the thread that turns it. */
enum rk_http_problem rk_http_expect_judge(void *server, const struct rk_http_head *head,
                                          const struct rk_http_found *found, struct rk_http_refusal *refusal);

#endif

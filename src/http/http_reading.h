/* What libh2o asks of the reading of a connection. For src/http alone. */
#ifndef RK_HTTP_READING_H
#define RK_HTTP_READING_H

#include "http/http_socket.h"

/* Finds what stands behind libh2o's calls: before its first. RK_ERR_MISMATCH when there is nothing. */
enum rk_err rk_http_reading_bind(struct rk_detail *detail);

/* Sees that libh2o's calls come; RK_ERR_MISMATCH when they do not, RK_ERR_LIMIT. Before the first connection. */
enum rk_err rk_http_reading_setup(struct rk_http_server *server, struct rk_detail *detail);

/* The end of a turn: who had its share goes on with its next request. */
void rk_http_reading_turn(struct rk_http_server *server);

/* Nothing of it is counted or waits any more. */
void rk_http_reading_end(struct rk_http_connection *connection);

/* Refuses a body that went beyond upload_memory when that can be said: not into a "100 Continue" on its way. */
void rk_http_reading_bound(struct rk_http_connection *connection);

/* The client is gone, and its request waits: libh2o closes the connection, and what is under way is cancelled. */
void rk_http_reading_abandon(struct rk_http_connection *connection);

#endif

/* Large values on their way out. For src/http alone. */
#ifndef RK_HTTP_PIECES_H
#define RK_HTTP_PIECES_H

#include "http/http_request.h"

/* Answers with the bytes [first, first + len), len at least 1, of a large value: with request->status, and the headers
 * that are there. The source is the request's from here on. */
void rk_http_pieces_start(struct rk_http_request *request, const struct rk_store_value *value, size_t first,
                          size_t len);

#endif

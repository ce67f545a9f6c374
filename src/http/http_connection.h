/* One connection, from its accept to its close. For src/http alone. */
#ifndef RK_HTTP_CONNECTION_H
#define RK_HTTP_CONNECTION_H

#include "http/http_state.h"

/* Takes over an accepted descriptor. */
void rk_http_connection_open(struct rk_http_server *server, int fd);

/* A request of this connection has reached the handler. */
void rk_http_connection_note_request(h2o_req_t *req);

/* The answer to this request is the connection's last, and the client may still be sending: once the answer is out,
 * what comes is read and dropped for a while. A close at once would reset the connection, and the client could lose the
 * answer that tells it why. */
void rk_http_connection_linger(h2o_req_t *req);

#endif

/* Other descriptors on the loop, and the hook of a turn. For src/http alone; what others may call is in http_server.h.
 */
#ifndef RK_HTTP_WATCH_H
#define RK_HTTP_WATCH_H

#include "http/http_state.h"

/* Something is called back: the hook of this turn comes first. */
void rk_http_watch_note_awake(struct rk_http_server *server);

void rk_http_watch_close_all(struct rk_http_server *server);

#endif

/* The guard of the head: refuses what libh2o's parser lets pass and two programs on a path could read in two ways
 * (request smuggling). It runs over the raw bytes of every request, before anything is executed: one pass, a memchr a
 * line, no copy. Pure.
 *
 * Refused: two Content-Length, Transfer-Encoding or Host; Content-Length beside Transfer-Encoding; Transfer-Encoding on
 * HTTP/1.0; folded headers; lines that end in LF alone; HTTP/1.1 without Host; a target that does not begin with '/';
 * a method that is no token; other versions; too long a target or head. */
#ifndef RK_HTTP_HTTP_HEAD_H
#define RK_HTTP_HTTP_HEAD_H

#include "http/http_problem.h"

#include <stdbool.h>
#include <stddef.h>

#define RK_HTTP_TARGET_MAX 16384 /* bytes; a longer target is 414 */

struct rk_http_head {
    size_t len;      /* up to and with the empty line */
    bool is_chunked; /* Transfer-Encoding is there: the body's framing cannot be checked again */
};

/* `bytes` are what was read of the connection, from the start of a request that the parser took as complete: the head,
 * and maybe more. Header names in any case. Returns the first problem found. Any thread. */
enum rk_http_problem rk_http_head_check(const char *bytes, size_t size, size_t max_head, struct rk_http_head *head_out);

#endif

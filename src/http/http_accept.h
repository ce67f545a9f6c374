/* The Accept header, as far as an endpoint has two forms to choose from (RFC 9110 section 12.5.1). Pure. */
#ifndef RK_HTTP_ACCEPT_H
#define RK_HTTP_ACCEPT_H

#include <stddef.h>

#define RK_HTTP_ACCEPT_FULL 1000 /* q=1 */

/* How much of thousandths a list wants this media type, named in full and in small letters: 0 where it does not name
 * it, or with q=0. What cannot be read as a weight is taken for q=1. Any bytes; any thread. */
unsigned rk_http_accept_weight(const char *list, size_t len, const char *type);

#endif

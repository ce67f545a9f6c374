/* Where a server is, and how a key stands in a path. Pure. */
#ifndef RK_CLIENT_URL_H
#define RK_CLIENT_URL_H

#include "client/client.h"

/* A server's URL, taken apart for libcurl. */
struct rk_client_target {
    char *base;        /* "http://host:port", without a slash at its end */
    char *socket_path; /* NULL: TCP */
};

/* RK_ERR_INVALID with what is wrong, and what is needed. */
enum rk_err rk_client_target_parse(struct rk_client_target *target_out, const char *url, struct rk_detail *detail);
void rk_client_target_fini(struct rk_client_target *target);

/* base + "/v1/kv/" + the key, each byte that is not unreserved (RFC 3986 section 2.3) percent-encoded, the slash as
 * well: so the path has no segment in the key that somebody on the way could think superfluous. An empty key is that of
 * all keys, "/v1/kv". Behind it the query, if it is not NULL. On the heap; NULL without memory. */
char *rk_client_key_url(const char *base, struct rk_client_bytes key, const char *query);

/* before + the text, encoded in the same way. On the heap; NULL without memory. */
char *rk_client_url_encode(const char *before, struct rk_client_bytes text);

#endif

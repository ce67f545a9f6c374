/* The endpoints as an OpenAPI 3.1 document, from their table alone: every path of it, and nothing else. Pure. */
#ifndef RK_HTTP_OPENAPI_H
#define RK_HTTP_OPENAPI_H

#include "http/http_routes.h"

#include <stdio.h>

/* Without `legacy` the original's paths do not exist. A path with a key in it comes twice: with the key as a part of
 * it, and as a parameter. "*" is no path and does not come. Any thread. */
void rk_http_openapi_print(FILE *out, const struct rk_http_route *routes, bool legacy);

#endif

/* Header fields of a request: what stands beside its value. Pure. */
#ifndef RK_CLIENT_FIELDS_H
#define RK_CLIENT_FIELDS_H

#include "client/client.h"

#define RK_CLIENT_FIELDS_MAX 100 /* as many as a server takes */

struct rk_client_fields {
    char *lines[RK_CLIENT_FIELDS_MAX]; /* "Name: value", as libcurl takes them; "Name;" where the value is empty */
    size_t n;
};

/* Adds a field; a zeroed struct has none. RK_ERR_INVALID with a detail where the value has a byte that would end the
 * line, RK_ERR_LIMIT past RK_CLIENT_FIELDS_MAX. `what` is what a person calls it ("--type"). */
enum rk_err rk_client_fields_add(struct rk_client_fields *fields, const char *what, const char *name,
                                 struct rk_client_bytes value, struct rk_detail *detail);

/* The same with a name that comes from outside: prefix + name. RK_ERR_INVALID as well where it is none of a field. */
enum rk_err rk_client_fields_add_named(struct rk_client_fields *fields, const char *what, const char *prefix,
                                       struct rk_client_bytes name, struct rk_client_bytes value,
                                       struct rk_detail *detail);

/* The value of the field of that name, in any case; NULL: there is none. */
const char *rk_client_fields_get(const struct rk_client_fields *fields, const char *name);

void rk_client_fields_fini(struct rk_client_fields *fields);

#endif

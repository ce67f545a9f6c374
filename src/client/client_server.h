/* Starting the server that belongs to this client. */
#ifndef RK_CLIENT_SERVER_H
#define RK_CLIENT_SERVER_H

#include "base/base_err.h"

struct rk_detail;

/* Becomes rackkvd with these arguments (argv[0] is set here; it ends with NULL): the one beside this program, else in
 * ../sbin of it, else in PATH. Returns only on failure: RK_ERR_NOT_FOUND, or RK_ERR_IO, with a detail. */
enum rk_err rk_client_server_exec(char **argv, struct rk_detail *detail);

#endif

/* The addresses of http.listen, tried before they are opened in earnest. */
#ifndef RK_MASTER_PROBE_LISTEN_H
#define RK_MASTER_PROBE_LISTEN_H

#include "base/base_err.h"

struct rk_conf;
struct rk_detail;

/* Whether each name resolves, is an address of this machine, has a port that this user may have, and stands for another
 * address than those before it; whether the folder of each Unix socket is there and can be written. An address that is
 * in use is good: it may be in use by the server whose configuration this is. */
enum rk_err rk_master_probe_listen(const struct rk_conf *conf, struct rk_detail *detail);

#endif

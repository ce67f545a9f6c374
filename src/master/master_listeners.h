/* The listening sockets. The master opens them all, one SO_REUSEPORT socket for each address and worker slot, and keeps
 * them: connections queued on the socket of a worker that dies wait for its replacement. A Unix socket is one for all
 * slots, since the kernel has no SO_REUSEPORT for them. */
#ifndef RK_MASTER_LISTENERS_H
#define RK_MASTER_LISTENERS_H

#include "base/base_err.h"
#include "base/base_unix.h"

#include <stddef.h>

struct rk_detail;
struct rk_master_listeners;

struct rk_master_listen {
    char *const
        *addresses; /* host:port, [v6]:port, unix:/path (port 0: the kernel chooses one, the same for all slots) */
    size_t n_addresses;
    unsigned n_slots;
    struct rk_unix_access unix_access; /* of Unix sockets */
};

/* The addresses stay the caller's until the close. RK_ERR_BUSY when one is in use, also by a start at the same moment;
 * RK_ERR_INVALID, RK_ERR_IO; the detail names the address. Main thread. */
enum rk_err rk_master_listeners_open(struct rk_master_listeners **listeners_out, const struct rk_master_listen *listen,
                                     struct rk_detail *detail);

/* Closes all, and removes the names of Unix sockets that are still ours. */
void rk_master_listeners_close(struct rk_master_listeners **listeners);

size_t rk_master_listeners_count(const struct rk_master_listeners *listeners);
int rk_master_listeners_fd(const struct rk_master_listeners *listeners, size_t address, unsigned slot);

/* The address as a client would write it: "http://127.0.0.1:8080", "unix:/run/rackkv.sock". */
const char *rk_master_listeners_url(const struct rk_master_listeners *listeners, size_t address);

#endif

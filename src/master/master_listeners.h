/* The listening sockets. The master opens them all, one SO_REUSEPORT socket for each address and worker slot, and keeps
 * them: connections queued on the socket of a worker that dies wait for its replacement. A Unix socket is one for all
 * slots, since the kernel has no SO_REUSEPORT for them. */
#ifndef RK_MASTER_MASTER_LISTENERS_H
#define RK_MASTER_MASTER_LISTENERS_H

#include "base/base_err.h"

#include <stddef.h>

struct rk_detail;
struct rk_master_listeners;

/* addresses: host:port, [v6]:port, unix:/path (port 0: the kernel chooses one, the same for all slots). RK_ERR_BUSY
 * when an address is in use; RK_ERR_INVALID, RK_ERR_IO; the detail names the address. Main thread. */
enum rk_err rk_master_listeners_open(struct rk_master_listeners **listeners_out, char *const *addresses,
                                     size_t n_addresses, unsigned n_slots, struct rk_detail *detail);

/* Closes all, and removes the Unix sockets' names. */
void rk_master_listeners_close(struct rk_master_listeners **listeners);

size_t rk_master_listeners_count(const struct rk_master_listeners *listeners);
int rk_master_listeners_fd(const struct rk_master_listeners *listeners, size_t address, unsigned slot);

/* The address as a client would write it: "http://127.0.0.1:8080", "unix:/run/rackkv.sock". */
const char *rk_master_listeners_url(const struct rk_master_listeners *listeners, size_t address);

#endif

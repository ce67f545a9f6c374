/* One start at a time takes ports and names of sockets: to look whether an address is free and to take it are two
 * steps, and between them another start may do the same. The lock is the abstract Unix socket "@rackkv-listen", which
 * the kernel knows once in each network namespace, as ports, and lets go when its holder ends, however it ends. */
#ifndef RK_BASE_START_LOCK_H
#define RK_BASE_START_LOCK_H

#include "base/base_err.h"

#define RK_START_LOCK_NAME "rackkv-listen"

struct rk_detail;

/* Waits for it, for so long that other starts have done theirs; nests in a process (main thread). RK_ERR_BUSY when
 * somebody keeps it; RK_ERR_LIMIT without a descriptor. */
enum rk_err rk_start_lock_acquire(struct rk_detail *detail);
void rk_start_lock_release(void);

#endif

/* What keeps a second server, and whoever else would write, out of a data directory.
 *
 * Three things are locked with flock: the directory itself, LOCK and STORE. The first is the one that counts: it cannot
 * be removed or replaced without the store going with it. LOCK has the pid for people, and keeps out programs of
 * before, which know only LOCK; STORE is the second line where a file system cannot lock directories. Locks go with the
 * last descriptor: workers have those of the directory and of LOCK, so no second master starts while one of them lives.
 */
#ifndef RK_LOG_LOCK_H
#define RK_LOG_LOCK_H

#include "base/base_err.h"

struct rk_detail;

/* Locks the directory and LOCK, which is made if it is not there, and writes the pid into it. The lock on the directory
 * is dir_fd's. RK_OK with LOCK's descriptor; RK_ERR_BUSY, then nothing was made or changed; RK_ERR_IO. */
enum rk_err rk_log_lock_acquire(int dir_fd, int *lock_fd_out, struct rk_detail *detail);

/* Locks a file that is there: RK_OK with its descriptor; RK_ERR_BUSY; RK_ERR_IO. */
enum rk_err rk_log_lock_file(int dir_fd, const char *name, int *fd_out, struct rk_detail *detail);

#endif

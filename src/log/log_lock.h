/* LOCK: one server per directory. The lock is flock()'s, so it belongs to the open file: workers inherit the
 * descriptor, and as long as one of them lives no second server starts. It is free as soon as the last of them is gone,
 * however they died. The pid inside is for people. */
#ifndef RK_LOG_LOG_LOCK_H
#define RK_LOG_LOG_LOCK_H

#include "base/base_err.h"

struct rk_detail;

/* RK_OK with the descriptor; RK_ERR_BUSY with the holder's pid in the detail; RK_ERR_IO. */
enum rk_err rk_log_lock_acquire(int dir_fd, int *lock_fd_out, struct rk_detail *detail);

#endif

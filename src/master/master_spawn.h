/* Starts one process with a given set of descriptors at fixed numbers: mechanism only. */
#ifndef RK_MASTER_SPAWN_H
#define RK_MASTER_SPAWN_H

#include "base/base_err.h"

#include <stddef.h>
#include <sys/types.h>

struct rk_detail;

#define RK_MASTER_SPAWN_FDS_MAX 1100

/* Exit codes of a child that did not become the program. */
#define RK_MASTER_SPAWN_NO_FDS  126
#define RK_MASTER_SPAWN_NO_EXEC 127

struct rk_master_spawn {
    const char *program;
    char *const *arguments;           /* argv, NULL at its end */
    int fds[RK_MASTER_SPAWN_FDS_MAX]; /* fds[i] becomes descriptor 3 + i; all others but 0..2 are closed */
    size_t n_fds;
};

/* Main thread only: the child asks to die with the thread that forked it. RK_OK with the pid; RK_ERR_LIMIT. What went
 * wrong in the child shows as its exit code. */
enum rk_err rk_master_spawn(const struct rk_master_spawn *spawn, pid_t *pid_out, struct rk_detail *detail);

#endif

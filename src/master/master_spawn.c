#include "master/master_spawn.h"

#include "base/base_assert.h"
#include "base/base_detail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3

/* In the child of a process with threads: only what POSIX lists as async-signal-safe. The descriptors are first moved
 * out of the way of their own targets, with close-on-exec, then to their numbers, without. */
static void become(const struct rk_master_spawn *spawn)
{
    int moved[RK_MASTER_SPAWN_FDS_MAX];

    for (size_t i = 0; i < spawn->n_fds; i++) {
        moved[i] = fcntl(spawn->fds[i], F_DUPFD_CLOEXEC, FIRST_FD + (int)spawn->n_fds);
        if (moved[i] < 0)
            _exit(RK_MASTER_SPAWN_NO_FDS);
    }
    for (size_t i = 0; i < spawn->n_fds; i++)
        if (dup2(moved[i], FIRST_FD + (int)i) < 0)
            _exit(RK_MASTER_SPAWN_NO_FDS);
    (void)close_range(FIRST_FD + (unsigned)spawn->n_fds, ~0u, 0); /* all are close-on-exec anyway: a second net */
    (void)execv(spawn->program, spawn->arguments);
    _exit(RK_MASTER_SPAWN_NO_EXEC);
}

enum rk_err rk_master_spawn(const struct rk_master_spawn *spawn, pid_t *pid_out, struct rk_detail *detail)
{
    pid_t pid;

    RK_ASSERT(spawn->n_fds <= RK_MASTER_SPAWN_FDS_MAX);
    pid = fork();
    if (pid < 0) {
        rk_detail_set(detail, "starting a process: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    if (pid == 0)
        become(spawn);
    *pid_out = pid;
    return RK_OK;
}

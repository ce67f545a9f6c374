#include "log/log_lock.h"

#include "base/base_detail.h"
#include "base/base_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME "LOCK"
#define PID_BYTES 24

static enum rk_err refuse(int fd, struct rk_detail *detail)
{
    char pid[PID_BYTES + 1] = { 0 };
    ssize_t n = rk_io_pread_full(fd, pid, PID_BYTES, 0);

    if (n < 0)
        pid[0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    rk_detail_set(detail, "%s: in use by the server with pid %s, or by one of its workers; stop it first", LOCK_NAME,
                  pid[0] != '\0' ? pid : "(unknown)");
    return RK_ERR_BUSY;
}

static enum rk_err write_pid(int fd, struct rk_detail *detail)
{
    char pid[PID_BYTES];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    if (rk_io->ftruncate(fd, 0) == 0 && rk_io_pwrite_full(fd, pid, (size_t)n, 0) == 0)
        return RK_OK;
    if (errno == ENOSPC || errno == EDQUOT)
        return RK_OK; /* the lock is held all the same; a full disk must not keep reads and deletes from coming back */
    rk_detail_set(detail, "%s: cannot be written: %s", LOCK_NAME, strerror(errno));
    return rk_err_from_errno(errno);
}

enum rk_err rk_log_lock_acquire(int dir_fd, int *lock_fd_out, struct rk_detail *detail)
{
    int fd = rk_io->open_at(dir_fd, LOCK_NAME, O_RDWR | O_CREAT, 0600);
    enum rk_err err;

    if (fd < 0) {
        rk_detail_set(detail, "%s: cannot be opened: %s", LOCK_NAME, strerror(errno));
        return rk_err_from_errno(errno);
    }
    if (rk_io->flock(fd, LOCK_EX | LOCK_NB) == 0) {
        err = write_pid(fd, detail);
    } else if (errno == EWOULDBLOCK) {
        err = refuse(fd, detail);
    } else {
        rk_detail_set(detail, "%s: cannot be locked: %s", LOCK_NAME, strerror(errno));
        err = rk_err_from_errno(errno);
    }
    if (err == RK_OK)
        *lock_fd_out = fd;
    else
        (void)rk_io->close(fd); /* the code that matters is err */
    return err;
}

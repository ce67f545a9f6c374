#include "log/log_lock.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "log/log_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PID_BYTES 24

/* Who has it, as far as LOCK tells. */
static enum rk_err refuse(int dir_fd, struct rk_detail *detail)
{
    char pid[PID_BYTES + 1] = { 0 };
    int fd = rk_open_file(dir_fd, RK_LOG_LOCK_NAME, O_RDONLY, 0);

    if (fd >= 0) {
        if (rk_io_pread_full(fd, pid, PID_BYTES, 0) < 0)
            pid[0] = '\0';
        (void)rk_io->close(fd); /* nothing was written through it */
    }
    pid[strspn(pid, "0123456789")] = '\0';
    rk_detail_set(detail, "%s: in use by the server with pid %s, or by one of its workers; stop it first",
                  RK_LOG_LOCK_NAME, pid[0] != '\0' ? pid : "(unknown)");
    return RK_ERR_BUSY;
}

static enum rk_err fail(const char *name, const char *what, struct rk_detail *detail)
{
    int errnum = errno;

    rk_detail_set(detail, "%s: %s: %s", name, what, rk_open_text(errnum));
    return rk_err_from_errno(errnum);
}

static enum rk_err write_pid(int fd, struct rk_detail *detail)
{
    char pid[PID_BYTES];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    if (rk_io->ftruncate(fd, 0) == 0 && rk_io_pwrite_full(fd, pid, (size_t)n, 0) == 0)
        return RK_OK;
    if (errno == ENOSPC || errno == EDQUOT)
        return RK_OK; /* the lock is held all the same; a full disk must not keep reads and deletes from coming back */
    return fail(RK_LOG_LOCK_NAME, "cannot be written", detail);
}

/* What a file system says that has no such locks on directories, as NFS, which wants them to be writable. */
static bool says_never(int errnum)
{
    return errnum == EBADF || errnum == EINVAL || errnum == EOPNOTSUPP || errnum == ENOLCK || errnum == ENOSYS;
}

static enum rk_err lock_folder(int dir_fd, struct rk_detail *detail)
{
    if (rk_io->flock(dir_fd, LOCK_EX | LOCK_NB) == 0 || says_never(errno))
        return RK_OK;
    return errno == EWOULDBLOCK ? refuse(dir_fd, detail) : fail("the folder", "cannot be locked", detail);
}

static enum rk_err lock_fd(int dir_fd, int fd, const char *name, struct rk_detail *detail)
{
    if (rk_io->flock(fd, LOCK_EX | LOCK_NB) == 0)
        return RK_OK;
    return errno == EWOULDBLOCK ? refuse(dir_fd, detail) : fail(name, "cannot be locked", detail);
}

enum rk_err rk_log_lock_file(int dir_fd, const char *name, int *fd_out, struct rk_detail *detail)
{
    int fd = rk_open_file(dir_fd, name, O_RDWR, 0);
    enum rk_err err;

    if (fd < 0)
        return fail(name, "cannot be opened", detail);
    err = lock_fd(dir_fd, fd, name, detail);
    if (err == RK_OK)
        *fd_out = fd;
    else
        (void)rk_io->close(fd); /* nothing was written through it */
    return err;
}

enum rk_err rk_log_lock_acquire(int dir_fd, int *lock_fd_out, struct rk_detail *detail)
{
    enum rk_err err = lock_folder(dir_fd, detail);
    int fd;

    if (err != RK_OK)
        return err;
    fd = rk_open_file(dir_fd, RK_LOG_LOCK_NAME, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
        return fail(RK_LOG_LOCK_NAME, "cannot be opened", detail);
    err = lock_fd(dir_fd, fd, RK_LOG_LOCK_NAME, detail);
    if (err == RK_OK)
        err = write_pid(fd, detail);
    if (err == RK_OK)
        *lock_fd_out = fd;
    else
        (void)rk_io->close(fd); /* the code that matters is err */
    return err;
}

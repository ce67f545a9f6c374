#include "base/base_pid_file.h"

#include "base/base_detail.h"
#include "base/base_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PID_BYTES 24
#define TRIES_MAX 100 /* so often may others remove the name between the open and the lock */

static enum rk_err fail(struct rk_detail *detail, const char *path, const char *what)
{
    int error = errno;

    rk_detail_set(detail, "%s: %s: %s", path, what, strerror(error));
    return rk_err_from_errno(error);
}

/* Never waits for what may be there instead, as a FIFO without a reader, and follows no link. */
static enum rk_err open_file(const char *path, int *fd_out, struct rk_detail *detail)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    struct stat status;

    if (fd < 0 && errno != ELOOP && errno != ENXIO && errno != EISDIR)
        return fail(detail, path, "opening");
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        rk_detail_set(detail, "%s exists and is not a regular file; remove it or choose another path", path);
        if (fd >= 0)
            (void)close(fd); /* it was only looked at */
        return RK_ERR_INVALID;
    }
    *fd_out = fd;
    return RK_OK;
}

static bool name_is_of(const char *path, int fd)
{
    struct stat named, opened;

    return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev
           && named.st_ino == opened.st_ino;
}

/* Its first bytes, with a zero behind. */
static void read_text(int fd, char text_out[PID_BYTES + 1])
{
    ssize_t n = pread(fd, text_out, PID_BYTES, 0);

    text_out[n > 0 ? n : 0] = '\0';
}

/* RK_OK when it is locked; RK_ERR_AGAIN when the name is another file's meanwhile. */
static enum rk_err lock_file(int fd, const char *path, struct rk_detail *detail)
{
    char pid[PID_BYTES + 1];

    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return name_is_of(path, fd) ? RK_OK : RK_ERR_AGAIN;
    if (errno != EWOULDBLOCK)
        return fail(detail, path, "locking");
    read_text(fd, pid);
    pid[strspn(pid, "0123456789")] = '\0';
    rk_detail_set(detail, "%s is in use by the server with pid %s; stop it, or choose another path", path,
                  pid[0] != '\0' ? pid : "(not written yet)");
    return RK_ERR_BUSY;
}

/* Only what a PID file holds is written over. */
static enum rk_err write_pid(int fd, const char *path, struct rk_detail *detail)
{
    char text[PID_BYTES + 1];
    size_t n_digits;
    int len;

    read_text(fd, text);
    n_digits = strspn(text, "0123456789");
    if (text[n_digits + strspn(text + n_digits, " \n")] != '\0' || n_digits == PID_BYTES) {
        rk_detail_set(detail, "%s holds something else than a process id, and is kept; choose another path", path);
        return RK_ERR_INVALID;
    }
    len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || rk_io_pwrite_full(fd, text, (size_t)len, 0) != 0)
        return fail(detail, path, "writing");
    return fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) == 0 ? RK_OK : fail(detail, path, "setting its mode");
}

static enum rk_err open_locked(const char *path, int *fd_out, struct rk_detail *detail)
{
    enum rk_err err = RK_ERR_AGAIN;
    int fd = -1;

    for (unsigned i = 0; err == RK_ERR_AGAIN && i < TRIES_MAX; i++) {
        err = open_file(path, &fd, detail);
        if (err != RK_OK)
            return err;
        err = lock_file(fd, path, detail);
        if (err != RK_OK)
            (void)close(fd); /* nothing was written through it */
    }
    if (err == RK_ERR_AGAIN)
        rk_detail_set(detail, "%s: others make and remove it all the time", path);
    if (err == RK_OK)
        *fd_out = fd;
    return err;
}

enum rk_err rk_pid_file_open(struct rk_pid_file *file_out, const char *path, struct rk_detail *detail)
{
    struct rk_pid_file file = { .path = path };
    enum rk_err err = open_locked(path, &file.fd, detail);

    if (err != RK_OK)
        return err;
    err = write_pid(file.fd, path, detail);
    if (err == RK_OK)
        *file_out = file;
    else if (err == RK_ERR_INVALID)
        (void)close(file.fd); /* it was only looked at */
    else
        rk_pid_file_close(&file); /* half of an id is worse than none */
    return err;
}

void rk_pid_file_close(struct rk_pid_file *file)
{
    if (file->path == NULL)
        return;
    if (name_is_of(file->path, file->fd))
        (void)unlink(file->path); /* gone already: as it should be */
    (void)close(file->fd);        /* and with it the lock, now that the name is gone */
    file->path = NULL;
}

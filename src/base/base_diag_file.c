#include "base/base_diag_file.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *file_path; /* NULL: there is none */
static int echo_fd = -1;

static enum rk_err fail(struct rk_detail *detail, const char *path)
{
    int error = errno;

    rk_detail_set(detail, "%s: cannot be opened as the log of messages: %s", path, strerror(error));
    return rk_err_from_errno(error);
}

/* Never waits: not for the reader of a FIFO. */
static enum rk_err open_file(const char *path, int *fd_out, struct rk_detail *detail)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    struct stat status;

    if (fd < 0 && errno != ENXIO)
        return fail(detail, path);
    if (fd < 0 || fstat(fd, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISCHR(status.st_mode))) {
        rk_detail_set(detail, "%s: messages can go to a regular file or a device, and this is neither", path);
        if (fd >= 0)
            (void)close(fd); /* nothing was written through it */
        return RK_ERR_INVALID;
    }
    *fd_out = fd;
    return RK_OK;
}

/* Standard error becomes the file. */
static enum rk_err take_file(const char *path, struct rk_detail *detail)
{
    int fd = -1;
    enum rk_err err = open_file(path, &fd, detail);

    if (err != RK_OK)
        return err;
    if (dup2(fd, STDERR_FILENO) < 0)
        err = fail(detail, path);
    (void)close(fd); /* its copy is in use */
    return err;
}

enum rk_err rk_diag_file_open(const char *path, struct rk_detail *detail)
{
    int terminal_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    enum rk_err err = take_file(path, detail);

    if (err != RK_OK) {
        if (terminal_fd >= 0)
            (void)close(terminal_fd); /* standard error is what it was */
        return err;
    }
    file_path = rk_mem_strdup(path);
    echo_fd = terminal_fd;
    rk_diag_set_echo(echo_fd);
    return RK_OK;
}

bool rk_diag_file_is_open(void)
{
    return file_path != NULL;
}

const char *rk_diag_file_path(void)
{
    return file_path;
}

void rk_diag_file_leave(void)
{
    int null_fd;

    if (echo_fd < 0)
        return;
    rk_diag_set_echo(-1);
    null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    /* The number stays taken: a thread that is about to print must not find another file under it. */
    if (null_fd >= 0) {
        (void)dup3(null_fd, echo_fd, O_CLOEXEC);
        (void)close(null_fd);
    }
    echo_fd = -1;
}

enum rk_err rk_diag_file_reopen(struct rk_detail *detail)
{
    return take_file(file_path, detail);
}

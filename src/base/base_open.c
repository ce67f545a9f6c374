#include "base/base_open.h"

#include "base/base_io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* No errno of the kernel's is as high. */
enum open_errno {
    NOT_A_FILE = 5000,
    IS_FIFO,
    IS_SOCKET,
    IS_DEVICE,
    IS_FOLDER,
    IS_LINK,
};

static int errno_of_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 0;
    case S_IFIFO:
        return IS_FIFO;
    case S_IFSOCK:
        return IS_SOCKET;
    case S_IFCHR:
    case S_IFBLK:
        return IS_DEVICE;
    case S_IFDIR:
        return IS_FOLDER;
    case S_IFLNK:
        return IS_LINK;
    default:
        return NOT_A_FILE;
    }
}

/* Closes the descriptor unless it is that of a file. */
static int keep_if_file(int fd)
{
    struct stat status;
    int errnum = rk_io->fstat(fd, &status) == 0 ? errno_of_kind(status.st_mode) : errno;

    if (errnum == 0)
        return fd;
    (void)rk_io->close(fd); /* nothing was written through it */
    errno = errnum;
    return -1;
}

/* Why a name cannot be opened: by what is there, if that says more than the kernel did. */
static int look_at_name(int dir_fd, const char *name, int errnum)
{
    int fd = rk_io->open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);

    if (fd < 0)
        return errno;
    if (keep_if_file(fd) < 0)
        return errno;
    (void)rk_io->close(fd); /* it was only looked at */
    return errnum;
}

int rk_open_file(int dir_fd, const char *name, int flags, mode_t mode)
{
    bool may_make = (flags & O_CREAT) != 0;
    int fd;

    fd = rk_io->open_at(dir_fd, name, flags | O_NONBLOCK | O_NOCTTY | (may_make ? O_NOFOLLOW : 0), mode);
    if (fd >= 0)
        return (flags & O_EXCL) != 0 ? fd : keep_if_file(fd);
    if (errno == ENOENT || errno == ENXIO || errno == EISDIR || errno == ELOOP)
        errno = look_at_name(dir_fd, name, errno);
    return -1;
}

bool rk_open_is_no_file(int errnum)
{
    return errnum >= NOT_A_FILE && errnum <= IS_LINK;
}

const char *rk_open_text(int errnum)
{
    switch (errnum) {
    case NOT_A_FILE:
        return "is not a file";
    case IS_FIFO:
        return "is a FIFO, not a file";
    case IS_SOCKET:
        return "is a socket, not a file";
    case IS_DEVICE:
        return "is a device, not a file";
    case IS_FOLDER:
        return "is a folder, not a file";
    case IS_LINK:
        return "is a symbolic link, not a file";
    default:
        return strerror(errnum);
    }
}

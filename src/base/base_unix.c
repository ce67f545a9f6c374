#include "base/base_unix.h"

#include "base/base_detail.h"
#include "base/base_start_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_PATIENCE_S 5

/* The name of a socket. Where the path is too long for one, the folder is open, and the name goes by its descriptor. */
struct address {
    struct sockaddr_un name;
    int folder_fd; /* -1: none */
};

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* nothing to lose */
}

static enum rk_err fail(struct rk_detail *detail, const char *path, const char *what)
{
    int error = errno;

    rk_detail_set(detail, "%s: %s: %s", path, what, strerror(error));
    if (error == ENOSPC || error == EDQUOT)
        return RK_ERR_NO_SPACE;
    return error == ENOENT ? RK_ERR_NOT_FOUND : error == EADDRINUSE ? RK_ERR_BUSY : RK_ERR_IO;
}

static enum rk_err open_folder(struct address *address, const char *path, size_t folder_len, struct rk_detail *detail)
{
    char folder[PATH_MAX];
    int len;

    (void)snprintf(folder, sizeof folder, "%.*s", (int)folder_len, path);
    address->folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (address->folder_fd < 0)
        return fail(detail, path, "opening its folder");
    len = snprintf(address->name.sun_path, sizeof address->name.sun_path, "/proc/self/fd/%d/%s", address->folder_fd,
                   path + folder_len);
    if (len < (int)sizeof address->name.sun_path)
        return RK_OK;
    close_fd(address->folder_fd);
    rk_detail_set(detail, "%s: the name of a Unix socket has at most 80 bytes after the last /", path);
    return RK_ERR_TOO_LARGE;
}

static enum rk_err open_address(struct address *address, const char *path, struct rk_detail *detail)
{
    const char *slash = strrchr(path, '/');

    *address = (struct address){ .name = { .sun_family = AF_UNIX }, .folder_fd = -1 };
    if (strlen(path) < sizeof address->name.sun_path) {
        strcpy(address->name.sun_path, path);
        return RK_OK;
    }
    if (slash == NULL || (size_t)(slash - path) >= PATH_MAX) {
        rk_detail_set(detail, "%s: the path of a Unix socket is too long", path);
        return RK_ERR_TOO_LARGE;
    }
    return open_folder(address, path, (size_t)(slash - path) + 1, detail);
}

static int connect_to(int fd, const struct address *address)
{
    return connect(fd, (const struct sockaddr *)&address->name, sizeof address->name);
}

/* A name that a dead server left behind is removed; one that answers is not. */
static enum rk_err clear_stale_name(const struct address *address, const char *path, struct rk_detail *detail)
{
    struct stat status;
    bool is_alive;
    int fd;

    if (lstat(address->name.sun_path, &status) != 0)
        return RK_OK;
    if (!S_ISSOCK(status.st_mode)) {
        rk_detail_set(detail, "%s exists and is not a socket; remove it or choose another path", path);
        return RK_ERR_INVALID;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(detail, path, "making a socket");
    is_alive =
        connect_to(fd, address) == 0 || (errno != ECONNREFUSED && errno != ENOENT); /* EAGAIN: its queue is full */
    close_fd(fd);
    if (is_alive) {
        rk_detail_set(detail, "%s is in use by another program; stop it or choose another path", path);
        return RK_ERR_BUSY;
    }
    if (unlink(address->name.sun_path) == 0 || errno == ENOENT)
        return RK_OK;
    return fail(detail, path, "removing what a dead server left");
}

/* The mode of a new name is what the umask leaves of it. It is set through a descriptor of the name, so that it is not
 * set on something that took the name's place. */
static bool set_access(int name_fd, const struct rk_unix_access *access)
{
    char link[64];

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", name_fd);
    if ((access->owner != (uid_t)-1 || access->group != (gid_t)-1)
        && fchownat(name_fd, "", access->owner, access->group, AT_EMPTY_PATH) != 0)
        return false;
    return chmod(link, access->mode) == 0;
}

/* What the name is, and its access. */
static enum rk_err settle_name(const struct address *address, const char *path, const struct rk_unix_access *access,
                               struct rk_unix_listener *listener, struct rk_detail *detail)
{
    int name_fd = open(address->name.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    enum rk_err err = RK_OK;

    if (name_fd < 0 || fstat(name_fd, &status) != 0)
        err = fail(detail, path, "looking at the new socket");
    if (err == RK_OK) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
    if (err == RK_OK && (!S_ISSOCK(status.st_mode) || !set_access(name_fd, access)))
        err = fail(detail, path, "setting the socket's mode, owner and group");
    close_fd(name_fd);
    return err;
}

static void remove_name(const struct address *address, const struct rk_unix_listener *listener)
{
    struct stat status;

    if (lstat(address->name.sun_path, &status) == 0 && status.st_dev == listener->device
        && status.st_ino == listener->inode)
        (void)unlink(address->name.sun_path); /* gone already: as it should be */
}

/* Nobody can connect between bind and listen, whatever the mode is. */
static enum rk_err bind_and_listen(const struct address *address, const char *path, int backlog,
                                   const struct rk_unix_access *access, struct rk_unix_listener *listener,
                                   struct rk_detail *detail)
{
    enum rk_err err;

    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return fail(detail, path, "making a socket");
    if (bind(listener->fd, (const struct sockaddr *)&address->name, sizeof address->name) != 0)
        return fail(detail, path, "binding");
    err = settle_name(address, path, access, listener, detail);
    if (err == RK_OK && listen(listener->fd, backlog) != 0)
        err = fail(detail, path, "listening");
    if (err != RK_OK)
        remove_name(address, listener);
    return err;
}

static enum rk_err listen_at(const struct address *address, const char *path, int backlog,
                             const struct rk_unix_access *access, struct rk_unix_listener *listener_out,
                             struct rk_detail *detail)
{
    struct rk_unix_listener listener = { .fd = -1 };
    enum rk_err err;

    rk_start_lock_acquire();
    err = clear_stale_name(address, path, detail);
    if (err == RK_OK)
        err = bind_and_listen(address, path, backlog, access, &listener, detail);
    rk_start_lock_release();
    if (err == RK_OK)
        *listener_out = listener;
    else
        close_fd(listener.fd);
    return err;
}

enum rk_err rk_unix_listen(const char *path, int backlog, const struct rk_unix_access *access,
                           struct rk_unix_listener *listener_out, struct rk_detail *detail)
{
    struct address address;
    enum rk_err err = open_address(&address, path, detail);

    if (err != RK_OK)
        return err;
    err = listen_at(&address, path, backlog, access, listener_out, detail);
    close_fd(address.folder_fd);
    return err;
}

void rk_unix_close(const char *path, struct rk_unix_listener *listener)
{
    struct address address;
    struct rk_detail detail;

    if (listener->fd < 0)
        return;
    if (open_address(&address, path, &detail) == RK_OK) { /* its folder is gone: then so is the name */
        remove_name(&address, listener);
        close_fd(address.folder_fd);
    }
    close_fd(listener->fd); /* only now: until then no other file can get the inode's number */
    listener->fd = -1;
}

static enum rk_err explain_connect(const char *path, struct rk_detail *detail)
{
    struct stat status;

    if (errno == EAGAIN) {
        rk_detail_set(detail, "%s: the server does not take the connection", path);
        return RK_ERR_TIMEOUT;
    }
    if (errno != ECONNREFUSED)
        return fail(detail, path, "connecting");
    if (stat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
        rk_detail_set(detail, "%s is not a socket", path);
        return RK_ERR_INVALID;
    }
    rk_detail_set(detail, "%s: nobody listens: the server does not run", path);
    return RK_ERR_CLOSED;
}

enum rk_err rk_unix_connect(const char *path, int *fd_out, struct rk_detail *detail)
{
    struct timeval patience = { .tv_sec = CONNECT_PATIENCE_S };
    struct address address;
    enum rk_err err = open_address(&address, path, detail);
    int fd;

    if (err != RK_OK)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err = fail(detail, path, "making a socket");
    } else if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0
               || connect_to(fd, &address) != 0) {
        err = explain_connect(path, detail);
        close_fd(fd);
    } else {
        *fd_out = fd;
    }
    close_fd(address.folder_fd);
    return err;
}

enum rk_err rk_unix_check_path(const char *path, struct rk_detail *detail)
{
    struct address address;
    enum rk_err err = open_address(&address, path, detail);

    if (err == RK_OK)
        close_fd(address.folder_fd);
    return err;
}

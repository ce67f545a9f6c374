/* Unix sockets by a path of any length: the 107 bytes of an address need hold no more than the name in its folder. */
#ifndef RK_BASE_UNIX_H
#define RK_BASE_UNIX_H

#include "base/base_err.h"

#include <sys/types.h>

struct rk_detail;

/* Who may connect: whatever the umask of the process is. */
struct rk_unix_access {
    mode_t mode;
    uid_t owner; /* (uid_t)-1: the user of this process */
    gid_t group; /* (gid_t)-1: as the kernel gives it */
};

struct rk_unix_listener {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
};

/* A socket that listens at the path, close-on-exec and non-blocking; nobody else can connect before it has its owner,
 * group and mode. A name that a dead server left is replaced; RK_ERR_BUSY when somebody listens there (also when its
 * queue is full), RK_ERR_INVALID when it is no socket, RK_ERR_TOO_LARGE when the last part of the path is too long;
 * RK_ERR_NO_SPACE when the disk has no room for the name. On failure no name of ours stays. Main thread. */
enum rk_err rk_unix_listen(const char *path, int backlog, const struct rk_unix_access *access,
                           struct rk_unix_listener *listener_out, struct rk_detail *detail);

/* Removes the name, if it is still the one of this listener, and closes the socket. Any thread. */
void rk_unix_close(const char *path, struct rk_unix_listener *listener);

/* A blocking socket that is connected. RK_ERR_NOT_FOUND: there is no such name; RK_ERR_CLOSED: nobody listens;
 * RK_ERR_INVALID: it is no socket, or the path cannot be one; RK_ERR_TIMEOUT: its queue is full and stays full;
 * RK_ERR_IO: permission, and all else. Any thread. */
enum rk_err rk_unix_connect(const char *path, int *fd_out, struct rk_detail *detail);

/* Whether a socket can have this path: RK_ERR_TOO_LARGE, or what is wrong with its folder, as the two above say it. */
enum rk_err rk_unix_check_path(const char *path, struct rk_detail *detail);

#endif

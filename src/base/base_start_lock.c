#include "base/base_start_lock.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_time.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_NS (20 * RK_NS_PER_S)
#define RETRY_MS    10

static int lock_fd = -1;
static unsigned n_holders;

static int bind_name(int fd)
{
    /* The zero byte before it makes the name an abstract one: it is in no folder. */
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0" RK_START_LOCK_NAME };
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof RK_START_LOCK_NAME;

    return bind(fd, (const struct sockaddr *)&name, len);
}

static enum rk_err wait_for_name(int fd, struct rk_detail *detail)
{
    uint64_t begin_ns = rk_time_monotonic_ns();

    while (bind_name(fd) != 0) {
        if (errno != EADDRINUSE) {
            rk_detail_set(detail, "the Unix socket @%s: %s", RK_START_LOCK_NAME, strerror(errno));
            return RK_ERR_IO;
        }
        if (rk_time_monotonic_ns() - begin_ns > PATIENCE_NS) {
            rk_detail_set(detail,
                          "another program keeps the Unix socket @%s, which a server has while it opens its listeners; "
                          "find it (ss -xlp) and stop it",
                          RK_START_LOCK_NAME);
            return RK_ERR_BUSY;
        }
        (void)poll(NULL, 0, RETRY_MS); /* a pause */
    }
    return RK_OK;
}

enum rk_err rk_start_lock_acquire(struct rk_detail *detail)
{
    enum rk_err err;
    int fd;

    if (n_holders > 0) {
        n_holders++;
        return RK_OK;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        rk_detail_set(detail, "making a socket: %s", strerror(errno));
        return RK_ERR_LIMIT;
    }
    err = wait_for_name(fd, detail);
    if (err != RK_OK) {
        (void)close(fd); /* it is nobody's */
        return err;
    }
    lock_fd = fd;
    n_holders = 1;
    return RK_OK;
}

void rk_start_lock_release(void)
{
    RK_ASSERT(n_holders > 0);
    if (--n_holders > 0)
        return;
    (void)close(lock_fd); /* the name goes with it */
    lock_fd = -1;
}

#include "base/base_start_lock.h"

#include "base/base_assert.h"
#include "base/base_time.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 10

static int lock_fd = -1;
static unsigned n_holders;

static int bind_name(int fd)
{
    /* The zero byte before it makes the name an abstract one: it is in no folder. */
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0" RK_START_LOCK_NAME };
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof RK_START_LOCK_NAME;

    return bind(fd, (const struct sockaddr *)&name, len);
}

static void wait_for_name(int fd)
{
    uint64_t begin_ns = rk_time_monotonic_ns();

    while (bind_name(fd) != 0 && errno == EADDRINUSE
           && rk_time_monotonic_ns() - begin_ns < RK_START_LOCK_PATIENCE_MS * RK_NS_PER_MS)
        (void)poll(NULL, 0, RETRY_MS); /* a pause */
}

void rk_start_lock_acquire(void)
{
    if (n_holders++ > 0)
        return;
    lock_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (lock_fd >= 0) /* without a descriptor the start fails of something else */
        wait_for_name(lock_fd);
}

void rk_start_lock_release(void)
{
    RK_ASSERT(n_holders > 0);
    if (--n_holders > 0 || lock_fd < 0)
        return;
    (void)close(lock_fd); /* the name goes with it */
    lock_fd = -1;
}

#include "disk/disk_window.h"

#include "base/base_assert.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_ALIGNMENT 4096

enum rk_err rk_disk_window_open(struct rk_disk_window *window, int dir_fd, const char *name, uint64_t *file_bytes_out)
{
    struct stat status;

    *window = (struct rk_disk_window){ .fd = rk_open_file(dir_fd, name, O_RDONLY, 0) };
    if (window->fd < 0)
        return rk_err_from_errno(errno);
    if (rk_io->fstat(window->fd, &status) != 0)
        return RK_ERR_IO;
    (void)rk_io->fadvise(window->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice only */
    window->capacity = RK_DISK_WINDOW_BYTES;
    if (status.st_size < (off_t)RK_DISK_WINDOW_BYTES)
        window->capacity = ((size_t)status.st_size / BUFFER_ALIGNMENT + 1) * BUFFER_ALIGNMENT;
    window->buffer = rk_mem_aligned(BUFFER_ALIGNMENT, window->capacity);
    *file_bytes_out = (uint64_t)status.st_size;
    return RK_OK;
}

void rk_disk_window_close(struct rk_disk_window *window)
{
    if (window->fd >= 0)
        (void)rk_io->close(window->fd); /* nothing was written through it */
    free(window->buffer);
    *window = (struct rk_disk_window){ .fd = -1 };
}

/* Moves the window so that it begins at `at`, keeping what it has of that. */
static enum rk_err move_to(struct rk_disk_window *window, uint64_t at)
{
    size_t keep = 0;
    ssize_t n;

    if (at >= window->begin && at < window->begin + window->filled) {
        keep = (size_t)(window->begin + window->filled - at);
        memmove(window->buffer, window->buffer + window->filled - keep, keep);
    }
    window->begin = at;
    window->filled = keep;
    n = rk_io_pread_in_calls(window->fd, window->buffer + keep, window->capacity - keep, (off_t)(at + keep));
    if (n < 0)
        return RK_ERR_IO;
    window->filled += (size_t)n;
    return RK_OK;
}

enum rk_err rk_disk_window_get(struct rk_disk_window *window, uint64_t at, size_t size, const uint8_t **bytes_out)
{
    RK_ASSERT(size <= window->capacity);
    if (at < window->begin || at + size > window->begin + window->filled) {
        if (move_to(window, at) != RK_OK)
            return RK_ERR_IO;
        if (size > window->filled) {
            errno = EIO;
            return RK_ERR_IO;
        }
    }
    *bytes_out = window->buffer + (at - window->begin);
    return RK_OK;
}

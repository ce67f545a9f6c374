#include "compactor/compactor_kept.h"

#include "base/base_io.h"
#include "base/base_sched.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void close_first(struct rk_compactor_kept *kept)
{
    (void)rk_io->close(kept->files[0].fd); /* only read: nothing to lose */
    kept->n--;
    memmove(&kept->files[0], &kept->files[1], kept->n * sizeof kept->files[0]);
}

/* The size of what is in the page cache at most; unknown: nothing is dropped beforehand. */
static off_t size_of(int fd)
{
    struct stat status;

    return rk_io->fstat(fd, &status) == 0 ? status.st_size : 0;
}

/* Takes the pages of the first file from the page cache. */
static void drop_pages(const struct rk_compactor_kept *kept)
{
    off_t size = size_of(kept->files[0].fd);

    for (off_t at = 0; at < size; at += RK_COMPACTOR_KEPT_DROP_BYTES) {
        (void)rk_io->fadvise(kept->files[0].fd, at, RK_COMPACTOR_KEPT_DROP_BYTES, POSIX_FADV_DONTNEED); /* advice */
        rk_sched_yield();
    }
}

void rk_compactor_kept_add(struct rk_compactor_kept *kept, int fd, uint64_t now_ns)
{
    if (kept->n == RK_COMPACTOR_KEPT_MAX)
        close_first(kept);
    kept->files[kept->n].fd = fd;
    kept->files[kept->n].until_ns = now_ns + RK_COMPACTOR_KEPT_NS;
    kept->n++;
}

uint64_t rk_compactor_kept_close(struct rk_compactor_kept *kept, uint64_t now_ns)
{
    while (kept->n > 0 && kept->files[0].until_ns <= now_ns) {
        if (now_ns != UINT64_MAX)
            drop_pages(kept);
        close_first(kept);
    }
    return kept->n > 0 ? kept->files[0].until_ns : UINT64_MAX;
}

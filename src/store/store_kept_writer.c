#include "store/store_kept_writer.h"

#include "base/base_io.h"

#include <string.h>

static void close_first(struct rk_store_kept *kept)
{
    (void)rk_io->close(kept->files[0].fd); /* only read: nothing to lose */
    kept->n--;
    memmove(&kept->files[0], &kept->files[1], kept->n * sizeof kept->files[0]);
}

void rk_store_kept_add(struct rk_store_kept *kept, int fd, uint64_t now_ns)
{
    if (kept->n == RK_STORE_KEPT_MAX)
        close_first(kept);
    kept->files[kept->n].fd = fd;
    kept->files[kept->n].until_ns = now_ns + RK_STORE_KEPT_NS;
    kept->n++;
}

uint64_t rk_store_kept_close(struct rk_store_kept *kept, uint64_t now_ns)
{
    while (kept->n > 0 && kept->files[0].until_ns <= now_ns)
        close_first(kept);
    return kept->n > 0 ? kept->files[0].until_ns : UINT64_MAX;
}

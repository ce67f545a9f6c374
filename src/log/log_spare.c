#include "log/log_spare.h"

#include "base/base_io.h"
#include "base/base_open.h"

#include <fcntl.h>
#include <sys/stat.h>

#define NAME         "SPARE"
#define BESIDE_BYTES (1u << 20) /* what must be free besides: a merge that took the space has given some back */
#define PARTS        8          /* one of so many comes on top, for hint and MANIFEST */

static bool has_size(const struct rk_log_spare *spare, int fd)
{
    struct stat status;

    return rk_io->fstat(fd, &status) == 0 && (uint64_t)status.st_blocks * 512 >= spare->size_bytes;
}

void rk_log_spare_init(struct rk_log_spare *spare, int dir_fd, uint64_t size_bytes)
{
    int fd;

    *spare = (struct rk_log_spare){ .dir_fd = dir_fd };
    if (!rk_io_copies_on_write(dir_fd))
        return;
    spare->size_bytes = size_bytes + size_bytes / PARTS;
    fd = rk_open_file(dir_fd, NAME, O_RDONLY, 0);
    if (fd < 0)
        return; /* not there, or what is no file, and stays away from us */
    spare->is_there = has_size(spare, fd);
    (void)rk_io->close(fd); /* nothing was written through it */
}

bool rk_log_spare_make(struct rk_log_spare *spare)
{
    int fd;

    if (spare->is_there || spare->size_bytes == 0)
        return spare->is_there;
    fd = rk_open_file(spare->dir_fd, NAME, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
        return false;
    (void)rk_io->write_in_place(fd); /* its blocks are all that matters */
    spare->is_there = rk_io->fallocate(fd, 0, 0, (off_t)(spare->size_bytes + BESIDE_BYTES)) == 0
                      && rk_io->ftruncate(fd, (off_t)spare->size_bytes) == 0;
    (void)rk_io->close(fd); /* the same */
    if (spare->is_there)
        spare->is_given_up = false;
    else
        (void)rk_io->unlink_at(spare->dir_fd, NAME); /* what it got is given back */
    return spare->is_there;
}

void rk_log_spare_give_up(struct rk_log_spare *spare)
{
    (void)rk_io->unlink_at(spare->dir_fd, NAME); /* gone already: as it should be */
    spare->is_there = false;
    spare->is_given_up = spare->size_bytes > 0;
}

#include "log/log_repair.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "base/base_time.h"
#include "disk/disk_location.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static enum rk_err fail(uint32_t file_number, struct rk_detail *detail, const char *what)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    rk_detail_set(detail, "%s: %s: %s", name, what, rk_open_text(errnum));
    return errnum == ENOENT ? RK_ERR_NOT_FOUND : rk_err_from_errno(errnum);
}

static int open_file(int dir_fd, uint32_t file_number, int flags)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    return rk_open_file(dir_fd, name, flags, 0);
}

enum rk_err rk_log_file_distrust_cache(int dir_fd, uint32_t file_number, struct rk_detail *detail)
{
    int fd = open_file(dir_fd, file_number, O_RDWR);
    enum rk_err err = RK_OK;

    if (fd < 0)
        return fail(file_number, detail, "cannot be opened");
    if (rk_io->fdatasync(fd) != 0)
        err = fail(file_number, detail, "cannot be made durable");
    else
        (void)rk_io->fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* where there is no cache there is nothing to drop */
    (void)rk_io->close(fd);                                  /* fdatasync said already what there is to say */
    return err;
}

enum rk_err rk_log_file_cut(int dir_fd, uint32_t file_number, uint64_t end_bytes, struct rk_detail *detail)
{
    int fd = open_file(dir_fd, file_number, O_RDWR);
    enum rk_err err = RK_OK;

    if (fd < 0)
        return fail(file_number, detail, "cannot be opened");
    if (!RK_PLANTED(tail_not_cut) && rk_io->ftruncate(fd, (off_t)end_bytes) != 0)
        err = fail(file_number, detail, "its torn tail cannot be cut off");
    else if (rk_io->fdatasync(fd) != 0)
        err = fail(file_number, detail, "cannot be made durable");
    (void)rk_io->close(fd); /* fdatasync said already what there is to say */
    return err;
}

enum rk_err rk_log_file_seal(int dir_fd, uint32_t file_number, const struct rk_disk_file_trailer *totals,
                             const struct rk_record_secret *secret, uint64_t sequence, struct rk_detail *detail)
{
    struct rk_record_stamp stamp = { .sequence = sequence,
                                     .write_time_ms = rk_time_wall_ms(),
                                     .durable_units = (uint32_t)(totals->size_bytes / RK_DISK_UNIT_BYTES) };
    uint8_t bytes[RK_DISK_FILE_FRAME_BYTES];
    int fd = open_file(dir_fd, file_number, O_RDWR);
    enum rk_err err = RK_OK;

    if (fd < 0)
        return fail(file_number, detail, "cannot be opened");
    rk_disk_file_trailer_build(bytes, totals, secret, &stamp);
    if (rk_io_pwrite_full(fd, bytes, sizeof bytes, (off_t)totals->size_bytes) != 0)
        err = fail(file_number, detail, "its trailer cannot be written");
    else if (rk_io->fdatasync(fd) != 0)
        err = fail(file_number, detail, "cannot be made durable");
    (void)rk_io->close(fd); /* fdatasync said already what there is to say */
    return err;
}

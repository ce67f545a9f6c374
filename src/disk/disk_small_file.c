#include "disk/disk_small_file.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "base/base_plural.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 64
#define FILE_MODE  0600 /* STORE holds a secret */

static enum rk_err fail(struct rk_detail *detail, const char *name, const char *what)
{
    int errnum = errno;

    rk_detail_set(detail, "%s: %s: %s", name, what, rk_open_text(errnum));
    return rk_err_from_errno(errnum);
}

static void make_tmp_name(char tmp_name[NAME_BYTES], const char *name)
{
    int n = snprintf(tmp_name, NAME_BYTES, "%s%s", name, RK_DISK_TMP_SUFFIX);

    RK_ASSERT(n > 0 && n < NAME_BYTES);
}

static enum rk_err read_whole(int fd, const char *name, size_t max_size, uint8_t **bytes_out, size_t *size_out,
                              struct rk_detail *detail)
{
    struct stat status;
    uint8_t *bytes;

    if (rk_io->fstat(fd, &status) != 0)
        return fail(detail, name, "cannot be examined");
    if (status.st_size < 0 || (uint64_t)status.st_size > max_size) {
        rk_detail_set(detail, "%s: %lld byte%s; at most %zu are expected", name, (long long)status.st_size,
                      rk_plural((uint64_t)status.st_size), max_size);
        return RK_ERR_TOO_LARGE;
    }
    bytes = rk_mem_calloc(1, (size_t)status.st_size + 1);
    if (rk_io_pread_full(fd, bytes, (size_t)status.st_size, 0) != status.st_size) {
        free(bytes);
        return fail(detail, name, "cannot be read");
    }
    *bytes_out = bytes;
    *size_out = (size_t)status.st_size;
    return RK_OK;
}

enum rk_err rk_disk_small_file_load(int dir_fd, const char *name, size_t max_size, uint8_t **bytes_out,
                                    size_t *size_out, struct rk_detail *detail)
{
    int fd = rk_open_file(dir_fd, name, O_RDONLY, 0);
    enum rk_err err;

    if (fd < 0)
        return errno == ENOENT ? RK_ERR_NOT_FOUND : fail(detail, name, "cannot be opened");
    err = read_whole(fd, name, max_size, bytes_out, size_out, detail);
    (void)rk_io->close(fd); /* nothing was written through it */
    return err;
}

enum rk_err rk_disk_small_file_stage(int dir_fd, const char *name, const uint8_t *bytes, size_t size,
                                     struct rk_detail *detail)
{
    char tmp_name[NAME_BYTES];
    enum rk_err err = RK_OK;
    int fd;

    make_tmp_name(tmp_name, name);
    fd = rk_open_file(dir_fd, tmp_name, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE);
    if (fd < 0)
        return fail(detail, tmp_name, "cannot be made");
    if (rk_io_pwrite_full(fd, bytes, size, 0) != 0)
        err = fail(detail, tmp_name, "cannot be written");
    else if (rk_io->fsync(fd) != 0)
        err = fail(detail, tmp_name, "cannot be made durable");
    (void)rk_io->close(fd); /* fsync said already what there is to say */
    if (err != RK_OK)
        rk_disk_small_file_discard(dir_fd, name);
    return err;
}

static int sync_names(int dir_fd)
{
    return RK_PLANTED(skip_dir_fsync) ? 0 : rk_io->fsync(dir_fd);
}

/* An fsync that failed has promised nothing, whatever it blames: RK_ERR_NO_SPACE would say that nothing happened. */
static enum rk_err make_names_durable(int dir_fd, struct rk_detail *detail)
{
    if (sync_names(dir_fd) == 0)
        return RK_OK;
    (void)fail(detail, "the directory", "cannot be made durable");
    return RK_ERR_IO;
}

/* Where there is no room for another name, as on btrfs, the file system has changed nothing. */
static enum rk_err replace_name(int dir_fd, const char *name, struct rk_detail *detail)
{
    char tmp_name[NAME_BYTES];
    enum rk_err err;

    make_tmp_name(tmp_name, name);
    if (rk_io->rename_at(dir_fd, tmp_name, name) == 0)
        return RK_OK;
    err = fail(detail, tmp_name, "cannot be renamed");
    if (err == RK_ERR_NO_SPACE)
        rk_disk_small_file_discard(dir_fd, name);
    return err;
}

enum rk_err rk_disk_small_file_commit(int dir_fd, const char *name, struct rk_detail *detail)
{
    enum rk_err err = make_names_durable(dir_fd, detail);

    if (err == RK_OK)
        err = replace_name(dir_fd, name, detail);
    return err == RK_OK ? make_names_durable(dir_fd, detail) : err;
}

void rk_disk_small_file_discard(int dir_fd, const char *name)
{
    char tmp_name[NAME_BYTES];

    make_tmp_name(tmp_name, name);
    (void)rk_io->unlink_at(dir_fd, tmp_name); /* what stays is overwritten by the next one, or swept at start */
}

#include "base/base_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RETRY_ON_EINTR(result, call) \
    do {                             \
        result = (call);             \
    } while (result == -1 && errno == EINTR)

static int kernel_open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    int fd;

    RETRY_ON_EINTR(fd, openat(dir_fd, name, flags | O_CLOEXEC, mode));
    return fd;
}

static int kernel_close(int fd)
{
    return close(fd); /* never retried: Linux has released the descriptor, whatever it says */
}

static ssize_t kernel_pread(int fd, void *bytes, size_t size, off_t offset)
{
    ssize_t n;

    RETRY_ON_EINTR(n, pread(fd, bytes, size, offset));
    return n;
}

static ssize_t kernel_preadv2(int fd, const struct iovec *iov, int n_iov, off_t offset, int flags)
{
    ssize_t n;

    RETRY_ON_EINTR(n, preadv2(fd, iov, n_iov, offset, flags));
    return n;
}

static ssize_t kernel_pwritev(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    ssize_t n;

    RETRY_ON_EINTR(n, pwritev(fd, iov, n_iov, offset));
    return n;
}

static int kernel_fdatasync(int fd)
{
    return fdatasync(fd); /* never retried: after a failure the pages that were lost look clean */
}

static int kernel_fsync(int fd)
{
    return fsync(fd); /* as fdatasync */
}

static int kernel_ftruncate(int fd, off_t size)
{
    int result;

    RETRY_ON_EINTR(result, ftruncate(fd, size));
    return result;
}

static int kernel_fallocate(int fd, int mode, off_t offset, off_t size)
{
    int result;

    RETRY_ON_EINTR(result, fallocate(fd, mode, offset, size));
    return result;
}

static int kernel_sync_range(int fd, off_t offset, off_t size, unsigned flags)
{
    return sync_file_range(fd, offset, size, flags);
}

static int kernel_fadvise(int fd, off_t offset, off_t size, int advice)
{
    return posix_fadvise(fd, offset, size, advice);
}

static int kernel_fstat(int fd, struct stat *status)
{
    return fstat(fd, status);
}

static int kernel_fstatvfs(int fd, struct statvfs *status)
{
    int result;

    RETRY_ON_EINTR(result, fstatvfs(fd, status));
    return result;
}

static int kernel_rename_at(int dir_fd, const char *from, const char *to)
{
    return renameat(dir_fd, from, dir_fd, to);
}

static int kernel_link_at(int dir_fd, const char *from, const char *to)
{
    return linkat(dir_fd, from, dir_fd, to, 0);
}

static int kernel_unlink_at(int dir_fd, const char *name)
{
    return unlinkat(dir_fd, name, 0);
}

static int kernel_mkdir_at(int dir_fd, const char *name, mode_t mode)
{
    return mkdirat(dir_fd, name, mode);
}

static ssize_t kernel_getdents(int dir_fd, void *bytes, size_t size)
{
    return getdents64(dir_fd, bytes, size);
}

static int kernel_flock(int fd, int operation)
{
    int result;

    RETRY_ON_EINTR(result, flock(fd, operation));
    return result;
}

static int kernel_syncfs(int fd)
{
    return syncfs(fd);
}

static int kernel_write_in_place(int fd)
{
    int flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
        return -1;
    flags |= FS_NOCOW_FL;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int kernel_copies_on_write(int fd)
{
    struct statfs status;

    return fstatfs(fd, &status) == 0 && status.f_type == BTRFS_SUPER_MAGIC;
}

const struct rk_io_ops rk_io_kernel_ops = {
    .open_at = kernel_open_at,
    .close = kernel_close,
    .pread = kernel_pread,
    .preadv2 = kernel_preadv2,
    .pwritev = kernel_pwritev,
    .fdatasync = kernel_fdatasync,
    .fsync = kernel_fsync,
    .ftruncate = kernel_ftruncate,
    .fallocate = kernel_fallocate,
    .sync_range = kernel_sync_range,
    .fadvise = kernel_fadvise,
    .fstat = kernel_fstat,
    .fstatvfs = kernel_fstatvfs,
    .rename_at = kernel_rename_at,
    .link_at = kernel_link_at,
    .unlink_at = kernel_unlink_at,
    .mkdir_at = kernel_mkdir_at,
    .getdents = kernel_getdents,
    .flock = kernel_flock,
    .syncfs = kernel_syncfs,
    .write_in_place = kernel_write_in_place,
    .copies_on_write = kernel_copies_on_write,
};

const struct rk_io_ops *rk_io = &rk_io_kernel_ops;

bool rk_io_disk(int fd, uint64_t *free_bytes_out, uint64_t *disk_bytes_out)
{
    struct statvfs status;

    if (rk_io->fstatvfs(fd, &status) != 0)
        return false;
    *free_bytes_out = (uint64_t)(status.f_bavail > 0 ? status.f_bavail : status.f_bfree) * status.f_frsize;
    *disk_bytes_out = (uint64_t)status.f_blocks * status.f_frsize;
    return true;
}

bool rk_io_copies_on_write(int fd)
{
    return rk_io->copies_on_write(fd) == 1;
}

ssize_t rk_io_pread_full(int fd, void *bytes, size_t size, off_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = rk_io->pread(fd, (char *)bytes + done, size - done, offset + (off_t)done);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t rk_io_pread_in_calls(int fd, void *bytes, size_t size, off_t offset)
{
    size_t done = 0;
    size_t wanted;
    ssize_t n;

    do {
        wanted = size - done < RK_IO_CALL_BYTES ? size - done : RK_IO_CALL_BYTES;
        n = rk_io_pread_full(fd, (char *)bytes + done, wanted, offset + (off_t)done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    } while ((size_t)n == wanted && done < size);
    return (ssize_t)done;
}

/* Takes n bytes off the front of the array; returns how many entries are used up. */
static int advance_iov(struct iovec *iov, int n_iov, size_t n)
{
    int used = 0;

    while (used < n_iov && n >= iov[used].iov_len)
        n -= iov[used++].iov_len;
    if (used < n_iov) {
        iov[used].iov_base = (char *)iov[used].iov_base + n;
        iov[used].iov_len -= n;
    }
    return used;
}

int rk_io_pwritev_full(int fd, struct iovec *iov, int n_iov, off_t offset)
{
    while (n_iov > 0) {
        int n_now = n_iov < IOV_MAX ? n_iov : IOV_MAX;
        ssize_t n = rk_io->pwritev(fd, iov, n_now, offset);
        int used;

        if (n < 0)
            return -1;
        if (n == 0) {
            errno = EIO; /* a file never takes 0 bytes without an error; do not turn in a circle if one does */
            return -1;
        }
        offset += n;
        used = advance_iov(iov, n_iov, (size_t)n);
        iov += used;
        n_iov -= used;
    }
    return 0;
}

int rk_io_pwrite_full(int fd, const void *bytes, size_t size, off_t offset)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };

    return size == 0 ? 0 : rk_io_pwritev_full(fd, &iov, 1, offset);
}

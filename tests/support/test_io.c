#include "test_io.h"

#include "base/base_io.h"

#include <errno.h>
#include <stdatomic.h>

static struct test_io_fault fault;
static _Atomic unsigned n_calls;

static bool fails(enum test_io_call call)
{
    unsigned n;

    if ((fault.calls & (unsigned)call) == 0)
        return false;
    n = atomic_fetch_add(&n_calls, 1) + 1;
    if (fault.nth == 0 || n < fault.nth || (n > fault.nth && !fault.forever))
        return false;
    errno = fault.errnum;
    return true;
}

static int open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    return fails(TEST_IO_OPEN) ? -1 : rk_io_kernel_ops.open_at(dir_fd, name, flags, mode);
}

static ssize_t read_at(int fd, void *bytes, size_t size, off_t offset)
{
    return fails(TEST_IO_PREAD) ? -1 : rk_io_kernel_ops.pread(fd, bytes, size, offset);
}

/* The first short_bytes of the array; what follows fails when it is called for. */
static ssize_t write_short(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    size_t size = 0;

    for (int i = 0; i < n_iov && size == 0; i++)
        if (iov[i].iov_len > 0) {
            size = iov[i].iov_len < fault.short_bytes ? iov[i].iov_len : fault.short_bytes;
            fault.short_bytes -= size;
            fault.nth++;
            return rk_io_kernel_ops.pwritev(fd, &(struct iovec){ .iov_base = iov[i].iov_base, .iov_len = size }, 1,
                                            offset);
        }
    return -1;
}

static ssize_t write_at(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    if (!fails(TEST_IO_PWRITEV))
        return rk_io_kernel_ops.pwritev(fd, iov, n_iov, offset);
    return fault.short_bytes > 0 ? write_short(fd, iov, n_iov, offset) : -1;
}

static int sync_data(int fd)
{
    return fails(TEST_IO_FDATASYNC) ? -1 : rk_io_kernel_ops.fdatasync(fd);
}

static int sync_all(int fd)
{
    return fails(TEST_IO_FSYNC) ? -1 : rk_io_kernel_ops.fsync(fd);
}

static int cut(int fd, off_t size)
{
    return fails(TEST_IO_FTRUNCATE) ? -1 : rk_io_kernel_ops.ftruncate(fd, size);
}

static int allocate(int fd, int mode, off_t offset, off_t size)
{
    return fails(TEST_IO_FALLOCATE) ? -1 : rk_io_kernel_ops.fallocate(fd, mode, offset, size);
}

static int examine(int fd, struct stat *status)
{
    return fails(TEST_IO_FSTAT) ? -1 : rk_io_kernel_ops.fstat(fd, status);
}

static int rename_at(int dir_fd, const char *from, const char *to)
{
    return fails(TEST_IO_RENAME) ? -1 : rk_io_kernel_ops.rename_at(dir_fd, from, to);
}

static int unlink_at(int dir_fd, const char *name)
{
    return fails(TEST_IO_UNLINK) ? -1 : rk_io_kernel_ops.unlink_at(dir_fd, name);
}

static int make_dir_at(int dir_fd, const char *name, mode_t mode)
{
    return fails(TEST_IO_MKDIR) ? -1 : rk_io_kernel_ops.mkdir_at(dir_fd, name, mode);
}

static ssize_t list_some(int dir_fd, void *bytes, size_t size)
{
    return fails(TEST_IO_GETDENTS) ? -1 : rk_io_kernel_ops.getdents(dir_fd, bytes, size);
}

static int lock_file(int fd, int operation)
{
    return fails(TEST_IO_FLOCK) ? -1 : rk_io_kernel_ops.flock(fd, operation);
}

void test_io_install(const struct test_io_fault *new_fault)
{
    static struct rk_io_ops ops;

    fault = *new_fault;
    atomic_store(&n_calls, 0);
    ops = rk_io_kernel_ops;
    ops.open_at = open_at;
    ops.pread = read_at;
    ops.pwritev = write_at;
    ops.fdatasync = sync_data;
    ops.fsync = sync_all;
    ops.ftruncate = cut;
    ops.fallocate = allocate;
    ops.fstat = examine;
    ops.rename_at = rename_at;
    ops.unlink_at = unlink_at;
    ops.mkdir_at = make_dir_at;
    ops.getdents = list_some;
    ops.flock = lock_file;
    rk_io = &ops;
}

void test_io_remove(void)
{
    rk_io = &rk_io_kernel_ops;
}

unsigned test_io_n_calls(void)
{
    return atomic_load(&n_calls);
}

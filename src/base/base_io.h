/* Every operation on a file of the store goes through these calls, so that a test can make the n-th one fail, or record
 * all of them and replay what a power failure could leave behind.
 *
 * Each call is the system call of the same name, restarted on EINTR; it returns what the system call returns, with
 * errno. The table in use is process-wide; a test swaps it before it starts threads. */
#ifndef RK_BASE_IO_H
#define RK_BASE_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

struct rk_io_ops {
    int (*open_at)(int dir_fd, const char *name, int flags, mode_t mode); /* O_CLOEXEC is added */
    int (*close)(int fd);
    ssize_t (*pread)(int fd, void *bytes, size_t size, off_t offset);
    ssize_t (*preadv2)(int fd, const struct iovec *iov, int n_iov, off_t offset, int flags);
    ssize_t (*pwritev)(int fd, const struct iovec *iov, int n_iov, off_t offset);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*fallocate)(int fd, int mode, off_t offset, off_t size);
    int (*sync_range)(int fd, off_t offset, off_t size, unsigned flags); /* sync_file_range: promises nothing */
    int (*fadvise)(int fd, off_t offset, off_t size, int advice);        /* returns an errno, as posix_fadvise does */
    int (*fstat)(int fd, struct stat *status);
    int (*fstatvfs)(int fd, struct statvfs *status);
    int (*rename_at)(int dir_fd, const char *from, const char *to);
    int (*link_at)(int dir_fd, const char *from, const char *to);
    int (*unlink_at)(int dir_fd, const char *name);
    int (*mkdir_at)(int dir_fd, const char *name, mode_t mode);
    ssize_t (*getdents)(int dir_fd, void *bytes, size_t size); /* some struct dirent64, 0 at the end */
    int (*flock)(int fd, int operation);
    int (*syncfs)(int fd); /* after it, what was unlinked is free on every file system */
    int (*write_in_place)(
        int fd); /* of an empty file, where the file system copies on write: not this one (FS_NOCOW_FL) */
    int (*copies_on_write)(int fd); /* fstatfs: 1, 0 */
};

/* The table that calls the kernel. */
extern const struct rk_io_ops rk_io_kernel_ops;

/* The table in use. */
extern const struct rk_io_ops *rk_io;

/* What can be written to the disk that the file is on, and how large it is: false when it does not say. A file system
 * that says "nothing" may mean that it does not like to promise (btrfs, when its metadata have little): then what is
 * free at all, and the write tells. */
bool rk_io_disk(int fd, uint64_t *free_bytes_out, uint64_t *disk_bytes_out);

/* Whether the file system writes to new places and gives an extent back only when all of it is unused (btrfs). */
bool rk_io_copies_on_write(int fd);

/* Reads until size bytes, the end of the file or an error: the number of bytes read, or -1 with errno. Any thread. */
ssize_t rk_io_pread_full(int fd, void *bytes, size_t size, off_t offset);

/* The same in calls of at most so many bytes: in a longer one the kernel keeps the processor from who answers requests
 * for some ten microseconds or more. */
#define RK_IO_CALL_BYTES (32u << 10)
ssize_t rk_io_pread_in_calls(int fd, void *bytes, size_t size, off_t offset);

/* Writes all or fails: 0, or -1 with errno. A short write is continued; what was written before an error stays in the
 * file. The iovec array is used up. */
int rk_io_pwritev_full(int fd, struct iovec *iov, int n_iov, off_t offset);

/* The same for one piece of memory. */
int rk_io_pwrite_full(int fd, const void *bytes, size_t size, off_t offset);

#endif

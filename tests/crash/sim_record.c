#include "sim_record.h"

#include "base/base_io.h"
#include "sim_memory.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FDS_MAX 1024 /* of either kind */

enum fd_kind {
    FD_OTHER,
    FD_ROOT,
    FD_PARENT,
    FD_FILE,
};

struct open_fd {
    enum fd_kind kind;
    uint32_t inode;
};

struct live_name {
    char name[SIM_NAME_BYTES];
    uint32_t inode;
};

static struct {
    pthread_mutex_t mutex; /* hints are written by a thread of their own */
    const struct rk_io_ops *below;
    struct sim_trace *trace;
    void (*observe)(void *context);
    void *context;
    bool full;
    bool frozen;
    struct open_fd fds[FDS_MAX];
    struct live_name names[SIM_FILES_MAX];
    size_t n_names;
} recorder = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static struct live_name *find_name(const char *name)
{
    for (size_t i = 0; i < recorder.n_names; i++)
        if (strcmp(recorder.names[i].name, name) == 0)
            return &recorder.names[i];
    return NULL;
}

static void set_name(const char *name, uint32_t inode)
{
    struct live_name *live = find_name(name);

    if (live == NULL) {
        ck_assert_uint_lt(recorder.n_names, SIM_FILES_MAX);
        ck_assert_uint_lt(strlen(name), SIM_NAME_BYTES);
        live = &recorder.names[recorder.n_names++];
        strcpy(live->name, name);
    }
    live->inode = inode;
}

static void remove_name(const char *name)
{
    struct live_name *live = find_name(name);

    ck_assert_ptr_nonnull(live);
    *live = recorder.names[--recorder.n_names];
}

/* Begins the record of an operation: what was promised is what had been promised before it. */
static struct sim_op *begin_op(enum sim_op_kind kind, uint32_t inode)
{
    struct sim_trace *trace = recorder.trace;
    struct sim_op *op;

    if (recorder.observe != NULL)
        recorder.observe(recorder.context);
    if (trace->n_ops == trace->max_ops) {
        trace->max_ops = trace->max_ops == 0 ? 256 : trace->max_ops * 2;
        trace->ops = realloc(trace->ops, trace->max_ops * sizeof *trace->ops);
    }
    op = &trace->ops[trace->n_ops++];
    *op = (struct sim_op){ .kind = kind, .inode = inode, .promise = trace->promise };
    return op;
}

/* Those of sim_memory begin at a high number, and come from one table: the two kinds are not mixed. */
static struct open_fd *file_of(int fd)
{
    int at = fd >= SIM_MEMORY_FIRST_FD ? fd - SIM_MEMORY_FIRST_FD : fd;

    ck_assert(at >= 0 && at < FDS_MAX);
    return &recorder.fds[at];
}

/* Whether the process is dead; then errno is set. */
static bool is_frozen(void)
{
    if (recorder.frozen)
        errno = EIO;
    return recorder.frozen;
}

static bool is_full(void)
{
    if (recorder.full)
        errno = ENOSPC;
    return recorder.full;
}

static struct open_fd open_file(const char *name, int flags)
{
    struct live_name *live = find_name(name);

    if (live == NULL) {
        struct sim_op *op = begin_op(SIM_CREATE, recorder.trace->n_inodes++);

        strcpy(op->name, name);
        set_name(name, op->inode);
        return (struct open_fd){ .kind = FD_FILE, .inode = op->inode };
    }
    if ((flags & O_TRUNC) != 0)
        (void)begin_op(SIM_TRUNCATE, live->inode);
    return (struct open_fd){ .kind = FD_FILE, .inode = live->inode };
}

static int record_open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    struct open_fd open_fd = { .kind = FD_OTHER };
    int fd;

    if ((flags & (O_CREAT | O_TRUNC)) != 0 && is_frozen())
        return -1;
    if ((flags & (O_EXCL | O_TRUNC)) != 0 && is_full())
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    fd = recorder.below->open_at(dir_fd, name, flags, mode);
    if (fd >= 0) {
        if (dir_fd == AT_FDCWD || strcmp(name, ".") == 0)
            open_fd.kind = FD_ROOT;
        else if (strcmp(name, "..") == 0)
            open_fd.kind = FD_PARENT;
        else
            open_fd = open_file(name, flags);
        *file_of(fd) = open_fd;
    }
    pthread_mutex_unlock(&recorder.mutex);
    return fd;
}

static int record_close(int fd)
{
    file_of(fd)->kind = FD_OTHER;
    return recorder.below->close(fd);
}

static void record_write(uint32_t inode, const struct iovec *iov, int n_iov, off_t offset)
{
    struct sim_op *op = begin_op(SIM_WRITE, inode);

    op->offset = (uint64_t)offset;
    for (int i = 0; i < n_iov; i++)
        op->size += iov[i].iov_len;
    op->bytes = malloc(op->size);
    for (size_t i = 0, at = 0; i < (size_t)n_iov; at += iov[i++].iov_len)
        memcpy(op->bytes + at, iov[i].iov_base, iov[i].iov_len);
}

static ssize_t record_pwritev(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    ssize_t n;

    if (is_frozen() || is_full())
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    if (file_of(fd)->kind == FD_FILE)
        record_write(file_of(fd)->inode, iov, n_iov, offset);
    n = recorder.below->pwritev(fd, iov, n_iov, offset);
    pthread_mutex_unlock(&recorder.mutex);
    return n;
}

static int record_sync(int fd)
{
    const struct open_fd *open_fd = file_of(fd);

    if (is_frozen())
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    if (open_fd->kind == FD_ROOT)
        (void)begin_op(SIM_SYNC_NAMES, 0);
    else if (open_fd->kind == FD_PARENT)
        (void)begin_op(SIM_SYNC_ROOT, 0);
    else if (open_fd->kind == FD_FILE)
        (void)begin_op(SIM_SYNC, open_fd->inode);
    pthread_mutex_unlock(&recorder.mutex);
    return 0; /* the files are in memory */
}

static int record_ftruncate(int fd, off_t size)
{
    int result;

    if (is_frozen())
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    if (file_of(fd)->kind == FD_FILE)
        begin_op(SIM_TRUNCATE, file_of(fd)->inode)->size = (uint64_t)size;
    result = recorder.below->ftruncate(fd, size);
    pthread_mutex_unlock(&recorder.mutex);
    return result;
}

static int record_fallocate(int fd, int mode, off_t offset, off_t size)
{
    int result;

    bool punches = (mode & FALLOC_FL_PUNCH_HOLE) != 0;

    if (is_frozen() || (!punches && is_full()))
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    if (file_of(fd)->kind == FD_FILE) {
        struct sim_op *op = begin_op(punches ? SIM_PUNCH : SIM_ALLOCATE, file_of(fd)->inode);

        op->offset = (uint64_t)offset;
        op->size = (uint64_t)size;
    }
    result = recorder.below->fallocate(fd, mode, offset, size);
    ck_assert_int_eq(result, 0);
    pthread_mutex_unlock(&recorder.mutex);
    return result;
}

static int record_nothing(int fd)
{
    return 0;
}

static int record_fadvise(int fd, off_t offset, off_t size, int advice)
{
    return 0;
}

static int record_rename_at(int dir_fd, const char *from, const char *to)
{
    int result;

    if (is_frozen())
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    result = recorder.below->rename_at(dir_fd, from, to);
    if (result == 0) {
        uint32_t inode = find_name(from)->inode;
        struct sim_op *op = begin_op(SIM_RENAME, inode);

        strcpy(op->name, from);
        strcpy(op->to, to);
        remove_name(from);
        set_name(to, inode);
    }
    pthread_mutex_unlock(&recorder.mutex);
    return result;
}

static int record_unlink_at(int dir_fd, const char *name)
{
    int result;

    if (is_frozen())
        return -1;
    pthread_mutex_lock(&recorder.mutex);
    result = recorder.below->unlink_at(dir_fd, name);
    if (result == 0) {
        strcpy(begin_op(SIM_UNLINK, 0)->name, name);
        remove_name(name);
    }
    pthread_mutex_unlock(&recorder.mutex);
    return result;
}

static int record_mkdir_at(int dir_fd, const char *name, mode_t mode)
{
    int result;

    if (is_frozen())
        return -1;
    result = recorder.below->mkdir_at(dir_fd, name, mode);
    if (result == 0)
        (void)begin_op(SIM_MAKE_ROOT, 0);
    return result;
}

static int no_sync(int fd)
{
    return 0;
}

static struct rk_io_ops record_ops;

/* The table that is used when nothing is recorded. */
static const struct rk_io_ops *calm_table(void)
{
    static struct rk_io_ops ops;

    if (sim_memory_is_used())
        return &sim_memory_ops;
    ops = rk_io_kernel_ops;
    ops.fdatasync = no_sync;
    ops.fsync = no_sync;
    ops.fadvise = record_fadvise;
    return &ops;
}

void sim_record_begin(struct sim_trace *trace, const struct sim_image *base, void (*observe)(void *context),
                      void *context)
{
    *trace = (struct sim_trace){ .n_inodes = base != NULL ? (uint32_t)base->n_files : 0 };
    recorder.trace = trace;
    recorder.observe = observe;
    recorder.context = context;
    recorder.frozen = false;
    recorder.n_names = 0;
    for (uint32_t i = 0; base != NULL && i < base->n_files; i++)
        set_name(base->files[i].name, i);
    recorder.below = calm_table();
    record_ops = *recorder.below;
    record_ops.open_at = record_open_at;
    record_ops.close = record_close;
    record_ops.pwritev = record_pwritev;
    record_ops.fdatasync = record_sync;
    record_ops.fsync = record_sync;
    record_ops.ftruncate = record_ftruncate;
    record_ops.fallocate = record_fallocate;
    record_ops.syncfs = record_nothing;
    record_ops.write_in_place = record_nothing;
    record_ops.fadvise = record_fadvise;
    record_ops.rename_at = record_rename_at;
    record_ops.unlink_at = record_unlink_at;
    record_ops.mkdir_at = record_mkdir_at;
    rk_io = &record_ops;
}

void sim_record_freeze(void)
{
    recorder.frozen = true;
}

void sim_record_fill(bool is_full_now)
{
    recorder.full = is_full_now;
}

void sim_record_thaw(void)
{
    recorder.frozen = false;
}

void sim_record_end(void)
{
    rk_io = calm_table();
}

void sim_trace_free(struct sim_trace *trace)
{
    for (size_t i = 0; i < trace->n_ops; i++)
        free(trace->ops[i].bytes);
    free(trace->ops);
    *trace = (struct sim_trace){ 0 };
}

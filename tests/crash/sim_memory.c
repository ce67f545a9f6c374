#include "sim_memory.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

/* libcheck's own assertions write to a file each time, whether they hold or not. */
#define MUST(condition)                                               \
    do {                                                              \
        if (!(condition))                                             \
            ck_abort_msg("sim_memory: %s does not hold", #condition); \
    } while (0)

#define FDS_MAX    64
#define INODES_MAX (SIM_FILES_MAX + FDS_MAX) /* some are open without a name */

enum fd_kind {
    FD_CLOSED,
    FD_ROOT,
    FD_PARENT,
    FD_FILE,
};

struct inode {
    bool is_lent; /* bytes.at is the image's */
    struct sim_bytes bytes;
    struct sim_bytes own; /* memory, kept for the next file of this number */
    bool has_name;
    bool is_locked;
    unsigned n_fds;
};

struct open_fd {
    enum fd_kind kind;
    uint32_t inode;
    bool is_listed; /* FD_ROOT */
    bool is_locking;
};

struct name {
    char name[SIM_NAME_BYTES];
    uint32_t inode;
};

static struct {
    bool is_used;
    pthread_mutex_t mutex; /* hints are written by a thread of their own */
    bool has_root;
    struct name names[SIM_FILES_MAX];
    size_t n_names;
    struct inode inodes[INODES_MAX];
    struct open_fd fds[FDS_MAX];
    size_t n_open;
    bool root_is_locked;
    bool copies_on_write;
} memory = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void lock(void)
{
    pthread_mutex_lock(&memory.mutex);
}

/* The result of a call, with errno. */
static int leave(int result, int errnum)
{
    pthread_mutex_unlock(&memory.mutex);
    if (result < 0)
        errno = errnum;
    return result;
}

static struct open_fd *fd_of(int fd)
{
    MUST(fd >= SIM_MEMORY_FIRST_FD && fd < SIM_MEMORY_FIRST_FD + FDS_MAX);
    MUST(memory.fds[fd - SIM_MEMORY_FIRST_FD].kind != FD_CLOSED);
    return &memory.fds[fd - SIM_MEMORY_FIRST_FD];
}

static struct inode *file_of(int fd)
{
    MUST(fd_of(fd)->kind == FD_FILE);
    return &memory.inodes[fd_of(fd)->inode];
}

static struct name *find_name(const char *name)
{
    for (size_t i = 0; i < memory.n_names; i++)
        if (memory.names[i].name[0] == name[0] && strcmp(memory.names[i].name, name) == 0)
            return &memory.names[i];
    return NULL;
}

/* The end of a name, and of the file, unless it is open. */
static void forget_name(struct name *name)
{
    memory.inodes[name->inode].has_name = false;
    *name = memory.names[--memory.n_names];
}

static struct name *create_file(const char *name)
{
    struct name *created = &memory.names[memory.n_names++];
    uint32_t at = 0;

    MUST(memory.n_names <= SIM_FILES_MAX);
    MUST(strlen(name) < SIM_NAME_BYTES);
    while (at < INODES_MAX && (memory.inodes[at].has_name || memory.inodes[at].n_fds > 0))
        at++;
    MUST(at < INODES_MAX);
    memory.inodes[at].has_name = true;
    memory.inodes[at].is_lent = false;
    memory.inodes[at].bytes = (struct sim_bytes){ 0 };
    strcpy(created->name, name);
    created->inode = at;
    return created;
}

/* Before its first change a file gets bytes of its own, `size` at least have room. */
static void make_own(struct inode *inode, size_t room)
{
    struct sim_bytes *own = &inode->own;

    if (room < inode->bytes.size)
        room = inode->bytes.size;
    if (own->capacity < room) {
        own->capacity = room + room / 2 + 64;
        own->at = realloc(own->at, own->capacity);
    }
    if (inode->is_lent && inode->bytes.size > 0)
        memcpy(own->at, inode->bytes.at, inode->bytes.size);
    inode->is_lent = false;
    inode->bytes.at = own->at;
}

static void resize(struct inode *inode, size_t size)
{
    if (size < inode->bytes.size)
        inode->bytes.size = size;
    make_own(inode, size);
    if (size > inode->bytes.size)
        memset(inode->bytes.at + inode->bytes.size, 0, size - inode->bytes.size);
    inode->bytes.size = size;
}

/* A descriptor, or -1 with errnum. */
static int open_file(const char *name, int flags, struct open_fd *open_fd, int *errnum)
{
    struct name *found = find_name(name);

    *errnum = found == NULL ? ENOENT : EEXIST;
    if (found == NULL ? (flags & O_CREAT) == 0 : (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        return -1;
    if (found == NULL)
        found = create_file(name);
    else if ((flags & O_TRUNC) != 0)
        resize(&memory.inodes[found->inode], 0);
    *open_fd = (struct open_fd){ .kind = FD_FILE, .inode = found->inode };
    memory.inodes[found->inode].n_fds++;
    return 0;
}

static int memory_open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    struct open_fd *open_fd = memory.fds;
    int errnum = ENOENT;
    int result = 0;

    lock();
    while (open_fd < memory.fds + FDS_MAX && open_fd->kind != FD_CLOSED)
        open_fd++;
    MUST(open_fd < memory.fds + FDS_MAX);
    if (dir_fd != AT_FDCWD)
        MUST(fd_of(dir_fd)->kind == FD_ROOT);
    if (!memory.has_root)
        result = -1;
    else if (dir_fd == AT_FDCWD || strcmp(name, ".") == 0)
        *open_fd = (struct open_fd){ .kind = FD_ROOT };
    else if (strcmp(name, "..") == 0)
        *open_fd = (struct open_fd){ .kind = FD_PARENT };
    else
        result = open_file(name, flags, open_fd, &errnum);
    memory.n_open += result == 0;
    return leave(result == 0 ? SIM_MEMORY_FIRST_FD + (int)(open_fd - memory.fds) : -1, errnum);
}

/* A lock is on what is open, not on a name. */
static bool *lock_of(const struct open_fd *open_fd)
{
    MUST(open_fd->kind == FD_ROOT || open_fd->kind == FD_FILE);
    return open_fd->kind == FD_ROOT ? &memory.root_is_locked : &memory.inodes[open_fd->inode].is_locked;
}

static int memory_close(int fd)
{
    struct open_fd *open_fd;

    lock();
    open_fd = fd_of(fd);
    if (open_fd->is_locking)
        *lock_of(open_fd) = false;
    if (open_fd->kind == FD_FILE)
        memory.inodes[open_fd->inode].n_fds--;
    *open_fd = (struct open_fd){ .kind = FD_CLOSED };
    memory.n_open--;
    return leave(0, 0);
}

static ssize_t memory_preadv2(int fd, const struct iovec *iov, int n_iov, off_t offset, int flags)
{
    const struct sim_bytes *bytes;
    size_t at = (size_t)offset;
    size_t n = 0;

    lock();
    bytes = &file_of(fd)->bytes;
    for (int i = 0; i < n_iov && at < bytes->size; i++) {
        size_t size = iov[i].iov_len < bytes->size - at ? iov[i].iov_len : bytes->size - at;

        if (size > 0)
            memcpy(iov[i].iov_base, bytes->at + at, size);
        at += size;
        n += size;
    }
    (void)leave(0, 0);
    return (ssize_t)n;
}

static ssize_t memory_pread(int fd, void *bytes, size_t size, off_t offset)
{
    return memory_preadv2(fd, &(struct iovec){ .iov_base = bytes, .iov_len = size }, 1, offset, 0);
}

static ssize_t memory_pwritev(int fd, const struct iovec *iov, int n_iov, off_t offset)
{
    struct inode *inode;
    size_t at = (size_t)offset;

    lock();
    inode = file_of(fd);
    for (int i = 0; i < n_iov; i++) {
        size_t end = at + iov[i].iov_len;

        if (end > inode->bytes.size)
            resize(inode, end);
        else
            make_own(inode, 0);
        if (end > at)
            memcpy(inode->bytes.at + at, iov[i].iov_base, iov[i].iov_len);
        at = end;
    }
    (void)leave(0, 0);
    return (ssize_t)(at - (size_t)offset);
}

static int memory_ftruncate(int fd, off_t size)
{
    lock();
    resize(file_of(fd), (size_t)size);
    return leave(0, 0);
}

static int memory_fallocate(int fd, int mode, off_t offset, off_t size)
{
    struct inode *inode;

    MUST(mode == 0 || mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE));
    lock();
    inode = file_of(fd);
    if (mode != 0) {
        make_own(inode, 0);
        memset(inode->bytes.at + offset, 0, (size_t)size);
    } else if ((size_t)(offset + size) > inode->bytes.size)
        resize(inode, (size_t)(offset + size));
    return leave(0, 0);
}

/* So small that small files have holes, too. */
#define BLOCK_BYTES 64

static int memory_fstat(int fd, struct stat *status)
{
    lock();
    *status = (struct stat){ .st_mode = S_IFREG | 0600, .st_blksize = BLOCK_BYTES };
    if (fd_of(fd)->kind == FD_FILE)
        status->st_size = (off_t)file_of(fd)->bytes.size;
    status->st_blocks = (status->st_size + 511) / 512;
    return leave(0, 0);
}

static int memory_nothing(int fd)
{
    return 0;
}

static int memory_copies_on_write(int fd)
{
    return memory.copies_on_write;
}

static int memory_sync(int fd)
{
    return 0;
}

static int memory_sync_range(int fd, off_t offset, off_t size, unsigned flags)
{
    return 0;
}

static int memory_fadvise(int fd, off_t offset, off_t size, int advice)
{
    return 0;
}

/* There is room enough. */
static int memory_fstatvfs(int fd, struct statvfs *status)
{
    *status = (struct statvfs){ .f_frsize = 4096, .f_blocks = 1 << 24, .f_bavail = 1 << 24 };
    return 0;
}

static int memory_link_at(int dir_fd, const char *from, const char *to)
{
    ck_abort_msg("sim_memory: a file has one name");
}

static int memory_rename_at(int dir_fd, const char *from, const char *to)
{
    struct name *replaced;

    lock();
    if (find_name(from) == NULL)
        return leave(-1, ENOENT);
    MUST(strcmp(from, to) != 0);
    replaced = find_name(to);
    if (replaced != NULL)
        forget_name(replaced);
    strcpy(find_name(from)->name, to);
    return leave(0, 0);
}

static int memory_unlink_at(int dir_fd, const char *name)
{
    struct name *found;

    lock();
    found = find_name(name);
    if (found == NULL)
        return leave(-1, ENOENT);
    forget_name(found);
    return leave(0, 0);
}

static int memory_mkdir_at(int dir_fd, const char *name, mode_t mode)
{
    int result;

    lock();
    result = memory.has_root ? -1 : 0;
    memory.has_root = true;
    return leave(result, EEXIST);
}

/* All names in the first call. */
static ssize_t memory_getdents(int dir_fd, void *bytes, size_t size)
{
    size_t at = 0;

    lock();
    MUST(fd_of(dir_fd)->kind == FD_ROOT);
    for (size_t i = 0; i < memory.n_names && !fd_of(dir_fd)->is_listed; i++) {
        struct dirent64 *entry = (void *)((uint8_t *)bytes + at);
        size_t used = offsetof(struct dirent64, d_name) + strlen(memory.names[i].name) + 1;

        entry->d_reclen = (unsigned short)((used + 7) / 8 * 8);
        at += entry->d_reclen;
        MUST(at <= size);
        entry->d_type = DT_REG;
        strcpy(entry->d_name, memory.names[i].name);
    }
    fd_of(dir_fd)->is_listed = true;
    return leave((int)at, 0);
}

static int memory_flock(int fd, int operation)
{
    struct open_fd *open_fd;

    MUST(operation == (LOCK_EX | LOCK_NB));
    lock();
    open_fd = fd_of(fd);
    if (*lock_of(open_fd) && !open_fd->is_locking)
        return leave(-1, EWOULDBLOCK);
    *lock_of(open_fd) = open_fd->is_locking = true;
    return leave(0, 0);
}

const struct rk_io_ops sim_memory_ops = {
    .open_at = memory_open_at,
    .close = memory_close,
    .pread = memory_pread,
    .preadv2 = memory_preadv2,
    .pwritev = memory_pwritev,
    .fdatasync = memory_sync,
    .fsync = memory_sync,
    .ftruncate = memory_ftruncate,
    .fallocate = memory_fallocate,
    .syncfs = memory_nothing,
    .write_in_place = memory_nothing,
    .copies_on_write = memory_copies_on_write,
    .sync_range = memory_sync_range,
    .fadvise = memory_fadvise,
    .fstat = memory_fstat,
    .fstatvfs = memory_fstatvfs,
    .rename_at = memory_rename_at,
    .link_at = memory_link_at,
    .unlink_at = memory_unlink_at,
    .mkdir_at = memory_mkdir_at,
    .getdents = memory_getdents,
    .flock = memory_flock,
};

void sim_memory_begin(void)
{
    memory.is_used = true;
    memory.copies_on_write = false;
    rk_io = &sim_memory_ops;
}

void sim_memory_copy_on_write(bool copies)
{
    memory.copies_on_write = copies;
}

void sim_memory_end(void)
{
    sim_memory_put(&(struct sim_image){ .has_root = false });
    for (size_t i = 0; i < INODES_MAX; i++) {
        free(memory.inodes[i].own.at);
        memory.inodes[i].own = (struct sim_bytes){ 0 };
    }
    memory.is_used = false;
    rk_io = &rk_io_kernel_ops;
}

bool sim_memory_is_used(void)
{
    return memory.is_used;
}

void sim_memory_put(const struct sim_image *image)
{
    MUST(memory.n_open == 0);
    while (memory.n_names > 0)
        forget_name(&memory.names[0]);
    memory.has_root = image->has_root;
    for (size_t i = 0; image->has_root && i < image->n_files; i++) {
        struct inode *inode = &memory.inodes[create_file(image->files[i].name)->inode];

        inode->is_lent = true;
        inode->bytes = image->files[i].bytes;
    }
}

void sim_memory_get(struct sim_image *image)
{
    image->has_root = memory.has_root;
    image->n_files = 0;
    for (size_t i = 0; i < memory.n_names; i++)
        sim_image_add(image, memory.names[i].name, &memory.inodes[memory.names[i].inode].bytes);
}

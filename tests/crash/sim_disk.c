#include "sim_disk.h"

#include "base/base_crc.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES   4096u
#define SECTOR_BYTES 512u
#define INODES_MAX   4096u
#define LOOSE_MAX    4096u

struct inode {
    struct sim_bytes durable;
    const struct sim_op **loose; /* since the last sync */
    size_t n_loose;
    size_t max_loose;
};

struct name {
    char name[SIM_NAME_BYTES];
    uint32_t inode;
};

struct names {
    struct name at[SIM_FILES_MAX];
    size_t n;
};

struct sim_disk {
    bool root_is_made;
    bool root_is_durable;
    struct names names; /* durable */
    const struct sim_op *loose_names[LOOSE_MAX];
    size_t n_loose_names;
    size_t n_inodes;
    struct inode *inodes;
};

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

const char *sim_kind_name(enum sim_kind kind)
{
    static const char *const names[SIM_N_KINDS] = { "dropped", "kept",    "prefix",   "pages", "sectors",
                                                    "zeros",   "garbage", "extended", "mixed" };

    return names[kind];
}

const char *sim_names_name(enum sim_names names)
{
    static const char *const texts[SIM_N_NAMES] = { "dropped", "kept", "prefix", "any" };

    return texts[names];
}

static void resize(struct sim_bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        bytes->capacity = size + size / 2;
        bytes->at = realloc(bytes->at, bytes->capacity);
    }
    if (size > bytes->size)
        memset(bytes->at + bytes->size, 0, size - bytes->size);
    bytes->size = size;
}

static void grow(struct sim_bytes *bytes, size_t size)
{
    if (size > bytes->size)
        resize(bytes, size);
}

static void write_bytes(struct sim_bytes *bytes, const uint8_t *from, size_t size, size_t offset)
{
    grow(bytes, offset + size);
    if (size > 0)
        memcpy(bytes->at + offset, from, size);
}

static void apply_to_bytes(struct sim_bytes *bytes, const struct sim_op *op)
{
    if (op->kind == SIM_WRITE)
        write_bytes(bytes, op->bytes, op->size, op->offset);
    else if (op->kind == SIM_TRUNCATE)
        resize(bytes, op->size);
    else
        grow(bytes, op->offset + op->size);
}

static struct name *find_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i].name, name) == 0)
            return &names->at[i];
    return NULL;
}

static void set_name(struct names *names, const char *name, uint32_t inode)
{
    struct name *found = find_name(names, name);

    if (found == NULL) {
        ck_assert_uint_lt(names->n, SIM_FILES_MAX);
        found = &names->at[names->n++];
        strcpy(found->name, name);
    }
    found->inode = inode;
}

static void remove_name(struct names *names, const char *name)
{
    struct name *found = find_name(names, name);

    if (found != NULL)
        *found = names->at[--names->n];
}

static void apply_to_names(struct names *names, const struct sim_op *op)
{
    if (op->kind == SIM_CREATE)
        set_name(names, op->name, op->inode);
    if (op->kind == SIM_UNLINK || op->kind == SIM_RENAME)
        remove_name(names, op->name);
    if (op->kind == SIM_RENAME)
        set_name(names, op->to, op->inode);
}

struct sim_disk *sim_disk_create(const struct sim_trace *trace, const struct sim_image *base)
{
    struct sim_disk *disk = calloc(1, sizeof *disk);

    disk->n_inodes = trace->n_inodes;
    disk->inodes = calloc(disk->n_inodes + 1, sizeof *disk->inodes);
    disk->root_is_made = disk->root_is_durable = base != NULL && base->has_root;
    for (uint32_t i = 0; base != NULL && i < base->n_files; i++) {
        set_name(&disk->names, base->files[i].name, i);
        write_bytes(&disk->inodes[i].durable, base->files[i].bytes.at, base->files[i].bytes.size, 0);
    }
    return disk;
}

void sim_disk_destroy(struct sim_disk **disk)
{
    for (size_t i = 0; i < (*disk)->n_inodes; i++) {
        free((*disk)->inodes[i].durable.at);
        free((*disk)->inodes[i].loose);
    }
    free((*disk)->inodes);
    free(*disk);
    *disk = NULL;
}

static void keep_loose(struct inode *inode, const struct sim_op *op)
{
    if (inode->n_loose == inode->max_loose) {
        inode->max_loose = inode->max_loose * 2 + 16;
        inode->loose = realloc(inode->loose, inode->max_loose * sizeof *inode->loose);
    }
    inode->loose[inode->n_loose++] = op;
}

static void sync_inode(struct inode *inode)
{
    for (size_t i = 0; i < inode->n_loose; i++)
        apply_to_bytes(&inode->durable, inode->loose[i]);
    inode->n_loose = 0;
}

static void sync_names(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->n_loose_names; i++)
        apply_to_names(&disk->names, disk->loose_names[i]);
    disk->n_loose_names = 0;
}

void sim_disk_apply(struct sim_disk *disk, const struct sim_op *op)
{
    switch (op->kind) {
    case SIM_WRITE:
    case SIM_TRUNCATE:
    case SIM_ALLOCATE:
        keep_loose(&disk->inodes[op->inode], op);
        break;
    case SIM_SYNC:
        sync_inode(&disk->inodes[op->inode]);
        break;
    case SIM_CREATE:
    case SIM_RENAME:
    case SIM_UNLINK:
        ck_assert_uint_lt(disk->n_loose_names, LOOSE_MAX);
        disk->loose_names[disk->n_loose_names++] = op;
        break;
    case SIM_SYNC_NAMES:
        sync_names(disk);
        break;
    case SIM_MAKE_ROOT:
        disk->root_is_made = true;
        break;
    case SIM_SYNC_ROOT:
        disk->root_is_durable = true;
        break;
    }
}

bool sim_disk_has_loose_bytes(const struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->n_inodes; i++)
        if (disk->inodes[i].n_loose > 0)
            return true;
    return false;
}

bool sim_disk_has_loose_names(const struct sim_disk *disk)
{
    return disk->n_loose_names > 0 || disk->root_is_made != disk->root_is_durable;
}

/* Some pieces of a write, cut at the multiples of piece_bytes in the file. */
static void write_some_pieces(struct sim_bytes *bytes, const struct sim_op *op, size_t piece_bytes, uint64_t *state)
{
    size_t next;

    for (size_t done = 0; done < op->size; done = next) {
        next = (op->offset + done + piece_bytes) / piece_bytes * piece_bytes - op->offset;
        next = next < op->size ? next : op->size;
        if (sim_random(state) % 2 == 0)
            write_bytes(bytes, op->bytes + done, next - done, op->offset + done);
    }
}

/* Sizes come in the order in which they were asked for, up to some point. */
static void image_in_pieces(struct sim_bytes *bytes, const struct inode *inode, size_t piece_bytes, uint64_t *state)
{
    size_t n_sizes = sim_random(state) % (inode->n_loose + 1);

    for (size_t i = 0; i < inode->n_loose; i++) {
        if (inode->loose[i]->kind == SIM_WRITE)
            write_some_pieces(bytes, inode->loose[i], piece_bytes, state);
        else if (i < n_sizes)
            apply_to_bytes(bytes, inode->loose[i]);
    }
}

static void image_prefix(struct sim_bytes *bytes, const struct inode *inode, uint64_t *state)
{
    size_t n = sim_random(state) % inode->n_loose;
    struct sim_op last = *inode->loose[n];

    for (size_t i = 0; i < n; i++)
        apply_to_bytes(bytes, inode->loose[i]);
    if (last.kind == SIM_WRITE && last.size > 0) {
        last.size = sim_random(state) % last.size;
        apply_to_bytes(bytes, &last);
    }
}

/* The sizes of all operations; of the writes, `fill` says what is in them. */
static void image_filled(struct sim_bytes *bytes, const struct inode *inode, enum sim_kind kind, uint64_t *state)
{
    for (size_t i = 0; i < inode->n_loose; i++) {
        const struct sim_op *op = inode->loose[i];

        if (op->kind != SIM_WRITE) {
            apply_to_bytes(bytes, op);
            continue;
        }
        grow(bytes, op->offset + op->size);
        for (size_t at = 0; kind != SIM_EXTENDED && at < op->size; at++)
            bytes->at[op->offset + at] = kind == SIM_GARBAGE ? (uint8_t)sim_random(state) : 0;
    }
    if (kind == SIM_EXTENDED)
        resize(bytes, (bytes->size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
}

static void image_inode(struct sim_bytes *bytes, const struct inode *inode, enum sim_kind kind, uint64_t *state)
{
    bytes->size = 0;
    write_bytes(bytes, inode->durable.at, inode->durable.size, 0);
    if (inode->n_loose == 0)
        return;
    if (kind == SIM_MIXED)
        kind = (enum sim_kind)(sim_random(state) % SIM_MIXED);
    if (kind == SIM_KEPT)
        for (size_t i = 0; i < inode->n_loose; i++)
            apply_to_bytes(bytes, inode->loose[i]);
    else if (kind == SIM_PREFIX)
        image_prefix(bytes, inode, state);
    else if (kind == SIM_PAGES || kind == SIM_SECTORS)
        image_in_pieces(bytes, inode, kind == SIM_PAGES ? PAGE_BYTES : SECTOR_BYTES, state);
    else if (kind != SIM_DROPPED)
        image_filled(bytes, inode, kind, state);
}

static void image_names(const struct sim_disk *disk, enum sim_names kind, uint64_t *state, struct names *names)
{
    size_t n = disk->n_loose_names;

    *names = disk->names;
    if (kind == SIM_NAMES_DROPPED)
        n = 0;
    else if (kind == SIM_NAMES_PREFIX)
        n = sim_random(state) % (n + 1);
    for (size_t i = 0; i < n; i++)
        if (kind != SIM_NAMES_ANY || sim_random(state) % 2 == 0)
            apply_to_names(names, disk->loose_names[i]);
}

void sim_disk_image(const struct sim_disk *disk, enum sim_kind kind, enum sim_names names_kind, uint64_t seed,
                    struct sim_image *image)
{
    uint64_t state = seed;
    struct names names;

    image->has_root = disk->root_is_durable || (disk->root_is_made && names_kind == SIM_NAMES_KEPT);
    image->n_files = 0;
    if (!image->has_root)
        return;
    image_names(disk, names_kind, &state, &names);
    for (size_t i = 0; i < names.n; i++) {
        struct sim_file *file = &image->files[image->n_files++];

        strcpy(file->name, names.at[i].name);
        image_inode(&file->bytes, &disk->inodes[names.at[i].inode], kind, &state);
    }
}

uint64_t sim_image_hash(const struct sim_image *image)
{
    uint64_t hash = image->has_root;

    for (size_t i = 0; i < image->n_files; i++) {
        const struct sim_file *file = &image->files[i];
        uint64_t state = rk_crc32c(0, file->bytes.at, file->bytes.size);

        state = state << 32 | rk_crc32c((uint32_t)file->bytes.size, file->name, strlen(file->name));
        hash += sim_random(&state); /* the order of names does not matter */
    }
    return hash;
}

static void clear_root(const char *root)
{
    DIR *dir = opendir(root);
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            ck_assert_int_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    ck_assert_int_eq(rmdir(root), 0);
}

void sim_image_write(const struct sim_image *image, const char *root)
{
    int dir_fd;

    clear_root(root);
    if (!image->has_root)
        return;
    ck_assert_int_eq(mkdir(root, 0700), 0);
    dir_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < image->n_files; i++) {
        const struct sim_file *file = &image->files[i];
        int fd = openat(dir_fd, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0
            || (file->bytes.size > 0 && write(fd, file->bytes.at, file->bytes.size) != (ssize_t)file->bytes.size))
            ck_abort_msg("%s/%s cannot be written", root, file->name);
        close(fd);
    }
    close(dir_fd);
}

static void read_file(struct sim_file *file, int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    struct stat status;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_lt(strlen(name), SIM_NAME_BYTES);
    strcpy(file->name, name);
    resize(&file->bytes, (size_t)status.st_size);
    ck_assert(status.st_size == 0 || read(fd, file->bytes.at, file->bytes.size) == status.st_size);
    close(fd);
}

void sim_image_read(struct sim_image *image, const char *root)
{
    DIR *dir = opendir(root);
    struct dirent *entry;

    image->has_root = dir != NULL;
    image->n_files = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') {
            ck_assert_uint_lt(image->n_files, SIM_FILES_MAX);
            read_file(&image->files[image->n_files++], dirfd(dir), entry->d_name);
        }
    if (dir != NULL)
        closedir(dir);
}

void sim_image_free(struct sim_image *image)
{
    for (size_t i = 0; i < SIM_FILES_MAX; i++)
        free(image->files[i].bytes.at);
    *image = (struct sim_image){ 0 };
}

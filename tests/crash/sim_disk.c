#include "sim_disk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

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

static void grow(struct sim_bytes *bytes, size_t size)
{
    if (size > bytes->size)
        sim_bytes_resize(bytes, size);
}

static void write_bytes(struct sim_bytes *bytes, const uint8_t *from, size_t size, size_t offset)
{
    grow(bytes, offset + size);
    if (size > 0)
        memcpy(bytes->at + offset, from, size);
}

static void punch_bytes(struct sim_bytes *bytes, size_t size, size_t offset)
{
    if (offset < bytes->size)
        memset(bytes->at + offset, 0, size < bytes->size - offset ? size : bytes->size - offset);
}

static void apply_to_bytes(struct sim_bytes *bytes, const struct sim_op *op)
{
    if (op->kind == SIM_WRITE)
        write_bytes(bytes, op->bytes, op->size, op->offset);
    else if (op->kind == SIM_TRUNCATE)
        sim_bytes_resize(bytes, op->size);
    else if (op->kind == SIM_PUNCH)
        punch_bytes(bytes, op->size, op->offset);
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
    case SIM_PUNCH:
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

/* A sector that is there is written over as a whole, or not at all. */
static bool is_in_one_sector(const struct sim_bytes *bytes, const struct sim_op *op)
{
    return op->kind == SIM_WRITE && op->size > 0 && op->offset + op->size <= bytes->size
           && op->offset / SECTOR_BYTES == (op->offset + op->size - 1) / SECTOR_BYTES;
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
        bool punches = inode->loose[i]->kind == SIM_PUNCH;

        if (punches && sim_random(state) % 2 == 0)
            apply_to_bytes(bytes, inode->loose[i]);
        else if (inode->loose[i]->kind == SIM_WRITE)
            write_some_pieces(bytes, inode->loose[i], piece_bytes, state);
        else if (!punches && i < n_sizes)
            apply_to_bytes(bytes, inode->loose[i]);
    }
}

static void image_prefix(struct sim_bytes *bytes, const struct inode *inode, uint64_t *state)
{
    size_t n = sim_random(state) % inode->n_loose;
    struct sim_op last = *inode->loose[n];

    for (size_t i = 0; i < n; i++)
        apply_to_bytes(bytes, inode->loose[i]);
    if (last.kind == SIM_WRITE && last.size > 0 && !is_in_one_sector(bytes, &last)) {
        last.size = sim_random(state) % last.size;
        apply_to_bytes(bytes, &last);
    }
}

/* The sizes of all operations; of the writes, `fill` says what is in them. */
static void image_filled(struct sim_bytes *bytes, const struct inode *inode, enum sim_kind kind, uint64_t *state)
{
    for (size_t i = 0; i < inode->n_loose; i++) {
        const struct sim_op *op = inode->loose[i];

        if (op->kind != SIM_WRITE || is_in_one_sector(bytes, op)) {
            if (op->kind == SIM_ALLOCATE || op->kind == SIM_TRUNCATE || sim_random(state) % 2 == 0)
                apply_to_bytes(bytes, op);
            continue;
        }
        grow(bytes, op->offset + op->size);
        for (size_t at = 0; kind != SIM_EXTENDED && at < op->size; at++)
            bytes->at[op->offset + at] = kind == SIM_GARBAGE ? (uint8_t)sim_random(state) : 0;
    }
    if (kind == SIM_EXTENDED && bytes->size > inode->durable.size)
        sim_bytes_resize(bytes, (bytes->size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
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

#include "disk/disk_keys.h"

#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "disk/disk_hint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES 8192u
#define KEY_BYTES    256u /* that a cursor begins with */
#define FILE_SHIFT   40   /* of the file number in a location (disk_location.h) */

struct rk_disk_keys {
    int fd;
    struct rk_disk_hint_header header;
    uint8_t *buffer;
    size_t capacity;
    uint64_t begin; /* of the buffer, in the keys */
    size_t filled;
    uint64_t after; /* where the block behind this one begins */
    struct rk_disk_keys_block block;
    uint8_t *key; /* of the entry that was read last */
    size_t key_len;
    size_t key_capacity;
    bool has_key;               /* there is one, and what follows is above it */
    bool is_pending;            /* it was read by seek, and next returns it */
    struct rk_disk_key pending; /* is_pending: but for the key's bytes */
};

/* The bytes [at, at + size) of the keys, which are there; they stay until the next call. */
static enum rk_err get_bytes(struct rk_disk_keys *keys, uint64_t at, size_t size, const uint8_t **bytes_out)
{
    if (at < keys->begin || at + size > keys->begin + keys->filled) {
        uint64_t rest = keys->header.keys_bytes - at;
        size_t wanted;
        ssize_t n;

        if (size > keys->capacity) {
            keys->capacity = size;
            keys->buffer = rk_mem_resize(keys->buffer, size, 1);
        }
        wanted = rest < keys->capacity ? (size_t)rest : keys->capacity;
        keys->filled = 0;
        n = rk_io_pread_full(keys->fd, keys->buffer, wanted, (off_t)(keys->header.keys_offset + at));
        if (n != (ssize_t)wanted) {
            errno = n < 0 ? errno : EIO;
            return RK_ERR_IO;
        }
        keys->begin = at;
        keys->filled = wanted;
    }
    *bytes_out = keys->buffer + (at - keys->begin);
    return RK_OK;
}

static enum rk_err open_block(struct rk_disk_keys *keys, uint64_t at)
{
    uint64_t rest = at < keys->header.keys_bytes ? keys->header.keys_bytes - at : 0;
    const uint8_t *bytes;
    enum rk_err err;
    size_t size;

    if (rest < RK_DISK_KEYS_HEAD_BYTES)
        return RK_ERR_CORRUPT;
    err = get_bytes(keys, at, RK_DISK_KEYS_HEAD_BYTES, &bytes);
    if (err != RK_OK)
        return err;
    size = rk_disk_keys_block_size(bytes);
    if (size == 0 || size > rest)
        return RK_ERR_CORRUPT;
    err = get_bytes(keys, at, size, &bytes);
    if (err == RK_OK)
        err = rk_disk_keys_block_open(&keys->block, bytes, size);
    keys->after = at + size;
    return err;
}

/* Makes the entry's key of the one before it. */
static enum rk_err take_key(struct rk_disk_keys *keys, const struct rk_disk_keys_entry *entry)
{
    size_t n_shared = entry->n_shared;

    if (n_shared > keys->key_len)
        return RK_ERR_CORRUPT;
    if (keys->has_key
        && rk_disk_keys_compare(keys->key + n_shared, keys->key_len - n_shared, entry->rest, entry->n_rest) >= 0)
        return RK_ERR_CORRUPT;
    if (n_shared + entry->n_rest > keys->key_capacity) {
        keys->key_capacity = 2 * (n_shared + entry->n_rest);
        keys->key = rk_mem_resize(keys->key, keys->key_capacity, 1);
    }
    memcpy(keys->key + n_shared, entry->rest, entry->n_rest);
    keys->key_len = n_shared + entry->n_rest;
    keys->has_key = true;
    return RK_OK;
}

static enum rk_err next_entry(struct rk_disk_keys *keys, struct rk_disk_keys_entry *entry)
{
    enum rk_err err = rk_disk_keys_block_next(&keys->block, entry);

    return err == RK_OK ? take_key(keys, entry) : err;
}

/* The first entry of the next block of level 0: what it shares is with nothing, but it is above the key before it. */
static enum rk_err next_block(struct rk_disk_keys *keys, struct rk_disk_keys_entry *entry)
{
    enum rk_err err;

    do {
        if (keys->after == keys->header.keys_bytes) {
            keys->block = (struct rk_disk_keys_block){ .n_left = 0 }; /* the root may be open: it has no records */
            return RK_ERR_NOT_FOUND;
        }
        err = open_block(keys, keys->after);
        if (err != RK_OK)
            return err;
    } while (keys->block.level > 0);
    err = rk_disk_keys_block_next(&keys->block, entry);
    if (err != RK_OK || entry->n_shared != 0)
        return RK_ERR_CORRUPT;
    return take_key(keys, entry);
}

static enum rk_err next_record(struct rk_disk_keys *keys, struct rk_disk_keys_entry *entry)
{
    enum rk_err err = next_entry(keys, entry);

    return err == RK_ERR_NOT_FOUND ? next_block(keys, entry) : err;
}

static void forget_key(struct rk_disk_keys *keys)
{
    keys->has_key = false;
    keys->key_len = 0;
    keys->is_pending = false;
}

/* Where the last child begins whose keys may be so low. */
static enum rk_err find_child(struct rk_disk_keys *keys, const void *key, size_t key_len, uint64_t *child_out)
{
    struct rk_disk_keys_entry entry = { 0 };
    bool is_first = true;
    enum rk_err err;

    forget_key(keys);
    while ((err = next_entry(keys, &entry)) == RK_OK) {
        if (!is_first && rk_disk_keys_compare(keys->key, keys->key_len, key, key_len) > 0)
            return RK_OK;
        *child_out = entry.child;
        is_first = false;
    }
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* From the root down to the block of level 0 in which the key would be. Each level is one lower: so it ends. */
static enum rk_err descend(struct rk_disk_keys *keys, const void *key, size_t key_len)
{
    enum rk_err err = open_block(keys, keys->header.keys_root);
    uint64_t child = 0;

    while (err == RK_OK && keys->block.level > 0) {
        unsigned level = keys->block.level;

        err = find_child(keys, key, key_len, &child);
        if (err == RK_OK)
            err = open_block(keys, child);
        if (err == RK_OK && keys->block.level != level - 1)
            err = RK_ERR_CORRUPT;
    }
    forget_key(keys);
    return err;
}

enum rk_err rk_disk_keys_seek(struct rk_disk_keys *keys, const void *key, size_t key_len)
{
    struct rk_disk_keys_entry entry = { 0 };
    enum rk_err err;

    if (keys->header.keys_bytes == 0)
        return RK_OK;
    err = descend(keys, key, key_len);
    while (err == RK_OK) {
        err = next_record(keys, &entry);
        if (err != RK_OK || rk_disk_keys_compare(keys->key, keys->key_len, key, key_len) >= 0)
            break;
    }
    keys->is_pending = err == RK_OK;
    keys->pending = entry.key;
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

enum rk_err rk_disk_keys_next(struct rk_disk_keys *keys, struct rk_disk_key *key_out)
{
    struct rk_disk_keys_entry entry;

    if (keys->is_pending) {
        entry.key = keys->pending;
        keys->is_pending = false;
    } else {
        enum rk_err err = next_record(keys, &entry);

        if (err != RK_OK)
            return err;
    }
    *key_out = entry.key;
    key_out->location |= (uint64_t)keys->header.file_number << FILE_SHIFT;
    key_out->key = keys->key;
    key_out->key_len = (uint16_t)keys->key_len;
    return RK_OK;
}

uint64_t rk_disk_keys_count(const struct rk_disk_keys *keys)
{
    return keys->header.n_keys;
}

static enum rk_err read_header(struct rk_disk_keys *keys, uint32_t file_number, const uint8_t uuid[RK_DISK_UUID_BYTES],
                               const struct rk_disk_file_summary *summary)
{
    uint8_t bytes[RK_DISK_HINT_HEADER_BYTES];
    struct stat status;
    ssize_t n;

    if (rk_io->fstat(keys->fd, &status) != 0)
        return RK_ERR_IO;
    n = rk_io_pread_full(keys->fd, bytes, sizeof bytes, 0);
    if (n < 0)
        return RK_ERR_IO;
    if (n != (ssize_t)sizeof bytes || rk_disk_hint_header_decode(bytes, &keys->header) != RK_OK
        || !rk_disk_hint_header_fits(&keys->header, (uint64_t)status.st_size, file_number, uuid, summary))
        return RK_ERR_CORRUPT;
    return keys->header.has_sorted_keys ? RK_OK : RK_ERR_NOT_FOUND;
}

enum rk_err rk_disk_keys_open(struct rk_disk_keys **keys_out, int dir_fd, uint32_t file_number,
                              const uint8_t uuid[RK_DISK_UUID_BYTES], const struct rk_disk_file_summary *summary)
{
    struct rk_disk_keys *keys = rk_mem_calloc(1, sizeof *keys);
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    rk_disk_hint_name(name, file_number);
    keys->fd = rk_open_file(dir_fd, name, O_RDONLY, 0);
    err = keys->fd >= 0 ? read_header(keys, file_number, uuid, summary) : rk_err_from_errno(errno);
    if (err != RK_OK) {
        rk_disk_keys_close(&keys);
        return err;
    }
    keys->capacity = BUFFER_BYTES;
    keys->buffer = rk_mem_calloc(1, keys->capacity);
    keys->key_capacity = KEY_BYTES;
    keys->key = rk_mem_calloc(1, keys->key_capacity);
    *keys_out = keys;
    return RK_OK;
}

void rk_disk_keys_close(struct rk_disk_keys **keys)
{
    if (*keys == NULL)
        return;
    if ((*keys)->fd >= 0)
        (void)rk_io->close((*keys)->fd); /* nothing was written through it */
    free((*keys)->buffer);
    free((*keys)->key);
    free(*keys);
    *keys = NULL;
}

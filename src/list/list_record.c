#include "list/list_record.h"

#include "base/base_io.h"
#include "base/base_open.h"
#include "base/base_time.h"
#include "disk/disk_file.h"
#include "disk/disk_location.h"
#include "grace/grace.h"
#include "keydir/keydir.h"
#include "stats/stats_counter.h"

#include <errno.h>
#include <fcntl.h>

/* Every record without block CRCs is shorter. */
#define WHOLE_BYTES_MAX (RK_RECORD_HEADER_BYTES + 8u + RK_RECORD_KEY_MAX + RK_RECORD_METADATA_MAX + 66u * 1024u)

/* Somebody else writes the key each time that it is looked at. */
#define TRIES_MAX 1000u

void rk_list_record_init(struct rk_list_record *record, const struct rk_list_where *where)
{
    *record = (struct rk_list_record){ .where = where, .large_fd = -1 };
}

void rk_list_record_close_files(struct rk_list_record *record)
{
    for (size_t i = 0; i < RK_LIST_RECORD_FILES; i++) {
        if (record->files[i].number != 0)
            (void)rk_io->close(record->files[i].fd); /* only read: nothing to lose */
        record->files[i].number = 0;
    }
}

static void close_large(struct rk_list_record *record)
{
    if (record->large_fd >= 0)
        (void)rk_io->close(record->large_fd); /* only read */
    record->large_fd = -1;
}

void rk_list_record_fini(struct rk_list_record *record)
{
    rk_list_record_close_files(record);
    close_large(record);
    rk_list_buffer_fini(&record->bytes);
    rk_list_buffer_fini(&record->block);
}

/* ---- from the key to the bytes ---- */

/* The file of this number, which a location of this read section names. */
static enum rk_err open_file_rcu(struct rk_list_record *record, uint32_t number, int *fd_out)
{
    size_t at = number % RK_LIST_RECORD_FILES;
    char name[RK_DISK_FILE_NAME_BYTES];
    int fd;

    if (record->files[at].number == number) {
        *fd_out = record->files[at].fd;
        return RK_OK;
    }
    rk_disk_file_name(name, number);
    fd = rk_open_file(record->where->dir_fd, name, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT ? RK_ERR_IO : rk_err_from_errno(errno);
    if (record->files[at].number != 0)
        (void)rk_io->close(record->files[at].fd); /* only read */
    record->files[at].number = number;
    record->files[at].fd = fd;
    *fd_out = fd;
    return RK_OK;
}

/* Where the key is now, and the file, which stays there for us when it is open. RK_ERR_NOT_FOUND: nowhere. */
static enum rk_err look_up(struct rk_list_record *record, struct rk_fingerprint fingerprint, int *fd_out)
{
    enum rk_err err = RK_ERR_NOT_FOUND;

    rk_grace_read_lock();
    record->location = rk_keydir_lookup_rcu(record->where->keydir, fingerprint);
    if (record->location != 0)
        err = open_file_rcu(record, rk_disk_location_decode(record->location).file_number, fd_out);
    rk_grace_read_unlock();
    return err;
}

static bool is_still_there(const struct rk_list_record *record, struct rk_fingerprint fingerprint)
{
    uint64_t location;

    rk_grace_read_lock();
    location = rk_keydir_lookup_rcu(record->where->keydir, fingerprint);
    rk_grace_read_unlock();
    return location == record->location;
}

/* Bytes [0, size) of the record. RK_ERR_CORRUPT: the file ends before. */
static enum rk_err read_bytes(struct rk_list_record *record, int fd, size_t size)
{
    uint64_t at = rk_disk_location_decode(record->location).offset_bytes;
    ssize_t n;

    record->bytes.len = 0;
    n = rk_io_pread_full(fd, rk_list_buffer_reserve(&record->bytes, size), size, (off_t)at);
    if (n < 0)
        return RK_ERR_IO;
    record->bytes.len = (size_t)n;
    return n == (ssize_t)size ? RK_OK : RK_ERR_CORRUPT;
}

/* A record with block CRCs: what stands before its value. */
static enum rk_err read_head(struct rk_list_record *record, int fd)
{
    enum rk_err err = read_bytes(record, fd, RK_RECORD_HEADER_BYTES);

    if (err == RK_OK)
        err = rk_record_decode_header(record->bytes.bytes, &record->where->secret, &record->header);
    if (err == RK_OK
        && (record->header.type == RK_RECORD_HOLE || rk_record_n_blocks(&record->header) == 0
            || rk_record_size_of(&record->header) != rk_disk_location_decode(record->location).size_bytes))
        err = RK_ERR_CORRUPT;
    if (err == RK_OK)
        err = read_bytes(record, fd, rk_record_value_offset(&record->header));
    if (err == RK_OK)
        err = rk_record_check_body(&record->header, record->bytes.bytes, false);
    return err;
}

static enum rk_err read_whole(struct rk_list_record *record, int fd)
{
    struct rk_record_view view;
    enum rk_err err = read_bytes(record, fd, rk_disk_location_decode(record->location).size_bytes);

    if (err == RK_OK)
        err = rk_record_decode(record->bytes.bytes, record->bytes.len, &record->where->secret, &view);
    if (err == RK_OK)
        record->header = view.header;
    return err == RK_ERR_TORN ? RK_ERR_CORRUPT : err;
}

static enum rk_err read_record(struct rk_list_record *record, int fd)
{
    return rk_disk_location_decode(record->location).size_bytes <= WHOLE_BYTES_MAX ? read_whole(record, fd)
                                                                                   : read_head(record, fd);
}

/* ---- from the bytes to the item ---- */

static bool is_of(const struct rk_list_record *record, struct rk_list_span key)
{
    return record->header.type == RK_RECORD_PUT && record->header.key_len == key.len
           && memcmp(record->bytes.bytes + rk_record_key_offset(&record->header), key.at, key.len) == 0;
}

static void take_value(struct rk_list_record *record, int fd, struct rk_list_item *item)
{
    const uint8_t *bytes = record->bytes.bytes;

    item->metadata.at = bytes + rk_record_key_offset(&record->header) + record->header.key_len;
    item->metadata.len = record->header.metadata_len;
    item->value = (struct rk_list_span){ bytes + rk_record_value_offset(&record->header), record->header.value_len };
    close_large(record);
    if (rk_record_n_blocks(&record->header) == 0)
        return;
    item->value.at = NULL;
    record->large_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* -1: the first piece says so */
    record->n_blocks_read = 0;
}

static enum rk_err take_item(struct rk_list_record *record, int fd, struct rk_list_span key, struct rk_list_item *item)
{
    uint64_t expiry_ms;

    if (!is_of(record, key))
        return RK_ERR_NOT_FOUND; /* another key with this fingerprint */
    expiry_ms = rk_record_expiry_ms(&record->header, record->bytes.bytes);
    if (expiry_ms != 0 && expiry_ms <= rk_time_wall_ms())
        return RK_ERR_NOT_FOUND;
    item->sequence = record->header.sequence;
    item->expiry_ms = expiry_ms;
    item->value_len = record->header.value_len;
    take_value(record, fd, item);
    return RK_OK;
}

enum rk_err rk_list_record_find(struct rk_list_record *record, struct rk_list_span key, struct rk_list_item *item)
{
    struct rk_fingerprint fingerprint = rk_keydir_fingerprint(key.at, key.len, record->where->hash_key);
    int fd = -1;

    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        enum rk_err err = look_up(record, fingerprint, &fd);

        if (err != RK_OK)
            return err;
        rk_counter_add(&record->where->stats->list_reads, 1);
        err = read_record(record, fd);
        if (err == RK_OK)
            err = take_item(record, fd, key, item);
        /* What is not what the keydir named was perhaps what it names no more: a hole is made over such records. */
        if (err == RK_OK || is_still_there(record, fingerprint))
            return err;
    }
    return RK_ERR_AGAIN;
}

/* ---- large values ---- */

enum rk_err rk_list_record_piece(struct rk_list_record *record, struct rk_list_span *bytes_out)
{
    size_t begin = record->n_blocks_read * RK_RECORD_BLOCK_BYTES;
    uint64_t at = rk_disk_location_decode(record->location).offset_bytes + rk_record_value_offset(&record->header);
    size_t size = record->header.value_len - begin;

    if (record->n_blocks_read == rk_record_n_blocks(&record->header)) {
        close_large(record);
        return RK_ERR_NOT_FOUND;
    }
    if (size > RK_RECORD_BLOCK_BYTES)
        size = RK_RECORD_BLOCK_BYTES;
    record->block.len = 0;
    if (record->large_fd < 0
        || rk_io_pread_full(record->large_fd, rk_list_buffer_reserve(&record->block, size), size, (off_t)(at + begin))
               != (ssize_t)size)
        return RK_ERR_IO;
    record->block.len = size;
    *bytes_out = (struct rk_list_span){ record->block.bytes, size };
    return rk_record_check_block(&record->header, record->bytes.bytes, record->n_blocks_read++, record->block.bytes);
}

#include "merge/merge_source.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "disk/disk_file.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "log/log_merged.h"
#include "log/log_store.h"
#include "space/space_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define PAGE_BYTES   4096u
#define WINDOW_BYTES ((512u << 10) + PAGE_BYTES)

/* All of a record before its value: header, expiry, block CRCs, key, metadata. */
#define PREFIX_BYTES_MAX                                                                              \
    (RK_RECORD_HEADER_BYTES + 8 + RK_RECORD_VALUE_MAX / RK_RECORD_BLOCK_BYTES * 4 + RK_RECORD_KEY_MAX \
     + RK_RECORD_METADATA_MAX)

_Static_assert(PREFIX_BYTES_MAX + RK_RECORD_BLOCK_BYTES + PAGE_BYTES <= WINDOW_BYTES, "a record without blocks fits");

struct rk_merge_source {
    const struct rk_disk_identity *identity;
    int dir_fd;
    uint32_t file_number;
    struct rk_disk_hint *hint; /* one of these two; in doubt until its end */
    struct rk_disk_scan *scan;
    uint64_t read_bytes;
    uint64_t at_bytes; /* of the record that was read */
    uint8_t *prefix;   /* of a record with block CRCs */

    int fd;
    uint64_t file_bytes;
    uint64_t begin; /* of the window */
    size_t filled;
    bool is_cold;
    uint8_t *window;
};

static enum rk_err open_scan(struct rk_merge_source *source, struct rk_detail *detail)
{
    return rk_disk_scan_open(&source->scan, source->dir_fd, source->file_number, source->identity, detail);
}

static enum rk_err open_entries(struct rk_merge_source *source, const struct rk_disk_file_summary *summary,
                                struct rk_detail *detail)
{
    if (rk_disk_hint_open_in_doubt(&source->hint, source->dir_fd, source->file_number, source->identity->uuid, summary)
        == RK_OK)
        return RK_OK;
    return open_scan(source, detail);
}

enum rk_err rk_merge_source_open(struct rk_merge_source **source_out, int dir_fd,
                                 const struct rk_disk_identity *identity, uint32_t file_number,
                                 const struct rk_disk_file_summary *summary, struct rk_detail *detail)
{
    struct rk_merge_source *source = rk_mem_calloc(1, sizeof *source);
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err = RK_OK;

    source->identity = identity;
    source->dir_fd = dir_fd;
    source->file_number = file_number;
    source->file_bytes = summary->file_bytes;
    rk_disk_file_name(name, file_number);
    source->fd = rk_open_file(dir_fd, name, O_RDONLY, 0);
    if (source->fd < 0) {
        rk_detail_set(detail, "%s: cannot be opened: %s", name, rk_open_text(errno));
        err = RK_ERR_IO;
    }
    if (err == RK_OK)
        err = open_entries(source, summary, detail);
    if (err != RK_OK) {
        rk_merge_source_close(&source);
        return err;
    }
    source->window = rk_mem_aligned(PAGE_BYTES, WINDOW_BYTES);
    *source_out = source;
    return RK_OK;
}

/* Nobody but the merge had asked for what is before `end`. */
static void drop_cold(struct rk_merge_source *source, uint64_t end)
{
    if (source->is_cold && end > source->begin) /* advice: where there is no cache there is nothing to drop */
        (void)rk_io->fadvise(source->fd, (off_t)source->begin, (off_t)(end - source->begin), POSIX_FADV_DONTNEED);
}

void rk_merge_source_close(struct rk_merge_source **source)
{
    struct rk_merge_source *self = *source;

    if (self == NULL)
        return;
    if (self->fd >= 0) {
        drop_cold(self, self->begin + self->filled);
        (void)rk_io->close(self->fd); /* nothing was written through it */
    }
    rk_disk_hint_close(&self->hint);
    rk_disk_scan_close(&self->scan);
    free(self->window);
    free(self->prefix);
    free(self);
    *source = NULL;
}

/* The hint is wrong, or cannot be read: the entries begin anew. */
static enum rk_err begin_anew(struct rk_merge_source *source, struct rk_detail *detail)
{
    enum rk_err err;

    rk_disk_hint_close(&source->hint);
    err = open_scan(source, detail);
    if (err == RK_ERR_MISMATCH)
        return RK_ERR_CORRUPT; /* the header of another file, which has the trailer of this one */
    return err == RK_OK ? RK_ERR_MISMATCH : err;
}

static enum rk_err end_of_scan(struct rk_merge_source *source, struct rk_detail *detail)
{
    const struct rk_disk_scan_end *end = rk_disk_scan_end(source->scan);

    if (end->kind == RK_DISK_SCAN_SEALED)
        return RK_ERR_NOT_FOUND;
    rk_detail_set(detail, "data file %u: damaged at byte %llu: %s", source->file_number,
                  (unsigned long long)end->end_bytes, end->what);
    return RK_ERR_CORRUPT;
}

static enum rk_err next_of_scan(struct rk_merge_source *source, struct rk_disk_hint_entry *entry_out,
                                struct rk_detail *detail)
{
    struct rk_disk_scan_item item;
    enum rk_err err = rk_disk_scan_next(source->scan, &item, detail);

    if (err == RK_ERR_NOT_FOUND)
        return end_of_scan(source, detail);
    if (err != RK_OK)
        return err;
    source->read_bytes += rk_record_size_of(&item.header);
    *entry_out = rk_space_entry_of(&item, source->identity->hash_key);
    return RK_OK;
}

enum rk_err rk_merge_source_next(struct rk_merge_source *source, struct rk_disk_hint_entry *entries_out, size_t n_max,
                                 size_t *n_out, struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    *n_out = 0;
    if (source->hint != NULL) {
        err = rk_disk_hint_next_some(source->hint, entries_out, n_max, n_out);
        return err == RK_OK || err == RK_ERR_NOT_FOUND ? err : begin_anew(source, detail);
    }
    while (*n_out < n_max && (err = next_of_scan(source, &entries_out[*n_out], detail)) == RK_OK)
        ++*n_out;
    return err == RK_ERR_NOT_FOUND && *n_out > 0 ? RK_OK : err; /* the next call says it again */
}

/* Fills the window from its begin, as far as the page cache has it; bytes. It ends at the first call that is not whole:
 * the kernel may have begun to read ahead by it, and what the next one found nobody else would have asked for. */
static size_t read_cached(const struct rk_merge_source *source, size_t wanted)
{
    size_t done = 0;
    struct iovec iov;
    ssize_t n;

    do {
        size_t rest = wanted - done;

        iov = (struct iovec){ .iov_base = source->window + done,
                              .iov_len = rest < RK_IO_CALL_BYTES ? rest : RK_IO_CALL_BYTES };
        n = rk_io->preadv2(source->fd, &iov, 1, (off_t)(source->begin + done), RWF_NOWAIT);
        done += n > 0 ? (size_t)n : 0;
    } while (n == (ssize_t)iov.iov_len && done < wanted);
    return done;
}

static enum rk_err move_window(struct rk_merge_source *source, uint64_t at, struct rk_detail *detail)
{
    uint64_t begin = at / PAGE_BYTES * PAGE_BYTES;
    uint64_t rest = source->file_bytes - begin;
    size_t wanted = rest < WINDOW_BYTES ? (size_t)rest : WINDOW_BYTES;
    ssize_t n;

    drop_cold(source, begin < source->begin + source->filled ? begin : source->begin + source->filled);
    source->filled = 0;
    source->begin = begin;
    n = (ssize_t)read_cached(source, wanted);
    source->is_cold = n != (ssize_t)wanted;
    if (source->is_cold)
        n = rk_io_pread_in_calls(source->fd, source->window, wanted, (off_t)begin);
    if (n != (ssize_t)wanted) {
        rk_detail_set(detail, "data file %u: cannot be read at byte %llu: %s", source->file_number,
                      (unsigned long long)begin, n < 0 ? strerror(errno) : "it ends there");
        return RK_ERR_IO;
    }
    source->filled = wanted;
    source->read_bytes += wanted;
    return RK_OK;
}

/* The bytes [at, at + size) of the file, which stay until the next call. */
static enum rk_err get_bytes(struct rk_merge_source *source, uint64_t at, size_t size, const uint8_t **bytes_out,
                             struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    if (at < source->begin || at + size > source->begin + source->filled)
        err = at + size <= source->file_bytes ? move_window(source, at, detail) : RK_ERR_CORRUPT;
    if (err == RK_OK)
        *bytes_out = source->window + (at - source->begin);
    return err;
}

static enum rk_err report_damage(const struct rk_merge_source *source, uint64_t at, struct rk_detail *detail)
{
    rk_detail_set(detail, "data file %u: the record at byte %llu is damaged", source->file_number,
                  (unsigned long long)at);
    return RK_ERR_CORRUPT;
}

/* Where the record of an entry is, there is something else: the hint is wrong, or the file is damaged, which a scan
 * tells. */
static enum rk_err doubt_entry(struct rk_merge_source *source, struct rk_detail *detail)
{
    return source->hint != NULL ? begin_anew(source, detail) : report_damage(source, source->at_bytes, detail);
}

/* The header at the location, which must be that of the entry. */
static enum rk_err read_header(struct rk_merge_source *source, const struct rk_disk_hint_entry *entry,
                               struct rk_record_header *header, struct rk_detail *detail)
{
    struct rk_location location = rk_disk_location_decode(entry->location);
    enum rk_record_type type = rk_disk_hint_is_tombstone(entry) ? RK_RECORD_TOMBSTONE : RK_RECORD_PUT;
    const uint8_t *bytes;
    enum rk_err err = get_bytes(source, location.offset_bytes, RK_RECORD_HEADER_BYTES, &bytes, detail);

    source->at_bytes = location.offset_bytes;
    if (err == RK_ERR_IO)
        return err;
    if (err != RK_OK || rk_record_decode_header(bytes, &source->identity->secret, header) != RK_OK
        || header->type != type || header->sequence != entry->sequence
        || rk_record_size_of(header) != location.size_bytes)
        return doubt_entry(source, detail);
    return RK_OK;
}

/* Whether expiry and fingerprint of the entry match the record. Of a value that is copied the keydir has said so: it
 * names this very location. Of tombstones and of what has expired it says "absent", which proves nothing, since any
 * wrong fingerprint is absent. */
static bool fits_record(const struct rk_merge_source *source, const struct rk_disk_hint_entry *entry,
                        const struct rk_record_header *header, const uint8_t *bytes)
{
    struct rk_fingerprint fingerprint;

    if (entry->expiry_s != rk_disk_expiry_s(header->type, rk_record_expiry_ms(header, bytes)))
        return false;
    if (entry->expiry_s == RK_DISK_EXPIRY_NONE)
        return true;
    fingerprint =
        rk_keydir_fingerprint(bytes + rk_record_key_offset(header), header->key_len, source->identity->hash_key);
    return fingerprint.high == entry->fingerprint_high && fingerprint.low == entry->fingerprint_low;
}

enum rk_err rk_merge_source_read(struct rk_merge_source *source, const struct rk_disk_hint_entry *entry,
                                 struct rk_merge_record *record_out, struct rk_detail *detail)
{
    struct rk_record_header header;
    bool has_blocks;
    size_t size;
    const uint8_t *bytes = NULL;
    enum rk_err err = read_header(source, entry, &header, detail);

    if (err != RK_OK)
        return err;
    has_blocks = rk_record_n_blocks(&header) > 0;
    size = has_blocks ? rk_record_value_offset(&header) : (size_t)rk_record_size_of(&header);
    err = get_bytes(source, source->at_bytes, size, &bytes, detail);
    if (err == RK_ERR_IO)
        return err;
    if (err != RK_OK || rk_record_check_body(&header, bytes, false) != RK_OK
        || !fits_record(source, entry, &header, bytes))
        return doubt_entry(source, detail);
    if (has_blocks) { /* its value will pass through the window */
        if (source->prefix == NULL)
            source->prefix = rk_mem_calloc(1, PREFIX_BYTES_MAX);
        bytes = memcpy(source->prefix, bytes, size);
    }
    *record_out = (struct rk_merge_record){
        .header = header,
        .expiry_ms = rk_record_expiry_ms(&header, bytes),
        .key = bytes + rk_record_key_offset(&header),
        .bytes = bytes,
        .is_cold = source->is_cold,
    };
    return RK_OK;
}

/* Appends the value block by block, each checked, and the padding. */
static enum rk_err copy_blocks(struct rk_merge_source *source, const struct rk_merge_record *record,
                               struct rk_log_merged *merged, struct rk_detail *detail)
{
    static const uint8_t zeros[PAGE_BYTES];
    const struct rk_record_header *header = &record->header;
    uint64_t at = source->at_bytes + rk_record_value_offset(header);
    uint64_t end = source->at_bytes + rk_record_size_of(header);
    uint64_t rest = header->value_len;
    enum rk_err err = RK_OK;

    for (size_t block = 0; err == RK_OK && block < rk_record_n_blocks(header); block++) {
        size_t size = rest < RK_RECORD_BLOCK_BYTES ? (size_t)rest : RK_RECORD_BLOCK_BYTES;
        const uint8_t *bytes = NULL;

        err = get_bytes(source, at, size, &bytes, detail);
        if (err == RK_OK && rk_record_check_block(header, record->bytes, block, bytes) != RK_OK)
            err = report_damage(source, at, detail);
        if (err == RK_OK)
            err = rk_log_merged_append(merged, bytes, size, source->is_cold, detail);
        at += size;
        rest -= size;
    }
    while (err == RK_OK && at < end) {
        size_t size = end - at < sizeof zeros ? (size_t)(end - at) : sizeof zeros;

        err = rk_log_merged_append(merged, zeros, size, source->is_cold, detail);
        at += size;
    }
    return err;
}

enum rk_err rk_merge_source_copy(struct rk_merge_source *source, const struct rk_merge_record *record,
                                 struct rk_log_merged *merged, struct rk_detail *detail)
{
    bool has_blocks = rk_record_n_blocks(&record->header) > 0;
    size_t size = has_blocks ? rk_record_value_offset(&record->header) : (size_t)rk_record_size_of(&record->header);
    enum rk_err err = rk_log_merged_append(merged, record->bytes, size, record->is_cold, detail);

    return err == RK_OK && has_blocks ? copy_blocks(source, record, merged, detail) : err;
}

uint64_t rk_merge_source_read_bytes(const struct rk_merge_source *source)
{
    return source->read_bytes;
}

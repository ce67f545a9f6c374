#include "disk/disk_hint.h"

#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_location.h"
#include "disk/disk_window.h"

#include <rackkv/disk.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum hint_offset {
    AT_MAGIC = offsetof(struct rackkv_disk_hint, magic),
    AT_CRC = offsetof(struct rackkv_disk_hint, crc),
    AT_VERSION = offsetof(struct rackkv_disk_hint, format_version),
    AT_UUID = offsetof(struct rackkv_disk_hint, uuid),
    AT_FILE_NUMBER = offsetof(struct rackkv_disk_hint, file_number),
    AT_ENTRIES_CRC = offsetof(struct rackkv_disk_hint, entries_crc),
    AT_KEYS_CRC = offsetof(struct rackkv_disk_hint, keys_crc),
    AT_TRAILER_CRC = offsetof(struct rackkv_disk_hint, trailer_crc),
    AT_N_ENTRIES = offsetof(struct rackkv_disk_hint, n_entries),
    AT_DATA_BYTES = offsetof(struct rackkv_disk_hint, data_bytes),
    AT_KEYS_BYTES = offsetof(struct rackkv_disk_hint, keys_bytes),
    AT_KEYS_OFFSET = offsetof(struct rackkv_disk_hint, keys_offset),
    AT_KEYS_ROOT = offsetof(struct rackkv_disk_hint, keys_root),
    AT_N_KEYS = offsetof(struct rackkv_disk_hint, n_keys),
};

enum entry_offset {
    AT_HIGH = offsetof(struct rackkv_disk_hint_entry, fingerprint_high),
    AT_LOW = offsetof(struct rackkv_disk_hint_entry, fingerprint_low),
    AT_EXPIRY = offsetof(struct rackkv_disk_hint_entry, expiry_s),
    AT_LOCATION = offsetof(struct rackkv_disk_hint_entry, location),
    AT_SEQUENCE = offsetof(struct rackkv_disk_hint_entry, sequence),
};

#define PIECE_ENTRIES 256u

static const char magic[8] = RACKKV_DISK_HINT_MAGIC;
static const char older_magic[8] = RACKKV_DISK_HINT_OLDER_MAGIC;

struct rk_disk_hint {
    struct rk_disk_window window;
    struct rk_disk_hint_header header;
    struct rk_disk_file_trailer trailer; /* of the data file */
    uint64_t file_bytes;
    uint64_t next;    /* entry */
    bool is_in_doubt; /* then of the entries before `next`: */
    uint32_t crc;
    uint64_t end_bytes; /* of the last one's record */
};

static uint32_t header_crc(const uint8_t *bytes)
{
    static const uint8_t zeros[4];
    uint32_t crc = rk_crc32c(0, bytes, AT_CRC);

    crc = rk_crc32c(crc, zeros, sizeof zeros);
    return rk_crc32c(crc, bytes + AT_VERSION, RK_DISK_HINT_HEADER_BYTES - AT_VERSION);
}

void rk_disk_hint_header_encode(uint8_t bytes[RK_DISK_HINT_HEADER_BYTES], const struct rk_disk_hint_header *header)
{
    memset(bytes, 0, RK_DISK_HINT_HEADER_BYTES);
    memcpy(bytes + AT_MAGIC, header->has_sorted_keys ? magic : older_magic, sizeof magic);
    rk_bytes_store32(bytes + AT_VERSION, RK_DISK_FORMAT_VERSION);
    memcpy(bytes + AT_UUID, header->uuid, RK_DISK_UUID_BYTES);
    rk_bytes_store32(bytes + AT_FILE_NUMBER, header->file_number);
    rk_bytes_store32(bytes + AT_ENTRIES_CRC, header->entries_crc);
    rk_bytes_store32(bytes + AT_KEYS_CRC, header->keys_crc);
    rk_bytes_store32(bytes + AT_TRAILER_CRC, header->trailer_crc);
    rk_bytes_store64(bytes + AT_N_ENTRIES, header->n_entries);
    rk_bytes_store64(bytes + AT_DATA_BYTES, header->data_bytes);
    rk_bytes_store64(bytes + AT_KEYS_BYTES, header->keys_bytes);
    rk_bytes_store64(bytes + AT_KEYS_OFFSET, header->keys_offset);
    rk_bytes_store64(bytes + AT_KEYS_ROOT, header->keys_root);
    rk_bytes_store64(bytes + AT_N_KEYS, header->n_keys);
    rk_bytes_store32(bytes + AT_CRC, header_crc(bytes));
}

enum rk_err rk_disk_hint_header_decode(const uint8_t bytes[RK_DISK_HINT_HEADER_BYTES],
                                       struct rk_disk_hint_header *header_out)
{
    bool is_older = memcmp(bytes, older_magic, sizeof older_magic) == 0;

    if ((!is_older && memcmp(bytes, magic, sizeof magic) != 0) || rk_bytes_load32(bytes + AT_CRC) != header_crc(bytes)
        || rk_bytes_load32(bytes + AT_VERSION) != RK_DISK_FORMAT_VERSION)
        return RK_ERR_CORRUPT;
    memcpy(header_out->uuid, bytes + AT_UUID, RK_DISK_UUID_BYTES);
    header_out->file_number = rk_bytes_load32(bytes + AT_FILE_NUMBER);
    header_out->entries_crc = rk_bytes_load32(bytes + AT_ENTRIES_CRC);
    header_out->keys_crc = rk_bytes_load32(bytes + AT_KEYS_CRC);
    header_out->trailer_crc = rk_bytes_load32(bytes + AT_TRAILER_CRC);
    header_out->n_entries = rk_bytes_load64(bytes + AT_N_ENTRIES);
    header_out->data_bytes = rk_bytes_load64(bytes + AT_DATA_BYTES);
    header_out->keys_bytes = rk_bytes_load64(bytes + AT_KEYS_BYTES);
    header_out->keys_offset = rk_bytes_load64(bytes + AT_KEYS_OFFSET);
    header_out->keys_root = rk_bytes_load64(bytes + AT_KEYS_ROOT);
    header_out->n_keys = rk_bytes_load64(bytes + AT_N_KEYS);
    header_out->has_sorted_keys = !is_older;
    return RK_OK;
}

void rk_disk_hint_entry_encode(uint8_t bytes[RK_DISK_HINT_ENTRY_BYTES], const struct rk_disk_hint_entry *entry)
{
    rk_bytes_store64(bytes + AT_HIGH, entry->fingerprint_high);
    rk_bytes_store32(bytes + AT_LOW, entry->fingerprint_low);
    rk_bytes_store32(bytes + AT_EXPIRY, entry->expiry_s);
    rk_bytes_store64(bytes + AT_LOCATION, entry->location);
    rk_bytes_store64(bytes + AT_SEQUENCE, entry->sequence);
}

void rk_disk_hint_entry_decode(const uint8_t bytes[RK_DISK_HINT_ENTRY_BYTES], struct rk_disk_hint_entry *entry_out)
{
    entry_out->fingerprint_high = rk_bytes_load64(bytes + AT_HIGH);
    entry_out->fingerprint_low = rk_bytes_load32(bytes + AT_LOW);
    entry_out->expiry_s = rk_bytes_load32(bytes + AT_EXPIRY);
    entry_out->location = rk_bytes_load64(bytes + AT_LOCATION);
    entry_out->sequence = rk_bytes_load64(bytes + AT_SEQUENCE);
}

uint32_t rk_disk_expiry_s(enum rk_record_type type, uint64_t expiry_ms)
{
    uint64_t expiry_s = expiry_ms / 1000 + (expiry_ms % 1000 != 0);

    if (type == RK_RECORD_TOMBSTONE)
        return RK_DISK_EXPIRY_TOMBSTONE;
    if (expiry_ms == 0)
        return RK_DISK_EXPIRY_NONE;
    if (expiry_s <= RK_DISK_EXPIRY_TOMBSTONE) /* past in any case */
        return RK_DISK_EXPIRY_TOMBSTONE + 1;
    return expiry_s < RK_DISK_EXPIRY_FAR ? (uint32_t)expiry_s : RK_DISK_EXPIRY_FAR;
}

static uint64_t entry_at(uint64_t index)
{
    return RK_DISK_HINT_HEADER_BYTES + index * RK_DISK_HINT_ENTRY_BYTES;
}

bool rk_disk_hint_header_fits(const struct rk_disk_hint_header *header, uint64_t hint_bytes, uint32_t file_number,
                              const uint8_t uuid[RK_DISK_UUID_BYTES], const struct rk_disk_file_summary *summary)
{
    return summary->has_trailer && header->file_number == file_number
           && memcmp(header->uuid, uuid, RK_DISK_UUID_BYTES) == 0 && header->data_bytes == summary->file_bytes
           && header->trailer_crc == summary->trailer_crc && header->n_entries <= summary->trailer.n_records
           && header->n_entries <= RK_DISK_FILE_BYTES_MAX / RK_DISK_UNIT_BYTES
           && entry_at(header->n_entries) <= header->keys_offset && header->keys_offset <= hint_bytes
           && header->keys_bytes == hint_bytes - header->keys_offset;
}

/* Whether the next entry is about a record that such a data file can have, behind the one before it. */
static bool fits_file(struct rk_disk_hint *hint, const struct rk_disk_hint_entry *entry)
{
    const struct rk_disk_file_trailer *trailer = &hint->trailer;
    struct rk_location location = rk_disk_location_decode(entry->location);
    bool has_holes = hint->header.n_entries < trailer->n_records; /* disk_hole.h */
    bool is_next = has_holes ? location.offset_bytes >= hint->end_bytes : location.offset_bytes == hint->end_bytes;
    bool fits = location.file_number == hint->header.file_number && is_next && location.size_bytes > 0
                && location.offset_bytes + location.size_bytes <= trailer->size_bytes
                && entry->sequence >= trailer->first_sequence && entry->sequence <= trailer->last_sequence;

    hint->end_bytes = location.offset_bytes + location.size_bytes;
    return fits;
}

static enum rk_err check_header(struct rk_disk_hint *hint, uint32_t file_number, const uint8_t uuid[RK_DISK_UUID_BYTES],
                                const struct rk_disk_file_summary *summary)
{
    const uint8_t *bytes;

    if (hint->file_bytes < RK_DISK_HINT_HEADER_BYTES)
        return RK_ERR_CORRUPT;
    if (rk_disk_window_get(&hint->window, 0, RK_DISK_HINT_HEADER_BYTES, &bytes) != RK_OK)
        return RK_ERR_IO;
    if (rk_disk_hint_header_decode(bytes, &hint->header) != RK_OK
        || !rk_disk_hint_header_fits(&hint->header, hint->file_bytes, file_number, uuid, summary))
        return RK_ERR_CORRUPT;
    return RK_OK;
}

/* Before the first entry. */
static void rewind_entries(struct rk_disk_hint *hint)
{
    hint->next = 0;
    hint->crc = 0;
    hint->end_bytes = RK_DISK_FILE_FRAME_BYTES;
}

enum rk_err rk_disk_hint_open_in_doubt(struct rk_disk_hint **hint_out, int dir_fd, uint32_t file_number,
                                       const uint8_t uuid[RK_DISK_UUID_BYTES],
                                       const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint *hint = rk_mem_calloc(1, sizeof *hint);
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    hint->trailer = summary->trailer;
    hint->is_in_doubt = true;
    rewind_entries(hint);
    rk_disk_hint_name(name, file_number);
    err = rk_disk_window_open(&hint->window, dir_fd, name, &hint->file_bytes);
    if (err == RK_OK)
        err = check_header(hint, file_number, uuid, summary);
    if (err != RK_OK) {
        rk_disk_hint_close(&hint);
        return err;
    }
    *hint_out = hint;
    return RK_OK;
}

/* All of them, to the end. */
static enum rk_err check_entries(struct rk_disk_hint *hint)
{
    struct rk_disk_hint_entry entries[PIECE_ENTRIES];
    enum rk_err err;
    size_t n;

    do
        err = rk_disk_hint_next_some(hint, entries, PIECE_ENTRIES, &n);
    while (err == RK_OK);
    if (err != RK_ERR_NOT_FOUND)
        return err;
    rewind_entries(hint);
    hint->is_in_doubt = false;
    return RK_OK;
}

enum rk_err rk_disk_hint_open(struct rk_disk_hint **hint_out, int dir_fd, uint32_t file_number,
                              const uint8_t uuid[RK_DISK_UUID_BYTES], const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint *hint = NULL;
    enum rk_err err = rk_disk_hint_open_in_doubt(&hint, dir_fd, file_number, uuid, summary);

    if (err == RK_OK)
        err = check_entries(hint);
    if (err != RK_OK) {
        rk_disk_hint_close(&hint);
        return err;
    }
    *hint_out = hint;
    return RK_OK;
}

void rk_disk_hint_close(struct rk_disk_hint **hint)
{
    if (*hint == NULL)
        return;
    rk_disk_window_close(&(*hint)->window);
    free(*hint);
    *hint = NULL;
}

bool rk_disk_hint_has_sorted_keys(const struct rk_disk_hint *hint)
{
    return hint->header.has_sorted_keys;
}

/* The entries are the next n. */
static bool fit(struct rk_disk_hint *hint, const uint8_t *bytes, const struct rk_disk_hint_entry *entries, size_t n)
{
    bool all_fit = true;

    hint->crc = rk_crc32c(hint->crc, bytes, n * RK_DISK_HINT_ENTRY_BYTES);
    for (size_t i = 0; i < n; i++)
        all_fit = fits_file(hint, &entries[i]) && all_fit;
    return all_fit;
}

/* After the last entry: whether they are what was written. */
static enum rk_err end_of_entries(const struct rk_disk_hint *hint)
{
    if (hint->is_in_doubt && !RK_PLANTED(doubtful_hint_believed)
        && (hint->crc != hint->header.entries_crc || hint->end_bytes != hint->trailer.size_bytes))
        return RK_ERR_CORRUPT;
    return RK_ERR_NOT_FOUND;
}

enum rk_err rk_disk_hint_next_some(struct rk_disk_hint *hint, struct rk_disk_hint_entry *entries_out, size_t n_max,
                                   size_t *n_out)
{
    uint64_t rest = hint->header.n_entries - hint->next;
    size_t n = rest < n_max ? (size_t)rest : n_max;
    const uint8_t *bytes;

    if (rest == 0)
        return end_of_entries(hint);
    if (n > PIECE_ENTRIES)
        n = PIECE_ENTRIES;
    if (rk_disk_window_get(&hint->window, entry_at(hint->next), n * RK_DISK_HINT_ENTRY_BYTES, &bytes) != RK_OK)
        return RK_ERR_IO;
    for (size_t i = 0; i < n; i++)
        rk_disk_hint_entry_decode(bytes + i * RK_DISK_HINT_ENTRY_BYTES, &entries_out[i]);
    if (hint->is_in_doubt && !fit(hint, bytes, entries_out, n))
        return RK_ERR_CORRUPT;
    hint->next += n;
    *n_out = n;
    return RK_OK;
}

enum rk_err rk_disk_hint_next(struct rk_disk_hint *hint, struct rk_disk_hint_entry *entry_out)
{
    return rk_disk_hint_next_some(hint, entry_out, 1, &(size_t){ 0 });
}

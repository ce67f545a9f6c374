#include "disk/disk_scan.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "disk/disk_identity.h"
#include "disk/disk_location.h"
#include "disk/disk_window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Behind the end, so much is looked at at a time; pieces overlap, so that each unit has a header's length after it. */
#define LOOK_BYTES   (64u << 10)
#define LOOK_OVERLAP (3u * RK_DISK_UNIT_BYTES)

/* All of a record before its value: header, expiry, block CRCs, key, metadata. */
#define PREFIX_BYTES_MAX                                                                              \
    (RK_RECORD_HEADER_BYTES + 8 + RK_RECORD_VALUE_MAX / RK_RECORD_BLOCK_BYTES * 4 + RK_RECORD_KEY_MAX \
     + RK_RECORD_METADATA_MAX)

_Static_assert(PREFIX_BYTES_MAX + RK_RECORD_BLOCK_BYTES <= RK_DISK_WINDOW_BYTES, "a record without blocks fits whole");

struct rk_disk_scan {
    struct rk_disk_window window;
    uint32_t file_number;
    struct rk_record_secret secret;
    enum rk_disk_file_kind kind;
    uint64_t offset;
    uint8_t *prefix; /* of a record with block CRCs, while its value passes through the window */
    bool ended;
    bool skipped; /* something is missing: totals and the trailer's cannot agree */
    struct rk_disk_scan_end end;
};

/* What stands at scan->offset. */
struct found {
    struct rk_record_header header;
    uint64_t size_bytes;
    const uint8_t *bytes; /* up to the value at least; valid until the window moves */
    bool header_is_whole;
    const char *what; /* why it is no whole record; NULL if it is one */
};

static enum rk_err io_failure(const struct rk_disk_scan *scan, struct rk_detail *detail)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, scan->file_number);
    rk_detail_set(detail, "%s: cannot be read near byte %llu: %s", name, (unsigned long long)scan->offset,
                  strerror(errnum));
    return RK_ERR_IO;
}

/* Checks the value block by block as it passes through the window. */
static enum rk_err check_blocks(struct rk_disk_scan *scan, struct found *found)
{
    uint64_t at = scan->offset + rk_record_value_offset(&found->header);
    uint64_t rest = found->header.value_len;

    if (scan->prefix == NULL)
        scan->prefix = rk_mem_calloc(1, PREFIX_BYTES_MAX);
    memcpy(scan->prefix, found->bytes, rk_record_value_offset(&found->header));
    found->bytes = scan->prefix;
    for (size_t block = 0; block < rk_record_n_blocks(&found->header); block++) {
        size_t size = rest < RK_RECORD_BLOCK_BYTES ? (size_t)rest : RK_RECORD_BLOCK_BYTES;
        const uint8_t *bytes;
        enum rk_err err = rk_disk_window_get(&scan->window, at, size, &bytes);

        if (err != RK_OK)
            return err;
        if (rk_record_check_block(&found->header, scan->prefix, block, bytes) != RK_OK) {
            found->what = "the checksum of a block of its value does not fit";
            return RK_OK;
        }
        at += size;
        rest -= size;
    }
    return RK_OK;
}

static enum rk_err check_body(struct rk_disk_scan *scan, struct found *found)
{
    bool has_blocks = rk_record_n_blocks(&found->header) > 0;
    size_t size = rk_record_value_offset(&found->header) + (has_blocks ? 0 : found->header.value_len);
    enum rk_err err = rk_disk_window_get(&scan->window, scan->offset, size, &found->bytes);

    if (err != RK_OK)
        return err;
    if (rk_record_check_body(&found->header, found->bytes, false) != RK_OK && !RK_PLANTED(body_not_checked)) {
        found->what = "its checksum does not fit";
        return RK_OK;
    }
    return has_blocks ? check_blocks(scan, found) : RK_OK;
}

/* What no writer of ours does, although the header's CRC fits. */
static const char *find_contradiction(const struct rk_disk_scan *scan, const struct rk_record_header *header)
{
    bool is_first = scan->offset == 0;

    if ((header->type == RK_RECORD_FILE_HEADER) != is_first)
        return is_first ? "it does not begin with a file header" : "a second file header";
    if (scan->kind == RK_DISK_FILE_MERGED)
        return NULL;
    if ((uint64_t)header->durable_units * RK_DISK_UNIT_BYTES > scan->offset)
        return "its mark is above itself";
    if (header->type == RK_RECORD_FILE_TRAILER || is_first)
        return NULL;
    return header->sequence <= scan->end.max_sequence ? "its sequence does not ascend" : NULL;
}

static enum rk_err find_record(struct rk_disk_scan *scan, struct found *found)
{
    uint64_t rest = scan->end.file_bytes - scan->offset;
    enum rk_err err;

    *found = (struct found){ 0 };
    if (rest < RK_RECORD_HEADER_BYTES) {
        found->what = rest == 0 ? "the file ends there" : "it is shorter than a header";
        return RK_OK;
    }
    err = rk_disk_window_get(&scan->window, scan->offset, RK_RECORD_HEADER_BYTES, &found->bytes);
    if (err != RK_OK)
        return err;
    if (rk_record_decode_header(found->bytes, scan->offset == 0 ? &rk_record_plain : &scan->secret, &found->header)
        != RK_OK) {
        found->what = "there is no record header";
        return RK_OK;
    }
    found->size_bytes = rk_record_size_of(&found->header);
    found->what = find_contradiction(scan, &found->header);
    if (found->what != NULL)
        return RK_OK;
    found->header_is_whole = true;
    if (found->size_bytes > rest) {
        found->what = "the file ends inside it";
        return RK_OK;
    }
    return found->header.type == RK_RECORD_HOLE ? RK_OK : check_body(scan, found);
}

/* Whether a header that stands behind `end` in the file says that what is at `end` had been durable. */
static bool promises(const struct rk_disk_scan *scan, const uint8_t *bytes, uint64_t at)
{
    struct rk_record_header header;
    uint64_t mark;

    if (rk_record_decode_header(bytes, &scan->secret, &header) != RK_OK)
        return false;
    mark = (uint64_t)header.durable_units * RK_DISK_UNIT_BYTES;
    return mark > scan->end.end_bytes && mark <= at && header.sequence > scan->end.max_sequence;
}

static bool all_zeros(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* One unit of what is behind the end, with as much after it as a header needs where the file has it. */
static void look_at_unit(struct rk_disk_scan *scan, const uint8_t *bytes, uint64_t at, bool search, bool *promised_out)
{
    uint64_t rest = scan->end.file_bytes - at;

    for (size_t i = 0; i < rest && i < RK_DISK_UNIT_BYTES; i++)
        if (bytes[i] != 0)
            scan->end.used_bytes = at + i + 1;
    if (search && rest >= RK_RECORD_HEADER_BYTES && promises(scan, bytes, at))
        *promised_out = true;
}

/* Goes through the rest of the file: where the zeros begin for good, and whether a header from search_from on promises
 * what is missing. */
static enum rk_err look_behind(struct rk_disk_scan *scan, uint64_t search_from, bool *promised_out)
{
    struct rk_disk_scan_end *end = &scan->end;
    size_t step;

    end->used_bytes = end->end_bytes;
    for (uint64_t at = end->end_bytes; at < end->file_bytes; at += step) {
        uint64_t rest = end->file_bytes - at;
        size_t size = rest < LOOK_BYTES ? (size_t)rest : LOOK_BYTES;
        const uint8_t *bytes;
        bool zeros;

        if (rk_disk_window_get(&scan->window, at, size, &bytes) != RK_OK)
            return RK_ERR_IO;
        zeros = all_zeros(bytes, size);
        step = size == rest ? size : size - LOOK_OVERLAP;
        for (size_t i = 0; i < step && !zeros; i += RK_DISK_UNIT_BYTES)
            look_at_unit(scan, bytes + i, at + i, at + i >= search_from, promised_out);
    }
    return RK_OK;
}

/* Ends the scan where it stands, at something that is no whole record. */
static enum rk_err end_before(struct rk_disk_scan *scan, const struct found *found)
{
    struct rk_disk_scan_end *end = &scan->end;
    uint64_t search_from = scan->offset + (found->header_is_whole ? found->size_bytes : RK_DISK_UNIT_BYTES);
    bool promised = scan->offset == 0 || scan->offset < end->durable_bytes || scan->kind == RK_DISK_FILE_MERGED;
    enum rk_err err;

    end->end_bytes = scan->offset;
    err = look_behind(scan, search_from, &promised);
    if (err != RK_OK)
        return err;
    scan->ended = true;
    end->what = found->what;
    if (promised && !RK_PLANTED(damage_cut_silently))
        end->kind = RK_DISK_SCAN_DAMAGED;
    else
        end->kind = end->used_bytes > end->end_bytes ? RK_DISK_SCAN_TORN : RK_DISK_SCAN_OPEN;
    return RK_OK;
}

/* Which sequences are in the holes of a merged file nobody knows. */
static bool totals_agree(const struct rk_disk_scan *scan, const struct rk_disk_file_trailer *trailer)
{
    const struct rk_disk_file_trailer *found = &scan->end.totals;

    if (trailer->n_records != found->n_records || trailer->size_bytes != found->size_bytes)
        return false;
    if (scan->end.has_holes && scan->kind == RK_DISK_FILE_MERGED)
        return trailer->first_sequence <= found->first_sequence && trailer->last_sequence >= found->last_sequence;
    return trailer->first_sequence == found->first_sequence && trailer->last_sequence == found->last_sequence;
}

static enum rk_err end_at_trailer(struct rk_disk_scan *scan, const struct found *found)
{
    struct rk_record_view view = { .header = found->header,
                                   .value = found->bytes + rk_record_value_offset(&found->header) };
    struct rk_disk_file_trailer trailer;
    bool was_longer = scan->offset < scan->end.durable_bytes;
    bool fits;

    scan->end.totals.size_bytes = scan->offset;
    fits = rk_disk_file_trailer_decode(&view, &trailer) == RK_OK
           && (scan->skipped ? trailer.size_bytes == scan->offset : totals_agree(scan, &trailer));
    if (fits)
        scan->offset += found->size_bytes;
    scan->ended = true;
    scan->end.end_bytes = scan->offset;
    scan->end.kind = fits ? RK_DISK_SCAN_SEALED : RK_DISK_SCAN_DAMAGED;
    scan->end.what = fits ? "it is sealed" : "the trailer does not fit what is before it";
    if (was_longer) {
        scan->end.kind = RK_DISK_SCAN_DAMAGED;
        scan->end.what = "its trailer is not where it was closed";
    }
    return look_behind(scan, UINT64_MAX, &(bool){ false });
}

static void count_totals(struct rk_disk_scan *scan, const struct rk_record_header *header)
{
    struct rk_disk_file_trailer *totals = &scan->end.totals;

    if (totals->n_records == 0 || header->sequence < totals->first_sequence)
        totals->first_sequence = header->sequence;
    if (header->sequence > totals->last_sequence)
        totals->last_sequence = header->sequence;
    totals->n_records += header->type == RK_RECORD_HOLE ? rk_record_hole_records(header) : 1;
}

/* A hole has the sequence of its first record; in an appended file each of the others had a higher one. */
static uint64_t last_sequence_of(const struct rk_disk_scan *scan, const struct rk_record_header *header)
{
    if (header->type != RK_RECORD_HOLE || scan->kind == RK_DISK_FILE_MERGED)
        return header->sequence;
    return header->sequence + rk_record_hole_records(header) - 1;
}

static void count_record(struct rk_disk_scan *scan, const struct rk_record_header *header)
{
    struct rk_disk_scan_end *end = &scan->end;
    uint64_t mark = (uint64_t)header->durable_units * RK_DISK_UNIT_BYTES;

    if (mark > end->durable_bytes && scan->kind != RK_DISK_FILE_MERGED)
        end->durable_bytes = mark;
    if (last_sequence_of(scan, header) > end->max_sequence)
        end->max_sequence = last_sequence_of(scan, header);
    if (header->type == RK_RECORD_FILE_HEADER || header->type == RK_RECORD_FILE_TRAILER)
        return;
    count_totals(scan, header);
}

/* The next whole record, or hole. */
static enum rk_err next_whole(struct rk_disk_scan *scan, struct found *found, struct rk_detail *detail)
{
    if (scan->ended)
        return RK_ERR_NOT_FOUND;
    if (find_record(scan, found) != RK_OK)
        return io_failure(scan, detail);
    if (found->what != NULL)
        return end_before(scan, found) == RK_OK ? RK_ERR_NOT_FOUND : io_failure(scan, detail);
    count_record(scan, &found->header);
    if (found->header.type == RK_RECORD_FILE_TRAILER)
        return end_at_trailer(scan, found) == RK_OK ? RK_ERR_NOT_FOUND : io_failure(scan, detail);
    return RK_OK;
}

enum rk_err rk_disk_scan_next(struct rk_disk_scan *scan, struct rk_disk_scan_item *item_out, struct rk_detail *detail)
{
    struct found found;
    enum rk_err err;

    while ((err = next_whole(scan, &found, detail)) == RK_OK && found.header.type == RK_RECORD_HOLE) {
        scan->end.has_holes = true;
        scan->offset += found.size_bytes;
    }
    if (err != RK_OK)
        return err;
    item_out->header = found.header;
    item_out->key = found.bytes + rk_record_key_offset(&found.header);
    item_out->expiry_ms = rk_record_expiry_ms(&found.header, found.bytes);
    item_out->location = rk_disk_location_encode((struct rk_location){
        .file_number = scan->file_number, .offset_bytes = scan->offset, .size_bytes = (uint32_t)found.size_bytes });
    scan->offset += found.size_bytes;
    return RK_OK;
}

static enum rk_err check_header(const struct rk_disk_scan *scan, const struct rk_disk_file_header *header,
                                const struct rk_disk_identity *identity, struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, scan->file_number);
    if (header->format_version != RK_DISK_FORMAT_VERSION)
        rk_detail_set(detail, "%s: format version %u; this program reads version %u", name, header->format_version,
                      RK_DISK_FORMAT_VERSION);
    else if (memcmp(header->uuid, identity->uuid, RK_DISK_UUID_BYTES) != 0)
        rk_detail_set(detail, "%s: belongs to another store", name);
    else if (header->file_number != scan->file_number)
        rk_detail_set(detail, "%s: says that it is file %u", name, header->file_number);
    else if (header->kind != RK_DISK_FILE_APPENDED && header->kind != RK_DISK_FILE_MERGED)
        rk_detail_set(detail, "%s: of an unknown kind (%u)", name, (unsigned)header->kind);
    else
        return RK_OK;
    return RK_ERR_MISMATCH;
}

/* Reads the file header; without a whole one the scan is at its end before it began. */
static enum rk_err begin(struct rk_disk_scan *scan, const struct rk_disk_identity *identity, struct rk_detail *detail)
{
    struct rk_disk_file_header header;
    struct rk_record_view view;
    struct found found;

    if (find_record(scan, &found) != RK_OK)
        return io_failure(scan, detail);
    if (found.what == NULL) {
        view = (struct rk_record_view){ .header = found.header,
                                        .value = found.bytes + rk_record_value_offset(&found.header) };
        if (rk_disk_file_header_decode(&view, &header) != RK_OK)
            found.what = "its file header does not fit";
    }
    if (found.what != NULL)
        return end_before(scan, &found) == RK_OK ? RK_OK : io_failure(scan, detail);
    scan->kind = header.kind;
    count_record(scan, &found.header);
    scan->offset = found.size_bytes;
    return check_header(scan, &header, identity, detail);
}

enum rk_err rk_disk_scan_open(struct rk_disk_scan **scan_out, int dir_fd, uint32_t file_number,
                              const struct rk_disk_identity *identity, struct rk_detail *detail)
{
    struct rk_disk_scan *scan = rk_mem_calloc(1, sizeof *scan);
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    scan->file_number = file_number;
    scan->secret = identity->secret;
    scan->kind = RK_DISK_FILE_APPENDED;
    rk_disk_file_name(name, file_number);
    err = rk_disk_window_open(&scan->window, dir_fd, name, &scan->end.file_bytes);
    if (err != RK_OK)
        rk_detail_set(detail, "%s: cannot be opened: %s", name, rk_open_text(errno));
    else
        err = begin(scan, identity, detail);
    if (err != RK_OK) {
        rk_disk_scan_close(&scan);
        return err;
    }
    *scan_out = scan;
    return RK_OK;
}

void rk_disk_scan_promise(struct rk_disk_scan *scan, uint64_t durable_bytes)
{
    if (durable_bytes > scan->end.durable_bytes)
        scan->end.durable_bytes = durable_bytes;
}

/* Whether a whole record at the scan's offset can be one of this file. In an appended file each sequence is the one
 * before plus one, so there is no more missing than the gap from `from` has room for; but a file that went on after an
 * unclean end, as on a full disk, has left out RK_LOG_SEQUENCE_GAP there, and what was lost. */
static bool is_plausible(const struct rk_disk_scan *scan, const struct rk_record_header *header, uint64_t from)
{
    uint64_t n_missing_max = (scan->offset - from) / (3 * RK_DISK_UNIT_BYTES), n_missing;

    if (header->type == RK_RECORD_FILE_TRAILER)
        return scan->offset + RK_DISK_FILE_FRAME_BYTES == scan->end.file_bytes;
    if (scan->kind == RK_DISK_FILE_MERGED || scan->end.max_sequence == 0)
        return true;
    if (header->sequence <= scan->end.max_sequence)
        return false;
    n_missing = header->sequence - scan->end.max_sequence - 1;
    return n_missing <= n_missing_max || n_missing >= RK_LOG_SEQUENCE_GAP;
}

/* Where to look first: a header that is whole says where its record ends. */
static enum rk_err first_behind(struct rk_disk_scan *scan, uint64_t *offset_out)
{
    struct found found;
    enum rk_err err = find_record(scan, &found);
    bool has_end = err == RK_OK && found.header_is_whole && found.size_bytes <= scan->end.file_bytes - scan->offset;

    *offset_out = scan->offset + (has_end ? found.size_bytes : RK_DISK_UNIT_BYTES);
    return err;
}

enum rk_err rk_disk_scan_skip(struct rk_disk_scan *scan, struct rk_detail *detail)
{
    uint64_t from = scan->offset;
    uint64_t at;
    enum rk_err err;

    RK_ASSERT(scan->ended);
    err = first_behind(scan, &at);
    for (; err == RK_OK && at + RK_RECORD_HEADER_BYTES <= scan->end.file_bytes; at += RK_DISK_UNIT_BYTES) {
        struct found found;

        scan->offset = at;
        err = find_record(scan, &found);
        if (err == RK_OK && found.what == NULL && is_plausible(scan, &found.header, from)) {
            scan->ended = false;
            scan->skipped = true;
            return RK_OK;
        }
    }
    if (err != RK_OK)
        return io_failure(scan, detail);
    scan->offset = from;
    return RK_ERR_NOT_FOUND;
}

void rk_disk_scan_close(struct rk_disk_scan **scan)
{
    if (*scan == NULL)
        return;
    rk_disk_window_close(&(*scan)->window);
    free((*scan)->prefix);
    free(*scan);
    *scan = NULL;
}

const struct rk_disk_scan_end *rk_disk_scan_end(const struct rk_disk_scan *scan)
{
    RK_ASSERT(scan->ended);
    return &scan->end;
}

uint64_t rk_disk_scan_offset(const struct rk_disk_scan *scan)
{
    return scan->offset;
}

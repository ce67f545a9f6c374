#include "disk/disk_scan.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "disk/disk_identity.h"
#include "disk/disk_location.h"
#include "disk/disk_scan_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static enum rk_err io_failure(const struct rk_disk_scan *scan, struct rk_detail *detail)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, scan->file_number);
    rk_detail_set(detail, "%s: cannot be read near byte %llu: %s", name, (unsigned long long)scan->offset,
                  strerror(errnum));
    return RK_ERR_IO;
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
static enum rk_err next_whole(struct rk_disk_scan *scan, struct rk_disk_scan_found *found, struct rk_detail *detail)
{
    if (scan->ended)
        return RK_ERR_NOT_FOUND;
    if (rk_disk_scan_find(scan, found) != RK_OK)
        return io_failure(scan, detail);
    if (found->what != NULL)
        return rk_disk_scan_end_before(scan, found) == RK_OK ? RK_ERR_NOT_FOUND : io_failure(scan, detail);
    count_record(scan, &found->header);
    if (found->header.type == RK_RECORD_FILE_TRAILER)
        return rk_disk_scan_end_at_trailer(scan, found) == RK_OK ? RK_ERR_NOT_FOUND : io_failure(scan, detail);
    return RK_OK;
}

enum rk_err rk_disk_scan_next(struct rk_disk_scan *scan, struct rk_disk_scan_item *item_out, struct rk_detail *detail)
{
    struct rk_disk_scan_found found;
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
    struct rk_disk_scan_found found;

    if (rk_disk_scan_find(scan, &found) != RK_OK)
        return io_failure(scan, detail);
    if (found.what == NULL) {
        view = (struct rk_record_view){ .header = found.header,
                                        .value = found.bytes + rk_record_value_offset(&found.header) };
        if (rk_disk_file_header_decode(&view, &header) != RK_OK)
            found.what = "its file header does not fit";
    }
    if (found.what != NULL)
        return rk_disk_scan_end_before(scan, &found) == RK_OK ? RK_OK : io_failure(scan, detail);
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
    struct rk_disk_scan_found found;
    enum rk_err err = rk_disk_scan_find(scan, &found);
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
        struct rk_disk_scan_found found;

        scan->offset = at;
        err = rk_disk_scan_find(scan, &found);
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

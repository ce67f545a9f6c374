#include "base/base_planted.h"
#include "disk/disk_location.h"
#include "disk/disk_scan_private.h"

#include <string.h>

/* Behind the end, so much is looked at at a time; pieces overlap, so that each unit has a header's length after it. */
#define LOOK_BYTES   (64u << 10)
#define LOOK_OVERLAP (3u * RK_DISK_UNIT_BYTES)

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

enum rk_err rk_disk_scan_end_before(struct rk_disk_scan *scan, const struct rk_disk_scan_found *found)
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

enum rk_err rk_disk_scan_end_at_trailer(struct rk_disk_scan *scan, const struct rk_disk_scan_found *found)
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

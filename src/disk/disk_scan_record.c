#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_location.h"
#include "disk/disk_scan_private.h"

#include <string.h>

/* All of a record before its value: header, expiry, block CRCs, key, metadata. */
#define PREFIX_BYTES_MAX                                                                              \
    (RK_RECORD_HEADER_BYTES + 8 + RK_RECORD_VALUE_MAX / RK_RECORD_BLOCK_BYTES * 4 + RK_RECORD_KEY_MAX \
     + RK_RECORD_METADATA_MAX)

_Static_assert(PREFIX_BYTES_MAX + RK_RECORD_BLOCK_BYTES <= RK_DISK_WINDOW_BYTES, "a record without blocks fits whole");

/* Checks the value block by block as it passes through the window. */
static enum rk_err check_blocks(struct rk_disk_scan *scan, struct rk_disk_scan_found *found)
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

static enum rk_err check_body(struct rk_disk_scan *scan, struct rk_disk_scan_found *found)
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

enum rk_err rk_disk_scan_find(struct rk_disk_scan *scan, struct rk_disk_scan_found *found)
{
    uint64_t rest = scan->end.file_bytes - scan->offset;
    enum rk_err err;

    *found = (struct rk_disk_scan_found){ 0 };
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

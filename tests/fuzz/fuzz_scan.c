/* Any bytes as a data file: the first byte says whether the checksums are made to fit, the rest is the file. */
#include "fuzz.h"
#include "fuzz_data.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "disk/disk_summary.h"

#include <stdlib.h>
#include <string.h>

#define DIR_FD 3

static void check_record(const uint8_t *bytes, size_t size)
{
    struct rk_record_view view;

    if (rk_record_decode(bytes, size, &rk_record_plain, &view) != RK_OK)
        return;
    RK_ASSERT(rk_record_size_of(&view.header) <= size);
    RK_ASSERT(view.key >= bytes && view.key + view.header.key_len <= bytes + size);
    RK_ASSERT(view.value >= bytes && view.value + view.header.value_len <= bytes + size);
}

/* Records follow each other without a gap, and are what the bytes at their place are. */
static uint64_t check_item(const struct rk_disk_scan_item *item, const uint8_t *bytes, size_t size, uint64_t end)
{
    struct rk_location location = rk_disk_location_decode(item->location);
    struct rk_record_view view;

    RK_ASSERT(location.file_number == FUZZ_DATA_FILE && location.offset_bytes == end);
    RK_ASSERT(location.offset_bytes + location.size_bytes <= size);
    RK_ASSERT(rk_record_decode(bytes + end, location.size_bytes, &fuzz_data_identity.secret, &view) == RK_OK);
    RK_ASSERT(view.header.key_len == item->header.key_len && view.header.sequence == item->header.sequence);
    RK_ASSERT(memcmp(view.key, item->key, view.header.key_len) == 0);
    return location.offset_bytes + location.size_bytes;
}

static void check_end(const struct rk_disk_scan_end *end, uint64_t items_end, uint64_t n_items, size_t size)
{
    RK_ASSERT(end->file_bytes == size && end->end_bytes <= size && end->used_bytes <= size);
    RK_ASSERT(end->used_bytes >= end->end_bytes && end->totals.n_records == n_items);
    RK_ASSERT(end->what != NULL && end->totals.last_sequence <= end->max_sequence);
    if (end->kind == RK_DISK_SCAN_SEALED)
        RK_ASSERT(end->end_bytes == items_end + RK_DISK_FILE_FRAME_BYTES);
    else
        RK_ASSERT(end->end_bytes == items_end || (n_items == 0 && end->end_bytes == 0));
}

static void check_scan(const uint8_t *bytes, size_t size)
{
    uint64_t end = RK_DISK_FILE_FRAME_BYTES, n_items = 0;
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;
    struct rk_detail detail = { "" };
    enum rk_err err = rk_disk_scan_open(&scan, DIR_FD, FUZZ_DATA_FILE, &fuzz_data_identity, &detail);

    if (err != RK_OK) {
        RK_ASSERT(err == RK_ERR_MISMATCH && detail.text[0] != '\0');
        return;
    }
    while ((err = rk_disk_scan_next(scan, &item, &detail)) == RK_OK) {
        end = check_item(&item, bytes, size, end);
        n_items++;
    }
    RK_ASSERT(err == RK_ERR_NOT_FOUND);
    check_end(rk_disk_scan_end(scan), end, n_items, size);
    rk_disk_scan_close(&scan);
}

static void check_summary(size_t size)
{
    struct rk_disk_file_summary summary;

    RK_ASSERT(rk_disk_file_summarize(DIR_FD, FUZZ_DATA_FILE, &fuzz_data_identity.secret, &summary, NULL) == RK_OK);
    RK_ASSERT(summary.file_bytes == size);
    RK_ASSERT(!summary.has_trailer || summary.trailer.size_bytes == size - RK_DISK_FILE_FRAME_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *own;

    if (size == 0 || size > FUZZ_DATA_BYTES_MAX)
        return 0;
    own = malloc(size);
    memcpy(own, bytes + 1, size - 1);
    if ((bytes[0] & 1) != 0)
        fuzz_data_fix(own, size - 1);
    fuzz_data_serve(&(struct fuzz_file){ "0000000001.data", own, size - 1 }, 1);
    check_record(own, size - 1);
    check_scan(own, size - 1);
    check_summary(size - 1);
    free(own);
    return 0;
}

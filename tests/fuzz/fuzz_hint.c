/* Any bytes as the hint of a good data file: the first byte says whether the checksums are made to fit. A hint that is
 * believed and has as many entries as the file has records names each of them, where it is. One with fewer is that of a
 * file with holes (disk_hole.h), and may name whatever a file with holes could have: in order, inside of it, nothing
 * twice. */
#include "fuzz.h"
#include "fuzz_data.h"

#include "base/base_assert.h"
#include "base/base_bytes.h"
#include "base/base_crc.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"

#include <stdlib.h>
#include <string.h>

#define DIR_FD         3
#define AT_CRC         8
#define AT_ENTRIES_CRC 36
#define AT_N_ENTRIES   48

static void fix(uint8_t *bytes, size_t size)
{
    uint64_t n_entries;

    if (size < RK_DISK_HINT_HEADER_BYTES)
        return;
    n_entries = rk_bytes_load64(bytes + AT_N_ENTRIES);
    if (n_entries <= (size - RK_DISK_HINT_HEADER_BYTES) / RK_DISK_HINT_ENTRY_BYTES)
        rk_bytes_store32(bytes + AT_ENTRIES_CRC,
                         rk_crc32c(0, bytes + RK_DISK_HINT_HEADER_BYTES, n_entries * RK_DISK_HINT_ENTRY_BYTES));
    rk_bytes_store32(bytes + AT_CRC, 0);
    rk_bytes_store32(bytes + AT_CRC, rk_crc32c(0, bytes, RK_DISK_HINT_HEADER_BYTES));
}

/* The entry's record ends at or before the trailer, and begins at or behind the end of the one before it. */
static void check_order(const struct rk_disk_hint_entry *entry, const struct rk_disk_file_summary *summary,
                        uint64_t *end_bytes)
{
    struct rk_location location = rk_disk_location_decode(entry->location);

    RK_ASSERT(location.offset_bytes >= *end_bytes && location.size_bytes > 0);
    *end_bytes = location.offset_bytes + location.size_bytes;
    RK_ASSERT(*end_bytes <= summary->trailer.size_bytes);
    RK_ASSERT(entry->sequence >= summary->trailer.first_sequence && entry->sequence <= summary->trailer.last_sequence);
}

static uint64_t check_entries(struct rk_disk_hint *hint, const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint_entry entry;
    uint64_t n = 0, end_bytes = RK_DISK_FILE_FRAME_BYTES;
    enum rk_err err;

    while ((err = rk_disk_hint_next(hint, &entry)) == RK_OK) {
        check_order(&entry, summary, &end_bytes);
        n++;
    }
    RK_ASSERT(err == RK_ERR_NOT_FOUND && n <= summary->trailer.n_records);
    return n;
}

/* The same once more, beside the data file itself. */
static void check_against_records(const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint *hint = NULL;
    struct rk_disk_hint_entry entry;
    struct rk_disk_scan *scan = NULL;
    struct rk_disk_scan_item item;

    RK_ASSERT(rk_disk_hint_open(&hint, DIR_FD, FUZZ_DATA_FILE, fuzz_data_identity.uuid, summary) == RK_OK);
    RK_ASSERT(rk_disk_scan_open(&scan, DIR_FD, FUZZ_DATA_FILE, &fuzz_data_identity, NULL) == RK_OK);
    while (rk_disk_hint_next(hint, &entry) == RK_OK)
        RK_ASSERT(rk_disk_scan_next(scan, &item, NULL) == RK_OK && item.location == entry.location);
    rk_disk_scan_close(&scan);
    rk_disk_hint_close(&hint);
}

/* Read once, it comes to the same in the end. */
static enum rk_err read_in_doubt(const struct rk_disk_file_summary *summary)
{
    struct rk_disk_hint_entry entry;
    struct rk_disk_hint *hint = NULL;
    enum rk_err err = rk_disk_hint_open_in_doubt(&hint, DIR_FD, FUZZ_DATA_FILE, fuzz_data_identity.uuid, summary);

    while (err == RK_OK)
        err = rk_disk_hint_next(hint, &entry);
    rk_disk_hint_close(&hint);
    return err;
}

static void check_hint(void)
{
    struct rk_disk_file_summary summary;
    struct rk_disk_hint *hint = NULL;
    enum rk_err err;

    RK_ASSERT(rk_disk_file_summarize(DIR_FD, FUZZ_DATA_FILE, &fuzz_data_identity.secret, &summary, NULL) == RK_OK
              && summary.has_trailer);
    err = rk_disk_hint_open(&hint, DIR_FD, FUZZ_DATA_FILE, fuzz_data_identity.uuid, &summary);
    RK_ASSERT(err == RK_OK || err == RK_ERR_CORRUPT);
    RK_ASSERT(read_in_doubt(&summary) == (err == RK_OK ? RK_ERR_NOT_FOUND : RK_ERR_CORRUPT));
    if (err == RK_OK && check_entries(hint, &summary) == summary.trailer.n_records)
        check_against_records(&summary);
    rk_disk_hint_close(&hint);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct fuzz_data_options options = { .kind = RK_DISK_FILE_MERGED, .sealed = true };
    static uint8_t data[4096];
    size_t data_size = fuzz_data_build(data, &options);
    uint8_t *own;

    if (size == 0)
        return 0;
    own = malloc(size);
    memcpy(own, bytes + 1, size - 1);
    if ((bytes[0] & 1) != 0)
        fix(own, size - 1);
    fuzz_data_serve(
        (struct fuzz_file[]){ { "0000000001.data", data, data_size }, { "0000000001.hint", own, size - 1 } }, 2);
    check_hint();
    free(own);
    return 0;
}

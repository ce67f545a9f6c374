/* A scan between its files; nobody else includes this. disk_scan_record.c says what stands at an offset,
 * disk_scan_end.c what the end of the records means, and disk_scan.c, above both, goes from record to record. */
#ifndef RK_DISK_SCAN_PRIVATE_H
#define RK_DISK_SCAN_PRIVATE_H

#include "disk/disk_scan.h"
#include "disk/disk_window.h"

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
struct rk_disk_scan_found {
    struct rk_record_header header;
    uint64_t size_bytes;
    const uint8_t *bytes; /* up to the value at least; valid until the window moves */
    bool header_is_whole;
    const char *what; /* why it is no whole record; NULL if it is one */
};

/* What stands at scan->offset: found->what says why it is no whole record. RK_OK, or RK_ERR_IO. */
enum rk_err rk_disk_scan_find(struct rk_disk_scan *scan, struct rk_disk_scan_found *found);

/* Ends the scan where it stands, at something that is no whole record. RK_OK, or RK_ERR_IO. */
enum rk_err rk_disk_scan_end_before(struct rk_disk_scan *scan, const struct rk_disk_scan_found *found);

/* Ends it behind the trailer that was found, or before it when it does not fit. RK_OK, or RK_ERR_IO. */
enum rk_err rk_disk_scan_end_at_trailer(struct rk_disk_scan *scan, const struct rk_disk_scan_found *found);

#endif

/* Reads a data file from its begin to its end, record by record, and says how it ends. Changes nothing.
 *
 *   open -> next* until RK_ERR_NOT_FOUND -> end -> close
 *
 * How it ends is decided where the first thing comes that is no whole record, at `end_bytes`:
 *
 * 1. Nothing, or only zeros, behind a header: the file ends there; the zeros were preallocated.
 * 2. Whoever opened the file (rk_disk_scan_promise), or a mark in a record before it, says that it had been durable, or
 * a whole header behind it carries a mark above it: damage to what was promised.
 * 3. It is at the very begin: damage, too. A file is listed after its header is durable.
 * 4. Anything else was never promised: a torn tail.
 *
 * What lies behind may be the inside of a value, so (2) believes only headers that were made with the store's secret
 * (disk_secret.h), with a sequence that none before it had: a client cannot write the first, and a copy of the store's
 * own files has not the second. Of a record whose header is whole, the body is not searched at all. */
#ifndef RK_DISK_SCAN_H
#define RK_DISK_SCAN_H

#include "disk/disk_file.h"

struct rk_detail;
struct rk_disk_identity;
struct rk_disk_scan;

enum rk_disk_scan_end_kind {
    RK_DISK_SCAN_OPEN,    /* ends with a whole record, not with a trailer */
    RK_DISK_SCAN_SEALED,  /* ends with a trailer that fits */
    RK_DISK_SCAN_TORN,    /* whole records, then a torn tail */
    RK_DISK_SCAN_DAMAGED, /* at end_bytes */
};

struct rk_disk_scan_end {
    enum rk_disk_scan_end_kind kind;
    const char *what;                   /* in words */
    uint64_t end_bytes;                 /* where the whole records end, trailer included */
    uint64_t file_bytes;                /* the file's size */
    uint64_t used_bytes;                /* what lies behind this is zeros */
    uint64_t durable_bytes;             /* the highest mark, or promise */
    uint64_t max_sequence;              /* of all records, file header and trailer included */
    bool has_holes;                     /* disk_hole.h */
    struct rk_disk_file_trailer totals; /* of the records found, and of those that were in holes */
};

struct rk_disk_scan_item {
    struct rk_record_header header;
    const uint8_t *key;
    uint64_t expiry_ms; /* 0: none */
    uint64_t location;
};

/* RK_OK; RK_ERR_NOT_FOUND, RK_ERR_IO; RK_ERR_MISMATCH when the file is whole but of another store, number or version.
 */
enum rk_err rk_disk_scan_open(struct rk_disk_scan **scan_out, int dir_fd, uint32_t file_number,
                              const struct rk_disk_identity *identity, struct rk_detail *detail);
void rk_disk_scan_close(struct rk_disk_scan **scan);

/* Before the first next: that all records before this offset are known to be durable, as marks say it. */
void rk_disk_scan_promise(struct rk_disk_scan *scan, uint64_t durable_bytes);

/* The next record, checked to the last byte (file header, trailer and holes are not shown); the key stays until the
 * next call. RK_ERR_NOT_FOUND at the end; RK_ERR_IO. */
enum rk_err rk_disk_scan_next(struct rk_disk_scan *scan, struct rk_disk_scan_item *item_out, struct rk_detail *detail);

/* After next said RK_ERR_NOT_FOUND. */
const struct rk_disk_scan_end *rk_disk_scan_end(const struct rk_disk_scan *scan);

/* After next said RK_ERR_NOT_FOUND: goes on behind what is no whole record, so that next shows what follows. Only for
 * salvage: between two records something is missing then. RK_ERR_NOT_FOUND: nothing whole follows, the end stays as it
 * is; RK_ERR_IO. */
enum rk_err rk_disk_scan_skip(struct rk_disk_scan *scan, struct rk_detail *detail);

/* How far it is. */
uint64_t rk_disk_scan_offset(const struct rk_disk_scan *scan);

#endif

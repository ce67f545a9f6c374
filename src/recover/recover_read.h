/* The first half of recovery: all data files, by their hints or by scanning them, into scatters, in parallel.
 *
 * 1. Files are claimed one by one, the newest first (only it can be long and without a hint after a crash), then from
 *    the oldest on. After a failure nothing newer is begun, and everything older is finished: which failure is reported
 *    does not depend on the threads.
 * 2. Nothing is changed on the disk. */
#ifndef RK_RECOVER_READ_H
#define RK_RECOVER_READ_H

#include "base/base_detail.h"
#include "disk/disk_scan.h"
#include "disk/disk_summary.h"
#include "recover/recover_scatter.h"

#include <stdatomic.h>

struct rk_log_store;

/* A data file, and what reading it has shown. */
struct rk_recover_file {
    uint32_t number;
    struct rk_disk_file_summary summary; /* by the caller */
    enum rk_err err;
    struct rk_detail detail; /* unless RK_OK */
    bool by_hint;
    uint64_t n_records;
    uint64_t n_tombstones;
    uint64_t record_bytes;       /* of the n_records */
    struct rk_disk_scan_end end; /* RK_OK */
};

struct rk_recover_reading {
    const struct rk_log_store *store;
    struct rk_recover_file *files; /* oldest to newest */
    size_t n_files;
    struct rk_recover_scatter *scatters;    /* one a thread */
    _Atomic size_t n_claimed;               /* 0 before it begins */
    _Atomic size_t first_failed;            /* index; n_files before it begins */
    _Atomic uint64_t done_bytes, n_records; /* so far */
};

/* What one of the threads does. */
void rk_recover_reading_run(struct rk_recover_reading *reading, unsigned thread);

#endif

/* Recovery: makes the keydir from the data files, and the newest file whole again.
 *
 * 1. Every data file that the MANIFEST lists is read; for each key the record with the highest sequence counts,
 *    tombstones included, in whatever order the files come. A sealed file's hint stands for it, unless in doubt.
 * 2. Only the newest file can have a torn tail: nothing in it had been promised, and it is cut off. Damage to what had
 *    been promised is reported, and then nothing is changed on the disk.
 * 3. The result does not depend on the threads, nor do failures: of several, the one in the oldest file is reported.
 * 4. Memory is bounded, keydir aside: entries that do not fit are read again, in a pass for each range of fingerprints.
 *    Where memory is short passes are many: a store that can be served can be recovered.
 * 5. What is read of the newest file comes from the device, not from pages that never reached it.
 * 6. Afterwards every file is sealed, but for the newest if it holds no record, or if the disk has no room for its
 *    trailer. Doing it again gives the same.
 * 7. A key whose newest record has expired is not there; its record counts as expired, and hides older ones.
 * 8. No sequence is given out twice: when the newest file was not closed cleanly, the next sequence leaves a gap as
 *    wide as all that may have been lost with its tail. */
#ifndef RK_RECOVER_H
#define RK_RECOVER_H

#include "base/base_err.h"
#include "log/log_writer.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_detail;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_space;

struct rk_recover_progress {
    uint64_t done_bytes;
    uint64_t total_bytes;
    uint64_t n_records;
};

/* All may be NULL or 0. */
struct rk_recover_hooks {
    struct rk_space *space; /* all records are counted, unless recovery fails */
    void *context;
    /* Some times a second, on the calling thread; never less than before. */
    void (*progress)(void *context, const struct rk_recover_progress *progress);
    void (*removed)(void *context, uint32_t file_number); /* a data file that was not listed */
    unsigned n_threads;         /* 0: as many as there are processors, or none for a small store */
    uint64_t now_s;             /* since 1970; 0: by the wall clock */
    uint64_t memory_left_bytes; /* that may be taken, keydir included, at the start; 0: nobody knows */
    uint64_t memory_bytes; /* for what is known of each record; 0: a quarter of keydir.max_bytes, within reason, and
                              no more than what memory_left_bytes leaves beside the keydir */
};

struct rk_recovery {
    uint64_t next_sequence;      /* this and the next for rk_log_writer_open */
    struct rk_log_newest newest; /* not sealed only if it holds no record, or the disk is full */
    uint64_t last_sequence;      /* no higher one may have been given out; 0: none was */
    uint64_t n_files;
    uint64_t n_hints;   /* of these, files whose hint was used */
    uint64_t n_records; /* tombstones included */
    uint64_t n_tombstones;
    uint64_t n_keys;
    uint64_t n_passes;     /* so often all files were read */
    uint64_t n_bytes;      /* of all files, as they were found */
    bool was_clean;        /* the newest file had been closed, or there is none */
    bool lost_trailer;     /* it had been closed, and all but its trailer is there */
    uint32_t cut_file;     /* 0: nothing was torn */
    uint64_t cut_at_bytes; /* offset in that file */
    uint64_t cut_bytes;    /* how much was cut, the zeros behind it not counted */
    uint64_t cut_records;  /* whole ones in that, behind what is none */
};

/* RK_OK; RK_ERR_CORRUPT: damage, the detail says where; RK_ERR_FULL: the keys do not fit under keydir.max_bytes;
 * RK_ERR_MISMATCH, RK_ERR_NOT_FOUND (a file is missing), RK_ERR_IO, RK_ERR_NO_SPACE (not even a cut has room). On
 * failure the keydir is empty, unless it was the disk that failed after all had been read. The keydir must be empty.
 * Main thread of the master, before a writer is open. `hooks` may be NULL. */
enum rk_err rk_recover_store(struct rk_log_store *store, struct rk_keydir_writer *keydir,
                             const struct rk_recover_hooks *hooks, struct rk_recovery *result_out,
                             struct rk_detail *detail);

#endif

/* Data files that are there, and that the MANIFEST does not list: what a crash left, and may go; or something that is
 * needed, and never goes without a word.
 *
 * A crash of ours leaves, since names are made durable before they are listed and unlisted before they are unlinked:
 *
 * 1. the next file of a roll-over or of a start: a header and zeros, or less. It gets its first record after it is
 *    listed, so it has none.
 * 2. the output of a merge, finished or not. All of its records are copies out of files that are still listed.
 * 3. a file that was merged, or that salvage has replaced. The newest listed file was begun after its last record.
 *
 * So what has no record may go, and so may what has no sequence above the highest one of the listed files. Whatever is
 * above that was written under a newer MANIFEST than the one that is there; what has no header, or that of another
 * store, was never ours to remove. Both are said, and stay. */
#ifndef RK_LOG_UNLISTED_H
#define RK_LOG_UNLISTED_H

#include "disk/disk_file.h"

#include <stddef.h>

struct rk_detail;
struct rk_log_store;

enum rk_log_unlisted_kind {
    RK_LOG_UNLISTED_EMPTY,   /* no record, and room for none */
    RK_LOG_UNLISTED_RECORDS, /* this store's */
    RK_LOG_UNLISTED_KEPT,    /* quarantine/ has it as well */
    RK_LOG_UNLISTED_FOREIGN, /* of another store, no data file, not even a file */
};

struct rk_log_unlisted_file {
    uint32_t number;
    enum rk_log_unlisted_kind kind;
    enum rk_disk_file_kind file_kind;       /* for records: */
    uint64_t first_sequence, last_sequence; /* the lowest and the highest */
    bool has_garbage;                       /* beside them, something that is no record */
    uint64_t header_sequence;               /* 0 without a header */
    uint64_t given_sequence;                /* the highest that header and trailer speak of */
    char why[160];                          /* it is foreign */
};

struct rk_log_unlisted {
    struct rk_log_unlisted_file *files;
    size_t n_files;
};

/* Finds and reads them; changes nothing. RK_OK with something to be fini'ed; RK_ERR_IO. */
enum rk_err rk_log_unlisted_look(const struct rk_log_store *store, struct rk_log_unlisted *unlisted_out,
                                 struct rk_detail *detail);
/* The same of one file, listed or not. */
void rk_log_unlisted_look_at(const struct rk_log_store *store, uint32_t file_number,
                             struct rk_log_unlisted_file *file_out);

void rk_log_unlisted_fini(struct rk_log_unlisted *unlisted);

/* Whether the file may be removed when known_sequence is the highest of all listed files. Pure. */
bool rk_log_unlisted_may_go(const struct rk_log_unlisted_file *file, uint64_t known_sequence);

/* RK_OK when all of them may go; RK_ERR_CORRUPT: the detail names those that may not, and the ways out. Pure. */
enum rk_err rk_log_unlisted_check(const struct rk_log_unlisted *unlisted, uint64_t known_sequence,
                                  struct rk_detail *detail);

/* Removes them, the hints of files that are not listed, and what is left of replacements; other names are left alone.
 * `removed` (may be NULL) hears of each data file. After a check. */
enum rk_err rk_log_unlisted_sweep(const struct rk_log_store *store, const struct rk_log_unlisted *unlisted,
                                  void (*removed)(void *context, uint32_t file_number), void *context,
                                  struct rk_detail *detail);

#endif

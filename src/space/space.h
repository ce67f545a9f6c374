/* How many bytes of each data file are live, and why the others are not. Exact: for every file, the sum of all figures
 * is what a scan of the file and of the keydir finds.
 *
 *   a file = frame (header, trailer) + live + overwritten + deleted + expired + tombstones + preallocated rest
 *
 * 1. One owner at a time: recovery's threads each have their own, added up at the end; then the writer thread. Others
 *    get copies (rk_writer_call).
 * 2. A record is counted when it gets its place, and changes its column when its key's newest location changes.
 * 3. A record is dead by what replaced it: `overwritten` by a put (or by a copy of itself in a merged file), `deleted`
 *    by a tombstone, `expired` by time. After a restart one with several successors is dead by any of them.
 * 4. A tombstone is neither live nor dead: whether it may go depends on other files (merge_policy.h).
 * 5. Live is what the keydir names. What has expired stays there until somebody looks (expire.h); from
 *    then on it is in `expired`, until its file is gone or a recovery counts anew. It may hide older records, as a
 *    tombstone does.
 * 6. No live record of a file expires before the file's first expiry, unless somebody looks into that file now. */
#ifndef RK_SPACE_H
#define RK_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_space;

enum rk_space_column {
    RK_SPACE_LIVE,
    RK_SPACE_OVERWRITTEN,
    RK_SPACE_DELETED,
    RK_SPACE_EXPIRED,
    RK_SPACE_TOMBSTONE,
    RK_SPACE_N_COLUMNS
};

struct rk_space_file {
    uint32_t file_number;
    uint64_t n_records[RK_SPACE_N_COLUMNS];
    uint64_t bytes[RK_SPACE_N_COLUMNS]; /* padded, as the location says */
    uint32_t first_expiry_s;            /* since 1970; 0: none */
    uint32_t taken_expiry_s;            /* what it was before a look that is not over; 0: there is none */
};

struct rk_space *rk_space_create(void);
void rk_space_destroy(struct rk_space **space);

/* A record at the location, counted for the first time. */
void rk_space_add(struct rk_space *space, uint64_t location, enum rk_space_column column);

/* Records of the file that a recovery found given up (disk_hole.h): they count as overwritten. */
void rk_space_add_hole(struct rk_space *space, uint32_t file_number, uint64_t n_records, uint64_t bytes);

/* It was in one column and is in another from now on. */
void rk_space_move(struct rk_space *space, uint64_t location, enum rk_space_column from, enum rk_space_column to);

/* A live record of the file expires then (rk_disk_expiry_s, which may say that it does not). */
void rk_space_note_expiry(struct rk_space *space, uint32_t file_number, uint32_t expiry_s);

/* The first expiry of the file, which is none from now on: who takes it looks what has expired, and then gives back
 * what is left. What others note meanwhile stays. */
uint32_t rk_space_take_expiry(struct rk_space *space, uint32_t file_number);
void rk_space_give_expiry(struct rk_space *space, uint32_t file_number, uint32_t expiry_s);

/* Whether any record ever had an expiry. */
bool rk_space_knows_expiries(const struct rk_space *space);

/* Whether the record at the location may have expired by then: whether anything has in its file, which a look that is
 * not over does not change. No means that it has not. */
bool rk_space_may_have_expired(const struct rk_space *space, uint64_t location, uint64_t now_ms);

/* Adds all that `other` has counted. */
void rk_space_add_all(struct rk_space *space, const struct rk_space *other);

/* The file is gone. */
void rk_space_forget(struct rk_space *space, uint32_t file_number);

/* All zeros for a file that has no record. */
struct rk_space_file rk_space_file(const struct rk_space *space, uint32_t file_number);

/* Sums over all files, file_number 0. */
struct rk_space_file rk_space_total(const struct rk_space *space);

#endif

/* A data file while it is written: made, appended to, sealed. Mechanism only; when to do what is the writer's.
 *
 *   0        80               end_bytes                   preallocated_bytes
 *   +--------+---------------+----------------------------+
 *   | header | record ...    | zeros         |  reserve   |     the file's size is preallocated_bytes, if any is
 *   +--------+---------------+----------------------------+
 *
 * 1. Everything below end_bytes is whole records. What a failed write left behind it is cut off before anything else is
 *    written, and the cut is made durable, so no piece of it can come back.
 * 2. Space is preallocated in steps, so that most syncs find no metadata to write: a quarter of what the file has, so
 *    that a small store takes little. Without room for a step (or without support for it) the file grows write by
 * write: then only the write itself decides whether the disk is full.
 * 3. Room is made for a record together with a reserve behind it. What may use the reserve (tombstones, the trailer)
 *    is written without asking for room, and finds the reserve's space when the disk is full. On a file system that
 *    cannot preallocate there is no reserve. It is a quarter of what the store has, for tombstones are no more than its
 *    records, and at most what the settings say. Both stay below the limit, as long as what is written does.
 * 4. A sealed file that is opened again keeps its trailer, which says that all before it is durable, until something
 *    is written. */
#ifndef RK_LOG_ACTIVE_H
#define RK_LOG_ACTIVE_H

#include "disk/disk_file.h"

#include <sys/uio.h>

struct rk_detail;

struct rk_log_active_sizes {
    uint64_t limit_bytes;   /* nothing is preallocated past this, unless more is written */
    uint64_t reserve_bytes; /* at most */
    uint64_t before_bytes;  /* of the store, in the files before */
    uint64_t spare_bytes;   /* of the disk, that room is not made of: merges need them */
    bool needs_reserve;     /* no file is made without one */
    bool must_allocate;     /* only that tells whether there is room: what the disk says of itself does not */
};

struct rk_log_active {
    int fd;
    int dir_fd;
    uint32_t file_number;
    struct rk_log_active_sizes sizes;
    uint64_t end_bytes;
    uint64_t preallocated_bytes;
    uint64_t step_at_bytes; /* a step failed: an end past this tries the next */
    bool cannot_preallocate;
    bool is_at_end; /* it was told that this file can grow no more (RLIMIT_FSIZE) */
    bool is_sealed; /* opened again, and not written yet: its trailer is behind end_bytes */
    struct rk_disk_file_trailer totals;
};

/* Makes the file (there must be none of the name), preallocates the first step, writes the header and makes both
 * durable; not yet the name, which is the store's commit to do. On failure nothing is left: RK_ERR_NO_SPACE, RK_ERR_IO.
 */
enum rk_err rk_log_active_create(struct rk_log_active *active, int dir_fd, const struct rk_disk_file_header *header,
                                 const struct rk_record_stamp *stamp, const struct rk_log_active_sizes *sizes,
                                 struct rk_detail *detail);

/* The newest file that recovery found: it ends with its last whole record, or with a trailer. */
struct rk_log_newest {
    uint32_t file_number; /* 0: there is none that was written by a log writer */
    bool is_sealed;
    struct rk_disk_file_trailer totals; /* what its trailer says, or would say */
};

/* Goes on with a file that nobody else writes. Changes nothing on the disk: what is sealed is cut, which takes no
 * space, before the first write. RK_OK; RK_ERR_IO. */
enum rk_err rk_log_active_reopen(struct rk_log_active *active, int dir_fd, const struct rk_log_newest *newest,
                                 const struct rk_log_active_sizes *sizes, struct rk_detail *detail);

/* Gives back what is preallocated, the reserve with it, but for the trailer's room; and takes the reserve again, if it
 * can. */
void rk_log_active_release_room(struct rk_log_active *active);
void rk_log_active_take_reserve(struct rk_log_active *active);

/* The reserve behind such an end. */
uint64_t rk_log_active_reserve(const struct rk_log_active *active, uint64_t end_bytes);

/* Makes room for size_bytes behind the end, and for the reserve behind them. RK_OK, also where only the write can tell;
 * RK_ERR_NO_SPACE: without the reserve they would not fit, or not even so. */
enum rk_err rk_log_active_make_room(struct rk_log_active *active, uint64_t size_bytes);

/* Appends n_records stamped records with ascending sequences first..last; the iovec array is used up. RK_OK, or the
 * write's error after the file was cut back; RK_ERR_READ_ONLY when it could not be. */
enum rk_err rk_log_active_append(struct rk_log_active *active, struct iovec *iov, int n_iov, uint64_t size_bytes,
                                 uint64_t n_records, uint64_t first_sequence, uint64_t last_sequence,
                                 struct rk_detail *detail);

/* Writes the trailer, unless it is there, cuts the preallocated rest off and makes all of it durable. RK_OK; an error
 * after the file was cut back to what it was; RK_ERR_READ_ONLY when that failed, or when the file could not be made
 * durable. */
enum rk_err rk_log_active_seal(struct rk_log_active *active, const struct rk_record_secret *secret,
                               const struct rk_record_stamp *stamp, struct rk_detail *detail);

/* Takes a seal back, durably: the file goes on where it ended before. RK_OK, RK_ERR_READ_ONLY. */
enum rk_err rk_log_active_unseal(struct rk_log_active *active, struct rk_detail *detail);

/* Closes the descriptor; `remove` also unlinks the file, which is not listed. */
void rk_log_active_close(struct rk_log_active *active, bool remove);

#endif

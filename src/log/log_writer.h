/* The active end of the data log: one thread of the master appends, syncs and rolls over.
 *
 *   open -> { stage* -> flush -> [sync] }* -> close
 *
 * A batch is staged in memory, written by one flush (one pwritev where it can be), and made durable by a sync.
 *
 * 1. stage, flush, roll and close: the writer thread only. sync, the sequences, the state and why: any thread.
 * 2. A file that is rolled over is complete and durable, trailer included, before the next one is listed, in every
 * mode: only the newest file can have a torn tail.
 * 3. Each record carries the end of what was known durable in its file when it was staged.
 * 4. A flush that fails leaves nothing behind, in the file or in the sequences. What cannot be taken back, or cannot be
 *    made durable, ends the writing: the state is RK_ERR_READ_ONLY until a restart, and nothing is ever retried.
 * 5. When the disk is full, puts are refused one by one, before anything is written. Tombstones go on in a reserve that
 *    the active file holds; where a roll-over has no room for a file with a reserve of its own, they make the file
 *    larger than it should be.
 * 6. No sequence is given out twice. After an unclean end recovery leaves a gap in front of next_sequence, which the
 *    header of a new file makes durable. Without one the first record does: it is durable before it is answered, in
 * every mode. */
#ifndef RK_LOG_WRITER_H
#define RK_LOG_WRITER_H

#include "base/base_err.h"
#include "disk/disk_record.h"
#include "log/log_active.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_LOG_WRITER_UNSYNCED_BYTES (8u << 20) /* a disk takes some ten milliseconds for them */

struct rk_detail;
struct rk_log_store;
struct rk_log_writer;

struct rk_log_writer_settings {
    uint64_t file_size_bytes;           /* roll over before a file grows past this; at most RK_DISK_FILE_BYTES_MAX */
    uint64_t reserve_bytes;             /* of the disk, kept for tombstones, at most; 0: none */
    uint64_t spare_bytes;               /* of the disk, that puts leave free: merges need them */
    uint64_t stored_bytes;              /* of all records, from recovery */
    uint64_t next_sequence;             /* from recovery */
    const struct rk_log_newest *newest; /* from recovery; NULL: there is none */
};

/* Begins a new active file, which takes the place of the newest one of before if that holds no record. Where the disk
 * has no room for a new file, or had none for the newest one's trailer, the newest one goes on; the disk is as it was
 * then. Main thread, before the writer thread runs. RK_OK; RK_ERR_IO; RK_ERR_NO_SPACE: there is no newest one, or it is
 * a merged file. */
enum rk_err rk_log_writer_open(struct rk_log_writer **writer_out, struct rk_log_store *store,
                               const struct rk_log_writer_settings *settings, struct rk_detail *detail);

/* Stages one record, built and checked by the caller (rk_record_build, rk_record_check_body), whose header is the
 * private copy `header` of 40 bytes and whose remaining size - 40 bytes are `rest`. Gives it the next sequence. Small
 * records are copied; for large ones `rest` must stay as it is until flush. RK_OK with location and sequence, or
 * RK_ERR_FULL: flush and commit what is staged, then stage it again. RK_ERR_TOO_LARGE: no file can hold it;
 * RK_ERR_READ_ONLY; RK_ERR_NO_SPACE: the disk is full; RK_ERR_IO: the roll-over that it needs failed. Both may be
 * tried again. */
enum rk_err rk_log_writer_stage(struct rk_log_writer *writer, const uint8_t header[RK_RECORD_HEADER_BYTES],
                                const uint8_t *rest, uint64_t size_bytes, uint64_t now_ms, uint64_t *location_out,
                                uint64_t *sequence_out);

/* Writes what is staged. On failure nothing of the batch is in the log (it was cut back to the last good end):
 * RK_ERR_NO_SPACE, RK_ERR_IO, RK_ERR_TOO_LARGE; RK_ERR_READ_ONLY when it could not be cut back, or made durable where
 * that had to be (6): no write may follow until a restart. */
enum rk_err rk_log_writer_flush(struct rk_log_writer *writer);

/* Makes everything flushed so far durable. A failure is sticky: RK_ERR_READ_ONLY from then on. Any thread; a roll-over
 * waits for it. */
enum rk_err rk_log_writer_sync(struct rk_log_writer *writer);

/* Has `wake` called after each RK_LOG_WRITER_UNSYNCED_BYTES that were flushed: a roll-over has the less to wait for. By
 * the writer thread, while it holds a lock that this function takes, so that no call comes after another `wake` (NULL:
 * none) was set; it neither blocks nor sets another. Any thread. */
void rk_log_writer_watch(struct rk_log_writer *writer, void (*wake)(void *context), void *context);

/* Rolls over now (nothing may be staged): next file, trailer, fdatasync in every mode, MANIFEST; nothing to do when the
 * active file has no record. On a full disk the next file may take the reserve of this one. rk_log_writer_stage does it
 * by itself when a record would grow the file past its size, and only where there is room for a second reserve.
 * RK_OK; RK_ERR_NO_SPACE, RK_ERR_IO: the active file goes on; RK_ERR_READ_ONLY. */
enum rk_err rk_log_writer_roll(struct rk_log_writer *writer);

/* The last sequence given out, and the last one known durable. When nothing is staged and everything is synced, they
 * are the same. Any thread. */
uint64_t rk_log_writer_last_sequence(const struct rk_log_writer *writer);
uint64_t rk_log_writer_durable_sequence(const struct rk_log_writer *writer);

/* Why writes are refused: RK_OK while they are not. Any thread. */
enum rk_err rk_log_writer_state(const struct rk_log_writer *writer);

/* Whether the disk is full: from the first put that found no room, until there is room for it and the reserve again.
 * Writer thread. */
bool rk_log_writer_is_full(const struct rk_log_writer *writer);

/* Looks for room when the disk was full; whether it still is. Some times a second is often enough. Writer thread,
 * nothing staged. */
bool rk_log_writer_look_for_room(struct rk_log_writer *writer);

/* What puts leave free of the disk: lend halves it, for merges that had nothing to do with it; take has it whole again;
 * open gives back what is kept in a file (log_spare.h), for a merge, and until close nobody looks for room, which would take
 * it from the merge. Writer thread. */
void rk_log_writer_lend_spare(struct rk_log_writer *writer);
void rk_log_writer_take_spare(struct rk_log_writer *writer);
void rk_log_writer_open_spare(struct rk_log_writer *writer);
void rk_log_writer_close_spare(struct rk_log_writer *writer);
uint64_t rk_log_writer_spare_bytes(const struct rk_log_writer *writer); /* the whole; any thread */

/* The last failure in words, "" when there was none. Any thread. */
void rk_log_writer_why(const struct rk_log_writer *writer, struct rk_detail *detail_out);

/* The active file. Any thread. */
uint32_t rk_log_writer_file_number(const struct rk_log_writer *writer);

/* Where the whole records of the active file end. Writer thread, nothing staged. */
uint64_t rk_log_writer_end_bytes(const struct rk_log_writer *writer);

/* Seals the active file (trailer, preallocated rest cut off, fdatasync), has the MANIFEST say where it ends, and
 * frees. What is staged is dropped. What
 * could not be made durable is the return value. After the syncer was stopped. */
enum rk_err rk_log_writer_close(struct rk_log_writer **writer);

#endif

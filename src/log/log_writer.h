/* The active end of the data log: one thread of the master appends, syncs and rolls over.
 *
 *   open -> { stage* -> flush -> [sync] }* -> close
 *
 * A batch is staged in memory, written by one flush (one pwritev where it can be), and made durable by a sync. */
#ifndef RK_LOG_LOG_WRITER_H
#define RK_LOG_LOG_WRITER_H

#include "base/base_err.h"
#include "log/log_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_log_store;
struct rk_log_writer;

struct rk_log_writer_settings {
    uint64_t file_size_bytes; /* roll over before a file grows past this; at most RK_LOG_FILE_BYTES_MAX */
    uint64_t next_sequence;   /* from recovery */
};

/* Begins a new active file (the newest one of before, if any, was sealed by recovery). Main thread, before the writer
 * thread runs. */
enum rk_err rk_log_writer_open(struct rk_log_writer **writer_out, struct rk_log_store *store,
                               const struct rk_log_writer_settings *settings, struct rk_detail *detail);

/* Stages one record, built and checked by the caller (rk_record_build, rk_record_check_body), whose header is the
 * private copy `header` of 40 bytes and whose remaining size - 40 bytes are `rest`. Gives it the next sequence. Small
 * records are copied; for large ones `rest` must stay as it is until flush. RK_OK with location and sequence, or
 * RK_ERR_FULL: flush and commit what is staged, then stage it again. */
enum rk_err rk_log_writer_stage(struct rk_log_writer *writer, const uint8_t header[RK_RECORD_HEADER_BYTES],
                                const uint8_t *rest, uint64_t size_bytes, uint64_t now_ms, uint64_t *location_out,
                                uint64_t *sequence_out);

/* Writes what is staged. On failure nothing of the batch is in the log (it was cut back to the last good end):
 * RK_ERR_NO_SPACE, RK_ERR_IO, RK_ERR_TOO_LARGE; RK_ERR_READ_ONLY when it could not be cut back: no write may follow
 * until a restart. */
enum rk_err rk_log_writer_flush(struct rk_log_writer *writer);

/* Makes everything flushed so far durable. A failure is sticky: RK_ERR_READ_ONLY from then on. */
enum rk_err rk_log_writer_sync(struct rk_log_writer *writer);

/* Rolls over when the active file is at its size (nothing may be staged): trailer, fdatasync in every mode, next file,
 * MANIFEST. rk_log_writer_stage does it by itself. */
enum rk_err rk_log_writer_roll(struct rk_log_writer *writer);

/* The last sequence given out, and the last one known durable. */
uint64_t rk_log_writer_last_sequence(const struct rk_log_writer *writer);
uint64_t rk_log_writer_durable_sequence(const struct rk_log_writer *writer);

/* Why writes are refused: RK_OK while they are not. */
enum rk_err rk_log_writer_state(const struct rk_log_writer *writer);

/* Syncs, cuts the preallocated rest off, and frees. What could not be synced is the return value. */
enum rk_err rk_log_writer_close(struct rk_log_writer **writer);

#endif

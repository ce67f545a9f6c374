#include "log/log_merged.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "disk/disk_location.h"
#include "log/log_active.h"
#include "log/log_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* So much is written out at a time, and so many times as much is on its way meanwhile: with less, a disk that could
 * take a GiB a second was waited for, and with no limit a sync of the active file would have to wait for all of it.
 * Larger pieces would keep a processor in the kernel for milliseconds, which requests wait for. */
#define WRITE_OUT_BYTES (128u << 10)
#define N_ON_THEIR_WAY  256

#define N_PIECES_MAX (RK_DISK_FILE_BYTES_MAX / RK_LOG_MERGED_PIECE_BYTES + 1)

struct rk_log_merged {
    struct rk_log_merged_settings settings;
    struct rk_log_active file;
    uint64_t announced_bytes;   /* where the next record begins */
    uint64_t written_out_bytes; /* the kernel was told to write out what is before this */
    size_t used;
    size_t cold_bytes;          /* of what is in the buffer */
    uint8_t cold[N_PIECES_MAX]; /* by piece: most of it came from the disk */
    uint8_t buffer[RK_LOG_MERGED_PIECE_BYTES];
};

static struct rk_record_stamp stamp_of(const struct rk_log_merged *merged, uint64_t sequence)
{
    return (struct rk_record_stamp){ .sequence = sequence,
                                     .write_time_ms = rk_time_wall_ms(),
                                     .durable_units = (uint32_t)(merged->file.end_bytes / RK_DISK_UNIT_BYTES) };
}

enum rk_err rk_log_merged_create(struct rk_log_merged **merged_out, const struct rk_log_merged_settings *settings,
                                 struct rk_detail *detail)
{
    struct rk_log_merged *merged = rk_mem_calloc(1, sizeof *merged);
    struct rk_disk_file_header header = { .file_number = settings->file_number,
                                          .format_version = RK_DISK_FORMAT_VERSION,
                                          .kind = RK_DISK_FILE_MERGED };
    struct rk_log_active_sizes sizes = { .limit_bytes = settings->expected_bytes + 2 * RK_DISK_FILE_FRAME_BYTES };
    struct rk_record_stamp stamp = stamp_of(merged, settings->sequence);
    enum rk_err err;

    merged->settings = *settings;
    memcpy(header.uuid, settings->identity->uuid, RK_DISK_UUID_BYTES);
    err = rk_log_active_create(&merged->file, settings->dir_fd, &header, &stamp, &sizes, detail);
    if (err != RK_OK) {
        free(merged);
        return err;
    }
    merged->announced_bytes = merged->written_out_bytes = merged->file.end_bytes;
    *merged_out = merged;
    return RK_OK;
}

uint64_t rk_log_merged_size_with(const struct rk_log_merged *merged, uint64_t size_bytes)
{
    return merged->announced_bytes + size_bytes + RK_DISK_FILE_FRAME_BYTES;
}

uint64_t rk_log_merged_n_records(const struct rk_log_merged *merged)
{
    return merged->file.totals.n_records;
}

uint64_t rk_log_merged_begin_record(struct rk_log_merged *merged, uint64_t sequence, uint64_t size_bytes)
{
    struct rk_disk_file_trailer *totals = &merged->file.totals;
    struct rk_location location = { .file_number = merged->settings.file_number,
                                    .offset_bytes = merged->announced_bytes,
                                    .size_bytes = (uint32_t)size_bytes };

    RK_ASSERT(merged->announced_bytes == merged->file.end_bytes + merged->used);
    if (totals->n_records == 0 || sequence < totals->first_sequence)
        totals->first_sequence = sequence;
    if (sequence > totals->last_sequence)
        totals->last_sequence = sequence;
    totals->n_records++;
    merged->announced_bytes += size_bytes;
    return rk_disk_location_encode(location);
}

/* Has the kernel begin with what is new, and waits for what it began with some time before. */
static void write_out_early(struct rk_log_merged *merged)
{
    off_t begin = (off_t)merged->written_out_bytes;
    off_t size = (off_t)(merged->file.end_bytes - merged->written_out_bytes);
    unsigned wait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

    if (size < (off_t)WRITE_OUT_BYTES)
        return;
    (void)rk_io->sync_range(merged->file.fd, begin, size, SYNC_FILE_RANGE_WRITE); /* the sync at the end tells */
    if (begin > N_ON_THEIR_WAY * (off_t)WRITE_OUT_BYTES)
        (void)rk_io->sync_range(merged->file.fd, begin - N_ON_THEIR_WAY * (off_t)WRITE_OUT_BYTES, WRITE_OUT_BYTES,
                                wait);
    merged->written_out_bytes = merged->file.end_bytes;
}

static enum rk_err write_out(struct rk_log_merged *merged, struct rk_detail *detail)
{
    struct rk_disk_file_trailer totals = merged->file.totals; /* ours: append counts ascending sequences */
    struct iovec iov = { .iov_base = merged->buffer, .iov_len = merged->used };
    uint64_t begin = merged->file.end_bytes;
    enum rk_err err;

    if (merged->used == 0)
        return RK_OK;
    err = rk_log_active_append(&merged->file, &iov, 1, merged->used, 0, totals.first_sequence, totals.last_sequence,
                               detail);
    merged->file.totals = totals;
    if (err != RK_OK)
        return err == RK_ERR_READ_ONLY ? RK_ERR_IO : err; /* of this file, which goes; not of the store */
    RK_ASSERT(begin / RK_LOG_MERGED_PIECE_BYTES < N_PIECES_MAX);
    merged->cold[begin / RK_LOG_MERGED_PIECE_BYTES] = merged->cold_bytes > merged->used / 2;
    merged->used = 0;
    merged->cold_bytes = 0;
    write_out_early(merged);
    return RK_OK;
}

/* To the end of the piece that is in the buffer. */
static size_t room_in_piece(const struct rk_log_merged *merged)
{
    return RK_LOG_MERGED_PIECE_BYTES - (merged->file.end_bytes + merged->used) % RK_LOG_MERGED_PIECE_BYTES;
}

enum rk_err rk_log_merged_append(struct rk_log_merged *merged, const uint8_t *bytes, size_t size, bool is_cold,
                                 struct rk_detail *detail)
{
    while (size > 0) {
        size_t room = room_in_piece(merged);
        size_t part = size < room ? size : room;
        enum rk_err err;

        memcpy(merged->buffer + merged->used, bytes, part);
        merged->used += part;
        merged->cold_bytes += is_cold ? part : 0;
        bytes += part;
        size -= part;
        err = part == room ? write_out(merged, detail) : RK_OK;
        if (err != RK_OK)
            return err;
    }
    return RK_OK;
}

enum rk_err rk_log_merged_finish(struct rk_log_merged *merged, uint64_t sequence, struct rk_detail *detail)
{
    struct rk_record_stamp stamp;
    enum rk_err err = write_out(merged, detail);

    if (err != RK_OK)
        return err;
    RK_ASSERT(merged->announced_bytes == merged->file.end_bytes);
    stamp = stamp_of(merged, sequence);
    err = rk_log_active_seal(&merged->file, &merged->settings.identity->secret, &stamp, detail);
    return err == RK_ERR_READ_ONLY ? RK_ERR_IO : err;
}

void rk_log_merged_settle(struct rk_log_merged *merged)
{
    for (off_t i = 0; i * (off_t)RK_LOG_MERGED_PIECE_BYTES < (off_t)merged->file.end_bytes; i++)
        if (merged->cold[i]) /* advice */
            (void)rk_io->fadvise(merged->file.fd, i * (off_t)RK_LOG_MERGED_PIECE_BYTES, RK_LOG_MERGED_PIECE_BYTES,
                                 POSIX_FADV_DONTNEED);
}

void rk_log_merged_close(struct rk_log_merged **merged, bool remove)
{
    if (*merged == NULL)
        return;
    rk_log_active_close(&(*merged)->file, remove);
    free(*merged);
    *merged = NULL;
}

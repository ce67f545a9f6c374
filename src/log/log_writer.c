#include "log/log_writer.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "base/base_time.h"
#include "disk/disk_location.h"
#include "log/log_store_change.h"
#include "log/log_writer_files.h"
#include "log/log_writer_state.h"

#include <stdlib.h>
#include <string.h>

/* Hysteresis: puts resume when this much is free. A failed roll-over is retried once a second at most. */
#define ROOM_AGAIN_BYTES (256u << 10)
#define ROLL_AGAIN_NS    RK_NS_PER_S

static const struct rk_record_secret *secret_of(const struct rk_log_writer *writer)
{
    return &rk_log_store_identity(writer->store)->secret;
}

static void destroy(struct rk_log_writer *writer)
{
    rk_log_batch_fini(&writer->batch);
    (void)pthread_mutex_destroy(&writer->sync_lock);
    (void)pthread_mutex_destroy(&writer->why_lock);
    (void)pthread_mutex_destroy(&writer->watch_lock);
    free(writer);
}

enum rk_err rk_log_writer_open(struct rk_log_writer **writer_out, struct rk_log_store *store,
                               const struct rk_log_writer_settings *settings, struct rk_detail *detail)
{
    struct rk_log_writer *writer = rk_mem_calloc(1, sizeof *writer);
    enum rk_err err;

    RK_ASSERT(settings->file_size_bytes <= RK_DISK_FILE_BYTES_MAX && settings->next_sequence >= 1);
    RK_ASSERT(settings->reserve_bytes <= RK_DISK_FILE_BYTES_MAX / 2);
    writer->store = store;
    writer->reserve_bytes = settings->reserve_bytes;
    writer->spare_bytes = writer->spare_now_bytes = settings->spare_bytes;
    writer->stored_bytes = settings->stored_bytes;
    writer->file_size_bytes = settings->file_size_bytes < RK_DISK_FILE_BYTES_MAX - settings->reserve_bytes
                                  ? settings->file_size_bytes
                                  : RK_DISK_FILE_BYTES_MAX - settings->reserve_bytes;
    writer->last_sequence = settings->next_sequence - 1;
    atomic_store(&writer->given_sequence, writer->last_sequence);
    atomic_store(&writer->flushed_sequence, writer->last_sequence);
    atomic_store(&writer->durable_sequence, writer->last_sequence);
    rk_log_batch_init(&writer->batch);
    RK_ASSERT(pthread_mutex_init(&writer->sync_lock, NULL) == 0);
    RK_ASSERT(pthread_mutex_init(&writer->why_lock, NULL) == 0);
    RK_ASSERT(pthread_mutex_init(&writer->watch_lock, NULL) == 0);
    rk_log_spare_init(&writer->spare, rk_log_store_dir_fd(store), settings->spare_bytes);
    if (writer->spare.is_there)
        writer->spare_now_bytes = 0;
    err = rk_log_writer_begin(writer, settings->newest, detail);
    if (err != RK_OK) {
        rk_detail_wrap(detail, "%s", rk_log_store_path(store));
        destroy(writer);
        return err;
    }
    *writer_out = writer;
    return RK_OK;
}

static uint64_t end_with(const struct rk_log_writer *writer, uint64_t size_bytes)
{
    return writer->active.end_bytes + writer->batch.size_bytes + size_bytes + RK_DISK_FILE_FRAME_BYTES;
}

/* The reserve is behind it in the same file, unless it is one that may use it. */
static bool fits_active(const struct rk_log_writer *writer, uint64_t size_bytes, bool may_use_reserve)
{
    bool is_first = writer->active.totals.n_records + writer->batch.n_records == 0;
    uint64_t end_bytes = end_with(writer, size_bytes);

    if (is_first)
        return end_bytes <= RK_DISK_FILE_BYTES_MAX;
    if (!may_use_reserve)
        end_bytes += rk_log_active_reserve(&writer->active, end_bytes);
    return !writer->active.is_at_end && end_bytes <= writer->file_size_bytes;
}

static bool fits_any_file(uint64_t size_bytes)
{
    return size_bytes <= RK_DISK_FILE_BYTES_MAX - 2 * RK_DISK_FILE_FRAME_BYTES;
}

static enum rk_err try_roll(struct rk_log_writer *writer)
{
    enum rk_err err = rk_log_writer_roll_over(writer, false);

    writer->roll_again_ns = err == RK_ERR_NO_SPACE ? rk_time_monotonic_ns() + ROLL_AGAIN_NS : 0;
    return err;
}

/* Whether a record goes to the active file though that is too large by then: a delete is worth it. */
static bool may_outgrow(const struct rk_log_writer *writer, uint64_t size_bytes, bool may_use_reserve)
{
    return may_use_reserve && end_with(writer, size_bytes) <= RK_DISK_FILE_BYTES_MAX;
}

/* Sees to it that the active file takes a record of this size. A roll-over that finds no room has made a file and
 * removed it again: not for each record. Who looks for room tries it, too, and then all may go on. */
static enum rk_err check_file(struct rk_log_writer *writer, uint64_t size_bytes, bool may_use_reserve)
{
    bool outgrows = may_outgrow(writer, size_bytes, may_use_reserve);
    enum rk_err err;

    if (fits_active(writer, size_bytes, may_use_reserve))
        return RK_OK;
    if (writer->roll_again_ns != 0 && rk_time_monotonic_ns() < writer->roll_again_ns)
        return outgrows ? RK_OK : RK_ERR_NO_SPACE;
    if (writer->batch.n_records > 0)
        return RK_ERR_FULL;
    err = try_roll(writer);
    return err == RK_ERR_NO_SPACE && outgrows ? RK_OK : err;
}

/* In the active file, or, where that may grow no more, in the next one. */
static enum rk_err find_room(struct rk_log_writer *writer, uint64_t size_bytes, bool may_use_reserve)
{
    bool was_at_end = writer->active.is_at_end;
    enum rk_err err = check_file(writer, size_bytes, may_use_reserve);

    if (err != RK_OK || may_use_reserve)
        return err;
    err = rk_log_active_make_room(&writer->active, writer->batch.size_bytes + size_bytes);
    if (err == RK_OK || was_at_end || !writer->active.is_at_end)
        return err;
    err = check_file(writer, size_bytes, false);
    return err == RK_OK ? rk_log_active_make_room(&writer->active, size_bytes) : err;
}

static enum rk_err check_stage(struct rk_log_writer *writer, uint64_t size_bytes, bool may_use_reserve)
{
    enum rk_err err = rk_log_writer_state(writer);

    if (err != RK_OK)
        return err;
    if (!fits_any_file(size_bytes))
        return RK_ERR_TOO_LARGE;
    if (!rk_log_batch_has_room(&writer->batch, size_bytes))
        return RK_ERR_FULL;
    err = find_room(writer, size_bytes, may_use_reserve);
    if (err == RK_ERR_NO_SPACE && size_bytes > writer->wanted_bytes)
        writer->wanted_bytes = size_bytes;
    return err;
}

enum rk_err rk_log_writer_stage(struct rk_log_writer *writer, const uint8_t header[RK_RECORD_HEADER_BYTES],
                                const uint8_t *rest, uint64_t size_bytes, uint64_t now_ms, uint64_t *location_out,
                                uint64_t *sequence_out)
{
    struct rk_record_header decoded;
    struct rk_record_stamp stamp;
    struct rk_location location;
    enum rk_err err;

    RK_ASSERT(rk_record_decode_unstamped_header(header, &decoded) == RK_OK);
    RK_ASSERT(rk_record_size_of(&decoded) == size_bytes);
    err = check_stage(writer, size_bytes, decoded.type == RK_RECORD_TOMBSTONE);
    if (err != RK_OK)
        return err;
    location = (struct rk_location){ .file_number = writer->active.file_number,
                                     .offset_bytes = writer->active.end_bytes + writer->batch.size_bytes,
                                     .size_bytes = (uint32_t)size_bytes };
    writer->last_sequence++;
    atomic_store_explicit(&writer->given_sequence, writer->last_sequence, memory_order_release);
    stamp = rk_log_writer_stamp(writer, writer->last_sequence, now_ms);
    rk_record_stamp(rk_log_batch_add(&writer->batch, header, rest, size_bytes), secret_of(writer), &stamp);
    *location_out = rk_disk_location_encode(location);
    *sequence_out = writer->last_sequence;
    return RK_OK;
}

/* Takes the staged records back: they were never in the log, so their sequences were never given out. */
static void drop_batch(struct rk_log_writer *writer)
{
    writer->last_sequence -= writer->batch.n_records;
    atomic_store_explicit(&writer->given_sequence, writer->last_sequence, memory_order_release);
    rk_log_batch_clear(&writer->batch);
}

enum rk_err rk_log_writer_roll(struct rk_log_writer *writer)
{
    return rk_log_writer_roll_over(writer, true);
}

void rk_log_writer_watch(struct rk_log_writer *writer, void (*wake)(void *context), void *context)
{
    rk_log_writer_lock(&writer->watch_lock);
    writer->wake = wake;
    writer->wake_context = context;
    rk_log_writer_unlock(&writer->watch_lock);
}

static void wake_watcher(struct rk_log_writer *writer)
{
    if (writer->active.end_bytes < writer->wake_at_bytes)
        return;
    writer->wake_at_bytes = writer->active.end_bytes + RK_LOG_WRITER_UNSYNCED_BYTES;
    rk_log_writer_lock(&writer->watch_lock);
    if (writer->wake != NULL)
        writer->wake(writer->wake_context);
    rk_log_writer_unlock(&writer->watch_lock);
}

enum rk_err rk_log_writer_flush(struct rk_log_writer *writer)
{
    struct rk_log_batch *batch = &writer->batch;
    struct rk_detail detail = { "" };
    enum rk_err err = rk_log_writer_state(writer);

    if (batch->n_records == 0)
        return RK_OK;
    if (err == RK_OK)
        err = rk_log_writer_failed(writer,
                                   rk_log_active_append(&writer->active, batch->iov, batch->n_iov, batch->size_bytes,
                                                        batch->n_records, writer->last_sequence - batch->n_records + 1,
                                                        writer->last_sequence, &detail),
                                   &detail);
    if (err != RK_OK) {
        drop_batch(writer);
        return err;
    }
    atomic_store(&writer->flushed_bytes, writer->active.end_bytes);
    atomic_store(&writer->flushed_sequence, writer->last_sequence);
    rk_log_batch_clear(batch);
    wake_watcher(writer);
    if (!writer->has_gap)
        return RK_OK;
    writer->has_gap = false;
    return rk_log_writer_sync(writer);
}

uint64_t rk_log_writer_end_bytes(const struct rk_log_writer *writer)
{
    return writer->active.end_bytes;
}

bool rk_log_writer_is_full(const struct rk_log_writer *writer)
{
    return writer->wanted_bytes > 0;
}

bool rk_log_writer_look_for_room(struct rk_log_writer *writer)
{
    uint64_t size_bytes = writer->wanted_bytes > ROOM_AGAIN_BYTES ? writer->wanted_bytes : ROOM_AGAIN_BYTES;
    enum rk_err err;

    RK_ASSERT(writer->batch.n_records == 0);
    if (writer->wanted_bytes == 0 || rk_log_writer_state(writer) != RK_OK)
        return false;
    if (writer->spare.is_in_use || (writer->spare.is_given_up && !rk_log_spare_make(&writer->spare)))
        return true;
    if (writer->spare.is_there)
        rk_log_writer_take_spare(writer);
    err = writer->active.is_at_end ? RK_OK : rk_log_active_make_room(&writer->active, size_bytes); /* not for nothing */
    if (err == RK_OK && !fits_active(writer, writer->wanted_bytes, false)) {
        err = try_roll(writer);
        if (err == RK_OK)
            err = rk_log_active_make_room(&writer->active, size_bytes);
    }
    if (err == RK_OK && !RK_PLANTED(full_for_good))
        writer->wanted_bytes = 0;
    return writer->wanted_bytes > 0;
}

/* Where the sealed file ends: without its bytes a start could not tell what was cut off from what was never written. On
 * a full disk that is as far as it was before, and nothing else is lost by it. */
static void mark_end(struct rk_log_writer *writer)
{
    struct rk_disk_manifest_change change = { .last_sequence = writer->last_sequence,
                                              .closed_file = writer->active.file_number,
                                              .closed_bytes = writer->active.end_bytes - RK_DISK_FILE_FRAME_BYTES };

    if (!RK_PLANTED(end_not_marked))
        (void)rk_log_store_change(writer->store, &change, NULL); /* the file is durable, whatever comes of this */
}

enum rk_err rk_log_writer_close(struct rk_log_writer **writer)
{
    struct rk_log_writer *self = *writer;
    struct rk_detail detail = { "" };
    enum rk_err err;

    if (self == NULL)
        return RK_OK;
    drop_batch(self);
    rk_log_writer_lock(&self->sync_lock);
    err = rk_log_writer_seal_locked(self, &detail);
    rk_log_writer_unlock(&self->sync_lock);
    if (err == RK_OK)
        mark_end(self); /* without the lock: the store's is taken before it elsewhere */
    if (err != RK_OK && err != RK_ERR_READ_ONLY)
        err = RK_OK; /* no room for the trailer: all is durable, and recovery will write it */
    rk_log_active_close(&self->active, false);
    destroy(self);
    *writer = NULL;
    return err;
}

#include "log/log_writer_state.h"

#include "base/base_assert.h"
#include "base/base_io.h"
#include "base/base_planted.h"
#include "base/base_time.h"
#include "disk/disk_location.h"
#include "log/log_store.h"

void rk_log_writer_lock(pthread_mutex_t *mutex)
{
    RK_ASSERT(pthread_mutex_lock(mutex) == 0);
}

void rk_log_writer_unlock(pthread_mutex_t *mutex)
{
    RK_ASSERT(pthread_mutex_unlock(mutex) == 0);
}

enum rk_err rk_log_writer_failed(struct rk_log_writer *writer, enum rk_err err, const struct rk_detail *detail)
{
    if (err == RK_OK)
        return RK_OK;
    rk_log_writer_lock(&writer->why_lock);
    if (atomic_load(&writer->state) == RK_OK) { /* the failure that ended the writing is the one to be told */
        writer->why = *detail;
        rk_detail_wrap(&writer->why, "%s", rk_log_store_path(writer->store));
    }
    rk_log_writer_unlock(&writer->why_lock);
    if (err == RK_ERR_READ_ONLY && !RK_PLANTED(failed_sync_forgotten))
        atomic_store(&writer->state, RK_ERR_READ_ONLY);
    return err;
}

enum rk_err rk_log_writer_state(const struct rk_log_writer *writer)
{
    return (enum rk_err)atomic_load(&writer->state);
}

void rk_log_writer_why(const struct rk_log_writer *writer, struct rk_detail *detail_out)
{
    pthread_mutex_t *why_lock = (pthread_mutex_t *)(uintptr_t)&writer->why_lock; /* the lock is no part of the value */

    rk_log_writer_lock(why_lock);
    *detail_out = writer->why;
    rk_log_writer_unlock(why_lock);
}

struct rk_record_stamp rk_log_writer_stamp(const struct rk_log_writer *writer, uint64_t sequence, uint64_t now_ms)
{
    return (struct rk_record_stamp){
        .sequence = sequence,
        .write_time_ms = now_ms,
        .durable_units = (uint32_t)(atomic_load(&writer->durable_bytes) / RK_DISK_UNIT_BYTES),
    };
}

uint64_t rk_log_writer_last_sequence(const struct rk_log_writer *writer)
{
    return atomic_load_explicit(&writer->given_sequence, memory_order_acquire);
}

uint64_t rk_log_writer_durable_sequence(const struct rk_log_writer *writer)
{
    return atomic_load(&writer->durable_sequence);
}

uint32_t rk_log_writer_file_number(const struct rk_log_writer *writer)
{
    return atomic_load(&writer->file_number);
}

enum rk_err rk_log_writer_sync_locked(struct rk_log_writer *writer)
{
    uint64_t sequence = atomic_load(&writer->flushed_sequence); /* before flushed_bytes, which is stored before it */
    uint64_t end_bytes = atomic_load(&writer->flushed_bytes);
    struct rk_detail detail = { "" };
    enum rk_err err = rk_log_writer_state(writer);

    if (err != RK_OK || sequence == atomic_load(&writer->durable_sequence))
        return err;
    if (!RK_PLANTED(skip_fdatasync) && rk_io->fdatasync(writer->active.fd) != 0
        && !(RK_PLANTED(retry_fdatasync) && rk_io->fdatasync(writer->active.fd) == 0)) {
        rk_detail_set(&detail, "data file %u cannot be made durable: %m", writer->active.file_number);
        return rk_log_writer_failed(writer, RK_ERR_READ_ONLY, &detail);
    }
    atomic_store(&writer->durable_bytes, end_bytes);
    atomic_store(&writer->durable_sequence, sequence);
    return RK_OK;
}

enum rk_err rk_log_writer_sync(struct rk_log_writer *writer)
{
    enum rk_err err;

    rk_log_writer_lock(&writer->sync_lock);
    err = rk_log_writer_sync_locked(writer);
    rk_log_writer_unlock(&writer->sync_lock);
    return err;
}

enum rk_err rk_log_writer_seal_locked(struct rk_log_writer *writer, struct rk_detail *detail)
{
    struct rk_record_stamp stamp;
    enum rk_err err = rk_log_writer_sync_locked(writer);

    if (err != RK_OK)
        return err;
    stamp = rk_log_writer_stamp(writer, writer->last_sequence, rk_time_wall_ms());
    return rk_log_active_seal(&writer->active, &rk_log_store_identity(writer->store)->secret, &stamp, detail);
}

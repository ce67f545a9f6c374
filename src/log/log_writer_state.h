/* The state of a log writer, and what its parts need of it: log_writer_files.c says to which file is appended, and
 * log_writer.c, above it, stages and appends. For these alone. */
#ifndef RK_LOG_WRITER_STATE_H
#define RK_LOG_WRITER_STATE_H

#include "log/log_active.h"
#include "log/log_batch.h"
#include "log/log_spare.h"
#include "log/log_writer.h"

#include "base/base_detail.h"

#include <pthread.h>
#include <stdatomic.h>

struct rk_log_writer {
    struct rk_log_store *store;
    uint64_t file_size_bytes;
    uint64_t reserve_bytes;
    uint64_t spare_bytes;
    uint64_t spare_now_bytes;  /* the writer thread's; the rest is lent to puts, or is in the next */
    struct rk_log_spare spare; /* the writer thread's */
    uint64_t stored_bytes;     /* the writer thread's; in files that it has written or found, but for the active one */
    bool has_gap;              /* the writer thread's; nothing durable says yet where the sequences go on */
    uint64_t roll_again_ns;    /* the writer thread's; before that nobody tries again a roll-over that had no room */
    uint64_t wanted_bytes;     /* the writer thread's; 0, or what the largest put needed that found the disk full */
    struct rk_log_active active; /* the writer thread's; its descriptor changes under sync_lock */
    struct rk_log_batch batch;   /* the writer thread's */
    uint64_t last_sequence;      /* the writer thread's; published for others in given_sequence */

    /* Whoever syncs, seals or changes the active file holds sync_lock. So a roll-over never misses an error: the kernel
     * tells it to one fdatasync only, and that one has recorded it before the next begins. */
    pthread_mutex_t sync_lock;

    /* Written by the writer thread after the write; a syncing thread that reads them before its fdatasync knows that so
     * much was in the file. Offsets are of the active file, and change files under sync_lock. */
    _Atomic uint64_t flushed_bytes;
    _Atomic uint64_t flushed_sequence;
    _Atomic uint64_t durable_bytes;
    _Atomic uint64_t durable_sequence;
    _Atomic uint64_t given_sequence;
    _Atomic uint32_t file_number;
    _Atomic int state; /* enum rk_err; leaves RK_OK once, never comes back */

    pthread_mutex_t why_lock;
    struct rk_detail why;

    uint64_t wake_at_bytes;     /* the writer thread's */
    pthread_mutex_t watch_lock; /* guards the next two */
    void (*wake)(void *context);
    void *wake_context;
};

void rk_log_writer_lock(pthread_mutex_t *mutex);
void rk_log_writer_unlock(pthread_mutex_t *mutex);

/* Makes what was flushed durable. Under sync_lock. */
enum rk_err rk_log_writer_sync_locked(struct rk_log_writer *writer);

/* Seals the active file. Everything before the trailer is made durable first, so the trailer's mark says so: a bad
 * record in a sealed file is damage, never a torn tail. Under sync_lock. */
enum rk_err rk_log_writer_seal_locked(struct rk_log_writer *writer, struct rk_detail *detail);

struct rk_record_stamp rk_log_writer_stamp(const struct rk_log_writer *writer, uint64_t sequence, uint64_t now_ms);

/* Keeps the words of a failure, and what it means for the writes to come. Returns err. */
enum rk_err rk_log_writer_failed(struct rk_log_writer *writer, enum rk_err err, const struct rk_detail *detail);

#endif

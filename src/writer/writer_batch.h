/* One batch of writes: staged, written, synced, published, answered, in this order and together.
 *
 *   add* -> commit        add says RK_ERR_FULL: commit, then add it again
 *
 * 1. Nothing is visible before it is as durable as the request says, or the mode, where it does not say; nothing is
 *    answered before it is visible.
 * 2. What fails before it is published is answered with an error, and is not visible; `none` says that it is not in the
 *    log either.
 * 3. Operations on one key take effect in the order of their sequences, and so do all of a batch but for those that do
 *    not want the sync that others wait for: they come first. The sequence that `published` is told is one up to which
 *    everything is visible.
 * 4. A condition is compared with what the key will be when all that came before is published. What was decided by an
 *    operation that then fails, fails with it.
 *
 * Writer thread only. */
#ifndef RK_WRITER_BATCH_H
#define RK_WRITER_BATCH_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_keydir_writer;
struct rk_log_writer;
struct rk_ring_completion;
struct rk_stats_writer;
struct rk_writer_batch;
struct rk_space;

struct rk_writer_batch_settings {
    struct rk_log_writer *log;
    struct rk_keydir_writer *keydir;
    const uint8_t *hash_key;
    struct rk_space *space;   /* counts what is published; may be NULL */
    bool sync_before_publish; /* mode `always`, unless a request says otherwise */
    struct rk_stats_writer *stats;
    /* Where answers go: called by commit, once for each added request, in their order. */
    void (*answer)(void *context, unsigned slot, const struct rk_ring_completion *completion);
    /* Called by commit after publishing and before the first answer: the sequence of the last write. With answers that
     * come before the sync: after those. */
    void (*published)(void *context, uint64_t sequence);
    /* Answers that do not wait for the sync were given, and it begins now. */
    void (*answered_early)(void *context);
    void *context;
};

struct rk_writer_batch *rk_writer_batch_create(const struct rk_writer_batch_settings *settings);
void rk_writer_batch_destroy(struct rk_writer_batch **batch);

/* Adds the requests of a message (ring_messages.h) of a worker's slot. Everything is copied. RK_OK; RK_ERR_FULL:
 * commit, then add the same message again: it goes on with the first request that was not added. RK_ERR_CORRUPT: no
 * worker of ours sends this; the requests before the one that makes no sense were added. */
enum rk_err rk_writer_batch_add(struct rk_writer_batch *batch, unsigned slot, const uint8_t *message, uint64_t size,
                                uint64_t now_ms);

/* Does all that was added, and answers it. With nothing added it does nothing. */
void rk_writer_batch_commit(struct rk_writer_batch *batch);

#endif

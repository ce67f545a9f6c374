#include "writer/writer_batch_private.h"

#include "base/base_planted.h"
#include "base/base_time.h"
#include "disk/disk_location.h"
#include "keydir/keydir_writer.h"
#include "log/log_writer.h"
#include "ring/ring_messages.h"
#include "space/space.h"
#include "stats/stats_store.h"

static bool is_staged(const struct batch_op *op)
{
    return op->location != 0;
}

/* Nothing was staged for it, because of what an operation of the same batch is to do. */
static bool is_decided_by_pending(const struct batch_op *op)
{
    return op->after_pending && (op->err == RK_ERR_NOT_FOUND || op->err == RK_ERR_CHANGED);
}

/* What was staged fails, and so does what was decided by it: a delete is not told that the key is absent because of a
 * delete that did not happen, nor a condition that it has changed. `waiting`: but for what was published already. */
static void fail_staged(struct rk_writer_batch *batch, bool waiting, enum rk_err err, bool none)
{
    for (size_t i = 0; i < batch->n_ops; i++) {
        struct batch_op *op = &batch->ops[i];

        if ((!is_staged(op) && !is_decided_by_pending(op)) || (waiting && !op->waits))
            continue;
        op->err = err;
        op->none = none;
        op->replaced = 0; /* where the key would have been */
    }
}

/* Whether the staged records are in the log. */
static bool write_staged(struct rk_writer_batch *batch)
{
    enum rk_err err = rk_log_writer_flush(batch->settings.log);

    if (err == RK_OK)
        return true;
    rk_counter_add(&batch->settings.stats->write_errors, 1);
    fail_staged(batch, false, err, err != RK_ERR_READ_ONLY);
    return false;
}

/* Whether what was written is durable. */
static bool sync_staged(struct rk_writer_batch *batch)
{
    enum rk_err err;

    rk_counter_add(&batch->settings.stats->syncs, 1);
    err = rk_log_writer_sync(batch->settings.log);
    if (err != RK_OK)
        fail_staged(batch, true, err, false); /* written, perhaps on the disk: the answer is "unknown" */
    return err == RK_OK;
}

/* Who set a condition has read what it replaces. */
static bool may_have_replaced_expired(struct rk_writer_batch *batch, const struct batch_op *op)
{
    if (op->is_conditional || !rk_space_knows_expiries(batch->settings.space))
        return false;
    if (batch->published_ms == 0)
        batch->published_ms = rk_time_wall_ms();
    return rk_space_may_have_expired(batch->settings.space, op->replaced, batch->published_ms);
}

static void count_space(struct rk_writer_batch *batch, struct batch_op *op)
{
    struct rk_space *space = batch->settings.space;

    if (space == NULL)
        return;
    rk_space_add(space, op->location, op->is_delete ? RK_SPACE_TOMBSTONE : RK_SPACE_LIVE);
    rk_space_note_expiry(space, rk_disk_location_decode(op->location).file_number, op->expiry_s);
    if (op->replaced == 0)
        return;
    rk_space_move(space, op->replaced, RK_SPACE_LIVE, op->is_delete ? RK_SPACE_DELETED : RK_SPACE_OVERWRITTEN);
    op->is_due = may_have_replaced_expired(batch, op) && !RK_PLANTED(expired_counts_as_there);
}

static void publish_op(struct rk_writer_batch *batch, struct batch_op *op)
{
    struct rk_stats_writer *stats = batch->settings.stats;

    if (op->is_delete) {
        op->replaced = rk_keydir_writer_delete(batch->settings.keydir, op->fingerprint);
        op->err = op->replaced != 0 ? RK_OK : RK_ERR_NOT_FOUND;
        rk_counter_add(&stats->deletes, 1);
    } else {
        op->replaced = rk_keydir_writer_put(batch->settings.keydir, op->fingerprint, op->location);
        rk_counter_add(&stats->puts, 1);
    }
    rk_counter_add(&stats->appended_bytes, rk_disk_location_decode(op->location).size_bytes);
    count_space(batch, op);
}

/* Publishes what waited for the sync, or what does not wait for it. */
static void publish(struct rk_writer_batch *batch, bool waiting)
{
    batch->published_ms = 0;
    for (size_t i = 0; i < batch->n_ops; i++) {
        struct batch_op *op = &batch->ops[RK_PLANTED(publish_backwards) ? batch->n_ops - 1 - i : i];

        if (is_staged(op) && op->waits == waiting)
            publish_op(batch, op);
    }
}

/* Everything up to the last sequence is published. */
static void end_publishing(struct rk_writer_batch *batch)
{
    batch->published_sequence = rk_log_writer_last_sequence(batch->settings.log);
    batch->settings.published(batch->settings.context, batch->published_sequence);
}

static void add_replaced(struct rk_ring_completion *completion, const struct rk_writer_batch *batch,
                         const struct batch_op *op)
{
    completion->flags |= RK_RING_REPLACED;
    if (!op->is_due)
        return;
    completion->flags |= RK_RING_DUE;
    completion->location = op->replaced;
    completion->time_ms = batch->published_ms;
}

static void answer(struct rk_writer_batch *batch, const struct batch_op *op, uint64_t durable_sequence)
{
    struct rk_ring_completion completion = {
        .ticket = op->ticket, .sequence = op->sequence, .err = op->err, .flags = op->none ? RK_RING_NONE : 0
    };

    if (op->err == RK_ERR_CHANGED)
        completion.location = op->replaced;
    else if (op->replaced != 0)
        add_replaced(&completion, batch, op);
    if (is_staged(op) && op->err == RK_OK && op->sequence <= durable_sequence)
        completion.flags |= RK_RING_DURABLE;
    /* "Absent" names what was published then; a batch that failed before it gives its sequences out again. */
    if (!is_staged(op) && completion.sequence > batch->published_sequence)
        completion.sequence = batch->published_sequence;
    if (op->err != RK_OK && op->err != RK_ERR_NOT_FOUND && op->err != RK_ERR_CHANGED)
        rk_counter_add(&batch->settings.stats->failed, 1);
    batch->settings.answer(batch->settings.context, op->slot, &completion);
}

/* Early: before the sync, what does not wait for it; late: the others. */
enum answers { ANSWER_ALL, ANSWER_EARLY, ANSWER_LATE };

static void answer_some(struct rk_writer_batch *batch, enum answers which)
{
    uint64_t durable_sequence = rk_log_writer_durable_sequence(batch->settings.log);

    for (size_t i = 0; i < batch->n_ops; i++)
        if (which == ANSWER_ALL || batch->ops[i].waits == (which == ANSWER_LATE))
            answer(batch, &batch->ops[i], durable_sequence);
}

/* Some wait for the sync and some do not: those are answered before it. Each key's operations stay in their order
 * (stage_op), and no sequence is called published before all that are smaller are. */
static void commit_in_two(struct rk_writer_batch *batch)
{
    publish(batch, false);
    answer_some(batch, ANSWER_EARLY);
    batch->settings.answered_early(batch->settings.context);
    if (sync_staged(batch)) {
        publish(batch, true);
        end_publishing(batch);
    }
}

static void commit_in_one(struct rk_writer_batch *batch)
{
    bool waiting = batch->n_waiting > 0;

    if (RK_PLANTED(publish_before_fdatasync))
        publish(batch, waiting);
    if (waiting && !sync_staged(batch))
        return;
    if (!RK_PLANTED(publish_before_fdatasync))
        publish(batch, waiting);
    end_publishing(batch);
}

/* Does what was staged; which answers are still to be given. */
static enum answers commit_staged(struct rk_writer_batch *batch)
{
    bool is_mixed = batch->n_waiting > 0 && batch->n_waiting < batch->n_staged;

    rk_counter_add(&batch->settings.stats->batches, 1);
    if (!write_staged(batch))
        return ANSWER_ALL;
    if (is_mixed)
        commit_in_two(batch);
    else
        commit_in_one(batch);
    return is_mixed ? ANSWER_LATE : ANSWER_ALL;
}

static void clear(struct rk_writer_batch *batch)
{
    rk_writer_pending_clear(batch->pending);
    rk_writer_copies_clear(&batch->copies);
    batch->n_ops = 0;
    batch->n_staged = 0;
    batch->n_waiting = 0;
    batch->n_new_keys = 0;
}

void rk_writer_batch_commit(struct rk_writer_batch *batch)
{
    enum answers rest = ANSWER_ALL;

    if (batch->n_ops == 0)
        return;
    if (RK_PLANTED(ack_before_write))
        answer_some(batch, ANSWER_ALL);
    if (batch->n_staged > 0)
        rest = commit_staged(batch);
    if (!RK_PLANTED(ack_before_write))
        answer_some(batch, rest);
    clear(batch);
}

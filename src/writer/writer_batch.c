#include "writer/writer_batch_private.h"

#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_hint.h"
#include "keydir/keydir_writer.h"
#include "log/log_writer.h"

#include <stdlib.h>

struct rk_writer_batch *rk_writer_batch_create(const struct rk_writer_batch_settings *settings)
{
    struct rk_writer_batch *batch = rk_mem_calloc(1, sizeof *batch);

    batch->settings = *settings;
    batch->pending = rk_writer_pending_create(RK_WRITER_BATCH_OPS_MAX);
    batch->published_sequence = rk_log_writer_last_sequence(settings->log);
    return batch;
}

void rk_writer_batch_destroy(struct rk_writer_batch **batch)
{
    if (*batch == NULL)
        return;
    rk_writer_pending_destroy(&(*batch)->pending);
    rk_writer_copies_fini(&(*batch)->copies);
    free(*batch);
    *batch = NULL;
}

/* How the key of the op will be when all that was added before is published. */
static struct rk_writer_pending_state look_up(const struct rk_writer_batch *batch, struct batch_op *op)
{
    struct rk_writer_pending_state state = { .waits = false };

    op->after_pending = batch->n_staged > 0 && rk_writer_pending_lookup(batch->pending, op->fingerprint, &state);
    if (!op->after_pending)
        state.location = rk_keydir_writer_lookup(batch->settings.keydir, op->fingerprint);
    return state;
}

static bool wants_sync(const struct rk_writer_batch *batch, enum rk_ring_durability durability)
{
    if (durability == RK_RING_AS_CONFIGURED)
        return batch->settings.sync_before_publish;
    return durability == RK_RING_SYNCED && !RK_PLANTED(synced_answered_before_sync);
}

/* Gives the record its place in the log. RK_ERR_FULL: commit first. Any other error is the request's answer. An
 * operation that wants no sync still waits with the one before it on its key: they are published in their order. */
static enum rk_err stage_op(struct rk_writer_batch *batch, struct batch_op *op, const struct rk_writer_request *request,
                            uint64_t now_ms)
{
    enum rk_err err =
        rk_log_writer_stage(batch->settings.log, request->header_bytes, request->record + RK_RECORD_HEADER_BYTES,
                            request->head.record_bytes, now_ms, &op->location, &op->sequence);

    if (err != RK_OK)
        return err;
    op->waits |= wants_sync(batch, (enum rk_ring_durability)request->head.durability);
    batch->n_staged++;
    batch->n_waiting += op->waits;
    rk_writer_pending_set(
        batch->pending, op->fingerprint,
        (struct rk_writer_pending_state){ .location = op->is_delete ? 0 : op->location, .waits = op->waits });
    return RK_OK;
}

/* Ends here, and says of which state: what comes later may change it. */
static enum rk_err refuse(const struct rk_writer_batch *batch, struct batch_op *op, enum rk_err err)
{
    op->err = err;
    op->sequence = rk_log_writer_last_sequence(batch->settings.log);
    return RK_OK;
}

static enum rk_err add_put(struct rk_writer_batch *batch, struct batch_op *op, const struct rk_writer_request *request,
                           uint64_t now_ms, bool is_new)
{
    enum rk_err err;

    if (is_new && !rk_keydir_writer_has_room(batch->settings.keydir, batch->n_new_keys + 1)) {
        op->err = RK_ERR_FULL;
        op->none = true;
        return RK_OK;
    }
    err = stage_op(batch, op, request, now_ms);
    if (err == RK_OK)
        batch->n_new_keys += is_new;
    return err;
}

static bool is_as_expected(const struct rk_writer_batch *batch, const struct batch_op *op,
                           const struct rk_ring_request *head, uint64_t location)
{
    if (RK_PLANTED(pending_not_compared))
        location = rk_keydir_writer_lookup(batch->settings.keydir, op->fingerprint);
    return !op->is_conditional || location == head->expected || RK_PLANTED(expectation_ignored);
}

static enum rk_err decide(struct rk_writer_batch *batch, struct batch_op *op, const struct rk_writer_request *request,
                          uint64_t now_ms)
{
    struct rk_writer_pending_state state = look_up(batch, op);

    op->waits = state.waits;
    if (!is_as_expected(batch, op, &request->head, state.location)) {
        op->replaced = state.location;
        op->none = true;
        return refuse(batch, op, RK_ERR_CHANGED);
    }
    /* A tombstone for a key that is not there would be waste, and a way to fill the disk. */
    if (op->is_delete)
        return state.location == 0 ? refuse(batch, op, RK_ERR_NOT_FOUND) : stage_op(batch, op, request, now_ms);
    return add_put(batch, op, request, now_ms, state.location == 0);
}

static enum rk_err add_request(struct rk_writer_batch *batch, struct batch_op *op,
                               const struct rk_writer_request *request, uint64_t now_ms)
{
    op->is_delete = request->header.type == RK_RECORD_TOMBSTONE;
    op->is_conditional = (request->head.flags & RK_RING_EXPECTS) != 0;
    op->expiry_s = rk_disk_expiry_s(request->header.type, rk_record_expiry_ms(&request->header, request->record));
    op->fingerprint = rk_keydir_fingerprint(request->record + rk_record_key_offset(&request->header),
                                            request->header.key_len, batch->settings.hash_key);
    return decide(batch, op, request, now_ms);
}

/* Adds the request that comes next in the message. */
static enum rk_err add_next(struct rk_writer_batch *batch, unsigned slot, const uint8_t *message, uint64_t size,
                            uint64_t now_ms)
{
    struct rk_writer_request request;
    struct batch_op *op = &batch->ops[batch->n_ops];
    enum rk_err err;

    if (batch->n_ops == RK_WRITER_BATCH_OPS_MAX)
        return RK_ERR_FULL;
    err = rk_writer_request_decode(&request, &batch->copies, message + batch->done_bytes, size - batch->done_bytes);
    if (err == RK_ERR_FULL || err == RK_ERR_CORRUPT)
        return err;
    *op = (struct batch_op){ .ticket = request.head.ticket, .slot = (uint16_t)slot };
    if (err == RK_OK)
        err = add_request(batch, op, &request, now_ms);
    if (err == RK_ERR_FULL)
        return RK_ERR_FULL;
    if (err != RK_OK) {
        op->err = err;
        op->none = true;
        op->waits = false;
    }
    batch->n_ops++;
    batch->done_bytes += rk_writer_request_bytes(&request);
    return RK_OK;
}

enum rk_err rk_writer_batch_add(struct rk_writer_batch *batch, unsigned slot, const uint8_t *message, uint64_t size,
                                uint64_t now_ms)
{
    enum rk_err err;

    do
        err = add_next(batch, slot, message, size, now_ms);
    while (err == RK_OK && batch->done_bytes < size);
    if (err != RK_ERR_FULL)
        batch->done_bytes = 0;
    return err;
}

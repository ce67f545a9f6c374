#include "writer/writer_batch.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "keydir/keydir_writer.h"
#include "log/log_writer.h"
#include "space/space.h"
#include "stats/stats_store.h"
#include "writer/writer_pending.h"
#include "writer/writer_request.h"

#include <stdlib.h>
#include <string.h>

#define N_OPS_MAX 2048u

struct batch_op {
    struct rk_fingerprint fingerprint;
    uint64_t ticket;
    uint64_t location; /* 0: not staged; it is answered with `err` as it is */
    uint64_t sequence;
    uint64_t replaced; /* the location before, once published */
    enum rk_err err;
    bool none;
    bool is_delete;
    bool after_pending; /* what was done depends on an operation of the same batch */
    uint16_t slot;
    uint32_t expiry_s;
};

struct rk_writer_batch {
    struct rk_writer_batch_settings settings;
    size_t n_ops;
    size_t n_staged;
    uint64_t published_sequence;
    size_t n_new_keys; /* at most so many of the staged puts add a key */
    struct batch_op ops[N_OPS_MAX];
    struct rk_writer_pending *pending;
    struct rk_writer_copies copies;
};

struct rk_writer_batch *rk_writer_batch_create(const struct rk_writer_batch_settings *settings)
{
    struct rk_writer_batch *batch = rk_mem_calloc(1, sizeof *batch);

    batch->settings = *settings;
    batch->pending = rk_writer_pending_create(N_OPS_MAX);
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

/* What the keydir will say of the op's key when all that was added before is published. */
static uint64_t look_up(const struct rk_writer_batch *batch, struct batch_op *op)
{
    uint64_t location = 0;

    if (batch->n_staged == 0 || !rk_writer_pending_lookup(batch->pending, op->fingerprint, &location))
        return rk_keydir_writer_lookup(batch->settings.keydir, op->fingerprint);
    op->after_pending = true;
    return location;
}

/* Gives the record its place in the log. RK_ERR_FULL: commit first. Any other error is the request's answer. */
static enum rk_err stage_op(struct rk_writer_batch *batch, struct batch_op *op, const struct rk_writer_request *request,
                            uint64_t now_ms)
{
    enum rk_err err =
        rk_log_writer_stage(batch->settings.log, request->header_bytes, request->record + RK_RECORD_HEADER_BYTES,
                            request->head.record_bytes, now_ms, &op->location, &op->sequence);

    if (err == RK_OK) {
        batch->n_staged++;
        rk_writer_pending_set(batch->pending, op->fingerprint, op->is_delete ? 0 : op->location);
    }
    return err;
}

static enum rk_err add_put(struct rk_writer_batch *batch, struct batch_op *op, const struct rk_writer_request *request,
                           uint64_t now_ms)
{
    bool is_new = look_up(batch, op) == 0;
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

static enum rk_err add_delete(struct rk_writer_batch *batch, struct batch_op *op,
                              const struct rk_writer_request *request, uint64_t now_ms)
{
    /* A tombstone for a key that is not there would be waste, and a way to fill the disk. */
    if (look_up(batch, op) == 0) {
        op->err = RK_ERR_NOT_FOUND;
        op->sequence = rk_log_writer_last_sequence(batch->settings.log); /* what comes later may put it again */
        return RK_OK;
    }
    return stage_op(batch, op, request, now_ms);
}

static enum rk_err add_request(struct rk_writer_batch *batch, struct batch_op *op,
                               const struct rk_writer_request *request, uint64_t now_ms)
{
    op->is_delete = request->header.type == RK_RECORD_TOMBSTONE;
    op->expiry_s = rk_disk_expiry_s(request->header.type, rk_record_expiry_ms(&request->header, request->record));
    op->fingerprint = rk_keydir_fingerprint(request->record + rk_record_key_offset(&request->header),
                                            request->header.key_len, batch->settings.hash_key);
    return op->is_delete ? add_delete(batch, op, request, now_ms) : add_put(batch, op, request, now_ms);
}

enum rk_err rk_writer_batch_add(struct rk_writer_batch *batch, unsigned slot, const uint8_t *message, uint64_t size,
                                uint64_t now_ms)
{
    struct rk_writer_request request;
    struct batch_op *op = &batch->ops[batch->n_ops];
    enum rk_err err;

    if (batch->n_ops == N_OPS_MAX)
        return RK_ERR_FULL;
    err = rk_writer_request_decode(&request, &batch->copies, message, size);
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
    }
    batch->n_ops++;
    return RK_OK;
}

static bool is_staged(const struct batch_op *op)
{
    return op->location != 0;
}

static bool is_absent_after_pending(const struct batch_op *op)
{
    return op->after_pending && op->err == RK_ERR_NOT_FOUND;
}

/* What was staged fails, and so does what was decided by it: a delete is not told that the key is absent because of a
 * delete that did not happen. */
static void fail_staged(struct rk_writer_batch *batch, enum rk_err err, bool none)
{
    for (size_t i = 0; i < batch->n_ops; i++) {
        if (!is_staged(&batch->ops[i]) && !is_absent_after_pending(&batch->ops[i]))
            continue;
        batch->ops[i].err = err;
        batch->ops[i].none = none;
    }
}

/* Whether the staged records are in the log. */
static bool write_staged(struct rk_writer_batch *batch)
{
    enum rk_err err = rk_log_writer_flush(batch->settings.log);

    if (err == RK_OK)
        return true;
    rk_counter_add(&batch->settings.stats->write_errors, 1);
    fail_staged(batch, err, err != RK_ERR_READ_ONLY);
    return false;
}

/* Whether what was written is as durable as the mode says. */
static bool sync_staged(struct rk_writer_batch *batch)
{
    enum rk_err err;

    if (!batch->settings.sync_before_publish)
        return true;
    rk_counter_add(&batch->settings.stats->syncs, 1);
    err = rk_log_writer_sync(batch->settings.log);
    if (err != RK_OK)
        fail_staged(batch, err, false); /* written, perhaps on the disk: the answer is "unknown" */
    return err == RK_OK;
}

static void count_space(struct rk_writer_batch *batch, const struct batch_op *op)
{
    struct rk_space *space = batch->settings.space;

    if (space == NULL)
        return;
    rk_space_add(space, op->location, op->is_delete ? RK_SPACE_TOMBSTONE : RK_SPACE_LIVE);
    rk_space_note_expiry(space, rk_disk_location_decode(op->location).file_number, op->expiry_s);
    if (op->replaced != 0)
        rk_space_move(space, op->replaced, RK_SPACE_LIVE, op->is_delete ? RK_SPACE_DELETED : RK_SPACE_OVERWRITTEN);
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

static void publish(struct rk_writer_batch *batch)
{
    for (size_t i = 0; i < batch->n_ops; i++) {
        struct batch_op *op = &batch->ops[RK_PLANTED(publish_backwards) ? batch->n_ops - 1 - i : i];

        if (op->location != 0)
            publish_op(batch, op);
    }
    batch->published_sequence = rk_log_writer_last_sequence(batch->settings.log);
    batch->settings.published(batch->settings.context, batch->published_sequence);
}

static void commit_staged(struct rk_writer_batch *batch)
{
    if (!write_staged(batch))
        return;
    if (RK_PLANTED(publish_before_fdatasync))
        publish(batch);
    if (sync_staged(batch) && !RK_PLANTED(publish_before_fdatasync))
        publish(batch);
}

static void answer(struct rk_writer_batch *batch, const struct batch_op *op)
{
    struct rk_ring_completion completion = {
        .ticket = op->ticket, .sequence = op->sequence, .err = op->err, .flags = op->none ? RK_RING_NONE : 0
    };

    if (op->replaced != 0)
        completion.flags |= RK_RING_REPLACED;
    /* "Absent" names what was published then; a batch that failed before it gives its sequences out again. */
    if (op->location == 0 && completion.sequence > batch->published_sequence)
        completion.sequence = batch->published_sequence;
    if (op->err != RK_OK && op->err != RK_ERR_NOT_FOUND)
        rk_counter_add(&batch->settings.stats->failed, 1);
    batch->settings.answer(batch->settings.context, op->slot, &completion);
}

static void answer_all(struct rk_writer_batch *batch)
{
    for (size_t i = 0; i < batch->n_ops; i++)
        answer(batch, &batch->ops[i]);
}

void rk_writer_batch_commit(struct rk_writer_batch *batch)
{
    if (batch->n_ops == 0)
        return;
    if (RK_PLANTED(ack_before_write))
        answer_all(batch);
    if (batch->n_staged > 0) {
        rk_counter_add(&batch->settings.stats->batches, 1);
        commit_staged(batch);
    }
    if (!RK_PLANTED(ack_before_write))
        answer_all(batch);
    rk_writer_pending_clear(batch->pending);
    rk_writer_copies_clear(&batch->copies);
    batch->n_ops = 0;
    batch->n_staged = 0;
    batch->n_new_keys = 0;
}

#include "store/store_write.h"

#include "store/store_op.h"

#include <stdlib.h>
#include <string.h>

/* What the expiry of a record stands in. */
#define HEAD_BYTES (RK_RECORD_HEADER_BYTES + 8u)

static const enum rk_ring_durability durabilities[] = {
    [RK_STORE_AS_CONFIGURED] = RK_RING_AS_CONFIGURED,
    [RK_STORE_WRITTEN] = RK_RING_WRITTEN,
    [RK_STORE_SYNCED] = RK_RING_SYNCED,
};

/* Builds the record where the writer will find it. */
static void build_request(struct rk_ring_request *request, const struct rk_store_write *write, rk_store_ticket ticket,
                          uint64_t record_bytes)
{
    *request = (struct rk_ring_request){ .ticket = ticket,
                                         .record_bytes = (uint32_t)record_bytes,
                                         .durability = (uint8_t)durabilities[write->durability] };
    (void)rk_record_build((uint8_t *)(request + 1), /* returns the size that we have reserved */
                          &(struct rk_record_parts){ .type = write->is_delete ? RK_RECORD_TOMBSTONE : RK_RECORD_PUT,
                                                     .key = write->key,
                                                     .key_len = (uint16_t)write->key_len,
                                                     .metadata = write->metadata,
                                                     .metadata_len = (uint16_t)write->metadata_len,
                                                     .value = write->value,
                                                     .value_len = (uint32_t)write->value_len,
                                                     .expiry_ms = write->expiry_ms });
}

static struct rk_ring_request *reserve(struct rk_store_client *client, uint64_t record_bytes, struct store_op **op_out)
{
    struct store_op *op = rk_store_op_start(client, OP_WRITE);
    struct rk_ring_request *request = NULL;

    if (op != NULL)
        request = rk_ring_reserve(&client->requests, sizeof *request + record_bytes);
    if (op != NULL && request == NULL)
        rk_store_op_end(client, op);
    if (request == NULL)
        rk_counter_add(&client->settings.stats->ring_full, 1);
    *op_out = op;
    return request;
}

static bool is_too_large(const struct rk_store_write *write)
{
    return write->key_len == 0 || write->key_len > RK_RECORD_KEY_MAX || write->metadata_len > RK_RECORD_METADATA_MAX
           || write->value_len > RK_RECORD_VALUE_MAX;
}

enum rk_err rk_store_write_submit(struct rk_store_client *client, const struct rk_store_write *write,
                                  const uint64_t *expected, rk_store_write_done_fn *done, void *context,
                                  rk_store_ticket *ticket_out)
{
    uint64_t record_bytes;
    struct rk_ring_request *request;
    struct store_op *op;

    if (is_too_large(write))
        return RK_ERR_TOO_LARGE;
    record_bytes = rk_record_size(write->key_len, write->metadata_len, write->value_len, write->expiry_ms != 0);
    if (sizeof *request + record_bytes > rk_ring_message_max(client->settings.ring_bytes))
        return RK_ERR_TOO_LARGE;
    request = reserve(client, record_bytes, &op);
    if (request == NULL)
        return RK_ERR_AGAIN;
    op->done.write = done;
    op->context = context;
    op->is_delete = write->is_delete;
    *ticket_out = rk_store_op_ticket(client, op);
    build_request(request, write, *ticket_out, record_bytes);
    if (expected != NULL) {
        request->flags = RK_RING_EXPECTS;
        request->expected = *expected;
    }
    rk_ring_commit(&client->requests);
    return RK_OK;
}

enum rk_err rk_store_client_write(struct rk_store_client *client, const struct rk_store_write *write,
                                  rk_store_write_done_fn *done, void *context, rk_store_ticket *ticket_out)
{
    return rk_store_write_submit(client, write, NULL, done, context, ticket_out);
}

/* The operation's place may be another's before `done` returns: the result is not in it. */
static void end_write(struct rk_store_client *client, struct store_op *op, const struct rk_store_write_result *result)
{
    rk_store_write_done_fn *done = op->done.write;
    void *context = op->context;

    rk_store_op_end(client, op);
    if (done != NULL)
        done(context, result);
}

/* What it replaced was read: for the client there was nothing if that had expired when it was replaced. */
static void end_replaced(struct rk_store_client *client, struct store_op *op, const uint8_t *head)
{
    struct rk_store_write_result result = op->result;
    struct rk_record_header header;
    uint64_t expiry_ms = 0;

    if (head != NULL && rk_record_decode_header(head, &client->secret, &header) == RK_OK
        && header.type == RK_RECORD_PUT)
        expiry_ms = rk_record_expiry_ms(&header, head);
    if (expiry_ms != 0 && expiry_ms <= op->replaced_ms) {
        result.replaced = false;
        result.err = op->is_delete ? RK_ERR_NOT_FOUND : RK_OK;
    }
    end_write(client, op, &result);
}

/* The file may be gone: then it is not in our table, or open there still. */
static void look_at_replaced(struct rk_store_client *client, struct store_op *op,
                             const struct rk_ring_completion *completion, const struct rk_store_write_result *result)
{
    struct rk_location location = rk_disk_location_decode(completion->location);
    struct rk_store_file *file;
    uint8_t head[HEAD_BYTES];
    enum rk_err err;

    op->kind = OP_REPLACED;
    op->replaced_ms = completion->time_ms;
    op->result = *result;
    err = rk_store_files_get(client->files, location.file_number, &file);
    if (err == RK_OK)
        err = rk_store_read_cached(file->fd, head, sizeof head, location.offset_bytes);
    if (err == RK_ERR_AGAIN)
        err = rk_store_submit_read(client, op, file, location.offset_bytes, sizeof head);
    if (err != RK_ERR_AGAIN)
        end_replaced(client, op, err == RK_OK ? head : NULL);
}

void rk_store_write_finish(struct rk_store_client *client, const struct rk_ring_completion *completion)
{
    struct store_op *op = rk_store_op_find(client, completion->ticket);
    struct rk_store_write_result result;

    if (op == NULL || op->kind != OP_WRITE)
        return;
    result = (struct rk_store_write_result){ .err = (enum rk_err)completion->err,
                                             .none = (completion->flags & RK_RING_NONE) != 0,
                                             .replaced = (completion->flags & RK_RING_REPLACED) != 0,
                                             .synced = (completion->flags & RK_RING_DURABLE) != 0,
                                             .sequence = completion->sequence };
    if ((completion->flags & RK_RING_DUE) != 0 && op->done.write != NULL)
        look_at_replaced(client, op, completion, &result);
    else
        end_write(client, op, &result);
}

void rk_store_replaced_finish(struct rk_store_client *client, struct store_op *op, struct rk_store_read_job *job)
{
    rk_store_file_unpin(job->file);
    end_replaced(client, op, job->err == RK_OK ? job->bytes : NULL);
    free(job);
}

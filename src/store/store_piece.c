/* Pieces of a large value. */
#include "base/base_assert.h"
#include "store/store_get.h"
#include "store/store_op.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(RK_STORE_PIECE_BYTES == RK_RECORD_BLOCK_BYTES, "a piece is a block, and checked by its CRC");

enum rk_err rk_store_client_read_piece(struct rk_store_client *client, struct rk_store_source *source, size_t offset,
                                       uint8_t *bytes, size_t size, rk_store_piece_done_fn *done, void *context,
                                       rk_store_ticket *ticket_out)
{
    size_t block = offset / RK_RECORD_BLOCK_BYTES;
    uint64_t at = source->location.offset_bytes + source->head_bytes + offset;
    struct store_op *op;
    enum rk_err err;

    RK_ASSERT(offset % RK_STORE_PIECE_BYTES == 0 && size <= RK_STORE_PIECE_BYTES
              && offset + size <= source->header.value_len);
    err = rk_store_read_cached(source->file->fd, bytes, size, at);
    if (err == RK_OK)
        err = rk_record_check_block(&source->header, source->head, block, bytes);
    if (err == RK_OK)
        return RK_OK;
    if (err != RK_ERR_AGAIN)
        return rk_store_count_read_error(client, err);
    op = rk_store_op_start(client, OP_PIECE);
    if (op == NULL)
        return RK_ERR_FULL;
    op->done.piece = done;
    op->context = context;
    op->source = source;
    op->bytes = bytes;
    op->block = block;
    err = rk_store_submit_read(client, op, source->file, at, size);
    *ticket_out = rk_store_op_ticket(client, op);
    if (err != RK_ERR_AGAIN)
        rk_store_op_end(client, op);
    return err;
}

void rk_store_piece_finish(struct rk_store_client *client, struct store_op *op, struct rk_store_read_job *job)
{
    struct store_op was = *op;
    enum rk_err err = job->err;

    rk_store_op_end(client, op);
    if (was.done.piece != NULL) {
        if (err == RK_OK) {
            memcpy(was.bytes, job->bytes, job->size);
            err = rk_record_check_block(&was.source->header, was.source->head, was.block, was.bytes);
        }
        was.done.piece(was.context, err == RK_OK ? RK_OK : rk_store_count_read_error(client, err));
    }
    rk_store_file_unpin(job->file);
    free(job);
}

void rk_store_client_release(struct rk_store_client *client, struct rk_store_source *source)
{
    rk_store_file_unpin(source->file);
}

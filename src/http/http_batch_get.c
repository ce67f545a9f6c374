/* A line of a batch that reads. */
#include "http/http_batch_private.h"
#include "http/http_write_problem.h"

#include <string.h>

static enum rk_http_problem problem_of_get(enum rk_err err)
{
    return err == RK_ERR_CORRUPT                                              ? RK_HTTP_PROBLEM_DAMAGED
           : err == RK_ERR_IO                                                 ? RK_HTTP_PROBLEM_READ_ERROR
           : err == RK_ERR_BUSY                                               ? RK_HTTP_PROBLEM_NOT_READY
           : err == RK_ERR_FULL || err == RK_ERR_LIMIT || err == RK_ERR_AGAIN ? RK_HTTP_PROBLEM_BUSY
                                                                              : rk_http_write_problem(err);
}

static void on_piece(void *context, enum rk_err err);

/* Goes on with a large value until it is there, or has to be waited for. */
static void read_pieces(struct batch_item *item)
{
    const struct rk_http_backend *backend = rk_http_batch_backend(item);
    enum rk_err err = RK_OK;

    while (err == RK_OK && item->offset < item->value.len) {
        size_t left = item->value.len - item->offset;
        size_t size = left < RK_STORE_PIECE_BYTES ? left : RK_STORE_PIECE_BYTES;
        uint8_t *bytes = (uint8_t *)(uintptr_t)item->value.at + item->offset;

        err =
            backend->read_piece(backend->self, item->source, item->offset, bytes, size, on_piece, item, &item->ticket);
        item->offset += size;
    }
    if (err == RK_ERR_AGAIN)
        return;
    if (err == RK_OK)
        rk_http_batch_item_end(item);
    else
        rk_http_batch_item_fail(item, problem_of_get(err));
}

static void on_piece(void *context, enum rk_err err)
{
    struct batch_item *item = context;

    item->ticket = 0;
    if (err == RK_OK)
        read_pieces(item);
    else
        rk_http_batch_item_fail(item, problem_of_get(err));
    item->batch->pump(item->batch);
}

/* What the store gives need not last until the answer, in which a later line may have replaced it. */
static void take_type(struct batch_item *item, struct rk_http_span type)
{
    h2o_iovec_t own;

    if (type.at == NULL)
        return;
    own = h2o_strdup(&item->batch->request->req->pool, type.at, type.len);
    item->content_type = (struct rk_http_span){ own.base, own.len };
}

static void take_found(struct batch_item *item, const struct rk_store_value *value)
{
    struct rk_http_batch *batch = item->batch;
    struct rk_http_metadata metadata = { .own = { NULL, 0 } };

    item->source = value->source;
    if (value->metadata_len > 0 && rk_http_metadata_decode(value->metadata, value->metadata_len, &metadata) != RK_OK) {
        rk_http_batch_item_fail(item, RK_HTTP_PROBLEM_DAMAGED);
        return;
    }
    if (batch->answer_bytes + value->value_len > batch->request->server->settings.max_value_bytes) {
        rk_http_batch_item_fail(item, RK_HTTP_PROBLEM_VALUE_TOO_LARGE);
        return;
    }
    batch->answer_bytes += value->value_len;
    item->status = 200;
    item->sequence = item->etag = value->sequence;
    take_type(item, metadata.stored[RK_HTTP_CONTENT_TYPE]);
    item->value = (struct rk_http_span){ (const char *)value->value, value->value_len };
    if (value->source != NULL)
        item->value.at = h2o_mem_alloc_pool(&batch->request->req->pool, value->value_len);
    item->offset = value->source != NULL ? 0 : value->value_len;
    read_pieces(item);
}

static void take_get(struct batch_item *item, enum rk_err err, const struct rk_store_value *value)
{
    if (err == RK_OK)
        take_found(item, value);
    else
        rk_http_batch_item_fail(item, err == RK_ERR_NOT_FOUND ? RK_HTTP_PROBLEM_NOT_FOUND : problem_of_get(err));
}

static void on_get(void *context, enum rk_err err, const struct rk_store_value *value)
{
    struct batch_item *item = context;

    item->ticket = 0;
    take_get(item, err, value);
    item->batch->pump(item->batch);
}

enum rk_err rk_http_batch_get_start(struct batch_item *item)
{
    const struct rk_http_backend *backend = rk_http_batch_backend(item);
    const struct rk_store_arena arena = rk_http_batch_arena(item);
    struct rk_store_value value;
    enum rk_err err =
        backend->get(backend->self, item->line.key.at, item->line.key.len, &arena, &value, on_get, item, &item->ticket);

    if (err != RK_ERR_AGAIN)
        take_get(item, err, &value);
    return RK_OK;
}

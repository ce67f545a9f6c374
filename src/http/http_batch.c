/* A batch: each line is an operation of its own, as a request on one key is. Lines of different keys are under way
 * together, so that many writes are a few commits; a line waits for the one before it that has the same key.
 *
 *   ready -> under way -> done       a line is ready at once, or when the one before it on its key is done
 *
 * 1. Nothing is begun before all lines were read: a batch that is too large does nothing.
 * 2. Answers are sent together, in the order of the lines.
 * 3. Values that are answered have limits.max_value together; a get beyond that is told so in its line. */
#include "http/http_batch.h"

#include "http/http_answer.h"
#include "http/http_batch_private.h"

#include "http/http_write_problem.h"

#include <string.h>

/* RK_ERR_AGAIN: it cannot begin before others of the batch are done. */
static enum rk_err start_item(struct batch_item *item)
{
    struct rk_http_batch *batch = item->batch;
    enum rk_err err;

    if (item->problem != RK_HTTP_NO_PROBLEM) {
        rk_http_batch_item_end(item);
        return RK_OK;
    }
    item->state = BATCH_UNDER_WAY;
    batch->n_under_way++;
    err = item->line.kind == RK_HTTP_BATCH_GET ? rk_http_batch_get_start(item) : rk_http_batch_write_start(item);
    if (err == RK_OK)
        return RK_OK;
    if (err == RK_ERR_AGAIN && batch->n_under_way > 1) {
        item->state = BATCH_WAITING;
        batch->n_under_way--;
        return err;
    }
    rk_http_batch_item_fail(item, rk_http_write_problem(err));
    return RK_OK;
}

/* Of one batch: the ring is everybody's. */
#define UNDER_WAY_MAX 1024u

static void answer(struct rk_http_batch *batch)
{
    batch->is_answered = true;
    rk_http_request_settle(batch->request);
    rk_http_batch_answer(batch);
}

/* Begins what can begin; answers when all is done. */
static void pump(struct rk_http_batch *batch)
{
    while (batch->ready != NULL && batch->n_under_way < UNDER_WAY_MAX) {
        struct batch_item *item = batch->ready;

        if (start_item(item) == RK_ERR_AGAIN)
            return;
        batch->ready = item->next_ready;
        if (batch->ready == NULL)
            batch->last_ready = &batch->ready;
    }
    if (batch->n_done == batch->n_items && !batch->is_answered)
        answer(batch);
}

/* Of what is under way nobody hears any more. */
static void cancel_all(struct rk_http_batch *batch)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];

        if (item->ticket != 0)
            rk_http_batch_backend(item)->cancel(rk_http_batch_backend(item)->self, item->ticket);
        item->ticket = 0;
        rk_http_batch_item_release(item);
    }
}

static void on_batch_end(void *slot)
{
    cancel_all(*(struct rk_http_batch **)slot);
}

static void on_batch_deadline(struct rk_http_request *request)
{
    struct rk_http_batch *batch = request->batch;

    cancel_all(batch);
    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];

        if (item->state == BATCH_DONE)
            continue;
        item->problem = RK_HTTP_PROBLEM_TIMEOUT;
        item->etag = 0;
        item->unknown = item->state == BATCH_UNDER_WAY && item->line.kind != RK_HTTP_BATCH_GET;
    }
    answer(batch);
}

static void start_batch(struct rk_http_request *request, size_t n_lines)
{
    h2o_mem_pool_t *pool = &request->req->pool;
    struct rk_http_batch *batch = h2o_mem_alloc_pool(pool, sizeof *batch);
    struct rk_http_batch **slot;

    *batch = (struct rk_http_batch){ .request = request, .n_items = n_lines, .pump = pump };
    batch->items = h2o_mem_alloc_pool(pool, (n_lines + 1) * sizeof *batch->items);
    batch->last_ready = &batch->ready;
    request->batch = batch;
    rk_http_batch_read_lines(batch, request->req->entity);
    rk_http_batch_order_lines(batch);
    slot = h2o_mem_alloc_shared(pool, sizeof(struct rk_http_batch *), on_batch_end);
    *slot = batch;
    rk_http_request_hold(request, on_batch_deadline);
    pump(batch);
}

void rk_http_batch_start(struct rk_http_request *request)
{
    uint64_t max_bytes = request->server->settings.max_value_bytes;
    size_t n_lines = rk_http_batch_count_lines(request->req->entity);

    if (request->req->entity.len > max_bytes)
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_VALUE_TOO_LARGE, max_bytes, NULL);
    else if (n_lines > RK_HTTP_BATCH_LINES_MAX)
        rk_http_answer_problem(request, RK_HTTP_PROBLEM_BATCH_TOO_LONG, RK_HTTP_BATCH_LINES_MAX, NULL);
    else
        start_batch(request, n_lines);
}

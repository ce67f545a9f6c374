/* A line of a batch as it ends. */
#include "http/http_batch_private.h"

static void *allocate_in_pool(void *pool, size_t size)
{
    return h2o_mem_alloc_pool(pool, size);
}

const struct rk_http_backend *rk_http_batch_backend(const struct batch_item *item)
{
    return &item->batch->request->server->backend;
}

struct rk_store_arena rk_http_batch_arena(const struct batch_item *item)
{
    return (struct rk_store_arena){ allocate_in_pool, &item->batch->request->req->pool };
}

void rk_http_batch_item_release(struct batch_item *item)
{
    if (item->source != NULL)
        rk_http_batch_backend(item)->release(rk_http_batch_backend(item)->self, item->source);
    item->source = NULL;
}

void rk_http_batch_item_end(struct batch_item *item)
{
    struct rk_http_batch *batch = item->batch;

    batch->n_under_way -= item->state == BATCH_UNDER_WAY;
    item->state = BATCH_DONE;
    item->ticket = 0;
    batch->n_done++;
    rk_http_batch_item_release(item);
    if (item->next_same != NULL)
        rk_http_batch_make_ready(batch, item->next_same);
}

void rk_http_batch_item_fail(struct batch_item *item, enum rk_http_problem problem)
{
    item->problem = problem;
    rk_http_batch_item_end(item);
}

/* The lines of a batch: read, and put in order, each behind the one before it that has its key. */
#include "http/http_batch_private.h"

#include <string.h>

void rk_http_batch_make_ready(struct rk_http_batch *batch, struct batch_item *item)
{
    item->next_ready = NULL;
    *batch->last_ready = item;
    batch->last_ready = &item->next_ready;
}

size_t rk_http_batch_count_lines(h2o_iovec_t body)
{
    size_t n = 0;

    for (size_t i = 0; i < body.len; i++)
        n += body.base[i] == '\n';
    return n + (body.len > 0 && body.base[body.len - 1] != '\n');
}

void rk_http_batch_read_lines(struct rk_http_batch *batch, h2o_iovec_t body)
{
    struct rk_http_request *request = batch->request;
    char *room = h2o_mem_alloc_pool(&request->req->pool, body.len + 1);
    const char *at = body.base, *end = at + body.len;

    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        struct rk_http_span text = { at, (size_t)((line_end != NULL ? line_end : end) - at) };

        *item = (struct batch_item){ .batch = batch };
        item->problem = rk_http_batch_line_read(text, room, request->server->settings.max_key_bytes, &item->line);
        room += text.len;
        at += text.len + 1;
    }
}

static uint64_t hash_key(struct rk_http_span key)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

static bool is_same_key(const struct batch_item *a, const struct batch_item *b)
{
    return a->line.key.len == b->line.key.len && memcmp(a->line.key.at, b->line.key.at, a->line.key.len) == 0;
}

#define PLACES 32768u /* more than three for each line */

/* Each line behind the one before it with its key; who has none before it is ready. */
void rk_http_batch_order_lines(struct rk_http_batch *batch)
{
    struct batch_item **places = h2o_mem_alloc(PLACES * sizeof(struct batch_item *));

    memset(places, 0, PLACES * sizeof(struct batch_item *));
    for (size_t i = 0; i < batch->n_items; i++) {
        struct batch_item *item = &batch->items[i];
        size_t place;

        if (item->problem != RK_HTTP_NO_PROBLEM) {
            rk_http_batch_make_ready(batch, item);
            continue;
        }
        place = hash_key(item->line.key) % PLACES;
        while (places[place] != NULL && !is_same_key(places[place], item))
            place = (place + 1) % PLACES;
        if (places[place] != NULL)
            places[place]->next_same = item;
        else
            rk_http_batch_make_ready(batch, item);
        places[place] = item;
    }
    free(places);
}

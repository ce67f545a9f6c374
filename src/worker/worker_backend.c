#include "worker/worker_backend.h"

#include "http/http_backend.h"
#include "list/list_lister.h"
#include "shm/shm_handover.h"
#include "stats/stats_block.h"
#include "store/store_client.h"

#include <inttypes.h>
#include <stdio.h>

static struct rk_store_client *client_of(void *self)
{
    return ((struct rk_worker_backend *)self)->client;
}

/* Before recovery is over the keydir is not to be looked at, and nobody takes writes. It is over once and for all. */
static bool is_serving(struct rk_worker_backend *backend)
{
    /* Partner: the release store of the master, after the keydir and last_sequence. */
    if (!backend->serving)
        backend->serving = atomic_load_explicit(&backend->board->state, memory_order_acquire) == RK_BOARD_SERVING;
    return backend->serving;
}

static enum rk_err backend_get(void *self, const void *key, size_t key_len, const struct rk_store_arena *arena,
                               struct rk_store_value *value_out, rk_store_get_done_fn *done, void *context,
                               rk_store_ticket *ticket_out)
{
    if (!is_serving(self))
        return RK_ERR_BUSY;
    return rk_store_client_get(client_of(self), key, key_len, arena, value_out, done, context, ticket_out);
}

static enum rk_err backend_read_piece(void *self, struct rk_store_source *source, size_t offset, uint8_t *bytes,
                                      size_t size, rk_store_piece_done_fn *done, void *context,
                                      rk_store_ticket *ticket_out)
{
    return rk_store_client_read_piece(client_of(self), source, offset, bytes, size, done, context, ticket_out);
}

static void backend_release(void *self, struct rk_store_source *source)
{
    rk_store_client_release(client_of(self), source);
}

static enum rk_err backend_write(void *self, const struct rk_store_write *write, rk_store_write_done_fn *done,
                                 void *context, rk_store_ticket *ticket_out)
{
    if (!is_serving(self))
        return RK_ERR_BUSY;
    return rk_store_client_write(client_of(self), write, done, context, ticket_out);
}

static enum rk_err backend_update(void *self, const struct rk_store_update *update, const struct rk_store_arena *arena,
                                  rk_store_write_done_fn *done, void *context, rk_store_ticket *ticket_out)
{
    if (!is_serving(self))
        return RK_ERR_BUSY;
    return rk_store_client_update(client_of(self), update, arena, done, context, ticket_out);
}

static enum rk_err backend_list(void *self, const struct rk_list_ask *ask, const struct rk_list_fill *fill,
                                struct rk_listing **listing_out)
{
    if (!is_serving(self))
        return RK_ERR_BUSY;
    return rk_lister_open(((struct rk_worker_backend *)self)->lister, ask, fill, listing_out);
}

static void backend_list_more(void *self, struct rk_listing *listing, rk_list_done_fn *done, void *context)
{
    rk_lister_more(((struct rk_worker_backend *)self)->lister, listing, done, context);
}

static void backend_list_end(void *self, struct rk_listing *listing)
{
    rk_lister_end(((struct rk_worker_backend *)self)->lister, listing);
}

static void backend_cancel(void *self, rk_store_ticket ticket)
{
    rk_store_client_cancel(client_of(self), ticket);
}

static uint64_t backend_last_sequence(void *self)
{
    const struct rk_worker_backend *backend = self;

    return atomic_load_explicit(&backend->board->last_sequence, memory_order_acquire);
}

static enum rk_err backend_accepts(void *self)
{
    const struct rk_worker_backend *backend = self;

    return rk_stats_accepted_err(rk_stats_accepted(&backend->stats->writer));
}

static void describe_recovery(struct rk_worker_backend *backend)
{
    const struct rk_board_recovery *recovery = &backend->board->recovery;

    (void)snprintf(backend->why, sizeof backend->why,
                   "\"state\":\"recovering\",\"done_bytes\":%" PRIu64 ",\"total_bytes\":%" PRIu64
                   ",\"records\":%" PRIu64,
                   atomic_load_explicit(&recovery->done_bytes, memory_order_relaxed),
                   atomic_load_explicit(&recovery->total_bytes, memory_order_relaxed),
                   atomic_load_explicit(&recovery->n_records, memory_order_relaxed));
}

/* What does not work although reads do; NULL when all does. */
static const char *find_restriction(struct rk_worker_backend *backend)
{
    enum rk_stats_accepted accepted = rk_stats_accepted(&backend->stats->writer);

    if (accepted == RK_STATS_ACCEPTS_ALL)
        return NULL;
    (void)snprintf(backend->why, sizeof backend->why, "ready, %s: %s\n",
                   accepted == RK_STATS_ACCEPTS_DELETES ? "disk full" : "read-only", rk_stats_accepted_text(accepted));
    return backend->why;
}

static bool backend_ready(void *self, const char **why_out)
{
    struct rk_worker_backend *backend = self;

    if (!is_serving(backend)) {
        describe_recovery(backend);
        *why_out = backend->why;
        return false;
    }
    if (backend->draining) {
        *why_out = "\"state\":\"draining\"";
        return false;
    }
    *why_out = find_restriction(backend);
    return true;
}

/* Gauges of the other workers: each is written by its worker, and cleared by the master when it has died. */
static uint64_t backend_uploads_elsewhere(void *self)
{
    const struct rk_worker_backend *backend = self;
    uint64_t sum = 0;

    for (unsigned slot = 0; slot < backend->board->n_slots; slot++)
        if (slot != backend->slot)
            sum += atomic_load_explicit(&backend->stats->slots[slot].http.upload_bytes, memory_order_relaxed);
    return sum;
}

void rk_worker_backend_init(struct rk_http_backend *table, struct rk_worker_backend *backend)
{
    *table = (struct rk_http_backend){ .self = backend,
                                       .get = backend_get,
                                       .read_piece = backend_read_piece,
                                       .release = backend_release,
                                       .write = backend_write,
                                       .update = backend_update,
                                       .list = backend_list,
                                       .list_more = backend_list_more,
                                       .list_end = backend_list_end,
                                       .cancel = backend_cancel,
                                       .last_sequence = backend_last_sequence,
                                       .accepts = backend_accepts,
                                       .ready = backend_ready,
                                       .stats = backend->stats,
                                       .uploads_elsewhere = backend_uploads_elsewhere };
}

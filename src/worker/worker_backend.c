#include "worker/worker_backend.h"

#include "http/http_backend.h"
#include "stats/stats_store.h"
#include "store/store_client.h"

static struct rk_store_client *client_of(void *self)
{
    return ((struct rk_worker_backend *)self)->client;
}

static enum rk_err backend_get(void *self, const void *key, size_t key_len, const struct rk_store_arena *arena,
                               struct rk_store_value *value_out, rk_store_get_done_fn *done, void *context,
                               rk_store_ticket *ticket_out)
{
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
    return rk_store_client_write(client_of(self), write, done, context, ticket_out);
}

static void backend_cancel(void *self, rk_store_ticket ticket)
{
    rk_store_client_cancel(client_of(self), ticket);
}

/* Reads work: that is what ready means. What does not is said as well. */
static bool backend_ready(void *self, const char **why_out)
{
    const struct rk_worker_backend *backend = self;
    uint64_t refused = rk_counter_get(&backend->writer->refused);

    if (refused == (uint64_t)-RK_ERR_NO_SPACE)
        *why_out = "ready, disk full: puts are refused until there is space, deletes and reads go on\n";
    else if (refused != 0)
        *why_out = "ready, read-only: writes are refused until a restart\n";
    return true;
}

void rk_worker_backend_init(struct rk_http_backend *table, struct rk_worker_backend *backend)
{
    *table = (struct rk_http_backend){ .self = backend,
                                       .get = backend_get,
                                       .read_piece = backend_read_piece,
                                       .release = backend_release,
                                       .write = backend_write,
                                       .cancel = backend_cancel,
                                       .ready = backend_ready };
}

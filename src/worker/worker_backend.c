#include "worker/worker_backend.h"

#include "http/http_backend.h"
#include "store/store_client.h"

static enum rk_err backend_get(void *self, const void *key, size_t key_len, const struct rk_store_arena *arena,
                               struct rk_store_value *value_out, rk_store_get_done_fn *done, void *context,
                               rk_store_ticket *ticket_out)
{
    return rk_store_client_get(self, key, key_len, arena, value_out, done, context, ticket_out);
}

static enum rk_err backend_read_piece(void *self, struct rk_store_source *source, size_t offset, uint8_t *bytes,
                                      size_t size, rk_store_piece_done_fn *done, void *context,
                                      rk_store_ticket *ticket_out)
{
    return rk_store_client_read_piece(self, source, offset, bytes, size, done, context, ticket_out);
}

static void backend_release(void *self, struct rk_store_source *source)
{
    rk_store_client_release(self, source);
}

static enum rk_err backend_write(void *self, const struct rk_store_write *write, rk_store_write_done_fn *done,
                                 void *context, rk_store_ticket *ticket_out)
{
    return rk_store_client_write(self, write, done, context, ticket_out);
}

static void backend_cancel(void *self, rk_store_ticket ticket)
{
    rk_store_client_cancel(self, ticket);
}

/* A worker is started when recovery is over, and stops listening before it drains. */
static bool backend_ready(void *self, const char **why_out)
{
    return true;
}

void rk_worker_backend_init(struct rk_http_backend *backend, struct rk_store_client *client)
{
    *backend = (struct rk_http_backend){ .self = client,
                                         .get = backend_get,
                                         .read_piece = backend_read_piece,
                                         .release = backend_release,
                                         .write = backend_write,
                                         .cancel = backend_cancel,
                                         .ready = backend_ready };
}

#include "store/store_client.h"

#include "base/base_mem.h"
#include "base/base_time.h"
#include "shm/shm_doorbell.h"
#include "store/store_get.h"
#include "store/store_op.h"
#include "store/store_update.h"
#include "store/store_write.h"

#include <stdlib.h>
#include <string.h>

enum rk_err rk_store_client_create(struct rk_store_client **client_out, const struct rk_store_client_settings *settings,
                                   struct rk_detail *detail)
{
    struct rk_store_client *client = rk_mem_calloc(1, sizeof *client);
    enum rk_err err;

    client->settings = *settings;
    client->secret = rk_disk_secret_derive(settings->hash_key);
    rk_ring_producer_init(&client->requests, settings->requests, settings->ring_bytes);
    rk_ring_consumer_init(&client->completions, settings->completions, RK_RING_COMPLETION_BYTES);
    client->ops = rk_mem_calloc(RK_RING_PENDING_MAX, sizeof *client->ops);
    client->files = rk_store_files_create(settings->data_dir_fd, settings->max_open_files);
    client->updates = rk_store_updates_create();
    err = rk_store_readers_create(&client->readers, settings->n_reader_threads, settings->own_event_fd, detail);
    if (err != RK_OK) {
        rk_store_client_destroy(&client);
        return err;
    }
    *client_out = client;
    return RK_OK;
}

void rk_store_client_destroy(struct rk_store_client **client)
{
    if (*client == NULL)
        return;
    rk_store_readers_destroy(&(*client)->readers);
    rk_store_updates_destroy(&(*client)->updates);
    rk_store_files_destroy(&(*client)->files);
    free((*client)->ops);
    free(*client);
    *client = NULL;
}

void rk_store_client_cancel(struct rk_store_client *client, rk_store_ticket ticket)
{
    struct store_op *op = rk_store_op_find(client, ticket);

    if (op != NULL && op->kind == OP_UPDATE)
        rk_store_update_cancel(client, op);
    else
        rk_store_op_cancel(client, ticket);
}

void rk_store_client_flush(struct rk_store_client *client)
{
    if (rk_ring_publish(&client->requests))
        (void)rk_doorbell_ring(client->settings.writer_doorbell, client->settings.writer_event_fd); /* or it is awake */
}

static enum rk_err poll_completions(struct rk_store_client *client)
{
    uint8_t *message;
    uint64_t size;
    enum rk_err err;

    while ((err = rk_ring_next(&client->completions, &message, &size)) == RK_OK) {
        struct rk_ring_completion completion;

        if (size != sizeof completion)
            return RK_ERR_CORRUPT;
        memcpy(&completion, message, sizeof completion);
        rk_store_write_finish(client, &completion);
    }
    rk_ring_release(&client->completions);
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

static void poll_jobs(struct rk_store_client *client)
{
    struct rk_store_read_job *job;

    while (client->n_jobs > 0 && (job = rk_store_readers_collect(client->readers)) != NULL) {
        struct store_op *op = rk_store_op_find(client, job->ticket);

        client->n_jobs--;
        if (op->kind == OP_GET)
            rk_store_get_finish(client, op, job);
        else if (op->kind == OP_REPLACED)
            rk_store_replaced_finish(client, op, job);
        else
            rk_store_piece_finish(client, op, job);
    }
}

/* While a large value is read from a file that is gone. */
#define LOOK_AT_GONE_NS (100 * RK_NS_PER_MS)

/* A file that was unlinked takes its space until the last descriptor of it is closed. */
static void close_gone_files(struct rk_store_client *client)
{
    uint64_t edition, now_ns;

    if (client->settings.files_edition == NULL)
        return;
    edition = atomic_load_explicit(client->settings.files_edition, memory_order_acquire);
    if (edition == client->files_edition)
        return;
    now_ns = rk_time_monotonic_ns();
    if (now_ns < client->look_at_gone_ns)
        return;
    client->look_at_gone_ns = now_ns + LOOK_AT_GONE_NS;
    if (rk_store_files_close_gone(client->files))
        client->files_edition = edition;
}

enum rk_err rk_store_client_poll(struct rk_store_client *client)
{
    enum rk_err err;

    poll_jobs(client);
    close_gone_files(client);
    err = poll_completions(client);
    if (err == RK_OK && client->n_lanes > 0)
        rk_store_updates_poll(client);
    return err;
}

bool rk_store_client_waiting(const struct rk_store_client *client)
{
    return rk_ring_waiting(&client->completions) || (client->n_lanes > 0 && rk_store_updates_waiting(client));
}

size_t rk_store_client_n_pending(const struct rk_store_client *client)
{
    return client->n_pending;
}

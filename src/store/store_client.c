#include "store/store_client.h"

#include "base/base_mem.h"
#include "base/base_time.h"
#include "shm/shm_doorbell.h"
#include "store/store_get.h"
#include "store/store_op.h"

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
    rk_store_files_destroy(&(*client)->files);
    free((*client)->ops);
    free(*client);
    *client = NULL;
}

void rk_store_client_cancel(struct rk_store_client *client, rk_store_ticket ticket)
{
    struct store_op *op = rk_store_op_find(client, ticket);

    if (op == NULL)
        return;
    op->done.get = NULL;
    op->context = NULL;
}

/* Builds the record where the writer will find it. */
static void build_request(struct rk_ring_request *request, const struct rk_store_write *write, rk_store_ticket ticket,
                          uint64_t record_bytes)
{
    *request = (struct rk_ring_request){ .ticket = ticket, .record_bytes = record_bytes };
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

enum rk_err rk_store_client_write(struct rk_store_client *client, const struct rk_store_write *write,
                                  rk_store_write_done_fn *done, void *context, rk_store_ticket *ticket_out)
{
    uint64_t record_bytes;
    struct rk_ring_request *request;
    struct store_op *op;

    if (write->key_len == 0 || write->key_len > RK_RECORD_KEY_MAX || write->metadata_len > RK_RECORD_METADATA_MAX
        || write->value_len > RK_RECORD_VALUE_MAX)
        return RK_ERR_TOO_LARGE;
    record_bytes = rk_record_size(write->key_len, write->metadata_len, write->value_len, write->expiry_ms != 0);
    if (sizeof *request + record_bytes > rk_ring_message_max(client->settings.ring_bytes))
        return RK_ERR_TOO_LARGE;
    op = rk_store_op_start(client, OP_WRITE);
    request = op != NULL ? rk_ring_reserve(&client->requests, sizeof *request + record_bytes) : NULL;
    if (request == NULL) {
        if (op != NULL)
            rk_store_op_end(client, op);
        rk_counter_add(&client->settings.stats->ring_full, 1);
        return RK_ERR_AGAIN;
    }
    op->done.write = done;
    op->context = context;
    *ticket_out = rk_store_op_ticket(client, op);
    build_request(request, write, *ticket_out, record_bytes);
    rk_ring_commit(&client->requests);
    return RK_OK;
}

void rk_store_client_flush(struct rk_store_client *client)
{
    if (rk_ring_publish(&client->requests))
        (void)rk_doorbell_ring(client->settings.writer_doorbell, client->settings.writer_event_fd); /* or it is awake */
}

static void finish_write(struct rk_store_client *client, const struct rk_ring_completion *completion)
{
    struct store_op *op = rk_store_op_find(client, completion->ticket);
    struct rk_store_write_result result = { .err = (enum rk_err)completion->err,
                                            .none = (completion->flags & RK_RING_NONE) != 0,
                                            .replaced = (completion->flags & RK_RING_REPLACED) != 0,
                                            .sequence = completion->sequence };
    rk_store_write_done_fn *done;
    void *context;

    if (op == NULL || op->kind != OP_WRITE)
        return;
    done = op->done.write;
    context = op->context;
    rk_store_op_end(client, op);
    if (done != NULL)
        done(context, &result);
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
        finish_write(client, &completion);
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
    poll_jobs(client);
    close_gone_files(client);
    return poll_completions(client);
}

bool rk_store_client_waiting(const struct rk_store_client *client)
{
    return rk_ring_waiting(&client->completions);
}

size_t rk_store_client_n_pending(const struct rk_store_client *client)
{
    return client->n_pending;
}

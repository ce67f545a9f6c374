#include "store/store_op.h"

#include "base/base_io.h"
#include "base/base_planted.h"

#include <errno.h>
#include <sys/uio.h>

/* The one that was free last, or one that never was in use: a new worker touches no memory that it does not need, which
 * was a quarter of the processor time that it took to serve (22 ms, of 50 starts each; now 17). */
static struct store_op *take_op(struct rk_store_client *client)
{
    struct store_op *op;

    if (client->first_free == 0)
        return client->n_used < RK_RING_PENDING_MAX ? &client->ops[client->n_used++] : NULL;
    op = &client->ops[client->first_free - 1];
    client->first_free = op->next_free;
    return op;
}

struct store_op *rk_store_op_start(struct rk_store_client *client, enum op_kind kind)
{
    struct store_op *op = take_op(client);

    if (op == NULL)
        return NULL;
    client->n_pending++;
    op->kind = kind;
    op->generation++;
    return op;
}

void rk_store_op_end(struct rk_store_client *client, struct store_op *op)
{
    op->kind = OP_FREE;
    op->next_free = client->first_free;
    client->first_free = (uint32_t)(op - client->ops) + 1;
    client->n_pending--;
}

rk_store_ticket rk_store_op_ticket(const struct rk_store_client *client, const struct store_op *op)
{
    return (uint64_t)op->generation << 32 | ((uint64_t)(op - client->ops) + 1);
}

struct store_op *rk_store_op_find(struct rk_store_client *client, rk_store_ticket ticket)
{
    uint32_t index = (uint32_t)ticket;
    struct store_op *op;

    if (index == 0 || index > RK_RING_PENDING_MAX)
        return NULL;
    op = &client->ops[index - 1];
    if (op->kind == OP_FREE || (op->generation != (uint32_t)(ticket >> 32) && !RK_PLANTED(stale_completion)))
        return NULL;
    return op;
}

void rk_store_op_cancel(struct rk_store_client *client, rk_store_ticket ticket)
{
    struct store_op *op = rk_store_op_find(client, ticket);

    if (op == NULL)
        return;
    op->done.get = NULL;
    op->context = NULL;
}

enum rk_err rk_store_submit_read(struct rk_store_client *client, const struct store_op *op, struct rk_store_file *file,
                                 uint64_t offset, size_t size)
{
    struct rk_store_read_job *job = rk_store_read_job_create(size);

    if (job == NULL)
        return RK_ERR_NO_MEMORY;
    job->file = file;
    job->fd = file->fd;
    job->offset = offset;
    job->ticket = rk_store_op_ticket(client, op);
    rk_store_file_pin(file);
    client->n_jobs++;
    rk_counter_add(&client->settings.stats->disk_reads, 1);
    rk_store_readers_submit(client->readers, job);
    return RK_ERR_AGAIN;
}

enum rk_err rk_store_read_cached(int fd, void *bytes, size_t size, uint64_t offset)
{
    struct iovec iov = { .iov_base = bytes, .iov_len = size };
    ssize_t n = rk_io->preadv2(fd, &iov, 1, (off_t)offset, RWF_NOWAIT);

    if (n == (ssize_t)size)
        return RK_OK;
    return n >= 0 || errno == EAGAIN || errno == EOPNOTSUPP ? RK_ERR_AGAIN : RK_ERR_IO;
}

enum rk_err rk_store_count_read_error(struct rk_store_client *client, enum rk_err err)
{
    if (err == RK_ERR_CORRUPT || err == RK_ERR_TORN) {
        rk_counter_add(&client->settings.stats->corrupt, 1);
        return RK_ERR_CORRUPT;
    }
    rk_counter_add(&client->settings.stats->read_errors, 1);
    return err == RK_ERR_LIMIT || err == RK_ERR_NO_MEMORY ? err : RK_ERR_IO; /* those pass, the disk's may not */
}

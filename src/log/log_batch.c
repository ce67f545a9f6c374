#include "log/log_batch.h"

#include "base/base_mem.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_ALIGNMENT 4096
#define IOVS_A_RECORD    2 /* at most: its header, its rest */

void rk_log_batch_init(struct rk_log_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->buffer = rk_mem_aligned(BUFFER_ALIGNMENT, RK_LOG_BATCH_BUFFER_BYTES);
    memset(batch->buffer, 0, RK_LOG_BATCH_BUFFER_BYTES); /* its pages are there before the first request */
}

void rk_log_batch_fini(struct rk_log_batch *batch)
{
    free(batch->buffer);
    batch->buffer = NULL;
}

static size_t copied_size(uint64_t size_bytes)
{
    return size_bytes <= RK_LOG_BATCH_SMALL_BYTES ? (size_t)size_bytes : RK_RECORD_HEADER_BYTES;
}

bool rk_log_batch_has_room(const struct rk_log_batch *batch, uint64_t size_bytes)
{
    if (batch->n_records == 0)
        return true;
    return batch->buffer_used + copied_size(size_bytes) <= RK_LOG_BATCH_BUFFER_BYTES
           && batch->n_iov + IOVS_A_RECORD <= RK_LOG_BATCH_IOVS
           && batch->size_bytes + size_bytes <= RK_LOG_BATCH_BYTES_MAX;
}

static uint8_t *add_copy(struct rk_log_batch *batch, const void *bytes, size_t size)
{
    uint8_t *at = batch->buffer + batch->buffer_used;

    memcpy(at, bytes, size);
    batch->buffer_used += size;
    if (!batch->open_piece)
        batch->iov[batch->n_iov++] = (struct iovec){ .iov_base = at };
    batch->iov[batch->n_iov - 1].iov_len += size;
    batch->open_piece = true;
    return at;
}

static void add_reference(struct rk_log_batch *batch, const void *bytes, size_t size)
{
    batch->iov[batch->n_iov++] = (struct iovec){ .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
    batch->open_piece = false;
}

uint8_t *rk_log_batch_add(struct rk_log_batch *batch, const uint8_t header[RK_RECORD_HEADER_BYTES], const uint8_t *rest,
                          uint64_t size_bytes)
{
    size_t rest_size = (size_t)size_bytes - RK_RECORD_HEADER_BYTES;
    uint8_t *header_copy = add_copy(batch, header, RK_RECORD_HEADER_BYTES);

    if (size_bytes <= RK_LOG_BATCH_SMALL_BYTES)
        (void)add_copy(batch, rest, rest_size); /* where it lies is known: right behind the header */
    else
        add_reference(batch, rest, rest_size);
    batch->size_bytes += size_bytes;
    batch->n_records++;
    return header_copy;
}

void rk_log_batch_clear(struct rk_log_batch *batch)
{
    batch->buffer_used = 0;
    batch->n_iov = 0;
    batch->open_piece = false;
    batch->size_bytes = 0;
    batch->n_records = 0;
}

#include "writer/writer_request.h"

#include "log/log_batch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Room for the copies of large records in one batch; a single record may have more. */
#define COPIES_BYTES ((size_t)8 << 20)

static enum rk_err reserve(struct rk_writer_copies *copies, size_t size)
{
    size_t capacity = size > COPIES_BYTES ? size : COPIES_BYTES;

    if (copies->used + size <= copies->capacity)
        return RK_OK;
    if (copies->used > 0)
        return RK_ERR_FULL;
    free(copies->bytes);
    copies->bytes = malloc(capacity); /* touched as far as it is used */
    copies->capacity = copies->bytes != NULL ? capacity : 0;
    return copies->bytes != NULL ? RK_OK : RK_ERR_NO_MEMORY;
}

void rk_writer_copies_fini(struct rk_writer_copies *copies)
{
    free(copies->bytes);
    *copies = (struct rk_writer_copies){ .bytes = NULL };
}

void rk_writer_copies_clear(struct rk_writer_copies *copies)
{
    copies->used = 0;
    if (copies->capacity > COPIES_BYTES)
        rk_writer_copies_fini(copies);
}

static enum rk_err copy_record(struct rk_writer_request *request, struct rk_writer_copies *copies,
                               const uint8_t *record, size_t size)
{
    enum rk_err err = reserve(copies, size);

    if (err != RK_OK)
        return err;
    request->record = memcpy(copies->bytes + copies->used, record, size);
    if (size > RK_LOG_BATCH_SMALL_BYTES)
        copies->used += size;
    return RK_OK;
}

/* What is in the copy of a head, `left` bytes of the message being behind it. */
static bool is_head(const struct rk_ring_request *head, uint64_t left)
{
    if (head->record_bytes < RK_RECORD_HEADER_BYTES || head->record_bytes > left
        || head->record_bytes % RK_RING_ALIGN_BYTES != 0)
        return false;
    if (head->durability >= RK_RING_N_DURABILITIES || (head->flags & ~RK_RING_EXPECTS) != 0)
        return false;
    if (head->expected != 0 && (head->flags & RK_RING_EXPECTS) == 0)
        return false;
    return (head->reserved[0] | head->reserved[1]) == 0 && head->reserved_word == 0;
}

enum rk_err rk_writer_request_decode(struct rk_writer_request *request, struct rk_writer_copies *copies,
                                     const uint8_t *message, uint64_t size)
{
    enum rk_err err;

    if (size < sizeof request->head)
        return RK_ERR_CORRUPT;
    memcpy(&request->head, message, sizeof request->head);
    if (!is_head(&request->head, size - sizeof request->head))
        return RK_ERR_CORRUPT;
    err = copy_record(request, copies, message + sizeof request->head, request->head.record_bytes);
    if (err != RK_OK)
        return err;
    memcpy(request->header_bytes, request->record, RK_RECORD_HEADER_BYTES);
    if (rk_record_decode_unstamped_header(request->header_bytes, &request->header) != RK_OK)
        return RK_ERR_CORRUPT;
    if (request->header.type != RK_RECORD_PUT && request->header.type != RK_RECORD_TOMBSTONE)
        return RK_ERR_CORRUPT;
    if (request->header.key_len == 0 || rk_record_size_of(&request->header) != request->head.record_bytes)
        return RK_ERR_CORRUPT;
    return rk_record_check_body(&request->header, request->record, true);
}

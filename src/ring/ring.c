#include "ring/ring.h"

#include "base/base_assert.h"

#include <string.h>

#define RING_MAGIC 0x474e49525f564b52ull /* "RKV_RING" */

enum message_kind { KIND_MESSAGE = 1, KIND_PAD = 2 };

struct message_header {
    uint64_t length;
    uint32_t kind;
    uint32_t zeros;
};

_Static_assert(sizeof(struct message_header) == RK_RING_HEADER_BYTES, "the drawing says 16");
_Static_assert(sizeof(struct rk_ring) <= RK_RING_DATA_OFFSET, "the words stand before the data area");
_Static_assert(offsetof(struct rk_ring, tail) == 64 && offsetof(struct rk_ring, head) == 128,
               "each side writes a line of its own");

static uint64_t align_up(uint64_t size)
{
    return (size + RK_RING_ALIGN_BYTES - 1) & ~(uint64_t)(RK_RING_ALIGN_BYTES - 1);
}

/* Behind so many bytes that do not go past the end; there the next ones begin at the front. Any size will do: no offset
 * is ever computed from a position. */
static uint64_t offset_behind(uint64_t offset, uint64_t bytes, uint64_t size_bytes)
{
    return offset + bytes == size_bytes ? 0 : offset + bytes;
}

void rk_ring_format(struct rk_ring *ring, uint64_t size_bytes, uint64_t incarnation)
{
    RK_ASSERT(size_bytes >= 4096 && size_bytes % RK_RING_ALIGN_BYTES == 0);
    ring->magic = RING_MAGIC;
    ring->size_bytes = size_bytes;
    atomic_store_explicit(&ring->head, 0, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, 0, memory_order_relaxed);
    atomic_store_explicit(&ring->base, 0, memory_order_relaxed);
    atomic_store_explicit(&ring->incarnation, incarnation, memory_order_release);
}

bool rk_ring_fits(const struct rk_ring *ring, uint64_t size_bytes)
{
    return ring->magic == RING_MAGIC && ring->size_bytes == size_bytes;
}

void rk_ring_producer_init(struct rk_ring_producer *producer, struct rk_ring *ring, uint64_t size_bytes)
{
    *producer = (struct rk_ring_producer){ .ring = ring,
                                           .data = (uint8_t *)ring + RK_RING_DATA_OFFSET,
                                           .size_bytes = size_bytes };
}

void rk_ring_consumer_init(struct rk_ring_consumer *consumer, struct rk_ring *ring, uint64_t size_bytes)
{
    *consumer = (struct rk_ring_consumer){ .ring = ring,
                                           .data = (uint8_t *)ring + RK_RING_DATA_OFFSET,
                                           .size_bytes = size_bytes };
}

uint64_t rk_ring_message_max(uint64_t size_bytes)
{
    /* Half: whatever the offset, the piece before the end or the piece after it is long enough. */
    return size_bytes / 2 / RK_RING_ALIGN_BYTES * RK_RING_ALIGN_BYTES - RK_RING_HEADER_BYTES;
}

static void put_header(struct rk_ring_producer *producer, uint64_t length, enum message_kind kind)
{
    struct message_header header = { .length = length, .kind = kind };

    memcpy(producer->data + producer->offset, &header, sizeof header);
}

/* Fills what is left before the end of the data area with a pad. */
static void pad_to_end(struct rk_ring_producer *producer)
{
    uint64_t left = producer->size_bytes - producer->offset;

    put_header(producer, left - RK_RING_HEADER_BYTES, KIND_PAD);
    producer->tail += left;
    producer->offset = 0;
}

static bool has_room(struct rk_ring_producer *producer, uint64_t bytes)
{
    if (producer->tail + bytes - producer->head <= producer->size_bytes)
        return true;
    producer->head = atomic_load_explicit(&producer->ring->head, memory_order_acquire);
    return producer->tail + bytes - producer->head <= producer->size_bytes;
}

/* Guarantee 4. The store of base is shown by the next store of tail. */
static void rewind_if_empty(struct rk_ring_producer *producer)
{
    if (producer->tail != producer->published || producer->offset == 0)
        return;
    producer->head = atomic_load_explicit(&producer->ring->head, memory_order_acquire);
    if (producer->head != producer->tail)
        return;
    producer->offset = 0;
    atomic_store_explicit(&producer->ring->base, producer->tail, memory_order_relaxed);
}

void *rk_ring_reserve(struct rk_ring_producer *producer, uint64_t size)
{
    uint64_t bytes = RK_RING_HEADER_BYTES + align_up(size);

    RK_ASSERT(producer->reserved_bytes == 0);
    if (size > rk_ring_message_max(producer->size_bytes))
        return NULL;
    rewind_if_empty(producer);
    if (producer->offset + bytes > producer->size_bytes) {
        if (!has_room(producer, producer->size_bytes - producer->offset + bytes))
            return NULL;
        pad_to_end(producer);
    } else if (!has_room(producer, bytes)) {
        return NULL;
    }
    put_header(producer, size, KIND_MESSAGE);
    producer->reserved_bytes = bytes;
    return producer->data + producer->offset + RK_RING_HEADER_BYTES;
}

void rk_ring_commit(struct rk_ring_producer *producer)
{
    RK_ASSERT(producer->reserved_bytes != 0);
    producer->tail += producer->reserved_bytes;
    producer->offset = offset_behind(producer->offset, producer->reserved_bytes, producer->size_bytes);
    producer->reserved_bytes = 0;
}

bool rk_ring_publish(struct rk_ring_producer *producer)
{
    if (producer->tail == producer->published)
        return false;
    producer->published = producer->tail;
    /* Guarantee 3, partner: the acquire load in refresh_tail(). seq_cst for the doorbell (its C). */
    atomic_store_explicit(&producer->ring->tail, producer->tail, memory_order_seq_cst);
    return true;
}

/* Loads tail and base once each, and bounds them. All that was published before has been taken: next is the old tail.
 */
static enum rk_err refresh_tail(struct rk_ring_consumer *consumer)
{
    uint64_t tail = atomic_load_explicit(&consumer->ring->tail, memory_order_acquire);
    uint64_t base = atomic_load_explicit(&consumer->ring->base, memory_order_relaxed);

    if (tail - consumer->released > consumer->size_bytes || tail - consumer->next > consumer->size_bytes
        || tail % RK_RING_ALIGN_BYTES != 0)
        return RK_ERR_CORRUPT;
    if (base != consumer->base) {
        if (base != consumer->next || consumer->released != consumer->next)
            return RK_ERR_CORRUPT; /* base moves only when the ring is empty */
        consumer->base = base;
        consumer->offset = 0;
    }
    consumer->tail = tail;
    return tail == consumer->next ? RK_ERR_NOT_FOUND : RK_OK;
}

enum rk_err rk_ring_next(struct rk_ring_consumer *consumer, uint8_t **message_out, uint64_t *size_out)
{
    for (;;) {
        struct message_header header;
        enum rk_err err = consumer->next == consumer->tail ? refresh_tail(consumer) : RK_OK;
        uint64_t offset, left;

        if (err != RK_OK)
            return err;
        offset = consumer->offset;
        left = consumer->tail - consumer->next;
        if (left > consumer->size_bytes - offset)
            left = consumer->size_bytes - offset;
        memcpy(&header, consumer->data + offset, sizeof header);
        if (header.length > left - RK_RING_HEADER_BYTES || align_up(header.length) > left - RK_RING_HEADER_BYTES)
            return RK_ERR_CORRUPT;
        if (header.kind != KIND_MESSAGE && header.kind != KIND_PAD)
            return RK_ERR_CORRUPT;
        consumer->next += RK_RING_HEADER_BYTES + align_up(header.length);
        consumer->offset = offset_behind(offset, RK_RING_HEADER_BYTES + align_up(header.length), consumer->size_bytes);
        if (header.kind == KIND_MESSAGE) {
            *message_out = consumer->data + offset + RK_RING_HEADER_BYTES;
            *size_out = header.length;
            return RK_OK;
        }
    }
}

void rk_ring_release(struct rk_ring_consumer *consumer)
{
    if (consumer->released == consumer->next)
        return;
    consumer->released = consumer->next;
    /* Partner: the acquire load in has_room(): our reads are over before the producer writes there again. */
    atomic_store_explicit(&consumer->ring->head, consumer->next, memory_order_release);
}

bool rk_ring_waiting(const struct rk_ring_consumer *consumer)
{
    return atomic_load_explicit(&consumer->ring->tail, memory_order_seq_cst) != consumer->next;
}

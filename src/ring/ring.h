/* A ring of messages in shared memory, one producer, one consumer, no lock that could die with either of them.
 *
 *   line 0   magic · size of the data area · incarnation
 *   line 1   tail: bytes ever published            written by the producer only
 *            base: the position at offset 0
 *   line 2   head: bytes ever released             written by the consumer only
 *   4096     data area, size a multiple of 16:
 *
 *            |....|hdr msg|hdr msg  |hdr pad      |
 *                 ^head             ^tail
 *
 *   message header, 16 bytes: length of what follows · kind (message or pad) · zeros
 *
 * 1. Positions are 64-bit counts of bytes, never reset while both sides live; (position - base) mod size is the offset,
 *    which each side keeps beside its position.
 * 2. A message is contiguous: one that does not fit before the end of the data area is preceded by a pad up to the end.
 * 3. Everything before tail was written before tail was published (release); everything before head is no longer read.
 * 4. When the ring is empty, the producer moves base to tail and so begins again at the front of the data area: a ring
 *    that is seldom full stays within a few pages, in the cache, however large it is. Nobody holds a position then; the
 *    consumer loads base after a tail that lies beyond it.
 * 5. The consumer trusts nothing: it keeps head and incarnation to itself, bounds tail and every length, and reads each
 *    shared word once. A producer that breaks the format gets RK_ERR_CORRUPT, and nothing else happens.
 * 6. A ring is reset for a new producer only after waitpid() returned the old one. */
#ifndef RK_RING_H
#define RK_RING_H

#include "base/base_err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RK_RING_DATA_OFFSET  4096u
#define RK_RING_HEADER_BYTES 16u
#define RK_RING_ALIGN_BYTES  16u

/* The shared bytes. */
struct rk_ring {
    uint64_t magic;
    uint64_t size_bytes;
    _Atomic uint64_t incarnation;
    _Alignas(64) _Atomic uint64_t tail;
    _Atomic uint64_t base;
    _Alignas(64) _Atomic uint64_t head;
};

struct rk_ring_producer {
    struct rk_ring *ring;
    uint8_t *data;
    uint64_t size_bytes;
    uint64_t tail;      /* committed up to here */
    uint64_t offset;    /* of tail */
    uint64_t published; /* ring->tail */
    uint64_t reserved_bytes;
    uint64_t head; /* as last seen */
};

struct rk_ring_consumer {
    struct rk_ring *ring;
    uint8_t *data;
    uint64_t size_bytes;
    uint64_t base;
    uint64_t next;   /* the next message begins here */
    uint64_t offset; /* of next */
    uint64_t tail;   /* as last seen, already bounded */
    uint64_t released;
};

/* Bytes of shared memory that a ring with so large a data area takes. */
static inline size_t rk_ring_bytes(uint64_t size_bytes)
{
    return RK_RING_DATA_OFFSET + (size_t)size_bytes;
}

/* Lays out, or resets, a ring: both sides must be gone, or be started after. size_bytes: a multiple of 16, from 4096.
 * The master's main thread. */
void rk_ring_format(struct rk_ring *ring, uint64_t size_bytes, uint64_t incarnation);

/* Whether the shared bytes hold a ring of this size. */
bool rk_ring_fits(const struct rk_ring *ring, uint64_t size_bytes);

/* A side takes up its work at a freshly formatted ring. The size is the caller's own knowledge, not the ring's. From
 * then on one thread has the producer and one the consumer; none of the calls blocks. */
void rk_ring_producer_init(struct rk_ring_producer *producer, struct rk_ring *ring, uint64_t size_bytes);
void rk_ring_consumer_init(struct rk_ring_consumer *consumer, struct rk_ring *ring, uint64_t size_bytes);

/* The longest message that a ring of this size is sure to take when it is empty. */
uint64_t rk_ring_message_max(uint64_t size_bytes);

/* Producer: room for one message of exactly size bytes, 16-byte aligned, or NULL when the ring is full now. To be
 * committed before the next reserve. */
void *rk_ring_reserve(struct rk_ring_producer *producer, uint64_t size);
void rk_ring_commit(struct rk_ring_producer *producer);

/* Producer: shows all committed messages to the consumer (seq_cst: ring the doorbell after it). Whether there was any.
 */
bool rk_ring_publish(struct rk_ring_producer *producer);

/* Consumer: the next message in place, valid until it is released. RK_OK, RK_ERR_NOT_FOUND when there is none,
 * RK_ERR_CORRUPT when the producer broke the format (every further call says so again). */
enum rk_err rk_ring_next(struct rk_ring_consumer *consumer, uint8_t **message_out, uint64_t *size_out);

/* Consumer: gives back all messages that next returned so far. */
void rk_ring_release(struct rk_ring_consumer *consumer);

/* Consumer: whether a message waits (seq_cst: the look after arming a doorbell). */
bool rk_ring_waiting(const struct rk_ring_consumer *consumer);

#endif

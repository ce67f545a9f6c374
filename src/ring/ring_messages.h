/* What a worker and the writer say to each other over a pair of rings.
 *
 *   requests:    one or more in a message, each rk_ring_request (32 bytes) followed by its record, built in place, not
 *                stamped (disk_record.h); record_bytes says where the next one begins, and the last ends the message
 *   completion:  rk_ring_completion (40 bytes), one for each request
 *
 * A ticket names the operation for the worker, which alone knows what it means; the writer gives it back as it is.
 *
 * 1. Requests of one message are operations of their own, in this order. A flag that makes them one operation has its
 *    place in the first of them; until there is one, any flag that is not below is refused.
 * 2. What is reserved is zero, and so is what a flag does not ask for. */
#ifndef RK_RING_MESSAGES_H
#define RK_RING_MESSAGES_H

#include "ring/ring.h"

#include <stdint.h>

/* The completion ring of a slot holds this many bytes: enough for every operation that a worker may have under way. */
#define RK_RING_COMPLETION_BYTES (1u << 20)
#define RK_RING_PENDING_MAX      (RK_RING_COMPLETION_BYTES / 64)

/* Where the two rings of a slot stand in its region (shm_region.h): the header's page, then the completion ring, whose
 * size is fixed, then the request ring. */
#define RK_RINGS_COMPLETIONS_OFFSET 4096u
#define RK_RINGS_REQUESTS_OFFSET    (RK_RINGS_COMPLETIONS_OFFSET + RK_RING_DATA_OFFSET + RK_RING_COMPLETION_BYTES)

/* When a write is published and answered. */
enum rk_ring_durability {
    RK_RING_AS_CONFIGURED, /* as the mode of the log says */
    RK_RING_WRITTEN,       /* once it is in the file */
    RK_RING_SYNCED,        /* once it is durable */
    RK_RING_N_DURABILITIES
};

enum rk_ring_request_flag {
    RK_RING_EXPECTS = 1, /* only if the key is at `expected` */
};

struct rk_ring_request {
    uint64_t ticket;
    uint64_t expected;     /* a location word (disk_location.h); 0: the key is absent */
    uint32_t record_bytes; /* padded size: a multiple of 16 */
    uint8_t durability;    /* enum rk_ring_durability */
    uint8_t flags;         /* enum rk_ring_request_flag */
    uint8_t reserved[2];
    uint64_t reserved_word;
};

enum rk_ring_completion_flag {
    RK_RING_REPLACED = 1, /* the key existed before */
    RK_RING_NONE = 2,     /* failed, and certainly did not happen */
    RK_RING_DURABLE = 4,  /* it survives a power failure */
    RK_RING_DUE = 8,      /* what it replaced may have expired by then: `location` is where that lies */
};

struct rk_ring_completion {
    uint64_t ticket;
    uint64_t sequence;
    int32_t err; /* enum rk_err */
    uint32_t flags;
    uint64_t location; /* RK_ERR_CHANGED: where the key is, 0: absent; RK_RING_DUE: where it was */
    uint64_t time_ms;  /* RK_RING_DUE: when it was replaced, since 1970 */
};

_Static_assert(sizeof(struct rk_ring_request) == 32, "the record that follows stays 16-byte aligned");
_Static_assert(sizeof(struct rk_ring_completion) <= 48,
               "RK_RING_PENDING_MAX allows 64 bytes for each, header included");

#endif

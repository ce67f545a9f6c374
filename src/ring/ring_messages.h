/* What a worker and the writer say to each other over a pair of rings.
 *
 *   request:     rk_ring_request (32 bytes) followed by the record, built in place, not stamped (disk_record.h)
 *   completion:  rk_ring_completion (32 bytes)
 *
 * A ticket names the operation for the worker, which alone knows what it means; the writer gives it back as it is. */
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

struct rk_ring_request {
    uint64_t ticket;
    uint64_t record_bytes; /* padded size: a multiple of 16 */
    uint8_t reserved[16];
};

enum rk_ring_completion_flag {
    RK_RING_REPLACED = 1, /* the key existed before */
    RK_RING_NONE = 2,     /* failed, and certainly did not happen */
};

struct rk_ring_completion {
    uint64_t ticket;
    uint64_t sequence;
    int32_t err; /* enum rk_err */
    uint32_t flags;
    uint8_t reserved[8];
};

_Static_assert(sizeof(struct rk_ring_request) == 32, "the record that follows stays 16-byte aligned");
_Static_assert(sizeof(struct rk_ring_completion) == 32,
               "RK_RING_PENDING_MAX allows 64 bytes for each, header included");

#endif

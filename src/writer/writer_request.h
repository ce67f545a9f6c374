/* Requests as they come out of a source, made safe: lengths are copied once and bounded, the record is copied out of
 * memory that its sender can still write to, and checked there. What is checked is what is written, whatever a dying
 * worker scribbles over its ring meanwhile.
 *
 * Writer thread only. */
#ifndef RK_WRITER_WRITER_REQUEST_H
#define RK_WRITER_WRITER_REQUEST_H

#include "disk/disk_record.h"
#include "ring/ring_messages.h"

#include <stddef.h>
#include <stdint.h>

/* Room for the copies of one batch. Small records are copied once more by the log, and need no room beyond their own
 * check. */
struct rk_writer_copies {
    uint8_t *bytes;
    size_t capacity;
    size_t used;
};

struct rk_writer_request {
    struct rk_ring_request head;
    uint8_t header_bytes[RK_RECORD_HEADER_BYTES];
    struct rk_record_header header;
    const uint8_t *record; /* the copy: until the next one when it is small, until clear otherwise */
};

/* The first request in the `size` bytes that are left of a message. RK_OK: a put or a tombstone with a key, whole; the
 * next request, if any, begins rk_writer_request_bytes() behind it. RK_ERR_CORRUPT: no worker of ours sends this.
 * RK_ERR_FULL: clear the copies first. RK_ERR_NO_MEMORY: only request_out->head is good. */
enum rk_err rk_writer_request_decode(struct rk_writer_request *request_out, struct rk_writer_copies *copies,
                                     const uint8_t *message, uint64_t size);

static inline uint64_t rk_writer_request_bytes(const struct rk_writer_request *request)
{
    return sizeof request->head + request->head.record_bytes;
}

/* Gives the room back; much more than usual is given back to the system. */
void rk_writer_copies_clear(struct rk_writer_copies *copies);
void rk_writer_copies_fini(struct rk_writer_copies *copies);

#endif

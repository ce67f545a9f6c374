/* What is staged for one write: records side by side in the order of their offsets.
 *
 *   buffer   header rest header rest header          header rest ...      private copies
 *   iov      [----------------------------][ rest  ][-----------...]
 *                                           in the caller's memory
 *
 * A small record is copied whole, so that its neighbours share one piece of the write; of a large one only the header
 * is. The buffer is allocated once. */
#ifndef RK_LOG_BATCH_H
#define RK_LOG_BATCH_H

#include "disk/disk_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define RK_LOG_BATCH_IOVS         512
#define RK_LOG_BATCH_BUFFER_BYTES (1u << 20)
#define RK_LOG_BATCH_SMALL_BYTES  (32u << 10) /* up to this a copy costs less than one more piece */
#define RK_LOG_BATCH_BYTES_MAX    (64u << 20) /* of several records; one alone may be larger */

struct rk_log_batch {
    uint8_t *buffer;
    size_t buffer_used;
    struct iovec iov[RK_LOG_BATCH_IOVS];
    int n_iov;
    bool open_piece; /* the last iov ends where the buffer's free part begins */
    uint64_t size_bytes;
    uint64_t n_records;
};

void rk_log_batch_init(struct rk_log_batch *batch);
void rk_log_batch_fini(struct rk_log_batch *batch);

/* Whether a record of this size can be added. An empty batch has room for any. */
bool rk_log_batch_has_room(const struct rk_log_batch *batch, uint64_t size_bytes);

/* Adds a record for which there is room; returns the private copy of its header, to be stamped. `rest` of a record over
 * RK_LOG_BATCH_SMALL_BYTES must stay until the batch is cleared. */
uint8_t *rk_log_batch_add(struct rk_log_batch *batch, const uint8_t header[RK_RECORD_HEADER_BYTES], const uint8_t *rest,
                          uint64_t size_bytes);

void rk_log_batch_clear(struct rk_log_batch *batch);

#endif

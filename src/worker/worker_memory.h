/* Memory of requests, given back to the system when a wave of them is over. The C library keeps what was freed, and as
 * large blocks come and go it keeps more and more: after a thousand bodies of a mebibyte it was half a gibibyte. To map
 * every large block by itself would give it back as well, and a PUT of 1 MB took twice the processor time. So the heap
 * is trimmed, at most once a second, when much less is buffered than was at the highest (doc/design/0022). */
#ifndef RK_WORKER_MEMORY_H
#define RK_WORKER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define RK_WORKER_TRIM_BYTES ((uint64_t)8 << 20)
#define RK_WORKER_TRIM_NS    ((uint64_t)1000 * 1000 * 1000)

struct rk_worker_memory {
    uint64_t peak_bytes; /* since it was trimmed */
    uint64_t not_before_ns;
};

/* What is buffered now, every turn. Whether to trim now. Pure. */
bool rk_worker_memory_is_over(struct rk_worker_memory *memory, uint64_t buffered_bytes, uint64_t now_ns);

#endif

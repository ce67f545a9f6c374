#include "worker/worker_memory.h"

bool rk_worker_memory_is_over(struct rk_worker_memory *memory, uint64_t buffered_bytes, uint64_t now_ns)
{
    if (buffered_bytes > memory->peak_bytes)
        memory->peak_bytes = buffered_bytes;
    if (memory->peak_bytes - buffered_bytes < RK_WORKER_TRIM_BYTES || now_ns < memory->not_before_ns)
        return false;
    memory->peak_bytes = buffered_bytes;
    memory->not_before_ns = now_ns + RK_WORKER_TRIM_NS;
    return true;
}

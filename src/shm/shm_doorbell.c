#include "shm/shm_doorbell.h"

#include "base/base_planted.h"

#include <unistd.h>

void rk_doorbell_arm(struct rk_doorbell *doorbell)
{
    atomic_store_explicit(&doorbell->asleep, 1, memory_order_seq_cst); /* A; partner: D */
}

void rk_doorbell_wake(int event_fd)
{
    uint64_t one = 1;

    (void)!write(event_fd, &one, sizeof one); /* fails only when the count is full: then it wakes already */
}

bool rk_doorbell_ring(struct rk_doorbell *doorbell, int event_fd)
{
    if (atomic_load_explicit(&doorbell->asleep, memory_order_seq_cst) == 0) /* D; partner: A */
        return false;
    if (atomic_exchange_explicit(&doorbell->asleep, 0, memory_order_relaxed) == 0)
        return false; /* another waker was first */
    if (!RK_PLANTED(lost_doorbell))
        rk_doorbell_wake(event_fd);
    return true;
}

void rk_doorbell_drain(int event_fd)
{
    uint64_t count;

    (void)!read(event_fd, &count, sizeof count); /* EAGAIN: it was quiet */
}

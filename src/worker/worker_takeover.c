#include "worker/worker_takeover.h"

static void look_at(struct rk_worker_takeover *takeover, unsigned slot)
{
    uint64_t heartbeat = atomic_load_explicit(&takeover->board->slots[slot].heartbeat, memory_order_relaxed);
    unsigned n_slots = takeover->board->n_slots;
    unsigned n_slots_on = (slot + n_slots - takeover->slot - 1) % n_slots;
    bool is_full = atomic_load_explicit(&takeover->board->slots[slot].is_full, memory_order_relaxed) != 0;
    bool is_taken;

    if (heartbeat != takeover->seen[slot].heartbeat)
        takeover->seen[slot].n_missed = 0;
    else if (takeover->seen[slot].n_missed < RK_WORKER_LOOKS_MISSED)
        takeover->seen[slot].n_missed++;
    takeover->seen[slot].heartbeat = heartbeat;
    is_taken = is_full || takeover->seen[slot].n_missed == RK_WORKER_LOOKS_MISSED;
    if (is_taken != takeover->seen[slot].is_taken)
        takeover->take(takeover->context, n_slots_on, is_taken);
    takeover->seen[slot].is_taken = is_taken;
}

void rk_worker_takeover_look(struct rk_worker_takeover *takeover, uint64_t now_ns)
{
    if (now_ns < takeover->next_look_ns)
        return;
    takeover->next_look_ns = now_ns + RK_WORKER_LOOK_NS;
    for (unsigned slot = 0; slot < takeover->board->n_slots; slot++)
        if (slot != takeover->slot)
            look_at(takeover, slot);
}

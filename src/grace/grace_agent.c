/* The agent: one thread in each process with readers, which waits for this process's read sections on behalf of the
 * master. It is no reader itself, and it never holds anything: killed at any instruction, it leaves one word behind
 * that nobody believes once the slot has been cleared. */
#include "grace/grace.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "grace/grace_futex.h"
#include "grace/grace_region.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* How long an agent sleeps without looking, should a wake-up be lost to something that nobody thought of. */
#define AGENT_BELT_NS (RK_PLANTED(lost_wakeup) ? 3600 * RK_NS_PER_S : RK_NS_PER_S)

/* How often a stop knocks again: its first wake-up may come between the agent's look and its falling asleep. */
#define AGENT_STOP_KNOCK_NS (2 * RK_NS_PER_MS)

struct rk_grace_agent {
    struct rk_grace_region *region;
    struct rk_grace_slot *slot;
    uint32_t incarnation;
    pthread_t thread;
    _Atomic bool stopping;
    _Atomic uint32_t ended; /* futex word of the one that stops the agent */
};

/* Waits for the readers of this process, then says so. What was unpublished before the period started is visible to
 * every section that begins after the acquire load of `wanted` (pair: the release store in start_period); the sections
 * that were there before are over when the release store of `passed` is seen (pair: the acquire load in slot_passed).
 */
static void pass_period(struct rk_grace_agent *agent, uint32_t asked)
{
    rk_grace_synchronize_process();
    atomic_store_explicit(&agent->slot->passed, rk_grace_passed_word(agent->incarnation, asked), memory_order_release);
}

static void *run_agent(void *context)
{
    struct rk_grace_agent *agent = context;
    struct rk_grace_region *region = agent->region;
    uint32_t passed = (uint32_t)atomic_load_explicit(&agent->slot->passed, memory_order_relaxed);
    uint32_t asked;

    while (!atomic_load_explicit(&agent->stopping, memory_order_acquire)) {
        asked = atomic_load_explicit(&region->wanted, memory_order_acquire);
        if (asked == passed) {
            rk_grace_futex_wait(&region->wanted, passed, AGENT_BELT_NS);
        } else {
            pass_period(agent, asked);
            passed = asked;
        }
    }
    atomic_store_explicit(&agent->ended, 1, memory_order_release);
    rk_grace_futex_wake(&agent->ended);
    return NULL;
}

static enum rk_err check_slot(const struct rk_grace_region *region, unsigned slot, struct rk_detail *detail)
{
    if (region->magic != RK_GRACE_REGION_MAGIC || region->layout != RK_GRACE_REGION_LAYOUT) {
        rk_detail_set(detail, "grace region: magic %#llx, layout %u; expected layout %u",
                      (unsigned long long)region->magic, region->layout, RK_GRACE_REGION_LAYOUT);
        return RK_ERR_MISMATCH;
    }
    if (slot >= region->n_slots) {
        rk_detail_set(detail, "grace region: slot %u of %u", slot, region->n_slots);
        return RK_ERR_INVALID;
    }
    if (atomic_load_explicit(&region->slots[slot].passed, memory_order_acquire) == 0) {
        rk_detail_set(detail, "grace region: slot %u was not opened", slot);
        return RK_ERR_INVALID;
    }
    return RK_OK;
}

enum rk_err rk_grace_agent_start(struct rk_grace_agent **agent_out, struct rk_grace_region *region, unsigned slot,
                                 struct rk_detail *detail)
{
    enum rk_err err = check_slot(region, slot, detail);
    struct rk_grace_agent *agent;

    if (err != RK_OK)
        return err;
    agent = rk_mem_calloc(1, sizeof *agent);
    agent->region = region;
    agent->slot = &region->slots[slot];
    agent->incarnation = (uint32_t)(atomic_load_explicit(&agent->slot->passed, memory_order_acquire) >> 32);
    err = rk_thread_start(&agent->thread, "rk-grace", run_agent, agent, detail);
    if (err != RK_OK) {
        free(agent);
        return err;
    }
    *agent_out = agent;
    return RK_OK;
}

void rk_grace_agent_stop(struct rk_grace_agent **agent)
{
    struct rk_grace_agent *self = *agent;

    if (self == NULL)
        return;
    atomic_store_explicit(&self->stopping, true, memory_order_release); /* pair: the loop of run_agent */
    while (atomic_load_explicit(&self->ended, memory_order_acquire) == 0) {
        rk_grace_futex_wake(&self->region->wanted); /* the other agents look, find nothing and sleep again */
        rk_grace_futex_wait(&self->ended, 0, AGENT_STOP_KNOCK_NS);
    }
    (void)pthread_join(self->thread, NULL); /* joinable, and joined only here */
    free(self);
    *agent = NULL;
}

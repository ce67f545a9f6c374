#include "compactor/compactor_gate.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_thread.h"
#include "base/base_time.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct rk_compactor_gate {
    sem_t asked;
    sem_t opened;
    _Atomic unsigned n_users; /* who asks, and the thread: the last one frees it */
    bool is_asked;            /* asked, unanswered; a caller that timed out takes this answer next time */
    _Atomic bool stopping;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        RK_ASSERT(errno == EINTR);
}

static void leave(struct rk_compactor_gate *gate)
{
    if (atomic_fetch_sub(&gate->n_users, 1) > 1)
        return;
    (void)sem_destroy(&gate->asked); /* nobody waits */
    (void)sem_destroy(&gate->opened);
    free(gate);
}

static void *stand_in_gate(void *argument)
{
    struct rk_compactor_gate *gate = argument;
    struct sched_param none = { 0 };

    (void)sched_setscheduler(0, SCHED_IDLE, &none); /* where it cannot, the gate is open most of the time */
    for (;;) {
        wait_for(&gate->asked);
        if (atomic_load(&gate->stopping))
            break;
        RK_ASSERT(sem_post(&gate->opened) == 0);
    }
    leave(gate);
    return NULL;
}

enum rk_err rk_compactor_gate_create(struct rk_compactor_gate **gate_out, struct rk_detail *detail)
{
    struct rk_compactor_gate *gate = rk_mem_calloc(1, sizeof *gate);
    pthread_t thread;
    enum rk_err err;

    RK_ASSERT(sem_init(&gate->asked, 0, 0) == 0);
    RK_ASSERT(sem_init(&gate->opened, 0, 0) == 0);
    atomic_store(&gate->n_users, 2);
    err = rk_thread_start(&thread, "rk-gate", stand_in_gate, gate, detail);
    if (err != RK_OK) {
        atomic_store(&gate->n_users, 1);
        leave(gate);
        return err;
    }
    (void)pthread_detach(thread); /* on a busy machine it ends when it can: nobody waits for that */
    *gate_out = gate;
    return RK_OK;
}

void rk_compactor_gate_destroy(struct rk_compactor_gate **gate)
{
    if (*gate == NULL)
        return;
    atomic_store(&(*gate)->stopping, true);
    RK_ASSERT(sem_post(&(*gate)->asked) == 0);
    leave(*gate);
    *gate = NULL;
}

bool rk_compactor_gate_wait(struct rk_compactor_gate *gate, uint64_t max_ns)
{
    uint64_t until_ns = rk_time_monotonic_ns() + max_ns;
    struct timespec until = { .tv_sec = (time_t)(until_ns / RK_NS_PER_S), .tv_nsec = (long)(until_ns % RK_NS_PER_S) };

    if (!gate->is_asked)
        RK_ASSERT(sem_post(&gate->asked) == 0);
    gate->is_asked = true;
    while (sem_clockwait(&gate->opened, CLOCK_MONOTONIC, &until) != 0) {
        if (errno == ETIMEDOUT)
            return false;
        RK_ASSERT(errno == EINTR);
    }
    gate->is_asked = false;
    return true;
}

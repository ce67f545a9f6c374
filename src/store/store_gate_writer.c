#include "store/store_gate_writer.h"

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

struct rk_store_gate {
    sem_t asked;
    sem_t opened;
    bool is_asked; /* and has not answered: who did not wait for that waits for the same answer the next time */
    _Atomic bool stopping;
    pthread_t thread;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        RK_ASSERT(errno == EINTR);
}

static void *stand_in_gate(void *argument)
{
    struct rk_store_gate *gate = argument;
    struct sched_param none = { 0 };

    (void)sched_setscheduler(0, SCHED_IDLE, &none); /* where it cannot, the gate is open most of the time */
    for (;;) {
        wait_for(&gate->asked);
        if (atomic_load(&gate->stopping))
            return NULL;
        RK_ASSERT(sem_post(&gate->opened) == 0);
    }
}

static void destroy(struct rk_store_gate **gate)
{
    (void)sem_destroy(&(*gate)->asked); /* nobody waits */
    (void)sem_destroy(&(*gate)->opened);
    free(*gate);
    *gate = NULL;
}

enum rk_err rk_store_gate_create(struct rk_store_gate **gate_out, struct rk_detail *detail)
{
    struct rk_store_gate *gate = rk_mem_calloc(1, sizeof *gate);
    enum rk_err err;

    RK_ASSERT(sem_init(&gate->asked, 0, 0) == 0);
    RK_ASSERT(sem_init(&gate->opened, 0, 0) == 0);
    err = rk_thread_start(&gate->thread, "rk-gate", stand_in_gate, gate, detail);
    if (err == RK_OK)
        *gate_out = gate;
    else
        destroy(&gate);
    return err;
}

void rk_store_gate_destroy(struct rk_store_gate **gate)
{
    if (*gate == NULL)
        return;
    atomic_store(&(*gate)->stopping, true);
    RK_ASSERT(sem_post(&(*gate)->asked) == 0);
    RK_ASSERT(pthread_join((*gate)->thread, NULL) == 0);
    destroy(gate);
}

bool rk_store_gate_wait(struct rk_store_gate *gate, uint64_t max_ns)
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

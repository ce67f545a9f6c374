#include "log/log_syncer.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "base/base_time.h"
#include "log/log_writer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct rk_log_syncer {
    struct rk_log_writer *writer;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows; never held while the disk is waited for */
    pthread_cond_t wake;
    uint32_t interval_ms;
    bool requested;
    bool stopping;
};

static void lock(struct rk_log_syncer *syncer)
{
    RK_ASSERT(pthread_mutex_lock(&syncer->mutex) == 0);
}

static void unlock(struct rk_log_syncer *syncer)
{
    RK_ASSERT(pthread_mutex_unlock(&syncer->mutex) == 0);
}

/* Until the interval is over, or somebody asks. Returns false when the thread is to end. */
static bool wait_for_turn(struct rk_log_syncer *syncer, uint64_t last_ns)
{
    bool go_on;

    lock(syncer);
    while (!syncer->requested && !syncer->stopping) {
        uint64_t due_ns = last_ns + syncer->interval_ms * RK_NS_PER_MS;
        struct timespec due = { .tv_sec = (time_t)(due_ns / RK_NS_PER_S), .tv_nsec = (long)(due_ns % RK_NS_PER_S) };

        if (rk_time_monotonic_ns() >= due_ns)
            break;
        (void)pthread_cond_timedwait(&syncer->wake, &syncer->mutex, &due); /* the loop looks at what woke it */
    }
    syncer->requested = false;
    go_on = !syncer->stopping;
    unlock(syncer);
    return go_on;
}

static void *run(void *argument)
{
    struct rk_log_syncer *syncer = argument;
    uint64_t last_ns = rk_time_monotonic_ns();

    while (wait_for_turn(syncer, last_ns)) {
        last_ns = rk_time_monotonic_ns();
        if (!RK_PLANTED(syncer_sleeps))
            (void)rk_log_writer_sync(
                syncer->writer); /* a failure is kept in the writer's state, which the writer reads */
    }
    return NULL;
}

static void init_clocked_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    RK_ASSERT(pthread_condattr_init(&attributes) == 0);
    RK_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    RK_ASSERT(pthread_cond_init(cond, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
}

void rk_log_syncer_start(struct rk_log_syncer **syncer_out, struct rk_log_writer *writer, uint32_t interval_ms)
{
    struct rk_log_syncer *syncer = rk_mem_calloc(1, sizeof *syncer);

    syncer->writer = writer;
    syncer->interval_ms = interval_ms;
    RK_ASSERT(pthread_mutex_init(&syncer->mutex, NULL) == 0);
    init_clocked_cond(&syncer->wake);
    RK_ASSERT(pthread_create(&syncer->thread, NULL, run, syncer) == 0);
    *syncer_out = syncer;
}

void rk_log_syncer_request(struct rk_log_syncer *syncer)
{
    lock(syncer);
    syncer->requested = true;
    (void)pthread_cond_signal(&syncer->wake);
    unlock(syncer);
}

void rk_log_syncer_set_interval(struct rk_log_syncer *syncer, uint32_t interval_ms)
{
    lock(syncer);
    syncer->interval_ms = interval_ms;
    (void)pthread_cond_signal(&syncer->wake);
    unlock(syncer);
}

void rk_log_syncer_stop(struct rk_log_syncer **syncer)
{
    struct rk_log_syncer *self = *syncer;

    if (self == NULL)
        return;
    lock(self);
    self->stopping = true;
    (void)pthread_cond_signal(&self->wake);
    unlock(self);
    RK_ASSERT(pthread_join(self->thread, NULL) == 0);
    (void)pthread_cond_destroy(&self->wake);
    (void)pthread_mutex_destroy(&self->mutex);
    free(self);
    *syncer = NULL;
}

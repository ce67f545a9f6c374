#include "base/base_pulse.h"

#include "base/base_assert.h"
#include "base/base_thread.h"
#include "base/base_time.h"

#include <time.h>

static void lock(struct rk_pulse *pulse)
{
    RK_ASSERT(pthread_mutex_lock(&pulse->mutex) == 0);
}

static void unlock(struct rk_pulse *pulse)
{
    RK_ASSERT(pthread_mutex_unlock(&pulse->mutex) == 0);
}

/* False when the thread is to end. */
static bool wait_for_turn(struct rk_pulse *pulse, uint64_t last_ns)
{
    bool go_on;

    lock(pulse);
    while (!pulse->requested && !pulse->stopping) {
        uint64_t due_ns = last_ns + pulse->interval_ms * RK_NS_PER_MS;
        struct timespec due = { .tv_sec = (time_t)(due_ns / RK_NS_PER_S), .tv_nsec = (long)(due_ns % RK_NS_PER_S) };

        if (rk_time_monotonic_ns() >= due_ns)
            break;
        (void)pthread_cond_timedwait(&pulse->wake, &pulse->mutex, &due); /* the loop looks at what woke it */
    }
    pulse->requested = false;
    go_on = !pulse->stopping;
    unlock(pulse);
    return go_on;
}

static void *run(void *argument)
{
    struct rk_pulse *pulse = argument;
    uint64_t last_ns;

    do {
        last_ns = rk_time_monotonic_ns();
        pulse->beat(pulse->context);
    } while (wait_for_turn(pulse, last_ns));
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

static void fini(struct rk_pulse *pulse)
{
    (void)pthread_cond_destroy(&pulse->wake);
    (void)pthread_mutex_destroy(&pulse->mutex);
}

enum rk_err rk_pulse_start(struct rk_pulse *pulse, const char *name, void (*beat)(void *context), void *context,
                           uint32_t interval_ms, struct rk_detail *detail)
{
    enum rk_err err;

    *pulse = (struct rk_pulse){ .beat = beat, .context = context, .interval_ms = interval_ms };
    RK_ASSERT(pthread_mutex_init(&pulse->mutex, NULL) == 0);
    init_clocked_cond(&pulse->wake);
    err = rk_thread_start(&pulse->thread, name, run, pulse, detail);
    if (err != RK_OK)
        fini(pulse);
    return err;
}

void rk_pulse_stop(struct rk_pulse *pulse)
{
    lock(pulse);
    pulse->stopping = true;
    (void)pthread_cond_signal(&pulse->wake);
    unlock(pulse);
    RK_ASSERT(pthread_join(pulse->thread, NULL) == 0);
    fini(pulse);
}

void rk_pulse_request(struct rk_pulse *pulse)
{
    lock(pulse);
    pulse->requested = true;
    (void)pthread_cond_signal(&pulse->wake);
    unlock(pulse);
}

void rk_pulse_set_interval(struct rk_pulse *pulse, uint32_t interval_ms)
{
    lock(pulse);
    pulse->interval_ms = interval_ms;
    (void)pthread_cond_signal(&pulse->wake);
    unlock(pulse);
}

bool rk_pulse_goes_on(struct rk_pulse *pulse)
{
    bool go_on;

    lock(pulse);
    go_on = !pulse->stopping;
    unlock(pulse);
    return go_on;
}

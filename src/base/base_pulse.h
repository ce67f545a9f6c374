/* A thread that does one thing now and then: at once, then at each interval, or when it is asked to.
 *
 * 1. Beats never overlap; the next one is due an interval after the last one began.
 * 2. Whoever stops it waits for the beat that runs; a long one asks rk_pulse_goes_on().
 * 3. The clock is monotonic: a step of the wall clock changes nothing. */
#ifndef RK_BASE_PULSE_H
#define RK_BASE_PULSE_H

#include "base/base_err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct rk_detail;

struct rk_pulse {
    void (*beat)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows; never held in a beat */
    pthread_cond_t wake;
    uint32_t interval_ms;
    bool requested;
    bool stopping;
};

/* The name as in rk_thread_start. RK_OK; RK_ERR_LIMIT: there are no more threads, and nothing is to be stopped. */
enum rk_err rk_pulse_start(struct rk_pulse *pulse, const char *name, void (*beat)(void *context), void *context,
                           uint32_t interval_ms, struct rk_detail *detail);
void rk_pulse_stop(struct rk_pulse *pulse);

/* A beat that begins after this call is due at once; the other changes the interval from the last beat on. Any thread.
 */
void rk_pulse_request(struct rk_pulse *pulse);
void rk_pulse_set_interval(struct rk_pulse *pulse, uint32_t interval_ms);

/* False when it is to stop. Any thread. */
bool rk_pulse_goes_on(struct rk_pulse *pulse);

#endif

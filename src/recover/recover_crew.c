#include "recover/recover_crew.h"

#include "base/base_mem.h"
#include "base/base_thread.h"
#include "base/base_time.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define WATCH_EVERY_NS (50 * RK_NS_PER_MS)
#define SIZE_MAX_CREW  64u /* the disk and the memory have had enough long before */

struct crew {
    const struct rk_recover_crew_work *work;
    pthread_mutex_t mutex;
    pthread_cond_t one_has_ended;
    unsigned n_running;
};

struct member {
    struct crew *crew;
    unsigned number;
    pthread_t thread;
};

unsigned rk_recover_crew_size(void)
{
    cpu_set_t set;
    unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;

    return n < SIZE_MAX_CREW ? n : SIZE_MAX_CREW;
}

static void *member_main(void *argument)
{
    struct member *member = argument;
    struct crew *crew = member->crew;

    crew->work->work(crew->work->context, member->number);
    pthread_mutex_lock(&crew->mutex);
    crew->n_running--;
    pthread_cond_signal(&crew->one_has_ended);
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* Until the deadline at most; whether all have ended. */
static bool wait_for_end(struct crew *crew, uint64_t deadline_ns)
{
    struct timespec deadline = { .tv_sec = (time_t)(deadline_ns / RK_NS_PER_S),
                                 .tv_nsec = (long)(deadline_ns % RK_NS_PER_S) };
    bool ended;

    pthread_mutex_lock(&crew->mutex);
    while (crew->n_running > 0 && pthread_cond_timedwait(&crew->one_has_ended, &crew->mutex, &deadline) == 0)
        ;
    ended = crew->n_running == 0;
    pthread_mutex_unlock(&crew->mutex);
    return ended;
}

static void watch(struct crew *crew)
{
    while (!wait_for_end(crew, rk_time_monotonic_ns() + WATCH_EVERY_NS)) {
        if (crew->work->watch != NULL)
            crew->work->watch(crew->work->context);
    }
}

static void init_crew(struct crew *crew, const struct rk_recover_crew_work *work)
{
    pthread_condattr_t attributes;

    *crew = (struct crew){ .work = work, .mutex = PTHREAD_MUTEX_INITIALIZER };
    (void)pthread_condattr_init(&attributes); /* none of the three can fail with these arguments */
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&crew->one_has_ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void rk_recover_crew_run(const struct rk_recover_crew_work *work, unsigned n_threads)
{
    struct crew crew;
    struct member *members = rk_mem_calloc(n_threads, sizeof *members);
    unsigned n = 0;

    init_crew(&crew, work);
    for (crew.n_running = n_threads; n < n_threads; n++) {
        members[n] = (struct member){ .crew = &crew, .number = n };
        if (rk_thread_start(&members[n].thread, "rk-recover", member_main, &members[n], NULL) != RK_OK)
            break;
    }
    pthread_mutex_lock(&crew.mutex);
    crew.n_running -= n_threads - n;
    pthread_mutex_unlock(&crew.mutex);
    if (n == 0)
        work->work(work->context, 0);
    else
        watch(&crew);
    for (unsigned i = 0; i < n; i++)
        pthread_join(members[i].thread, NULL);
    (void)pthread_cond_destroy(&crew.one_has_ended);
    free(members);
}

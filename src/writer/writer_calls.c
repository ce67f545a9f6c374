#include "writer/writer_calls.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <pthread.h>
#include <stdlib.h>

enum call_state { CALL_WAITING, CALL_DONE, CALL_REFUSED };

/* On the caller's stack, in line until it is done. */
struct call {
    void (*run)(void *context);
    void *context;
    enum call_state state;
    struct call *next;
};

struct rk_writer_calls {
    pthread_mutex_t mutex; /* guards what follows; not held while a call runs */
    pthread_cond_t done;
    bool open;
    struct call *first;
    struct call **last;
    _Atomic bool waiting; /* as `first`, for a look without the mutex */
};

static void lock(struct rk_writer_calls *calls)
{
    RK_ASSERT(pthread_mutex_lock(&calls->mutex) == 0);
}

static void unlock(struct rk_writer_calls *calls)
{
    RK_ASSERT(pthread_mutex_unlock(&calls->mutex) == 0);
}

struct rk_writer_calls *rk_writer_calls_create(void)
{
    struct rk_writer_calls *calls = rk_mem_calloc(1, sizeof *calls);

    RK_ASSERT(pthread_mutex_init(&calls->mutex, NULL) == 0);
    RK_ASSERT(pthread_cond_init(&calls->done, NULL) == 0);
    calls->last = &calls->first;
    return calls;
}

void rk_writer_calls_destroy(struct rk_writer_calls **calls)
{
    if (*calls == NULL)
        return;
    (void)pthread_cond_destroy(&(*calls)->done);
    (void)pthread_mutex_destroy(&(*calls)->mutex);
    free(*calls);
    *calls = NULL;
}

/* The one that is next in line, out of it; NULL when there is none. With the mutex. */
static struct call *take_first(struct rk_writer_calls *calls)
{
    struct call *call = calls->first;

    if (call != NULL)
        calls->first = call->next;
    if (calls->first == NULL) {
        calls->last = &calls->first;
        atomic_store_explicit(&calls->waiting, false, memory_order_relaxed);
    }
    return call;
}

enum rk_err rk_writer_calls_make(struct rk_writer_calls *calls, void (*run)(void *context), void *context,
                                 void (*wake)(void *wake_context), void *wake_context)
{
    struct call call = { .run = run, .context = context, .state = CALL_REFUSED };

    lock(calls);
    if (calls->open) {
        call.state = CALL_WAITING;
        *calls->last = &call;
        calls->last = &call.next;
        /* Before the bell. Partner: the writer arms its bell, then looks (rk_writer_calls_are_waiting). */
        atomic_store_explicit(&calls->waiting, true, memory_order_seq_cst);
        wake(wake_context);
    }
    while (call.state == CALL_WAITING)
        RK_ASSERT(pthread_cond_wait(&calls->done, &calls->mutex) == 0);
    unlock(calls);
    return call.state == CALL_DONE ? RK_OK : RK_ERR_CLOSED;
}

bool rk_writer_calls_are_waiting(const struct rk_writer_calls *calls)
{
    return atomic_load_explicit(&calls->waiting, memory_order_seq_cst);
}

void rk_writer_calls_run(struct rk_writer_calls *calls)
{
    struct call *call;

    lock(calls);
    while ((call = take_first(calls)) != NULL) {
        unlock(calls);
        call->run(call->context);
        lock(calls);
        call->state = CALL_DONE;
        RK_ASSERT(pthread_cond_broadcast(&calls->done) == 0);
    }
    unlock(calls);
}

void rk_writer_calls_open(struct rk_writer_calls *calls)
{
    lock(calls);
    calls->open = true;
    unlock(calls);
}

void rk_writer_calls_close(struct rk_writer_calls *calls)
{
    struct call *call;

    lock(calls);
    calls->open = false;
    while ((call = take_first(calls)) != NULL)
        call->state = CALL_REFUSED;
    RK_ASSERT(pthread_cond_broadcast(&calls->done) == 0);
    unlock(calls);
}

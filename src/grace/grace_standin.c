/* Each registered thread has a word: 0 outside a section, else the period it began in. synchronize starts a new period
 * and waits until no thread is in a section of an earlier one. */
#include "grace/grace_standin.h"

#include "base/base_assert.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    _Atomic uint64_t began_in;
    unsigned nesting;
    bool registered;
    struct reader *next;
};

static _Thread_local struct reader this_reader;
static struct reader *readers; /* under readers_lock */
static pthread_mutex_t readers_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t period = 1;

void rk_grace_standin_register_thread(void)
{
    RK_ASSERT(!this_reader.registered);
    (void)pthread_mutex_lock(&readers_lock); /* a plain mutex, used correctly, cannot fail */
    this_reader.next = readers;
    readers = &this_reader;
    (void)pthread_mutex_unlock(&readers_lock);
    this_reader.registered = true;
}

void rk_grace_standin_unregister_thread(void)
{
    struct reader **link = &readers;

    RK_ASSERT(this_reader.registered && this_reader.nesting == 0);
    (void)pthread_mutex_lock(&readers_lock);
    while (*link != &this_reader)
        link = &(*link)->next;
    *link = this_reader.next;
    (void)pthread_mutex_unlock(&readers_lock);
    this_reader.registered = false;
}

void rk_grace_standin_read_lock(void)
{
    RK_ASSERT(this_reader.registered);
    if (this_reader.nesting++ > 0)
        return;
    /* A full barrier (pair: the load in wait_for_reader). Either synchronize sees this store and waits, or its look
     * came first, and then what preceded it is visible to the section that begins here. */
    (void)atomic_exchange_explicit(&this_reader.began_in, atomic_load_explicit(&period, memory_order_seq_cst),
                                   memory_order_seq_cst);
}

void rk_grace_standin_read_unlock(void)
{
    RK_ASSERT(this_reader.nesting > 0);
    if (--this_reader.nesting == 0)
        atomic_store_explicit(&this_reader.began_in, 0, memory_order_release); /* pair: wait_for_reader */
}

static void wait_for_reader(const struct reader *reader, uint64_t started)
{
    uint64_t began_in;

    for (;;) {
        began_in = atomic_load_explicit(&reader->began_in, memory_order_seq_cst);
        if (began_in == 0 || began_in >= started)
            return;
        (void)sched_yield();
    }
}

void rk_grace_standin_synchronize(void)
{
    uint64_t started;

    RK_ASSERT(this_reader.nesting == 0);
    (void)pthread_mutex_lock(&readers_lock);
    started = atomic_fetch_add_explicit(&period, 1, memory_order_seq_cst) + 1;
    for (const struct reader *reader = readers; reader != NULL; reader = reader->next)
        wait_for_reader(reader, started);
    (void)pthread_mutex_unlock(&readers_lock);
}

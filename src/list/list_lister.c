#include "list/list_lister.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_sched.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "disk/disk_secret.h"
#include "grace/grace.h"
#include "list/list_cursor.h"
#include "shm/shm_doorbell.h"

#include <sys/queue.h>
#include <time.h>

#define LISTINGS_MAX 128u
#define SETS_MAX     4u
#define SLICE_NS     (10 * RK_NS_PER_MS)
#define REST_NS      RK_NS_PER_S        /* without a slice, after which files are closed */
#define FORGET_NS    (60 * RK_NS_PER_S) /* and the tails let go */

enum listing_state { LISTING_IDLE, LISTING_WAITING, LISTING_RUNNING, LISTING_DONE };

struct rk_listing {
    TAILQ_ENTRY(rk_listing) all;
    TAILQ_ENTRY(rk_listing) queue; /* of those that wait, or that are done */
    enum listing_state state;
    _Atomic bool has_ended; /* the event loop knows it no more */
    struct rk_list_fill fill;
    rk_list_done_fn *done;
    void *context;
    enum rk_err err;

    /* the thread's, but while the state is LISTING_DONE or the loop has the bytes: */
    struct rk_list_cursor *cursor;
    struct rk_list_buffer out;
    uint64_t last_slice_ns;
};

TAILQ_HEAD(listings, rk_listing);

struct rk_lister {
    struct rk_list_where where;
    int event_fd;
    bool has_thread;
    pthread_t thread;

    pthread_mutex_t mutex; /* of the three lists, the states, and what is behind them */
    pthread_cond_t work;
    struct listings all;
    struct listings waiting;
    struct listings done;
    size_t n_listings; /* that have not ended */

    struct rk_list_tails tails; /* the thread's */
    uint64_t last_slice_ns;
};

struct rk_lister *rk_lister_create(const struct rk_lister_settings *settings)
{
    struct rk_lister *lister = rk_mem_calloc(1, sizeof *lister);
    pthread_condattr_t attributes;

    lister->where.keydir = settings->keydir;
    lister->where.hash_key = settings->hash_key;
    lister->where.secret = rk_disk_secret_derive(settings->hash_key);
    lister->where.dir_fd = settings->data_dir_fd;
    lister->where.last_sequence = settings->last_sequence;
    lister->where.stats = settings->stats;
    lister->event_fd = settings->event_fd;
    pthread_mutex_init(&lister->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lister->work, &attributes);
    pthread_condattr_destroy(&attributes);
    TAILQ_INIT(&lister->all);
    TAILQ_INIT(&lister->waiting);
    TAILQ_INIT(&lister->done);
    rk_list_tails_init(&lister->tails, RK_LIST_TAILS_BYTES_MAX);
    return lister;
}

/* ---- the thread ---- */

static void free_listing(struct rk_listing *listing)
{
    rk_list_cursor_destroy(&listing->cursor);
    rk_list_buffer_fini(&listing->out);
    listing->fill.destroy(listing->fill.state);
    free(listing);
}

/* Whose last slice is long ago lets go of its files; and if the next listing opens some, not too many have some then.
 * Only the thread opens and closes what a cursor has, and only the loop changes the list: with the mutex. */
static void make_room_locked(struct rk_lister *lister, const struct rk_listing *next)
{
    uint64_t now_ns = rk_time_monotonic_ns();
    struct rk_listing *listing, *oldest = NULL;
    size_t n_open = 0;

    TAILQ_FOREACH(listing, &lister->all, all)
    {
        if (listing == next || !rk_list_cursor_is_open(listing->cursor))
            continue;
        if (now_ns - listing->last_slice_ns >= REST_NS) {
            rk_list_cursor_rest(listing->cursor);
            continue;
        }
        n_open++;
        if (oldest == NULL || listing->last_slice_ns < oldest->last_slice_ns)
            oldest = listing;
    }
    if (n_open >= SETS_MAX && !rk_list_cursor_is_open(next->cursor))
        rk_list_cursor_rest(oldest->cursor);
}

static void rest_all_locked(struct rk_lister *lister)
{
    struct rk_listing *listing;

    TAILQ_FOREACH(listing, &lister->all, all)
    rk_list_cursor_rest(listing->cursor);
}

static bool is_any_open_locked(const struct rk_lister *lister)
{
    const struct rk_listing *listing;

    TAILQ_FOREACH(listing, &lister->all, all)
    if (rk_list_cursor_is_open(listing->cursor))
        return true;
    return false;
}

static void wait_until(struct rk_lister *lister, uint64_t when_ns)
{
    struct timespec when = { .tv_sec = (time_t)(when_ns / RK_NS_PER_S), .tv_nsec = (long)(when_ns % RK_NS_PER_S) };

    (void)pthread_cond_timedwait(&lister->work, &lister->mutex, &when); /* who waits looks again in any case */
}

/* Nobody wants a slice: lets go of what nobody will miss soon, and sleeps. */
static void idle_locked(struct rk_lister *lister)
{
    uint64_t idle_ns = rk_time_monotonic_ns() - lister->last_slice_ns;

    if (is_any_open_locked(lister)) {
        if (idle_ns >= REST_NS)
            rest_all_locked(lister);
        else
            wait_until(lister, lister->last_slice_ns + REST_NS);
    } else if (lister->tails.n > 0) {
        if (idle_ns >= FORGET_NS)
            rk_list_tails_fini(&lister->tails);
        else
            wait_until(lister, lister->last_slice_ns + FORGET_NS);
    } else
        pthread_cond_wait(&lister->work, &lister->mutex);
}

static void run_slice(struct rk_listing *listing)
{
    const struct rk_list_reader reader = { .self = listing->cursor,
                                           .next = rk_list_cursor_next,
                                           .piece = rk_list_cursor_piece,
                                           .position = rk_list_cursor_position };

    listing->out.len = 0;
    rk_list_cursor_begin_slice(listing->cursor, rk_time_monotonic_ns() + SLICE_NS);
    listing->err = listing->fill.run(listing->fill.state, &reader, &listing->out);
    if (listing->err != RK_OK)
        rk_list_cursor_rest(listing->cursor); /* it does not go on */
}

static void drop_locked(struct rk_lister *lister, struct rk_listing *listing)
{
    TAILQ_REMOVE(&lister->all, listing, all);
    free_listing(listing);
}

static void work_locked(struct rk_lister *lister, struct rk_listing *listing)
{
    TAILQ_REMOVE(&lister->waiting, listing, queue);
    if (atomic_load_explicit(&listing->has_ended, memory_order_relaxed)) {
        drop_locked(lister, listing);
        return;
    }
    make_room_locked(lister, listing);
    listing->state = LISTING_RUNNING;
    pthread_mutex_unlock(&lister->mutex);
    run_slice(listing);
    pthread_mutex_lock(&lister->mutex);
    lister->last_slice_ns = listing->last_slice_ns = rk_time_monotonic_ns();
    if (atomic_load_explicit(&listing->has_ended, memory_order_relaxed)) {
        drop_locked(lister, listing);
        return;
    }
    listing->state = LISTING_DONE;
    TAILQ_INSERT_TAIL(&lister->done, listing, queue);
    rk_doorbell_wake(lister->event_fd);
}

static void *lister_main(void *argument)
{
    struct rk_lister *lister = argument;

    rk_sched_background();
    rk_grace_register_thread();
    pthread_mutex_lock(&lister->mutex);
    while (!atomic_load_explicit(&lister->where.is_stopping, memory_order_relaxed)) {
        struct rk_listing *listing = TAILQ_FIRST(&lister->waiting);

        if (listing != NULL)
            work_locked(lister, listing);
        else
            idle_locked(lister);
    }
    pthread_mutex_unlock(&lister->mutex);
    rk_grace_unregister_thread();
    return NULL;
}

/* ---- the event loop ---- */

void rk_lister_destroy(struct rk_lister **lister)
{
    struct rk_lister *self = *lister;
    struct rk_listing *listing;

    if (self == NULL)
        return;
    pthread_mutex_lock(&self->mutex);
    atomic_store_explicit(&self->where.is_stopping, true, memory_order_relaxed);
    TAILQ_FOREACH(listing, &self->all, all)
    atomic_store_explicit(&listing->has_ended, true, memory_order_relaxed);
    pthread_cond_signal(&self->work);
    pthread_mutex_unlock(&self->mutex);
    if (self->has_thread)
        pthread_join(self->thread, NULL);
    while ((listing = TAILQ_FIRST(&self->all)) != NULL)
        drop_locked(self, listing);
    rk_list_tails_fini(&self->tails);
    pthread_cond_destroy(&self->work);
    pthread_mutex_destroy(&self->mutex);
    free(self);
    *lister = NULL;
}

static enum rk_err start_thread(struct rk_lister *lister)
{
    struct rk_detail detail;
    enum rk_err err;

    if (lister->has_thread)
        return RK_OK;
    err = rk_thread_start(&lister->thread, "rk-lister", lister_main, lister, &detail);
    lister->has_thread = err == RK_OK;
    return err;
}

enum rk_err rk_lister_open(struct rk_lister *lister, const struct rk_list_ask *ask, const struct rk_list_fill *fill,
                           struct rk_listing **listing_out)
{
    struct rk_listing *listing;

    if (lister->n_listings >= LISTINGS_MAX)
        return RK_ERR_FULL;
    if (start_thread(lister) != RK_OK)
        return RK_ERR_LIMIT;
    listing = rk_mem_calloc(1, sizeof *listing);
    listing->fill = *fill;
    listing->cursor = rk_list_cursor_create(ask, &lister->where, &lister->tails, &listing->has_ended);
    lister->n_listings++;
    pthread_mutex_lock(&lister->mutex);
    TAILQ_INSERT_TAIL(&lister->all, listing, all);
    pthread_mutex_unlock(&lister->mutex);
    *listing_out = listing;
    return RK_OK;
}

static void wake_for_locked(struct rk_lister *lister, struct rk_listing *listing)
{
    listing->state = LISTING_WAITING;
    TAILQ_INSERT_TAIL(&lister->waiting, listing, queue);
    pthread_cond_signal(&lister->work);
}

void rk_lister_more(struct rk_lister *lister, struct rk_listing *listing, rk_list_done_fn *done, void *context)
{
    pthread_mutex_lock(&lister->mutex);
    RK_ASSERT(listing->state == LISTING_IDLE);
    listing->done = done;
    listing->context = context;
    wake_for_locked(lister, listing);
    pthread_mutex_unlock(&lister->mutex);
}

/* What a listing has is the thread's, which frees it. */
void rk_lister_end(struct rk_lister *lister, struct rk_listing *listing)
{
    pthread_mutex_lock(&lister->mutex);
    lister->n_listings--;
    atomic_store_explicit(&listing->has_ended, true, memory_order_relaxed);
    if (listing->state == LISTING_DONE)
        TAILQ_REMOVE(&lister->done, listing, queue);
    if (listing->state == LISTING_DONE || listing->state == LISTING_IDLE)
        wake_for_locked(lister, listing);
    pthread_mutex_unlock(&lister->mutex);
}

static struct rk_listing *take_done(struct rk_lister *lister)
{
    struct rk_listing *listing;

    pthread_mutex_lock(&lister->mutex);
    listing = TAILQ_FIRST(&lister->done);
    if (listing != NULL) {
        TAILQ_REMOVE(&lister->done, listing, queue);
        listing->state = LISTING_IDLE;
    }
    pthread_mutex_unlock(&lister->mutex);
    return listing;
}

void rk_lister_poll(struct rk_lister *lister)
{
    struct rk_listing *listing;

    while (lister->n_listings > 0 && (listing = take_done(lister)) != NULL)
        listing->done(listing->context, listing->err, (struct rk_list_span){ listing->out.bytes, listing->out.len });
}

size_t rk_lister_n_listings(const struct rk_lister *lister)
{
    return lister->n_listings;
}

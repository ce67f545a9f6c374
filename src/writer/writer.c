#include "writer/writer.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "base/base_sched.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_writer.h"
#include "ring/ring.h"
#include "ring/ring_messages.h"
#include "shm/shm_doorbell.h"
#include "space/space.h"
#include "stats/stats_store.h"
#include "writer/writer_batch.h"
#include "writer/writer_calls.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The bounded sleep: what a waker that was killed at the wrong instruction can cost. */
#define SLEEP_MAX_MS       100
#define SLEEP_MAX_GRACE_MS 5 /* something waits for a grace period */

/* How often a disk that was full is looked at, so that writes resume by themselves. */
#define LOOK_FOR_ROOM_NS (100 * RK_NS_PER_MS)

enum slot_state { SLOT_CLOSED, SLOT_OPEN, SLOT_CLOSING, SLOT_BROKEN };

struct writer_slot {
    _Atomic uint32_t state; /* enum slot_state */
    bool answered;          /* in this round */
    struct rk_writer_slot settings;
    struct rk_ring_consumer requests;
    struct rk_ring_producer completions;
};

struct rk_writer {
    struct rk_writer_settings settings;
    struct rk_log_writer *log; /* with the batch: from the start of the thread on */
    struct rk_writer_batch *batch;
    struct rk_writer_calls *calls;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    enum rk_err refusal; /* as last told to the main thread */
    uint64_t looked_for_room_ns;
    _Atomic uint64_t wanted_ticket; /* somebody waits for it */
    _Atomic uint64_t passed_ticket;
    unsigned first_slot; /* where the next round begins, so that no worker starves */
    struct writer_slot slots[];
};

static enum slot_state state_of(const struct writer_slot *slot)
{
    return (enum slot_state)atomic_load_explicit(&slot->state, memory_order_acquire);
}

static void mark_broken(struct rk_writer *writer, struct writer_slot *slot)
{
    uint32_t open = SLOT_OPEN;

    if (atomic_compare_exchange_strong(&slot->state, &open, SLOT_BROKEN))
        rk_doorbell_wake(writer->settings.notice_event_fd);
}

static void answer(void *context, unsigned slot_number, const struct rk_ring_completion *completion)
{
    struct rk_writer *writer = context;
    struct writer_slot *slot = &writer->slots[slot_number];
    void *message;

    if (state_of(slot) != SLOT_OPEN)
        return; /* died meanwhile: nobody waits for this */
    message = rk_ring_reserve(&slot->completions, sizeof *completion);
    if (message == NULL) {
        mark_broken(writer, slot); /* more requests under way than a worker of ours allows itself */
        return;
    }
    memcpy(message, completion, sizeof *completion);
    rk_ring_commit(&slot->completions);
    slot->answered = true;
}

static void published(void *context, uint64_t sequence)
{
    struct rk_writer *writer = context;

    /* After the keydir's own stores: who sees this sequence finds all writes up to it. Partner: the acquire load of a
     * worker's miss. */
    atomic_store_explicit(writer->settings.last_sequence, sequence, memory_order_release);
}

struct rk_writer *rk_writer_create(const struct rk_writer_settings *settings)
{
    struct rk_writer *writer = rk_mem_calloc(1, sizeof *writer + settings->n_slots * sizeof writer->slots[0]);

    writer->settings = *settings;
    writer->calls = rk_writer_calls_create();
    return writer;
}

void rk_writer_destroy(struct rk_writer **writer)
{
    if (*writer == NULL)
        return;
    rk_writer_stop(*writer);
    rk_writer_batch_destroy(&(*writer)->batch);
    rk_writer_calls_destroy(&(*writer)->calls);
    free(*writer);
    *writer = NULL;
}

void rk_writer_slot_open(struct rk_writer *writer, unsigned slot_number, const struct rk_writer_slot *rings,
                         uint64_t incarnation)
{
    struct writer_slot *slot = &writer->slots[slot_number];

    RK_ASSERT(state_of(slot) == SLOT_CLOSED);
    rk_ring_format(rings->requests, rings->ring_bytes, incarnation);
    rk_ring_format(rings->completions, RK_RING_COMPLETION_BYTES, incarnation);
    slot->settings = *rings;
    rk_ring_consumer_init(&slot->requests, rings->requests, rings->ring_bytes);
    rk_ring_producer_init(&slot->completions, rings->completions, RK_RING_COMPLETION_BYTES);
    rk_doorbell_disarm(rings->doorbell);
    atomic_store_explicit(&slot->state, SLOT_OPEN, memory_order_release);
}

void rk_writer_slot_close(struct rk_writer *writer, unsigned slot)
{
    if (!writer->started) { /* nobody else has looked at it */
        atomic_store_explicit(&writer->slots[slot].state, SLOT_CLOSED, memory_order_release);
        return;
    }
    atomic_store_explicit(&writer->slots[slot].state, SLOT_CLOSING, memory_order_release);
    rk_doorbell_wake(writer->settings.event_fd);
}

bool rk_writer_slot_is_closed(const struct rk_writer *writer, unsigned slot)
{
    return state_of(&writer->slots[slot]) == SLOT_CLOSED;
}

bool rk_writer_slot_is_broken(const struct rk_writer *writer, unsigned slot)
{
    return state_of(&writer->slots[slot]) == SLOT_BROKEN;
}

/* Shows the answers so far to their worker. */
static void show_answers(struct writer_slot *slot)
{
    if (!slot->answered)
        return;
    slot->answered = false;
    (void)rk_ring_publish(&slot->completions);                                /* there is something: it was answered */
    (void)rk_doorbell_ring(slot->settings.doorbell, slot->settings.event_fd); /* or it is awake */
}

/* Commits what was added and shows its answers. */
static void commit_and_answer(struct rk_writer *writer)
{
    rk_writer_batch_commit(writer->batch);
    for (unsigned i = 0; i < writer->settings.n_slots; i++)
        if (state_of(&writer->slots[i]) == SLOT_OPEN)
            show_answers(&writer->slots[i]);
}

/* Takes the requests of one slot; whether there were any. */
static bool take_requests(struct rk_writer *writer, unsigned slot_number, uint64_t now_ms)
{
    struct writer_slot *slot = &writer->slots[slot_number];
    uint64_t size = 0;
    uint8_t *message = NULL;
    bool any = false;
    enum rk_err err;

    while ((err = rk_ring_next(&slot->requests, &message, &size)) == RK_OK) {
        err = rk_writer_batch_add(writer->batch, slot_number, message, size, now_ms);
        if (err == RK_ERR_FULL) {
            commit_and_answer(writer);
            err = rk_writer_batch_add(writer->batch, slot_number, message, size, now_ms);
        }
        if (err != RK_OK)
            break;
        any = true;
    }
    if (err != RK_ERR_NOT_FOUND)
        mark_broken(writer, slot);
    rk_ring_release(&slot->requests); /* all of it was copied */
    return any;
}

/* Takes what all rings have, commits it, answers. Whether there was anything. */
static bool run_round(struct rk_writer *writer)
{
    unsigned n_slots = writer->settings.n_slots;
    uint64_t now_ms = rk_time_wall_ms();
    bool any = false;

    for (unsigned i = 0; i < n_slots; i++) {
        unsigned slot = (writer->first_slot + i) % n_slots;

        if (state_of(&writer->slots[slot]) == SLOT_OPEN)
            any |= take_requests(writer, slot, now_ms);
    }
    writer->first_slot = (writer->first_slot + 1) % n_slots;
    commit_and_answer(writer);
    return any;
}

/* Between two batches nothing of ours points into a ring: now a slot can be let go. */
static void close_slots(struct rk_writer *writer)
{
    for (unsigned i = 0; i < writer->settings.n_slots; i++) {
        if (state_of(&writer->slots[i]) != SLOT_CLOSING)
            continue;
        writer->slots[i].answered = false;
        atomic_store_explicit(&writer->slots[i].state, SLOT_CLOSED, memory_order_release);
        rk_doorbell_wake(writer->settings.notice_event_fd);
    }
}

static bool wants_grace(const struct rk_writer *writer)
{
    return rk_keydir_writer_wants_grace(writer->settings.keydir)
           || atomic_load_explicit(&writer->wanted_ticket, memory_order_relaxed)
                  > atomic_load_explicit(&writer->passed_ticket, memory_order_relaxed);
}

static void turn_grace(struct rk_writer *writer)
{
    uint64_t passed = rk_grace_writer_poll(writer->settings.grace, wants_grace(writer), rk_time_monotonic_ns());

    /* Partner: the acquire load of who waits for the ticket, and then unlinks what no reader can see. */
    atomic_store_explicit(&writer->passed_ticket, passed, memory_order_release);
    rk_keydir_writer_reclaim(writer->settings.keydir, passed);
}

/* Why writes are refused: until a restart, or (all but deletes) while the disk is full. */
static enum rk_err find_refusal(struct rk_writer *writer)
{
    struct rk_log_writer *log = writer->log;
    enum rk_err state = rk_log_writer_state(log);
    uint64_t now_ns;

    if (state != RK_OK || !rk_log_writer_is_full(log))
        return state;
    now_ns = rk_time_monotonic_ns();
    if (now_ns - writer->looked_for_room_ns < LOOK_FOR_ROOM_NS)
        return RK_ERR_NO_SPACE;
    writer->looked_for_room_ns = now_ns;
    return rk_log_writer_look_for_room(log) ? RK_ERR_NO_SPACE : RK_OK;
}

static void update_stats(struct rk_writer *writer)
{
    struct rk_keydir_usage usage = rk_keydir_writer_usage(writer->settings.keydir);
    struct rk_grace_figures grace = rk_grace_writer_figures(writer->settings.grace);
    struct rk_space_file space = rk_space_total(writer->settings.space);
    struct rk_stats_writer *stats = writer->settings.stats;
    enum rk_err refusal = find_refusal(writer);

    rk_counter_set(&stats->keys, usage.n_keys);
    rk_counter_set(&stats->keydir_used_bytes, usage.used_bytes);
    rk_counter_set(&stats->keydir_limbo_bytes, usage.limbo_bytes);
    rk_counter_set(&stats->keydir_max_bytes, usage.max_bytes);
    rk_counter_set(&stats->keydir_pages, usage.n_pages);
    rk_counter_set(&stats->live_bytes, space.bytes[RK_SPACE_LIVE]);
    rk_counter_set(&stats->tombstone_bytes, space.bytes[RK_SPACE_TOMBSTONE]);
    rk_counter_set(&stats->dead_bytes,
                   space.bytes[RK_SPACE_OVERWRITTEN] + space.bytes[RK_SPACE_DELETED] + space.bytes[RK_SPACE_EXPIRED]);
    rk_counter_set(&stats->grace_periods, grace.n_periods);
    rk_counter_set(&stats->grace_last_ns, grace.last_ns);
    rk_counter_set(&stats->grace_max_ns, grace.longest_ns);
    rk_counter_set(&stats->last_sequence, rk_log_writer_last_sequence(writer->log));
    rk_counter_set(&stats->durable_sequence, rk_log_writer_durable_sequence(writer->log));
    rk_counter_set(&stats->refused, (uint64_t)(-(int)refusal));
    if (refusal != writer->refusal) {
        writer->refusal = refusal;
        rk_doorbell_wake(writer->settings.notice_event_fd);
    }
}

static bool work_waits(const struct rk_writer *writer)
{
    for (unsigned i = 0; i < writer->settings.n_slots; i++) {
        enum slot_state state = state_of(&writer->slots[i]);

        if (state == SLOT_CLOSING || (state == SLOT_OPEN && rk_ring_waiting(&writer->slots[i].requests)))
            return true;
    }
    return rk_writer_calls_are_waiting(writer->calls) || atomic_load_explicit(&writer->stopping, memory_order_acquire);
}

static void sleep_until_work(struct rk_writer *writer)
{
    struct pollfd bell = { .fd = writer->settings.event_fd, .events = POLLIN };
    int wait_ms = wants_grace(writer) ? SLEEP_MAX_GRACE_MS : SLEEP_MAX_MS;

    rk_doorbell_arm(writer->settings.doorbell);
    if (!work_waits(writer) && poll(&bell, 1, wait_ms) > 0)
        rk_doorbell_drain(writer->settings.event_fd);
    rk_doorbell_disarm(writer->settings.doorbell);
}

static void *writer_main(void *argument)
{
    struct rk_writer *writer = argument;
    bool stopping;

    rk_sched_serve();
    do {
        bool any;

        stopping = atomic_load_explicit(&writer->stopping, memory_order_acquire);
        any = run_round(writer);
        if (rk_writer_calls_are_waiting(writer->calls))
            rk_writer_calls_run(writer->calls);
        close_slots(writer);
        turn_grace(writer);
        update_stats(writer);
        if (!any && !stopping)
            sleep_until_work(writer);
    } while (!stopping);
    rk_writer_calls_close(writer->calls);
    return NULL;
}

static void open_log(struct rk_writer *writer, struct rk_log_writer *log)
{
    writer->log = log;
    writer->batch = rk_writer_batch_create(&(struct rk_writer_batch_settings){
        .log = log,
        .keydir = writer->settings.keydir,
        .hash_key = writer->settings.hash_key,
        .space = writer->settings.space,
        .sync_before_publish = writer->settings.sync_before_publish,
        .stats = writer->settings.stats,
        .answer = answer,
        .published = published,
        .context = writer,
    });
}

enum rk_err rk_writer_start(struct rk_writer *writer, struct rk_log_writer *log, struct rk_detail *detail)
{
    enum rk_err err;

    open_log(writer, log);
    rk_writer_calls_open(writer->calls);
    update_stats(writer); /* whoever asks first is not told of an empty store */
    err = rk_thread_start(&writer->thread, "rk-writer", writer_main, writer, detail);
    writer->started = err == RK_OK;
    if (err != RK_OK)
        rk_writer_calls_close(writer->calls);
    return err;
}

static void wake_writer(void *context)
{
    rk_doorbell_wake(((struct rk_writer *)context)->settings.event_fd);
}

enum rk_err rk_writer_call(struct rk_writer *writer, void (*run)(void *context), void *context)
{
    return rk_writer_calls_make(writer->calls, run, context, wake_writer, writer);
}

bool rk_writer_grace_has_passed(struct rk_writer *writer, uint64_t ticket)
{
    if (atomic_load_explicit(&writer->passed_ticket, memory_order_acquire) >= ticket)
        return true;
    if (atomic_load_explicit(&writer->wanted_ticket, memory_order_relaxed) < ticket) {
        atomic_store_explicit(&writer->wanted_ticket, ticket, memory_order_relaxed);
        rk_doorbell_wake(writer->settings.event_fd);
    }
    return false;
}

void rk_writer_stop(struct rk_writer *writer)
{
    if (!writer->started)
        return;
    atomic_store_explicit(&writer->stopping, true, memory_order_release);
    rk_doorbell_wake(writer->settings.event_fd);
    pthread_join(writer->thread, NULL);
    writer->started = false;
}

#include "writer/writer.h"

#include "base/base_mem.h"
#include "base/base_sched.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_writer.h"
#include "shm/shm_doorbell.h"
#include "writer/writer_batch.h"
#include "writer/writer_calls.h"
#include "writer/writer_figures.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

/* The bounded sleep: what a waker that was killed at the wrong instruction can cost. */
#define SLEEP_MAX_MS       100
#define SLEEP_MAX_GRACE_MS 5 /* something waits for a grace period */

/* In mode `always` nobody else makes durable what asked for less: so long after it was written. */
#define SETTLE_NS RK_NS_PER_S

struct rk_writer {
    struct rk_writer_settings settings;
    struct rk_log_writer *log; /* with the batch: from the start of the thread on */
    struct rk_writer_batch *batch;
    struct rk_writer_calls *calls;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    uint64_t unsynced_since_ns; /* mode `always`: a write that wanted no sync is not durable; 0: all are */
    struct rk_writer_figures figures;
    _Atomic uint64_t wanted_ticket; /* somebody waits for it */
    _Atomic uint64_t passed_ticket;
};

static void answer(void *context, unsigned sender, const struct rk_ring_completion *completion)
{
    const struct rk_writer_source *source = &((struct rk_writer *)context)->settings.source;

    source->answer(source->context, sender, completion);
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
    struct rk_writer *writer = rk_mem_calloc(1, sizeof *writer);

    writer->settings = *settings;
    writer->calls = rk_writer_calls_create();
    writer->figures = (struct rk_writer_figures){ .keydir = settings->keydir,
                                                  .grace = settings->grace,
                                                  .space = settings->space,
                                                  .stats = settings->stats,
                                                  .notice_event_fd = settings->notice_event_fd };
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

/* Commits what was added and answers it. */
static void commit_and_answer(struct rk_writer *writer)
{
    rk_writer_batch_commit(writer->batch);
    writer->settings.source.show_answers(writer->settings.source.context);
}

/* The batch waits for the disk now. */
static void answered_early(void *context)
{
    const struct rk_writer_source *source = &((struct rk_writer *)context)->settings.source;

    source->show_answers(source->context);
}

/* Takes one input; as often as the batch is full, it goes first. */
static void take(struct rk_writer *writer, const struct rk_writer_input *input, uint64_t now_ms)
{
    enum rk_err err = rk_writer_batch_add(writer->batch, input->sender, input->message, input->size, now_ms);

    while (err == RK_ERR_FULL) {
        commit_and_answer(writer); /* an empty batch takes one request at least */
        err = rk_writer_batch_add(writer->batch, input->sender, input->message, input->size, now_ms);
    }
    if (err != RK_OK)
        writer->settings.source.reject(writer->settings.source.context, input->sender);
}

/* Takes what the source has, commits it, answers. Whether there was anything. */
static bool run_round(struct rk_writer *writer)
{
    const struct rk_writer_source *source = &writer->settings.source;
    uint64_t now_ms = rk_time_wall_ms();
    struct rk_writer_input input;
    bool any = false;

    while (source->next(source->context, &input) == RK_OK) {
        take(writer, &input, now_ms);
        any = true;
    }
    commit_and_answer(writer);
    return any;
}

/* A failure is kept in the log's state. */
static void settle_written(struct rk_writer *writer)
{
    uint64_t now_ns;

    if (!writer->settings.sync_before_publish
        || rk_log_writer_durable_sequence(writer->log) >= rk_log_writer_last_sequence(writer->log)) {
        writer->unsynced_since_ns = 0;
        return;
    }
    now_ns = rk_time_monotonic_ns();
    if (writer->unsynced_since_ns == 0)
        writer->unsynced_since_ns = now_ns;
    else if (now_ns - writer->unsynced_since_ns >= SETTLE_NS)
        (void)rk_log_writer_sync(writer->log);
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

static bool work_waits(const struct rk_writer *writer)
{
    const struct rk_writer_source *source = &writer->settings.source;

    return source->is_waiting(source->context) || rk_writer_calls_are_waiting(writer->calls)
           || atomic_load_explicit(&writer->stopping, memory_order_acquire);
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
        writer->settings.source.between_rounds(writer->settings.source.context);
        turn_grace(writer);
        settle_written(writer);
        rk_writer_figures_update(&writer->figures, writer->log);
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
        .answered_early = answered_early,
        .context = writer,
    });
}

enum rk_err rk_writer_start(struct rk_writer *writer, struct rk_log_writer *log, struct rk_detail *detail)
{
    enum rk_err err;

    open_log(writer, log);
    rk_writer_calls_open(writer->calls);
    rk_writer_figures_update(&writer->figures, log); /* whoever asks first is not told of an empty store */
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

bool rk_writer_is_running(const struct rk_writer *writer)
{
    return writer->started;
}

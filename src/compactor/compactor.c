#include "compactor/compactor.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_sched.h"
#include "base/base_thread.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "grace/grace.h"
#include "grace/grace_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "stats/stats_store.h"
#include "writer/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_LOOK_NS (60 * RK_NS_PER_S)   /* a small part of RK_EXPIRE_CLOCK_DOUBT_NS */
#define FULL_LOOK_NS  (200 * RK_NS_PER_MS) /* while the disk is full */
#define FIRST_DUE_NS  RK_NS_PER_S          /* after a start: who starts every few seconds has its files merged, too */
#define INCARNATION   1                    /* of its slot: it has one life */

static void update_report_locked(struct rk_compactor *compactor, const struct rk_merge_progress *progress)
{
    struct rk_compactor_merge_report *report = &compactor->current;
    uint64_t written = progress->written_bytes;

    report->elapsed_ms = (rk_time_monotonic_ns() - compactor->current_begun_ns) / RK_NS_PER_MS;
    report->total_bytes = progress->total_bytes;
    report->read_bytes = progress->done_bytes < progress->total_bytes ? progress->done_bytes : progress->total_bytes;
    report->written_bytes = written;
    report->reclaimed_bytes = progress->removed_bytes > written ? progress->removed_bytes - written : 0;
    report->n_records = progress->n_copied;
    report->n_dropped = progress->n_dropped;
    report->n_expired = progress->n_expired;
}

static bool may_go_on_locked(const struct rk_compactor *compactor)
{
    return !compactor->stopping && !compactor->cancelled;
}

/* Closing takes its time: not with the lock. */
static uint64_t close_kept_locked(struct rk_compactor *compactor)
{
    uint64_t until_ns;

    rk_compactor_unlock(compactor);
    until_ns = rk_compactor_kept_close(&compactor->kept, rk_time_monotonic_ns());
    rk_compactor_lock(compactor);
    return until_ns;
}

/* Between two pieces of a merge. */
static enum rk_err on_turn(void *context, const struct rk_merge_progress *progress)
{
    struct rk_compactor *compactor = context;
    uint64_t until_ns;
    bool go_on;

    (void)rk_compactor_now_s(compactor);                                     /* it sees what the clock does */
    (void)rk_compactor_kept_close(&compactor->kept, rk_time_monotonic_ns()); /* the next turn will look again */
    rk_compactor_lock(compactor);
    update_report_locked(compactor, progress);
    until_ns = rk_compactor_pace_next(compactor, progress, compactor->rate_bytes_per_s, compactor->paced);
    until_ns = until_ns > 0 && !rk_compactor_is_full(compactor) ? until_ns + rk_time_monotonic_ns() : 0;
    while (may_go_on_locked(compactor)
           && (compactor->paused || (rk_time_monotonic_ns() < until_ns && !rk_compactor_is_full(compactor)))) {
        rk_compactor_wait_locked(compactor, compactor->paused ? rk_time_monotonic_ns() + RK_NS_PER_S : until_ns);
        (void)close_kept_locked(compactor); /* a pause may be long */
    }
    go_on = may_go_on_locked(compactor);
    rk_compactor_unlock(compactor);
    if (rk_compactor_is_full(compactor)) /* the requests that it would give way to are refused */
        rk_compactor_pace_rush(compactor, progress);
    else
        rk_compactor_pace_begin(compactor, progress);
    return go_on ? RK_OK : RK_ERR_AGAIN;
}

static void on_pause(void *context)
{
    rk_compactor_pace_pause(context);
}

static void on_gone(void *context)
{
    struct rk_compactor *compactor = context;

    if (compactor->settings.files_edition != NULL)
        atomic_fetch_add_explicit(compactor->settings.files_edition, 1, memory_order_release);
}

static void on_keep(void *context, int fd)
{
    rk_compactor_kept_add(&((struct rk_compactor *)context)->kept, fd, rk_time_monotonic_ns());
}

static enum rk_err run_merge(struct rk_compactor *compactor, const uint32_t *files, size_t n_files,
                             struct rk_detail *detail)
{
    const struct rk_compactor_settings *settings = &compactor->settings;
    struct rk_merge_settings merge = { .store = settings->store,
                                       .log = settings->log,
                                       .keydir = settings->keydir,
                                       .space = settings->space,
                                       .grace = settings->grace,
                                       .files = files,
                                       .n_files = n_files,
                                       .file_size_bytes = settings->file_size_bytes,
                                       .min_free_bytes = settings->min_free_bytes,
                                       .now_s = rk_compactor_now_s(compactor),
                                       .context = compactor,
                                       .call = rk_compactor_on_call,
                                       .wait_grace = rk_compactor_on_wait_grace,
                                       .gone = on_gone,
                                       .pause = on_pause,
                                       .keep = on_keep,
                                       .release = rk_compactor_on_release,
                                       .turn = on_turn };

    rk_compactor_adapt_merge(compactor, &merge);
    rk_compactor_pace_start(compactor);
    rk_compactor_pace_begin(compactor, &(struct rk_merge_progress){ 0 });
    return rk_merge_run(&merge, detail);
}

static void count_merge(struct rk_stats_merge *stats, const struct rk_compactor_merge_report *report)
{
    rk_counter_set(&stats->running, 0);
    rk_counter_add(report->state == RK_COMPACTOR_MERGE_DONE        ? &stats->done
                   : report->state == RK_COMPACTOR_MERGE_CANCELLED ? &stats->cancelled
                                                                   : &stats->failed,
                   1);
    rk_counter_add(&stats->read_bytes, report->read_bytes);
    rk_counter_add(&stats->written_bytes, report->written_bytes);
    rk_counter_add(&stats->reclaimed_bytes, report->reclaimed_bytes);
    rk_counter_add(&stats->copied_records, report->n_records);
    rk_counter_add(&stats->dropped_records, report->n_dropped);
    rk_counter_add(&stats->expired_records, report->n_expired);
}

static void end_merge_locked(struct rk_compactor *compactor, enum rk_err err, const struct rk_detail *detail)
{
    struct rk_compactor_merge_report *report = &compactor->current;

    report->elapsed_ms = (rk_time_monotonic_ns() - compactor->current_begun_ns) / RK_NS_PER_MS;
    report->state = err == RK_OK ? RK_COMPACTOR_MERGE_DONE : RK_COMPACTOR_MERGE_FAILED;
    if (err == RK_ERR_AGAIN || err == RK_ERR_CLOSED)
        report->state = RK_COMPACTOR_MERGE_CANCELLED;
    if (report->state == RK_COMPACTOR_MERGE_FAILED)
        (void)snprintf(report->why, sizeof report->why, "%s",
                       detail->text[0] != '\0' ? detail->text : rk_err_text(err)); /* cut if it is too long */
    if (report->state == RK_COMPACTOR_MERGE_FAILED)
        rk_compactor_merge_failed_locked(compactor);
    compactor->rescue.is_merging = false;
    count_merge(compactor->settings.stats, report);
    compactor->history[report->id % RK_COMPACTOR_MERGE_HISTORY] = *report;
    *report = (struct rk_compactor_merge_report){ .id = 0 };
    free(compactor->files);
    compactor->files = NULL;
    compactor->cancelled = false;
    compactor->due_ns = rk_compactor_next_due_ns(compactor);
}

static void do_merge_locked(struct rk_compactor *compactor)
{
    const uint32_t *files = compactor->files;
    size_t n_files = compactor->current.n_files;
    struct rk_detail detail = { "" };
    enum rk_err err = RK_ERR_AGAIN;
    bool is_cancelled;

    compactor->current.state = RK_COMPACTOR_MERGE_RUNNING;
    compactor->current.started_ms = rk_time_wall_ms();
    compactor->current_begun_ns = rk_time_monotonic_ns();
    rk_counter_set(&compactor->settings.stats->running, 1);
    rk_compactor_wake_locked(compactor); /* who waits for a look need not */
    is_cancelled = compactor->cancelled;
    rk_compactor_unlock(compactor);
    if (!is_cancelled)
        err = run_merge(compactor, files, n_files, &detail);
    rk_compactor_rescue_after_merge(compactor);
    rk_compactor_lock(compactor);
    end_merge_locked(compactor, err, &detail);
}

/* What has expired is looked for in any case: it takes room in the keydir, and nothing is copied. */
static void check_locked(struct rk_compactor *compactor)
{
    uint32_t *files = NULL;
    size_t n_files = 0;

    compactor->due_ns = rk_compactor_next_due_ns(compactor);
    rk_compactor_expire_locked(compactor);
    if (!compactor->settings.policy.enabled || compactor->paused || compactor->current.id != 0)
        return;
    rk_compactor_unlock(compactor);
    (void)rk_compactor_choose(compactor, false, &files, &n_files, NULL); /* it fails when the server ends */
    rk_compactor_lock(compactor);
    if (n_files == 0 || rk_compactor_enqueue_locked(compactor, files, n_files, true) != RK_OK)
        free(files);
}

static void wait_for_work_locked(struct rk_compactor *compactor, uint64_t kept_until_ns)
{
    uint64_t until_ns = rk_time_monotonic_ns() + CLOCK_LOOK_NS;

    if (kept_until_ns < until_ns)
        until_ns = kept_until_ns;
    if (compactor->rescue.is_active && until_ns > rk_time_monotonic_ns() + FULL_LOOK_NS)
        until_ns = rk_time_monotonic_ns() + FULL_LOOK_NS;
    rk_compactor_wait_locked(compactor, compactor->due_ns < until_ns ? compactor->due_ns : until_ns);
}

static void *run(void *argument)
{
    struct rk_compactor *compactor = argument;
    bool has_looked = false; /* then what else there is to do is next: somebody may ask all the time */
    uint64_t kept_until_ns;

    rk_grace_register_thread();
    rk_sched_background(); /* where it cannot, there still is the gate */
    rk_compactor_lock(compactor);
    for (kept_until_ns = close_kept_locked(compactor); !compactor->stopping;
         kept_until_ns = close_kept_locked(compactor)) {
        uint64_t now_ns = rk_time_monotonic_ns();
        bool is_due = now_ns >= compactor->due_ns;
        bool has_merge = compactor->current.id != 0 && (!compactor->paused || compactor->cancelled);
        bool has_look = compactor->looks_done != compactor->looks_wanted && !(has_looked && (has_merge || is_due));

        (void)rk_compactor_now_s(compactor); /* it sees what the clock does */
        has_looked = has_look;
        if (has_look)
            rk_compactor_expire_locked(compactor);
        else if (has_merge)
            do_merge_locked(compactor);
        else if (rk_compactor_wants_rescue_locked(compactor))
            rk_compactor_rescue_locked(compactor);
        else if (is_due)
            check_locked(compactor);
        else
            wait_for_work_locked(compactor, kept_until_ns);
    }
    rk_compactor_unlock(compactor);
    (void)rk_compactor_kept_close(&compactor->kept, UINT64_MAX); /* all */
    rk_grace_unregister_thread();
    return NULL;
}

static void init_clocked_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    RK_ASSERT(pthread_condattr_init(&attributes) == 0);
    RK_ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    RK_ASSERT(pthread_cond_init(cond, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes); /* cannot fail */
}

static void destroy(struct rk_compactor **compactor)
{
    struct rk_compactor *self = *compactor;

    rk_compactor_gate_destroy(&self->gate);
    rk_grace_agent_stop(&self->agent);
    rk_grace_writer_slot_clear(self->settings.grace, self->settings.grace_slot);
    (void)pthread_cond_destroy(&self->wake); /* nobody waits */
    (void)pthread_mutex_destroy(&self->mutex);
    free(self->files);
    free(self);
    *compactor = NULL;
}

enum rk_err rk_compactor_start(struct rk_compactor **compactor_out, const struct rk_compactor_settings *settings,
                               struct rk_detail *detail)
{
    struct rk_compactor *compactor = rk_mem_calloc(1, sizeof *compactor);
    enum rk_err err;

    compactor->settings = *settings;
    compactor->paced = true;
    compactor->rate_bytes_per_s = settings->rate_bytes_per_s;
    compactor->due_ns = rk_compactor_next_due_ns(compactor);
    if (compactor->due_ns > rk_time_monotonic_ns() + FIRST_DUE_NS)
        compactor->due_ns = rk_time_monotonic_ns() + FIRST_DUE_NS;
    rk_expire_clock_start(&compactor->clock, rk_time_wall_ms(), rk_time_monotonic_ns());
    RK_ASSERT(pthread_mutex_init(&compactor->mutex, NULL) == 0);
    init_clocked_cond(&compactor->wake);
    rk_grace_writer_slot_open(settings->grace, settings->grace_slot, INCARNATION);
    err = rk_grace_agent_start(&compactor->agent, settings->grace_region, settings->grace_slot, detail);
    if (err == RK_OK)
        err = rk_compactor_gate_create(&compactor->gate, detail);
    if (err == RK_OK)
        err = rk_thread_start(&compactor->thread, "rk-compactor", run, compactor, detail);
    if (err != RK_OK) {
        destroy(&compactor);
        return err;
    }
    *compactor_out = compactor;
    return RK_OK;
}

void rk_compactor_stop(struct rk_compactor **compactor)
{
    if (*compactor == NULL)
        return;
    rk_compactor_lock(*compactor);
    (*compactor)->stopping = true;
    rk_compactor_wake_locked(*compactor);
    rk_compactor_unlock(*compactor);
    RK_ASSERT(pthread_join((*compactor)->thread, NULL) == 0);
    destroy(compactor);
}

void rk_compactor_pause(struct rk_compactor *compactor)
{
    rk_compactor_lock(compactor);
    compactor->paused = true;
    rk_compactor_unlock(compactor);
}

void rk_compactor_resume(struct rk_compactor *compactor)
{
    rk_compactor_lock(compactor);
    compactor->paused = false;
    rk_compactor_wake_locked(compactor);
    rk_compactor_unlock(compactor);
}

enum rk_err rk_compactor_cancel(struct rk_compactor *compactor)
{
    enum rk_err err;

    rk_compactor_lock(compactor);
    err = compactor->current.id != 0 ? RK_OK : RK_ERR_NOT_FOUND;
    compactor->cancelled = err == RK_OK;
    rk_compactor_wake_locked(compactor);
    rk_compactor_unlock(compactor);
    return err;
}

void rk_compactor_set_rate(struct rk_compactor *compactor, uint64_t rate_bytes_per_s, bool paced)
{
    rk_compactor_lock(compactor);
    compactor->rate_bytes_per_s = rate_bytes_per_s;
    compactor->paced = paced;
    rk_compactor_wake_locked(compactor);
    rk_compactor_unlock(compactor);
}

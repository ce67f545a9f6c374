/* What the compactor does while puts are refused because the disk is full: it gives space back, whatever merge.policy,
 * merge.window, merge.rate and merge.min_free say, unless it is paused. One step after the other, until there is room:
 *
 *   1. files of which nothing is needed are removed, or the one is merged that gives most for what is copied and has
 * room (merge_rescue.h);
 *   2. if there is none, or that failed: holes are punched over what is dead in all files, the active one included;
 *   3. if that gave nothing: the active file is rolled over, for it may be the one to be merged;
 *   4. if that did not help: the best file is merged in pieces as small as the room, and what was copied is punched out
 * of it after each piece.
 *
 * A step that gave nothing is not tried again at once: then nothing is dead, or only deletes can help. */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge/merge_punch.h"
#include "merge/merge_rescue.h"
#include "stats/stats_block.h"
#include "writer/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define SETTLE_NS       RK_NS_PER_S /* a read that began takes no longer, but for a slow client's */
#define AGAIN_NS        RK_NS_PER_S /* after a round that gave nothing, if something is different by then; or else: */
#define AGAIN_MAX_NS    (30 * RK_NS_PER_S)   /* as long at first, twice as long each time, no longer than that */
#define LOOK_NS         (150 * RK_NS_PER_MS) /* the writer thread looks for room in less than that */
#define PIECE_BYTES_MIN (64u << 10)
#define WORTH_BYTES     (1u << 20) /* holes that give back less are as good as none */

static uint64_t free_bytes(const struct rk_compactor *compactor)
{
    uint64_t free_bytes, disk_bytes;

    return rk_io_disk(rk_log_store_dir_fd(compactor->settings.store), &free_bytes, &disk_bytes) ? free_bytes : 0;
}

static enum rk_err on_settle_reads(void *context)
{
    struct rk_compactor *compactor = context;
    uint64_t until_ns = rk_time_monotonic_ns() + SETTLE_NS;
    bool go_on;

    rk_compactor_lock(compactor);
    while (!compactor->stopping && rk_time_monotonic_ns() < until_ns)
        rk_compactor_wait_locked(compactor, until_ns);
    go_on = !compactor->stopping;
    rk_compactor_unlock(compactor);
    return go_on ? RK_OK : RK_ERR_CLOSED;
}

static enum rk_err punch(struct rk_compactor *compactor, const uint32_t *files, size_t n_files,
                         uint64_t *freed_bytes_out)
{
    const struct rk_compactor_settings *settings = &compactor->settings;
    struct rk_merge_punch_settings punch = { .store = settings->store,
                                             .log = settings->log,
                                             .keydir = settings->keydir,
                                             .space = settings->space,
                                             .grace = settings->grace,
                                             .files = files,
                                             .n_files = n_files,
                                             .context = compactor,
                                             .call = rk_compactor_on_call,
                                             .wait_grace = rk_compactor_on_wait_grace,
                                             .settle_reads = on_settle_reads };

    return rk_merge_punch_run(&punch, freed_bytes_out, NULL);
}

/* What is in the outputs so far need not be in the inputs any more. */
static void on_settled(void *context)
{
    struct rk_compactor *compactor = context;
    uint64_t freed_bytes;

    if (!rk_compactor_is_full(compactor))
        return;
    (void)punch(compactor, compactor->files, compactor->current.n_files, &freed_bytes); /* it goes on in any case */
    compactor->rescue.freed_bytes += freed_bytes;
}

/* Where the file system copies on write (log_spare.h). */
static bool has_spare_file(const struct rk_compactor *compactor)
{
    return rk_io_copies_on_write(rk_log_store_dir_fd(compactor->settings.store));
}

/* btrfs frees an extent when nothing of it is used any more: then files are without blocks that the disk has not got
 * back. Elsewhere somebody else was faster. */
static uint64_t check_holes(struct rk_compactor *compactor, uint64_t freed_bytes, uint64_t before_bytes)
{
    uint64_t now_bytes;

    if (freed_bytes < WORTH_BYTES || !has_spare_file(compactor))
        return freed_bytes;
    (void)rk_io->syncfs(rk_log_store_dir_fd(compactor->settings.store)); /* what it says is asked next */
    now_bytes = free_bytes(compactor);
    compactor->rescue.has_no_holes = now_bytes < before_bytes + freed_bytes / 4;
    return compactor->rescue.has_no_holes ? 0 : freed_bytes;
}

/* All files; the active one is the last in the list, and so holds nothing up. */
static uint64_t punch_all(struct rk_compactor *compactor)
{
    const struct rk_log_store *store = compactor->settings.store;
    size_t n_files = rk_log_store_n_files(store), n = 0;
    uint32_t *files = rk_mem_calloc(n_files + 1, sizeof *files);
    uint64_t freed_bytes = 0, before_bytes = compactor->rescue.room_bytes;
    uint32_t file_number;

    while (n < n_files && (file_number = rk_log_store_file(store, n)) != 0)
        files[n++] = file_number;
    (void)punch(compactor, files, n, &freed_bytes); /* what it freed says enough */
    free(files);
    return check_holes(compactor, freed_bytes, before_bytes);
}

/* The files of the next step: allocated, n 0 for none. In pieces: whatever room there is. */
static void choose(struct rk_compactor *compactor, bool in_pieces, uint32_t **files_out, size_t *n_out)
{
    struct rk_compactor_file_report *reports = NULL;
    struct rk_merge_policy_file *files;
    size_t n_reports = 0;
    bool *chosen;

    *n_out = 0;
    if (rk_compactor_survey(compactor, true, &reports, &n_reports, NULL) != RK_OK)
        return;
    files = rk_mem_calloc(n_reports + 1, sizeof *files);
    chosen = rk_mem_calloc(n_reports + 1, sizeof *chosen);
    *files_out = rk_mem_calloc(n_reports + 1, sizeof **files_out);
    for (size_t i = 0; i < n_reports; i++)
        files[i] = reports[i].file;
    (void)rk_merge_rescue_choose(files, n_reports, in_pieces ? UINT64_MAX : compactor->rescue.room_bytes, chosen);
    for (size_t i = 0; i < n_reports; i++)
        if (chosen[i])
            (*files_out)[(*n_out)++] = files[i].file_number;
    free(chosen);
    free(files);
    free(reports);
}

static uint64_t dead_bytes(const struct rk_compactor *compactor)
{
    return rk_counter_get(&compactor->settings.block->writer.dead_bytes);
}

/* Once while the disk is full: what is dead in the active file may be all that there is. */
static bool roll_once(struct rk_compactor *compactor)
{
    struct rk_merge_rescue *rescue = &compactor->rescue;

    if (rescue->has_rolled || rk_compactor_roll(compactor, NULL) != RK_OK)
        return false;
    rescue->has_failed = false;
    return rescue->has_rolled = true;
}

/* Writer thread. */
static void open_spare(void *argument)
{
    rk_log_writer_open_spare(argument);
}

/* Writer thread. */
static void close_spare(void *argument)
{
    rk_log_writer_close_spare(argument);
}

/* Whether there is room again. */
static void let_puts_look(struct rk_compactor *compactor)
{
    if (has_spare_file(compactor))
        (void)rk_writer_call(compactor->settings.writer, close_spare, compactor->settings.log);
}

void rk_compactor_rescue_after_merge(struct rk_compactor *compactor)
{
    if (compactor->rescue.is_merging)
        let_puts_look(compactor);
}

/* Has the next step done, or finds the files that are to be merged in it; whether it may have helped. */
static bool take_step(struct rk_compactor *compactor, uint32_t **files_out, size_t *n_out)
{
    struct rk_merge_rescue *rescue = &compactor->rescue;
    uint64_t freed_bytes;

    (void)rk_compactor_on_release(compactor);
    if (has_spare_file(compactor))
        (void)rk_writer_call(compactor->settings.writer, open_spare, compactor->settings.log);
    (void)rk_io->syncfs(rk_log_store_dir_fd(compactor->settings.store)); /* what it says is asked next */
    rescue->room_bytes = free_bytes(compactor);
    if (!rescue->has_failed || rescue->has_no_holes)
        choose(compactor, false, files_out, n_out);
    if (*n_out > 0)
        return true;
    freed_bytes = rescue->has_no_holes ? 0 : punch_all(compactor);
    rescue->freed_bytes += freed_bytes;
    if (freed_bytes >= WORTH_BYTES) {
        rescue->has_failed = false;
        return true;
    }
    if (roll_once(compactor))
        return true;
    free(*files_out);
    *files_out = NULL;
    if (rescue->room_bytes >= 2 * PIECE_BYTES_MIN && !rescue->has_no_holes)
        choose(compactor, true, files_out, n_out);
    return *n_out > 0;
}

/* Writer thread. */
static void lend_spare(void *argument)
{
    rk_log_writer_lend_spare(argument);
}

static void take_spare(void *argument)
{
    rk_log_writer_take_spare(argument);
}

/* When the next step is due. */
static void note_step_locked(struct rk_compactor *compactor, bool helped)
{
    struct rk_merge_rescue *rescue = &compactor->rescue;
    uint64_t now_ns = rk_time_monotonic_ns();

    rescue->is_stuck = !helped;
    rescue->is_lent |= !helped && !has_spare_file(compactor);
    rescue->seen_dead_bytes = dead_bytes(compactor);
    rescue->seen_free_bytes = free_bytes(compactor);
    rescue->again_ns = helped ? 0 : 2 * rescue->again_ns + AGAIN_NS;
    if (rescue->again_ns > AGAIN_MAX_NS)
        rescue->again_ns = AGAIN_MAX_NS;
    rescue->due_ns = now_ns + (helped ? LOOK_NS : AGAIN_NS);
    rescue->due_always_ns = now_ns + (helped ? LOOK_NS : rescue->again_ns);
}

void rk_compactor_rescue_locked(struct rk_compactor *compactor)
{
    struct rk_merge_rescue *rescue = &compactor->rescue;
    uint32_t *files = NULL;
    size_t n_files = 0;
    bool helped;

    rk_compactor_expire_locked(compactor);
    rk_compactor_unlock(compactor);
    helped = take_step(compactor, &files, &n_files);
    /* Else it was kept free for nothing: puts make something dead, which can be given back. */
    if (!helped && !has_spare_file(compactor))
        (void)rk_writer_call(compactor->settings.writer, lend_spare, compactor->settings.log);
    rk_compactor_lock(compactor);
    note_step_locked(compactor, helped);
    rescue->is_merging = n_files > 0 && rk_compactor_enqueue_locked(compactor, files, n_files, true) == RK_OK;
    if (rescue->is_merging)
        return;
    free(files);
    rk_compactor_unlock(compactor);
    let_puts_look(compactor);
    rk_compactor_lock(compactor);
}

/* There is room again: the policy has a look at what is left. */
static void end_rescue_locked(struct rk_compactor *compactor)
{
    struct rk_merge_rescue *rescue = &compactor->rescue;

    *rescue = (struct rk_merge_rescue){ .freed_bytes = rescue->freed_bytes,
                                        .is_lent = rescue->is_lent,
                                        .has_no_holes = rescue->has_no_holes };
    compactor->due_ns = rk_time_monotonic_ns();
}

/* What was lent is kept free again once there is enough. */
static void take_back_locked(struct rk_compactor *compactor)
{
    struct rk_log_writer *log = compactor->settings.log;

    if (!compactor->rescue.is_lent || free_bytes(compactor) < 2 * rk_log_writer_spare_bytes(log))
        return;
    compactor->rescue.is_lent = false;
    rk_compactor_unlock(compactor);
    (void)rk_writer_call(compactor->settings.writer, take_spare, log);
    rk_compactor_lock(compactor);
}

bool rk_compactor_wants_rescue_locked(struct rk_compactor *compactor)
{
    struct rk_merge_rescue *rescue = &compactor->rescue;
    uint64_t now_ns = rk_time_monotonic_ns();

    if (compactor->current.id != 0)
        return false;
    if (!rk_compactor_is_full(compactor)) {
        if (rescue->is_active)
            end_rescue_locked(compactor);
        take_back_locked(compactor);
        return false;
    }
    rescue->is_active = true;
    if (compactor->paused || now_ns < rescue->due_ns)
        return false;
    return now_ns >= rescue->due_always_ns || dead_bytes(compactor) != rescue->seen_dead_bytes
           || free_bytes(compactor) != rescue->seen_free_bytes;
}

void rk_compactor_merge_failed_locked(struct rk_compactor *compactor)
{
    compactor->rescue.has_failed |= compactor->rescue.is_merging;
}

/* A rescue leaves nothing free, and makes files no larger than there is room. */
void rk_compactor_adapt_merge(const struct rk_compactor *compactor, struct rk_merge_settings *merge)
{
    if (!compactor->rescue.is_merging)
        return;
    merge->min_free_bytes = 0;
    merge->piece_bytes_min = PIECE_BYTES_MIN;
    if (compactor->rescue.has_failed) /* there is less room than the disk says */
        merge->file_size_bytes = PIECE_BYTES_MIN;
    merge->settled = on_settled;
}

enum rk_merge_rescue_state rk_compactor_rescue_state_locked(const struct rk_compactor *compactor)
{
    if (!rk_compactor_is_full(compactor))
        return RK_MERGE_RESCUE_NONE;
    if (compactor->paused)
        return RK_MERGE_RESCUE_PAUSED;
    return compactor->rescue.is_stuck ? RK_MERGE_RESCUE_STUCK : RK_MERGE_RESCUE_WORKING;
}

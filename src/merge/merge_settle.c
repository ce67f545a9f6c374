/* How a merge begins and ends its steps: which files, which output, what is listed, relocated and removed when. */
#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "grace/grace_writer.h"
#include "log/log_hint_builder.h"
#include "log/log_merged.h"
#include "log/log_store_change.h"
#include "log/log_writer.h"
#include "merge/merge_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_A_TURN 8

static enum rk_err call(struct rk_merge *merge, void (*run)(void *argument), void *argument)
{
    return merge->settings->call(merge->settings->context, run, argument);
}

/* Without one the merge goes on: a hint that is missing is made later, by the thread that makes those of all files.
 * What the inputs have not, no output will have, but for what was copied once more. */
static void begin_hint(struct rk_merge *merge)
{
    uint64_t n_rest = merge->wanted_records - merge->n_written;
    uint64_t n_entries_max = n_rest < RK_SPACE_MOVES_MAX ? n_rest : RK_SPACE_MOVES_MAX;

    (void)rk_log_hint_builder_create(&merge->hint, rk_log_store_dir_fd(merge->settings->store), merge->output_number,
                                     n_entries_max, NULL);
}

static struct rk_log_merged_settings merged_settings(const struct rk_merge *merge, uint64_t size_bytes)
{
    return (struct rk_log_merged_settings){ .dir_fd = rk_log_store_dir_fd(merge->settings->store),
                                            .identity = rk_log_store_identity(merge->settings->store),
                                            .sequence = rk_log_writer_last_sequence(merge->settings->log),
                                            .expected_bytes = rk_merge_expected_bytes(merge, size_bytes) };
}

enum rk_err rk_merge_begin_output(struct rk_merge *merge, uint64_t size_bytes, struct rk_detail *detail)
{
    struct rk_log_merged_settings settings;
    enum rk_err err;

    merge->output_bytes_max = rk_merge_output_bytes_max(merge);
    settings = merged_settings(merge, size_bytes);
    err = rk_merge_check_room(merge, settings.expected_bytes, detail);
    if (err != RK_OK)
        return err;
    settings.file_number = merge->output_number = rk_log_store_next_number(merge->settings->store);
    err = rk_log_merged_create(&merge->output, &settings, detail);
    if (err == RK_OK)
        begin_hint(merge);
    return err;
}

void rk_merge_add_to_hint(struct rk_merge *merge, const struct rk_disk_hint_entry *entry, const struct rk_disk_key *key)
{
    merge->n_written++;
    if (merge->hint != NULL && rk_log_hint_builder_add(merge->hint, entry, key, NULL) != RK_OK)
        rk_log_hint_builder_destroy(&merge->hint);
}

static void finish_hint(struct rk_merge *merge)
{
    const struct rk_log_store *store = merge->settings->store;
    struct rk_disk_file_summary summary;

    if (merge->hint != NULL && rk_merge_summarize(merge, merge->output_number, &summary, NULL) == RK_OK)
        (void)rk_log_hint_builder_finish(merge->hint, rk_log_store_identity(store)->uuid, &summary, NULL);
    rk_log_hint_builder_destroy(&merge->hint);
}

static uint32_t first_listed_input(const struct rk_merge *merge)
{
    for (size_t i = 0; i < merge->n_inputs; i++)
        if (!merge->inputs[i].is_removed)
            return merge->inputs[i].file_number;
    return 0;
}

/* Beside the inputs: between the oldest of them and what is before it. */
static enum rk_err list_output(struct rk_merge *merge, struct rk_detail *detail)
{
    struct rk_disk_manifest_change change = { .added = &merge->output_number,
                                              .n_added = 1,
                                              .before = first_listed_input(merge) };
    enum rk_err err = rk_log_store_stage(merge->settings->store, &change, detail);

    RK_ASSERT(change.before != 0); /* an input goes only after all that was wanted of it is listed */
    if (err != RK_OK)
        return err;
    err = rk_log_store_commit(merge->settings->store, detail);
    merge->output_may_be_listed = err != RK_ERR_NO_SPACE;
    return err;
}

static enum rk_err finish_output(struct rk_merge *merge, struct rk_detail *detail)
{
    enum rk_err err = rk_log_merged_finish(merge->output, rk_log_writer_last_sequence(merge->settings->log), detail);

    if (err == RK_OK) {
        finish_hint(merge);
        rk_log_merged_settle(merge->output);
        err = merge->output_needs_sync ? rk_merge_sync(merge, detail) : RK_OK;
    }
    if (err == RK_OK)
        err = list_output(merge, detail);
    if (err != RK_OK) {
        if (!merge->output_may_be_listed)
            rk_merge_unlink(merge,
                            merge->output_number); /* the hint; the file itself a second time, which does nothing */
        return err;
    }
    rk_log_merged_close(&merge->output, false);
    merge->output_may_be_listed = merge->output_needs_sync = false; /* of the next one */
    merge->progress.written_bytes += 2 * RK_DISK_FILE_FRAME_BYTES;
    return RK_OK;
}

struct group {
    struct rk_merge *merge;
    size_t first;
    size_t n_moves;
};

static void apply_group(void *argument)
{
    struct group *group = argument;
    struct rk_merge *merge = group->merge;
    struct rk_space *space = merge->settings->space;
    uint64_t n_before = rk_space_total(space).n_records[RK_SPACE_EXPIRED];

    rk_space_moves_apply(merge->moves.moves + group->first, group->n_moves, merge->settings->keydir, space);
    merge->progress.n_expired += rk_space_total(space).n_records[RK_SPACE_EXPIRED] - n_before;
}

static void note_expiry(void *argument)
{
    struct rk_merge *merge = argument;

    rk_space_note_expiry(merge->settings->space, merge->output_number, merge->output_expiry_s);
    merge->output_expiry_s = 0; /* of the next one */
}

/* All of them, whatever comes: only then is the table right. The output's first expiry stands before any key is there:
 * a write may replace it at once. */
static enum rk_err apply_moves(struct rk_merge *merge)
{
    enum rk_err err = merge->output_expiry_s != 0 ? call(merge, note_expiry, merge) : RK_OK;

    for (size_t i = 0; err == RK_OK && i < merge->moves.n_moves; i += RK_SPACE_MOVES_GROUP) {
        size_t rest = merge->moves.n_moves - i;
        struct group group = { merge, i, rest < RK_SPACE_MOVES_GROUP ? rest : RK_SPACE_MOVES_GROUP };

        err = call(merge, apply_group, &group);
        if (i / RK_SPACE_MOVES_GROUP % GROUPS_A_TURN == 0) /* cancelled or not, it is finished */
            (void)merge->settings->turn(merge->settings->context, &merge->progress);
    }
    merge->moves.n_moves = 0;
    return err;
}

enum rk_err rk_merge_settle(struct rk_merge *merge, struct rk_detail *detail)
{
    enum rk_err err = merge->output != NULL ? finish_output(merge, detail) : RK_OK;

    if (err == RK_OK)
        err = apply_moves(merge);
    if (err != RK_OK)
        return err;
    for (size_t i = 0; i < merge->n_inputs; i++)
        merge->inputs[i].is_settled = merge->inputs[i].is_copied;
    err = rk_merge_remove(merge, detail);
    if (err == RK_OK && merge->settings->settled != NULL)
        merge->settings->settled(merge->settings->context);
    return err;
}

/* How a merge begins and ends its steps: which files, which output, what is listed, relocated and removed when. */
#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "grace/grace_writer.h"
#include "log/log_hint_builder.h"
#include "log/log_merged.h"
#include "log/log_store_change.h"
#include "log/log_writer.h"
#include "merge/merge_private.h"
#include "merge/merge_rescue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_A_TURN         8
#define TOMBSTONE_BYTES_USUAL 96u

static enum rk_err call(struct rk_merge *merge, void (*run)(void *argument), void *argument)
{
    return merge->settings->call(merge->settings->context, run, argument);
}

static bool is_input(const struct rk_merge_settings *settings, uint32_t file_number)
{
    for (size_t i = 0; i < settings->n_files; i++)
        if (settings->files[i] == file_number)
            return true;
    return false;
}

static enum rk_err summarize(const struct rk_merge *merge, uint32_t file_number,
                             struct rk_disk_file_summary *summary_out, struct rk_detail *detail)
{
    const struct rk_log_store *store = merge->settings->store;

    return rk_disk_file_summarize(rk_log_store_dir_fd(store), file_number, &rk_log_store_identity(store)->secret,
                                  summary_out, detail);
}

/* No record of the file has a lower sequence. */
static uint64_t first_sequence_of(const struct rk_disk_file_summary *summary)
{
    if (summary->has_trailer)
        return summary->trailer.n_records > 0 ? summary->trailer.first_sequence : UINT64_MAX;
    return summary->has_header && summary->kind == RK_DISK_FILE_APPENDED ? summary->header_sequence + 1 : 0;
}

static enum rk_err add_input(struct rk_merge *merge, uint32_t file_number, const struct rk_disk_file_summary *summary,
                             struct rk_detail *detail)
{
    struct merge_input *input = &merge->inputs[merge->n_inputs++];

    if (!summary->has_trailer || file_number == rk_log_writer_file_number(merge->settings->log)) {
        rk_detail_set(detail, "data file %u is still written to", file_number);
        return RK_ERR_INVALID;
    }
    *input = (struct merge_input){ .file_number = file_number,
                                   .summary = *summary,
                                   .first_sequence = first_sequence_of(summary),
                                   .last_sequence = summary->trailer.last_sequence };
    merge->progress.total_bytes += summary->file_bytes;
    return RK_OK;
}

static enum rk_err look_at_files(struct rk_merge *merge, struct rk_detail *detail)
{
    uint32_t file_number;

    merge->floor = UINT64_MAX;
    for (size_t i = 0; (file_number = rk_log_store_file(merge->settings->store, i)) != 0; i++) {
        struct rk_disk_file_summary summary;
        enum rk_err err = summarize(merge, file_number, &summary, detail);

        if (err != RK_OK)
            return err;
        if (is_input(merge->settings, file_number))
            err = add_input(merge, file_number, &summary, detail);
        else if (first_sequence_of(&summary) < merge->floor)
            merge->floor = first_sequence_of(&summary);
        if (err != RK_OK)
            return err;
    }
    if (merge->n_inputs == merge->settings->n_files)
        return RK_OK;
    rk_detail_set(detail, "of the data files that were asked for, %zu of %zu cannot be found",
                  merge->settings->n_files - merge->n_inputs, merge->settings->n_files);
    return RK_ERR_INVALID;
}

static int compare_inputs(const void *a, const void *b)
{
    const struct merge_input *left = a, *right = b;

    return (left->first_sequence > right->first_sequence) - (left->first_sequence < right->first_sequence);
}

static void copy_rows(void *argument)
{
    struct rk_merge *merge = argument;

    for (size_t i = 0; i < merge->n_inputs; i++) {
        struct merge_input *input = &merge->inputs[i];

        input->space = rk_space_file(merge->settings->space, input->file_number);
        input->has_expired = input->space.n_records[RK_SPACE_EXPIRED] > 0 && !RK_PLANTED(expired_hides_nothing);
    }
}

/* What may be written of the input: at most so many records, and so many bytes for all that is usual (of how long the
 * keys of expired records are, for which tombstones may stand, the table says nothing). */
static void add_wanted(struct rk_merge *merge, const struct merge_input *input)
{
    const struct rk_space_file *space = &input->space;
    uint64_t tombstone_bytes = space->n_records[RK_SPACE_EXPIRED] * TOMBSTONE_BYTES_USUAL;

    merge->wanted_bytes += space->bytes[RK_SPACE_LIVE] + space->bytes[RK_SPACE_TOMBSTONE];
    merge->wanted_records += space->n_records[RK_SPACE_LIVE] + space->n_records[RK_SPACE_TOMBSTONE];
    if (!input->has_expired || input->last_sequence < merge->floor)
        return;
    merge->wanted_bytes +=
        tombstone_bytes < space->bytes[RK_SPACE_EXPIRED] ? tombstone_bytes : space->bytes[RK_SPACE_EXPIRED];
    for (size_t column = RK_SPACE_OVERWRITTEN; column <= RK_SPACE_EXPIRED; column++)
        merge->wanted_records += space->n_records[column];
}

enum rk_err rk_merge_plan(struct rk_merge *merge, struct rk_detail *detail)
{
    enum rk_err err = rk_log_writer_state(merge->settings->log);

    if (err != RK_OK) {
        rk_detail_set(detail, "%s", rk_err_text(err));
        return err;
    }
    merge->inputs = rk_mem_calloc(merge->settings->n_files + 1, sizeof *merge->inputs);
    err = look_at_files(merge, detail);
    if (err == RK_OK)
        err = call(merge, copy_rows, merge);
    if (err != RK_OK)
        return err;
    qsort(merge->inputs, merge->n_inputs, sizeof *merge->inputs, compare_inputs);
    for (size_t i = 0; i < merge->n_inputs; i++)
        add_wanted(merge, &merge->inputs[i]);
    rk_space_moves_reserve(&merge->moves,
                           merge->wanted_records < RK_SPACE_MOVES_MAX ? merge->wanted_records : RK_SPACE_MOVES_MAX);
    return RK_OK;
}

/* At most so much will be written to the next output. */
static uint64_t expected_bytes(const struct rk_merge *merge, uint64_t size_bytes)
{
    uint64_t rest = merge->wanted_bytes > merge->progress.written_bytes
                        ? merge->wanted_bytes - merge->progress.written_bytes
                        : size_bytes;

    if (rest > merge->output_bytes_max)
        rest = merge->output_bytes_max;
    return rest > size_bytes ? rest : size_bytes;
}

/* Whether the disk has so many bytes beside those that stay free. */
static bool has_room(const struct rk_merge *merge, uint64_t needed_bytes, uint64_t *free_bytes_out)
{
    uint64_t min_free_bytes, disk_bytes;

    if (!rk_io_disk(rk_log_store_dir_fd(merge->settings->store), free_bytes_out, &disk_bytes))
        return true; /* then the write tells */
    min_free_bytes = rk_merge_rescue_min_free(merge->settings->min_free_bytes, disk_bytes);
    return *free_bytes_out >= min_free_bytes && *free_bytes_out - min_free_bytes >= needed_bytes;
}

/* merge.min_free, or what is reasonable on such a disk. */
static uint64_t kept_bytes(const struct rk_merge *merge)
{
    uint64_t free_bytes, disk_bytes;

    if (!rk_io_disk(rk_log_store_dir_fd(merge->settings->store), &free_bytes, &disk_bytes))
        return merge->settings->min_free_bytes;
    return rk_merge_rescue_min_free(merge->settings->min_free_bytes, disk_bytes);
}

/* Inputs that are gone, but still open, have space that is as good as free. */
static enum rk_err check_room(const struct rk_merge *merge, uint64_t needed_bytes, struct rk_detail *detail)
{
    const struct rk_merge_settings *settings = merge->settings;
    uint64_t free_bytes = 0;

    if (has_room(merge, needed_bytes, &free_bytes))
        return RK_OK;
    if (settings->release != NULL && settings->release(settings->context) && has_room(merge, needed_bytes, &free_bytes))
        return RK_OK;
    rk_detail_set(detail, "needs %llu bytes for the next file; the disk has %llu, of which it leaves %llu free",
                  (unsigned long long)needed_bytes, (unsigned long long)free_bytes,
                  (unsigned long long)kept_bytes(merge));
    return RK_ERR_NO_SPACE;
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

/* As large as a file should be, or as there is room for. */
static uint64_t output_bytes_max(const struct rk_merge *merge)
{
    const struct rk_merge_settings *settings = merge->settings;
    uint64_t free_bytes = UINT64_MAX, piece_bytes;

    if (settings->piece_bytes_min == 0)
        return settings->file_size_bytes;
    (void)has_room(merge, 0, &free_bytes);
    piece_bytes = free_bytes / 2 > settings->piece_bytes_min ? free_bytes / 2 : settings->piece_bytes_min;
    return piece_bytes < settings->file_size_bytes ? piece_bytes : settings->file_size_bytes;
}

static struct rk_log_merged_settings merged_settings(const struct rk_merge *merge, uint64_t size_bytes)
{
    return (struct rk_log_merged_settings){ .dir_fd = rk_log_store_dir_fd(merge->settings->store),
                                            .identity = rk_log_store_identity(merge->settings->store),
                                            .sequence = rk_log_writer_last_sequence(merge->settings->log),
                                            .expected_bytes = expected_bytes(merge, size_bytes) };
}

enum rk_err rk_merge_begin_output(struct rk_merge *merge, uint64_t size_bytes, struct rk_detail *detail)
{
    struct rk_log_merged_settings settings;
    enum rk_err err;

    merge->output_bytes_max = output_bytes_max(merge);
    settings = merged_settings(merge, size_bytes);
    err = check_room(merge, settings.expected_bytes, detail);
    if (err != RK_OK)
        return err;
    settings.file_number = merge->output_number = rk_log_store_next_number(merge->settings->store);
    err = rk_log_merged_create(&merge->output, &settings, detail);
    if (err == RK_OK)
        begin_hint(merge);
    return err;
}

void rk_merge_add_to_hint(struct rk_merge *merge, const struct rk_disk_hint_entry *entry, const uint8_t *key,
                          uint16_t key_len)
{
    merge->n_written++;
    if (merge->hint != NULL && rk_log_hint_builder_add(merge->hint, entry, key, key_len, NULL) != RK_OK)
        rk_log_hint_builder_destroy(&merge->hint);
}

static void finish_hint(struct rk_merge *merge)
{
    const struct rk_log_store *store = merge->settings->store;
    struct rk_disk_file_summary summary;

    if (merge->hint != NULL && summarize(merge, merge->output_number, &summary, NULL) == RK_OK)
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
    merge->output_may_be_listed = true;
    return rk_log_store_commit(merge->settings->store, detail);
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

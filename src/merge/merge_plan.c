/* Before a merge writes anything: what its inputs are, and what may be wanted of them. */
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge/merge_private.h"

#include <stdlib.h>

#define TOMBSTONE_BYTES_USUAL 96u

static bool is_input(const struct rk_merge_settings *settings, uint32_t file_number)
{
    for (size_t i = 0; i < settings->n_files; i++)
        if (settings->files[i] == file_number)
            return true;
    return false;
}

enum rk_err rk_merge_summarize(const struct rk_merge *merge, uint32_t file_number,
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
        enum rk_err err = rk_merge_summarize(merge, file_number, &summary, detail);

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
        err = merge->settings->call(merge->settings->context, copy_rows, merge);
    if (err != RK_OK)
        return err;
    qsort(merge->inputs, merge->n_inputs, sizeof *merge->inputs, compare_inputs);
    for (size_t i = 0; i < merge->n_inputs; i++)
        add_wanted(merge, &merge->inputs[i]);
    rk_space_moves_reserve(&merge->moves,
                           merge->wanted_records < RK_SPACE_MOVES_MAX ? merge->wanted_records : RK_SPACE_MOVES_MAX);
    return RK_OK;
}

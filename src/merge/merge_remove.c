/* How the inputs of a merge go: out of the MANIFEST, out of the space table, and off the disk once nobody reads them.
 */
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "grace/grace_writer.h"
#include "log/log_store_change.h"
#include "log/log_writer.h"
#include "merge/merge_private.h"

#include <fcntl.h>
#include <stdlib.h>

#define FILES_A_TURN 64

struct removal {
    struct rk_merge *merge;
    struct merge_input **inputs;
    uint32_t *files; /* their numbers */
    size_t n_files;
    uint64_t ticket;
};

/* The lowest sequence of the inputs that stay. */
static uint64_t lowest_staying(const struct rk_merge *merge, const struct removal *removal)
{
    uint64_t lowest = UINT64_MAX;

    for (size_t i = 0; i < merge->n_inputs; i++) {
        bool stays = !merge->inputs[i].is_removed;

        for (size_t j = 0; j < removal->n_files; j++)
            stays = stays && removal->inputs[j] != &merge->inputs[i];
        if (stays && merge->inputs[i].first_sequence < lowest)
            lowest = merge->inputs[i].first_sequence;
    }
    return lowest;
}

/* Takes out what hid records that may be in an input that stays (guarantee 6), until there is none. */
static void keep_hiding(const struct rk_merge *merge, struct removal *removal)
{
    size_t n_before;

    do {
        uint64_t lowest = lowest_staying(merge, removal);
        size_t n = 0;

        n_before = removal->n_files;
        for (size_t i = 0; i < n_before; i++)
            if (removal->inputs[i]->max_dropped < lowest)
                removal->inputs[n++] = removal->inputs[i];
        removal->n_files = n;
    } while (removal->n_files < n_before);
}

static void choose(struct rk_merge *merge, struct removal *removal)
{
    for (size_t i = 0; i < merge->n_inputs; i++)
        if (merge->inputs[i].is_settled && !merge->inputs[i].is_removed)
            removal->inputs[removal->n_files++] = &merge->inputs[i];
    keep_hiding(merge, removal);
    for (size_t i = 0; i < removal->n_files; i++)
        removal->files[i] = removal->inputs[i]->file_number;
}

/* Writer thread: whoever begins to read after this finds no location in these files. */
static void forget_files(void *argument)
{
    struct removal *removal = argument;
    const struct rk_merge_settings *settings = removal->merge->settings;

    for (size_t i = 0; i < removal->n_files; i++)
        rk_space_forget(settings->space, removal->files[i]);
    removal->ticket = settings->grace != NULL ? rk_grace_writer_ticket(settings->grace) : 0;
}

void rk_merge_unlink(const struct rk_merge *merge, uint32_t file_number)
{
    int dir_fd = rk_log_store_dir_fd(merge->settings->store);
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    (void)rk_io->unlink_at(dir_fd, name); /* not listed: what stays is swept by the next start */
    rk_disk_hint_name(name, file_number);
    (void)rk_io->unlink_at(dir_fd, name); /* there may be none */
}

enum rk_err rk_merge_sync(const struct rk_merge *merge, struct rk_detail *detail)
{
    enum rk_err err = RK_PLANTED(merge_without_sync) ? RK_OK : rk_log_writer_sync(merge->settings->log);

    if (err != RK_OK)
        rk_log_writer_why(merge->settings->log, detail);
    return err;
}

static enum rk_err unlist(struct removal *removal, struct rk_detail *detail)
{
    struct rk_disk_manifest_change change = { .removed = removal->files, .n_removed = removal->n_files };
    enum rk_err err = rk_merge_sync(removal->merge, detail);

    return err == RK_OK ? rk_log_store_change(removal->merge->settings->store, &change, detail) : err;
}

/* A descriptor of a file that is about to be unlinked, for who wants to be the last that closes it; -1: none. */
static int open_to_keep(const struct rk_merge_settings *settings, const char *name)
{
    return settings->keep != NULL ? rk_open_file(rk_log_store_dir_fd(settings->store), name, O_RDONLY, 0) : -1;
}

static void unlink_input(const struct rk_merge *merge, uint32_t file_number)
{
    const struct rk_merge_settings *settings = merge->settings;
    char name[RK_DISK_FILE_NAME_BYTES];
    int fds[2];

    rk_disk_file_name(name, file_number);
    fds[0] = open_to_keep(settings, name);
    rk_disk_hint_name(name, file_number);
    fds[1] = open_to_keep(settings, name); /* there may be none */
    rk_merge_unlink(merge, file_number);
    for (size_t i = 0; i < 2; i++)
        if (fds[i] >= 0)
            settings->keep(settings->context, fds[i]);
}

static enum rk_err remove_files(struct removal *removal, struct rk_detail *detail)
{
    struct rk_merge *merge = removal->merge;
    const struct rk_merge_settings *settings = merge->settings;
    enum rk_err err = unlist(removal, detail);

    if (err != RK_OK)
        return err;
    for (size_t i = 0; i < removal->n_files; i++)
        removal->inputs[i]->is_removed = true;
    err = settings->call(settings->context, forget_files, removal);
    if (err == RK_OK && settings->grace != NULL)
        err = settings->wait_grace(settings->context, removal->ticket);
    if (err != RK_OK)
        return err;
    for (size_t i = 0; i < removal->n_files; i++) {
        uint64_t file_bytes = removal->inputs[i]->summary.file_bytes;

        unlink_input(merge, removal->files[i]);
        merge->progress.removed_bytes += file_bytes;
        merge->progress.done_bytes += removal->inputs[i]->is_dead ? file_bytes : 0;
        if (i % FILES_A_TURN == FILES_A_TURN - 1) /* cancelled or not, they go */
            (void)settings->turn(settings->context, &merge->progress);
    }
    settings->gone(settings->context);
    return RK_OK;
}

enum rk_err rk_merge_remove(struct rk_merge *merge, struct rk_detail *detail)
{
    struct removal removal = { .merge = merge,
                               .inputs = rk_mem_calloc(merge->n_inputs + 1, sizeof *removal.inputs),
                               .files = rk_mem_calloc(merge->n_inputs + 1, sizeof *removal.files) };
    enum rk_err err;

    choose(merge, &removal);
    err = removal.n_files > 0 ? remove_files(&removal, detail) : RK_OK;
    free(removal.inputs);
    free(removal.files);
    return err;
}

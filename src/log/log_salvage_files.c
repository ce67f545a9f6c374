#include "log/log_salvage_files.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "log/log_quarantine.h"
#include "log/log_store_change.h"
#include "log/log_unlisted.h"

#include <stdlib.h>

static uint64_t higher(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Of all listed files that can be read. */
static uint64_t find_known_sequence(const struct rk_log_store *store)
{
    uint64_t known = rk_log_store_last_sequence(store);
    uint32_t number;

    for (size_t i = 0; (number = rk_log_store_file(store, i)) != 0; i++) {
        struct rk_log_unlisted_file file;

        rk_log_unlisted_look_at(store, number, &file);
        known = higher(known, higher(file.given_sequence, file.last_sequence));
    }
    return known;
}

static enum rk_err quarantine(struct rk_log_store *store, uint32_t number, struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, number);
    return rk_log_quarantine_move(rk_log_store_dir_fd(store), name, detail);
}

/* A hint knows the keys of a file that is lost. */
static enum rk_err quarantine_hint(struct rk_log_store *store, uint32_t number, struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    rk_disk_hint_name(name, number);
    err = rk_log_quarantine_move(rk_log_store_dir_fd(store), name, detail);
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* The newest one comes last: it may be without a trailer. */
static int compare_ages(const void *a, const void *b)
{
    const struct rk_log_unlisted_file *left = a, *right = b;
    uint64_t left_age = left->file_kind == RK_DISK_FILE_MERGED ? 0 : left->header_sequence + 1;
    uint64_t right_age = right->file_kind == RK_DISK_FILE_MERGED ? 0 : right->header_sequence + 1;

    return (left_age > right_age) - (left_age < right_age);
}

static enum rk_err list_files(struct rk_log_store *store, const struct rk_log_unlisted_file *files, size_t n_files,
                              const struct rk_log_salvage_hooks *hooks, struct rk_detail *detail)
{
    uint32_t *numbers = rk_mem_calloc(n_files + 1, sizeof *numbers);
    struct rk_disk_manifest_change change = { .added = numbers, .n_added = n_files };
    enum rk_err err = RK_OK;

    for (size_t i = 0; i < n_files; i++)
        numbers[i] = files[i].number;
    if (n_files > 0)
        err = rk_log_store_change(store, &change, detail);
    for (size_t i = 0; err == RK_OK && i < n_files; i++)
        hooks->listed(hooks->context, files[i].number, files[i].first_sequence, files[i].last_sequence);
    free(numbers);
    return err;
}

/* Moves what is of no use, and brings what is to be listed to the front. */
static enum rk_err sort_out(struct rk_log_store *store, struct rk_log_unlisted *unlisted, size_t *n_newer_out,
                            const struct rk_log_salvage_hooks *hooks, struct rk_detail *detail)
{
    uint64_t known = find_known_sequence(store);
    enum rk_err err = RK_OK;

    *n_newer_out = 0;
    for (size_t i = 0; err == RK_OK && i < unlisted->n_files; i++) {
        struct rk_log_unlisted_file *file = &unlisted->files[i];

        if (rk_log_unlisted_may_go(file, known))
            continue;
        if (file->kind == RK_LOG_UNLISTED_RECORDS && file->last_sequence > known) {
            unlisted->files[(*n_newer_out)++] = *file;
            continue;
        }
        err = quarantine(store, file->number, detail);
        if (err == RK_OK)
            hooks->moved(hooks->context, file->number);
    }
    return err;
}

enum rk_err rk_log_salvage_unlisted(struct rk_log_store *store, const struct rk_log_salvage_hooks *hooks,
                                    struct rk_detail *detail)
{
    struct rk_log_unlisted unlisted;
    size_t n_newer;
    enum rk_err err = rk_log_unlisted_look(store, &unlisted, detail);

    if (err != RK_OK)
        return err;
    err = sort_out(store, &unlisted, &n_newer, hooks, detail);
    if (err == RK_OK && n_newer > 0) {
        qsort(unlisted.files, n_newer, sizeof *unlisted.files, compare_ages);
        err = list_files(store, unlisted.files, n_newer, hooks, detail);
    }
    rk_log_unlisted_fini(&unlisted);
    return err;
}

enum rk_err rk_log_salvage_drop(struct rk_log_store *store, const struct rk_log_salvage_dropped *dropped,
                                uint64_t last_sequence, const struct rk_log_salvage_hooks *hooks,
                                struct rk_detail *detail)
{
    struct rk_disk_manifest_change change = { .removed = &dropped->file_number,
                                              .n_removed = 1,
                                              .last_sequence = last_sequence };
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err = quarantine_hint(store, dropped->file_number, detail);

    rk_disk_file_name(name, dropped->file_number);
    if (err == RK_OK && !dropped->is_missing) /* a second name first: whatever comes, it has one */
        err = rk_log_quarantine_link(rk_log_store_dir_fd(store), name, detail);
    if (err == RK_OK)
        err = rk_log_store_change(store, &change, detail);
    if (err == RK_OK && !dropped->is_missing)
        err = quarantine(store, dropped->file_number, detail);
    if (err == RK_OK)
        hooks->dropped(hooks->context, dropped);
    return err;
}

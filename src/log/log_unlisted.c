#include "log/log_unlisted.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_scan.h"
#include "disk/disk_small_file.h"
#include "disk/disk_summary.h"
#include "log/log_names.h"
#include "log/log_quarantine.h"
#include "log/log_store_change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 3 /* files, in one message */

struct search {
    const struct rk_log_store *store;
    struct rk_log_unlisted unlisted;
};

static void add_sequence(struct rk_log_unlisted_file *file, uint64_t sequence)
{
    if (file->kind == RK_LOG_UNLISTED_EMPTY || sequence < file->first_sequence)
        file->first_sequence = sequence;
    if (file->kind == RK_LOG_UNLISTED_EMPTY || sequence > file->last_sequence)
        file->last_sequence = sequence;
    file->kind = RK_LOG_UNLISTED_RECORDS;
}

static void be_foreign(struct rk_log_unlisted_file *file, const char *why)
{
    file->kind = RK_LOG_UNLISTED_FOREIGN;
    (void)snprintf(file->why, sizeof file->why, "%s", why); /* cut if it is long */
}

/* All whole records, those behind damage as well. */
static enum rk_err read_records(struct rk_disk_scan *scan, struct rk_log_unlisted_file *file, struct rk_detail *detail)
{
    struct rk_disk_scan_item item;
    enum rk_err err = RK_OK;

    while (err == RK_OK) {
        err = rk_disk_scan_next(scan, &item, detail);
        if (err == RK_OK) {
            add_sequence(file, item.header.sequence);
        } else if (err == RK_ERR_NOT_FOUND) {
            const struct rk_disk_scan_end *end = rk_disk_scan_end(scan);

            if (end->used_bytes <= RK_DISK_FILE_FRAME_BYTES || end->used_bytes == end->end_bytes)
                return RK_OK; /* zeros */
            file->has_garbage = true;
            err = rk_disk_scan_skip(scan, detail);
        }
    }
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* What the trailer says, where there is one. */
static enum rk_err read_file(const struct rk_log_store *store, struct rk_disk_scan *scan,
                             struct rk_log_unlisted_file *file, struct rk_detail *detail)
{
    struct rk_disk_file_summary summary;
    enum rk_err err = rk_disk_file_summarize(rk_log_store_dir_fd(store), file->number,
                                             &rk_log_store_identity(store)->secret, &summary, detail);

    if (err != RK_OK)
        return err;
    file->file_kind = summary.has_header ? summary.kind : RK_DISK_FILE_APPENDED;
    file->header_sequence = summary.has_header ? summary.header_sequence : 0;
    file->given_sequence = summary.has_trailer && summary.trailer_sequence > file->header_sequence
                               ? summary.trailer_sequence
                               : file->header_sequence;
    if (!summary.has_header || !summary.has_trailer)
        err = read_records(scan, file, detail);
    else if (summary.trailer.n_records > 0) {
        add_sequence(file, summary.trailer.first_sequence);
        add_sequence(file, summary.trailer.last_sequence);
    }
    if (err == RK_OK && !summary.has_header && file->has_garbage)
        be_foreign(file, "it has no file header");
    return err;
}

/* A file that cannot be read is not ours to remove. */
void rk_log_unlisted_look_at(const struct rk_log_store *store, uint32_t file_number,
                             struct rk_log_unlisted_file *file_out)
{
    struct rk_disk_scan *scan = NULL;
    struct rk_detail detail = { "" };
    enum rk_err err;

    *file_out = (struct rk_log_unlisted_file){ .number = file_number };
    err = rk_disk_scan_open(&scan, rk_log_store_dir_fd(store), file_number, rk_log_store_identity(store), &detail);
    if (err == RK_OK)
        err = read_file(store, scan, file_out, &detail);
    if (err != RK_OK)
        be_foreign(file_out, detail.text);
    rk_disk_scan_close(&scan);
}

static void look_unless_kept(const struct rk_log_store *store, struct rk_log_unlisted_file *file)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file->number);
    if (rk_log_quarantine_has(rk_log_store_dir_fd(store), name))
        file->kind = RK_LOG_UNLISTED_KEPT;
    else
        rk_log_unlisted_look_at(store, file->number, file);
}

static bool is_data_file(const char *name, uint32_t file_number)
{
    char data_name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(data_name, file_number);
    return strcmp(name, data_name) == 0;
}

static enum rk_err note_name(void *context, const char *name, struct rk_detail *detail)
{
    struct search *search = context;
    struct rk_log_unlisted *unlisted = &search->unlisted;
    uint32_t number = rk_disk_file_number_of_name(name);
    struct rk_log_unlisted_file *files;

    if (number == 0 || !is_data_file(name, number) || rk_log_store_lists(search->store, number))
        return RK_OK;
    files = realloc(unlisted->files, (unlisted->n_files + 1) * sizeof *files);
    if (files == NULL) {
        rk_detail_set(detail, "no memory for the names of its files");
        return RK_ERR_NO_MEMORY;
    }
    unlisted->files = files;
    files[unlisted->n_files++] = (struct rk_log_unlisted_file){ .number = number };
    return RK_OK;
}

static int compare_files(const void *a, const void *b)
{
    const struct rk_log_unlisted_file *left = a, *right = b;

    return (left->number > right->number) - (left->number < right->number);
}

enum rk_err rk_log_unlisted_look(const struct rk_log_store *store, struct rk_log_unlisted *unlisted_out,
                                 struct rk_detail *detail)
{
    struct search search = { .store = store };
    enum rk_err err = rk_log_names_visit(rk_log_store_dir_fd(store), note_name, &search, detail);

    if (err != RK_OK) {
        rk_log_unlisted_fini(&search.unlisted);
        return err;
    }
    if (search.unlisted.n_files > 0)
        qsort(search.unlisted.files, search.unlisted.n_files, sizeof *search.unlisted.files, compare_files);
    for (size_t i = 0; i < search.unlisted.n_files; i++)
        look_unless_kept(store, &search.unlisted.files[i]);
    *unlisted_out = search.unlisted;
    return RK_OK;
}

void rk_log_unlisted_fini(struct rk_log_unlisted *unlisted)
{
    free(unlisted->files);
    *unlisted = (struct rk_log_unlisted){ 0 };
}

bool rk_log_unlisted_may_go(const struct rk_log_unlisted_file *file, uint64_t known_sequence)
{
    if (RK_PLANTED(unlisted_are_removed) || file->kind == RK_LOG_UNLISTED_EMPTY || file->kind == RK_LOG_UNLISTED_KEPT)
        return true;
    if (file->kind == RK_LOG_UNLISTED_FOREIGN || file->last_sequence > known_sequence)
        return false;
    return !file->has_garbage || file->file_kind == RK_DISK_FILE_MERGED; /* which a crash leaves in any state */
}

static size_t describe(const struct rk_log_unlisted_file *file, char *text, size_t size)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    int n;

    rk_disk_file_name(name, file->number);
    if (file->kind == RK_LOG_UNLISTED_FOREIGN)
        n = snprintf(text, size, "%s (%s)", name, file->why);
    else
        n = snprintf(text, size, "%s (sequences %" PRIu64 " to %" PRIu64 ")", name, file->first_sequence,
                     file->last_sequence);
    return n > 0 && (size_t)n < size ? (size_t)n : size - 1;
}

enum rk_err rk_log_unlisted_check(const struct rk_log_unlisted *unlisted, uint64_t known_sequence,
                                  struct rk_detail *detail)
{
    char text[RK_DETAIL_BYTES / 2] = "";
    size_t used = 0, n_staying = 0;

    for (size_t i = 0; i < unlisted->n_files; i++) {
        if (rk_log_unlisted_may_go(&unlisted->files[i], known_sequence))
            continue;
        if (n_staying++ >= NAMED_MAX)
            continue;
        if (used > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, ", ");
        used += describe(&unlisted->files[i], text + used, sizeof text - used);
        if (used > sizeof text - sizeof ", ")
            used = sizeof text - sizeof ", ";
    }
    if (n_staying == 0)
        return RK_OK;
    if (n_staying > NAMED_MAX)
        (void)snprintf(text + used, sizeof text - used, ", ...");
    rk_detail_set(
        detail,
        "%zu data file%s that MANIFEST does not list, and that no crash leaves: %s; the listed files go up to "
        "sequence %" PRIu64 "; nothing was changed. Put the MANIFEST back that belongs to them; or move them "
        "elsewhere, if they are not wanted",
        n_staying, n_staying == 1 ? "" : "s", text, known_sequence);
    return RK_ERR_CORRUPT;
}

static enum rk_err remove_name(const struct rk_log_store *store, const char *name, struct rk_detail *detail)
{
    if (rk_io->unlink_at(rk_log_store_dir_fd(store), name) == 0 || errno == ENOENT)
        return RK_OK;
    rk_detail_set(detail, "%s: cannot be removed: %s", name, strerror(errno));
    return rk_err_from_errno(errno);
}

/* Everything but data files. */
static enum rk_err remove_left_over(void *context, const char *name, struct rk_detail *detail)
{
    const struct rk_log_store *store = context;
    uint32_t number = rk_disk_file_number_of_name(name);
    bool is_left_over = number != 0 ? !is_data_file(name, number) && !rk_log_store_lists(store, number)
                                    : rk_disk_file_is_tmp_hint(name) || strcmp(name, "MANIFEST" RK_DISK_TMP_SUFFIX) == 0
                                          || strcmp(name, "STORE" RK_DISK_TMP_SUFFIX) == 0;

    return is_left_over ? remove_name(store, name, detail) : RK_OK;
}

enum rk_err rk_log_unlisted_sweep(const struct rk_log_store *store, const struct rk_log_unlisted *unlisted,
                                  void (*removed)(void *context, uint32_t file_number), void *context,
                                  struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    for (size_t i = 0; err == RK_OK && i < unlisted->n_files; i++) {
        char name[RK_DISK_FILE_NAME_BYTES];

        rk_disk_file_name(name, unlisted->files[i].number);
        err = remove_name(store, name, detail);
        if (err == RK_OK && removed != NULL)
            removed(context, unlisted->files[i].number);
    }
    if (err == RK_OK)
        err = rk_log_names_visit(rk_log_store_dir_fd(store), remove_left_over, (void *)(uintptr_t)store, detail);
    return err;
}

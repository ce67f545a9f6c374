/* What there is to merge: the data files with their bytes by column, and what the policy says of them. */
#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "disk/disk_file.h"
#include "disk/disk_record.h"
#include "disk/disk_summary.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "space/space.h"
#include "writer/writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

_Static_assert(sizeof((struct rk_compactor_file_report *)0)->bytes / sizeof(uint64_t) == RK_SPACE_N_COLUMNS,
               "all columns");

/* As the writer thread sees it between two batches. */
struct survey {
    struct rk_compactor *compactor;
    uint32_t active;
    uint64_t active_bytes; /* of the file, whatever is in it */
    struct rk_space_file *rows;
    size_t n_rows;
};

static uint64_t size_of_file(int dir_fd, uint32_t file_number)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    struct stat status = { 0 };
    int fd;

    rk_disk_file_name(name, file_number);
    fd = rk_open_file(dir_fd, name, O_RDONLY, 0);
    if (fd < 0)
        return 0;
    (void)rk_io->fstat(fd, &status); /* else it is empty for all that we know */
    (void)rk_io->close(fd);          /* nothing was written through it */
    return (uint64_t)status.st_size;
}

static void take_survey(void *argument)
{
    struct survey *survey = argument;
    const struct rk_compactor_settings *settings = &survey->compactor->settings;
    uint32_t file_number;

    survey->active = rk_log_writer_file_number(settings->log);
    survey->active_bytes = size_of_file(rk_log_store_dir_fd(settings->store), survey->active);
    survey->rows = rk_mem_calloc(rk_log_store_n_files(settings->store) + 1, sizeof *survey->rows);
    while (survey->n_rows < rk_log_store_n_files(settings->store)
           && (file_number = rk_log_store_file(settings->store, survey->n_rows)) != 0)
        survey->rows[survey->n_rows++] = rk_space_file(settings->space, file_number);
}

static bool has_hint(int dir_fd, uint32_t file_number)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    int fd;

    rk_disk_hint_name(name, file_number);
    fd = rk_open_file(dir_fd, name, O_RDONLY, 0);
    if (fd >= 0)
        (void)rk_io->close(fd); /* nothing was written through it */
    return fd >= 0;
}

/* A merge has to put so many bytes of tombstones, at least, into the place of what has expired, unless these can go. */
static uint64_t hiding_bytes(const struct rk_space_file *row)
{
    return row->n_records[RK_SPACE_EXPIRED] * rk_record_size(1, 0, 0, false);
}

static void fill_columns(struct rk_compactor_file_report *report, const struct rk_space_file *row)
{
    for (size_t i = 0; i < RK_SPACE_N_COLUMNS; i++) {
        report->n_records[i] = row->n_records[i];
        report->bytes[i] = row->bytes[i];
    }
    report->file.file_number = row->file_number;
    report->file.live_bytes = row->bytes[RK_SPACE_LIVE];
    report->file.tombstone_bytes = row->bytes[RK_SPACE_TOMBSTONE] + hiding_bytes(row);
    report->file.dead_bytes = row->bytes[RK_SPACE_OVERWRITTEN] + row->bytes[RK_SPACE_DELETED]
                              + row->bytes[RK_SPACE_EXPIRED] - hiding_bytes(row); /* a record is no smaller */
}

/* A file that a merge has removed meanwhile is left out: false. */
static bool fill_report(const struct survey *survey, const struct rk_space_file *row,
                        struct rk_compactor_file_report *report)
{
    const struct rk_log_store *store = survey->compactor->settings.store;
    int dir_fd = rk_log_store_dir_fd(store);
    struct rk_disk_file_summary summary;
    uint64_t used_bytes;

    if (rk_disk_file_summarize(dir_fd, row->file_number, &rk_log_store_identity(store)->secret, &summary, NULL)
        != RK_OK)
        return false;
    fill_columns(report, row);
    report->file.is_active = row->file_number == survey->active;
    report->frame_bytes = (report->file.is_active ? 1 : 2) * RK_DISK_FILE_FRAME_BYTES;
    report->file.file_bytes = report->file.is_active ? survey->active_bytes : summary.file_bytes;
    used_bytes = report->frame_bytes + report->file.live_bytes + report->file.tombstone_bytes + report->file.dead_bytes;
    if (report->file.is_active)
        report->preallocated_bytes = report->file.file_bytes > used_bytes ? report->file.file_bytes - used_bytes : 0;
    report->file.first_sequence = summary.header_sequence + 1;
    report->file.last_sequence = UINT64_MAX;
    if (summary.has_trailer && !report->file.is_active) {
        report->file.first_sequence = summary.trailer.n_records > 0 ? summary.trailer.first_sequence : UINT64_MAX;
        report->file.last_sequence = summary.trailer.last_sequence;
        report->has_hint = has_hint(dir_fd, row->file_number);
    }
    return true;
}

static void judge(struct rk_compactor *compactor, bool always, struct rk_compactor_file_report *reports, size_t n)
{
    struct rk_merge_policy_settings settings = compactor->settings.policy;
    struct rk_merge_policy_file *files = rk_mem_calloc(n + 1, sizeof *files);
    struct rk_merge_policy_verdict *verdicts = rk_mem_calloc(n + 1, sizeof *verdicts);

    settings.enabled =
        always || (settings.enabled && rk_compactor_is_in_window(&compactor->settings, rk_time_wall_ms()));
    for (size_t i = 0; i < n; i++)
        files[i] = reports[i].file;
    (void)rk_merge_policy_judge(&settings, files, n, verdicts); /* each verdict says it as well */
    for (size_t i = 0; i < n; i++)
        reports[i].verdict = verdicts[i];
    free(files);
    free(verdicts);
}

enum rk_err rk_compactor_survey(struct rk_compactor *compactor, bool always,
                                struct rk_compactor_file_report **files_out, size_t *n_files_out,
                                struct rk_detail *detail)
{
    struct survey survey = { .compactor = compactor };
    enum rk_err err = rk_writer_call(compactor->settings.writer, take_survey, &survey);
    struct rk_compactor_file_report *reports;
    size_t n = 0;

    if (err != RK_OK) {
        rk_detail_set(detail, "the server ends");
        return err;
    }
    reports = rk_mem_calloc(survey.n_rows + 1, sizeof *reports);
    for (size_t i = 0; i < survey.n_rows; i++)
        n += fill_report(&survey, &survey.rows[i], &reports[n]);
    free(survey.rows);
    judge(compactor, always, reports, n);
    *files_out = reports;
    *n_files_out = n;
    return RK_OK;
}

enum rk_err rk_compactor_choose(struct rk_compactor *compactor, bool always, uint32_t **files_out, size_t *n_files_out,
                                struct rk_detail *detail)
{
    struct rk_compactor_file_report *reports = NULL;
    size_t n_reports = 0, n = 0;
    enum rk_err err = rk_compactor_survey(compactor, always, &reports, &n_reports, detail);

    if (err != RK_OK)
        return err;
    *files_out = rk_mem_calloc(n_reports + 1, sizeof **files_out);
    for (size_t i = 0; i < n_reports; i++)
        if (reports[i].verdict.is_eligible)
            (*files_out)[n++] = reports[i].file.file_number;
    free(reports);
    *n_files_out = n;
    return RK_OK;
}

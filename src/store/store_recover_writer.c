#include "store/store_recover_writer.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "keydir/keydir_bulk_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_location.h"
#include "log/log_repair.h"
#include "log/log_scan.h"
#include "log/log_store.h"
#include "log/log_store_writer.h"
#include "store/store_crew_writer.h"
#include "store/store_recover_build_writer.h"
#include "store/store_recover_read_writer.h"
#include "store/store_space_writer.h"

#include <stdlib.h>

_Static_assert(RK_LOG_FILE_BYTES_MAX / RK_LOG_UNIT_BYTES <= RK_LOG_SEQUENCE_GAP, "no file has room for more records");

#define RECORD_BYTES_MIN   48u        /* no record is smaller */
#define RECORD_BYTES_USUAL 256u       /* where nobody knows how many there are */
#define ALONE_BYTES        (4u << 20) /* a store that is not worth a thread */

/* A part is as large as the second cache of a processor likes, and a few of them make pages of the best size. */
#define PART_ENTRIES    4096u
#define PART_BITS_MAX   20u
#define GROUP_PART_BITS 3u

#define MEMORY_BYTES_MIN ((uint64_t)64 << 20)
#define MEMORY_BYTES_MAX ((uint64_t)4 << 30)

struct recovery {
    struct rk_log_store *store;
    struct rk_keydir_writer *keydir;
    const struct rk_store_recover_hooks *hooks;
    struct rk_detail *detail;
    struct rk_store_recovery result;
    struct rk_store_reading reading;
    struct rk_store_building building;
    struct rk_store_scatter *scatters;
    struct rk_store_builder **builders;
    struct rk_store_space **spaces; /* the threads'; the first one may be that of the hooks */
    unsigned n_threads;             /* 0: on the calling thread */
    unsigned n_workers;             /* at least one */
    uint64_t n_passes;
    uint64_t pass;
    bool is_building;
    uint64_t max_sequence; /* of file headers and trailers, too */
};

static const struct rk_record_secret *secret_of(const struct recovery *recovery)
{
    return &rk_log_store_identity(recovery->store)->secret;
}

/* Reading is one half of a pass, building the other. */
static void tell_progress(void *context)
{
    struct recovery *recovery = context;
    uint64_t n_bytes = recovery->result.n_bytes;
    uint64_t n_groups = recovery->building.range.end - recovery->building.range.first;
    uint64_t next_group = atomic_load(&recovery->building.next_group);
    uint64_t done_bytes = n_bytes;
    struct rk_store_recover_progress progress = { .total_bytes = n_bytes };

    if (recovery->hooks->progress == NULL)
        return;
    if (!recovery->is_building)
        done_bytes = atomic_load(&recovery->reading.done_bytes) / 2;
    else if (next_group < recovery->building.range.end)
        done_bytes = n_bytes / 2 + n_bytes / 2 / n_groups * (next_group - recovery->building.range.first);
    progress.done_bytes = (recovery->pass * n_bytes + done_bytes) / recovery->n_passes;
    progress.n_records = recovery->pass > 0 || recovery->is_building ? recovery->result.n_records
                                                                     : atomic_load(&recovery->reading.n_records);
    recovery->hooks->progress(recovery->hooks->context, &progress);
}

/* Looks at the ends of all files. */
static enum rk_err summarize_files(struct recovery *recovery)
{
    struct rk_store_reading *reading = &recovery->reading;

    reading->store = recovery->store;
    reading->n_files = rk_log_store_n_files(recovery->store);
    reading->files = rk_mem_calloc(reading->n_files, sizeof *reading->files);
    recovery->result.n_files = reading->n_files;
    for (size_t i = 0; i < reading->n_files; i++) {
        struct rk_store_read_file *file = &reading->files[i];
        enum rk_err err;

        file->number = rk_log_store_file(recovery->store, i);
        err = rk_log_file_summarize(rk_log_store_dir_fd(recovery->store), file->number, secret_of(recovery),
                                    &file->summary, recovery->detail);
        if (err != RK_OK)
            return err;
        recovery->result.n_bytes += file->summary.file_bytes;
    }
    return RK_OK;
}

/* How many records there are: at most, and if the files that do not say it are as usual. */
static void estimate_records(const struct recovery *recovery, uint64_t *at_most_out, uint64_t *usual_out)
{
    *at_most_out = *usual_out = 0;
    for (size_t i = 0; i < recovery->reading.n_files; i++) {
        const struct rk_log_file_summary *summary = &recovery->reading.files[i].summary;
        uint64_t at_most = summary->file_bytes / RECORD_BYTES_MIN;

        if (summary->has_trailer && summary->trailer.n_records < at_most)
            at_most = summary->trailer.n_records;
        *at_most_out += at_most;
        *usual_out += summary->has_trailer ? at_most : summary->file_bytes / RECORD_BYTES_USUAL;
    }
}

static uint64_t memory_bytes(const struct recovery *recovery)
{
    uint64_t bytes = rk_keydir_writer_usage(recovery->keydir).max_bytes / 4;

    if (recovery->hooks->memory_bytes != 0)
        return recovery->hooks->memory_bytes;
    if (bytes < MEMORY_BYTES_MIN)
        return MEMORY_BYTES_MIN;
    return bytes < MEMORY_BYTES_MAX ? bytes : MEMORY_BYTES_MAX;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Chooses threads, parts, and passes: as many as it takes to never have more entries than the memory holds. */
static void plan(struct recovery *recovery)
{
    uint64_t at_most, usual, n_groups;
    uint32_t part_bits = 0;

    estimate_records(recovery, &at_most, &usual);
    recovery->n_threads = recovery->hooks->n_threads;
    if (recovery->n_threads == 0 && recovery->result.n_bytes > ALONE_BYTES)
        recovery->n_threads = rk_store_crew_size();
    recovery->n_workers = recovery->n_threads > 0 ? recovery->n_threads : 1;
    recovery->building.bulk = rk_keydir_bulk_create(recovery->keydir, recovery->n_workers);
    while (part_bits < PART_BITS_MAX && usual >> part_bits > PART_ENTRIES)
        part_bits++;
    recovery->building.part_bits = part_bits;
    recovery->building.now_s = recovery->hooks->now_s != 0 ? recovery->hooks->now_s : rk_time_wall_ms() / 1000;
    recovery->building.range.range_bits = min_u32(part_bits > GROUP_PART_BITS ? part_bits - GROUP_PART_BITS : 0,
                                                  rk_keydir_bulk_max_depth(recovery->building.bulk));
    n_groups = 1ull << recovery->building.range.range_bits;
    recovery->n_passes = at_most * sizeof(struct rk_log_hint_entry) / memory_bytes(recovery) + 1;
    if (recovery->n_passes > n_groups)
        recovery->n_passes = n_groups;
}

static void prepare_threads(struct recovery *recovery)
{
    unsigned n = recovery->n_workers;

    recovery->scatters = rk_mem_calloc(n, sizeof *recovery->scatters);
    recovery->builders = rk_mem_calloc(n, sizeof(struct rk_store_builder *));
    recovery->spaces = rk_mem_calloc(n, sizeof(struct rk_store_space *));
    for (unsigned i = 0; i < n; i++) {
        rk_store_scatter_init(&recovery->scatters[i], recovery->building.part_bits);
        if (recovery->hooks->space != NULL)
            recovery->spaces[i] = i == 0 ? recovery->hooks->space : rk_store_space_create();
        recovery->builders[i] = rk_store_builder_create(recovery->spaces[i]);
    }
    recovery->reading.scatters = recovery->scatters;
    recovery->building.scatters = recovery->scatters;
    recovery->building.builders = recovery->builders;
    recovery->building.n_threads = n;
}

static void dismiss_threads(struct recovery *recovery)
{
    for (unsigned i = 0; recovery->scatters != NULL && i < recovery->n_workers; i++) {
        rk_store_scatter_fini(&recovery->scatters[i]);
        rk_store_builder_destroy(&recovery->builders[i]);
        if (i > 0)
            rk_store_space_destroy(&recovery->spaces[i]);
    }
    free(recovery->scatters);
    free(recovery->builders);
    free(recovery->spaces);
}

static void run_reading(void *context, unsigned thread)
{
    rk_store_reading_run(&((struct recovery *)context)->reading, thread);
}

static void run_building(void *context, unsigned thread)
{
    rk_store_building_run(&((struct recovery *)context)->building, thread);
}

/* The oldest failure, if there is one; otherwise what all files say together. */
static enum rk_err gather_files(struct recovery *recovery)
{
    struct rk_store_reading *reading = &recovery->reading;
    struct rk_store_recovery *result = &recovery->result;
    size_t first_failed = atomic_load(&reading->first_failed);

    if (first_failed < reading->n_files) {
        if (recovery->detail != NULL)
            *recovery->detail = reading->files[first_failed].detail;
        return reading->files[first_failed].err;
    }
    result->n_records = result->n_tombstones = result->n_hints = 0;
    for (size_t i = 0; i < reading->n_files; i++) {
        const struct rk_store_read_file *file = &reading->files[i];

        result->n_records += file->n_records;
        result->n_tombstones += file->n_tombstones;
        result->n_hints += file->by_hint;
        if (file->end.max_sequence > recovery->max_sequence)
            recovery->max_sequence = file->end.max_sequence;
        if (file->end.totals.last_sequence > result->last_sequence)
            result->last_sequence = file->end.totals.last_sequence;
    }
    return RK_OK;
}

/* Reads all files for the keys of some groups, and builds these. */
static enum rk_err make_pass(struct recovery *recovery)
{
    struct rk_store_crew_work reading = { .work = run_reading, .watch = tell_progress, .context = recovery };
    struct rk_store_crew_work building = { .work = run_building, .watch = tell_progress, .context = recovery };
    struct rk_store_scatter_range *range = &recovery->building.range;
    uint64_t n_groups = 1ull << range->range_bits;
    enum rk_err err;

    range->first = n_groups * recovery->pass / recovery->n_passes;
    range->end = n_groups * (recovery->pass + 1) / recovery->n_passes;
    for (unsigned i = 0; i < recovery->n_workers; i++)
        rk_store_scatter_restart(&recovery->scatters[i], range);
    atomic_store(&recovery->reading.n_claimed, 0);
    atomic_store(&recovery->reading.first_failed, recovery->reading.n_files);
    atomic_store(&recovery->reading.done_bytes, 0);
    atomic_store(&recovery->reading.n_records, 0);
    atomic_store(&recovery->building.next_group, range->first);
    recovery->is_building = false;
    rk_store_crew_run(&reading, recovery->n_threads);
    err = gather_files(recovery);
    if (err != RK_OK)
        return err;
    recovery->is_building = true;
    rk_store_crew_run(&building, recovery->n_threads);
    tell_progress(recovery);
    return RK_OK;
}

/* What was in holes is dead; of what kind nobody knows any more. */
static void count_holes(const struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->reading.n_files && recovery->spaces[0] != NULL; i++) {
        const struct rk_store_read_file *file = &recovery->reading.files[i];
        const struct rk_log_scan_end *end = &file->end;
        bool is_sealed = end->kind == RK_LOG_SCAN_SEALED;
        uint64_t end_bytes = is_sealed ? end->totals.size_bytes : end->end_bytes;

        if (end->totals.n_records > file->n_records)
            rk_store_space_add_hole(recovery->spaces[0], file->number, end->totals.n_records - file->n_records,
                                    end_bytes - RK_LOG_FILE_FRAME_BYTES - file->record_bytes);
    }
}

static enum rk_err fill_keydir(struct recovery *recovery)
{
    enum rk_err err = RK_OK;

    plan(recovery);
    prepare_threads(recovery);
    for (; err == RK_OK && recovery->pass < recovery->n_passes; recovery->pass++)
        err = make_pass(recovery);
    if (err == RK_OK)
        err = rk_keydir_bulk_publish(recovery->building.bulk, recovery->detail);
    for (unsigned i = 1; err == RK_OK && i < recovery->n_workers && recovery->spaces[i] != NULL; i++)
        rk_store_space_add_all(recovery->spaces[0], recovery->spaces[i]);
    if (err == RK_OK)
        count_holes(recovery);
    return err;
}

static enum rk_err distrust_newest(struct recovery *recovery)
{
    size_t n_files = rk_log_store_n_files(recovery->store);

    if (n_files == 0)
        return RK_OK;
    return rk_log_file_distrust_cache(rk_log_store_dir_fd(recovery->store),
                                      rk_log_store_file(recovery->store, n_files - 1), recovery->detail);
}

/* The whole records behind the first thing in the newest file that is none. */
static enum rk_err count_cut_records(struct recovery *recovery, uint32_t file_number)
{
    struct rk_log_scan *scan = NULL;
    struct rk_log_scan_item item;
    enum rk_err err = rk_log_scan_open(&scan, rk_log_store_dir_fd(recovery->store), file_number,
                                       rk_log_store_identity(recovery->store), recovery->detail);
    bool is_behind = false;

    while (err == RK_OK) {
        err = rk_log_scan_next(scan, &item, recovery->detail);
        if (err == RK_OK) {
            recovery->result.cut_records += is_behind;
        } else if (err == RK_ERR_NOT_FOUND) {
            err = rk_log_scan_skip(scan, recovery->detail);
            is_behind = true;
        }
    }
    rk_log_scan_close(&scan);
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* Without room for the trailer the newest file stays open, cut to its records again. */
static enum rk_err seal_newest(struct recovery *recovery, struct rk_log_newest *newest)
{
    int dir_fd = rk_log_store_dir_fd(recovery->store);
    enum rk_err err = rk_log_file_seal(dir_fd, newest->file_number, &newest->totals, secret_of(recovery),
                                       recovery->result.next_sequence - 1, recovery->detail);

    newest->is_sealed = err == RK_OK;
    if (err != RK_ERR_NO_SPACE)
        return err;
    return rk_log_file_cut(dir_fd, newest->file_number, newest->totals.size_bytes, recovery->detail);
}

/* Makes the newest file end behind its last whole record, and seals it if it has any. */
static enum rk_err repair_newest(struct recovery *recovery)
{
    const struct rk_store_read_file *file = &recovery->reading.files[recovery->reading.n_files - 1];
    const struct rk_log_scan_end *end = &file->end;
    struct rk_log_newest *newest = &recovery->result.newest;
    int dir_fd = rk_log_store_dir_fd(recovery->store);
    enum rk_err err = RK_OK;

    recovery->result.was_clean = end->kind == RK_LOG_SCAN_SEALED;
    recovery->result.next_sequence =
        recovery->max_sequence + (recovery->result.was_clean ? 0 : RK_LOG_SEQUENCE_GAP) + 1;
    *newest = (struct rk_log_newest){ .file_number = file->number,
                                      .is_sealed = recovery->result.was_clean,
                                      .totals = end->totals };
    if (!newest->is_sealed)
        newest->totals.size_bytes = end->end_bytes;
    if (end->used_bytes > end->end_bytes) {
        recovery->result.cut_file = file->number;
        recovery->result.cut_at_bytes = end->end_bytes;
        recovery->result.cut_bytes = end->used_bytes - end->end_bytes;
        err = count_cut_records(recovery, file->number);
    }
    if (err == RK_OK && end->file_bytes > end->end_bytes)
        err = rk_log_file_cut(dir_fd, file->number, end->end_bytes, recovery->detail);
    if (err == RK_OK && !newest->is_sealed && newest->totals.n_records > 0)
        err = seal_newest(recovery, newest);
    if (!file->summary.has_header || file->summary.kind != RK_LOG_FILE_APPENDED)
        newest->file_number = 0;
    return err;
}

static enum rk_err recover(struct recovery *recovery)
{
    enum rk_err err = distrust_newest(recovery);

    if (err == RK_OK)
        err = summarize_files(recovery);
    if (err == RK_OK)
        err = fill_keydir(recovery);
    if (err != RK_OK)
        return err;
    recovery->result.next_sequence = 1;
    recovery->result.was_clean = true;
    if (recovery->reading.n_files > 0)
        err = repair_newest(recovery);
    if (err == RK_OK)
        err = rk_log_store_sweep(recovery->store, recovery->detail);
    recovery->result.n_keys = rk_keydir_writer_usage(recovery->keydir).n_keys;
    return err;
}

enum rk_err rk_store_recover(struct rk_log_store *store, struct rk_keydir_writer *keydir,
                             const struct rk_store_recover_hooks *hooks, struct rk_store_recovery *result_out,
                             struct rk_detail *detail)
{
    static const struct rk_store_recover_hooks no_hooks;
    struct recovery *recovery = rk_mem_calloc(1, sizeof *recovery);
    enum rk_err err;

    recovery->store = store;
    recovery->keydir = keydir;
    recovery->hooks = hooks != NULL ? hooks : &no_hooks;
    recovery->detail = detail;
    err = recover(recovery);
    if (err == RK_OK)
        *result_out = recovery->result;
    else
        rk_detail_wrap(detail, "%s", rk_log_store_path(store));
    dismiss_threads(recovery);
    rk_keydir_bulk_destroy(&recovery->building.bulk);
    free(recovery->reading.files);
    free(recovery);
    return err;
}

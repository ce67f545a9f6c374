#include "recover/recover.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "disk/disk_summary.h"
#include "keydir/keydir_bulk_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_repair.h"
#include "log/log_store.h"
#include "log/log_store_change.h"
#include "log/log_unlisted.h"
#include "recover/recover_build.h"
#include "recover/recover_crew.h"
#include "recover/recover_plan.h"
#include "recover/recover_read.h"
#include "recover/recover_repair.h"
#include "space/space.h"

#include <stdlib.h>

#define ALONE_BYTES (4u << 20) /* a store that is not worth a thread */

/* A part is as large as the second cache of a processor likes, and a few of them make pages of the best size. */
#define PART_ENTRIES    4096u
#define PART_BITS_MAX   20u
#define GROUP_PART_BITS 3u

struct recovery {
    struct rk_log_store *store;
    struct rk_keydir_writer *keydir;
    const struct rk_recover_hooks *hooks;
    struct rk_detail *detail;
    struct rk_recovery result;
    struct rk_recover_reading reading;
    struct rk_recover_building building;
    struct rk_recover_scatter *scatters;
    struct rk_recover_builder **builders;
    struct rk_space **spaces; /* the threads'; the first one may be that of the hooks */
    unsigned n_threads;       /* 0: on the calling thread */
    unsigned n_workers;       /* at least one */
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
    struct rk_recover_progress progress = { .total_bytes = n_bytes };

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

static void tell_missing(struct recovery *recovery, uint32_t file_number)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file_number);
    rk_detail_set(recovery->detail, "%s: missing, although %s lists it; nothing was changed. Put it back", name,
                  RK_DISK_MANIFEST_NAME);
}

/* Looks at the ends of all files. */
static enum rk_err summarize_files(struct recovery *recovery)
{
    struct rk_recover_reading *reading = &recovery->reading;

    reading->store = recovery->store;
    reading->n_files = rk_log_store_n_files(recovery->store);
    reading->files = rk_mem_calloc(reading->n_files, sizeof *reading->files);
    recovery->result.n_files = reading->n_files;
    for (size_t i = 0; i < reading->n_files; i++) {
        struct rk_recover_file *file = &reading->files[i];
        enum rk_err err;

        file->number = rk_log_store_file(recovery->store, i);
        err = rk_disk_file_summarize(rk_log_store_dir_fd(recovery->store), file->number, secret_of(recovery),
                                     &file->summary, recovery->detail);
        if (err == RK_ERR_NOT_FOUND)
            tell_missing(recovery, file->number);
        if (err != RK_OK)
            return err;
        recovery->result.n_bytes += file->summary.file_bytes;
    }
    return RK_OK;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Chooses threads, parts, and passes: as many as it takes to never have more entries than the memory holds. */
static void plan(struct recovery *recovery)
{
    struct rk_recover_plan plan =
        rk_recover_plan(&recovery->reading, rk_keydir_writer_usage(recovery->keydir).max_bytes, recovery->hooks);
    uint32_t part_bits = 0;
    uint64_t n_groups;

    recovery->n_threads = recovery->hooks->n_threads;
    if (recovery->n_threads == 0 && recovery->result.n_bytes > ALONE_BYTES)
        recovery->n_threads = rk_recover_crew_size();
    recovery->n_workers = recovery->n_threads > 0 ? recovery->n_threads : 1;
    recovery->building.bulk = rk_keydir_bulk_create(recovery->keydir, recovery->n_workers);
    while (part_bits < PART_BITS_MAX && plan.n_usual >> part_bits > PART_ENTRIES)
        part_bits++;
    recovery->building.part_bits = part_bits;
    recovery->building.now_s = recovery->hooks->now_s != 0 ? recovery->hooks->now_s : rk_time_wall_ms() / 1000;
    recovery->building.range.range_bits = min_u32(part_bits > GROUP_PART_BITS ? part_bits - GROUP_PART_BITS : 0,
                                                  rk_keydir_bulk_max_depth(recovery->building.bulk));
    n_groups = 1ull << recovery->building.range.range_bits;
    recovery->n_passes = plan.n_passes < n_groups ? plan.n_passes : n_groups;
    recovery->result.n_passes = recovery->n_passes;
}

static void prepare_threads(struct recovery *recovery)
{
    unsigned n = recovery->n_workers;

    recovery->scatters = rk_mem_calloc(n, sizeof *recovery->scatters);
    recovery->builders = rk_mem_calloc(n, sizeof(struct rk_recover_builder *));
    recovery->spaces = rk_mem_calloc(n, sizeof(struct rk_space *));
    for (unsigned i = 0; i < n; i++) {
        rk_recover_scatter_init(&recovery->scatters[i], recovery->building.part_bits);
        if (recovery->hooks->space != NULL)
            recovery->spaces[i] = i == 0 ? recovery->hooks->space : rk_space_create();
        recovery->builders[i] = rk_recover_builder_create(recovery->spaces[i]);
    }
    recovery->reading.scatters = recovery->scatters;
    recovery->building.scatters = recovery->scatters;
    recovery->building.builders = recovery->builders;
    recovery->building.n_threads = n;
}

static void dismiss_threads(struct recovery *recovery)
{
    for (unsigned i = 0; recovery->scatters != NULL && i < recovery->n_workers; i++) {
        rk_recover_scatter_fini(&recovery->scatters[i]);
        rk_recover_builder_destroy(&recovery->builders[i]);
        if (i > 0)
            rk_space_destroy(&recovery->spaces[i]);
    }
    free(recovery->scatters);
    free(recovery->builders);
    free(recovery->spaces);
}

static void run_reading(void *context, unsigned thread)
{
    rk_recover_reading_run(&((struct recovery *)context)->reading, thread);
}

static void run_building(void *context, unsigned thread)
{
    rk_recover_building_run(&((struct recovery *)context)->building, thread);
}

/* The oldest failure, if there is one; otherwise what all files say together. */
static enum rk_err gather_files(struct recovery *recovery)
{
    struct rk_recover_reading *reading = &recovery->reading;
    struct rk_recovery *result = &recovery->result;
    size_t first_failed = atomic_load(&reading->first_failed);

    if (first_failed < reading->n_files) {
        if (recovery->detail != NULL)
            *recovery->detail = reading->files[first_failed].detail;
        return reading->files[first_failed].err;
    }
    result->n_records = result->n_tombstones = result->n_hints = 0;
    for (size_t i = 0; i < reading->n_files; i++) {
        const struct rk_recover_file *file = &reading->files[i];

        result->n_records += file->n_records;
        result->n_tombstones += file->n_tombstones;
        result->n_hints += file->by_hint;
        if (file->end.max_sequence > recovery->max_sequence)
            recovery->max_sequence = file->end.max_sequence;
    }
    return RK_OK;
}

/* Reads all files for the keys of some groups, and builds these. */
static enum rk_err make_pass(struct recovery *recovery)
{
    struct rk_recover_crew_work reading = { .work = run_reading, .watch = tell_progress, .context = recovery };
    struct rk_recover_crew_work building = { .work = run_building, .watch = tell_progress, .context = recovery };
    struct rk_recover_scatter_range *range = &recovery->building.range;
    uint64_t n_groups = 1ull << range->range_bits;
    enum rk_err err;

    range->first = n_groups * recovery->pass / recovery->n_passes;
    range->end = n_groups * (recovery->pass + 1) / recovery->n_passes;
    for (unsigned i = 0; i < recovery->n_workers; i++)
        rk_recover_scatter_restart(&recovery->scatters[i], range);
    atomic_store(&recovery->reading.n_claimed, 0);
    atomic_store(&recovery->reading.first_failed, recovery->reading.n_files);
    atomic_store(&recovery->reading.done_bytes, 0);
    atomic_store(&recovery->reading.n_records, 0);
    atomic_store(&recovery->building.next_group, range->first);
    recovery->is_building = false;
    rk_recover_crew_run(&reading, recovery->n_threads);
    err = gather_files(recovery);
    if (err != RK_OK)
        return err;
    recovery->is_building = true;
    rk_recover_crew_run(&building, recovery->n_threads);
    tell_progress(recovery);
    return RK_OK;
}

/* What was in holes is dead; of what kind nobody knows any more. */
static void count_holes(const struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->reading.n_files && recovery->spaces[0] != NULL; i++) {
        const struct rk_recover_file *file = &recovery->reading.files[i];
        const struct rk_disk_scan_end *end = &file->end;
        bool is_sealed = end->kind == RK_DISK_SCAN_SEALED;
        uint64_t end_bytes = is_sealed ? end->totals.size_bytes : end->end_bytes;

        if (end->totals.n_records > file->n_records)
            rk_space_add_hole(recovery->spaces[0], file->number, end->totals.n_records - file->n_records,
                              end_bytes - RK_DISK_FILE_FRAME_BYTES - file->record_bytes);
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
        rk_space_add_all(recovery->spaces[0], recovery->spaces[i]);
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

/* What is not listed goes, or nothing is changed at all. A file without a record may speak of higher sequences in its
 * header than the others; but then the newest one was not closed, and the gap behind it covers them. */
static enum rk_err look_at_unlisted(struct recovery *recovery, struct rk_log_unlisted *unlisted)
{
    uint64_t known_sequence = rk_log_store_last_sequence(recovery->store);
    enum rk_err err = rk_log_unlisted_look(recovery->store, unlisted, recovery->detail);

    if (recovery->max_sequence < known_sequence)
        recovery->max_sequence = known_sequence;
    if (err == RK_OK)
        err = rk_log_unlisted_check(unlisted, recovery->max_sequence, recovery->detail);
    if (err != RK_OK)
        rk_log_unlisted_fini(unlisted);
    return err;
}

static enum rk_err recover(struct recovery *recovery)

{
    struct rk_log_unlisted unlisted = { 0 };
    enum rk_err err = distrust_newest(recovery);

    if (err == RK_OK)
        err = summarize_files(recovery);
    if (err == RK_OK)
        err = fill_keydir(recovery);
    if (err != RK_OK)
        return err;
    err = look_at_unlisted(recovery, &unlisted);
    if (err != RK_OK)
        return err;
    recovery->result.next_sequence = recovery->max_sequence + 1;
    recovery->result.was_clean = true;
    if (recovery->reading.n_files > 0)
        err = rk_recover_repair(recovery->store, &recovery->reading.files[recovery->reading.n_files - 1],
                                recovery->max_sequence, &recovery->result, recovery->detail);
    if (err == RK_OK)
        err = rk_log_unlisted_sweep(recovery->store, &unlisted, recovery->hooks->removed, recovery->hooks->context,
                                    recovery->detail);
    rk_log_unlisted_fini(&unlisted);
    recovery->result.last_sequence = recovery->result.next_sequence - 1;
    recovery->result.n_keys = rk_keydir_writer_usage(recovery->keydir).n_keys;
    return err;
}

enum rk_err rk_recover_store(struct rk_log_store *store, struct rk_keydir_writer *keydir,
                             const struct rk_recover_hooks *hooks, struct rk_recovery *result_out,
                             struct rk_detail *detail)
{
    static const struct rk_recover_hooks no_hooks;
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

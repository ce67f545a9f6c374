#include "store/store_recover_writer.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint.h"
#include "log/log_location.h"
#include "log/log_repair.h"
#include "log/log_scan.h"
#include "log/log_store.h"
#include "log/log_store_writer.h"
#include "store/store_apply_writer.h"

#include <stdlib.h>

/* No more records than this can be lost with a tail: a file has fewer. */
#define SEQUENCE_GAP ((uint64_t)1 << 28)

_Static_assert(RK_LOG_FILE_BYTES_MAX / RK_LOG_UNIT_BYTES <= SEQUENCE_GAP, "no file has room for more records");

#define TURN_BYTES (4u << 20) /* between two looks at progress and grace */

struct file {
    uint32_t number;
    struct rk_log_file_summary summary;
    struct rk_store_range range;
};

struct recovery {
    struct rk_log_store *store;
    struct rk_keydir_writer *keydir;
    const struct rk_store_recover_hooks *hooks;
    struct rk_detail *detail;
    struct rk_store_recovery result;
    struct rk_store_apply *apply;
    uint64_t max_sequence; /* of file headers and trailers, too */
    struct file *files;    /* oldest to newest */
    size_t n_files;
    struct rk_store_range *ranges; /* by file number */
    struct rk_log_scan_end newest_end;
    uint64_t done_bytes;
    uint64_t next_turn_bytes;
};

static const struct rk_record_secret *secret_of(const struct recovery *recovery)
{
    return &rk_log_store_identity(recovery->store)->secret;
}

/* Now and then: says how far it is, and gives the keydir its memory back. */
static void take_turn(struct recovery *recovery, uint64_t offset)
{
    const struct rk_store_recover_hooks *hooks = recovery->hooks;
    uint64_t done_bytes = recovery->done_bytes + offset;
    struct rk_store_recover_progress progress = { .done_bytes = done_bytes,
                                                  .total_bytes = recovery->result.n_bytes,
                                                  .n_records = recovery->result.n_records };

    if (done_bytes < recovery->next_turn_bytes)
        return;
    recovery->next_turn_bytes = done_bytes + TURN_BYTES;
    if (hooks->progress != NULL)
        hooks->progress(hooks->context, &progress);
    if (hooks->grace != NULL)
        rk_keydir_writer_reclaim(
            recovery->keydir,
            rk_grace_writer_poll(hooks->grace, rk_keydir_writer_wants_grace(recovery->keydir), rk_time_monotonic_ns()));
}

static enum rk_err add_entry(struct recovery *recovery, const struct rk_store_apply_entry *entry)
{
    recovery->result.n_records++;
    recovery->result.n_tombstones += entry->is_tombstone;
    return rk_store_apply_add(recovery->apply, entry, recovery->detail);
}

static enum rk_err add_record(struct recovery *recovery, const struct rk_log_scan_item *item)
{
    const uint8_t *hash_key = rk_log_store_identity(recovery->store)->hash_key;
    struct rk_store_apply_entry entry = { .location = item->location,
                                          .sequence = item->header.sequence,
                                          .is_tombstone = item->header.type == RK_RECORD_TOMBSTONE };

    if (item->header.type != RK_RECORD_PUT && item->header.type != RK_RECORD_TOMBSTONE) {
        rk_detail_set(recovery->detail, "data file %u: a record of type %u, which this program does not know",
                      rk_log_location_decode(item->location).file_number, (unsigned)item->header.type);
        return RK_ERR_MISMATCH;
    }
    entry.fingerprint = rk_keydir_fingerprint(item->key, item->header.key_len, hash_key);
    return add_entry(recovery, &entry);
}

static enum rk_err report_damage(struct recovery *recovery, const struct file *file, const struct rk_log_scan_end *end)
{
    char name[RK_LOG_FILE_NAME_BYTES];

    rk_log_file_name(name, file->number);
    rk_detail_set(recovery->detail,
                  "%s: damaged at byte %llu of %llu (%s), in data that had been durable; nothing was changed", name,
                  (unsigned long long)end->end_bytes, (unsigned long long)end->file_bytes, end->what);
    return RK_ERR_CORRUPT;
}

/* A file before the newest is sealed, and nothing is behind its trailer. */
static enum rk_err judge_end(struct recovery *recovery, const struct file *file, const struct rk_log_scan_end *end)
{
    bool is_newest = file == &recovery->files[recovery->n_files - 1];
    bool is_whole = end->kind == RK_LOG_SCAN_SEALED && end->end_bytes == end->file_bytes;

    if (end->kind == RK_LOG_SCAN_DAMAGED || (!is_newest && !is_whole))
        return report_damage(recovery, file, end);
    if (end->max_sequence > recovery->max_sequence)
        recovery->max_sequence = end->max_sequence;
    if (end->totals.last_sequence > recovery->result.last_sequence)
        recovery->result.last_sequence = end->totals.last_sequence;
    if (is_newest)
        recovery->newest_end = *end;
    return RK_OK;
}

static enum rk_err read_records(struct recovery *recovery, struct rk_log_scan *scan)
{
    struct rk_log_scan_item item;
    enum rk_err err;

    while ((err = rk_log_scan_next(scan, &item, recovery->detail)) == RK_OK) {
        err = add_record(recovery, &item);
        if (err != RK_OK)
            return err;
        take_turn(recovery, rk_log_scan_offset(scan));
    }
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* By its records. */
static enum rk_err scan_file(struct recovery *recovery, const struct file *file)
{
    struct rk_log_scan *scan = NULL;
    enum rk_err err = rk_log_scan_open(&scan, rk_log_store_dir_fd(recovery->store), file->number,
                                       rk_log_store_identity(recovery->store), recovery->detail);

    if (err != RK_OK)
        return err;
    err = read_records(recovery, scan);
    if (err == RK_OK)
        err = judge_end(recovery, file, rk_log_scan_end(scan));
    rk_log_scan_close(&scan);
    return err;
}

static enum rk_err read_entries(struct recovery *recovery, const struct file *file, struct rk_log_hint *hint)
{
    struct rk_log_hint_entry found;
    enum rk_err err;

    while ((err = rk_log_hint_next(hint, &found)) == RK_OK) {
        struct rk_store_apply_entry entry = { .fingerprint = { .high = found.fingerprint_high,
                                                               .low = found.fingerprint_low },
                                              .location = found.location,
                                              .sequence = found.sequence,
                                              .is_tombstone = found.is_tombstone };

        err = add_entry(recovery, &entry);
        if (err != RK_OK)
            return err;
        take_turn(recovery, rk_log_location_decode(found.location).offset_bytes);
    }
    if (err == RK_ERR_NOT_FOUND)
        return RK_OK;
    rk_detail_set(recovery->detail, "the hint of data file %u cannot be read", file->number);
    return err;
}

/* What a scan would have said of a sealed file. */
static struct rk_log_scan_end sealed_end(const struct file *file)
{
    const struct rk_log_file_summary *summary = &file->summary;

    return (struct rk_log_scan_end){ .kind = RK_LOG_SCAN_SEALED,
                                     .what = "it is sealed",
                                     .end_bytes = summary->file_bytes,
                                     .file_bytes = summary->file_bytes,
                                     .used_bytes = summary->file_bytes,
                                     .max_sequence = summary->trailer_sequence > summary->trailer.last_sequence
                                                         ? summary->trailer_sequence
                                                         : summary->trailer.last_sequence,
                                     .totals = summary->trailer };
}

/* By its hint: RK_ERR_NOT_FOUND when there is none that is beyond doubt. */
static enum rk_err read_hint(struct recovery *recovery, const struct file *file)
{
    struct rk_log_scan_end end = sealed_end(file);
    struct rk_log_hint *hint = NULL;
    enum rk_err err;

    if (!file->summary.has_trailer
        || rk_log_hint_open(&hint, rk_log_store_dir_fd(recovery->store), file->number,
                            rk_log_store_identity(recovery->store)->uuid, &file->summary)
               != RK_OK)
        return RK_ERR_NOT_FOUND;
    err = read_entries(recovery, file, hint);
    rk_log_hint_close(&hint);
    if (err != RK_OK)
        return err;
    recovery->result.n_hints++;
    return judge_end(recovery, file, &end);
}

static enum rk_err read_file(struct recovery *recovery, const struct file *file)
{
    enum rk_err err = read_hint(recovery, file);

    if (err == RK_ERR_NOT_FOUND)
        err = scan_file(recovery, file);
    recovery->done_bytes += file->summary.file_bytes;
    return err;
}

/* What the file's ends say about its sequences. A file that is not sealed has whatever came after its header. */
static void set_range(struct file *file)
{
    const struct rk_log_file_summary *summary = &file->summary;

    file->range = (struct rk_store_range){ .file_number = file->number, .last_sequence = UINT64_MAX };
    if (summary->has_header && summary->kind == RK_LOG_FILE_APPENDED)
        file->range.first_sequence = summary->header_sequence + 1;
    if (summary->has_trailer) {
        file->range.first_sequence = summary->trailer.first_sequence;
        file->range.last_sequence = summary->trailer.last_sequence;
    }
}

static int compare_ranges(const void *a, const void *b)
{
    uint32_t left = ((const struct rk_store_range *)a)->file_number;
    uint32_t right = ((const struct rk_store_range *)b)->file_number;

    return (left > right) - (left < right);
}

/* Looks at the ends of all files. */
static enum rk_err summarize_files(struct recovery *recovery)
{
    recovery->n_files = rk_log_store_n_files(recovery->store);
    recovery->result.n_files = recovery->n_files;
    recovery->files = rk_mem_calloc(recovery->n_files + 1, sizeof *recovery->files);
    recovery->ranges = rk_mem_calloc(recovery->n_files + 1, sizeof *recovery->ranges);
    for (size_t i = 0; i < recovery->n_files; i++) {
        struct file *file = &recovery->files[i];
        enum rk_err err;

        file->number = rk_log_store_file(recovery->store, i);
        err = rk_log_file_summarize(rk_log_store_dir_fd(recovery->store), file->number, secret_of(recovery),
                                    &file->summary, recovery->detail);
        if (err != RK_OK)
            return err;
        set_range(file);
        recovery->ranges[i] = file->range;
        recovery->result.n_bytes += file->summary.file_bytes;
    }
    qsort(recovery->ranges, recovery->n_files, sizeof *recovery->ranges, compare_ranges);
    return RK_OK;
}

static bool holds_records(const struct file *file)
{
    return file->summary.has_header && !(file->summary.has_trailer && file->summary.trailer.n_records == 0);
}

/* Whether sequences ascend within each file and from file to file. */
static bool sequences_ascend(const struct recovery *recovery)
{
    uint64_t highest = 0;

    for (size_t i = 0; i < recovery->n_files; i++) {
        const struct file *file = &recovery->files[i];

        if (!holds_records(file))
            continue;
        if (file->summary.kind != RK_LOG_FILE_APPENDED || file->range.first_sequence <= highest)
            return false;
        highest = file->range.last_sequence;
    }
    return true;
}

static enum rk_err read_files(struct recovery *recovery)
{
    struct rk_store_apply_settings settings = { .keydir = recovery->keydir,
                                                .hooks = recovery->hooks,
                                                .dir_fd = rk_log_store_dir_fd(recovery->store),
                                                .secret = secret_of(recovery),
                                                .ranges = recovery->ranges,
                                                .n_ranges = recovery->n_files,
                                                .in_order = sequences_ascend(recovery) };
    enum rk_err err = RK_OK;

    recovery->apply = rk_store_apply_create(&settings);
    for (size_t i = 0; err == RK_OK && i < recovery->n_files; i++)
        err = read_file(recovery, &recovery->files[i]);
    if (err == RK_OK)
        err = rk_store_apply_finish(recovery->apply, recovery->detail);
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

/* Makes the newest file end behind its last whole record, and seals it if it has any. */
static enum rk_err repair_newest(struct recovery *recovery)
{
    const struct file *newest = &recovery->files[recovery->n_files - 1];
    struct rk_log_scan_end *end = &recovery->newest_end;
    int dir_fd = rk_log_store_dir_fd(recovery->store);
    enum rk_err err = RK_OK;

    recovery->result.was_clean = end->kind == RK_LOG_SCAN_SEALED;
    recovery->result.next_sequence = recovery->max_sequence + (recovery->result.was_clean ? 0 : SEQUENCE_GAP) + 1;
    if (end->used_bytes > end->end_bytes) {
        recovery->result.cut_file = newest->number;
        recovery->result.cut_at_bytes = end->end_bytes;
        recovery->result.cut_bytes = end->used_bytes - end->end_bytes;
    }
    if (end->file_bytes > end->end_bytes)
        err = rk_log_file_cut(dir_fd, newest->number, end->end_bytes, recovery->detail);
    if (err != RK_OK || end->kind == RK_LOG_SCAN_SEALED || end->totals.n_records == 0)
        return err;
    end->totals.size_bytes = end->end_bytes;
    return rk_log_file_seal(dir_fd, newest->number, &end->totals, secret_of(recovery),
                            recovery->result.next_sequence - 1, recovery->detail);
}

static enum rk_err recover(struct recovery *recovery)
{
    enum rk_err err = distrust_newest(recovery);

    if (err == RK_OK)
        err = summarize_files(recovery);
    if (err == RK_OK)
        err = read_files(recovery);
    if (err != RK_OK)
        return err;
    recovery->result.next_sequence = 1;
    recovery->result.was_clean = true;
    if (recovery->n_files > 0)
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
    rk_store_apply_destroy(&recovery->apply);
    free(recovery->ranges);
    free(recovery->files);
    free(recovery);
    return err;
}

#include "store/store_recover_writer.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_location.h"
#include "log/log_repair.h"
#include "log/log_scan.h"
#include "log/log_store.h"
#include "log/log_store_writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* No more records than this can be lost with a tail: a file has fewer. */
#define SEQUENCE_GAP ((uint64_t)1 << 28)

_Static_assert(RK_LOG_FILE_BYTES_MAX / RK_LOG_UNIT_BYTES <= SEQUENCE_GAP, "no file has room for more records");

#define ENTRIES_AT_ONCE 64 /* their cache lines are fetched side by side */
#define ROOM_STEP       4096
#define TURN_BYTES      (4u << 20) /* between two looks at progress and grace */
#define HEADER_FDS      64

/* A record, as far as the keydir is concerned. */
struct entry {
    struct rk_fingerprint fingerprint;
    uint64_t location;
    uint64_t sequence;
    bool is_tombstone;
};

struct file {
    uint32_t number;
    struct rk_log_file_summary summary;
    uint64_t first_sequence; /* no record of the file is below, */
    uint64_t last_sequence;  /* nor above */
};

struct recovery {
    struct rk_log_store *store;
    struct rk_keydir_writer *keydir;
    const struct rk_store_recover_hooks *hooks;
    struct rk_detail *detail;
    struct rk_store_recovery result;
    uint64_t max_sequence;   /* of file headers and trailers, too */
    struct file *files;      /* oldest to newest */
    struct file **by_number; /* the same */
    size_t n_files;
    bool in_order; /* the files' ranges of sequences ascend: what comes later is newer */
    uint64_t room; /* so many new keys certainly fit */
    struct entry entries[ENTRIES_AT_ONCE];
    size_t n_entries;
    struct entry *tombstones; /* unless in_order: they stay in the keydir until the end, so that older puts meet them */
    size_t n_tombstones;
    size_t max_tombstones;
    struct {
        uint32_t file_number;
        int fd;
    } header_fds[HEADER_FDS]; /* a small cache, by file number */
    struct rk_log_scan_end newest_end;
    uint64_t done_bytes;
    uint64_t next_turn_bytes;
};

static void tell_live(const struct recovery *recovery, uint64_t location)
{
    if (recovery->hooks->live != NULL)
        recovery->hooks->live(recovery->hooks->context, location);
}

static void tell_dead(const struct recovery *recovery, uint64_t location)
{
    if (location != 0 && recovery->hooks->dead != NULL)
        recovery->hooks->dead(recovery->hooks->context, location);
}

/* Whether one more key certainly fits; asks the keydir in steps. */
static bool has_room(struct recovery *recovery)
{
    if (recovery->room > 0)
        return true;
    if (rk_keydir_writer_has_room(recovery->keydir, ROOM_STEP))
        recovery->room = ROOM_STEP;
    else if (rk_keydir_writer_has_room(recovery->keydir, 1))
        recovery->room = 1;
    return recovery->room > 0;
}

static enum rk_err put(struct recovery *recovery, const struct entry *entry, uint64_t *replaced_out)
{
    if (!has_room(recovery) && rk_keydir_writer_lookup(recovery->keydir, entry->fingerprint) == 0) {
        rk_detail_set(recovery->detail, "the keys do not fit into the keydir (%llu so far): raise keydir.max_bytes",
                      (unsigned long long)rk_keydir_writer_usage(recovery->keydir).n_keys);
        return RK_ERR_FULL;
    }
    *replaced_out = rk_keydir_writer_put(recovery->keydir, entry->fingerprint, entry->location);
    if (*replaced_out == 0)
        recovery->room--;
    return RK_OK;
}

/* Each record is newer than all before it. */
static enum rk_err apply_in_order(struct recovery *recovery, const struct entry *entry)
{
    uint64_t replaced;
    enum rk_err err;

    if (entry->is_tombstone) {
        tell_dead(recovery, rk_keydir_writer_delete(recovery->keydir, entry->fingerprint));
        return RK_OK;
    }
    err = put(recovery, entry, &replaced);
    if (err != RK_OK)
        return err;
    tell_dead(recovery, replaced);
    tell_live(recovery, entry->location);
    return RK_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = (*(struct file *const *)a)->number, right = (*(struct file *const *)b)->number;

    return (left > right) - (left < right);
}

static const struct file *find_file(const struct recovery *recovery, uint32_t number)
{
    struct file wanted = { .number = number };
    struct file *key = &wanted;
    struct file **found =
        bsearch(&key, recovery->by_number, recovery->n_files, sizeof *recovery->by_number, compare_numbers);

    return found != NULL ? *found : NULL;
}

/* A descriptor of the file, kept for the next time. */
static int header_fd(struct recovery *recovery, uint32_t number)
{
    size_t slot = number % HEADER_FDS;
    char name[RK_LOG_FILE_NAME_BYTES];

    if (recovery->header_fds[slot].file_number == number)
        return recovery->header_fds[slot].fd;
    if (recovery->header_fds[slot].file_number != 0)
        (void)rk_io->close(recovery->header_fds[slot].fd); /* nothing was written through it */
    rk_log_file_name(name, number);
    recovery->header_fds[slot].fd = rk_io->open_at(rk_log_store_dir_fd(recovery->store), name, O_RDONLY, 0);
    recovery->header_fds[slot].file_number = recovery->header_fds[slot].fd >= 0 ? number : 0;
    return recovery->header_fds[slot].fd;
}

static void close_header_fds(struct recovery *recovery)
{
    for (size_t i = 0; i < HEADER_FDS; i++)
        if (recovery->header_fds[i].file_number != 0)
            (void)rk_io->close(recovery->header_fds[i].fd); /* nothing was written through it */
}

/* Whether the record at the location is older than the sequence: by its file's range if that tells, else by itself. */
static enum rk_err is_older(struct recovery *recovery, uint64_t word, uint64_t sequence, bool *older_out)
{
    struct rk_location location = rk_log_location_decode(word);
    const struct file *file = find_file(recovery, location.file_number);
    uint8_t bytes[RK_RECORD_HEADER_BYTES];
    struct rk_record_header header;
    int fd;

    if (file != NULL && (file->last_sequence < sequence || file->first_sequence > sequence)) {
        *older_out = file->last_sequence < sequence;
        return RK_OK;
    }
    fd = header_fd(recovery, location.file_number);
    if (fd < 0 || rk_io_pread_full(fd, bytes, sizeof bytes, (off_t)location.offset_bytes) != (ssize_t)sizeof bytes
        || rk_record_decode_header(bytes, &header) != RK_OK) {
        rk_detail_set(recovery->detail, "data file %u: the record at byte %llu cannot be read again",
                      location.file_number, (unsigned long long)location.offset_bytes);
        return RK_ERR_IO;
    }
    *older_out = header.sequence < sequence;
    return RK_OK;
}

static void keep_tombstone(struct recovery *recovery, const struct entry *entry)
{
    if (recovery->n_tombstones == recovery->max_tombstones) {
        size_t max = recovery->max_tombstones == 0 ? 1024 : recovery->max_tombstones * 2;
        struct entry *larger = rk_mem_calloc(max, sizeof *larger);

        if (recovery->n_tombstones > 0)
            memcpy(larger, recovery->tombstones, recovery->n_tombstones * sizeof *larger);
        free(recovery->tombstones);
        recovery->tombstones = larger;
        recovery->max_tombstones = max;
    }
    recovery->tombstones[recovery->n_tombstones++] = *entry;
}

/* Records come in any order. A tombstone is put like a value, and leaves the keydir at the end. */
static enum rk_err apply_by_sequence(struct recovery *recovery, const struct entry *entry)
{
    uint64_t now = rk_keydir_writer_lookup(recovery->keydir, entry->fingerprint);
    bool older = true;
    enum rk_err err = now != 0 ? is_older(recovery, now, entry->sequence, &older) : RK_OK;

    if (err != RK_OK || !older)
        return err;
    err = put(recovery, entry, &now);
    if (err != RK_OK)
        return err;
    tell_dead(recovery, now);
    tell_live(recovery, entry->location);
    if (entry->is_tombstone)
        keep_tombstone(recovery, entry);
    return RK_OK;
}

static void delete_tombstones(struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->n_tombstones; i++) {
        const struct entry *entry = &recovery->tombstones[i];

        if (rk_keydir_writer_lookup(recovery->keydir, entry->fingerprint) == entry->location)
            tell_dead(recovery, rk_keydir_writer_delete(recovery->keydir, entry->fingerprint));
    }
}

static enum rk_err apply_entries(struct recovery *recovery)
{
    enum rk_err err = RK_OK;

    for (size_t i = 0; i < recovery->n_entries; i++)
        rk_keydir_writer_prefetch(recovery->keydir, recovery->entries[i].fingerprint);
    for (size_t i = 0; err == RK_OK && i < recovery->n_entries; i++)
        err = recovery->in_order ? apply_in_order(recovery, &recovery->entries[i])
                                 : apply_by_sequence(recovery, &recovery->entries[i]);
    recovery->n_entries = 0;
    return err;
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

static enum rk_err add_record(struct recovery *recovery, const struct rk_log_scan_item *item)
{
    const uint8_t *hash_key = rk_log_store_identity(recovery->store)->hash_key;
    struct entry *entry = &recovery->entries[recovery->n_entries];

    if (item->header.type != RK_RECORD_PUT && item->header.type != RK_RECORD_TOMBSTONE) {
        rk_detail_set(recovery->detail, "data file %u: a record of type %u, which this program does not know",
                      rk_log_location_decode(item->location).file_number, (unsigned)item->header.type);
        return RK_ERR_MISMATCH;
    }
    *entry = (struct entry){ .fingerprint = rk_keydir_fingerprint(item->key, item->header.key_len, hash_key),
                             .location = item->location,
                             .sequence = item->header.sequence,
                             .is_tombstone = item->header.type == RK_RECORD_TOMBSTONE };
    recovery->result.n_records++;
    recovery->result.n_tombstones += entry->is_tombstone;
    recovery->n_entries++;
    return recovery->n_entries == ENTRIES_AT_ONCE ? apply_entries(recovery) : RK_OK;
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
    return err == RK_ERR_NOT_FOUND ? apply_entries(recovery) : err;
}

static enum rk_err read_file(struct recovery *recovery, const struct file *file)
{
    struct rk_log_scan *scan = NULL;
    enum rk_err err = rk_log_scan_open(&scan, rk_log_store_dir_fd(recovery->store), file->number,
                                       rk_log_store_identity(recovery->store)->uuid, recovery->detail);

    if (err != RK_OK)
        return err;
    err = read_records(recovery, scan);
    if (err == RK_OK)
        err = judge_end(recovery, file, rk_log_scan_end(scan));
    recovery->done_bytes += file->summary.file_bytes;
    rk_log_scan_close(&scan);
    return err;
}

/* What the file's ends say about its sequences. A file that is not sealed has whatever came after its header. */
static void set_range(struct file *file)
{
    const struct rk_log_file_summary *summary = &file->summary;

    file->first_sequence = summary->has_header ? summary->header_sequence + 1 : 0;
    file->last_sequence = UINT64_MAX;
    if (summary->has_trailer) {
        file->first_sequence = summary->trailer.first_sequence;
        file->last_sequence = summary->trailer.last_sequence;
    }
}

/* Looks at the ends of all files. */
static enum rk_err summarize_files(struct recovery *recovery)
{
    recovery->n_files = rk_log_store_n_files(recovery->store);
    recovery->result.n_files = recovery->n_files;
    recovery->files = rk_mem_calloc(recovery->n_files + 1, sizeof *recovery->files);
    recovery->by_number = rk_mem_calloc(recovery->n_files + 1, sizeof *recovery->by_number);
    for (size_t i = 0; i < recovery->n_files; i++) {
        struct file *file = &recovery->files[i];
        enum rk_err err;

        recovery->by_number[i] = file;
        file->number = rk_log_store_file(recovery->store, i);
        err =
            rk_log_file_summarize(rk_log_store_dir_fd(recovery->store), file->number, &file->summary, recovery->detail);
        if (err != RK_OK)
            return err;
        set_range(file);
        recovery->result.n_bytes += file->summary.file_bytes;
    }
    qsort(recovery->by_number, recovery->n_files, sizeof *recovery->by_number, compare_numbers);
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
        if (file->summary.kind != RK_LOG_FILE_APPENDED || file->first_sequence <= highest)
            return false;
        highest = file->last_sequence;
    }
    return true;
}

static enum rk_err read_files(struct recovery *recovery)
{
    size_t n_files = rk_log_store_n_files(recovery->store);
    enum rk_err err = RK_OK;

    if (n_files > 0)
        err = rk_log_file_distrust_cache(rk_log_store_dir_fd(recovery->store),
                                         rk_log_store_file(recovery->store, n_files - 1), recovery->detail);
    if (err == RK_OK)
        err = summarize_files(recovery);
    recovery->in_order = err == RK_OK && sequences_ascend(recovery);
    for (size_t i = 0; err == RK_OK && i < recovery->n_files; i++)
        err = read_file(recovery, &recovery->files[i]);
    if (err == RK_OK && !recovery->in_order)
        delete_tombstones(recovery);
    return err;
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
    return rk_log_file_seal(dir_fd, newest->number, &end->totals, recovery->result.next_sequence - 1, recovery->detail);
}

static enum rk_err recover(struct recovery *recovery)
{
    enum rk_err err = read_files(recovery);

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
    close_header_fds(recovery);
    free(recovery->tombstones);
    free(recovery->by_number);
    free(recovery->files);
    free(recovery);
    return err;
}

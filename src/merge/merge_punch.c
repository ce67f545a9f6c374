#include "merge/merge_punch.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "disk/disk_hole.h"
#include "disk/disk_location.h"
#include "disk/disk_summary.h"
#include "grace/grace.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "merge/merge_source.h"
#include "space/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A file, and what may go of it. */
struct punch_file {
    uint32_t file_number;
    bool is_active;
    bool has_expired;
    struct rk_disk_hole *holes;
    size_t n_holes, n_places;
    struct rk_disk_hole run; /* that is looked at; n_records 0: none */
    uint32_t last_bytes;     /* of the run's last record */
    int fd;
    uint64_t older_end_bytes; /* of the last hole that is there already, and was met */
};

struct punch {
    uint64_t block_bytes;
    const struct rk_merge_punch_settings *settings;
    struct punch_file *files;
    uint64_t ticket;
};

/* Writer thread. */
static void look_at_rows(void *argument)
{
    struct punch *punch = argument;

    for (size_t i = 0; i < punch->settings->n_files; i++) {
        struct rk_space_file row = rk_space_file(punch->settings->space, punch->settings->files[i]);

        punch->files[i].file_number = punch->settings->files[i];
        punch->files[i].has_expired = row.n_records[RK_SPACE_EXPIRED] > 0;
        punch->files[i].is_active = row.file_number == rk_log_writer_file_number(punch->settings->log);
    }
}

/* Writer thread: whoever begins to read after this finds no location of what goes. */
static void take_ticket(void *argument)
{
    struct punch *punch = argument;

    punch->ticket = punch->settings->grace != NULL ? rk_grace_writer_ticket(punch->settings->grace) : 0;
}

static void end_run(const struct punch *punch, struct punch_file *file)
{
    struct rk_disk_hole run = file->run;

    file->run = (struct rk_disk_hole){ 0 };
    if (run.n_records == 0 || !rk_disk_hole_is_worth(&run, punch->block_bytes))
        return;
    if (file->n_holes == file->n_places) {
        file->n_places = 2 * file->n_places + 64;
        file->holes = rk_mem_resize(file->holes, file->n_places, sizeof *file->holes);
    }
    file->holes[file->n_holes++] = run;
}

/* One of so many that a run has all of, or none. */
static void add_dead(const struct punch *punch, struct punch_file *file, const struct rk_disk_hint_entry *entry,
                     uint32_t n_together)
{
    struct rk_location location = rk_disk_location_decode(entry->location);

    if (file->run.offset_bytes + file->run.size_bytes != location.offset_bytes
        || file->run.n_records + n_together > RK_RECORD_HOLE_RECORDS_MAX)
        end_run(punch, file);
    if (file->run.n_records == 0)
        file->run = (struct rk_disk_hole){ .offset_bytes = location.offset_bytes, .sequence = entry->sequence };
    file->run.size_bytes += location.size_bytes;
    file->run.n_records++;
    file->last_bytes = location.size_bytes;
}

/* The last record of a file stays. */
static void end_file(const struct punch *punch, struct punch_file *file)
{
    if (file->run.n_records > 0) {
        file->run.n_records--;
        file->run.size_bytes -= file->last_bytes;
    }
    end_run(punch, file);
}

/* `now` is where its key was a moment ago; 0: nowhere. Tombstones stay, for the space table counts them by themselves,
 * and there is little in them. */
static bool is_needed(const struct punch_file *file, const struct rk_disk_hint_entry *entry, uint64_t now)
{
    if (RK_PLANTED(hole_over_live))
        return false;
    return now == entry->location || rk_disk_hint_is_tombstone(entry)
           || (now == 0 && file->has_expired && rk_disk_is_expiry(entry->expiry_s));
}

/* A hint still has the records of a hole, and what is needed may change: what was dead as a value that was written over
 * counts as one that may hide others once its key is deleted. But a hole goes on as a whole, or a scan would find its
 * inside. */
static void take_entry(const struct punch *punch, struct punch_file *file, const struct rk_disk_hint_entry *entry,
                       uint64_t now)
{
    uint64_t offset_bytes = rk_disk_location_decode(entry->location).offset_bytes;
    struct rk_disk_hole older = { .n_records = 0 };

    if (offset_bytes < file->older_end_bytes) {
        add_dead(punch, file, entry, 0);
        return;
    }
    if (now != entry->location && !rk_disk_hint_is_tombstone(entry) && !RK_PLANTED(hole_in_part))
        older = rk_disk_hole_find(file->fd, &rk_log_store_identity(punch->settings->store)->secret, offset_bytes);
    if (older.n_records > 0) {
        file->older_end_bytes = offset_bytes + older.size_bytes;
        add_dead(punch, file, entry, older.n_records);
    } else if (is_needed(file, entry, now)) {
        end_run(punch, file);
    } else {
        add_dead(punch, file, entry, 1);
    }
}

static void take_entries(const struct punch *punch, struct punch_file *file, const struct rk_disk_hint_entry *entries,
                         size_t n_entries)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];
    uint64_t now[RK_KEYDIR_MANY];

    for (size_t i = 0; i < n_entries; i++)
        fingerprints[i] = rk_merge_fingerprint(&entries[i]);
    rk_grace_read_lock();
    rk_keydir_lookup_many_rcu(rk_keydir_writer_reader(punch->settings->keydir), fingerprints, n_entries, now);
    rk_grace_read_unlock();
    for (size_t i = 0; i < n_entries; i++)
        take_entry(punch, file, &entries[i], now[i]);
    if (punch->settings->pause != NULL)
        punch->settings->pause(punch->settings->context);
}

/* When a hint turns out wrong, the entries begin anew. The active file ends where its records do so far. */
static enum rk_err read_entries(const struct punch *punch, struct punch_file *file, struct rk_merge_source *source,
                                struct rk_detail *detail)
{
    struct rk_disk_hint_entry entries[RK_KEYDIR_MANY];
    enum rk_err err;
    size_t n;

    while ((err = rk_merge_source_next(source, entries, RK_KEYDIR_MANY, &n, detail)) == RK_OK
           || err == RK_ERR_MISMATCH) {
        if (err == RK_OK) {
            take_entries(punch, file, entries, n);
            continue;
        }
        file->n_holes = 0;
        file->run = (struct rk_disk_hole){ 0 };
        file->older_end_bytes = 0;
    }
    return err == RK_ERR_NOT_FOUND || (err == RK_ERR_CORRUPT && file->is_active) ? RK_OK : err;
}

static enum rk_err open_file(const struct punch *punch, struct punch_file *file, struct rk_detail *detail)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, file->file_number);
    file->fd = rk_open_file(rk_log_store_dir_fd(punch->settings->store), name, O_RDONLY, 0);
    if (file->fd >= 0)
        return RK_OK;
    rk_detail_set(detail, "%s: cannot be opened: %s", name, rk_open_text(errno));
    return RK_ERR_IO;
}

static enum rk_err find_in_file(const struct punch *punch, struct punch_file *file, struct rk_detail *detail)
{
    const struct rk_log_store *store = punch->settings->store;
    const struct rk_disk_identity *identity = rk_log_store_identity(store);
    struct rk_merge_source *source = NULL;
    struct rk_disk_file_summary summary;
    enum rk_err err =
        rk_disk_file_summarize(rk_log_store_dir_fd(store), file->file_number, &identity->secret, &summary, detail);

    if (err == RK_OK)
        err = rk_merge_source_open(&source, rk_log_store_dir_fd(store), identity, file->file_number, &summary, detail);
    if (err != RK_OK)
        return err;
    err = read_entries(punch, file, source, detail);
    rk_merge_source_close(&source);
    end_file(punch, file);
    return err;
}

static enum rk_err find_holes(const struct punch *punch, struct punch_file *file, struct rk_detail *detail)
{
    enum rk_err err = open_file(punch, file, detail);

    if (err != RK_OK)
        return err;
    err = find_in_file(punch, file, detail);
    (void)rk_io->close(file->fd); /* nothing was written through it */
    if (err != RK_OK)
        file->n_holes = 0;
    return err;
}

static enum rk_err wait_for_readers(struct punch *punch)
{
    const struct rk_merge_punch_settings *settings = punch->settings;
    enum rk_err err = settings->call(settings->context, take_ticket, punch);

    if (err == RK_OK && settings->grace != NULL)
        err = settings->wait_grace(settings->context, punch->ticket);
    if (err == RK_OK && settings->settle_reads != NULL)
        err = settings->settle_reads(settings->context);
    return err;
}

static enum rk_err punch_files(const struct punch *punch, uint64_t *freed_bytes, struct rk_detail *detail)
{
    const struct rk_log_store *store = punch->settings->store;
    enum rk_err last_err = RK_OK;

    for (size_t i = 0; i < punch->settings->n_files; i++) {
        const struct punch_file *file = &punch->files[i];
        uint64_t freed = 0;
        enum rk_err err;

        if (file->n_holes == 0)
            continue;
        err = rk_disk_hole_punch(rk_log_store_dir_fd(store), file->file_number, &rk_log_store_identity(store)->secret,
                                 file->holes, file->n_holes, &freed, detail);
        last_err = err != RK_OK ? err : last_err;
        *freed_bytes += freed;
    }
    return last_err;
}

static enum rk_err run(struct punch *punch, uint64_t *freed_bytes, struct rk_detail *detail)
{
    const struct rk_merge_punch_settings *settings = punch->settings;
    enum rk_err err = settings->call(settings->context, look_at_rows, punch), last_err = RK_OK;
    size_t n_holes = 0;

    if (err != RK_OK)
        return err;
    for (size_t i = 0; i < settings->n_files; i++) {
        err = find_holes(punch, &punch->files[i], detail);
        last_err = err != RK_OK ? err : last_err;
        n_holes += punch->files[i].n_holes;
    }
    if (n_holes == 0)
        return last_err;
    err = RK_PLANTED(hole_without_sync) ? RK_OK : rk_log_writer_sync(settings->log);
    if (err != RK_OK)
        rk_log_writer_why(settings->log, detail);
    else
        err = wait_for_readers(punch);
    if (err == RK_OK)
        err = punch_files(punch, freed_bytes, detail);
    return err != RK_OK ? err : last_err;
}

enum rk_err rk_merge_punch_run(const struct rk_merge_punch_settings *settings, uint64_t *freed_bytes_out,
                               struct rk_detail *detail)
{
    struct punch punch = { .settings = settings,
                           .block_bytes = rk_disk_hole_block_bytes(rk_log_store_dir_fd(settings->store)),
                           .files = rk_mem_calloc(settings->n_files + 1, sizeof *punch.files) };
    enum rk_err err;

    *freed_bytes_out = 0;
    err = run(&punch, freed_bytes_out, detail);
    for (size_t i = 0; i < settings->n_files; i++)
        free(punch.files[i].holes);
    free(punch.files);
    return err;
}

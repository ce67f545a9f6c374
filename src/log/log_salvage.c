#include "log/log_salvage.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_open.h"
#include "base/base_planted.h"
#include "base/base_time.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "disk/disk_summary.h"
#include "log/log_active.h"
#include "log/log_quarantine.h"
#include "log/log_salvage_files.h"
#include "log/log_store_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the newest file has lost may have been given out: recovery goes on behind. No file has room for more records
 * than RK_LOG_SEQUENCE_GAP; but a file that went on after an unclean end, on a full disk, has such a gap itself, and
 * that can have been so again and again. */
#define NEWEST_GAP (RK_LOG_SEQUENCE_GAP << 12)

_Static_assert(RK_DISK_FILE_BYTES_MAX / RK_DISK_UNIT_BYTES <= RK_LOG_SEQUENCE_GAP, "no file has room for more records");

struct salvage {
    struct rk_log_store *store;
    const struct rk_log_salvage_hooks *hooks;
    struct rk_detail *detail;
    uint32_t file_number;
    bool is_newest;
    struct rk_disk_scan *scan;
    struct rk_log_active out;
    int in_fd;
    uint8_t *record;
    size_t record_capacity;
    uint64_t last_sequence;   /* of the last record that was kept */
    uint64_t max_sequence;    /* of all files so far */
    uint64_t before_sequence; /* of the file before */
    bool has_loss;            /* found, and not told yet */
    struct rk_log_salvage_loss loss;
};

static enum rk_err fail(struct salvage *salvage, const char *what)
{
    int errnum = errno;
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, salvage->file_number);
    rk_detail_set(salvage->detail, "%s: %s: %s", name, what, rk_open_text(errnum));
    return rk_err_from_errno(errnum);
}

static const struct rk_record_secret *secret_of(const struct salvage *salvage)
{
    return &rk_log_store_identity(salvage->store)->secret;
}

/* The file was that long when it was closed; 0: it was not. */
static uint64_t closed_bytes_of(const struct salvage *salvage)
{
    return rk_log_store_closed_bytes(salvage->store, salvage->file_number);
}

static enum rk_err open_scan(struct salvage *salvage)
{
    enum rk_err err = rk_disk_scan_open(&salvage->scan, rk_log_store_dir_fd(salvage->store), salvage->file_number,
                                        rk_log_store_identity(salvage->store), salvage->detail);

    if (err == RK_OK)
        rk_disk_scan_promise(salvage->scan, closed_bytes_of(salvage));
    return err;
}

/* Only the newest file may have another end than its trailer. */
static bool end_is_good(const struct salvage *salvage)
{
    const struct rk_disk_scan_end *end = rk_disk_scan_end(salvage->scan);

    if (end->kind == RK_DISK_SCAN_SEALED)
        return end->end_bytes == end->file_bytes || salvage->is_newest;
    return salvage->is_newest && end->kind != RK_DISK_SCAN_DAMAGED;
}

static void note_sequence(struct salvage *salvage, uint64_t sequence)
{
    salvage->before_sequence = sequence;
    if (sequence > salvage->max_sequence)
        salvage->max_sequence = sequence;
}

static enum rk_err find_damage(struct salvage *salvage, bool *damaged_out)
{
    struct rk_disk_scan_item item;
    enum rk_err err = open_scan(salvage);

    while (err == RK_OK)
        err = rk_disk_scan_next(salvage->scan, &item, salvage->detail);
    if (salvage->scan != NULL && err == RK_ERR_NOT_FOUND) {
        *damaged_out = !end_is_good(salvage);
        note_sequence(salvage, rk_disk_scan_end(salvage->scan)->max_sequence);
        err = RK_OK;
    }
    rk_disk_scan_close(&salvage->scan);
    return err;
}

static bool grow_record(struct salvage *salvage, size_t size)
{
    uint8_t *larger;

    if (size <= salvage->record_capacity)
        return true;
    larger = realloc(salvage->record, size);
    if (larger == NULL)
        return false;
    salvage->record = larger;
    salvage->record_capacity = size;
    return true;
}

/* Sequence and time stay; the mark is an offset, which means nothing in another file. */
static enum rk_err copy_record(struct salvage *salvage, const struct rk_disk_scan_item *item)
{
    struct rk_location location = rk_disk_location_decode(item->location);
    struct rk_record_stamp stamp = { .sequence = item->header.sequence, .write_time_ms = item->header.write_time_ms };
    struct iovec iov;

    if (!grow_record(salvage, location.size_bytes)) {
        rk_detail_set(salvage->detail, "no memory for a record of %u bytes", location.size_bytes);
        return RK_ERR_NO_MEMORY;
    }
    if (rk_io_pread_full(salvage->in_fd, salvage->record, location.size_bytes, (off_t)location.offset_bytes)
        != (ssize_t)location.size_bytes)
        return fail(salvage, "cannot be read");
    rk_record_stamp(salvage->record, secret_of(salvage), &stamp);
    iov = (struct iovec){ .iov_base = salvage->record, .iov_len = location.size_bytes };
    salvage->last_sequence = stamp.sequence;
    return rk_log_active_append(&salvage->out, &iov, 1, location.size_bytes, 1, stamp.sequence, stamp.sequence,
                                salvage->detail);
}

/* In an appended file sequences have no holes: what is missing before the next record is what was lost. Unless there is
 * a gap after an unclean end, which may begin or end anywhere in what is missing. */
static void tell_loss(struct salvage *salvage, const struct rk_disk_scan_item *next)
{
    uint64_t n_missing = next != NULL ? next->header.sequence - salvage->last_sequence - 1 : 0;

    if (!salvage->has_loss)
        return;
    if (next != NULL && salvage->last_sequence != 0 && n_missing < RK_LOG_SEQUENCE_GAP)
        salvage->loss.n_records = n_missing;
    if (next == NULL && salvage->last_sequence != 0 && closed_bytes_of(salvage) > 0)
        salvage->loss.n_records = rk_log_store_last_sequence(salvage->store) - salvage->last_sequence;
    salvage->hooks->lost(salvage->hooks->context, &salvage->loss);
    salvage->has_loss = false;
}

/* At the scan's end, which is damage: goes on behind it. RK_ERR_NOT_FOUND: nothing whole is there. */
static enum rk_err pass_damage(struct salvage *salvage)
{
    const struct rk_disk_scan_end *end = rk_disk_scan_end(salvage->scan);
    uint64_t closed_bytes = closed_bytes_of(salvage);
    uint64_t was_bytes = closed_bytes > end->file_bytes ? closed_bytes : end->file_bytes;
    enum rk_err err;

    salvage->has_loss = true;
    salvage->loss = (struct rk_log_salvage_loss){ .file_number = salvage->file_number,
                                                  .offset_bytes = end->end_bytes,
                                                  .size_bytes = was_bytes - end->end_bytes,
                                                  .n_records = RK_LOG_SALVAGE_UNKNOWN,
                                                  .what = end->what };
    err = rk_disk_scan_skip(salvage->scan, salvage->detail);
    if (err == RK_OK)
        salvage->loss.size_bytes = rk_disk_scan_offset(salvage->scan) - salvage->loss.offset_bytes;
    return err;
}

static enum rk_err copy_whole_records(struct salvage *salvage)
{
    struct rk_disk_scan_item item;
    enum rk_err err = RK_OK;

    while (err == RK_OK) {
        err = rk_disk_scan_next(salvage->scan, &item, salvage->detail);
        if (err == RK_OK) {
            tell_loss(salvage, &item);
            err = copy_record(salvage, &item);
        } else if (err == RK_ERR_NOT_FOUND) {
            tell_loss(salvage, NULL);
            if (end_is_good(salvage))
                return RK_OK;
            err = pass_damage(salvage);
        }
    }
    tell_loss(salvage, NULL);
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* The sequence of the old header is not known when it is damaged: then all of them are above 0, which is true. */
static enum rk_err create_out(struct salvage *salvage)
{
    struct rk_disk_file_header header = { .file_number = rk_log_store_next_number(salvage->store),
                                          .format_version = RK_DISK_FORMAT_VERSION,
                                          .kind = RK_DISK_FILE_APPENDED };
    struct rk_disk_file_summary summary;
    enum rk_err err = rk_disk_file_summarize(rk_log_store_dir_fd(salvage->store), salvage->file_number,
                                             secret_of(salvage), &summary, salvage->detail);
    struct rk_record_stamp stamp = { .write_time_ms = rk_time_wall_ms() };

    if (err != RK_OK)
        return err;
    if (summary.has_header) {
        stamp.sequence = summary.header_sequence;
        header.kind = summary.kind;
    }
    memcpy(header.uuid, rk_log_store_identity(salvage->store)->uuid, sizeof header.uuid);
    return rk_log_active_create(&salvage->out, rk_log_store_dir_fd(salvage->store), &header, &stamp,
                                &(struct rk_log_active_sizes){ .limit_bytes = summary.file_bytes }, salvage->detail);
}

/* No sequence up to this one will be given out again. */
static uint64_t next_gap(const struct salvage *salvage)
{
    uint64_t known = rk_log_store_last_sequence(salvage->store);

    return (known > salvage->max_sequence ? known : salvage->max_sequence) + NEWEST_GAP;
}

static enum rk_err seal_out(struct salvage *salvage)
{
    const struct rk_disk_scan_end *end = rk_disk_scan_end(salvage->scan);
    struct rk_record_stamp stamp = { .sequence = salvage->is_newest ? next_gap(salvage) : end->max_sequence,
                                     .write_time_ms = rk_time_wall_ms() };

    salvage->out.totals.first_sequence = end->totals.first_sequence; /* in a merged file they do not ascend */
    salvage->out.totals.last_sequence = end->totals.last_sequence;
    stamp.durable_units = (uint32_t)(salvage->out.end_bytes / RK_DISK_UNIT_BYTES);
    if (rk_io->fdatasync(salvage->out.fd) != 0) /* what is before a trailer was durable before it */
        return fail(salvage, "what was kept of it cannot be made durable");
    return rk_log_active_seal(&salvage->out, secret_of(salvage), &stamp, salvage->detail);
}

static enum rk_err quarantine(struct salvage *salvage)
{
    char name[RK_DISK_FILE_NAME_BYTES];

    rk_disk_file_name(name, salvage->file_number);
    return rk_log_quarantine_link(rk_log_store_dir_fd(salvage->store), name, salvage->detail);
}

static enum rk_err switch_files(struct salvage *salvage)
{
    struct rk_disk_manifest_change change = {
        .removed = &salvage->file_number, .n_removed = 1, .added = &salvage->out.file_number, .n_added = 1
    };
    struct rk_log_salvage_file file = { .file_number = salvage->file_number,
                                        .new_number = salvage->out.file_number,
                                        .n_kept = salvage->out.totals.n_records };
    enum rk_err err = quarantine(salvage);

    if (err == RK_OK)
        err = rk_log_store_change(salvage->store, &change, salvage->detail);
    if (err == RK_OK)
        salvage->hooks->replaced(salvage->hooks->context, &file);
    return err; /* the old name is not listed any more: recovery sweeps it */
}

static enum rk_err fill_out(struct salvage *salvage)
{
    enum rk_err err = copy_whole_records(salvage);

    if (err == RK_OK)
        err = seal_out(salvage);
    if (err == RK_OK)
        err = switch_files(salvage);
    return err;
}

static enum rk_err replace_file(struct salvage *salvage)
{
    char name[RK_DISK_FILE_NAME_BYTES];
    enum rk_err err;

    rk_disk_file_name(name, salvage->file_number);
    salvage->last_sequence = 0;
    salvage->in_fd = rk_open_file(rk_log_store_dir_fd(salvage->store), name, O_RDONLY, 0);
    if (salvage->in_fd < 0)
        return fail(salvage, "cannot be opened");
    err = open_scan(salvage);
    if (err == RK_OK)
        err = create_out(salvage);
    if (err == RK_OK) {
        err = fill_out(salvage);
        rk_log_active_close(&salvage->out, false); /* if it is not listed, the next start sweeps it */
    }
    rk_disk_scan_close(&salvage->scan);
    (void)rk_io->close(salvage->in_fd); /* nothing was written through it */
    return err;
}

/* Where the sequences of the next file begin; 0: it does not say. */
static uint64_t find_next_begin(const struct salvage *salvage, size_t index)
{
    uint32_t next = rk_log_store_file(salvage->store, index + 1);
    struct rk_disk_file_summary summary;

    if (next == 0
        || rk_disk_file_summarize(rk_log_store_dir_fd(salvage->store), next, secret_of(salvage), &summary, NULL)
               != RK_OK
        || !summary.has_header || summary.kind != RK_DISK_FILE_APPENDED)
        return 0;
    return summary.header_sequence;
}

/* A file that cannot be had. */
static enum rk_err drop_file(struct salvage *salvage, size_t index, bool is_missing)
{
    struct rk_detail why = salvage->detail != NULL ? *salvage->detail : (struct rk_detail){ "" };
    struct rk_log_salvage_dropped dropped = { .file_number = salvage->file_number,
                                              .is_missing = is_missing,
                                              .first_sequence = salvage->before_sequence + 1,
                                              .last_sequence = find_next_begin(salvage, index),
                                              .why = why.text };

    return rk_log_salvage_drop(salvage->store, &dropped, salvage->is_newest ? next_gap(salvage) : 0, salvage->hooks,
                               salvage->detail);
}

static enum rk_err salvage_file(struct salvage *salvage, size_t index, bool *dropped_out)
{
    bool damaged = false;
    enum rk_err err = find_damage(salvage, &damaged);

    *dropped_out = err == RK_ERR_NOT_FOUND || err == RK_ERR_MISMATCH;
    if (*dropped_out)
        return drop_file(salvage, index, err == RK_ERR_NOT_FOUND);
    return err == RK_OK && damaged ? replace_file(salvage) : err;
}

enum rk_err rk_log_salvage(struct rk_log_store *store, const struct rk_log_salvage_hooks *hooks,
                           struct rk_detail *detail)
{
    struct salvage salvage = { .store = store, .hooks = hooks, .detail = detail };
    enum rk_err err = rk_log_salvage_unlisted(store, hooks, detail);

    for (size_t i = 0; err == RK_OK && (salvage.file_number = rk_log_store_file(store, i)) != 0;) {
        bool dropped;

        salvage.is_newest = rk_log_store_file(store, i + 1) == 0;
        err = salvage_file(&salvage, i, &dropped);
        if (!dropped) /* a new file takes the place of the old one */
            i++;
    }
    free(salvage.record);
    if (err != RK_OK)
        rk_detail_wrap(detail, "%s", rk_log_store_path(store));
    return err;
}

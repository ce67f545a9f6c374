#include "recover/recover_read.h"

#include "disk/disk_location.h"
#include "log/log_store.h"
#include "space/space_entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TURN_BYTES   (4u << 20) /* of data between two looks around */
#define HINT_ENTRIES 512u       /* at once */

/* A file on its way through a thread. */
struct pass {
    struct rk_recover_reading *reading;
    struct rk_recover_scatter *scatter;
    struct rk_recover_file *file;
    size_t index;
    uint64_t told_bytes, told_records; /* of what `reading` knows */
};

/* Says how far the file is; false when an older file has failed, and nobody wants to know any more about this one. */
static bool take_turn(struct pass *pass, uint64_t offset)
{
    atomic_fetch_add_explicit(&pass->reading->done_bytes, offset - pass->told_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&pass->reading->n_records, pass->file->n_records - pass->told_records,
                              memory_order_relaxed);
    pass->told_bytes = offset;
    pass->told_records = pass->file->n_records;
    return atomic_load_explicit(&pass->reading->first_failed, memory_order_relaxed) >= pass->index;
}

static void add_entries(struct pass *pass, const struct rk_disk_hint_entry *entries, size_t n_entries)
{
    uint64_t n_tombstones = 0, record_bytes = 0;

    for (size_t i = 0; i < n_entries; i++) {
        record_bytes += rk_disk_location_decode(entries[i].location).size_bytes;
        n_tombstones += rk_disk_hint_is_tombstone(&entries[i]);
        rk_recover_scatter_add(pass->scatter, &entries[i]);
    }
    pass->file->n_records += n_entries;
    pass->file->n_tombstones += n_tombstones;
    pass->file->record_bytes += record_bytes;
}

static enum rk_err add_record(struct pass *pass, const struct rk_disk_scan_item *item)
{
    const struct rk_disk_identity *identity = rk_log_store_identity(pass->reading->store);
    struct rk_disk_hint_entry entry;

    if (item->header.type != RK_RECORD_PUT && item->header.type != RK_RECORD_TOMBSTONE) {
        rk_detail_set(&pass->file->detail, "data file %u: a record of type %u, which this program does not know",
                      pass->file->number, (unsigned)item->header.type);
        return RK_ERR_MISMATCH;
    }
    entry = rk_space_entry_of(item, identity->hash_key);
    add_entries(pass, &entry, 1);
    return RK_OK;
}

/* A file before the newest is sealed, nothing is behind its trailer, and nothing that had been promised is missing. */
static enum rk_err judge_end(struct pass *pass)
{
    const struct rk_disk_scan_end *end = &pass->file->end;
    bool is_newest = pass->index == pass->reading->n_files - 1;
    bool is_whole = end->kind == RK_DISK_SCAN_SEALED && end->end_bytes == end->file_bytes;
    uint64_t closed_bytes = rk_log_store_closed_bytes(pass->reading->store, pass->file->number);
    char closed[96] = "";
    char name[RK_DISK_FILE_NAME_BYTES];

    if (end->kind != RK_DISK_SCAN_DAMAGED && (is_newest || is_whole))
        return RK_OK;
    if (closed_bytes > end->end_bytes)
        (void)snprintf(closed, sizeof closed, "; its records went up to byte %" PRIu64 " when it was closed",
                       closed_bytes);
    rk_disk_file_name(name, pass->file->number);
    rk_detail_set(&pass->file->detail,
                  "%s: damaged at byte %" PRIu64 " of %" PRIu64
                  " (%s%s), in data that had been durable; nothing was changed",
                  name, end->end_bytes, end->file_bytes, end->what, closed);
    return RK_ERR_CORRUPT;
}

static enum rk_err read_records(struct pass *pass, struct rk_disk_scan *scan)
{
    struct rk_disk_scan_item item;
    enum rk_err err;

    while ((err = rk_disk_scan_next(scan, &item, &pass->file->detail)) == RK_OK) {
        err = add_record(pass, &item);
        if (err != RK_OK)
            return err;
        if (rk_disk_scan_offset(scan) - pass->told_bytes >= TURN_BYTES && !take_turn(pass, rk_disk_scan_offset(scan)))
            return RK_ERR_AGAIN;
    }
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

/* By its records. */
static enum rk_err scan_file(struct pass *pass)
{
    struct rk_disk_scan *scan = NULL;
    enum rk_err err = rk_disk_scan_open(&scan, rk_log_store_dir_fd(pass->reading->store), pass->file->number,
                                        rk_log_store_identity(pass->reading->store), &pass->file->detail);

    if (err != RK_OK)
        return err;
    rk_disk_scan_promise(scan, rk_log_store_closed_bytes(pass->reading->store, pass->file->number));
    err = read_records(pass, scan);
    if (err == RK_OK) {
        pass->file->end = *rk_disk_scan_end(scan);
        err = judge_end(pass);
    }
    rk_disk_scan_close(&scan);
    return err;
}

static enum rk_err read_entries(struct pass *pass, struct rk_disk_hint *hint)
{
    struct rk_disk_hint_entry entries[HINT_ENTRIES];
    size_t n_entries;
    enum rk_err err;

    while ((err = rk_disk_hint_next_some(hint, entries, HINT_ENTRIES, &n_entries)) == RK_OK) {
        uint64_t offset = rk_disk_location_decode(entries[n_entries - 1].location).offset_bytes;

        add_entries(pass, entries, n_entries);
        if (offset - pass->told_bytes >= TURN_BYTES && !take_turn(pass, offset))
            return RK_ERR_AGAIN;
    }
    if (err == RK_ERR_NOT_FOUND)
        return RK_OK;
    rk_detail_set(&pass->file->detail, "the hint of data file %u cannot be read", pass->file->number);
    return err;
}

/* What a scan would have said of a sealed file. */
static struct rk_disk_scan_end sealed_end(const struct rk_disk_file_summary *summary)
{
    return (struct rk_disk_scan_end){ .kind = RK_DISK_SCAN_SEALED,
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
static enum rk_err read_hint(struct pass *pass)
{
    const struct rk_log_store *store = pass->reading->store;
    struct rk_disk_hint *hint = NULL;
    enum rk_err err;

    if (!pass->file->summary.has_trailer
        || pass->file->summary.trailer.size_bytes < rk_log_store_closed_bytes(store, pass->file->number)
        || rk_disk_hint_open(&hint, rk_log_store_dir_fd(store), pass->file->number, rk_log_store_identity(store)->uuid,
                             &pass->file->summary)
               != RK_OK)
        return RK_ERR_NOT_FOUND;
    err = read_entries(pass, hint);
    rk_disk_hint_close(&hint);
    pass->file->by_hint = true;
    pass->file->end = sealed_end(&pass->file->summary);
    return err;
}

static void note_failure(struct pass *pass)
{
    size_t first = atomic_load(&pass->reading->first_failed);

    while (pass->index < first && !atomic_compare_exchange_weak(&pass->reading->first_failed, &first, pass->index))
        ;
}

static void read_file(struct rk_recover_reading *reading, struct rk_recover_scatter *scatter, size_t index)
{
    struct rk_recover_file *file = &reading->files[index];
    struct pass pass = { .reading = reading, .scatter = scatter, .file = file, .index = index };

    file->by_hint = false;
    file->n_records = file->n_tombstones = file->record_bytes = 0;
    file->err = read_hint(&pass);
    if (file->err == RK_ERR_NOT_FOUND)
        file->err = scan_file(&pass);
    (void)take_turn(&pass, file->summary.file_bytes); /* it is done, wanted or not */
    if (file->err != RK_OK && file->err != RK_ERR_AGAIN)
        note_failure(&pass);
}

/* False when there is nothing left to read. */
static bool claim_file(struct rk_recover_reading *reading, size_t *index_out)
{
    size_t n = atomic_fetch_add(&reading->n_claimed, 1);

    if (n >= reading->n_files)
        return false;
    *index_out = n == 0 ? reading->n_files - 1 : n - 1;
    return *index_out <= atomic_load(&reading->first_failed);
}

void rk_recover_reading_run(struct rk_recover_reading *reading, unsigned thread)
{
    size_t index;

    while (claim_file(reading, &index))
        read_file(reading, &reading->scatters[thread], index);
}

#include "expire/expire.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "disk/disk_hint.h"
#include "disk/disk_location.h"
#include "disk/disk_scan.h"
#include "grace/grace.h"
#include "keydir/keydir_writer.h"
#include "log/log_store.h"
#include "log/log_writer.h"
#include "space/space.h"
#include "space/space_entry.h"
#include "space/space_moves.h"

#include <stdlib.h>
#include <string.h>

#define TURN_ENTRIES    8192u
#define STEP_BYTES      32u /* of a record that is read and checked, in the time of one entry */
#define REMOVED_STEPS   4u  /* a key that leaves the keydir, for which the writer thread has to work */
#define ENTRIES_AT_ONCE 256u

/* A file that has something to find. */
struct due_file {
    uint32_t number;
    uint32_t expiry_s;  /* the one that was taken from the table */
    uint64_t end_bytes; /* of its published records; UINT64_MAX: all of it, it is sealed */
    bool is_done;
};

struct look {
    const struct rk_expire_settings *settings;
    struct due_file *files;
    size_t n_files;
    size_t max_files;
    size_t turn_steps;
    uint64_t n_expired;

    /* of the file that is read */
    struct due_file *file;
    uint32_t next_expiry_s; /* of what has not expired; 0: none */
    struct rk_disk_hint_entry past[RK_KEYDIR_MANY];
    size_t n_past;
    struct rk_space_moves_entry gone[RK_SPACE_MOVES_GROUP];
    size_t n_gone;
};

static enum rk_err call(const struct look *look, void (*run)(void *argument), void *argument)
{
    return look->settings->call(look->settings->context, run, argument);
}

/* Writer thread. */
static void take_due_files(void *argument)
{
    struct look *look = argument;
    const struct rk_expire_settings *settings = look->settings;
    uint32_t active = rk_log_writer_file_number(settings->log);
    uint32_t number;

    for (size_t i = 0; look->n_files < look->max_files && (number = rk_log_store_file(settings->store, i)) != 0; i++) {
        uint32_t expiry_s = rk_space_file(settings->space, number).first_expiry_s;

        if (expiry_s == 0 || expiry_s > settings->now_s)
            continue;
        look->files[look->n_files++] = (struct due_file){
            .number = number,
            .expiry_s = rk_space_take_expiry(settings->space, number),
            .end_bytes = number == active ? rk_log_writer_end_bytes(settings->log) : UINT64_MAX,
        };
    }
}

/* Writer thread: of a file that was not looked at to its end, what was taken. */
static void note_expiries(void *argument)
{
    struct look *look = argument;

    for (size_t i = 0; i < look->n_files; i++)
        if (!look->files[i].is_done)
            rk_space_give_expiry(look->settings->space, look->files[i].number, look->files[i].expiry_s);
}

/* Writer thread. */
static void remove_gone(void *argument)
{
    struct look *look = argument;
    struct rk_space *space = look->settings->space;
    uint64_t n_before = rk_space_total(space).n_records[RK_SPACE_EXPIRED];

    rk_space_moves_apply(look->gone, look->n_gone, look->settings->keydir, space);
    look->n_expired += rk_space_total(space).n_records[RK_SPACE_EXPIRED] - n_before;
    look->n_gone = 0;
}

/* Writer thread: the file was looked at to its end. */
static void finish_file(void *argument)
{
    struct look *look = argument;

    remove_gone(look);
    rk_space_give_expiry(look->settings->space, look->file->number, look->next_expiry_s);
    look->file->is_done = true;
}

static enum rk_err take_turn(struct look *look, size_t steps)
{
    look->turn_steps += steps;
    if (look->turn_steps < TURN_ENTRIES)
        return RK_OK;
    look->turn_steps = 0;
    return look->settings->turn(look->settings->context);
}

/* Notes which of those that are past the keydir still names. */
static enum rk_err look_up_past(struct look *look)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];
    uint64_t now[RK_KEYDIR_MANY];
    size_t n_past = look->n_past;

    for (size_t i = 0; i < n_past; i++)
        fingerprints[i] =
            (struct rk_fingerprint){ .high = look->past[i].fingerprint_high, .low = look->past[i].fingerprint_low };
    rk_grace_read_lock();
    rk_keydir_lookup_many_rcu(rk_keydir_writer_reader(look->settings->keydir), fingerprints, n_past, now);
    rk_grace_read_unlock();
    for (size_t i = 0; i < n_past; i++)
        if (now[i] == look->past[i].location)
            look->gone[look->n_gone++] = (struct rk_space_moves_entry){ .fingerprint_high = fingerprints[i].high,
                                                                        .fingerprint_low = fingerprints[i].low,
                                                                        .kind = RK_SPACE_MOVES_EXPIRED,
                                                                        .from = now[i] };
    look->n_past = 0;
    if (look->n_gone + RK_KEYDIR_MANY <= RK_SPACE_MOVES_GROUP)
        return RK_OK;
    look->turn_steps += look->n_gone * REMOVED_STEPS;
    return call(look, remove_gone, look);
}

static enum rk_err take_entry(struct look *look, const struct rk_disk_hint_entry *entry)
{
    if (!rk_disk_is_expiry(entry->expiry_s))
        return RK_OK;
    if (!rk_disk_hint_has_expired(entry, look->settings->now_s)) {
        if (look->next_expiry_s == 0 || entry->expiry_s < look->next_expiry_s)
            look->next_expiry_s = entry->expiry_s;
        return RK_OK;
    }
    look->past[look->n_past++] = *entry;
    return look->n_past == RK_KEYDIR_MANY ? look_up_past(look) : RK_OK;
}

static enum rk_err read_hint(struct look *look, struct rk_disk_hint *hint)
{
    struct rk_disk_hint_entry entries[ENTRIES_AT_ONCE];
    enum rk_err err;
    size_t n;

    while ((err = rk_disk_hint_next_some(hint, entries, ENTRIES_AT_ONCE, &n)) == RK_OK) {
        for (size_t i = 0; err == RK_OK && i < n; i++)
            err = take_entry(look, &entries[i]);
        if (err == RK_OK)
            err = take_turn(look, n);
        if (err != RK_OK)
            return err;
    }
    return err == RK_ERR_NOT_FOUND ? RK_OK : err;
}

static enum rk_err end_of_scan(const struct look *look, const struct rk_disk_scan *scan, struct rk_detail *detail)
{
    const struct rk_disk_scan_end *end = rk_disk_scan_end(scan);

    if (end->kind == RK_DISK_SCAN_SEALED)
        return RK_OK;
    rk_detail_set(detail, "data file %u: damaged at byte %llu: %s", look->file->number,
                  (unsigned long long)end->end_bytes, end->what);
    return RK_ERR_CORRUPT;
}

/* Of the active file what is behind its published records is not read: it changes. */
static enum rk_err read_records(struct look *look, struct rk_disk_scan *scan, struct rk_detail *detail)
{
    struct rk_disk_scan_item item;
    enum rk_err err = RK_OK;

    while (err == RK_OK && rk_disk_scan_offset(scan) < look->file->end_bytes) {
        struct rk_disk_hint_entry entry;

        err = rk_disk_scan_next(scan, &item, detail);
        if (err == RK_ERR_NOT_FOUND)
            return end_of_scan(look, scan, detail);
        if (err == RK_OK) {
            entry = rk_space_entry_of(&item, rk_log_store_identity(look->settings->store)->hash_key);
            err = take_entry(look, &entry);
        }
        if (err == RK_OK)
            err = take_turn(look, 1 + rk_record_size_of(&item.header) / STEP_BYTES);
    }
    return err;
}

/* The file's hint, if there is one that is beyond doubt. */
static bool open_hint(const struct look *look, struct rk_disk_hint **hint_out)
{
    const struct rk_log_store *store = look->settings->store;
    const struct rk_disk_identity *identity = rk_log_store_identity(store);
    int dir_fd = rk_log_store_dir_fd(store);
    struct rk_disk_file_summary summary;

    if (look->file->end_bytes != UINT64_MAX
        || rk_disk_file_summarize(dir_fd, look->file->number, &identity->secret, &summary, NULL) != RK_OK)
        return false;
    return rk_disk_hint_open(hint_out, dir_fd, look->file->number, identity->uuid, &summary) == RK_OK;
}

static enum rk_err read_file(struct look *look, struct rk_detail *detail)
{
    const struct rk_log_store *store = look->settings->store;
    struct rk_disk_hint *hint = NULL;
    struct rk_disk_scan *scan = NULL;
    enum rk_err err;

    if (open_hint(look, &hint)) {
        err = read_hint(look, hint);
        if (err == RK_ERR_IO)
            rk_detail_set(detail, "the hint of data file %u cannot be read", look->file->number);
        rk_disk_hint_close(&hint);
        return err;
    }
    err =
        rk_disk_scan_open(&scan, rk_log_store_dir_fd(store), look->file->number, rk_log_store_identity(store), detail);
    if (err == RK_OK)
        err = read_records(look, scan, detail);
    rk_disk_scan_close(&scan);
    return err;
}

static enum rk_err look_into(struct look *look, struct due_file *file, struct rk_detail *detail)
{
    enum rk_err err;

    look->file = file;
    look->next_expiry_s = 0;
    look->n_past = look->n_gone = 0;
    err = read_file(look, detail);
    if (err == RK_OK)
        err = look_up_past(look);
    return err == RK_OK ? call(look, finish_file, look) : err;
}

/* A file that cannot be read does not keep the others from being looked at. */
static enum rk_err look_into_all(struct look *look, struct rk_detail *detail)
{
    enum rk_err first_err = RK_OK;

    for (size_t i = 0; i < look->n_files; i++) {
        struct rk_detail why = { "" };
        enum rk_err err = look_into(look, &look->files[i], &why);

        if (err == RK_ERR_AGAIN || err == RK_ERR_CLOSED)
            return err;
        if (err == RK_OK || first_err != RK_OK)
            continue;
        first_err = err;
        rk_detail_set(detail, "%s", why.text);
    }
    return first_err;
}

enum rk_err rk_expire_run(const struct rk_expire_settings *settings, uint64_t *n_expired_out, struct rk_detail *detail)
{
    struct look *look = rk_mem_calloc(1, sizeof *look);
    enum rk_err err;

    look->settings = settings;
    look->max_files = rk_log_store_n_files(settings->store) + 1;
    look->files = rk_mem_calloc(look->max_files, sizeof *look->files);
    err = call(look, take_due_files, look);
    if (err == RK_OK && look->n_files > 0) {
        err = look_into_all(look, detail);
        if (err != RK_OK)
            (void)call(look, note_expiries, look); /* closed: the table ends as well */
    }
    *n_expired_out = look->n_expired;
    free(look->files);
    free(look);
    return err;
}

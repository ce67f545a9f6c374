#include "store/store_apply_writer.h"

#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "keydir/keydir_writer.h"
#include "log/log_file.h"
#include "log/log_location.h"
#include "log/log_record.h"
#include "store/store_recover_writer.h"
#include "store/store_space_writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_AT_ONCE 64 /* their cache lines are fetched side by side */
#define ROOM_STEP       4096
#define HEADER_FDS      64

struct rk_store_apply {
    struct rk_store_apply_settings settings;
    uint64_t room; /* so many new keys certainly fit */
    struct rk_store_apply_entry entries[ENTRIES_AT_ONCE];
    size_t n_entries;
    struct rk_store_apply_entry *tombstones; /* unless in order: a table by location, at most half full; 0: free */
    size_t n_tombstones;
    size_t n_places; /* of the table, a power of two */
    struct {
        uint32_t file_number;
        int fd;
    } header_fds[HEADER_FDS]; /* a small cache, by file number */
};

static void count(const struct rk_store_apply *apply, uint64_t location, enum rk_store_column column)
{
    if (apply->settings.hooks->space != NULL)
        rk_store_space_add(apply->settings.hooks->space, location, column);
}

/* What had been live is dead by that record. */
static void count_replaced(const struct rk_store_apply *apply, uint64_t location, bool by_tombstone)
{
    if (location != 0 && apply->settings.hooks->space != NULL)
        rk_store_space_move(apply->settings.hooks->space, location, RK_STORE_LIVE,
                            by_tombstone ? RK_STORE_DELETED : RK_STORE_OVERWRITTEN);
}

/* Whether one more key certainly fits; asks the keydir in steps. */
static bool has_room(struct rk_store_apply *apply)
{
    if (apply->room > 0)
        return true;
    if (rk_keydir_writer_has_room(apply->settings.keydir, ROOM_STEP))
        apply->room = ROOM_STEP;
    else if (rk_keydir_writer_has_room(apply->settings.keydir, 1))
        apply->room = 1;
    return apply->room > 0;
}

static enum rk_err put(struct rk_store_apply *apply, const struct rk_store_apply_entry *entry, uint64_t *replaced_out,
                       struct rk_detail *detail)
{
    if (!has_room(apply) && rk_keydir_writer_lookup(apply->settings.keydir, entry->fingerprint) == 0) {
        rk_detail_set(detail, "the keys do not fit into the keydir (%llu so far): raise keydir.max_bytes",
                      (unsigned long long)rk_keydir_writer_usage(apply->settings.keydir).n_keys);
        return RK_ERR_FULL;
    }
    *replaced_out = rk_keydir_writer_put(apply->settings.keydir, entry->fingerprint, entry->location);
    if (*replaced_out == 0)
        apply->room--;
    return RK_OK;
}

/* Each record is newer than all before it. */
static enum rk_err apply_in_order(struct rk_store_apply *apply, const struct rk_store_apply_entry *entry,
                                  struct rk_detail *detail)
{
    uint64_t replaced;
    enum rk_err err;

    if (entry->is_tombstone) {
        count_replaced(apply, rk_keydir_writer_delete(apply->settings.keydir, entry->fingerprint), true);
        count(apply, entry->location, RK_STORE_TOMBSTONE);
        return RK_OK;
    }
    err = put(apply, entry, &replaced, detail);
    if (err != RK_OK)
        return err;
    count_replaced(apply, replaced, false);
    count(apply, entry->location, RK_STORE_LIVE);
    return RK_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = ((const struct rk_store_range *)a)->file_number;
    uint32_t right = ((const struct rk_store_range *)b)->file_number;

    return (left > right) - (left < right);
}

/* A descriptor of the file, kept for the next time. */
static int header_fd(struct rk_store_apply *apply, uint32_t number)
{
    size_t slot = number % HEADER_FDS;
    char name[RK_LOG_FILE_NAME_BYTES];

    if (apply->header_fds[slot].file_number == number)
        return apply->header_fds[slot].fd;
    if (apply->header_fds[slot].file_number != 0)
        (void)rk_io->close(apply->header_fds[slot].fd); /* nothing was written through it */
    rk_log_file_name(name, number);
    apply->header_fds[slot].fd = rk_io->open_at(apply->settings.dir_fd, name, O_RDONLY, 0);
    apply->header_fds[slot].file_number = apply->header_fds[slot].fd >= 0 ? number : 0;
    return apply->header_fds[slot].fd;
}

static void close_header_fds(struct rk_store_apply *apply)
{
    for (size_t i = 0; i < HEADER_FDS; i++)
        if (apply->header_fds[i].file_number != 0)
            (void)rk_io->close(apply->header_fds[i].fd); /* nothing was written through it */
}

/* Whether the record at the location is older than the sequence: by its file's range if that tells, else by itself. */
static enum rk_err is_older(struct rk_store_apply *apply, uint64_t word, uint64_t sequence, bool *older_out,
                            struct rk_detail *detail)
{
    struct rk_location location = rk_log_location_decode(word);
    struct rk_store_range wanted = { .file_number = location.file_number };
    const struct rk_store_range *range =
        bsearch(&wanted, apply->settings.ranges, apply->settings.n_ranges, sizeof wanted, compare_numbers);
    uint8_t bytes[RK_RECORD_HEADER_BYTES];
    struct rk_record_header header;
    int fd;

    if (range != NULL && (range->last_sequence < sequence || range->first_sequence > sequence)) {
        *older_out = range->last_sequence < sequence;
        return RK_OK;
    }
    fd = header_fd(apply, location.file_number);
    if (fd < 0 || rk_io_pread_full(fd, bytes, sizeof bytes, (off_t)location.offset_bytes) != (ssize_t)sizeof bytes
        || rk_record_decode_header(bytes, apply->settings.secret, &header) != RK_OK) {
        rk_detail_set(detail, "data file %u: the record at byte %llu cannot be read again", location.file_number,
                      (unsigned long long)location.offset_bytes);
        return RK_ERR_IO;
    }
    *older_out = header.sequence < sequence;
    return RK_OK;
}

/* Where the tombstone of this location is in the table, or would be. */
static struct rk_store_apply_entry *place_of(struct rk_store_apply_entry *table, size_t n_places, uint64_t location)
{
    size_t place = (size_t)(location * 0x9e3779b97f4a7c15u >> 32) & (n_places - 1);

    while (table[place].location != 0 && table[place].location != location)
        place = (place + 1) & (n_places - 1);
    return &table[place];
}

static void keep_tombstone(struct rk_store_apply *apply, const struct rk_store_apply_entry *entry)
{
    if (apply->n_tombstones * 2 >= apply->n_places) {
        size_t n_places = apply->n_places == 0 ? 1024 : apply->n_places * 2;
        struct rk_store_apply_entry *larger = rk_mem_calloc(n_places, sizeof *larger);

        for (size_t i = 0; i < apply->n_places; i++)
            if (apply->tombstones[i].location != 0)
                *place_of(larger, n_places, apply->tombstones[i].location) = apply->tombstones[i];
        free(apply->tombstones);
        apply->tombstones = larger;
        apply->n_places = n_places;
    }
    *place_of(apply->tombstones, apply->n_places, entry->location) = *entry;
    apply->n_tombstones++;
}

static bool is_tombstone(const struct rk_store_apply *apply, uint64_t location)
{
    return apply->n_tombstones > 0 && place_of(apply->tombstones, apply->n_places, location)->location != 0;
}

/* The entry counts, and what it replaces (0: nothing). */
static void count_entry(const struct rk_store_apply *apply, const struct rk_store_apply_entry *entry, uint64_t replaced)
{
    if (replaced != 0 && !is_tombstone(apply, replaced))
        count_replaced(apply, replaced, entry->is_tombstone);
    count(apply, entry->location, entry->is_tombstone ? RK_STORE_TOMBSTONE : RK_STORE_LIVE);
}

/* The entry was dead before it came. */
static void count_older(const struct rk_store_apply *apply, const struct rk_store_apply_entry *entry, uint64_t newer)
{
    count(apply, entry->location,
          entry->is_tombstone          ? RK_STORE_TOMBSTONE
          : is_tombstone(apply, newer) ? RK_STORE_DELETED
                                       : RK_STORE_OVERWRITTEN);
}

/* Records come in any order. A tombstone is put like a value, and leaves the keydir at the end. */
static enum rk_err apply_by_sequence(struct rk_store_apply *apply, const struct rk_store_apply_entry *entry,
                                     struct rk_detail *detail)
{
    uint64_t now = rk_keydir_writer_lookup(apply->settings.keydir, entry->fingerprint);
    bool older = true;
    enum rk_err err = now != 0 ? is_older(apply, now, entry->sequence, &older, detail) : RK_OK;

    if (err == RK_OK && !older)
        count_older(apply, entry, now);
    if (err != RK_OK || !older)
        return err;
    err = put(apply, entry, &now, detail);
    if (err != RK_OK)
        return err;
    count_entry(apply, entry, now);
    if (entry->is_tombstone)
        keep_tombstone(apply, entry);
    return RK_OK;
}

static void delete_tombstones(struct rk_store_apply *apply)
{
    for (size_t i = 0; i < apply->n_places; i++) {
        const struct rk_store_apply_entry *entry = &apply->tombstones[i];

        if (entry->location != 0
            && rk_keydir_writer_lookup(apply->settings.keydir, entry->fingerprint) == entry->location)
            (void)rk_keydir_writer_delete(apply->settings.keydir, entry->fingerprint);
    }
}

static enum rk_err apply_entries(struct rk_store_apply *apply, struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    for (size_t i = 0; i < apply->n_entries; i++)
        rk_keydir_writer_prefetch(apply->settings.keydir, apply->entries[i].fingerprint);
    for (size_t i = 0; err == RK_OK && i < apply->n_entries; i++)
        err = apply->settings.in_order ? apply_in_order(apply, &apply->entries[i], detail)
                                       : apply_by_sequence(apply, &apply->entries[i], detail);
    apply->n_entries = 0;
    return err;
}

struct rk_store_apply *rk_store_apply_create(const struct rk_store_apply_settings *settings)
{
    struct rk_store_apply *apply = rk_mem_calloc(1, sizeof *apply);

    apply->settings = *settings;
    return apply;
}

void rk_store_apply_destroy(struct rk_store_apply **apply)
{
    if (*apply == NULL)
        return;
    close_header_fds(*apply);
    free((*apply)->tombstones);
    free(*apply);
    *apply = NULL;
}

enum rk_err rk_store_apply_add(struct rk_store_apply *apply, const struct rk_store_apply_entry *entry,
                               struct rk_detail *detail)
{
    apply->entries[apply->n_entries++] = *entry;
    return apply->n_entries == ENTRIES_AT_ONCE ? apply_entries(apply, detail) : RK_OK;
}

enum rk_err rk_store_apply_finish(struct rk_store_apply *apply, struct rk_detail *detail)
{
    enum rk_err err = apply_entries(apply, detail);

    if (err == RK_OK)
        delete_tombstones(apply);
    return err;
}

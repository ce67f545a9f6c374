#include "merge/merge.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_io.h"
#include "base/base_mem.h"
#include "base/base_planted.h"
#include "disk/disk_file.h"
#include "disk/disk_keys_block.h"
#include "disk/disk_location.h"
#include "grace/grace.h"
#include "keydir/keydir_writer.h"
#include "log/log_hint_builder.h"
#include "log/log_merged.h"
#include "log/log_store_change.h"
#include "log/log_writer.h"
#include "merge/merge_private.h"
#include "merge/merge_source.h"

#include <stdlib.h>
#include <string.h>

#define COPY_STEPS 8u /* of a record that is wanted, beside its bytes */

/* Whether a record that hides older ones of its key may go (guarantees 5 and 6); the input then waits for all that may
 * have them. */
static bool may_drop_hiding(struct rk_merge *merge, struct merge_input *input, uint64_t sequence)
{
    if (sequence >= merge->floor && !RK_PLANTED(merge_drops_tombstone))
        return false;
    if (sequence > input->max_dropped)
        input->max_dropped = sequence;
    return true;
}

static void add_move(struct rk_merge *merge, const struct rk_disk_hint_entry *entry, enum rk_space_moves_kind kind,
                     uint64_t to)
{
    struct rk_space_moves_entry *move = rk_space_moves_add(&merge->moves);

    move->fingerprint_high = entry->fingerprint_high;
    move->fingerprint_low = entry->fingerprint_low;
    move->kind = kind;
    move->from = entry->location;
    move->to = to;
}

/* The record of this key that comes next in the output. */
static void add_to_hint(struct rk_merge *merge, const struct rk_disk_hint_entry *entry,
                        const struct rk_merge_record *record, bool is_tombstone, uint64_t location)
{
    struct rk_disk_hint_entry hint = *entry;
    struct rk_disk_key key = { .key = record->key,
                               .key_len = record->header.key_len,
                               .value_len = record->header.value_len,
                               .expiry_ms = record->expiry_ms };

    if (is_tombstone)
        hint.expiry_s = RK_DISK_EXPIRY_TOMBSTONE;
    hint.location = location;
    rk_merge_add_to_hint(merge, &hint, &key);
}

/* Sees to it that there is an output with room for a record of this size. */
static enum rk_err make_room(struct rk_merge *merge, uint64_t size_bytes, struct rk_detail *detail)
{
    enum rk_err err = RK_OK;

    if (merge->output != NULL
        && (rk_log_merged_size_with(merge->output, size_bytes) > merge->output_bytes_max
            || merge->moves.n_moves >= RK_SPACE_MOVES_MAX))
        err = rk_merge_settle(merge, detail);
    if (err == RK_OK && merge->output == NULL)
        err = rk_merge_begin_output(merge, size_bytes, detail);
    return err;
}

static enum rk_err copy_record(struct rk_merge *merge, struct rk_merge_source *source,
                               const struct rk_disk_hint_entry *entry, const struct rk_merge_record *record,
                               struct rk_detail *detail)
{
    uint64_t size_bytes = rk_record_size_of(&record->header);
    enum rk_err err = make_room(merge, size_bytes, detail);
    uint64_t location;

    if (err != RK_OK)
        return err;
    location = rk_log_merged_begin_record(merge->output, entry->sequence, size_bytes);
    add_to_hint(merge, entry, record, false, location);
    err = rk_merge_source_copy(source, record, merge->output, detail);
    add_move(merge, entry, rk_disk_hint_is_tombstone(entry) ? RK_SPACE_MOVES_TOMBSTONE : RK_SPACE_MOVES_RECORD,
             location);
    if (rk_disk_is_expiry(entry->expiry_s) && (merge->output_expiry_s == 0 || entry->expiry_s < merge->output_expiry_s))
        merge->output_expiry_s = entry->expiry_s;
    merge->progress.written_bytes += size_bytes;
    merge->progress.n_copied++;
    return err;
}

/* A tombstone in the place of a record that has expired, for it hides older ones. */
static enum rk_err replace_record(struct rk_merge *merge, const struct rk_disk_hint_entry *entry,
                                  const struct rk_merge_record *record, struct rk_detail *detail)
{
    struct rk_record_parts parts = { .type = RK_RECORD_TOMBSTONE,
                                     .key = record->key,
                                     .key_len = record->header.key_len };
    struct rk_record_stamp stamp = { .sequence = entry->sequence, .write_time_ms = record->header.write_time_ms };
    uint64_t size_bytes = rk_record_size(parts.key_len, 0, 0, false);
    enum rk_err err = make_room(merge, size_bytes, detail);
    uint64_t location;
    uint8_t *bytes;

    if (err != RK_OK)
        return err;
    bytes = rk_mem_calloc(1, size_bytes);
    (void)rk_record_build(bytes, &parts); /* the size that we have */
    rk_record_stamp(bytes, &rk_log_store_identity(merge->settings->store)->secret, &stamp);
    location = rk_log_merged_begin_record(merge->output, entry->sequence, size_bytes);
    add_to_hint(merge, entry, record, true, location);
    err = rk_log_merged_append(merge->output, bytes, size_bytes, record->is_cold, detail);
    free(bytes);
    add_move(merge, entry, RK_SPACE_MOVES_EXPIRED, location);
    merge->progress.written_bytes += size_bytes;
    merge->progress.n_dropped++;
    return err;
}

/* A record that the keydir names. */
static enum rk_err take_live(struct rk_merge *merge, struct merge_input *input, struct rk_merge_source *source,
                             const struct rk_disk_hint_entry *entry, struct rk_detail *detail)
{
    struct rk_merge_record record;
    enum rk_err err = rk_merge_source_read(source, entry, &record, detail);

    if (err != RK_OK)
        return err;
    if (!rk_disk_hint_has_expired(entry, merge->now_s))
        return copy_record(merge, source, entry, &record, detail);
    if (!may_drop_hiding(merge, input, entry->sequence))
        return replace_record(merge, entry, &record, detail);
    if (merge->moves.n_moves >= RK_SPACE_MOVES_MAX)
        err = rk_merge_settle(merge, detail);
    add_move(merge, entry, RK_SPACE_MOVES_EXPIRED, 0);
    merge->progress.n_dropped++;
    return err;
}

/* One that is a tombstone, or as good as one. */
static enum rk_err take_hiding(struct rk_merge *merge, struct merge_input *input, struct rk_merge_source *source,
                               const struct rk_disk_hint_entry *entry, struct rk_detail *detail)
{
    struct rk_merge_record record;
    enum rk_err err;

    if (may_drop_hiding(merge, input, entry->sequence)) {
        merge->progress.n_dropped++;
        return RK_OK;
    }
    err = rk_merge_source_read(source, entry, &record, detail);
    if (err != RK_OK)
        return err;
    if (rk_disk_hint_is_tombstone(entry))
        return copy_record(merge, source, entry, &record, detail);
    err = replace_record(merge, entry, &record, detail);
    merge->output_needs_sync |= !rk_disk_hint_has_expired(entry, merge->now_s); /* not before: it may begin an output */
    return err;
}

/* `now` is where its key was a moment ago; 0: nowhere. */
static enum rk_err take_wanted(struct rk_merge *merge, struct merge_input *input, struct rk_merge_source *source,
                               const struct rk_disk_hint_entry *entry, uint64_t now, struct rk_detail *detail)
{
    uint64_t written_bytes = merge->progress.written_bytes;
    enum rk_err err =
        now == 0 ? take_hiding(merge, input, source, entry, detail) : take_live(merge, input, source, entry, detail);

    merge->progress.done_bytes += rk_disk_location_decode(entry->location).size_bytes;
    return err == RK_OK ? rk_merge_turn(merge, merge->progress.written_bytes - written_bytes, COPY_STEPS) : err;
}

/* Whether a record of whose key the keydir has nothing may hide older ones (guarantee 7). */
static bool may_hide(const struct merge_input *input, const struct rk_disk_hint_entry *entry)
{
    return rk_disk_hint_is_tombstone(entry) || (input->has_expired && rk_disk_is_expiry(entry->expiry_s));
}

/* How many entries there are before the first one whose record is wanted. */
static size_t count_dead(const struct merge_input *input, const struct rk_disk_hint_entry *entries, const uint64_t *now,
                         size_t n_entries)
{
    size_t n = 0;

    while (n < n_entries && now[n] != entries[n].location && (now[n] != 0 || !may_hide(input, &entries[n])))
        n++;
    return n;
}

/* Some entries, at least one, of records side by side that are not wanted. */
static enum rk_err drop_dead(struct rk_merge *merge, const struct rk_disk_hint_entry *entries, size_t n_entries)
{
    struct rk_location first = rk_disk_location_decode(entries[0].location);
    struct rk_location last = rk_disk_location_decode(entries[n_entries - 1].location);

    merge->progress.n_dropped += n_entries;
    merge->progress.done_bytes += last.offset_bytes + last.size_bytes - first.offset_bytes;
    return rk_merge_turn(merge, 0, n_entries);
}

/* Where the keys are, looked up in one read section. */
static void look_up(const struct rk_keydir *keydir, const struct rk_disk_hint_entry *entries, size_t n_entries,
                    uint64_t *now_out)
{
    struct rk_fingerprint fingerprints[RK_KEYDIR_MANY];

    for (size_t i = 0; i < n_entries; i++)
        fingerprints[i] = rk_merge_fingerprint(&entries[i]);
    rk_grace_read_lock();
    rk_keydir_lookup_many_rcu(keydir, fingerprints, n_entries, now_out);
    rk_grace_read_unlock();
}

static enum rk_err take_entries(struct rk_merge *merge, struct merge_input *input, struct rk_merge_source *source,
                                const struct rk_disk_hint_entry *entries, size_t n_entries, struct rk_detail *detail)
{
    uint64_t now[RK_KEYDIR_MANY];
    enum rk_err err = RK_OK;
    size_t n_taken;

    look_up(rk_keydir_writer_reader(merge->settings->keydir), entries, n_entries, now);
    for (size_t at = 0; err == RK_OK && at < n_entries; at += n_taken) {
        n_taken = count_dead(input, &entries[at], &now[at], n_entries - at);
        if (n_taken > 0) {
            err = drop_dead(merge, &entries[at], n_taken);
        } else {
            err = take_wanted(merge, input, source, &entries[at], now[at], detail);
            n_taken = 1;
        }
    }
    return err;
}

/* When the entries begin anew, what was dropped is looked at again, and what was copied since the last output was
 * settled is copied once more: the second copy is dead, as a record that was overwritten meanwhile. */
static enum rk_err copy_entries(struct rk_merge *merge, struct merge_input *input, struct rk_merge_source *source,
                                struct rk_detail *detail)
{
    struct rk_disk_hint_entry entries[RK_KEYDIR_MANY];
    struct rk_merge_progress before = merge->progress;
    enum rk_err err;
    size_t n;

    while ((err = rk_merge_source_next(source, entries, RK_KEYDIR_MANY, &n, detail)) != RK_ERR_NOT_FOUND) {
        if (err == RK_OK)
            err = take_entries(merge, input, source, entries, n, detail);
        if (err == RK_ERR_MISMATCH) {
            merge->progress.done_bytes = before.done_bytes;
            merge->progress.n_dropped = before.n_dropped;
            /* So that the keydir names what was copied, and it is not copied twice. */
            err = RK_PLANTED(copies_twice) ? RK_OK : rk_merge_settle(merge, detail);
        }
        if (err != RK_OK)
            return err;
    }
    return RK_OK;
}

static enum rk_err copy_input(struct rk_merge *merge, struct merge_input *input, struct rk_detail *detail)
{
    const struct rk_log_store *store = merge->settings->store;
    uint64_t read_bytes = merge->progress.read_bytes;
    struct rk_merge_source *source = NULL;
    enum rk_err err = rk_merge_source_open(&source, rk_log_store_dir_fd(store), rk_log_store_identity(store),
                                           input->file_number, &input->summary, detail);

    if (err != RK_OK)
        return err;
    err = copy_entries(merge, input, source, detail);
    merge->progress.read_bytes = read_bytes + rk_merge_source_read_bytes(source);
    rk_merge_source_close(&source);
    return err;
}

/* Whether nothing of the input is wanted, which the table knows without reading it (guarantee 8). */
static bool is_all_dead(struct rk_merge *merge, struct merge_input *input)
{
    if (input->space.n_records[RK_SPACE_LIVE] > 0)
        return false;
    if (input->space.n_records[RK_SPACE_TOMBSTONE] == 0 && !input->has_expired)
        return true;
    return may_drop_hiding(merge, input, input->last_sequence);
}

/* Those with nothing that is wanted go first, all at once: that takes no room, and one edition of the MANIFEST. How far
 * it is they say when they go. */
static enum rk_err take_dead_inputs(struct rk_merge *merge, struct rk_detail *detail)
{
    bool any = false;

    for (size_t i = 0; i < merge->n_inputs; i++) {
        struct merge_input *input = &merge->inputs[i];

        if (!is_all_dead(merge, input))
            continue;
        merge->progress.n_dropped += input->summary.trailer.n_records;
        input->is_copied = input->is_dead = any = true;
    }
    return any ? rk_merge_settle(merge, detail) : RK_OK;
}

static enum rk_err take_input(struct rk_merge *merge, struct merge_input *input, struct rk_detail *detail)
{
    enum rk_err err;

    if (input->is_dead)
        return RK_OK;
    err = copy_input(merge, input, detail);
    merge->progress.done_bytes += 2 * RK_DISK_FILE_FRAME_BYTES;
    input->is_copied = err == RK_OK;
    if (err == RK_OK && merge->output == NULL) /* nothing to wait for */
        err = rk_merge_settle(merge, detail);
    return err;
}

enum rk_err rk_merge_run(const struct rk_merge_settings *settings, struct rk_detail *detail)
{
    struct rk_merge *merge = rk_mem_calloc(1, sizeof *merge);
    enum rk_err err;

    merge->settings = settings;
    merge->now_s = settings->now_s;
    err = rk_merge_plan(merge, detail);
    if (err == RK_OK)
        err = settings->turn(settings->context, &merge->progress);
    if (err == RK_OK)
        err = take_dead_inputs(merge, detail);
    for (size_t i = 0; err == RK_OK && i < merge->n_inputs; i++)
        err = take_input(merge, &merge->inputs[i], detail);
    if (err == RK_OK)
        err = rk_merge_settle(merge, detail);
    rk_log_hint_builder_destroy(&merge->hint);
    rk_log_merged_close(&merge->output, !merge->output_may_be_listed);
    (void)settings->turn(settings->context, &merge->progress); /* the last word on how far it came */
    rk_space_moves_fini(&merge->moves);
    free(merge->inputs);
    free(merge);
    return err;
}

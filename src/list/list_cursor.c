#include "list/list_cursor.h"

#include "base/base_planted.h"
#include "base/base_time.h"
#include "list/list_batch.h"
#include "list/list_record.h"
#include "stats/stats_counter.h"

/* A set is kept for so long at most while slices follow each other: then what merges have removed is let go. */
#define SET_AGE_MAX_NS (5 * RK_NS_PER_S)

/* So often at most a set turns out to be useless. */
#define SET_TRIES_MAX 1000u

struct rk_list_cursor {
    const struct rk_list_where *where;
    struct rk_list_tails *tails;
    const _Atomic bool *is_cancelled;
    struct rk_list_buffer prefix, after, delimiter;
    bool with_values;

    struct rk_list_buffer bound;
    struct rk_list_buffer position;
    struct rk_list_buffer shared; /* of the entry that was shown last, if it was what keys share */
    struct rk_list_set *set;      /* NULL: closed, and the batch is empty */
    struct rk_list_batch batch;
    struct rk_list_record record;
    bool is_over; /* no key can be above the bound */

    uint64_t until_ns;
    bool has_moved; /* in this slice */
};

static struct rk_list_span span_of(const struct rk_list_buffer *buffer)
{
    return (struct rk_list_span){ buffer->bytes, buffer->len };
}

static void copy(struct rk_list_buffer *buffer, struct rk_list_span span)
{
    rk_list_buffer_assign(buffer, span.at, span.len);
}

/* Above this key, and nothing between. */
static void set_bound_above(struct rk_list_cursor *cursor, struct rk_list_span key)
{
    copy(&cursor->bound, key);
    if (!RK_PLANTED(cursor_repeats))
        rk_list_buffer_append(&cursor->bound, "", 1); /* a zero */
}

/* Above all keys that begin with these bytes. */
static void set_bound_behind(struct rk_list_cursor *cursor, struct rk_list_span shared)
{
    size_t len = shared.len;

    while (len > 0 && shared.at[len - 1] == 0xff)
        len--;
    copy(&cursor->bound, (struct rk_list_span){ shared.at, len });
    if (len > 0)
        cursor->bound.bytes[len - 1]++;
    else
        cursor->is_over = true;
}

static int compare(struct rk_list_span a, struct rk_list_span b)
{
    return rk_disk_keys_compare(a.at, a.len, b.at, b.len);
}

struct rk_list_cursor *rk_list_cursor_create(const struct rk_list_ask *ask, const struct rk_list_where *where,
                                             struct rk_list_tails *tails, const _Atomic bool *is_cancelled)
{
    struct rk_list_cursor *cursor = rk_mem_calloc(1, sizeof *cursor);

    cursor->where = where;
    cursor->tails = tails;
    cursor->is_cancelled = is_cancelled;
    cursor->with_values = ask->with_values;
    copy(&cursor->prefix, ask->prefix);
    copy(&cursor->after, ask->after);
    copy(&cursor->delimiter, ask->delimiter);
    copy(&cursor->position, ask->after);
    rk_list_record_init(&cursor->record, where);
    if (ask->after.len > 0 && compare(span_of(&cursor->after), span_of(&cursor->prefix)) >= 0)
        set_bound_above(cursor, span_of(&cursor->after));
    else
        copy(&cursor->bound, span_of(&cursor->prefix));
    return cursor;
}

void rk_list_cursor_rest(struct rk_list_cursor *cursor)
{
    rk_list_set_close(&cursor->set);
    cursor->batch.n = cursor->batch.next = 0;
    rk_list_record_close_files(&cursor->record);
}

void rk_list_cursor_destroy(struct rk_list_cursor **cursor)
{
    struct rk_list_cursor *self = *cursor;

    if (self == NULL)
        return;
    rk_list_cursor_rest(self);
    rk_list_batch_fini(&self->batch);
    rk_list_record_fini(&self->record);
    rk_list_buffer_fini(&self->prefix);
    rk_list_buffer_fini(&self->after);
    rk_list_buffer_fini(&self->delimiter);
    rk_list_buffer_fini(&self->bound);
    rk_list_buffer_fini(&self->position);
    rk_list_buffer_fini(&self->shared);
    free(self);
    *cursor = NULL;
}

bool rk_list_cursor_is_open(const struct rk_list_cursor *cursor)
{
    return cursor->set != NULL;
}

/* What was left of a batch may be long ago: it is looked up again. */
void rk_list_cursor_begin_slice(struct rk_list_cursor *cursor, uint64_t until_ns)
{
    cursor->until_ns = until_ns;
    cursor->has_moved = false;
    if (cursor->set == NULL)
        return;
    if (rk_time_monotonic_ns() - rk_list_set_opened_ns(cursor->set) > SET_AGE_MAX_NS)
        rk_list_cursor_rest(cursor);
    else
        rk_list_batch_look_up(&cursor->batch, cursor->where);
}

/* ---- the next keys ---- */

static enum rk_err open_set(struct rk_list_cursor *cursor)
{
    enum rk_err err = rk_list_set_open(&cursor->set, cursor->where, cursor->tails);

    return err == RK_OK ? rk_list_set_seek(cursor->set, cursor->bound.bytes, cursor->bound.len) : err;
}

/* Keys that share what was shown are passed over one by one as long as there are few of them. */
static enum rk_err pass_shared(struct rk_list_cursor *cursor)
{
    const struct rk_list_candidate *candidate = rk_list_set_first(cursor->set);

    if (candidate == NULL
        || rk_disk_keys_compare(candidate->key.key, candidate->key.key_len, cursor->bound.bytes, cursor->bound.len)
               >= 0)
        return RK_OK;
    return rk_list_set_seek(cursor->set, cursor->bound.bytes, cursor->bound.len);
}

static enum rk_err fill_batch(struct rk_list_cursor *cursor)
{
    enum rk_err err = cursor->set == NULL ? open_set(cursor) : pass_shared(cursor);

    if (err == RK_OK)
        err = rk_list_batch_fill(&cursor->batch, cursor->set, span_of(&cursor->prefix));
    if (err == RK_OK)
        rk_list_batch_look_up(&cursor->batch, cursor->where);
    return err;
}

/* Files that are gone, or damaged, are not in the next set. */
static enum rk_err fill(struct rk_list_cursor *cursor)
{
    enum rk_err err = RK_ERR_AGAIN;

    for (unsigned tries = 0; err == RK_ERR_AGAIN && tries < SET_TRIES_MAX; tries++) {
        if (atomic_load_explicit(cursor->is_cancelled, memory_order_relaxed))
            return RK_ERR_CLOSED;
        err = fill_batch(cursor);
        if (err != RK_OK)
            rk_list_cursor_rest(cursor);
    }
    return err;
}

/* ---- one key ---- */

static enum rk_err find_record(struct rk_list_cursor *cursor, struct rk_list_item *item)
{
    enum rk_err err = rk_list_record_find(&cursor->record, item->key, item);

    return err == RK_ERR_AGAIN ? RK_ERR_LIMIT : err; /* others are always faster */
}

/* What the keydir names was read from a file's keys, or the record itself is read. */
static enum rk_err describe(struct rk_list_cursor *cursor, size_t i, struct rk_list_item *item)
{
    const struct rk_list_candidate *entry = rk_list_batch_entry(&cursor->batch, i);

    if (cursor->batch.words[i] == 0)
        return rk_list_batch_is_doubtful(&cursor->batch, i) ? RK_ERR_CORRUPT : RK_ERR_NOT_FOUND;
    if (entry == NULL || cursor->with_values)
        return find_record(cursor, item);
    if (entry->key.expiry_ms != 0 && entry->key.expiry_ms <= rk_time_wall_ms())
        return RK_ERR_NOT_FOUND;
    item->sequence = entry->key.sequence;
    item->expiry_ms = entry->key.expiry_ms;
    item->value_len = entry->key.value_len;
    return RK_OK;
}

/* The part of the key up to the first delimiter behind the prefix; empty: it has none. */
static struct rk_list_span find_shared(const struct rk_list_cursor *cursor, struct rk_list_span key)
{
    const struct rk_list_buffer *delimiter = &cursor->delimiter;
    const uint8_t *found = NULL;

    if (delimiter->len > 0)
        found = memmem(key.at + cursor->prefix.len, key.len - cursor->prefix.len, delimiter->bytes, delimiter->len);
    if (found == NULL)
        return (struct rk_list_span){ key.at, 0 };
    return (struct rk_list_span){ key.at, (size_t)(found - key.at) + delimiter->len };
}

/* An entry for what keys share, unless it is not behind `after`: then it was shown on an earlier page. */
static enum rk_err show_shared(struct rk_list_cursor *cursor, struct rk_list_span shared, struct rk_list_item *item)
{
    bool is_shown = compare(shared, span_of(&cursor->after)) <= 0;

    copy(&cursor->shared, shared);
    set_bound_behind(cursor, shared);
    if (is_shown)
        return RK_ERR_NOT_FOUND;
    copy(&cursor->position, shared);
    *item = (struct rk_list_item){ .is_prefix = true, .key = span_of(&cursor->shared) };
    return RK_OK;
}

/* RK_ERR_NOT_FOUND: it is not to be shown. */
static enum rk_err show(struct rk_list_cursor *cursor, size_t i, struct rk_list_item *item)
{
    struct rk_list_span key = rk_list_batch_key(&cursor->batch, i);
    struct rk_list_span shared = find_shared(cursor, key);
    enum rk_err err;

    *item = (struct rk_list_item){ .key = key };
    err = describe(cursor, i, item);
    if (err == RK_OK && shared.len > 0)
        return show_shared(cursor, shared, item);
    if (err == RK_OK || err == RK_ERR_NOT_FOUND) {
        copy(&cursor->position, key);
        set_bound_above(cursor, key);
    }
    return err;
}

/* ---- the calls of the reader ---- */

static bool has_time(const struct rk_list_cursor *cursor)
{
    return !cursor->has_moved || rk_time_monotonic_ns() < cursor->until_ns;
}

static bool is_passed(const struct rk_list_cursor *cursor, size_t i)
{
    return compare(rk_list_batch_key(&cursor->batch, i), span_of(&cursor->bound)) < 0;
}

/* The next key of the batch. RK_ERR_NOT_FOUND: it is not to be shown. */
static enum rk_err take_next(struct rk_list_cursor *cursor, struct rk_list_item *item)
{
    size_t i = cursor->batch.next++;

    cursor->has_moved = true;
    return is_passed(cursor, i) ? RK_ERR_NOT_FOUND : show(cursor, i, item);
}

/* RK_ERR_NOT_FOUND: nothing is to be shown yet, and there may be more. */
static enum rk_err step(struct rk_list_cursor *cursor, struct rk_list_item *item)
{
    const struct rk_list_batch *batch = &cursor->batch;
    enum rk_err err;

    if (!has_time(cursor))
        return RK_ERR_AGAIN;
    if (batch->next < batch->n)
        return take_next(cursor, item);
    if (cursor->set != NULL && batch->is_last) {
        cursor->is_over = true;
        return RK_ERR_NOT_FOUND;
    }
    err = fill(cursor);
    return err == RK_OK ? RK_ERR_NOT_FOUND : err == RK_ERR_AGAIN ? RK_ERR_LIMIT : err; /* others are always faster */
}

enum rk_err rk_list_cursor_next(void *context, struct rk_list_item *item_out)
{
    struct rk_list_cursor *cursor = context;
    enum rk_err err = RK_ERR_NOT_FOUND;

    while (err == RK_ERR_NOT_FOUND && !cursor->is_over)
        err = step(cursor, item_out);
    if (err == RK_OK && !item_out->is_prefix)
        rk_counter_add(&cursor->where->stats->listed_keys, 1);
    return err;
}

enum rk_err rk_list_cursor_piece(void *context, struct rk_list_span *bytes_out)
{
    return rk_list_record_piece(&((struct rk_list_cursor *)context)->record, bytes_out);
}

struct rk_list_span rk_list_cursor_position(void *context)
{
    return span_of(&((struct rk_list_cursor *)context)->position);
}

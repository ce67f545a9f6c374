#include "keydir/keydir_page.h"

#include "base/base_assert.h"
#include "base/base_mem.h"
#include "keydir/keydir_bulk_writer.h"

#include <stdlib.h>
#include <string.h>

#define relaxed memory_order_relaxed /* only the writer stores; what it reads back is its own */

#define MAX_BUCKETS (RK_KEYDIR_MAX_STEPS * RK_KEYDIR_STEP_BUCKETS)
#define MAX_ENTRIES (MAX_BUCKETS * RK_KEYDIR_ENTRIES)

/* An entry on its way to another page. */
struct moved_entry {
    uint64_t location;
    uint64_t high;
    uint32_t low;
    uint32_t home;
};

struct rk_keydir_builder {
    uint32_t n_crowded;
    uint8_t n_in_bucket[MAX_BUCKETS];
    struct moved_entry crowded[MAX_ENTRIES]; /* those whose home was full */
};

static bool find_in_bucket(struct rk_keydir_bucket *bucket, struct rk_fingerprint fingerprint, uint32_t *entry_out)
{
    for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
        if (atomic_load_explicit(&bucket->low[i], relaxed) == fingerprint.low
            && atomic_load_explicit(&bucket->high[i], relaxed) == fingerprint.high) {
            *entry_out = i;
            return true;
        }
    }
    return false;
}

static bool find_in_range(const struct rk_keydir_page *page, uint32_t home, uint32_t j,
                          struct rk_fingerprint fingerprint, struct rk_keydir_place *place_out)
{
    uint32_t at = rk_keydir_range_first(home, j, page->n_buckets);

    for (uint32_t left = rk_keydir_range_count(j); left > 0; left--) {
        uint32_t entry;

        if (find_in_bucket(&page->buckets[at], fingerprint, &entry)) {
            *place_out = (struct rk_keydir_place){ .bucket = at, .entry = entry };
            return true;
        }
        at = rk_keydir_next_bucket(at, page->n_buckets);
    }
    return false;
}

bool rk_keydir_page_find(const struct rk_keydir_page *page, struct rk_fingerprint fingerprint,
                         struct rk_keydir_place *place_out)
{
    uint32_t home = rk_keydir_home(fingerprint.high, page->n_buckets);
    uint32_t hint, entry;

    if (find_in_bucket(&page->buckets[home], fingerprint, &entry)) {
        *place_out = (struct rk_keydir_place){ .bucket = home, .entry = entry };
        return true;
    }
    hint = atomic_load_explicit(&page->buckets[home].hint, relaxed);
    if ((hint & rk_keydir_tag_bit(fingerprint.low)) == 0)
        return false;
    for (uint32_t mask = hint & RK_KEYDIR_HINT_MASK; mask != 0; mask &= mask - 1) {
        if (find_in_range(page, home, (uint32_t)__builtin_ctz(mask), fingerprint, place_out))
            return true;
    }
    return false;
}

static bool has_free(const struct rk_keydir_page *page, uint32_t at)
{
    return (page->free_map[at / 64] >> at % 64 & 1) != 0;
}

static void set_free(const struct rk_keydir_page *page, uint32_t at, bool is_free)
{
    uint64_t bit = 1ull << at % 64;

    page->free_map[at / 64] = is_free ? page->free_map[at / 64] | bit : page->free_map[at / 64] & ~bit;
}

/* The range of neighbours nearest to the home that has a bucket with room; false when none has. */
static bool find_room(const struct rk_keydir_page *page, uint32_t home, uint32_t *j_out, uint32_t *at_out)
{
    for (uint32_t j = 0; j < RK_KEYDIR_RANGES; j++) {
        uint32_t at = rk_keydir_range_first(home, j, page->n_buckets);

        for (uint32_t left = rk_keydir_range_count(j); left > 0; left--) {
            if (has_free(page, at)) {
                *j_out = j;
                *at_out = at;
                return true;
            }
            at = rk_keydir_next_bucket(at, page->n_buckets);
        }
    }
    return false;
}

static void add_to_hint(struct rk_keydir_bucket *home, uint32_t j, uint32_t low)
{
    uint32_t hint = atomic_load_explicit(&home->hint, relaxed) | 1u << j | rk_keydir_tag_bit(low);

    atomic_store_explicit(&home->hint, hint, memory_order_release);
}

/* Free is what has neither location nor fingerprint; a deleted entry that waits still has its fingerprint. */
static bool entry_is_free(struct rk_keydir_bucket *bucket, uint32_t i)
{
    return atomic_load_explicit(&bucket->location[i], relaxed) == 0
           && atomic_load_explicit(&bucket->high[i], relaxed) == 0
           && atomic_load_explicit(&bucket->low[i], relaxed) == 0;
}

/* Fingerprint first, then the location; partners: the acquire loads in rk_keydir_bucket_lookup
 * and in look_into (keydir.c). */
static void publish_entry(const struct rk_keydir_page *page, uint32_t at, struct rk_fingerprint fingerprint,
                          uint64_t location)
{
    struct rk_keydir_bucket *bucket = &page->buckets[at];
    uint32_t i = 0;

    while (!entry_is_free(bucket, i))
        i++;
    atomic_store_explicit(&bucket->high[i], fingerprint.high, relaxed);
    atomic_store_explicit(&bucket->low[i], fingerprint.low, relaxed);
    atomic_store_explicit(&bucket->location[i], location, memory_order_release);
    while (++i < RK_KEYDIR_ENTRIES) {
        if (entry_is_free(bucket, i))
            return;
    }
    set_free(page, at, false);
}

bool rk_keydir_page_insert(const struct rk_keydir_page *page, struct rk_fingerprint fingerprint, uint64_t location)
{
    uint32_t home = rk_keydir_home(fingerprint.high, page->n_buckets);
    uint32_t j, at;

    if (has_free(page, home)) {
        publish_entry(page, home, fingerprint, location);
        return true;
    }
    if (!find_room(page, home, &j, &at))
        return false;
    publish_entry(page, at, fingerprint, location);
    add_to_hint(&page->buckets[home], j, fingerprint.low);
    return true;
}

/* The part of a home's hint that its keys in this neighbour account for. */
static uint32_t hint_of_neighbour(const struct rk_keydir_page *page, uint32_t home, uint32_t j, uint32_t at)
{
    struct rk_keydir_bucket *bucket = &page->buckets[at];
    uint32_t hint = 0;

    for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
        uint64_t high = atomic_load_explicit(&bucket->high[i], relaxed);
        uint32_t low = atomic_load_explicit(&bucket->low[i], relaxed);

        if ((high != 0 || low != 0) && rk_keydir_home(high, page->n_buckets) == home)
            hint |= 1u << j | rk_keydir_tag_bit(low);
    }
    return hint;
}

/* The hint that a home needs for the keys that are there now; only ranges that the old one names can have any. */
static uint32_t compute_hint(const struct rk_keydir_page *page, uint32_t home)
{
    uint32_t old = atomic_load_explicit(&page->buckets[home].hint, relaxed);
    uint32_t hint = 0;

    for (uint32_t mask = old & RK_KEYDIR_HINT_MASK; mask != 0; mask &= mask - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(mask);
        uint32_t at = rk_keydir_range_first(home, j, page->n_buckets);

        for (uint32_t left = rk_keydir_range_count(j); left > 0; left--) {
            hint |= hint_of_neighbour(page, home, j, at);
            at = rk_keydir_next_bucket(at, page->n_buckets);
        }
    }
    return hint;
}

void rk_keydir_page_release(const struct rk_keydir_page *page, struct rk_keydir_place place)
{
    struct rk_keydir_bucket *bucket = &page->buckets[place.bucket];
    uint32_t home = rk_keydir_home(atomic_load_explicit(&bucket->high[place.entry], relaxed), page->n_buckets);

    RK_ASSERT(atomic_load_explicit(&bucket->location[place.entry], relaxed) == 0);
    atomic_store_explicit(&bucket->high[place.entry], 0, relaxed);
    atomic_store_explicit(&bucket->low[place.entry], 0, relaxed);
    set_free(page, place.bucket, true);
    if (home != place.bucket)
        atomic_store_explicit(&page->buckets[home].hint, compute_hint(page, home), memory_order_release);
}

uint32_t rk_keydir_page_count(const struct rk_keydir_page *page, struct rk_keydir_filter filter)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < page->n_buckets; at++) {
        for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
            n += atomic_load_explicit(&page->buckets[at].location[i], relaxed) != 0
                 && (atomic_load_explicit(&page->buckets[at].high[i], relaxed) & filter.mask) == filter.value;
        }
    }
    return n;
}

struct rk_keydir_builder *rk_keydir_builder_create(void)
{
    return rk_mem_calloc(1, sizeof(struct rk_keydir_builder));
}

void rk_keydir_builder_destroy(struct rk_keydir_builder **builder)
{
    free(*builder);
    *builder = NULL;
}

static void store_entry(struct rk_keydir_builder *builder, const struct rk_keydir_page *page, uint32_t at,
                        struct moved_entry moved)
{
    struct rk_keydir_bucket *bucket = &page->buckets[at];
    uint32_t i = builder->n_in_bucket[at]++;

    atomic_store_explicit(&bucket->high[i], moved.high, relaxed);
    atomic_store_explicit(&bucket->low[i], moved.low, relaxed);
    atomic_store_explicit(&bucket->location[i], moved.location, relaxed);
}

/* An entry that its home can take goes there; the others wait until all homes are served. */
static void place_at_home(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                          struct moved_entry moved)
{
    moved.home = rk_keydir_home(moved.high, page->n_buckets);
    if (builder->n_in_bucket[moved.home] < RK_KEYDIR_ENTRIES)
        store_entry(builder, page, moved.home, moved);
    else
        builder->crowded[builder->n_crowded++] = moved;
}

static void fill_homes(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                       const struct rk_keydir_page *source, struct rk_keydir_filter filter)
{
    struct rk_keydir_bucket *end = source->buckets + source->n_buckets;

    for (struct rk_keydir_bucket *bucket = source->buckets; bucket < end; bucket++) {
        for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
            struct moved_entry moved = { .location = atomic_load_explicit(&bucket->location[i], relaxed),
                                         .high = atomic_load_explicit(&bucket->high[i], relaxed),
                                         .low = atomic_load_explicit(&bucket->low[i], relaxed) };

            if (moved.location != 0 && (moved.high & filter.mask) == filter.value)
                place_at_home(builder, page, moved);
        }
    }
}

static void map_free(const struct rk_keydir_builder *builder, const struct rk_keydir_page *page)
{
    for (uint32_t word = 0; word < page->n_buckets / 64; word++) {
        uint64_t bits = 0;

        for (uint32_t i = 0; i < 64; i++)
            bits |= (uint64_t)(builder->n_in_bucket[word * 64 + i] < RK_KEYDIR_ENTRIES) << i;
        page->free_map[word] = bits;
    }
}

static bool place_crowded(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                          const struct moved_entry *moved)
{
    uint32_t j, at;

    if (!find_room(page, moved->home, &j, &at))
        return false;
    store_entry(builder, page, at, *moved);
    if (builder->n_in_bucket[at] == RK_KEYDIR_ENTRIES)
        set_free(page, at, false);
    add_to_hint(&page->buckets[moved->home], j, moved->low);
    return true;
}

static void begin_fill(struct rk_keydir_builder *builder, const struct rk_keydir_page *page)
{
    builder->n_crowded = 0;
    memset(builder->n_in_bucket, 0, page->n_buckets);
}

static bool end_fill(struct rk_keydir_builder *builder, const struct rk_keydir_page *page)
{
    map_free(builder, page);
    for (uint32_t i = 0; i < builder->n_crowded; i++) {
        if (!place_crowded(builder, page, &builder->crowded[i]))
            return false;
    }
    return true;
}

bool rk_keydir_builder_fill(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                            const struct rk_keydir_page *sources, uint32_t n_sources, struct rk_keydir_filter filter)
{
    begin_fill(builder, page);
    for (uint32_t i = 0; i < n_sources; i++)
        fill_homes(builder, page, &sources[i], filter);
    return end_fill(builder, page);
}

bool rk_keydir_builder_fill_entries(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                                    const struct rk_keydir_entry *entries, uint32_t n_entries)
{
    RK_ASSERT(n_entries <= MAX_ENTRIES);
    begin_fill(builder, page);
    for (uint32_t i = 0; i < n_entries; i++)
        place_at_home(
            builder, page,
            (struct moved_entry){ .location = entries[i].location, .high = entries[i].high, .low = entries[i].low });
    return end_fill(builder, page);
}

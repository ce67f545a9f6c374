#include "keydir/keydir_bulk_writer.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "keydir/keydir_resize.h"

#include <stdlib.h>
#include <string.h>

/* With so much of max_bytes for each part, a step of 4 KiB that is not full costs little. */
#define PART_BYTES (2 * RK_KEYDIR_EXTENT_BYTES)

/* Of a page that is filled at once. With RK_KEYDIR_STEP_LIMIT a third of the pages would have no place for each key,
 * and be made twice; with this, one in ten. */
#define KEYS_A_STEP 172u

#define DIRECTORY_BYTES_A_PAGE 32u /* until the depth is known */

/* One thread's; on lines of its own. */
struct bulk_thread {
    struct rk_keydir_builder *builder;
    uint32_t spares; /* list of the largest extents of which nothing came, all zeros */
    uint32_t top_depth;
};

struct rk_keydir_bulk {
    struct rk_keydir_writer *writer;
    struct bulk_thread **threads;
    unsigned n_threads;
    bool is_published;
    uint32_t first;
    _Atomic uint32_t next; /* extent */
    _Atomic uint64_t n_keys;
    _Atomic uint64_t n_steps;
    _Atomic uint64_t n_pages;
};

struct rk_keydir_bulk *rk_keydir_bulk_create(struct rk_keydir_writer *writer, unsigned n_threads)
{
    struct rk_keydir_bulk *bulk = rk_mem_calloc(1, sizeof *bulk);

    RK_ASSERT(writer->n_keys == 0 && writer->extents.n_pages == 1);
    bulk->writer = writer;
    bulk->n_threads = n_threads;
    bulk->first = writer->extents.n_fresh;
    atomic_store(&bulk->next, bulk->first);
    bulk->threads = rk_mem_calloc(n_threads, sizeof(struct bulk_thread *));
    for (unsigned i = 0; i < n_threads; i++) {
        bulk->threads[i] = rk_mem_calloc(1, sizeof *bulk->threads[i]);
        bulk->threads[i]->builder = rk_keydir_builder_create();
        bulk->threads[i]->spares = RK_KEYDIR_NO_EXTENT;
    }
    return bulk;
}

void rk_keydir_bulk_destroy(struct rk_keydir_bulk **bulk)
{
    if (*bulk == NULL)
        return;
    if (!(*bulk)->is_published)
        rk_keydir_extents_renounce(&(*bulk)->writer->extents, atomic_load(&(*bulk)->next));
    for (unsigned i = 0; i < (*bulk)->n_threads; i++) {
        rk_keydir_builder_destroy(&(*bulk)->threads[i]->builder);
        free((*bulk)->threads[i]);
    }
    free((*bulk)->threads);
    free(*bulk);
    *bulk = NULL;
}

uint32_t rk_keydir_bulk_max_depth(const struct rk_keydir_bulk *bulk)
{
    uint64_t n_parts = bulk->writer->max_bytes / PART_BYTES;

    return n_parts > 1 ? 63 - (uint32_t)__builtin_clzll(n_parts) : 0;
}

static uint64_t bytes_so_far(struct rk_keydir_bulk *bulk)
{
    return RK_KEYDIR_HEADER_BYTES + atomic_load(&bulk->n_steps) * RK_KEYDIR_STEP_BYTES
           + atomic_load(&bulk->n_pages) * DIRECTORY_BYTES_A_PAGE;
}

/* What is left of the last step is room for new keys, so pages do not all grow at the same moment. */
static uint32_t steps_for(uint32_t n_keys)
{
    uint32_t steps = (n_keys + KEYS_A_STEP - 1) / KEYS_A_STEP;

    if (steps > RK_KEYDIR_MAX_STEPS && n_keys <= RK_KEYDIR_MAX_STEPS * RK_KEYDIR_STEP_LIMIT)
        return RK_KEYDIR_MAX_STEPS;
    return steps > 0 ? steps : 1;
}

/* An extent of the thread's own, for a page of so many steps or more; and how many it has already, all zeros. */
static uint32_t take_extent(struct rk_keydir_bulk *bulk, struct bulk_thread *thread, uint32_t steps,
                            uint32_t *exist_out)
{
    uint32_t at = thread->spares;

    if (at == RK_KEYDIR_NO_EXTENT || steps < RK_KEYDIR_MAX_STEPS) {
        at = atomic_fetch_add(&bulk->next, 1);
        RK_ASSERT(at < bulk->writer->region.header->n_extents);
        *exist_out = 0;
        return at;
    }
    thread->spares = bulk->writer->extents.table[at].next;
    *exist_out = RK_KEYDIR_MAX_STEPS;
    return at;
}

static void note_page(struct rk_keydir_bulk *bulk, struct bulk_thread *thread, const struct rk_keydir_bulk_part *part,
                      uint32_t n_entries, uint32_t steps)
{
    atomic_fetch_add(&bulk->n_keys, n_entries);
    atomic_fetch_add(&bulk->n_steps, steps);
    atomic_fetch_add(&bulk->n_pages, 1);
    if (part->depth > thread->top_depth)
        thread->top_depth = part->depth;
}

/* Makes one page of the entries; false when not even the largest has a place for each. */
static bool build_page(struct rk_keydir_bulk *bulk, struct bulk_thread *thread, const struct rk_keydir_bulk_part *part,
                       const struct rk_keydir_entry *entries, uint32_t n_entries)
{
    uint32_t steps = steps_for(n_entries);
    uint32_t exist, at = take_extent(bulk, thread, steps, &exist);

    for (; steps <= RK_KEYDIR_MAX_STEPS; steps++) {
        struct rk_keydir_page page = { .buckets = rk_keydir_extent_buckets(&bulk->writer->region, at),
                                       .free_map = bulk->writer->extents.free_maps[at],
                                       .n_buckets = steps * RK_KEYDIR_STEP_BUCKETS };

        rk_keydir_extents_populate(&bulk->writer->extents, at, exist, steps);
        exist = steps;
        if (rk_keydir_builder_fill_entries(thread->builder, &page, entries, n_entries)) {
            note_page(bulk, thread, part, n_entries, steps);
            bulk->writer->extents.table[at] =
                (struct rk_keydir_extent){ .prefix = (uint32_t)part->prefix,
                                           .depth = (uint8_t)part->depth,
                                           .steps = (uint8_t)steps,
                                           .state = RK_KEYDIR_PAGE,
                                           .n_live = (uint16_t)n_entries,
                                           .limit = (uint16_t)(steps * RK_KEYDIR_STEP_LIMIT) };
            return true;
        }
        memset(page.buckets, 0, steps * RK_KEYDIR_STEP_BYTES);
    }
    bulk->writer->extents.table[at] =
        (struct rk_keydir_extent){ .next = thread->spares, .steps = RK_KEYDIR_MAX_STEPS, .state = RK_KEYDIR_PAGE };
    thread->spares = at;
    return false;
}

static bool has_bit(const struct rk_keydir_entry *entry, uint32_t bit)
{
    return (entry->high >> bit & 1) != 0;
}

/* Where the entries begin that have the bit; those without come first already. */
static uint32_t find_border(const struct rk_keydir_entry *entries, uint32_t n_entries, uint32_t bit)
{
    uint32_t low = 0, high = n_entries;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (has_bit(&entries[middle], bit))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The same, after putting them so. */
static uint32_t make_border(struct rk_keydir_entry *entries, uint32_t n_entries, uint32_t bit)
{
    uint32_t border = 0;

    for (uint32_t i = 0; i < n_entries; i++) {
        if (!has_bit(&entries[i], bit)) {
            struct rk_keydir_entry entry = entries[i];

            entries[i] = entries[border];
            entries[border++] = entry;
        }
    }
    return border;
}

void rk_keydir_bulk_add(struct rk_keydir_bulk *bulk, unsigned thread, const struct rk_keydir_bulk_part *part,
                        struct rk_keydir_entry *entries, uint32_t n_entries)
{
    struct rk_keydir_bulk_part half = *part;
    uint32_t steps = steps_for(n_entries);
    uint32_t border;

    if (steps <= RK_KEYDIR_MAX_STEPS) {
        if (bytes_so_far(bulk) + steps * RK_KEYDIR_STEP_BYTES > bulk->writer->max_bytes) {
            note_page(bulk, bulk->threads[thread], part, n_entries, steps);
            return;
        }
        if (build_page(bulk, bulk->threads[thread], part, entries, n_entries))
            return;
    }
    RK_ASSERT(part->depth < 32); /* fingerprints are random */
    border = part->depth < part->sorted_depth ? find_border(entries, n_entries, part->depth)
                                              : make_border(entries, n_entries, part->depth);
    half.depth++;
    rk_keydir_bulk_add(bulk, thread, &half, entries, border);
    half.prefix |= 1ull << part->depth;
    rk_keydir_bulk_add(bulk, thread, &half, entries + border, n_entries - border);
}

/* What no page was made of is given to the pool: it has memory. */
static void give_spares_back(struct rk_keydir_bulk *bulk)
{
    struct rk_keydir_extents *extents = &bulk->writer->extents;

    for (unsigned i = 0; i < bulk->n_threads; i++) {
        while (bulk->threads[i]->spares != RK_KEYDIR_NO_EXTENT) {
            uint32_t at = bulk->threads[i]->spares;

            bulk->threads[i]->spares = extents->table[at].next;
            rk_keydir_extents_put_back(extents, at);
        }
    }
}

enum rk_err rk_keydir_bulk_publish(struct rk_keydir_bulk *bulk, struct rk_detail *detail)
{
    struct rk_keydir_writer *writer = bulk->writer;
    uint32_t depth = 0;

    for (unsigned i = 0; i < bulk->n_threads; i++)
        depth = bulk->threads[i]->top_depth > depth ? bulk->threads[i]->top_depth : depth;
    if (bytes_so_far(bulk) > writer->max_bytes) {
        rk_detail_set(detail,
                      "the keys do not fit into the keydir: %llu keys need %llu bytes, and keydir.max_bytes is %llu; "
                      "raise it",
                      (unsigned long long)atomic_load(&bulk->n_keys), (unsigned long long)bytes_so_far(bulk),
                      (unsigned long long)writer->max_bytes);
        return RK_ERR_FULL;
    }
    rk_keydir_extents_adopt(&writer->extents, atomic_load(&bulk->next));
    bulk->is_published = true;
    give_spares_back(bulk);
    rk_keydir_resize_replace_all(writer, bulk->first, depth);
    rk_keydir_resize_merge_all(writer);
    writer->n_keys_that_fit = writer->n_keys;
    return RK_OK;
}

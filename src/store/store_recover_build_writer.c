#include "store/store_recover_build_writer.h"

#include "base/base_mem.h"
#include "keydir/keydir_bulk_writer.h"
#include "log/log_location.h"
#include "store/store_newest_writer.h"
#include "store/store_space_writer.h"

#include <stdlib.h>
#include <string.h>

struct rk_store_builder {
    struct rk_store_newest *newest;
    struct rk_store_space *space;
    struct rk_keydir_entry *live; /* of the group so far */
    size_t n_live;
    size_t max_live;
};

struct rk_store_builder *rk_store_builder_create(struct rk_store_space *space)
{
    struct rk_store_builder *builder = rk_mem_calloc(1, sizeof *builder);

    builder->newest = rk_store_newest_create();
    builder->space = space;
    return builder;
}

void rk_store_builder_destroy(struct rk_store_builder **builder)
{
    if (*builder == NULL)
        return;
    rk_store_newest_destroy(&(*builder)->newest);
    free((*builder)->live);
    free(*builder);
    *builder = NULL;
}

static size_t count_entries(const struct rk_store_building *building, uint64_t part)
{
    size_t n_entries = 0;

    for (unsigned i = 0; i < building->n_threads; i++)
        n_entries += rk_store_scatter_count(&building->scatters[i], part);
    return n_entries;
}

static void find_newest(const struct rk_store_building *building, struct rk_store_builder *builder, uint64_t part)
{
    rk_store_newest_begin(builder->newest, count_entries(building, part), builder->space);
    for (unsigned i = 0; i < building->n_threads; i++) {
        struct rk_store_scatter_piece piece;

        for (bool more = rk_store_scatter_last(&building->scatters[i], part, &piece); more;
             more = rk_store_scatter_previous(&piece))
            rk_store_newest_add(builder->newest, piece.entries, piece.n_entries);
    }
}

static void reserve_live(struct rk_store_builder *builder, size_t n)
{
    struct rk_keydir_entry *larger;

    if (n <= builder->max_live)
        return;
    builder->max_live = n + n / 2;
    larger = rk_mem_calloc(builder->max_live, sizeof *larger);
    if (builder->n_live > 0)
        memcpy(larger, builder->live, builder->n_live * sizeof *larger);
    free(builder->live);
    builder->live = larger;
}

static void count_newest(struct rk_store_space *space, const struct rk_log_hint_entry *entry,
                         enum rk_store_column column)
{
    if (space == NULL)
        return;
    rk_store_space_add(space, entry->location, column);
    if (column == RK_STORE_LIVE)
        rk_store_space_note_expiry(space, rk_log_location_decode(entry->location).file_number, entry->expiry_s);
}

/* The part's keys, behind those of the parts before it. */
static void keep_live(const struct rk_store_building *building, struct rk_store_builder *builder)
{
    size_t n_newest;
    const struct rk_log_hint_entry *newest = rk_store_newest_entries(builder->newest, &n_newest);

    reserve_live(builder, builder->n_live + n_newest);
    for (size_t i = 0; i < n_newest; i++) {
        enum rk_store_column column = rk_log_hint_is_tombstone(&newest[i])                   ? RK_STORE_TOMBSTONE
                                      : rk_log_hint_has_expired(&newest[i], building->now_s) ? RK_STORE_EXPIRED
                                                                                             : RK_STORE_LIVE;

        count_newest(builder->space, &newest[i], column);
        builder->live[builder->n_live] = (struct rk_keydir_entry){ .location = newest[i].location,
                                                                   .high = newest[i].fingerprint_high,
                                                                   .low = newest[i].fingerprint_low };
        builder->n_live += column == RK_STORE_LIVE;
    }
}

/* The n-th of a group's parts in the order that the keydir wants: by their bits from the lowest on. */
static uint64_t part_of_group(const struct rk_store_building *building, uint64_t group, uint64_t n)
{
    uint64_t part = group;

    for (uint32_t bit = building->range.range_bits; bit < building->part_bits; bit++)
        part |= (n >> (building->part_bits - 1 - bit) & 1) << bit;
    return part;
}

static void build_group(struct rk_store_building *building, unsigned thread, uint64_t group)
{
    struct rk_store_builder *builder = building->builders[thread];
    struct rk_keydir_bulk_part part = { .prefix = group,
                                        .depth = building->range.range_bits,
                                        .sorted_depth = building->part_bits };

    builder->n_live = 0;
    for (uint64_t n = 0; n < 1ull << (building->part_bits - building->range.range_bits); n++) {
        find_newest(building, builder, part_of_group(building, group, n));
        keep_live(building, builder);
    }
    rk_keydir_bulk_add(building->bulk, thread, &part, builder->live, (uint32_t)builder->n_live);
}

void rk_store_building_run(struct rk_store_building *building, unsigned thread)
{
    uint64_t group;

    while ((group = atomic_fetch_add(&building->next_group, 1)) < building->range.end)
        build_group(building, thread, group);
}

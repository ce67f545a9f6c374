#include "recover/recover_build.h"

#include "base/base_mem.h"
#include "disk/disk_location.h"
#include "keydir/keydir_bulk_writer.h"
#include "recover/recover_newest.h"
#include "space/space.h"

#include <stdlib.h>
#include <string.h>

struct rk_recover_builder {
    struct rk_recover_newest *newest;
    struct rk_space *space;
    struct rk_keydir_entry *live; /* of the group so far */
    size_t n_live;
    size_t max_live;
};

struct rk_recover_builder *rk_recover_builder_create(struct rk_space *space)
{
    struct rk_recover_builder *builder = rk_mem_calloc(1, sizeof *builder);

    builder->newest = rk_recover_newest_create();
    builder->space = space;
    return builder;
}

void rk_recover_builder_destroy(struct rk_recover_builder **builder)
{
    if (*builder == NULL)
        return;
    rk_recover_newest_destroy(&(*builder)->newest);
    free((*builder)->live);
    free(*builder);
    *builder = NULL;
}

static size_t count_entries(const struct rk_recover_building *building, uint64_t part)
{
    size_t n_entries = 0;

    for (unsigned i = 0; i < building->n_threads; i++)
        n_entries += rk_recover_scatter_count(&building->scatters[i], part);
    return n_entries;
}

static void find_newest(const struct rk_recover_building *building, struct rk_recover_builder *builder, uint64_t part)
{
    rk_recover_newest_begin(builder->newest, count_entries(building, part), builder->space);
    for (unsigned i = 0; i < building->n_threads; i++) {
        struct rk_recover_scatter_piece piece;

        for (bool more = rk_recover_scatter_last(&building->scatters[i], part, &piece); more;
             more = rk_recover_scatter_previous(&piece))
            rk_recover_newest_add(builder->newest, piece.entries, piece.n_entries);
    }
}

static void reserve_live(struct rk_recover_builder *builder, size_t n)
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

static void count_newest(struct rk_space *space, const struct rk_disk_hint_entry *entry, enum rk_space_column column)
{
    if (space == NULL)
        return;
    rk_space_add(space, entry->location, column);
    if (column == RK_SPACE_LIVE)
        rk_space_note_expiry(space, rk_disk_location_decode(entry->location).file_number, entry->expiry_s);
}

/* The part's keys, behind those of the parts before it. */
static void keep_live(const struct rk_recover_building *building, struct rk_recover_builder *builder)
{
    size_t n_newest;
    const struct rk_disk_hint_entry *newest = rk_recover_newest_entries(builder->newest, &n_newest);

    reserve_live(builder, builder->n_live + n_newest);
    for (size_t i = 0; i < n_newest; i++) {
        enum rk_space_column column = rk_disk_hint_is_tombstone(&newest[i])                   ? RK_SPACE_TOMBSTONE
                                      : rk_disk_hint_has_expired(&newest[i], building->now_s) ? RK_SPACE_EXPIRED
                                                                                              : RK_SPACE_LIVE;

        count_newest(builder->space, &newest[i], column);
        builder->live[builder->n_live] = (struct rk_keydir_entry){ .location = newest[i].location,
                                                                   .high = newest[i].fingerprint_high,
                                                                   .low = newest[i].fingerprint_low };
        builder->n_live += column == RK_SPACE_LIVE;
    }
}

/* The n-th of a group's parts in the order that the keydir wants: by their bits from the lowest on. */
static uint64_t part_of_group(const struct rk_recover_building *building, uint64_t group, uint64_t n)
{
    uint64_t part = group;

    for (uint32_t bit = building->range.range_bits; bit < building->part_bits; bit++)
        part |= (n >> (building->part_bits - 1 - bit) & 1) << bit;
    return part;
}

static void build_group(struct rk_recover_building *building, unsigned thread, uint64_t group)
{
    struct rk_recover_builder *builder = building->builders[thread];
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

void rk_recover_building_run(struct rk_recover_building *building, unsigned thread)
{
    uint64_t group;

    while ((group = atomic_fetch_add(&building->next_group, 1)) < building->range.end)
        build_group(building, thread, group);
}

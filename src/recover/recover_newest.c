#include "recover/recover_newest.h"

#include "base/base_mem.h"
#include "space/space.h"

#include <stdlib.h>
#include <string.h>

/* A place of the table: which entry is there, and enough of its fingerprint that another key's is hardly looked at. */
struct place {
    uint32_t low;
    uint32_t entry; /* number + 1; 0: free */
};

struct rk_recover_newest {
    struct place *places;
    struct rk_disk_hint_entry *entries; /* the newest so far */
    struct rk_space *space;
    size_t n_places;
    size_t n_entries;
    size_t max_places;
    size_t max_entries;
};

struct rk_recover_newest *rk_recover_newest_create(void)
{
    return rk_mem_calloc(1, sizeof(struct rk_recover_newest));
}

void rk_recover_newest_destroy(struct rk_recover_newest **newest)
{
    if (*newest == NULL)
        return;
    free((*newest)->places);
    free((*newest)->entries);
    free(*newest);
    *newest = NULL;
}

/* What begins has no use for what was there. */
static void *reserve(void *memory, size_t n, size_t size, size_t *max)
{
    if (n <= *max)
        return memory;
    free(memory);
    *max = n + n / 4;
    return rk_mem_calloc(*max, size);
}

void rk_recover_newest_begin(struct rk_recover_newest *newest, size_t n_entries, struct rk_space *space)
{
    newest->n_places = n_entries + n_entries / 2 + 1;
    newest->places = reserve(newest->places, newest->n_places, sizeof *newest->places, &newest->max_places);
    newest->entries = reserve(newest->entries, n_entries, sizeof *newest->entries, &newest->max_entries);
    newest->n_entries = 0;
    newest->space = space;
    memset(newest->places, 0, newest->n_places * sizeof *newest->places);
}

/* The place of this key, or where it belongs. By the upper bits: the lower ones are those of the part. */
static struct place *find_place(const struct rk_recover_newest *newest, const struct rk_disk_hint_entry *entry)
{
    size_t at = (size_t)((entry->fingerprint_high >> 32) * newest->n_places >> 32);

    for (;;) {
        struct place *place = &newest->places[at];

        if (place->entry == 0
            || (place->low == entry->fingerprint_low
                && newest->entries[place->entry - 1].fingerprint_high == entry->fingerprint_high))
            return place;
        at = at + 1 == newest->n_places ? 0 : at + 1;
    }
}

static bool is_newer(const struct rk_disk_hint_entry *a, const struct rk_disk_hint_entry *b)
{
    return a->sequence != b->sequence ? a->sequence > b->sequence : a->location > b->location;
}

static void count_loser(const struct rk_recover_newest *newest, const struct rk_disk_hint_entry *loser,
                        bool to_tombstone)
{
    if (newest->space != NULL)
        rk_space_add(newest->space, loser->location,
                     rk_disk_hint_is_tombstone(loser) ? RK_SPACE_TOMBSTONE
                     : to_tombstone                   ? RK_SPACE_DELETED
                                                      : RK_SPACE_OVERWRITTEN);
}

static void meet(const struct rk_recover_newest *newest, struct rk_disk_hint_entry *there,
                 const struct rk_disk_hint_entry *entry)
{
    if (is_newer(entry, there)) {
        count_loser(newest, there, rk_disk_hint_is_tombstone(entry));
        *there = *entry;
    } else {
        count_loser(newest, entry, rk_disk_hint_is_tombstone(there));
    }
}

void rk_recover_newest_add(struct rk_recover_newest *newest, const struct rk_disk_hint_entry *entries, size_t n_entries)
{
    for (size_t i = 0; i < n_entries; i++) {
        struct place *place = find_place(newest, &entries[i]);

        if (place->entry != 0) {
            meet(newest, &newest->entries[place->entry - 1], &entries[i]);
            continue;
        }
        newest->entries[newest->n_entries++] = entries[i];
        place->low = entries[i].fingerprint_low;
        place->entry = (uint32_t)newest->n_entries;
    }
}

const struct rk_disk_hint_entry *rk_recover_newest_entries(const struct rk_recover_newest *newest, size_t *n_out)
{
    *n_out = newest->n_entries;
    return newest->entries;
}

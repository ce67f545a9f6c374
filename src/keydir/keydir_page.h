/* One page as the writer changes it: entries, neighbours, hints. Knows nothing of directory, extents or counts. */
#ifndef RK_KEYDIR_PAGE_H
#define RK_KEYDIR_PAGE_H

#include "keydir/keydir_layout.h"

struct rk_keydir_entry; /* keydir_bulk_writer.h */

struct rk_keydir_page {
    struct rk_keydir_bucket *buckets;
    uint64_t *free_map; /* the writer's own: a bit per bucket that has a free entry, a word per step */
    uint32_t n_buckets;
};

/* An entry's place in its page. */
struct rk_keydir_place {
    uint32_t bucket;
    uint32_t entry;
};

/* Finds the entry with this fingerprint: live, or deleted and waiting. There is at most one. */
bool rk_keydir_page_find(const struct rk_keydir_page *page, struct rk_fingerprint fingerprint,
                         struct rk_keydir_place *place_out);

/* Publishes a new entry as near to its home as there is room; false when there is none near enough. */
bool rk_keydir_page_insert(const struct rk_keydir_page *page, struct rk_fingerprint fingerprint, uint64_t location);

/* Makes a deleted entry's place free, and takes it out of its home's hint. Its grace period has passed. */
void rk_keydir_page_release(const struct rk_keydir_page *page, struct rk_keydir_place place);

static inline _Atomic uint64_t *rk_keydir_page_location(const struct rk_keydir_page *page, struct rk_keydir_place place)
{
    return &page->buckets[place.bucket].location[place.entry];
}

/* Which keys of a source go into a new page: those whose `high` has `value` in the bits of `mask`. */
struct rk_keydir_filter {
    uint64_t mask;
    uint64_t value;
};

/* How many live entries of the page pass the filter. */
uint32_t rk_keydir_page_count(const struct rk_keydir_page *page, struct rk_keydir_filter filter);

/* Room to build pages in; one page at a time. */
struct rk_keydir_builder;

struct rk_keydir_builder *rk_keydir_builder_create(void);
void rk_keydir_builder_destroy(struct rk_keydir_builder **builder);

/* Fills the page, which nobody has seen and which is all zeros, with the live entries of the sources that pass the
 * filter. False when some find no place near enough: the page is then to be thrown away. */
bool rk_keydir_builder_fill(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                            const struct rk_keydir_page *sources, uint32_t n_sources, struct rk_keydir_filter filter);

/* The same, with entries that are in no page yet: no two of a key, no location 0. */
bool rk_keydir_builder_fill_entries(struct rk_keydir_builder *builder, const struct rk_keydir_page *page,
                                    const struct rk_keydir_entry *entries, uint32_t n_entries);

#endif

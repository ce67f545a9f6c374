#include "keydir/keydir_check_writer.h"

#include "base/base_detail.h"
#include "keydir/keydir_resize.h"

static bool equal(struct rk_detail *detail, const char *what, uint64_t writer_says, uint64_t found)
{
    if (writer_says == found)
        return true;
    rk_detail_set(detail, "keydir: %s: the writer says %llu, there are %llu", what, (unsigned long long)writer_says,
                  (unsigned long long)found);
    return false;
}

static bool check_free_map(const struct rk_keydir_page *page, uint32_t extent_at, struct rk_detail *detail)
{
    for (uint32_t at = 0; at < page->n_buckets; at++) {
        bool has_free = false;

        for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++)
            has_free |=
                page->buckets[at].location[i] == 0 && page->buckets[at].high[i] == 0 && page->buckets[at].low[i] == 0;
        if (has_free != (page->free_map[at / 64] >> at % 64 & 1)) {
            rk_detail_set(detail, "keydir: extent %u, bucket %u: the map of free entries is wrong", extent_at, at);
            return false;
        }
    }
    return true;
}

/* One page: what the writer notes about it is what its word and its entries say. */
static bool check_page_note(const struct rk_keydir_writer *writer, uint32_t extent_at, struct rk_detail *detail)
{
    const struct rk_keydir_extent *extent = &writer->extents.table[extent_at];
    struct rk_keydir_page page = rk_keydir_resize_page(writer, extent_at);
    uint64_t word = rk_keydir_word_make(extent_at, extent->steps, extent->depth);
    uint32_t n_live = 0, n_waiting = 0;

    for (uint32_t at = 0; at < page.n_buckets; at++) {
        for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
            bool is_named = page.buckets[at].high[i] != 0 || page.buckets[at].low[i] != 0;

            n_live += page.buckets[at].location[i] != 0;
            n_waiting += page.buckets[at].location[i] == 0 && is_named;
        }
    }
    return equal(detail, "word of a page", word, writer->region.directory[extent->prefix])
           && equal(detail, "keys of a page", extent->n_live, n_live)
           && equal(detail, "deleted entries of a page", extent->n_waiting, n_waiting)
           && check_free_map(&page, extent_at, detail);
}

/* Follows a list; false when an extent on it is in another state or the list has no end. */
static bool count_list(const struct rk_keydir_extents *extents, uint32_t head, uint8_t state, uint64_t *n,
                       uint64_t *steps)
{
    uint64_t n_turns = 0;

    for (uint32_t at = head; at != RK_KEYDIR_NO_EXTENT; at = extents->table[at].next) {
        if (extents->table[at].state != state || ++n_turns > extents->n_fresh)
            return false;
        *n += 1;
        *steps += extents->table[at].steps;
    }
    return true;
}

static bool check_lists(const struct rk_keydir_extents *extents, struct rk_detail *detail)
{
    uint64_t n_limbo = 0, limbo_steps = 0, n_pool = 0, pool_steps = 0, n_bare = 0, bare_steps = 0;
    bool sound = count_list(extents, extents->limbo_head, RK_KEYDIR_LIMBO, &n_limbo, &limbo_steps)
                 && count_list(extents, extents->bare, RK_KEYDIR_BARE, &n_bare, &bare_steps);

    for (uint32_t steps = 0; steps <= RK_KEYDIR_MAX_STEPS; steps++)
        sound = sound && count_list(extents, extents->pool[steps], RK_KEYDIR_POOL, &n_pool, &pool_steps);
    if (!sound) {
        rk_detail_set(detail, "keydir: a list of extents leads to an extent that is not of it");
        return false;
    }
    return equal(detail, "extents in limbo", extents->n_limbo, n_limbo)
           && equal(detail, "memory in limbo", extents->limbo_steps, limbo_steps)
           && equal(detail, "extents in the pool", extents->n_pool, n_pool)
           && equal(detail, "memory in the pool", extents->pool_steps, pool_steps)
           && equal(detail, "bare extents", extents->n_bare, n_bare)
           && equal(detail, "memory of bare extents", 0, bare_steps)
           && equal(detail, "extents", extents->n_fresh, n_limbo + n_pool + n_bare + extents->n_pages);
}

static bool check_pages(const struct rk_keydir_writer *writer, struct rk_detail *detail)
{
    uint64_t n_pages = 0, page_steps = 0;
    uint32_t n_at_depth[33] = { 0 };

    for (uint32_t at = 0; at < writer->extents.n_fresh; at++) {
        if (writer->extents.table[at].state != RK_KEYDIR_PAGE)
            continue;
        n_pages++;
        page_steps += writer->extents.table[at].steps;
        n_at_depth[writer->extents.table[at].depth]++;
        if (!check_page_note(writer, at, detail))
            return false;
    }
    for (uint32_t depth = 0; depth <= 32; depth++) {
        if (!equal(detail, "pages of a depth", writer->n_at_depth[depth], n_at_depth[depth]))
            return false;
    }
    return equal(detail, "pages", writer->extents.n_pages, n_pages)
           && equal(detail, "memory of pages", writer->extents.page_steps, page_steps);
}

enum rk_err rk_keydir_check_writer(const struct rk_keydir_writer *writer, struct rk_detail *detail)
{
    const struct rk_keydir_extents *extents = &writer->extents;
    struct rk_keydir_usage usage = rk_keydir_writer_usage(writer);
    struct rk_keydir_census census;
    enum rk_err err = rk_keydir_check(&writer->region, &census, detail);
    uint64_t steps = extents->page_steps + extents->limbo_steps + extents->pool_steps;

    if (err != RK_OK)
        return err;
    if (!equal(detail, "keys", usage.n_keys, census.n_keys)
        || !equal(detail, "deleted entries", writer->n_waiting, census.n_waiting)
        || !equal(detail, "pages", usage.n_pages, census.n_pages)
        || !equal(detail, "bytes of pages", extents->page_steps * RK_KEYDIR_STEP_BYTES, census.page_bytes)
        || !equal(detail, "bytes used", usage.used_bytes,
                  rk_keydir_resize_directory_bytes(writer) + steps * RK_KEYDIR_STEP_BYTES)
        || !check_lists(extents, detail) || !check_pages(writer, detail))
        return RK_ERR_CORRUPT;
    return RK_OK;
}

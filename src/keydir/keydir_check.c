#include "keydir/keydir_check.h"

#include "base/base_detail.h"
#include "base/base_mem.h"
#include "keydir/keydir_layout.h"

#include <stdlib.h>

/* What goes through the whole examination. */
struct examination {
    const struct rk_keydir *keydir;
    struct rk_keydir_census census;
    uint8_t *seen; /* a bit per extent */
    struct rk_detail *detail;
};

/* The page that is being looked at. */
struct examined_page {
    struct rk_keydir_bucket *buckets;
    uint64_t prefix;
    uint32_t n_buckets;
    uint32_t depth;
};

/* Where a lookup would find the fingerprint, told without the code of the lookup; NULL when it would not. */
static _Atomic uint64_t *find_entry(const struct examined_page *page, uint64_t high, uint32_t low)
{
    uint32_t home = rk_keydir_home(high, page->n_buckets);
    uint32_t hint = page->buckets[home].hint;

    for (uint32_t j = 0; j <= RK_KEYDIR_RANGES; j++) {
        uint32_t at = j == 0 ? home : rk_keydir_range_first(home, j - 1, page->n_buckets);
        uint32_t count = j == 0 ? 1 : rk_keydir_range_count(j - 1);

        if (j > 0 && ((hint & rk_keydir_tag_bit(low)) == 0 || (hint >> (j - 1) & 1) == 0))
            continue;
        for (; count > 0; count--) {
            for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
                if (page->buckets[at].high[i] == high && page->buckets[at].low[i] == low)
                    return &page->buckets[at].location[i];
            }
            at = rk_keydir_next_bucket(at, page->n_buckets);
        }
    }
    return NULL;
}

static bool check_entry(struct examination *examination, const struct examined_page *page, uint32_t at, uint32_t i)
{
    struct rk_keydir_bucket *bucket = &page->buckets[at];
    uint64_t high = bucket->high[i];
    uint32_t low = bucket->low[i];
    const char *wrong = NULL;

    if (high == 0 && low == 0) {
        if (bucket->location[i] == 0)
            return true;
        wrong = "has a location and no fingerprint";
    } else if ((high & ((1ull << page->depth) - 1)) != page->prefix) {
        wrong = "belongs to another page";
    } else if (find_entry(page, high, low) != &bucket->location[i]) {
        wrong = "is not where a lookup looks, or is there twice";
    }
    if (wrong != NULL) {
        rk_detail_set(examination->detail, "keydir: page %llx of depth %u, bucket %u of %u, entry %u: %s",
                      (unsigned long long)page->prefix, page->depth, at, page->n_buckets, i, wrong);
        return false;
    }
    examination->census.n_keys += bucket->location[i] != 0;
    examination->census.n_waiting += bucket->location[i] == 0;
    examination->census.n_away += bucket->location[i] != 0 && rk_keydir_home(high, page->n_buckets) != at;
    return true;
}

static bool check_page(struct examination *examination, uint64_t prefix, uint64_t word)
{
    struct examined_page page = {
        .buckets = rk_keydir_extent_buckets(examination->keydir, rk_keydir_word_extent(word)),
        .prefix = prefix,
        .n_buckets = rk_keydir_word_buckets(word),
        .depth = rk_keydir_word_depth(word),
    };

    examination->census.n_pages++;
    examination->census.page_bytes += rk_keydir_word_steps(word) * RK_KEYDIR_STEP_BYTES;
    for (uint32_t at = 0; at < page.n_buckets; at++) {
        for (uint32_t i = 0; i < RK_KEYDIR_ENTRIES; i++) {
            if (!check_entry(examination, &page, at, i))
                return false;
        }
    }
    return true;
}

/* Whether the word can be one, says what the first word of its prefix says, and names an extent of its own. */
static const char *check_word(struct examination *examination, uint64_t index, uint32_t depth)
{
    const struct rk_keydir *keydir = examination->keydir;
    uint64_t word = keydir->directory[index];
    uint64_t first = rk_keydir_directory_index(index, rk_keydir_word_depth(word));
    uint32_t extent = rk_keydir_word_extent(word);

    if (rk_keydir_word_depth(word) > depth)
        return "is deeper than the directory";
    if (rk_keydir_word_steps(word) == 0 || rk_keydir_word_steps(word) > RK_KEYDIR_MAX_STEPS || word >> 48 != 0
        || extent >= keydir->header->n_extents)
        return "is no word";
    if (keydir->directory[first] != word)
        return "differs from the first word of its prefix";
    if (first != index)
        return NULL;
    if ((examination->seen[extent / 8] >> extent % 8 & 1) != 0)
        return "names the extent of another page";
    examination->seen[extent / 8] |= (uint8_t)(1u << extent % 8);
    return NULL;
}

static enum rk_err check_all(struct examination *examination)
{
    const struct rk_keydir *keydir = examination->keydir;
    uint32_t depth = keydir->header->depth;

    if (depth > keydir->header->max_depth) {
        rk_detail_set(examination->detail, "keydir: the directory is %u deep, more than %u", depth,
                      keydir->header->max_depth);
        return RK_ERR_CORRUPT;
    }
    for (uint64_t index = 0; index < 1ull << depth; index++) {
        uint64_t word = keydir->directory[index];
        const char *wrong = check_word(examination, index, depth);

        if (wrong != NULL) {
            rk_detail_set(examination->detail, "keydir: word %llu of the directory (%llx) %s",
                          (unsigned long long)index, (unsigned long long)word, wrong);
            return RK_ERR_CORRUPT;
        }
        if (rk_keydir_directory_index(index, rk_keydir_word_depth(word)) == index
            && !check_page(examination, index, word))
            return RK_ERR_CORRUPT;
    }
    examination->census.directory_bytes = 8ull << depth;
    return RK_OK;
}

enum rk_err rk_keydir_check(const struct rk_keydir *keydir, struct rk_keydir_census *census_out,
                            struct rk_detail *detail)
{
    struct examination examination = { .keydir = keydir,
                                       .seen = rk_mem_calloc(keydir->header->n_extents / 8 + 1, 1),
                                       .detail = detail };
    enum rk_err err = check_all(&examination);

    if (err == RK_OK && census_out != NULL)
        *census_out = examination.census;
    free(examination.seen);
    return err;
}

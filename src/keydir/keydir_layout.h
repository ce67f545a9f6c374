/* The bytes of the keydir, and how a reader walks them.
 *
 *   0           header: what this is (constant), and on a line of its own the depth of the directory
 *   4096        directory: 2^depth words, one per value of the low `depth` bits of a fingerprint
 *   extents_off extents of 128 KiB of address space; a page lies at the start of one
 *
 *   directory word    63      48 47    40 39    32 31                  0
 *                    |  zero    |  depth |  steps |  number of extent  |
 *
 *   page    64 x steps buckets (1 to 32 steps of 4 KiB); the bytes of its extent behind it are holes of the file
 *   bucket  64 bytes, one cache line, three entries
 *      0  location[3]      8 bytes each; 0: nobody is here
 *     24  high[3]          the fingerprint's first 8 bytes
 *     48  low[3]           the fingerprint's last 4 bytes
 *     60  hint             bits 0-15: bit j is set if a key of this bucket had to go to its j-th range of neighbours
 *                          bits 16-31: the tags (top 4 bits of low) of those keys, one bit per tag
 *
 * A fingerprint says where its key is: the low bits of `high` choose the page, the top 32 bits scaled to the number of
 * buckets choose the home bucket (so a page of another size holds its keys in the same order, and a rebuild reads and
 * writes in order). A key whose home is full goes to one of the four buckets on either side, the other line of the
 * home's pair first, or else to one of eight ranges of buckets further away. A search reads the home bucket, and only
 * where the hint says so the neighbours that it names.
 *
 * Guarantees. Readers take no lock and write nothing; one thread writes. A "section" is a read section of grace.h.
 *
 *  1. A lookup never returns a location that was stored for another key. An entry's fingerprint changes only while its
 *     location is 0 and no section can remember a location that was not (3). The writer stores the fingerprint, then
 *     the location (release); a reader loads the location (acquire) and then compares the whole fingerprint. So the
 *     fingerprint it compares is the one that was there when the location was stored.
 *  2. An update is one 8-byte store of the location: a reader sees the old or the new, nothing between.
 *  3. A deleted entry keeps its fingerprint with location 0 until a grace period has passed; until then only the same
 *     key may have it back. A page that was replaced stays as it is until a grace period has passed, then it is reused
 *     or given back: what a section has found stays readable until the section ends.
 *  4. A rebuilt, split or merged page is complete before a word points at it (release store; partner: the acquire load
 *     of the word), holds exactly what the pages that it replaces hold, and those are not changed from then on.
 *  5. A lookup that starts after a change was acknowledged sees that change or a newer one. It loads depth and word
 *     afresh; acknowledging happens after the change in the writer, so neither load can return what was replaced
 *     before, and a change is made only in the page that all current words of the key point to.
 *  6. A lookup that overlaps changes of its key returns a state that the key had during the lookup: an old page, or a
 *     word that is no longer part of the directory, holds the state of the moment when it was replaced, which is after
 *     the lookup's start, since it was still current when the lookup loaded depth or word.
 *  7. The directory grows in place: the upper half is filled first, then the depth is stored (release), then pages
 *     that need the new bit are published. A reader that has the old depth and meets such a page sees that the word's
 *     depth is greater than its own, and starts again; the word's acquire load makes the greater depth visible. It
 *     shrinks by storing the smaller depth; words above stay as they are until the directory grows again, and point at
 *     pages that cannot be reused while a section that knew the greater depth lives (3).
 *  8. No operation reads or writes more than the page of its key, but for a merge (the page and its buddy) and for a
 *     doubling of the directory (8 bytes a page).
 *  9. Killing the writer at any instruction leaves a keydir that answers as before or after the operation.
 */
#ifndef RK_KEYDIR_LAYOUT_H
#define RK_KEYDIR_LAYOUT_H

#include "keydir/keydir.h"

#include <stdatomic.h>
#include <stdbool.h>

#define RK_KEYDIR_MAGIC        0x524944594b4b4352ull /* "RCKKYDIR" */
#define RK_KEYDIR_VERSION      1u
#define RK_KEYDIR_HEADER_BYTES 4096ull
#define RK_KEYDIR_STEP_BYTES   4096ull /* a page of memory: what can be given back */
#define RK_KEYDIR_MAX_STEPS    32u
#define RK_KEYDIR_EXTENT_BYTES (RK_KEYDIR_STEP_BYTES * RK_KEYDIR_MAX_STEPS)
#define RK_KEYDIR_ENTRIES      3u /* of a bucket */
#define RK_KEYDIR_STEP_BUCKETS 64u
#define RK_KEYDIR_RANGES       16u /* of neighbours, a bit of the hint each */
#define RK_KEYDIR_NEAR         8u  /* of these, the ones beside the home */
#define RK_KEYDIR_HINT_MASK    0xffffu
#define RK_KEYDIR_TAG_SHIFT    16u

/* Changes when any of the above does: a reader of another layout is refused even if someone forgot the version. */
#define RK_KEYDIR_LAYOUT                                                                 \
    ((uint64_t)sizeof(struct rk_keydir_bucket) << 48 | (uint64_t)RK_KEYDIR_ENTRIES << 40 \
     | (uint64_t)RK_KEYDIR_RANGES << 32 | (uint64_t)RK_KEYDIR_MAX_STEPS << 24 | RK_KEYDIR_STEP_BYTES << 8 | 1u)

struct rk_keydir_header {
    uint64_t magic;
    uint32_t version;
    uint32_t max_depth;
    uint64_t layout;
    uint64_t region_bytes;
    uint64_t directory_off;
    uint64_t extents_off;
    uint64_t n_extents;
    uint64_t reserved;
    _Atomic uint32_t depth; /* the only word that changes; read by every lookup */
    uint8_t unused[60];
};

struct rk_keydir_bucket {
    _Atomic uint64_t location[RK_KEYDIR_ENTRIES];
    _Atomic uint64_t high[RK_KEYDIR_ENTRIES];
    _Atomic uint32_t low[RK_KEYDIR_ENTRIES];
    _Atomic uint32_t hint;
};

_Static_assert(sizeof(struct rk_keydir_header) == 128, "header");
_Static_assert(offsetof(struct rk_keydir_header, depth) == 64, "depth has a line of its own");
_Static_assert(sizeof(struct rk_keydir_bucket) == 64, "a bucket is a cache line");
_Static_assert(offsetof(struct rk_keydir_bucket, high) == 24, "bucket");
_Static_assert(offsetof(struct rk_keydir_bucket, low) == 48, "bucket");
_Static_assert(offsetof(struct rk_keydir_bucket, hint) == 60, "bucket");
_Static_assert(RK_KEYDIR_ENTRIES == 3, "rk_keydir_bucket_match");
_Static_assert(RK_KEYDIR_STEP_BUCKETS * sizeof(struct rk_keydir_bucket) == RK_KEYDIR_STEP_BYTES, "step");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint32_t) == 4, "plain words");

/* A mapping of the region: a worker's own, or the writer's. */
struct rk_keydir {
    struct rk_keydir_header *header; /* a worker maps it read-only: a store is a fault */
    _Atomic uint64_t *directory;
    uint8_t *extents;
    size_t region_bytes;
};

static inline uint64_t rk_keydir_word_make(uint32_t extent, uint32_t steps, uint32_t depth)
{
    return (uint64_t)depth << 40 | (uint64_t)steps << 32 | extent;
}

static inline uint32_t rk_keydir_word_extent(uint64_t word)
{
    return (uint32_t)word;
}

static inline uint32_t rk_keydir_word_buckets(uint64_t word)
{
    return (uint32_t)(word >> 32 & 0xff) * RK_KEYDIR_STEP_BUCKETS;
}

static inline uint32_t rk_keydir_word_steps(uint64_t word)
{
    return word >> 32 & 0xff;
}

static inline uint32_t rk_keydir_word_depth(uint64_t word)
{
    return word >> 40 & 0xff;
}

static inline struct rk_keydir_bucket *rk_keydir_extent_buckets(const struct rk_keydir *keydir, uint32_t extent)
{
    return (struct rk_keydir_bucket *)(void *)(keydir->extents + (uint64_t)extent * RK_KEYDIR_EXTENT_BYTES);
}

static inline uint64_t rk_keydir_directory_index(uint64_t high, uint32_t depth)
{
    return high & ((1ull << depth) - 1);
}

static inline uint32_t rk_keydir_home(uint64_t high, uint32_t n_buckets)
{
    return (uint32_t)((high >> 32) * n_buckets >> 32);
}

/* The bit of a hint that stands for the fingerprint's tag. */
static inline uint32_t rk_keydir_tag_bit(uint32_t low)
{
    return 1u << (RK_KEYDIR_TAG_SHIFT + (low >> 28));
}

/* Where the j-th range of a home's neighbours begins, and how many buckets it has; it may go round the end of the page.
 * Even and odd bits below RK_KEYDIR_NEAR go to opposite sides of the home, one bucket each; the first is the other line
 * of its pair, which the processor often loads along with it. The rest lie spread over the page, since where a bucket
 * and its surroundings are full, more of the same surroundings would be full as well. */
static inline uint32_t rk_keydir_range_first(uint32_t home, uint32_t j, uint32_t n_buckets)
{
    uint32_t at;

    if (j >= RK_KEYDIR_NEAR)
        at = home + n_buckets * (j - RK_KEYDIR_NEAR + 1) / (RK_KEYDIR_RANGES - RK_KEYDIR_NEAR + 1);
    else if (((j ^ home) & 1) == 0)
        at = home + j / 2 + 1;
    else
        at = home + n_buckets - j / 2 - 1;
    return at >= n_buckets ? at - n_buckets : at;
}

static inline uint32_t rk_keydir_range_count(uint32_t j)
{
    return j < RK_KEYDIR_NEAR ? 1 : 2u << (j - RK_KEYDIR_NEAR) / 2; /* 2, 2, 4, 4, 8, 8, 16, 16 */
}

static inline uint32_t rk_keydir_next_bucket(uint32_t at, uint32_t n_buckets)
{
    return at + 1 == n_buckets ? 0 : at + 1;
}

/* The word of the page that a fingerprint belongs to. The depth that comes with a word that is too deep for ours is
 * loaded after it, so it is the greater one (guarantee 7); a directory that shrinks meanwhile costs another turn. */
static inline uint64_t rk_keydir_find_word(const struct rk_keydir *keydir, uint64_t high)
{
    for (;;) {
        uint32_t depth = atomic_load_explicit(&keydir->header->depth, memory_order_acquire);
        uint64_t index = rk_keydir_directory_index(high, depth);
        uint64_t word = atomic_load_explicit(&keydir->directory[index], memory_order_acquire);

        if (__builtin_expect(rk_keydir_word_depth(word) <= depth, 1))
            return word;
    }
}

/* The entries whose `low` is this, a bit each. Without a branch or a loop: which of the three it is cannot be
 * predicted. */
static inline uint32_t rk_keydir_bucket_match(struct rk_keydir_bucket *bucket, uint32_t low)
{
    uint32_t first = atomic_load_explicit(&bucket->low[0], memory_order_relaxed) == low;
    uint32_t second = atomic_load_explicit(&bucket->low[1], memory_order_relaxed) == low;
    uint32_t third = atomic_load_explicit(&bucket->low[2], memory_order_relaxed) == low;

    return first | second << 1 | third << 2;
}

/* The location in this bucket, or 0. The match only sorts out quickly; what counts is read after the location
 * (guarantee 1). */
static inline uint64_t rk_keydir_bucket_lookup(struct rk_keydir_bucket *bucket, struct rk_fingerprint fingerprint)
{
    for (uint32_t match = rk_keydir_bucket_match(bucket, fingerprint.low); match != 0; match &= match - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(match);
        uint64_t location = atomic_load_explicit(&bucket->location[i], memory_order_acquire);

        if (location != 0 && atomic_load_explicit(&bucket->high[i], memory_order_relaxed) == fingerprint.high
            && atomic_load_explicit(&bucket->low[i], memory_order_relaxed) == fingerprint.low)
            return location;
    }
    return 0;
}

/* The location of a key that is not in its home, or 0. */
static inline uint64_t rk_keydir_neighbours_lookup(struct rk_keydir_bucket *buckets, uint32_t n_buckets, uint32_t home,
                                                   uint32_t mask, struct rk_fingerprint fingerprint)
{
    for (; mask != 0; mask &= mask - 1) {
        uint32_t j = (uint32_t)__builtin_ctz(mask);
        uint32_t at = rk_keydir_range_first(home, j, n_buckets);

        for (uint32_t left = rk_keydir_range_count(j); left > 0; left--) {
            uint64_t location = rk_keydir_bucket_lookup(&buckets[at], fingerprint);

            if (location != 0)
                return location;
            at = rk_keydir_next_bucket(at, n_buckets);
        }
    }
    return 0;
}

/* The location in this page, or 0. */
static inline uint64_t rk_keydir_page_lookup(struct rk_keydir_bucket *buckets, uint32_t n_buckets,
                                             struct rk_fingerprint fingerprint)
{
    uint32_t home = rk_keydir_home(fingerprint.high, n_buckets);
    uint64_t location = rk_keydir_bucket_lookup(&buckets[home], fingerprint);
    uint32_t hint;

    if (location != 0)
        return location;
    hint = atomic_load_explicit(&buckets[home].hint, memory_order_acquire);
    if ((hint & rk_keydir_tag_bit(fingerprint.low)) == 0)
        return 0;
    return rk_keydir_neighbours_lookup(buckets, n_buckets, home, hint & RK_KEYDIR_HINT_MASK, fingerprint);
}

/* The lookup of rk_keydir_lookup_rcu, for those who are inside the module. */
static inline uint64_t rk_keydir_lookup_inline(const struct rk_keydir *keydir, struct rk_fingerprint fingerprint)
{
    uint64_t word = rk_keydir_find_word(keydir, fingerprint.high);

    return rk_keydir_page_lookup(rk_keydir_extent_buckets(keydir, rk_keydir_word_extent(word)),
                                 rk_keydir_word_buckets(word), fingerprint);
}

/* Where a search for a key begins. */
struct rk_keydir_spot {
    struct rk_keydir_bucket *buckets; /* of the page */
    uint32_t n_buckets;
    uint32_t home;
};

/* Finds it, and asks for the line of the home bucket. */
static inline struct rk_keydir_spot rk_keydir_prefetch_home(const struct rk_keydir *keydir,
                                                            struct rk_fingerprint fingerprint)
{
    uint64_t word = rk_keydir_find_word(keydir, fingerprint.high);
    struct rk_keydir_spot spot = { .buckets = rk_keydir_extent_buckets(keydir, rk_keydir_word_extent(word)),
                                   .n_buckets = rk_keydir_word_buckets(word) };

    spot.home = rk_keydir_home(fingerprint.high, spot.n_buckets);
    __builtin_prefetch(&spot.buckets[spot.home]);
    return spot;
}

/* Asks for the first line of the ranges that the home's hint names, of some of them: for a key that is not in its home,
 * as one in five. One in 400 is further away. */
#define RK_KEYDIR_RANGES_AHEAD 3u
static inline void rk_keydir_prefetch_neighbours(const struct rk_keydir_spot *spot)
{
    uint32_t hint = atomic_load_explicit(&spot->buckets[spot->home].hint, memory_order_relaxed);
    uint32_t mask = hint & RK_KEYDIR_HINT_MASK;

    for (unsigned n = 0; mask != 0 && n < RK_KEYDIR_RANGES_AHEAD; mask &= mask - 1, n++)
        __builtin_prefetch(
            &spot->buckets[rk_keydir_range_first(spot->home, (uint32_t)__builtin_ctz(mask), spot->n_buckets)]);
}

#endif

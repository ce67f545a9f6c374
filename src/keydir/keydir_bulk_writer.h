/* Fills an empty keydir all at once, from any number of threads: how recovery does it.
 *
 *   create ──> add, once for each part, from any thread ──> publish ──> destroy
 *
 * A part is all keys whose fingerprints have the low `depth` bits in common. Its pages are made at the size that they
 * need, in fresh extents, by the thread that adds it; the directory is pointed at them at the end. So nothing is ever
 * rebuilt, and threads share two counters.
 *
 * 1. Parts do not overlap, and together they are all prefixes: an empty one is added, too.
 * 2. No key is added twice, and no location is 0.
 * 3. From create to publish nobody else changes the keydir; readers find it empty until publish, then full.
 * 4. Without publish nothing has happened. */
#ifndef RK_KEYDIR_BULK_WRITER_H
#define RK_KEYDIR_BULK_WRITER_H

#include "base/base_err.h"

#include <stdint.h>

struct rk_detail;
struct rk_keydir_bulk;
struct rk_keydir_writer;

/* A key and where it is. */
struct rk_keydir_entry {
    uint64_t location;
    uint64_t high; /* the fingerprint's two parts */
    uint32_t low;
};

struct rk_keydir_bulk_part {
    uint64_t prefix;
    uint32_t depth;
    /* The entries come in the order of the bits from `depth` up to here, the lowest one counting most: where a page's
     * worth of them ends is then found without touching the others. `depth` when they come in any order. */
    uint32_t sorted_depth;
};

/* The keydir is empty. At most so many threads add. Writer thread. */
struct rk_keydir_bulk *rk_keydir_bulk_create(struct rk_keydir_writer *writer, unsigned n_threads);
void rk_keydir_bulk_destroy(struct rk_keydir_bulk **bulk);

/* How deep parts may be: with smaller ones their pages' last steps would be more than a few hundredths of max_bytes. */
uint32_t rk_keydir_bulk_max_depth(const struct rk_keydir_bulk *bulk);

/* Makes the pages of a part; the order of the entries changes. When the keydir is full it only counts from then on.
 * Any thread, one call at a time with the same number below n_threads. */
void rk_keydir_bulk_add(struct rk_keydir_bulk *bulk, unsigned thread, const struct rk_keydir_bulk_part *part,
                        struct rk_keydir_entry *entries, uint32_t n_entries);

/* Makes all of it visible. RK_ERR_FULL: it is more than max_bytes, and nothing has happened. Writer thread. */
enum rk_err rk_keydir_bulk_publish(struct rk_keydir_bulk *bulk, struct rk_detail *detail);

#endif

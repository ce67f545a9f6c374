/* Where a thread of recovery puts what it reads: entries in parts, by the low bits of their fingerprints.
 *
 *   cursors   one word a part ──────────────┐
 *                                           v
 *   block     previous block · entry entry entry ...      2 KiB, at a multiple of 2 KiB
 *
 * Adding is one store to a line that the cache has, even with thousands of parts, and no entry is ever moved. One
 * thread fills it; when that is done any thread may read it. */
#ifndef RK_RECOVER_SCATTER_H
#define RK_RECOVER_SCATTER_H

#include "disk/disk_hint.h"

#define RK_RECOVER_SCATTER_BLOCK_BYTES 2048u

/* Which entries are kept: those with the low `range_bits` of `high` in [first, end). */
struct rk_recover_scatter_range {
    uint32_t range_bits;
    uint64_t first;
    uint64_t end;
};

struct rk_recover_scatter {
    struct rk_disk_hint_entry **cursors; /* behind the last entry of each part; at a multiple of a block: it is full */
    uint64_t part_mask;
    uint64_t range_mask;
    struct rk_recover_scatter_range range;
    struct rk_recover_scatter_arena *arena;
};

/* 2^part_bits parts; range_bits are at most part_bits. */
void rk_recover_scatter_init(struct rk_recover_scatter *scatter, uint32_t part_bits);
void rk_recover_scatter_fini(struct rk_recover_scatter *scatter);

/* Empties all parts. */
void rk_recover_scatter_restart(struct rk_recover_scatter *scatter, const struct rk_recover_scatter_range *range);

/* Begins a new block for the part. */
void rk_recover_scatter_extend(struct rk_recover_scatter *scatter, uint64_t part);

static inline void rk_recover_scatter_add(struct rk_recover_scatter *scatter, const struct rk_disk_hint_entry *entry)
{
    uint64_t part = entry->fingerprint_high & scatter->part_mask;
    uint64_t in_range = (entry->fingerprint_high & scatter->range_mask) - scatter->range.first;

    if (in_range >= scatter->range.end - scatter->range.first)
        return;
    if ((uintptr_t)scatter->cursors[part] % RK_RECOVER_SCATTER_BLOCK_BYTES == 0)
        rk_recover_scatter_extend(scatter, part);
    *scatter->cursors[part]++ = *entry;
}

/* How many entries a part has. */
size_t rk_recover_scatter_count(const struct rk_recover_scatter *scatter, uint64_t part);

/* Some of a part's entries. */
struct rk_recover_scatter_piece {
    const struct rk_disk_hint_entry *entries;
    size_t n_entries;
};

/* The last piece of a part, then the one before it, and so on; false when there is none. */
bool rk_recover_scatter_last(const struct rk_recover_scatter *scatter, uint64_t part,
                             struct rk_recover_scatter_piece *piece_out);
bool rk_recover_scatter_previous(struct rk_recover_scatter_piece *piece);

#endif

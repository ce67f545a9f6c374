/* The newest of each key's entries, of a part that fits into the processor's cache; and why the others do not count.
 *
 * 1. The highest sequence wins; of two that are equal (a record that was copied, its copy being listed, too) the one at
 *    the higher location. So the outcome does not depend on the order of entries.
 * 2. What does not win is counted as overwritten, or as deleted when what it lost against was a tombstone (with several
 *    newer ones, any of them may be what it met); a tombstone always as a tombstone. Winners are not counted here. */
#ifndef RK_RECOVER_NEWEST_H
#define RK_RECOVER_NEWEST_H

#include "disk/disk_hint.h"

struct rk_recover_newest;
struct rk_space;

struct rk_recover_newest *rk_recover_newest_create(void);
void rk_recover_newest_destroy(struct rk_recover_newest **newest);

/* Begins a part of at most so many entries. `space`: where losers are counted, or NULL. */
void rk_recover_newest_begin(struct rk_recover_newest *newest, size_t n_entries, struct rk_space *space);

void rk_recover_newest_add(struct rk_recover_newest *newest, const struct rk_disk_hint_entry *entries,
                           size_t n_entries);

/* One entry of each key; valid until the next begin. */
const struct rk_disk_hint_entry *rk_recover_newest_entries(const struct rk_recover_newest *newest, size_t *n_out);

#endif

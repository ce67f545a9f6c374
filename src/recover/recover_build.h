/* The second half of recovery: of what the scatters hold the newest entry of each key, and the keydir's pages of those,
 * in parallel. Threads claim groups of parts, and each group becomes pages of its own. */
#ifndef RK_RECOVER_BUILD_H
#define RK_RECOVER_BUILD_H

#include "recover/recover_scatter.h"

#include <stdatomic.h>

struct rk_keydir_bulk;
struct rk_recover_builder;
struct rk_space;

struct rk_recover_building {
    struct rk_keydir_bulk *bulk;
    const struct rk_recover_scatter *scatters; /* all that were filled */
    struct rk_recover_builder **builders;      /* one a thread */
    unsigned n_threads;
    uint32_t part_bits;
    uint64_t now_s;                        /* since 1970: what has expired by then is no key any more */
    struct rk_recover_scatter_range range; /* of groups; they are filled for */
    _Atomic uint64_t next_group;           /* range.first before it begins */
};

/* A thread's own; `space` is where it counts, or NULL. */
struct rk_recover_builder *rk_recover_builder_create(struct rk_space *space);
void rk_recover_builder_destroy(struct rk_recover_builder **builder);

/* What one of the threads does. */
void rk_recover_building_run(struct rk_recover_building *building, unsigned thread);

#endif

/* Deleted entries on their way to being free: places that must keep their fingerprint until a grace period has passed.
 *
 * A queue in the order of deletion, so tickets ascend. A note is void once its page was rebuilt (which drops deleted
 * entries anyway) or once a waiting entry of the page was given back to its key: the page's generation says so. The
 * queue is bounded; what finds no room in it stays unusable until its page is next rebuilt. Writer only. */
#ifndef RK_KEYDIR_WAITING_H
#define RK_KEYDIR_WAITING_H

#include "keydir/keydir_page.h"

struct rk_keydir_waiting_note {
    uint64_t ticket;
    uint32_t extent;
    uint32_t generation;
    struct rk_keydir_place place;
};

struct rk_keydir_waiting {
    struct rk_keydir_waiting_note *ring;
    uint64_t first, end; /* positions; the ring's index is the position's low bits */
};

void rk_keydir_waiting_init(struct rk_keydir_waiting *waiting);
void rk_keydir_waiting_fini(struct rk_keydir_waiting *waiting);

/* False when there is no room. */
bool rk_keydir_waiting_push(struct rk_keydir_waiting *waiting, struct rk_keydir_waiting_note note);

/* The oldest note, if its ticket has passed. */
bool rk_keydir_waiting_pop(struct rk_keydir_waiting *waiting, uint64_t passed, struct rk_keydir_waiting_note *note_out);

static inline bool rk_keydir_waiting_is_empty(const struct rk_keydir_waiting *waiting)
{
    return waiting->first == waiting->end;
}

#endif

/* The memory of the keydir: extents of address space in a sparse file, of which only the first `steps` pages of memory
 * exist. An extent goes round:
 *
 *   BARE ──take──> PAGE ──retire──> LIMBO ──reclaim──> POOL ──take──> PAGE
 *     ^                                                  │
 *     └──────────────────trim (hole punched)─────────────┘
 *
 * BARE costs no memory. A page that grows leaves an extent behind that the next one can use, so the pool keeps what
 * the last grace period needed, and the rest goes back to the system. Since every extent has the same room of address
 * space, nothing is ever fragmented. Writer only. */
#ifndef RK_KEYDIR_EXTENTS_H
#define RK_KEYDIR_EXTENTS_H

#include "keydir/keydir_layout.h"

#define RK_KEYDIR_NO_EXTENT UINT32_MAX

enum rk_keydir_extent_state { RK_KEYDIR_BARE, RK_KEYDIR_PAGE, RK_KEYDIR_LIMBO, RK_KEYDIR_POOL };

struct rk_keydir_extent {
    uint64_t ticket;     /* LIMBO: what it waits for */
    uint32_t next;       /* LIMBO, POOL, BARE: the list it is in */
    uint32_t generation; /* counts what makes older notes about its entries void (keydir_waiting.h) */
    uint32_t prefix;     /* PAGE: the low bits that its keys have in common ... */
    uint8_t depth;       /* ... and how many */
    uint8_t steps;       /* memory that exists */
    uint8_t state;
    uint16_t n_live;
    uint16_t n_waiting; /* deleted entries that are not free yet */
    uint16_t limit;     /* n_live + n_waiting at which the page is full */
};

struct rk_keydir_extents {
    struct rk_keydir_extent *table;
    uint64_t (*free_maps)[RK_KEYDIR_MAX_STEPS]; /* of the pages: keydir_page.h */
    const struct rk_keydir *region;
    int fd;
    bool keeps_for_grace; /* freed extents come in bursts, one a grace period: keep what the last one needed */
    bool poisons;         /* fills what comes out of limbo with RK_KEYDIR_POISON_BYTE: tests */
    uint32_t n_fresh;     /* extents from here on were never used */
    uint32_t bare;        /* list of those that were */
    uint32_t n_bare;
    uint32_t pool[RK_KEYDIR_MAX_STEPS + 1]; /* lists by steps */
    uint64_t pool_mask;                     /* bit: that list is not empty */
    uint32_t n_pool;
    uint32_t pool_low; /* the fewest that were in the pool since the last grace period ended */
    uint32_t n_trim;   /* so many were of no use then */
    uint32_t limbo_head, limbo_tail;
    uint32_t n_limbo;
    uint32_t n_pages;
    uint64_t page_steps, limbo_steps, pool_steps;
};

#define RK_KEYDIR_POISON_BYTE 0xa5

/* RK_ERR_NO_MEMORY: there are not so many addresses. `fini` in any case, also for a zeroed one. */
enum rk_err rk_keydir_extents_init(struct rk_keydir_extents *extents, const struct rk_keydir *region, int fd,
                                   bool keeps_for_grace);
void rk_keydir_extents_fini(struct rk_keydir_extents *extents);

/* An extent with `steps` steps of zeros, now in state PAGE. There must be one: rk_keydir_extents_n_free. */
uint32_t rk_keydir_extents_take(struct rk_keydir_extents *extents, uint32_t steps);

/* Memory for the steps from `from` up to `to` of an extent, all zeros if there was none. Any thread, for an extent that
 * is its own. */
void rk_keydir_extents_populate(const struct rk_keydir_extents *extents, uint32_t at, uint32_t from, uint32_t to);

/* The fresh extents before `end` have been made pages without `take`: from now on they are counted. Or they are not
 * wanted after all, and lose what they got. */
void rk_keydir_extents_adopt(struct rk_keydir_extents *extents, uint32_t end);
void rk_keydir_extents_renounce(struct rk_keydir_extents *extents, uint32_t end);

/* Back to the pool at once: nobody else has seen it. */
void rk_keydir_extents_put_back(struct rk_keydir_extents *extents, uint32_t at);

/* No word points at it any more; free when the ticket has passed. */
void rk_keydir_extents_retire(struct rk_keydir_extents *extents, uint32_t at, uint64_t ticket);

/* Moves at most `budget` extents whose ticket has passed from limbo to the pool. */
void rk_keydir_extents_reclaim(struct rk_keydir_extents *extents, uint64_t passed, uint32_t budget);

/* A grace period has ended: what the pool did not need since the last one may go. */
void rk_keydir_extents_note_period(struct rk_keydir_extents *extents);

/* Gives at most `budget` extents that are not needed back to the system. */
void rk_keydir_extents_trim(struct rk_keydir_extents *extents, uint32_t budget);

/* Whether the pool is larger than it would be at rest. */
bool rk_keydir_extents_above_rest(const struct rk_keydir_extents *extents);

/* Extents that can still be taken. */
uint64_t rk_keydir_extents_n_free(const struct rk_keydir_extents *extents);

#endif

/* The listings of a worker, and the thread that works for them: one slice after another, of one listing after another.
 * So the event loop waits for no disk and merges nothing, and a listing that nobody reads on costs what it has written
 * of one slice.
 *
 *   event loop                                     thread of the lister, from the first listing on
 *   ----------                                     ------
 *   open -> { more ...................... wakes -> a slice: the fill writes what the cursor finds
 *             poll: done is called <- event_fd --- it is there }*
 *   end ................................. wakes -> what the listing has is freed
 *
 * At most SETS_MAX listings have files open at once (list_lister.c); another one that wants a slice makes the one rest
 * whose last slice is longest ago, and after a second without slices all of them rest. */
#ifndef RK_LIST_LISTER_H
#define RK_LIST_LISTER_H

#include "list/list_types.h"

#include <stdatomic.h>

struct rk_keydir;
struct rk_lister;
struct rk_stats_client;

struct rk_lister_settings {
    const struct rk_keydir *keydir;
    const uint8_t *hash_key;
    int data_dir_fd;
    int event_fd; /* written when a slice is there */
    const _Atomic uint64_t *last_sequence;
    struct rk_stats_client *stats;
};

/* What the settings name outlives the lister. All calls: the event-loop thread. */
struct rk_lister *rk_lister_create(const struct rk_lister_settings *settings);

/* Ends the thread, and all listings: nothing is called back any more. */
void rk_lister_destroy(struct rk_lister **lister);

/* RK_OK: nothing has happened yet, but the fill is the lister's now. RK_ERR_FULL: there are too many listings;
 * RK_ERR_LIMIT: no thread can be had. Then it stays the caller's. */
enum rk_err rk_lister_open(struct rk_lister *lister, const struct rk_list_ask *ask, const struct rk_list_fill *fill,
                           struct rk_listing **listing_out);

/* Asks for the next slice, after the one before was there. */
void rk_lister_more(struct rk_lister *lister, struct rk_listing *listing, rk_list_done_fn *done, void *context);

/* At any time; `done` is not called any more. */
void rk_lister_end(struct rk_lister *lister, struct rk_listing *listing);

/* Calls back for each slice that is there. */
void rk_lister_poll(struct rk_lister *lister);

/* How many listings there are. */
size_t rk_lister_n_listings(const struct rk_lister *lister);

#endif

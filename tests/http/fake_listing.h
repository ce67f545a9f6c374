/* Listings of the fake store: what http is given for one, without files or threads. */
#ifndef RK_TEST_FAKE_LISTING_H
#define RK_TEST_FAKE_LISTING_H

#include "list/list_types.h"

/* The entry with the lowest key above this one, as an item with values; false: there is none. `metadata` is what stands
 * in the store. Of the fake backend. */
bool fake_find_above(struct rk_list_span key, struct rk_list_item *item_out);

struct fake_listing {
    struct rk_list_ask ask; /* its own copies */
    struct rk_list_fill fill;
    struct rk_list_buffer copies[4]; /* prefix, after, delimiter; where it is */
    struct rk_list_buffer out;
    struct rk_list_span large; /* what is left of a large value */
    unsigned n_left;           /* entries until the slice is over; 0: no end */
    bool has_moved;
};

void fake_listing_init(struct fake_listing *listing, const struct rk_list_ask *ask, const struct rk_list_fill *fill);
void fake_listing_fini(struct fake_listing *listing);

/* A slice of at most so many entries (0: any number). */
enum rk_err fake_listing_run(struct fake_listing *listing, unsigned n_entries);

#endif

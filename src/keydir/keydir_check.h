/* Examines a whole keydir. For tests and for people who doubt: it reads everything, and nobody may change the keydir
 * meanwhile. */
#ifndef RK_KEYDIR_CHECK_H
#define RK_KEYDIR_CHECK_H

#include "keydir/keydir.h"

/* What the region holds, counted entry by entry. */
struct rk_keydir_census {
    uint64_t n_keys;
    uint64_t n_waiting; /* deleted entries that are not free yet */
    uint64_t n_pages;
    uint64_t page_bytes;
    uint64_t directory_bytes; /* of the directory as deep as it is now */
    uint64_t n_away;          /* keys that are not in their home bucket */
};

/* Checks that all words of the directory agree, that no two pages overlap, that each key is in the page and near the
 * bucket that its fingerprint names, that a lookup finds it there, and that none is there twice. RK_ERR_CORRUPT with a
 * text about the first thing that is wrong. Any process; census_out may be NULL. */
enum rk_err rk_keydir_check(const struct rk_keydir *keydir, struct rk_keydir_census *census_out,
                            struct rk_detail *detail);

#endif

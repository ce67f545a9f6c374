/* A clock that stands still and random numbers that are the same in each run: what a test made of a seed, the secrets
 * and times in a store's files included, it makes again to the byte.
 *
 * A program that links this has this clock (base/base_time.h) instead of the library's. */
#ifndef RK_TEST_SIM_FIXED_H
#define RK_TEST_SIM_FIXED_H

#include <stdint.h>

/* What libsodium gives from now on. */
void sim_fixed_random(uint64_t seed);

#endif

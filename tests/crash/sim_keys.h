/* The sorted keys of a store's hints, beside the records of its data files. */
#ifndef RK_TEST_SIM_KEYS_H
#define RK_TEST_SIM_KEYS_H

#include <stdbool.h>

struct rk_log_store;

/* Those of each file that has some are the keys of its puts, each with what its newest record says. Of a hint that may
 * be damaged they may also end with an error, right until then. Anything else ends the test. */
void sim_keys_check(const struct rk_log_store *store, bool may_be_damaged, const char *where);

#endif

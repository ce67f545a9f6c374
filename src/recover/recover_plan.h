/* How often recovery reads the files: as often as it takes to never have more entries than there is memory for. */
#ifndef RK_RECOVER_PLAN_H
#define RK_RECOVER_PLAN_H

#include <stdint.h>

struct rk_recover_reading;
struct rk_recover_hooks;

struct rk_recover_plan {
    uint64_t n_usual; /* records, if the files that do not say how many are as usual */
    uint64_t n_passes;
};

/* The files are summarized; max_bytes: of the keydir. */
struct rk_recover_plan rk_recover_plan(const struct rk_recover_reading *reading, uint64_t max_bytes,
                                       const struct rk_recover_hooks *hooks);

#endif

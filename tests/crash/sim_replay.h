/* Goes through a trace, and at each operation through what a failure at that moment could leave: opens it with the real
 * store and recovery, and holds it against what had been promised. */
#ifndef RK_TEST_SIM_REPLAY_H
#define RK_TEST_SIM_REPLAY_H

#include "sim_disk.h"
#include "sim_history.h"
#include "sim_trace.h"

struct sim_replay {
    const struct sim_history *history;
    const char *root;        /* where images are put */
    unsigned n_rounds;       /* images of each kind that has something to choose */
    unsigned recover_odds;   /* of one image in so many the recovery itself is recorded, and gone through, */
    size_t n_recoveries_max; /* but not of more than these */
    unsigned one_in;         /* of so many images, one is opened */
    uint64_t seed;
    size_t n_states; /* different ones, counted */
    size_t n_recoveries;
    bool in_recovery; /* this trace is a recovery's */
    uint64_t *seen;
    size_t n_seen_max;
};

/* `base` as in sim_record_begin. */
void sim_replay_trace(struct sim_replay *replay, const struct sim_trace *trace, const struct sim_image *base);
void sim_replay_free(struct sim_replay *replay);

#endif

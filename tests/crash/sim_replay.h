/* Goes through a trace, and at each operation through what a failure at that moment could leave: opens it with the real
 * store and recovery, and holds it against what had been promised. */
#ifndef RK_TEST_SIM_REPLAY_H
#define RK_TEST_SIM_REPLAY_H

#include "sim_disk.h"
#include "sim_history.h"
#include "sim_trace.h"

struct sim_seen {
    uint64_t *at;
    size_t n, max;
};

struct sim_replay {
    const struct sim_history *history;
    const char *root;         /* where images are put */
    uint64_t seed;            /* the same one makes the same images */
    unsigned n_variants;      /* images of each kind that has something to choose */
    unsigned n_to_recover;    /* of so many images the recovery itself is recorded, and gone through */
    unsigned one_in;          /* of so many images, one is opened */
    unsigned index, n_shares; /* of the images, the share that is opened; 1 share: all */
    bool clocks;     /* each is also recovered by an earlier clock and a later one, and some are merged before */
    size_t n_states; /* different ones, counted */
    size_t n_recoveries;
    uint64_t *n_done_out; /* where it is, for who watches; may be NULL */
    const char *outer;    /* NULL, or this trace is the recovery's of that image */
    struct sim_seen seen;
};

/* `base` as in sim_record_begin. */
void sim_replay_trace(struct sim_replay *replay, const struct sim_trace *trace, const struct sim_image *base);
void sim_replay_free(struct sim_replay *replay);

#endif

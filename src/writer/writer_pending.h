/* What is pending in a batch: for each key that an operation of it has changed, what the keydir will say of the key
 * once the batch is published. The keydir itself knows nothing of it yet, and the next operation on the key must.
 *
 * A table with open addressing, twice as large as the most operations of a batch, so that it never fills up. An entry
 * belongs to the batch whose number it carries: clearing is one addition.
 *
 * Writer thread only. */
#ifndef RK_WRITER_WRITER_PENDING_H
#define RK_WRITER_WRITER_PENDING_H

#include "keydir/keydir.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_writer_pending;

/* n_max: the most different keys between two clears. */
struct rk_writer_pending *rk_writer_pending_create(unsigned n_max);
void rk_writer_pending_destroy(struct rk_writer_pending **pending);

/* How a key will be. */
struct rk_writer_pending_state {
    uint64_t location; /* of its record, 0 when it will be absent */
    bool waits;        /* for the batch to be durable */
};

void rk_writer_pending_set(struct rk_writer_pending *pending, struct rk_fingerprint fingerprint,
                           struct rk_writer_pending_state state);

/* Whether the batch changes the key; then state_out is what set said last. */
bool rk_writer_pending_lookup(const struct rk_writer_pending *pending, struct rk_fingerprint fingerprint,
                              struct rk_writer_pending_state *state_out);

void rk_writer_pending_clear(struct rk_writer_pending *pending);

#endif

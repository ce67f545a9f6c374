#include "writer/writer_pending.h"

#include "base/base_assert.h"
#include "base/base_mem.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct rk_fingerprint fingerprint;
    uint32_t batch; /* of another batch than the present one: free */
    struct rk_writer_pending_state state;
};

struct rk_writer_pending {
    uint32_t batch;
    unsigned n_max;
    unsigned n_used;
    unsigned mask;
    struct entry entries[];
};

struct rk_writer_pending *rk_writer_pending_create(unsigned n_max)
{
    struct rk_writer_pending *pending;
    unsigned n_entries = 1;

    while (n_entries < 2 * n_max)
        n_entries *= 2;
    pending = rk_mem_calloc(1, sizeof *pending + n_entries * sizeof pending->entries[0]);
    pending->batch = 1;
    pending->n_max = n_max;
    pending->mask = n_entries - 1;
    return pending;
}

void rk_writer_pending_destroy(struct rk_writer_pending **pending)
{
    free(*pending);
    *pending = NULL;
}

static bool is_same(struct rk_fingerprint a, struct rk_fingerprint b)
{
    return a.high == b.high && a.low == b.low;
}

/* The entry of the fingerprint, or the free one where it would be. There is one: the table is never more than half
 * full.
 */
static unsigned find(const struct rk_writer_pending *pending, struct rk_fingerprint fingerprint)
{
    unsigned i = fingerprint.low & pending->mask;

    while (pending->entries[i].batch == pending->batch && !is_same(pending->entries[i].fingerprint, fingerprint))
        i = (i + 1) & pending->mask;
    return i;
}

void rk_writer_pending_set(struct rk_writer_pending *pending, struct rk_fingerprint fingerprint,
                           struct rk_writer_pending_state state)
{
    struct entry *entry = &pending->entries[find(pending, fingerprint)];

    if (entry->batch != pending->batch) {
        RK_ASSERT(pending->n_used < pending->n_max);
        pending->n_used++;
    }
    *entry = (struct entry){ .fingerprint = fingerprint, .batch = pending->batch, .state = state };
}

bool rk_writer_pending_lookup(const struct rk_writer_pending *pending, struct rk_fingerprint fingerprint,
                              struct rk_writer_pending_state *state_out)
{
    const struct entry *entry = &pending->entries[find(pending, fingerprint)];

    if (entry->batch != pending->batch)
        return false;
    *state_out = entry->state;
    return true;
}

void rk_writer_pending_clear(struct rk_writer_pending *pending)
{
    if (pending->n_used == 0)
        return;
    pending->n_used = 0;
    if (++pending->batch != 0)
        return;
    memset(pending->entries, 0, ((size_t)pending->mask + 1) * sizeof pending->entries[0]); /* numbers have come round */
    pending->batch = 1;
}

/* What the files of the checker share.
 *
 * Positions: the writes of a key in the order of their sequences are 0 (absent, from the beginning), 2, 4, ...; a
 * delete without an answer, which has no sequence that we know, can stand behind the put at p, at position p + 1. */
#ifndef RK_LINEAR_PRIVATE_H
#define RK_LINEAR_PRIVATE_H

#include "linear_check.h"

#define NOWHERE UINT64_MAX

struct version {
    uint64_t sequence;
    uint64_t value; /* 0: absent */
    uint64_t min_end;
    uint64_t max_start;
    uint64_t expires_from_ns; /* 0: never */
    uint64_t expires_to_ns;
};

struct check {
    const struct linear_op *ops;
    size_t n_ops;
    uint64_t *sequences; /* of each operation, as far as it is known */
    uint64_t *positions; /* of each operation; NOWHERE: it does not count */
    struct version *versions;
    size_t n_versions;
    size_t *by_start; /* operations */
    size_t *by_end;
    uint64_t *ceilings; /* of by_start[i] and all behind it: nothing that ended before may stand higher */
    uint64_t *floors;   /* of by_end[i] and all before it: nothing that starts later may stand lower */
    size_t *spare;      /* deletes without an answer, and puts that expire, by their ends; n_ops: used */
    size_t n_spare;
    bool spares_stand_high; /* the highest place that they can have comes first, not the lowest */
    bool *filled;           /* whether one of them was put behind version i */
    bool *sealed;           /* whether the write behind version i has found it: nothing stands between */
    char *why;
};

/* Moves *ended over all that ended before the instant, and raises *floor to the highest position among them. */
void linear_raise_floor(const struct check *check, uint64_t time_ns, size_t *ended, uint64_t *floor);

/* The last version whose sequence is not higher. */
size_t linear_version_at(const struct check *check, uint64_t sequence);

bool linear_is_absent_read(const struct linear_op *op);

/* Whether version i may have expired by the instant, and whether it must have. */
bool linear_may_be_expired(const struct check *check, size_t i, uint64_t time_ns);
bool linear_is_expired(const struct check *check, size_t i, uint64_t time_ns);

/* What is known of the versions from writes that say what they found: seals those that were found. False: one of them
 * cannot have found it. Before linear_place_absent. */
bool linear_seal_found(struct check *check);

/* A delete without an answer that may stand behind version i, and have happened before the operation ended: it is used
 * up. A put that nobody has read and that had expired by then is as good. */
bool linear_use_spare(struct check *check, const struct linear_op *op, size_t i);

/* Says why not: false. */
bool linear_refuse(const struct check *check, size_t op, const char *what, uint64_t other);

/* Finds the position of each read that found nothing; false: there is none. The others have theirs. */
bool linear_place_absent(struct check *check);

/* The check of the zones; the versions' own order is lost. */
bool linear_check_zones(struct check *check);

static inline int linear_compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static inline uint64_t linear_lowest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t linear_highest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif

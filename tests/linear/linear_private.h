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
    size_t *spare;      /* deletes without an answer, latest start first; n_ops: used */
    size_t n_spare;
    bool *filled; /* whether one of them was put behind version i */
    char *why;
};

/* Moves *ended over all that ended before the instant, and raises *floor to the highest position among them. */
void linear_raise_floor(const struct check *check, uint64_t time_ns, size_t *ended, uint64_t *floor);

/* The last version whose sequence is not higher. */
size_t linear_version_at(const struct check *check, uint64_t sequence);

bool linear_is_absent_read(const struct linear_op *op);

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

static inline uint64_t linear_highest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif

/* The zones of the values (linear_check.h). */
#include "linear_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int zone_order(const void *a, const void *b)
{
    return linear_compare(((const struct version *)a)->min_end, ((const struct version *)b)->min_end);
}

static bool refuse_zones(const struct check *check, const struct version *a, const struct version *b)
{
    snprintf(check->why, LINEAR_WHY_BYTES,
             "key %" PRIu32 ": the zones of the sequences %" PRIu64 " (%" PRIu64 " to %" PRIu64 ") and %" PRIu64
             " (%" PRIu64 " to %" PRIu64 ") cannot both be",
             check->ops[0].key, a->sequence, a->min_end, a->max_start, b->sequence, b->min_end, b->max_start);
    return false;
}

/* Puts the forward zones in front, in order; the versions' own order is lost. */
static size_t sort_forward_zones(struct check *check)
{
    size_t n_forward = 0;

    for (size_t i = 0; i < check->n_versions; i++) {
        struct version version = check->versions[i];

        if (version.min_end >= version.max_start)
            continue;
        check->versions[i] = check->versions[n_forward];
        check->versions[n_forward++] = version;
    }
    qsort(check->versions, n_forward, sizeof *check->versions, zone_order);
    return n_forward;
}

/* How many of the forward zones begin before the instant. */
static size_t n_begun(const struct check *check, size_t n_forward, uint64_t time_ns)
{
    size_t low = 0, high = n_forward;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (check->versions[middle].min_end < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void widen_zones(struct check *check)
{
    for (size_t i = 0; i < check->n_ops; i++) {
        const struct linear_op *op = &check->ops[i];
        struct version *version;

        if (op->kind != LINEAR_GET || check->positions[i] % 2 != 0)
            continue; /* writes are in their zones; a delete without an answer has none that we know */
        version = &check->versions[check->positions[i] / 2];
        version->min_end = op->end_ns < version->min_end ? op->end_ns : version->min_end;
        version->max_start = linear_highest(version->max_start, op->start_ns);
    }
}

bool linear_check_zones(struct check *check)
{
    size_t n_forward;

    widen_zones(check);
    n_forward = sort_forward_zones(check);
    for (size_t i = 1; i < n_forward; i++)
        if (check->versions[i].min_end < check->versions[i - 1].max_start)
            return refuse_zones(check, &check->versions[i - 1], &check->versions[i]);
    for (size_t i = n_forward; i < check->n_versions; i++) {
        const struct version *backward = &check->versions[i];
        size_t n = n_begun(check, n_forward, backward->max_start);

        if (n > 0 && backward->min_end < check->versions[n - 1].max_start)
            return refuse_zones(check, &check->versions[n - 1], backward);
    }
    return true;
}

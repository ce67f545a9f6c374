#include "linear_count.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int start_order(const void *a, const void *b)
{
    return compare(((const struct linear_count_op *)a)->start_ns, ((const struct linear_count_op *)b)->start_ns);
}

static int end_order(const void *a, const void *b)
{
    return compare(((const struct linear_count_op *)a)->end_ns, ((const struct linear_count_op *)b)->end_ns);
}

static int thing_order(const void *a, const void *b)
{
    return compare(((const struct linear_count_op *)a)->thing, ((const struct linear_count_op *)b)->thing);
}

static bool refuse(char *why, const struct linear_count_op *op, const char *what, uint64_t number)
{
    snprintf(why, LINEAR_COUNT_WHY_BYTES,
             "thing %" PRIu32 ": a %s from %" PRIu64 " to %" PRIu64 " with position %" PRIu64 ": %s %" PRIu64,
             op->thing, op->is_write ? "write" : "read", op->start_ns, op->end_ns, op->position, what, number);
    return false;
}

/* Marks the positions that writes have. */
static bool take_positions(const struct linear_count_op *ops, size_t n_ops, uint64_t last, bool *taken, char *why)
{
    for (size_t i = 0; i < n_ops; i++) {
        if (ops[i].position > last)
            return refuse(why, &ops[i], "at the end there were only", last);
        if (!ops[i].is_write || ops[i].position == 0)
            continue;
        if (taken[ops[i].position])
            return refuse(why, &ops[i], "another write has the position", ops[i].position);
        taken[ops[i].position] = true;
    }
    return true;
}

/* Who begins after another has ended. The operations are in the order of their starts, `ended` in that of their ends.
 */
static bool check_order(const struct linear_count_op *ops, const struct linear_count_op *ended, size_t n_ops, char *why)
{
    uint64_t floor = 0;
    size_t n_ended = 0;

    for (size_t i = 0; i < n_ops; i++) {
        for (; n_ended < n_ops && ended[n_ended].end_ns < ops[i].start_ns; n_ended++)
            floor = ended[n_ended].position > floor ? ended[n_ended].position : floor;
        if (ops[i].is_write ? ops[i].position != 0 && ops[i].position <= floor : ops[i].position < floor)
            return refuse(why, &ops[i], "before it began, somebody had seen", floor);
    }
    return true;
}

/* When somebody had seen this position or a higher one, at the earliest: seen_ns[position]. */
static void find_seen(const struct linear_count_op *ops, size_t n_ops, uint64_t last, uint64_t *seen_ns)
{
    for (uint64_t position = 0; position <= last; position++)
        seen_ns[position] = UINT64_MAX;
    for (size_t i = 0; i < n_ops; i++)
        if (ops[i].position != 0 && ops[i].end_ns < seen_ns[ops[i].position])
            seen_ns[ops[i].position] = ops[i].end_ns;
    for (uint64_t position = last; position-- > 0;)
        if (seen_ns[position + 1] < seen_ns[position])
            seen_ns[position] = seen_ns[position + 1];
}

/* The lowest gap is seen first, and the earliest write may fill it. */
static bool fill_gaps(const struct linear_count_op *ops, size_t n_ops, uint64_t last, const bool *taken,
                      const uint64_t *seen_ns, char *why)
{
    size_t next = 0;

    for (uint64_t position = 1; position <= last; position++) {
        if (taken[position])
            continue;
        while (next < n_ops && (!ops[next].is_write || ops[next].position != 0))
            next++;
        if (next == n_ops || ops[next].start_ns > seen_ns[position]) {
            snprintf(why, LINEAR_COUNT_WHY_BYTES, "thing %" PRIu32 ": nobody can have written position %" PRIu64,
                     ops[0].thing, position);
            return false;
        }
        next++;
    }
    return true;
}

bool linear_count_check_one(struct linear_count_op *ops, size_t n_ops, uint64_t last, char why[LINEAR_COUNT_WHY_BYTES])
{
    struct linear_count_op *ended = calloc(n_ops + 1, sizeof *ended);
    bool *taken = calloc(last + 1, sizeof *taken);
    uint64_t *seen_ns = calloc(last + 1, sizeof *seen_ns);
    bool good;

    for (size_t i = 0; i < n_ops; i++)
        ended[i] = ops[i];
    qsort(ended, n_ops, sizeof *ended, end_order);
    qsort(ops, n_ops, sizeof *ops, start_order);
    good = take_positions(ops, n_ops, last, taken, why) && check_order(ops, ended, n_ops, why);
    if (good) {
        find_seen(ops, n_ops, last, seen_ns);
        good = fill_gaps(ops, n_ops, last, taken, seen_ns, why);
    }
    free(ended);
    free(taken);
    free(seen_ns);
    return good;
}

bool linear_count_check(struct linear_count_op *ops, size_t n_ops, const uint64_t *lasts, size_t n_things,
                        char why[LINEAR_COUNT_WHY_BYTES])
{
    qsort(ops, n_ops, sizeof *ops, thing_order);
    for (size_t i = 0, end; i < n_ops; i = end) {
        for (end = i; end < n_ops && ops[end].thing == ops[i].thing;)
            end++;
        if (ops[i].thing >= n_things || !linear_count_check_one(ops + i, end - i, lasts[ops[i].thing], why))
            return false;
    }
    return true;
}

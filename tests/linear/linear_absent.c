/* Reads that found nothing say which sequence was published then, but not which delete they saw: each gets the lowest
 * place that everything else leaves it. */
#include "linear_private.h"

/* How many of by_end ended before the instant. */
static size_t n_ended_before(const struct check *check, uint64_t time_ns)
{
    size_t low = 0, high = check->n_ops;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (check->ops[check->by_end[middle]].end_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t floor_at(const struct check *check, uint64_t time_ns)
{
    size_t n = n_ended_before(check, time_ns);

    return n > 0 ? check->floors[n - 1] : 0;
}

static uint64_t ceiling_at(const struct check *check, uint64_t time_ns)
{
    size_t low = 0, high = check->n_ops;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (check->ops[check->by_start[middle]].start_ns <= time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low < check->n_ops ? check->ceilings[low] : NOWHERE - 1;
}

static void set_bounds(struct check *check)
{
    uint64_t ceiling = NOWHERE - 1, floor = 0;

    for (size_t i = check->n_ops; i-- > 0;) {
        size_t op = check->by_start[i];
        uint64_t position = check->positions[op];

        if (position != NOWHERE && check->ops[op].kind != LINEAR_GET)
            position--; /* what ended before a write stands below it */
        if (position != NOWHERE && position < ceiling)
            ceiling = position;
        check->ceilings[i] = ceiling;
    }
    for (size_t i = 0; i < check->n_ops; i++) {
        uint64_t position = check->positions[check->by_end[i]];

        if (position != NOWHERE)
            floor = linear_highest(floor, position);
        check->floors[i] = floor;
    }
}

/* A delete without an answer that may stand at the position, and have happened before the read ended. */
static bool use_spare(struct check *check, const struct linear_op *read, uint64_t position)
{
    for (size_t i = 0; i < check->n_spare; i++) {
        const struct linear_op *spare = &check->ops[check->spare[i] % check->n_ops];

        if (check->spare[i] == check->n_ops || spare->start_ns > read->end_ns
            || floor_at(check, spare->start_ns) > position || ceiling_at(check, spare->end_ns) < position)
            continue;
        check->spare[i] = check->n_ops;
        return true;
    }
    return false;
}

/* Where a read that found nothing stands: it is no lower than what it must have seen, and no higher than what others
 * saw after it. A known delete first, for those without an answer are few; the lowest, for that binds later reads
 * least. */
static bool place(struct check *check, size_t i, uint64_t floor)
{
    const struct linear_op *read = &check->ops[i];
    uint64_t low = linear_highest(floor, 2 * linear_version_at(check, read->sequence));
    uint64_t high = ceiling_at(check, read->end_ns);

    for (uint64_t position = low; position <= high && position < 2 * check->n_versions; position++) {
        const struct version *version = &check->versions[position / 2];

        if (position % 2 == 0 ? version->value != 0 : !check->filled[position / 2])
            continue;
        check->positions[i] = position;
        return true;
    }
    for (uint64_t position = low | 1; position <= high && position < 2 * check->n_versions; position += 2) {
        if (!use_spare(check, read, position))
            continue;
        check->filled[position / 2] = true;
        check->positions[i] = position;
        return true;
    }
    return linear_refuse(check, i, "the key was there; the last write that it must have seen has the sequence",
                         check->versions[low / 2].sequence);
}

bool linear_place_absent(struct check *check)
{
    uint64_t floor = 0;
    size_t ended = 0;

    set_bounds(check);
    for (size_t i = 0; i < check->n_ops;
         i++) { /* in the order of starts: whatever ended before has its place by then */
        size_t op = check->by_start[i];

        linear_raise_floor(check, check->ops[op].start_ns, &ended, &floor);
        if (linear_is_absent_read(&check->ops[op]) && !place(check, op, floor))
            return false;
    }
    return true;
}

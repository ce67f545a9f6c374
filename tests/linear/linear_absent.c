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

/* A write that was for a certain other one can stand behind no other; unless that is one that we do not know. */
static bool may_stand_behind(const struct check *check, const struct linear_op *spare, size_t i)
{
    size_t at = linear_version_at(check, spare->before_sequence);

    return spare->before != LINEAR_FOUND_SEQUENCE || at == i || check->versions[at].sequence != spare->before_sequence;
}

/* Whether the write may have left nothing by the instant. */
static bool may_have_left_nothing(const struct linear_op *spare, uint64_t time_ns)
{
    return spare->start_ns <= time_ns && (spare->kind == LINEAR_DELETE || spare->expires_from_ns <= time_ns);
}

bool linear_use_spare(struct check *check, const struct linear_op *op, size_t i)
{
    uint64_t position = 2 * i + 1;

    if (check->sealed[i])
        return false;
    for (size_t at = 0; at < check->n_spare; at++) {
        const struct linear_op *spare = &check->ops[check->spare[at] % check->n_ops];

        if (check->spare[at] == check->n_ops || check->sequences[check->spare[at]] != 0
            || !may_have_left_nothing(spare, op->end_ns) || !may_stand_behind(check, spare, i)
            || floor_at(check, spare->start_ns) > position || ceiling_at(check, spare->end_ns) < position)
            continue;
        check->spare[at] = check->n_ops;
        check->filled[i] = true;
        return true;
    }
    return false;
}

/* Whether there was nothing at the position by then, without another delete. */
static bool is_absent_at(const struct check *check, uint64_t position, uint64_t time_ns)
{
    size_t i = position / 2;

    if (position % 2 == 0)
        return check->versions[i].value == 0;
    return check->filled[i] || linear_may_be_expired(check, i, time_ns);
}

/* The same, with a delete without an answer at one of the odd positions. */
static bool place_spare(struct check *check, size_t i, uint64_t low, uint64_t high)
{
    for (uint64_t step = 0; (low | 1) + 2 * step <= high; step++) {
        uint64_t position = check->spares_stand_high ? ((high - 1) | 1) - 2 * step : (low | 1) + 2 * step;

        if (!linear_use_spare(check, &check->ops[i], position / 2))
            continue;
        check->positions[i] = position;
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
        if (!is_absent_at(check, position, read->end_ns))
            continue;
        check->positions[i] = position;
        return true;
    }
    if (place_spare(check, i, low, linear_lowest(high, 2 * check->n_versions - 1)))
        return true;
    return linear_refuse(check, i, "the key was there; the last write that it must have seen has the sequence",
                         check->versions[low / 2].sequence);
}

/* A write that found nothing where the write before it was no delete: it had expired, or a delete without an answer
 * stands between. */
static bool explain_nothing(struct check *check, size_t i)
{
    const struct linear_op *op = &check->ops[i];
    size_t before = check->positions[i] / 2 - 1;

    if (op->kind == LINEAR_GET || check->positions[i] == NOWHERE || op->before != LINEAR_FOUND_NOTHING
        || check->versions[before].value == 0 || check->filled[before]
        || linear_may_be_expired(check, before, op->end_ns) || linear_use_spare(check, op, before))
        return true;
    return linear_refuse(check, i, "it found nothing, but there was the write with the sequence",
                         check->versions[before].sequence);
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
        if (linear_is_absent_read(&check->ops[op]) ? !place(check, op, floor) : !explain_nothing(check, op))
            return false;
    }
    return true;
}

#include "linear_check.h"

#include "linear_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct linear_op *sorted_ops; /* qsort has no context */

static int by_start_order(const void *a, const void *b)
{
    return linear_compare(sorted_ops[*(const size_t *)a].start_ns, sorted_ops[*(const size_t *)b].start_ns);
}

static int by_end_order(const void *a, const void *b)
{
    return linear_compare(sorted_ops[*(const size_t *)a].end_ns, sorted_ops[*(const size_t *)b].end_ns);
}

static int value_order(const void *a, const void *b)
{
    return linear_compare(sorted_ops[*(const size_t *)a].value, sorted_ops[*(const size_t *)b].value);
}

static int version_order(const void *a, const void *b)
{
    return linear_compare(((const struct version *)a)->sequence, ((const struct version *)b)->sequence);
}

bool linear_refuse(const struct check *check, size_t i, const char *what, uint64_t other)
{
    static const char *const kinds[] = { "PUT", "DELETE", "GET" };
    const struct linear_op *op = &check->ops[i];

    snprintf(check->why, LINEAR_WHY_BYTES,
             "key %" PRIu32 ": %s of client %u, from %" PRIu64 " to %" PRIu64 ", value %" PRIx64 ", sequence %" PRIu64
             ": %s %" PRIu64,
             op->key, kinds[op->kind], op->client, op->start_ns, op->end_ns, op->value, op->sequence, what, other);
    return false;
}

bool linear_is_absent_read(const struct linear_op *op)
{
    return op->kind == LINEAR_GET && op->value == 0;
}

bool linear_may_be_expired(const struct check *check, size_t i, uint64_t time_ns)
{
    return check->versions[i].expires_from_ns != 0 && check->versions[i].expires_from_ns <= time_ns;
}

bool linear_is_expired(const struct check *check, size_t i, uint64_t time_ns)
{
    return check->versions[i].expires_from_ns != 0 && check->versions[i].expires_to_ns < time_ns;
}

/* ---- who wrote what was read ---- */

static size_t *sort_puts(const struct check *check, size_t *n_out)
{
    size_t *puts = calloc(check->n_ops + 1, sizeof *puts);

    *n_out = 0;
    for (size_t i = 0; i < check->n_ops; i++)
        if (check->ops[i].kind == LINEAR_PUT)
            puts[(*n_out)++] = i;
    qsort(puts, *n_out, sizeof *puts, value_order);
    return puts;
}

static size_t find_put(const struct check *check, const size_t *puts, size_t n_puts, uint64_t value)
{
    size_t low = 0, high = n_puts;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (check->ops[puts[middle]].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n_puts && check->ops[puts[low]].value == value ? puts[low] : check->n_ops;
}

static bool name_read(struct check *check, const size_t *puts, size_t n_puts, size_t read)
{
    const struct linear_op *op = &check->ops[read];
    size_t put = find_put(check, puts, n_puts, op->value);

    if (put == check->n_ops)
        return linear_refuse(check, read, "nobody wrote this value;", n_puts);
    if (op->end_ns < check->ops[put].start_ns)
        return linear_refuse(check, read, "it was written only after", check->ops[put].start_ns);
    if (check->sequences[put] != 0 && check->sequences[put] != op->sequence)
        return linear_refuse(check, read, "the value's sequence is", check->sequences[put]);
    check->sequences[put] = op->sequence;
    return op->sequence != 0 || linear_refuse(check, read, "it has no sequence;", 0);
}

/* Gives a sequence to each write that counts, and checks what reads say about theirs. */
static bool name_writes(struct check *check)
{
    size_t n_puts, *puts = sort_puts(check, &n_puts);
    bool good = true;

    for (size_t i = 0; i < check->n_ops; i++) {
        const struct linear_op *op = &check->ops[i];

        if (op->answered)
            check->sequences[i] = op->sequence;
        if (op->answered && op->kind != LINEAR_GET && op->sequence == 0)
            good = linear_refuse(check, i, "it has no sequence;", 0);
    }
    for (size_t i = 0; i < check->n_ops && good; i++)
        if (check->ops[i].kind == LINEAR_GET && check->ops[i].value != 0 && check->ops[i].value != LINEAR_VALUE_UNTOLD)
            good = name_read(check, puts, n_puts, i);
    free(puts);
    return good;
}

/* ---- the order of the writes ---- */

/* The last version whose sequence is not higher. */
size_t linear_version_at(const struct check *check, uint64_t sequence)
{
    size_t low = 0, high = check->n_versions;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (check->versions[middle].sequence <= sequence)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void sort_versions(struct check *check)
{
    check->versions[check->n_versions++] = (struct version){ .sequence = 0 };
    for (size_t i = 0; i < check->n_ops; i++)
        if (check->ops[i].kind != LINEAR_GET && check->sequences[i] != 0)
            check->versions[check->n_versions++] =
                (struct version){ .sequence = check->sequences[i],
                                  .value = check->ops[i].kind == LINEAR_PUT ? check->ops[i].value : 0,
                                  .min_end = check->ops[i].end_ns,
                                  .max_start = check->ops[i].start_ns,
                                  .expires_from_ns = check->ops[i].expires_from_ns,
                                  .expires_to_ns = check->ops[i].expires_to_ns };
    qsort(check->versions, check->n_versions, sizeof *check->versions, version_order);
}

static bool is_untold(const struct linear_op *op)
{
    return op->kind == LINEAR_GET && op->value == LINEAR_VALUE_UNTOLD;
}

/* A write without an answer whose value nobody has read yet may have the sequence that was told. */
static bool is_told_by_unread(const struct check *check, size_t at, uint64_t sequence)
{
    if (check->versions[at].sequence == sequence)
        return false;
    for (size_t i = 0; i < check->n_ops; i++)
        if (check->ops[i].kind == LINEAR_PUT && check->sequences[i] == 0)
            return true;
    return false;
}

static bool place_op(struct check *check, size_t i)
{
    const struct linear_op *op = &check->ops[i];
    size_t at = linear_version_at(check, check->sequences[i]);
    const struct version *version = &check->versions[at];

    if (is_untold(op) && is_told_by_unread(check, at, check->sequences[i]))
        return true;
    if (at > 0 && check->versions[at - 1].sequence == version->sequence)
        return linear_refuse(check, i, "two writes have the sequence", check->sequences[i]);
    if (is_untold(op) ? version->value == 0 || version->sequence != check->sequences[i]
                      : version->value != (op->kind == LINEAR_DELETE ? 0 : op->value))
        return linear_refuse(check, i, "another write has the sequence", check->sequences[i]);
    if (op->kind == LINEAR_GET && linear_is_expired(check, at, op->start_ns))
        return linear_refuse(check, i, "before it began, this had expired; at the latest at", version->expires_to_ns);
    check->positions[i] = 2 * at;
    return true;
}

static bool order_writes(struct check *check)
{
    bool good = true;

    sort_versions(check);
    for (size_t i = 0; i < check->n_ops && good; i++) {
        check->positions[i] = NOWHERE;
        if (check->sequences[i] != 0 && !linear_is_absent_read(&check->ops[i]))
            good = place_op(check, i);
    }
    return good;
}

void linear_raise_floor(const struct check *check, uint64_t time_ns, size_t *ended, uint64_t *floor)
{
    for (; *ended < check->n_ops && check->ops[check->by_end[*ended]].end_ns < time_ns; (*ended)++)
        if (check->positions[check->by_end[*ended]] != NOWHERE)
            *floor = linear_highest(*floor, check->positions[check->by_end[*ended]]);
}

/* ---- the order of the sequences and real time ---- */

static bool check_order(struct check *check)
{
    uint64_t floor = 0;
    size_t ended = 0;

    for (size_t i = 0; i < check->n_ops; i++) {
        size_t op = check->by_start[i];
        uint64_t position = check->positions[op];

        linear_raise_floor(check, check->ops[op].start_ns, &ended, &floor);
        if (position == NOWHERE)
            continue;
        if (position < floor || (position == floor && check->ops[op].kind != LINEAR_GET))
            return linear_refuse(check, op, "before it began, others had ended that knew of the sequence",
                                 check->versions[floor / 2].sequence);
    }
    return true;
}

static void open_check(struct check *check)
{
    size_t n = check->n_ops;

    check->sequences = calloc(n + 1, sizeof *check->sequences);
    check->positions = calloc(n + 1, sizeof *check->positions);
    check->versions = calloc(n + 1, sizeof *check->versions);
    check->by_start = calloc(n + 1, sizeof *check->by_start);
    check->by_end = calloc(n + 1, sizeof *check->by_end);
    check->ceilings = calloc(n + 1, sizeof *check->ceilings);
    check->floors = calloc(n + 1, sizeof *check->floors);
    check->spare = calloc(n + 1, sizeof *check->spare);
    check->filled = calloc(n + 1, sizeof *check->filled);
    check->sealed = calloc(n + 1, sizeof *check->sealed);
    for (size_t i = 0; i < n; i++) {
        check->by_start[i] = check->by_end[i] = i;
        if (!check->ops[i].answered && (check->ops[i].kind == LINEAR_DELETE || check->ops[i].expires_from_ns != 0))
            check->spare[check->n_spare++] = i;
    }
    sorted_ops = check->ops;
    qsort(check->by_start, n, sizeof *check->by_start, by_start_order);
    qsort(check->by_end, n, sizeof *check->by_end, by_end_order);
    qsort(check->spare, check->n_spare, sizeof *check->spare, by_end_order);
}

static void close_check(struct check *check)
{
    free(check->sequences);
    free(check->positions);
    free(check->versions);
    free(check->by_start);
    free(check->by_end);
    free(check->ceilings);
    free(check->floors);
    free(check->spare);
    free(check->filled);
    free(check->sealed);
}

static bool check_key(const struct linear_op *ops, size_t n_ops, bool spares_stand_high, char *why)
{
    struct check check = { .ops = ops, .n_ops = n_ops, .spares_stand_high = spares_stand_high, .why = why };
    bool good;

    open_check(&check);
    good = name_writes(&check) && order_writes(&check) && linear_seal_found(&check) && linear_place_absent(&check)
           && check_order(&check) && linear_check_zones(&check);
    close_check(&check);
    return good;
}

static bool has_lost_write(const struct linear_op *ops, size_t n_ops)
{
    for (size_t i = 0; i < n_ops; i++)
        if (!ops[i].answered)
            return true;
    return false;
}

/* A delete without an answer stands where a read needs it, and another read may need it elsewhere: two ways to place
 * them find what one would miss. Whatever either accepts is a good order. */
bool linear_check_key(const struct linear_op *ops, size_t n_ops, char why[LINEAR_WHY_BYTES])
{
    return check_key(ops, n_ops, false, why) || (has_lost_write(ops, n_ops) && check_key(ops, n_ops, true, why));
}

/* ---- many keys ---- */

static bool check_sequences(const struct linear_op *ops, size_t n_ops, char *why)
{
    struct check check = { .ops = ops, .n_ops = n_ops, .why = why };
    uint64_t floor = 0;
    size_t ended = 0;
    bool good = true;

    open_check(&check);
    for (size_t i = 0; i < n_ops && good; i++) {
        const struct linear_op *op = &ops[check.by_start[i]];

        for (; ended < n_ops && ops[check.by_end[ended]].end_ns < op->start_ns; ended++)
            if (ops[check.by_end[ended]].answered && ops[check.by_end[ended]].kind != LINEAR_GET)
                floor = linear_highest(floor, ops[check.by_end[ended]].sequence);
        if (op->answered && (op->kind == LINEAR_GET ? op->value == 0 && op->sequence < floor : op->sequence <= floor))
            good = linear_refuse(&check, check.by_start[i], "before it began, there was an answer with the sequence",
                                 floor);
    }
    close_check(&check);
    return good;
}

static int key_order(const void *a, const void *b)
{
    return linear_compare(((const struct linear_op *)a)->key, ((const struct linear_op *)b)->key);
}

bool linear_check(struct linear_op *ops, size_t n_ops, char why[LINEAR_WHY_BYTES])
{
    if (!check_sequences(ops, n_ops, why))
        return false;
    qsort(ops, n_ops, sizeof *ops, key_order);
    for (size_t i = 0, end; i < n_ops; i = end) {
        for (end = i; end < n_ops && ops[end].key == ops[i].key;)
            end++;
        if (!linear_check_key(ops + i, end - i, why))
            return false;
    }
    return true;
}

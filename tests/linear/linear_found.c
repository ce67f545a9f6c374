/* Writes that say what they found: the answer to a PUT tells whether the key was there, and one with a condition was
 * done only because a certain write stood there. */
#include "linear_private.h"

static bool has_found(const struct linear_op *op)
{
    return op->before == LINEAR_FOUND_SOMETHING || op->before == LINEAR_FOUND_SEQUENCE;
}

/* Whether a put without an answer that nobody has read may have been done before the operation ended: it has a place in
 * the order, which we do not know. */
static bool may_be_unread(const struct check *check, const struct linear_op *op)
{
    for (size_t i = 0; i < check->n_ops; i++)
        if (check->ops[i].kind == LINEAR_PUT && check->sequences[i] == 0 && check->ops[i].start_ns <= op->end_ns)
            return true;
    return false;
}

/* The write that it was for is one of those. */
static bool is_for_unread(const struct check *check, const struct linear_op *op)
{
    size_t at = linear_version_at(check, op->before_sequence);

    return check->versions[at].sequence != op->before_sequence && may_be_unread(check, op);
}

/* The version before the write at this position was there, and still when the write began. */
static bool seal(struct check *check, size_t i)
{
    const struct linear_op *op = &check->ops[i];
    size_t at = check->positions[i] / 2 - 1;
    const struct version *version = &check->versions[at];

    if (op->before == LINEAR_FOUND_SOMETHING ? may_be_unread(check, op) : is_for_unread(check, op))
        return true;
    if (version->value == 0)
        return linear_refuse(check, i, "it found something, but there was nothing since the sequence",
                             version->sequence);
    if (op->before == LINEAR_FOUND_SEQUENCE && version->sequence != op->before_sequence)
        return linear_refuse(check, i, "it was for another write; the one before it has the sequence",
                             version->sequence);
    if (linear_is_expired(check, at, op->start_ns))
        return linear_refuse(check, i, "it found something that had expired, at the latest at", version->expires_to_ns);
    check->sealed[at] = true;
    return true;
}

bool linear_seal_found(struct check *check)
{
    bool good = true;

    for (size_t i = 0; i < check->n_ops && good; i++)
        if (check->ops[i].kind != LINEAR_GET && check->positions[i] != NOWHERE && has_found(&check->ops[i]))
            good = seal(check, i);
    return good;
}

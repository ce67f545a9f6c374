/* Whether what clients saw of one key could have come from one register that does one thing after another, each between
 * the call and its answer (linearizability).
 *
 * Writes are unique: each PUT has a value of its own, and the server names every write, deletes included, by a
 * sequence. A read names the write that it saw: by value and sequence, or, when it found nothing, by a sequence up to
 * which everything was published then. Two checks must both accept:
 *
 * 1. Zones (Gibbons and Korach 1997; Golab, Li and Shah 2011), which need no order of the writes: the zone of a value
 *    reaches from the first end to the last start among its write and its reads. It is a forward zone if that first end
 *    comes before that last start: then the register had the value at least so long. No two forward zones may overlap,
 *    and no backward zone may lie inside a forward one.
 * 2. The order of the sequences agrees with real time: who begins after another has ended sees the same or newer.
 *
 * A write without an answer counts only if somebody read it; of a delete that is so when a read found nothing and
 * nothing else explains it. Time is that of one clock; an end and a start at the same instant overlap.
 *
 * A write may say what it found (`before`): that the key was absent or there, as the answer to a PUT does, or which
 * write stood there, as a condition does. Then the write that stands just before it in the order of the sequences must
 * be that one: nothing may stand between, but that it may have expired since that was found. A put may expire: from
 * some moment between `expires_from_ns` and `expires_to_ns` on, the key is absent until the next write. */
#ifndef RK_LINEAR_CHECK_H
#define RK_LINEAR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINEAR_NEVER UINT64_MAX

enum linear_kind { LINEAR_PUT, LINEAR_DELETE, LINEAR_GET };

/* What a write found, if it was done. */
enum linear_before { LINEAR_FOUND_ANYTHING, LINEAR_FOUND_NOTHING, LINEAR_FOUND_SOMETHING, LINEAR_FOUND_SEQUENCE };

/* The value of a get that was only told the sequence of what is there. */
#define LINEAR_VALUE_UNTOLD UINT64_MAX

struct linear_op {
    enum linear_kind kind;
    bool answered; /* a read that was not is not recorded */
    uint16_t client;
    uint32_t key;
    uint64_t start_ns;
    uint64_t end_ns;   /* without an answer: when it had happened or never would; LINEAR_NEVER when nobody knows */
    uint64_t value;    /* of a put, unique and not 0; what a get saw, 0: nothing */
    uint64_t sequence; /* of the write; of the write that was seen; the one that came with "not found" */
    bool is_unknown;   /* a write whose answer was that it may still happen */
    enum linear_before before;
    uint64_t before_sequence; /* LINEAR_FOUND_SEQUENCE */
    uint64_t expires_from_ns; /* of a put; 0: it does not expire */
    uint64_t expires_to_ns;
};

#define LINEAR_WHY_BYTES 384

/* The history of one key, in any order. On a refusal `why` says what cannot be. A delete that found nothing is a get
 * that saw nothing. */
bool linear_check_key(const struct linear_op *ops, size_t n_ops, char why[LINEAR_WHY_BYTES]);

/* Histories of many keys: each by itself, and over all of them that a sequence that was given or told is higher than
 * every sequence whose write had been answered before. Puts the operations in order of keys. */
bool linear_check(struct linear_op *ops, size_t n_ops, char why[LINEAR_WHY_BYTES]);

#endif

/* Whether what clients saw of something that only grows, by one with each write, could have come from writes that
 * happened one after another: a counter that is incremented, a list to which words are appended.
 *
 * Each write has a position: what it made of it, 1 for the first. A read sees the position of the last one before it.
 * A write without an answer may have one of the positions that nobody else has. Then it must be that
 *
 *  1. no two writes have one position, and none is beyond what was there at the end;
 *  2. who begins after another has ended sees a higher position, a read the same or a higher one;
 *  3. each position that no answer names belongs to a write without an answer that had begun before anybody saw that
 *     position, or a higher one. */
#ifndef RK_LINEAR_COUNT_H
#define RK_LINEAR_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct linear_count_op {
    bool is_write;
    uint32_t thing; /* which counter, which list */
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t position; /* 0, of a write: it had no answer, and nobody knows */
};

#define LINEAR_COUNT_WHY_BYTES 256

/* The history of one thing, in any order, which is changed; `last` is its position at the end. */
bool linear_count_check_one(struct linear_count_op *ops, size_t n_ops, uint64_t last, char why[LINEAR_COUNT_WHY_BYTES]);

/* Histories of many, numbered from 0 on; `lasts` has one for each. */
bool linear_count_check(struct linear_count_op *ops, size_t n_ops, const uint64_t *lasts, size_t n_things,
                        char why[LINEAR_COUNT_WHY_BYTES]);

#endif

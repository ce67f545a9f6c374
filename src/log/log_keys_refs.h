/* References to keys, sorted by a number: a radix sort, one byte of the number at a time from the lowest on, as D. E.
 * Knuth has it (The Art of Computer Programming 3, 5.2.5). What is equal keeps its order. */
#ifndef RK_LOG_KEYS_REFS_H
#define RK_LOG_KEYS_REFS_H

#include <stddef.h>
#include <stdint.h>

/* prefix: of the key, behind what all keys share, as a number that is ordered as these bytes. */
struct rk_log_keys_ref {
    uint64_t prefix;
    size_t at;
};

/* refs by their prefix; scratch has room for as many. Pure, but for the two. */
void rk_log_keys_refs_sort(struct rk_log_keys_ref *refs, struct rk_log_keys_ref *scratch, size_t n);

#endif

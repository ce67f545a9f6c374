#include "log/log_keys_refs.h"

#include <string.h>

#define N_DIGITS sizeof(uint64_t) /* of a prefix */
#define N_VALUES 256u             /* of a digit */

static unsigned digit_of(uint64_t prefix, size_t digit)
{
    return (unsigned)(prefix >> 8 * digit & (N_VALUES - 1));
}

static void count_digits(const struct rk_log_keys_ref *refs, size_t n, size_t counts[N_DIGITS][N_VALUES])
{
    memset(counts, 0, N_DIGITS * sizeof *counts);
    for (size_t i = 0; i < n; i++)
        for (size_t digit = 0; digit < N_DIGITS; digit++)
            counts[digit][digit_of(refs[i].prefix, digit)]++;
}

static void scatter(struct rk_log_keys_ref *to, const struct rk_log_keys_ref *from, size_t n, size_t digit,
                    const size_t counts[N_VALUES])
{
    size_t places[N_VALUES], place = 0;

    for (size_t value = 0; value < N_VALUES; value++) {
        places[value] = place;
        place += counts[value];
    }
    for (size_t i = 0; i < n; i++)
        to[places[digit_of(from[i].prefix, digit)]++] = from[i];
}

void rk_log_keys_refs_sort(struct rk_log_keys_ref *refs, struct rk_log_keys_ref *scratch, size_t n)
{
    struct rk_log_keys_ref *from = refs, *to = scratch;
    size_t counts[N_DIGITS][N_VALUES];

    count_digits(refs, n, counts);
    for (size_t digit = 0; digit < N_DIGITS && n > 0; digit++) {
        struct rk_log_keys_ref *swap = from;

        if (counts[digit][digit_of(from[0].prefix, digit)] == n)
            continue; /* all have the same here */
        scatter(to, from, n, digit, counts[digit]);
        from = to;
        to = swap;
    }
    if (from != refs)
        memcpy(refs, from, n * sizeof *refs);
}

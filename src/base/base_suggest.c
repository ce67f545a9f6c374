#include "base/base_suggest.h"

#include <stdint.h>
#include <string.h>

#define SUGGEST_NAME_MAX 32u

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein distance. */
size_t rk_suggest_distance(const char *a, const char *b)
{
    size_t row[SUGGEST_NAME_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > SUGGEST_NAME_MAX || b_len > SUGGEST_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];

            row[j] = min_of(diagonal + (a[i - 1] != b[j - 1]), min_of(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b_len];
}

bool rk_suggest_is_close(const char *wrong, const char *name, size_t distance)
{
    size_t len = strlen(name);

    return distance <= (len >= 4 ? min_of(len / 2, 3) : 1) && distance < strlen(wrong);
}

const char *rk_suggest_better(const char *wrong, const char *name, const char *best)
{
    size_t distance = rk_suggest_distance(wrong, name);

    if (!rk_suggest_is_close(wrong, name, distance))
        return best;
    return best == NULL || distance < rk_suggest_distance(wrong, best) ? name : best;
}

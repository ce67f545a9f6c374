/* What was probably meant by a name that is not known. */
#ifndef RK_BASE_SUGGEST_H
#define RK_BASE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

/* How many letters must be added, removed or replaced to make one of the other; SIZE_MAX for names longer than any of
 * ours. Pure. */
size_t rk_suggest_distance(const char *a, const char *b);

/* Whether `name` may have been meant by `wrong`, which is so far from it: about a third of the letters. Pure. */
bool rk_suggest_is_close(const char *wrong, const char *name, size_t distance);

/* Of `best` (NULL: none so far) and `name` the one that was rather meant by `wrong`; NULL when neither may have been.
 * Pure. */
const char *rk_suggest_better(const char *wrong, const char *name, const char *best);

#endif

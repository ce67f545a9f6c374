/* Words for people: `"%u key%s", n, rk_plural(n)` is "1 key", and "0 keys" or "2 keys". */
#ifndef RK_BASE_PLURAL_H
#define RK_BASE_PLURAL_H

#include <stdint.h>

static inline const char *rk_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

#endif

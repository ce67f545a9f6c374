#ifndef RK_SAMPLE_H
#define RK_SAMPLE_H

#include <stdbool.h>

enum rk_err { RK_OK = 0, RK_ERR_FULL = -3 };

static inline int is_even(int value)
{
    return value % 2 == 0;
}

int sample_add(int value, int limit);

#endif

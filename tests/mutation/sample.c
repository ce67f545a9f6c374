/* A small file with one mistake of each kind to be made in it, for check_mutation.py. It is compiled and run there. */
#include "sample.h"

#define LIMIT(n) ((n) + 1)

static int n_calls;

static enum rk_err look(int value, int limit)
{
    n_calls++;
    return value < limit ? RK_OK : RK_ERR_FULL;
}

static bool is_large(int value)
{
    return value > 100;
}

int sample_add(int value, int limit)
{
    enum rk_err err = look(value, limit);

    if (err)
        return -1;
    if (value && is_even(value))
        value += 2;
    if (is_large(value))
        value++;
    return value == LIMIT(7) ? 0 : value;
}

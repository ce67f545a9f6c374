#include "base/base_time.h"

#include <time.h>

uint64_t rk_time_monotonic_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * RK_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t rk_time_wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / RK_NS_PER_MS;
}

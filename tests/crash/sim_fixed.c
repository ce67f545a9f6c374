#include "sim_fixed.h"

#include "base/base_time.h"
#include "sim_disk.h"

#include <sodium.h>
#include <time.h>

#define WALL_MS UINT64_C(1700000000000)

static uint64_t state;

uint64_t rk_time_wall_ms(void)
{
    return WALL_MS;
}

/* Waiting goes on as ever. */
uint64_t rk_time_monotonic_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * RK_NS_PER_S + (uint64_t)now.tv_nsec;
}

static const char *give_name(void)
{
    return "fixed";
}

static uint32_t give_word(void)
{
    return (uint32_t)sim_random(&state);
}

static void give_bytes(void *const bytes, const size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)sim_random(&state);
}

void sim_fixed_random(uint64_t seed)
{
    static randombytes_implementation fixed = { .implementation_name = give_name,
                                                .random = give_word,
                                                .buf = give_bytes };

    state = seed;
    (void)randombytes_set_implementation(&fixed); /* cannot fail */
}

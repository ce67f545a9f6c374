#include "expire/expire_clock.h"

#include "base/base_time.h"

#include <stdbool.h>

void rk_expire_clock_start(struct rk_expire_clock *clock, uint64_t wall_ms, uint64_t monotonic_ns)
{
    *clock = (struct rk_expire_clock){ .wall_ms = wall_ms, .monotonic_ns = monotonic_ns };
}

/* Whether a jump ahead, seen now, has lasted long enough. */
static bool has_lasted(struct rk_expire_clock *clock, uint64_t monotonic_ns)
{
    if (clock->doubted_since_ns == 0)
        clock->doubted_since_ns = monotonic_ns;
    return monotonic_ns - clock->doubted_since_ns >= RK_EXPIRE_CLOCK_DOUBT_NS;
}

uint64_t rk_expire_clock_now_s(struct rk_expire_clock *clock, uint64_t wall_ms, uint64_t monotonic_ns)
{
    uint64_t expected_ms = clock->wall_ms + (monotonic_ns - clock->monotonic_ns) / RK_NS_PER_MS;

    if (wall_ms > expected_ms + RK_EXPIRE_CLOCK_SLACK_MS && !has_lasted(clock, monotonic_ns))
        return expected_ms / 1000;
    rk_expire_clock_start(clock, wall_ms, monotonic_ns);
    return wall_ms / 1000;
}

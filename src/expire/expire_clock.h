/* What time it is where that makes records go for good: the wall clock, but not one that jumps ahead and comes back.
 *
 *   wall clock - monotonic clock        believed
 *   as before, or less                  at once
 *   a little more                       at once: clocks are corrected all the time
 *   much more                           when each question for ten minutes saw it; until then time goes on as the
 * monotonic clock does
 *
 * So a clock that is far ahead for some minutes lets nothing expire that clients still find when it is right again. Who
 * begins with a wrong clock, or has one for long, is not helped; it is asked once a minute at least. Pure: one thread's
 * own. */
#ifndef RK_EXPIRE_CLOCK_H
#define RK_EXPIRE_CLOCK_H

#include <stdint.h>

#define RK_EXPIRE_CLOCK_SLACK_MS UINT64_C(10000)        /* a little */
#define RK_EXPIRE_CLOCK_DOUBT_NS UINT64_C(600000000000) /* it has lasted */

struct rk_expire_clock {
    uint64_t wall_ms; /* believed, at that moment: */
    uint64_t monotonic_ns;
    uint64_t doubted_since_ns; /* monotonic; 0: not */
};

/* Believes it. Milliseconds since 1970, nanoseconds of the monotonic clock. */
void rk_expire_clock_start(struct rk_expire_clock *clock, uint64_t wall_ms, uint64_t monotonic_ns);

/* Seconds since 1970. */
uint64_t rk_expire_clock_now_s(struct rk_expire_clock *clock, uint64_t wall_ms, uint64_t monotonic_ns);

#endif

/* Clocks. Wall time goes into records and headers, and decides nothing but what has expired; everything that waits uses
 * monotonic time. */
#ifndef RK_BASE_TIME_H
#define RK_BASE_TIME_H

#include <stdint.h>

#define RK_NS_PER_MS UINT64_C(1000000)
#define RK_NS_PER_S  UINT64_C(1000000000)

/* Nanoseconds of CLOCK_MONOTONIC. Any thread; no system call. */
uint64_t rk_time_monotonic_ns(void);

/* Milliseconds since 1970 of CLOCK_REALTIME. Any thread; no system call. */
uint64_t rk_time_wall_ms(void);

#endif

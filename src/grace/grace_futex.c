#include "grace/grace_futex.h"

#include "base/base_time.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void rk_grace_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
    struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / RK_NS_PER_S),
                                .tv_nsec = (long)(timeout_ns % RK_NS_PER_S) };

    /* Woken, timed out, interrupted, or the word differs: every caller looks again, so the result says nothing. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
}

void rk_grace_futex_wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); /* fails only for a word that is not mapped */
}

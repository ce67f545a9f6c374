/* Sleeping and waking on a word, shared between processes or not. */
#ifndef RK_GRACE_FUTEX_H
#define RK_GRACE_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* Sleeps while the word holds `expected`, at most timeout_ns; may wake early for no reason. The comparison and the
 * falling asleep are one step for the kernel: a store that is followed by a wake is not missed. */
void rk_grace_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/* Wakes all who sleep on the word, in every process. */
void rk_grace_futex_wake(_Atomic uint32_t *word);

#endif

/* The shared bytes of grace periods: one region, made and laid out by the master, mapped read-write by every process
 * with readers. Nothing in it is a pointer. Numbers are native: the region never outlives the machine's uptime.
 *
 *      0  magic 8 | layout 4 | n_slots 4 | zero 48     written once, before the first process is started
 *     64  wanted 4 | zero 60                           the low half of the number of the period that is asked for;
 *                                                      futex word of the sleeping agents
 *    128  slot 0: passed 8 | zero 56                   one cache line a slot; passed = incarnation << 32 | period
 *    192  slot 1: ...
 *
 * Guarantees of the bytes (those of the protocol are in README):
 *
 *  1. `wanted` has one writer, the master's writer thread.
 *  2. `passed` of a slot has one writer at a time: the master's main thread while no process owns the slot (before the
 *     process is started, after waitpid returned it), the agent of the owning process otherwise.
 *  3. `passed` is one word: who says it and how far it is are never seen apart. A word of an earlier incarnation is not
 *     believed, nor is any period but the one that runs; both are compared for equality, so that 32 bits may wrap.
 *  4. Zero in `passed` belongs to no process: incarnations are not 0.
 *  5. The master decides by its private memory and believes the region one thing only: that a slot passed. Which slots
 *     are open, and which period runs, it never reads back. A process that scribbles here can hold up grace periods
 *     until it is killed for being stuck; it cannot make the master misjudge which slots must pass. */
#ifndef RK_GRACE_REGION_H
#define RK_GRACE_REGION_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RK_GRACE_REGION_MAGIC  0x45434152474b52ull /* "RKGRACE" */
#define RK_GRACE_REGION_LAYOUT 1
#define RK_GRACE_LINE_BYTES    64

struct rk_grace_slot {
    _Alignas(RK_GRACE_LINE_BYTES) _Atomic uint64_t passed;
};

struct rk_grace_region {
    uint64_t magic;
    uint32_t layout;
    uint32_t n_slots;
    _Alignas(RK_GRACE_LINE_BYTES) _Atomic uint32_t wanted;
    struct rk_grace_slot slots[];
};

_Static_assert(offsetof(struct rk_grace_region, magic) == 0, "layout");
_Static_assert(offsetof(struct rk_grace_region, layout) == 8, "layout");
_Static_assert(offsetof(struct rk_grace_region, n_slots) == 12, "layout");
_Static_assert(offsetof(struct rk_grace_region, wanted) == 64, "wanted has a line of its own");
_Static_assert(offsetof(struct rk_grace_region, slots) == 128, "so has the first slot");
_Static_assert(sizeof(struct rk_grace_slot) == RK_GRACE_LINE_BYTES, "one cache line a slot");
_Static_assert(sizeof(struct rk_grace_region) == 128, "layout");
_Static_assert(ATOMIC_LONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "a lock would not work across processes");
_Static_assert(sizeof(_Atomic uint32_t) == 4 && sizeof(_Atomic uint64_t) == 8, "a futex word is four bytes");

/* The word of a slot whose process `incarnation` passed `period`. */
static inline uint64_t rk_grace_passed_word(uint32_t incarnation, uint64_t period)
{
    return (uint64_t)incarnation << 32 | (uint32_t)period;
}

#endif

/* A gate that opens when a processor has nothing else to do. A thread of the class SCHED_IDLE stands in it: it gets a
 * processor when nobody else wants one, and whoever waits at the gate goes on then.
 *
 * Why the compactor is not of that class itself: it takes locks that the writer thread takes, too, and while others
 * keep the processors busy it would hold them for seconds; and without privileges a thread can go down, but not up
 * again. The thread in the gate has nothing that anybody waits for, but who waits at the gate, and that one stops
 * waiting. */
#ifndef RK_COMPACTOR_GATE_H
#define RK_COMPACTOR_GATE_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_detail;
struct rk_compactor_gate;

enum rk_err rk_compactor_gate_create(struct rk_compactor_gate **gate_out, struct rk_detail *detail);

/* Nobody waits any more. NULL inside is fine. */
void rk_compactor_gate_destroy(struct rk_compactor_gate **gate);

/* Waits until the gate opens: true; but no longer than max_ns: false. One thread at a time. */
bool rk_compactor_gate_wait(struct rk_compactor_gate *gate, uint64_t max_ns);

#endif

#include "base/base_sched.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The shortest that the scheduler takes. */
#define SERVE_SLICE_NS 100000u

/* As sched_setattr(2) has it, in its first version; the C library has no name for it yet. */
struct sched_attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* of threads without deadlines: the slice */
    uint64_t deadline_ns;
    uint64_t period_ns;
};

void rk_sched_serve(void)
{
    struct sched_attributes attributes = { .size = 0 };

    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
        return;
    attributes.runtime_ns = SERVE_SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0); /* a hint */
}

void rk_sched_background(void)
{
    struct sched_param none = { 0 };

    (void)sched_setscheduler(0, SCHED_BATCH, &none); /* a hint */
}

void rk_sched_yield(void)
{
    (void)sched_yield(); /* cannot fail */
}

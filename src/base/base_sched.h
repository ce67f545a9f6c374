/* Which thread goes first when two want the same processor. Hints to the system's scheduler: where it does not take
 * them, everything works, with longer waits. The first two are for a thread once, when it begins; threads that it
 * starts begin alike. */
#ifndef RK_BASE_SCHED_H
#define RK_BASE_SCHED_H

/* It answers requests: short turns, and when it wakes up, it does not wait for the end of a longer turn of another
 * thread. Not more of the processor than others get. Linux 6.12 and later; before that, nothing. */
void rk_sched_serve(void);

/* It works on its own account, for long: when it wakes up, it takes no processor from a thread that runs. */
void rk_sched_background(void);

/* Who waits for this processor may have it now; a microsecond if nobody does. */
void rk_sched_yield(void);

#endif

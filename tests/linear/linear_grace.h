/* Grace periods of a running server, as its counters tell: read from the board, which the master keeps open. */
#ifndef RK_LINEAR_GRACE_H
#define RK_LINEAR_GRACE_H

#include <stdint.h>
#include <sys/types.h>

/* Maps the board of a master; once in a process. */
void linear_grace_open(pid_t master);

/* How many have ended. */
uint64_t linear_grace_count(void);

/* Waits until one has ended that began after `count`: two more, since one may have been running. Something must be
 * freed all the time, as by deletes. */
void linear_grace_wait(uint64_t count);

#endif

/* Kills a program at exactly its n-th system call, counted over all its threads from the first one of the program on,
 * as the calls come. What it forks is left alone. */
#ifndef RK_SYSTEM_COUNTER_H
#define RK_SYSTEM_COUNTER_H

#include <stdbool.h>

/* The next program that is attached will be killed when it is about to make its nth call. */
void system_counter_arm(unsigned nth);

/* In the child that is to be the program, right before execve (system_server_launch). Exits with SYSTEM_COUNTER_REFUSED
 * where a process may not be traced. */
void system_counter_attach(void);
#define SYSTEM_COUNTER_REFUSED 126

/* Whether the program was killed, and at the call of which number (asm/unistd.h). */
bool system_counter_has_killed(long *call_out);

#endif

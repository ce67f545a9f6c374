/* Kills a program at exactly its n-th system call, counted over all its threads from the first one of the program on,
 * as the calls come. What it forks is left alone. */
#ifndef RK_SYSTEM_COUNTER_H
#define RK_SYSTEM_COUNTER_H

#include <stdbool.h>

/* The program that starts next in a child of this process, by system_server_launch, is killed when it is about to make
 * its nth call; 0: never, its calls are only counted. */
void system_counter_arm(unsigned nth);

/* Programs that start after this are left alone. */
void system_counter_disarm(void);

/* In the child that is to be the program, right before execve. Exits with SYSTEM_COUNTER_REFUSED where a process may
 * not be traced. */
void system_counter_attach(void);
#define SYSTEM_COUNTER_REFUSED 126

/* How many calls the last program has made; and whether it was killed, at the call of this number (asm/unistd.h). */
unsigned system_counter_n_calls(void);
bool system_counter_has_killed(long *call_out);

#endif

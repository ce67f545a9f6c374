/* The descriptors that every program is given, and how it ends with them. */
#ifndef RK_BASE_STDIO_H
#define RK_BASE_STDIO_H

#include <stdbool.h>

/* The first thing of every program: descriptors 0, 1 and 2 that are closed become /dev/null, opened the wrong way
 * round, so that reading and writing go on being errors. Otherwise the next file that is opened gets the number, and
 * messages are written into it. False without a /dev/null: errno says why. */
bool rk_stdio_open(void);

/* The last thing of every program: whether all that was printed to standard output arrived. If it did not, it says so
 * on standard error, once, and the exit code is 1. */
bool rk_stdio_finish(void);

#endif

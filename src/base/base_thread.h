/* Threads that serve: named, and left alone by the signals that the main thread takes. */
#ifndef RK_BASE_THREAD_H
#define RK_BASE_THREAD_H

#include "base/base_err.h"

#include <pthread.h>

struct rk_detail;

/* Starts a thread that every signal is blocked in, but for those of its own faults (SEGV, BUS, ILL, FPE, ABRT). The
 * name (at most 15 bytes) shows in ps -T and gdb. RK_ERR_LIMIT when the system has no more threads. Any thread. */
enum rk_err rk_thread_start(pthread_t *thread_out, const char *name, void *(*run)(void *), void *argument,
                            struct rk_detail *detail);

#endif

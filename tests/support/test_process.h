/* A process that is to stand still, for certain. */
#ifndef RK_TEST_PROCESS_H
#define RK_TEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Sends SIGSTOP and waits until no thread of the process runs any more: kill(2) returns before that, and a thread on
 * another core goes on for a while, longer on a busy machine. False when it does not stop within 20 s, or is gone. */
bool test_process_stop(pid_t pid);

#endif

/* Starts the process of one worker slot: what it is called with, and which descriptors it is handed; and what the end
 * of one is called. */
#ifndef RK_MASTER_WORKER_START_H
#define RK_MASTER_WORKER_START_H

#include "base/base_err.h"

#include <stddef.h>
#include <sys/types.h>

struct rk_detail;
struct rk_master_engine;
struct rk_master_listeners;

struct rk_master_worker_start {
    const char *program; /* to execute */
    const struct rk_master_engine *engine;
    const struct rk_master_listeners *listeners;
    unsigned slot; /* open (master_engine.h) */
    int channel;   /* the worker's end */
};

/* RK_OK with the pid, or RK_ERR_LIMIT. Main thread. */
enum rk_err rk_master_worker_start(const struct rk_master_worker_start *start, pid_t *pid_out,
                                   struct rk_detail *detail);

/* "was killed by signal 9 (Killed)", "could not be executed", ...: for after "worker 1 (pid 4711)". 128 bytes hold all
 * of them. Pure. */
void rk_master_worker_describe_exit(char *text_out, size_t size, int wait_status);

#endif

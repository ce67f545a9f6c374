/* A worker: attaches to what it was handed, serves HTTP, and ends when it is told to. Runs as a process of its own, or
 * with --single as a thread of the master's. */
#ifndef RK_WORKER_H
#define RK_WORKER_H

#include "base/base_err.h"
#include "shm/shm_handover.h"

struct rk_detail;

/* Serves until the master says stop or drain, or is gone: RK_OK. Any other result says why it could not go on. Blocks.
 * The calling thread is not yet a registered reader; the listeners are taken over. */
enum rk_err rk_worker_run(const struct rk_handover *handover, struct rk_detail *detail);

/* The worker process: `rackkvd --worker SLOT MASTER_PID`, with the descriptors at their fixed numbers. Returns the exit
 * code; does not return when the master dies first. */
int rk_worker_main(unsigned slot, int master_pid);

#endif

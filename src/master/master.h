/* The master: owns the data directory, the writer thread and the keydir; starts the workers and keeps them alive; never
 * runs libh2o. One call runs it from start to end. */
#ifndef RK_MASTER_H
#define RK_MASTER_H

#include "base/base_err.h"

#include <stdbool.h>

struct rk_conf;
struct rk_detail;
struct rk_handover;

struct rk_master_options {
    const struct rk_conf *conf; /* settled (master_settle.h) */
    const char *program;        /* what to exec for a worker */
    bool salvage;               /* go on without what is damaged */

    /* Not NULL: --single, the one worker runs as a thread of this process. The caller knows the worker, the master does
     * not. */
    enum rk_err (*run_worker)(const struct rk_handover *handover, struct rk_detail *detail);

    /* Called once, when all workers serve; may be NULL. */
    void (*on_ready)(void *context);
    void *context;
};

/* Opens the store, starts the workers, recovers, serves until a signal says stop, and closes. Returns the exit code: 0
 * after a clean stop, 1 when it could not start or not go on; it has said why on standard error. Main thread, no other
 * thread yet. */
int rk_master_run(const struct rk_master_options *options);

#endif

/* --single: the one worker as a thread of the master (one kind of master_serving.h), for a debugger and the sanitizers.
 * It gets the same descriptors and maps the same regions as a process would. */
#ifndef RK_MASTER_SINGLE_H
#define RK_MASTER_SINGLE_H

#include "base/base_err.h"

struct rk_detail;
struct rk_master_engine;
struct rk_master_listeners;
struct rk_master_options;
struct rk_master_serving;

/* The thread runs when this returns RK_OK. Main thread. */
enum rk_err rk_master_single_start(struct rk_master_serving **serving_out, const struct rk_master_options *options,
                                   struct rk_master_engine *engine, struct rk_master_listeners *listeners,
                                   struct rk_detail *detail);

#endif

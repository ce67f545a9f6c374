/* --single: the one worker as a thread of the master, for a debugger and the sanitizers. It gets the same descriptors
 * and maps the same regions as a process would. */
#ifndef RK_MASTER_SINGLE_H
#define RK_MASTER_SINGLE_H

#include "base/base_err.h"

#include <stdbool.h>

struct rk_detail;
struct rk_master_engine;
struct rk_master_listeners;
struct rk_master_options;
struct rk_master_single;

/* Main thread. */
enum rk_err rk_master_single_start(struct rk_master_single **single_out, const struct rk_master_options *options,
                                   struct rk_master_engine *engine, struct rk_master_listeners *listeners,
                                   struct rk_detail *detail);

/* All: main thread. Says stop (at once, or after the connections); or end now, whatever is under way. */
void rk_master_single_stop(struct rk_master_single *single, bool drain);
void rk_master_single_abandon(struct rk_master_single *single);

/* Readable when the worker said something; takes it. */
int rk_master_single_channel(const struct rk_master_single *single);
bool rk_master_single_take_ready(struct rk_master_single *single);

/* Whether the thread has ended. */
bool rk_master_single_has_ended(const struct rk_master_single *single);

/* Waits for the thread, which was told to stop, and frees. RK_OK, or why the worker could not go on. */
enum rk_err rk_master_single_join(struct rk_master_single **single, struct rk_detail *detail);

#endif

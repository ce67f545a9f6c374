/* The control socket of this master (src/control): where it is, and what it may look at. */
#ifndef RK_MASTER_CONTROL_H
#define RK_MASTER_CONTROL_H

#include "base/base_err.h"

struct rk_conf;
struct rk_control;
struct rk_detail;
struct rk_master_engine;
struct rk_master_listeners;

/* Main thread. The engine is open, so its lock is held: a socket that is there belongs to no server of this data
 * directory. rk_control_serve and rk_control_stop follow. */
enum rk_err rk_master_control_start(struct rk_control **control_out, const struct rk_conf *conf,
                                    const struct rk_master_engine *engine, const struct rk_master_listeners *listeners,
                                    struct rk_detail *detail);

#endif

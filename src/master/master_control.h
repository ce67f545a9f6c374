/* The control socket of this master (src/control): where it is, and what it may look at. On a full disk it comes later
 * (master_late.h): its name needs a block on some file systems.
 *
 *   start -> serve (after recovery) -> stop */
#ifndef RK_MASTER_CONTROL_H
#define RK_MASTER_CONTROL_H

#include "master/master_late.h"

#include <stdbool.h>

struct rk_conf;
struct rk_control;
struct rk_master_engine;
struct rk_master_listeners;

struct rk_master_control {
    const struct rk_conf *conf;
    const struct rk_master_engine *engine;
    struct rk_master_listeners *const *listeners; /* NULL inside once they are closed */
    uint64_t started_ns;
    bool serving;
    struct rk_control *control; /* NULL: not yet there */
    struct rk_master_late late;
};

/* Main thread, all. conf, engine and listeners are set. The engine is open, so its lock is held: a socket that is there
 * belongs to no server of this data directory. RK_OK when there is no room for the socket: then `late` is missing it.
 */
enum rk_err rk_master_control_start(struct rk_master_control *control, struct rk_detail *detail);

/* The engine serves: so does the control socket, now or when it comes. */
void rk_master_control_serve(struct rk_master_control *control);

/* Before the engine's threads end. One that was never started is fine. */
void rk_master_control_stop(struct rk_master_control *control);

#endif

/* The workers as processes (one kind of master_serving.h): a table of slots, one state machine each. Policy here,
 * mechanism in master_spawn.
 *
 *           start                 "ready"
 *   DOWN ----------> STARTING ----------------> SERVING
 *    ^                  |  deadline: SIGKILL       |  no heartbeat, broken rings, stuck grace period: SIGKILL
 *    |                  v                          v
 *    +---- CLOSING <-------------- waitpid() --------
 *          the writer lets go of the rings
 *
 * 1. A slot's rings, grace slot and board words are touched only in DOWN: after waitpid(), and after the writer has let
 *    go.
 * 2. A worker that dies before it was ready is started again only after worker.respawn_delay; one that served, at once.
 * 3. Nothing that a worker says is believed: it decides only when to look. */
#ifndef RK_MASTER_WORKERS_H
#define RK_MASTER_WORKERS_H

struct rk_conf;
struct rk_master_engine;
struct rk_master_listeners;
struct rk_master_serving;

/* No process is started before the first tick. All three stay the caller's until the close. */
struct rk_master_serving *rk_master_workers_create(const struct rk_conf *conf, struct rk_master_engine *engine,
                                                   struct rk_master_listeners *listeners, const char *program);

unsigned rk_master_workers_n_alive(const struct rk_master_serving *serving);
unsigned rk_master_workers_n_serving(const struct rk_master_serving *serving);

#endif

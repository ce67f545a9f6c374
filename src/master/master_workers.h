/* The worker processes: a table of slots, one state machine each. Policy here, mechanism in master_spawn.
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

#include "base/base_err.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rk_conf;
struct rk_master_engine;
struct rk_master_listeners;
struct rk_master_workers;

struct rk_master_workers *rk_master_workers_create(const struct rk_conf *conf, struct rk_master_engine *engine,
                                                   struct rk_master_listeners *listeners, const char *program);

/* All must be gone. */
void rk_master_workers_destroy(struct rk_master_workers **workers);

/* What may be done at this time: starts, deadlines, watchdogs. Call after every wake-up and at least every 100 ms. */
void rk_master_workers_tick(struct rk_master_workers *workers, uint64_t now_ns);

/* waitpid() returned this process. */
void rk_master_workers_on_exit(struct rk_master_workers *workers, pid_t pid, int wait_status);

/* Descriptors to poll, one for each slot (-1 where there is none), and what poll said of them. */
void rk_master_workers_poll_fds(const struct rk_master_workers *workers, struct pollfd *fds);
void rk_master_workers_on_readable(struct rk_master_workers *workers, unsigned slot);

/* What they print goes to this descriptor from now on, their copy of it. */
void rk_master_workers_give_log(struct rk_master_workers *workers, int fd);

/* Tells all workers to stop (at once, or after their connections): none is started any more. */
void rk_master_workers_stop(struct rk_master_workers *workers, bool drain);
void rk_master_workers_kill(struct rk_master_workers *workers, const char *why);

unsigned rk_master_workers_n_alive(const struct rk_master_workers *workers);
unsigned rk_master_workers_n_serving(const struct rk_master_workers *workers);

#endif

/* The worker or workers of this master, whatever they are: processes (master_workers.h), or one thread (--single,
 * master_single.h). Whoever starts them chooses; all others speak of them by what is here.
 *
 *   start (of the kind) -> tick, poll_fds, on_readable, on_exit* -> stop -> until is_over -> close
 *
 * All calls: main thread. */
#ifndef RK_MASTER_SERVING_H
#define RK_MASTER_SERVING_H

#include "base/base_err.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct rk_detail;
struct rk_master_serving;

/* What a kind does; the functions below say what is meant. NULL: nothing is to be done for this kind. */
struct rk_master_serving_kind {
    void (*tick)(struct rk_master_serving *serving, uint64_t now_ns);
    void (*on_exit)(struct rk_master_serving *serving, pid_t pid, int wait_status);
    void (*poll_fds)(const struct rk_master_serving *serving, struct pollfd *fds);
    void (*on_readable)(struct rk_master_serving *serving, unsigned slot);
    void (*give_log)(struct rk_master_serving *serving, int fd);
    void (*stop)(struct rk_master_serving *serving, bool drain);
    void (*end_now)(struct rk_master_serving *serving, const char *why);
    bool (*is_ready)(const struct rk_master_serving *serving);
    bool (*is_over)(const struct rk_master_serving *serving);
    enum rk_err (*close)(struct rk_master_serving *serving, struct rk_detail *detail);
};

/* The first member of each kind's own struct. */
struct rk_master_serving {
    const struct rk_master_serving_kind *kind;
};

/* What may be done at this time: starts, deadlines, watchdogs. Call after every wake-up and at least every 100 ms. */
void rk_master_serving_tick(struct rk_master_serving *serving, uint64_t now_ns);

/* waitpid() returned this process. */
void rk_master_serving_on_exit(struct rk_master_serving *serving, pid_t pid, int wait_status);

/* Descriptors to poll, one for each slot (-1 where there is none), and what poll said of them. */
void rk_master_serving_poll_fds(const struct rk_master_serving *serving, struct pollfd *fds);
void rk_master_serving_on_readable(struct rk_master_serving *serving, unsigned slot);

/* What they print goes to this descriptor from now on, their copy of it. */
void rk_master_serving_give_log(struct rk_master_serving *serving, int fd);

/* Tells all to stop (at once, or after their connections): none is started any more. end_now does not ask: whatever is
 * under way is over. */
void rk_master_serving_stop(struct rk_master_serving *serving, bool drain);
void rk_master_serving_end_now(struct rk_master_serving *serving, const char *why);

/* Whether every slot serves; whether none does and none will: they were stopped, or cannot go on (close says why). */
bool rk_master_serving_is_ready(const struct rk_master_serving *serving);
bool rk_master_serving_is_over(const struct rk_master_serving *serving);

/* Waits for a thread, which is told to stop; processes must be gone. Frees. RK_OK, or why the worker could not go on.
 */
enum rk_err rk_master_serving_close(struct rk_master_serving **serving, struct rk_detail *detail);

#endif

/* The signals of the master, as something to poll; and whether the terminal that it was started from is gone. */
#ifndef RK_MASTER_SIGNALS_H
#define RK_MASTER_SIGNALS_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

struct rk_detail;

struct rk_master_signals {
    int fd; /* a signalfd; -1: none */
    bool had_terminal;
    uint64_t hangup_until_ns; /* not 0: SIGHUP came, and so long may the terminal take to be gone */
};

/* Takes them from now on. A SIGHUP that was ignored when the program began, as nohup does, goes on being ignored. Main
 * thread, before any other. */
enum rk_err rk_master_signals_open(struct rk_master_signals *signals_out, struct rk_detail *detail);
void rk_master_signals_close(struct rk_master_signals *signals);

/* The next signal that came, or 0. */
int rk_master_signals_take(struct rk_master_signals *signals);

/* After a SIGHUP: what it meant. The kernel may send it a moment before it takes the terminal away. */
enum rk_master_hangup { RK_MASTER_HANGUP_NONE, RK_MASTER_HANGUP_TERMINAL, RK_MASTER_HANGUP_RELOAD };

void rk_master_signals_on_hangup(struct rk_master_signals *signals, uint64_t now_ns);
enum rk_master_hangup rk_master_signals_hangup(struct rk_master_signals *signals, uint64_t now_ns);

#endif

/* What a start goes on without when the disk is full, and takes later, from the master's timer: a name that is of use,
 * but not needed to serve. Were it needed, a store that could free itself would not come back, since it could not
 * start.
 *
 *   start -> tick ... (until it is there)
 *
 * One line says what is missing and what happens next, one says that it is there, and one each time that something
 * else is in its way. Main thread. */
#ifndef RK_MASTER_LATE_H
#define RK_MASTER_LATE_H

#include "base/base_detail.h"
#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

#define RK_MASTER_LATE_EVERY_S 2

struct rk_master_late {
    const char *what; /* for people: "the control socket" */
    /* Takes it, or fails and leaves nothing behind; the detail says where. RK_ERR_NO_SPACE: no room for it. */
    enum rk_err (*take)(void *owner, struct rk_detail *detail);
    void *owner;
    bool is_missing;
    uint64_t tried_ns;
    struct rk_detail told; /* what was in its way when it was last said */
};

/* RK_OK when it was taken, and when there was no room for it: is_missing says which. Any other error is the start's. */
enum rk_err rk_master_late_start(struct rk_master_late *late, struct rk_detail *detail);

/* Tries again what is missing, every RK_MASTER_LATE_EVERY_S. By now no error ends the server. */
void rk_master_late_tick(struct rk_master_late *late, uint64_t now_ns);

#endif

/* When the compactor looks for what has expired: before it asks the policy, and whenever somebody wants to know how
 * much of a file is live. Then it does not sleep in between, for somebody waits. */
#include "base/base_detail.h"
#include "base/base_time.h"
#include "stats/stats_store.h"
#include "store/store_compactor_private.h"
#include "store/store_expire_writer.h"
#include "store/store_writer.h"

#include <stdio.h>

#define LOOK_WAIT_NS (5 * RK_NS_PER_S) /* some ten million records have been found by then */

static const struct rk_store_merge_progress nothing_copied;

static enum rk_err on_call(void *context, void (*run)(void *argument), void *argument)
{
    return rk_store_writer_call(((struct rk_store_compactor *)context)->settings.writer, run, argument);
}

/* As between two pieces of a merge, but for a pause: nothing is copied here. */
static enum rk_err on_turn(void *context)
{
    struct rk_store_compactor *compactor = context;
    uint64_t until_ns;
    bool go_on;

    rk_store_compactor_lock(compactor);
    until_ns = rk_store_pace_next(compactor, &nothing_copied, 0, compactor->paced);
    until_ns = until_ns > 0 ? until_ns + rk_time_monotonic_ns() : 0;
    while (!compactor->stopping && compactor->looks_done == compactor->looks_wanted
           && rk_time_monotonic_ns() < until_ns)
        rk_store_compactor_wait_locked(compactor, until_ns);
    go_on = !compactor->stopping;
    rk_store_compactor_unlock(compactor);
    rk_store_pace_begin(compactor, &nothing_copied);
    return go_on ? RK_OK : RK_ERR_AGAIN;
}

void rk_store_compactor_expire_locked(struct rk_store_compactor *compactor)
{
    const struct rk_store_compactor_settings *settings = &compactor->settings;
    struct rk_store_expire_settings expire = { .store = settings->store,
                                               .log = settings->log,
                                               .keydir = settings->keydir,
                                               .space = settings->space,
                                               .now_s = rk_time_wall_ms() / 1000,
                                               .context = compactor,
                                               .call = on_call,
                                               .turn = on_turn };
    uint64_t look = compactor->looks_wanted, n_expired = 0;
    struct rk_detail detail = { "" };
    enum rk_err err;

    rk_store_compactor_unlock(compactor);
    rk_store_pace_start(compactor);
    rk_store_pace_begin(compactor, &nothing_copied);
    err = rk_store_expire_run(&expire, &n_expired, &detail);
    rk_counter_add(&settings->stats->expired_records, n_expired);
    rk_store_compactor_lock(compactor);
    (void)snprintf(compactor->expire_failure, sizeof compactor->expire_failure, "%s",
                   err == RK_OK || err == RK_ERR_AGAIN || err == RK_ERR_CLOSED ? ""
                                                                               : detail.text); /* cut if too long */
    compactor->looks_done = look;
    rk_store_compactor_wake_locked(compactor);
}

/* A merge is not interrupted: while one runs the last look's outcome has to do. Nor is anybody kept waiting for long:
 * what was found by then counts, and the look goes on. */
void rk_store_compactor_look(struct rk_store_compactor *compactor)
{
    uint64_t until_ns = rk_time_monotonic_ns() + LOOK_WAIT_NS;
    uint64_t look;

    rk_store_compactor_lock(compactor);
    look = ++compactor->looks_wanted;
    rk_store_compactor_wake_locked(compactor);
    while (compactor->looks_done < look && !compactor->stopping && compactor->current.state != RK_STORE_MERGE_RUNNING
           && rk_time_monotonic_ns() < until_ns)
        rk_store_compactor_wait_locked(compactor, until_ns);
    rk_store_compactor_unlock(compactor);
}

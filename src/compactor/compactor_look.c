/* When the compactor looks for what has expired: before it asks the policy, and whenever somebody wants to know how
 * much of a file is live. While he waits for it, it waits for nobody. */
#include "base/base_detail.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "expire/expire.h"
#include "stats/stats_store.h"
#include "writer/writer.h"

#include <stdio.h>

#define LOOK_WAIT_NS (2 * RK_NS_PER_S) /* some millions of records have been found by then */

static const struct rk_merge_progress nothing_copied;

/* As between two pieces of a merge, but for a pause: nothing is copied here. What it has found is dead, which is no
 * reason to hurry (merge_policy.h): so each piece is one of its own. */
static enum rk_err on_turn(void *context)
{
    struct rk_compactor *compactor = context;
    uint64_t until_ns;
    bool go_on, is_wanted;

    rk_compactor_lock(compactor);
    until_ns = rk_compactor_pace_next(compactor, &nothing_copied, 0, compactor->paced);
    until_ns = until_ns > 0 ? until_ns + rk_time_monotonic_ns() : 0;
    while (!compactor->stopping && compactor->n_waiting == 0 && compactor->current.id == 0
           && rk_time_monotonic_ns() < until_ns)
        rk_compactor_wait_locked(compactor, until_ns);
    go_on = !compactor->stopping;
    is_wanted = compactor->n_waiting > 0;
    rk_compactor_unlock(compactor);
    rk_compactor_pace_start(compactor);
    if (is_wanted)
        rk_compactor_pace_rush(compactor, &nothing_copied);
    else
        rk_compactor_pace_begin(compactor, &nothing_copied);
    return go_on ? RK_OK : RK_ERR_AGAIN;
}

void rk_compactor_expire_locked(struct rk_compactor *compactor)
{
    const struct rk_compactor_settings *settings = &compactor->settings;
    struct rk_expire_settings expire = { .store = settings->store,
                                         .log = settings->log,
                                         .keydir = settings->keydir,
                                         .space = settings->space,
                                         .now_s = rk_compactor_now_s(compactor),
                                         .context = compactor,
                                         .call = rk_compactor_on_call,
                                         .turn = on_turn };
    uint64_t look = compactor->looks_wanted, n_expired = 0;
    struct rk_detail detail = { "" };
    enum rk_err err;

    rk_compactor_unlock(compactor);
    rk_compactor_pace_start(compactor);
    rk_compactor_pace_begin(compactor, &nothing_copied);
    err = rk_expire_run(&expire, &n_expired, &detail);
    rk_counter_add(&settings->stats->expired_records, n_expired);
    rk_compactor_lock(compactor);
    (void)snprintf(compactor->expire_failure, sizeof compactor->expire_failure, "%s",
                   err == RK_OK || err == RK_ERR_AGAIN || err == RK_ERR_CLOSED ? ""
                                                                               : detail.text); /* cut if too long */
    compactor->doubted_clock = compactor->clock.doubted_since_ns != 0;
    compactor->looks_done = look;
    rk_compactor_wake_locked(compactor);
}

/* Why not all that has expired is known; "" when it is. */
static const char *what_is_missing_locked(const struct rk_compactor *compactor, uint64_t look)
{
    if (compactor->looks_done < look && compactor->current.state == RK_COMPACTOR_MERGE_RUNNING)
        return "a merge runs: what has expired since the last look counts as live until the next one";
    if (compactor->looks_done < look)
        return compactor->is_dismissed ? "the server ends" : "it is still being looked for, and takes long: ask again";
    if (compactor->expire_failure[0] == '\0' && compactor->doubted_clock)
        return "the clock has jumped ahead: what has expired by it counts as live until that has lasted for ten "
               "minutes";
    return compactor->expire_failure;
}

static bool is_worth_waiting_locked(const struct rk_compactor *compactor)
{
    return !compactor->stopping && !compactor->is_dismissed && compactor->current.state != RK_COMPACTOR_MERGE_RUNNING;
}

/* A merge is not interrupted: while one runs the last look's outcome has to do. Nor is anybody kept waiting for long:
 * what was found by then counts, and the look goes on. */
void rk_compactor_look(struct rk_compactor *compactor, struct rk_detail *missing_out)
{
    uint64_t until_ns = rk_time_monotonic_ns() + LOOK_WAIT_NS, look;

    rk_compactor_lock(compactor);
    look = compactor->looks_wanted + 1;
    if (is_worth_waiting_locked(compactor)) {
        compactor->looks_wanted = look;
        compactor->n_waiting++;
        rk_compactor_wake_locked(compactor);
        while (compactor->looks_done < look && is_worth_waiting_locked(compactor) && rk_time_monotonic_ns() < until_ns)
            rk_compactor_wait_locked(compactor, until_ns);
        compactor->n_waiting--;
    }
    rk_detail_set(missing_out, "%s", what_is_missing_locked(compactor, look));
    rk_compactor_unlock(compactor);
}

void rk_compactor_dismiss(struct rk_compactor *compactor)
{
    rk_compactor_lock(compactor);
    compactor->is_dismissed = true;
    rk_compactor_wake_locked(compactor);
    rk_compactor_unlock(compactor);
}

#include "master/master_state.h"

#include "base/base_detail.h"
#include "base/base_diag.h"
#include "base/base_plural.h"
#include "base/base_time.h"
#include "compactor/compactor.h"
#include "log/log_store.h"
#include "log/log_watch.h"
#include "log/log_writer.h"
#include "master/master_engine.h"

/* Write errors may come with every request: so often are they told. */
#define WRITE_ERRORS_EVERY_NS (10 * RK_NS_PER_S)

/* A name that the store has lost is no matter of milliseconds. */
#define WATCH_EVERY_NS (2 * RK_NS_PER_S)

/* One line when it begins, and when it ends; none for each request that meets it. */
void rk_master_state_tell_refused(struct rk_master_state *state, struct rk_master_engine *engine)
{
    enum rk_stats_accepted accepted = rk_stats_accepted(&engine->stats->writer);
    const char *data_dir = rk_log_store_path(engine->store);
    struct rk_detail why;

    if (accepted == state->accepted_told)
        return;
    state->accepted_told = accepted;
    rk_compactor_hurry(engine->compactor);
    if (accepted == RK_STATS_ACCEPTS_ALL) {
        rk_diag(RK_DIAG_INFO, "%s: there is space on the disk again: puts go on", data_dir);
    } else if (accepted == RK_STATS_ACCEPTS_DELETES) {
        rk_diag(RK_DIAG_ERROR, "%s: the disk is full: %s", data_dir, rk_stats_accepted_text(accepted));
    } else {
        rk_log_writer_why(engine->log, &why);
        rk_diag(RK_DIAG_ERROR, "%s: %s, reads go on", why.text, rk_stats_accepted_text(accepted));
    }
}

void rk_master_state_tell_write_errors(struct rk_master_state *state, const struct rk_master_engine *engine,
                                       uint64_t now_ns)
{
    uint64_t n = rk_counter_get(&engine->stats->writer.write_errors);
    bool is_first = state->write_errors_told == 0;
    struct rk_detail why;

    if (n == state->write_errors_told || (!is_first && now_ns - state->write_errors_told_ns < WRITE_ERRORS_EVERY_NS))
        return;
    rk_log_writer_why(engine->log, &why);
    rk_diag(RK_DIAG_ERROR, "%s: nothing of it was kept; %llu failed write%s so far", why.text, (unsigned long long)n,
            rk_plural(n));
    state->write_errors_told = n;
    state->write_errors_told_ns = now_ns;
}

/* One line when a name of the store is lost, and one when it is back. */
void rk_master_state_watch(struct rk_master_state *state, const struct rk_master_engine *engine, uint64_t now_ns)
{
    const char *data_dir = rk_log_store_path(engine->store);
    unsigned lost;

    if (now_ns - state->watched_ns < WATCH_EVERY_NS)
        return;
    state->watched_ns = now_ns;
    lost = rk_log_watch_look(engine->store);
    for (unsigned i = 0; i < RK_LOG_N_WATCHED; i++) {
        bool is_lost = (lost >> i & 1) != 0;

        if (is_lost == ((state->lost_told >> i & 1) != 0))
            continue;
        if (is_lost)
            rk_diag(RK_DIAG_ERROR, "%s: %s was removed or replaced while this server uses it: %s", data_dir,
                    rk_log_watch_name(i), rk_log_watch_means(i));
        else
            rk_diag(RK_DIAG_INFO, "%s: %s is there again", data_dir, rk_log_watch_name(i));
    }
    state->lost_told = lost;
}

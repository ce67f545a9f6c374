/* What the thread lends to whatever it runs: a merge, a look, a step of the rescue. */
#include "base/base_detail.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "log/log_writer.h"
#include "writer/writer.h"

#define GRACE_LOOK_NS (2 * RK_NS_PER_MS)

enum rk_err rk_compactor_on_call(void *context, void (*run)(void *argument), void *argument)
{
    return rk_writer_call(((struct rk_compactor *)context)->settings.writer, run, argument);
}

/* A stuck worker may take long. What was unlisted meanwhile is swept by the next start, if the server ends first. */
enum rk_err rk_compactor_on_wait_grace(void *context, uint64_t ticket)
{
    struct rk_compactor *compactor = context;
    bool go_on = true;

    while (go_on && !rk_writer_grace_has_passed(compactor->settings.writer, ticket)) {
        rk_compactor_lock(compactor);
        if (!compactor->stopping)
            rk_compactor_wait_locked(compactor, rk_time_monotonic_ns() + GRACE_LOOK_NS);
        go_on = !compactor->stopping;
        rk_compactor_unlock(compactor);
    }
    return go_on ? RK_OK : RK_ERR_CLOSED;
}

bool rk_compactor_on_release(void *context)
{
    struct rk_compactor *compactor = context;
    bool had_some = compactor->kept.n > 0;

    (void)rk_compactor_kept_close(&compactor->kept, UINT64_MAX); /* all */
    return had_some;
}

struct rolling {
    struct rk_log_writer *log;
    enum rk_err err;
};

static void roll(void *argument)
{
    struct rolling *rolling = argument;

    rolling->err = rk_log_writer_roll(rolling->log);
}

enum rk_err rk_compactor_roll(struct rk_compactor *compactor, struct rk_detail *detail)
{
    struct rolling rolling = { .log = compactor->settings.log };
    enum rk_err err = rk_writer_call(compactor->settings.writer, roll, &rolling);

    if (err == RK_OK)
        err = rolling.err;
    if (err != RK_OK)
        rk_detail_set(detail, "the active file cannot be rolled over: %s", rk_err_text(err));
    return err;
}

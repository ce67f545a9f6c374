#include "log/log_syncer.h"

#include "base/base_mem.h"
#include "base/base_planted.h"
#include "base/base_pulse.h"
#include "log/log_writer.h"

#include <stdlib.h>

struct rk_log_syncer {
    struct rk_log_writer *writer;
    struct rk_pulse pulse;
};

static void sync_once(void *context)
{
    struct rk_log_syncer *syncer = context;

    if (!RK_PLANTED(syncer_sleeps))
        (void)rk_log_writer_sync(syncer->writer); /* a failure is kept in the writer's state, which the writer reads */
}

static void request(void *context)
{
    rk_log_syncer_request(context);
}

enum rk_err rk_log_syncer_start(struct rk_log_syncer **syncer_out, struct rk_log_writer *writer, uint32_t interval_ms,
                                struct rk_detail *detail)
{
    struct rk_log_syncer *syncer = rk_mem_calloc(1, sizeof *syncer);
    enum rk_err err;

    syncer->writer = writer;
    err = rk_pulse_start(&syncer->pulse, "rk-syncer", sync_once, syncer, interval_ms, detail);
    if (err != RK_OK) {
        free(syncer);
        return err;
    }
    rk_log_writer_watch(writer, request, syncer);
    *syncer_out = syncer;
    return RK_OK;
}

void rk_log_syncer_request(struct rk_log_syncer *syncer)
{
    rk_pulse_request(&syncer->pulse);
}

void rk_log_syncer_set_interval(struct rk_log_syncer *syncer, uint32_t interval_ms)
{
    rk_pulse_set_interval(&syncer->pulse, interval_ms);
}

void rk_log_syncer_stop(struct rk_log_syncer **syncer)
{
    if (*syncer == NULL)
        return;
    rk_log_writer_watch((*syncer)->writer, NULL, NULL);
    rk_pulse_stop(&(*syncer)->pulse);
    free(*syncer);
    *syncer = NULL;
}

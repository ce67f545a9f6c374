#include "compactor/compactor_state.h"

#include "base/base_assert.h"
#include "base/base_time.h"
#include "stats/stats_block.h"

#include <time.h>

void rk_compactor_lock(struct rk_compactor *compactor)
{
    RK_ASSERT(pthread_mutex_lock(&compactor->mutex) == 0);
}

void rk_compactor_unlock(struct rk_compactor *compactor)
{
    RK_ASSERT(pthread_mutex_unlock(&compactor->mutex) == 0);
}

void rk_compactor_wait_locked(struct rk_compactor *compactor, uint64_t until_ns)
{
    struct timespec until = { .tv_sec = (time_t)(until_ns / RK_NS_PER_S), .tv_nsec = (long)(until_ns % RK_NS_PER_S) };

    (void)pthread_cond_timedwait(&compactor->wake, &compactor->mutex, &until); /* callers look at what woke them */
}

void rk_compactor_wake_locked(struct rk_compactor *compactor)
{
    (void)pthread_cond_broadcast(&compactor->wake); /* cannot fail */
}

bool rk_compactor_is_in_window(const struct rk_compactor_settings *settings, uint64_t wall_ms)
{
    unsigned begin = settings->window_begin_minute, end = settings->window_end_minute, minute;
    time_t now = (time_t)(wall_ms / 1000);
    struct tm local;

    if (!settings->has_window)
        return true;
    if (localtime_r(&now, &local) == NULL)
        return false;
    minute = (unsigned)(local.tm_hour * 60 + local.tm_min);
    return begin <= end ? minute >= begin && minute < end : minute >= begin || minute < end;
}

/* The interval, more or less. */
uint64_t rk_compactor_next_due_ns(const struct rk_compactor *compactor)
{
    uint64_t now_ns = rk_time_monotonic_ns();
    uint64_t interval_ns = compactor->settings.check_interval_ms * RK_NS_PER_MS;
    uint64_t spread_ns = interval_ns / 100 * compactor->settings.jitter_percent;
    uint64_t dice = (now_ns ^ compactor->last_id) * 0x9e3779b97f4a7c15u >> 11;

    return now_ns + interval_ns - spread_ns + (spread_ns > 0 ? dice % (2 * spread_ns) : 0);
}

uint64_t rk_compactor_now_s(struct rk_compactor *compactor)
{
    return rk_expire_clock_now_s(&compactor->clock, rk_time_wall_ms(), rk_time_monotonic_ns());
}

bool rk_compactor_is_full(const struct rk_compactor *compactor)
{
    const struct rk_stats_block *block = compactor->settings.block;

    return block != NULL && rk_counter_get(&block->writer.refused) == (uint64_t)-RK_ERR_NO_SPACE;
}

/* Puts a merge in line; `files` becomes the compactor's. RK_ERR_BUSY: there is one. */
enum rk_err rk_compactor_enqueue_locked(struct rk_compactor *compactor, uint32_t *files, size_t n_files, bool by_policy)
{
    if (compactor->current.id != 0)
        return RK_ERR_BUSY;
    compactor->files = files;
    compactor->cancelled = false;
    compactor->current = (struct rk_compactor_merge_report){
        .id = ++compactor->last_id, .state = RK_COMPACTOR_MERGE_WAITING, .by_policy = by_policy, .n_files = n_files
    };
    rk_compactor_wake_locked(compactor);
    return RK_OK;
}

enum rk_err rk_compactor_enqueue(struct rk_compactor *compactor, uint32_t *files, size_t n_files,
                                 uint64_t *merge_id_out)
{
    enum rk_err err;

    rk_compactor_lock(compactor);
    err = rk_compactor_enqueue_locked(compactor, files, n_files, false);
    if (err == RK_OK)
        *merge_id_out = compactor->current.id;
    rk_compactor_unlock(compactor);
    return err;
}

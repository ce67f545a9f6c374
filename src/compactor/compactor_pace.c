/* Yielding. A merge is cut into pieces of a fraction of a millisecond. With nobody there it goes at full speed. After a
 * piece in which requests came in,
 *  - it sleeps in proportion to what the piece took, if it is paced: then it has at most one part in YIELD_PARTS of a
 *    processor, of the disk and of the memory;
 *  - paced or not, it waits until a processor has nothing else to do (compactor_gate.h), so that a request that
 *    meets it waits for one piece at most. While the processors are busy without an end it goes on every GATE_MAX_NS.
 * All of that becomes less while more dies than comes back (rk_merge_policy_patience): space that is lost to a flood of
 * writes is worse than a slow answer. The rate is kept beside that, over the whole merge, so that pauses are made up
 * for only by RATE_BURST_NS. */
#include "base/base_sched.h"
#include "base/base_time.h"
#include "compactor/compactor_state.h"
#include "merge/merge_policy.h"
#include "stats/stats_block.h"

#define YIELD_PARTS   16
#define SLEEP_MAX_NS  (200 * RK_NS_PER_MS)
#define RATE_BURST_NS (100 * RK_NS_PER_MS)
#define GATE_MAX_NS   (10 * RK_NS_PER_MS)

/* Reads and writes that were answered so far. */
static uint64_t count_requests(const struct rk_compactor *compactor)
{
    const struct rk_stats_block *block = compactor->settings.block;
    uint64_t sum;

    if (block == NULL)
        return 0;
    sum = rk_counter_get(&block->writer.puts) + rk_counter_get(&block->writer.deletes);
    for (unsigned i = 0; i < compactor->settings.n_slots; i++)
        sum += rk_counter_get(&block->slots[i].client.hits) + rk_counter_get(&block->slots[i].client.misses);
    return sum;
}

static uint64_t dead_bytes(const struct rk_compactor *compactor)
{
    return compactor->settings.block != NULL ? rk_counter_get(&compactor->settings.block->writer.dead_bytes) : 0;
}

void rk_compactor_pace_start(struct rk_compactor *compactor)
{
    struct rk_compactor_pace *pace = &compactor->pace;

    pace->dead_before = dead_bytes(compactor);
    pace->all_before = pace->dead_before;
    if (compactor->settings.block != NULL)
        pace->all_before += rk_counter_get(&compactor->settings.block->writer.live_bytes);
}

/* Who woke up here meanwhile goes first, and not when our slice ends. */
void rk_compactor_pace_pause(const struct rk_compactor *compactor)
{
    if (compactor->pace.patience_percent > 0)
        rk_sched_yield();
}

void rk_compactor_pace_rush(struct rk_compactor *compactor, const struct rk_merge_progress *progress)
{
    struct rk_compactor_pace *pace = &compactor->pace;

    pace->begun_ns = rk_time_monotonic_ns();
    pace->seen_requests = count_requests(compactor);
    pace->seen_written = progress->written_bytes;
}

void rk_compactor_pace_begin(struct rk_compactor *compactor, const struct rk_merge_progress *progress)
{
    struct rk_compactor_pace *pace = &compactor->pace;

    pace->patience_percent = rk_merge_policy_patience(pace->all_before, pace->dead_before, dead_bytes(compactor));
    if (pace->patience_percent > 0 && count_requests(compactor) != pace->seen_requests)
        (void)rk_compactor_gate_wait(compactor->gate,
                                     GATE_MAX_NS * pace->patience_percent / 100); /* it goes on, busy or not */
    rk_compactor_pace_rush(compactor, progress);
}

static uint64_t rate_sleep_ns(struct rk_compactor_pace *pace, uint64_t bytes, uint64_t rate_bytes_per_s,
                              uint64_t now_ns)
{
    if (rate_bytes_per_s == 0)
        return 0;
    if (pace->allowed_ns + RATE_BURST_NS < now_ns)
        pace->allowed_ns = now_ns - RATE_BURST_NS;
    pace->allowed_ns += (uint64_t)((double)bytes * (double)RK_NS_PER_S / (double)rate_bytes_per_s);
    return pace->allowed_ns > now_ns ? pace->allowed_ns - now_ns : 0;
}

uint64_t rk_compactor_pace_next(struct rk_compactor *compactor, const struct rk_merge_progress *progress,
                                uint64_t rate_bytes_per_s, bool paced)
{
    struct rk_compactor_pace *pace = &compactor->pace;
    uint64_t now_ns = rk_time_monotonic_ns();
    uint64_t took_ns = now_ns - pace->begun_ns;
    uint64_t sleep_ns = 0;
    uint64_t rate_ns;

    if (paced && count_requests(compactor) != pace->seen_requests)
        sleep_ns = took_ns * (YIELD_PARTS - 1) * pace->patience_percent / 100;
    if (sleep_ns > SLEEP_MAX_NS)
        sleep_ns = SLEEP_MAX_NS;
    rate_ns = rate_sleep_ns(pace, progress->written_bytes - pace->seen_written, rate_bytes_per_s, now_ns);
    return rate_ns > sleep_ns ? rate_ns : sleep_ns;
}

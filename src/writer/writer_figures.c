#include "writer/writer_figures.h"

#include "base/base_time.h"
#include "grace/grace_writer.h"
#include "keydir/keydir_writer.h"
#include "log/log_writer.h"
#include "shm/shm_doorbell.h"
#include "space/space.h"
#include "stats/stats_store.h"

/* How often a disk that was full is looked at, so that writes resume by themselves. */
#define LOOK_FOR_ROOM_NS (100 * RK_NS_PER_MS)

/* Why writes are refused: until a restart, or (all but deletes) while the disk is full. */
static enum rk_err find_refusal(struct rk_writer_figures *figures, struct rk_log_writer *log)
{
    enum rk_err state = rk_log_writer_state(log);
    uint64_t now_ns;

    if (state != RK_OK || !rk_log_writer_is_full(log))
        return state;
    now_ns = rk_time_monotonic_ns();
    if (now_ns - figures->looked_for_room_ns < LOOK_FOR_ROOM_NS)
        return RK_ERR_NO_SPACE;
    figures->looked_for_room_ns = now_ns;
    return rk_log_writer_look_for_room(log) ? RK_ERR_NO_SPACE : RK_OK;
}

void rk_writer_figures_update(struct rk_writer_figures *figures, struct rk_log_writer *log)
{
    struct rk_keydir_usage usage = rk_keydir_writer_usage(figures->keydir);
    struct rk_grace_figures grace = rk_grace_writer_figures(figures->grace);
    struct rk_space_file space = rk_space_total(figures->space);
    struct rk_stats_writer *stats = figures->stats;
    enum rk_err refusal = find_refusal(figures, log);

    rk_counter_set(&stats->keys, usage.n_keys);
    rk_counter_set(&stats->keydir_used_bytes, usage.used_bytes);
    rk_counter_set(&stats->keydir_limbo_bytes, usage.limbo_bytes);
    rk_counter_set(&stats->keydir_max_bytes, usage.max_bytes);
    rk_counter_set(&stats->keydir_pages, usage.n_pages);
    rk_counter_set(&stats->live_bytes, space.bytes[RK_SPACE_LIVE]);
    rk_counter_set(&stats->tombstone_bytes, space.bytes[RK_SPACE_TOMBSTONE]);
    rk_counter_set(&stats->dead_bytes,
                   space.bytes[RK_SPACE_OVERWRITTEN] + space.bytes[RK_SPACE_DELETED] + space.bytes[RK_SPACE_EXPIRED]);
    rk_counter_set(&stats->grace_periods, grace.n_periods);
    rk_counter_set(&stats->grace_last_ns, grace.last_ns);
    rk_counter_set(&stats->grace_max_ns, grace.longest_ns);
    rk_counter_set(&stats->last_sequence, rk_log_writer_last_sequence(log));
    rk_counter_set(&stats->durable_sequence, rk_log_writer_durable_sequence(log));
    rk_counter_set(&stats->refused, (uint64_t)(-(int)refusal));
    if (refusal != figures->refusal) {
        figures->refusal = refusal;
        rk_doorbell_wake(figures->notice_event_fd);
    }
}

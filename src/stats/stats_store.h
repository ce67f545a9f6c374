/* What the store counts: the writer in the master, and the client half in each worker. */
#ifndef RK_STATS_STORE_H
#define RK_STATS_STORE_H

#include "base/base_err.h"
#include "stats/stats_counter.h"

struct rk_stats_writer {
    _Alignas(64) rk_counter puts; /* published */
    rk_counter deletes;
    rk_counter failed;       /* answered with an error */
    rk_counter write_errors; /* batches that could not be written, for any reason */
    rk_counter batches;
    rk_counter syncs;
    rk_counter appended_bytes; /* of what was published */
    rk_counter keys;
    rk_counter keydir_used_bytes;
    rk_counter keydir_limbo_bytes;
    rk_counter keydir_max_bytes;
    rk_counter keydir_pages;
    rk_counter live_bytes; /* of the records of all data files */
    rk_counter dead_bytes; /* overwritten, deleted, or expired at the last look */
    rk_counter tombstone_bytes;
    rk_counter grace_periods;
    rk_counter grace_last_ns;
    rk_counter grace_max_ns;
    rk_counter last_sequence;
    rk_counter durable_sequence;
    /* Why writes are refused, as minus the enum rk_err: RK_ERR_READ_ONLY, all of them until a restart; RK_ERR_NO_SPACE,
     * puts while the disk is full. 0: they are not. Read it by rk_stats_accepted. */
    rk_counter refused;
};

/* Which writes the server takes, for whoever tells people: the diagnostics, /readyz, rackkvctl. */
enum rk_stats_accepted {
    RK_STATS_ACCEPTS_ALL,
    RK_STATS_ACCEPTS_DELETES, /* the disk is full */
    RK_STATS_ACCEPTS_NOTHING, /* until a restart */
};

/* Any process. */
static inline enum rk_stats_accepted rk_stats_accepted(const struct rk_stats_writer *writer)
{
    uint64_t refused = rk_counter_get(&writer->refused);

    if (refused == 0)
        return RK_STATS_ACCEPTS_ALL;
    return refused == (uint64_t)-RK_ERR_NO_SPACE ? RK_STATS_ACCEPTS_DELETES : RK_STATS_ACCEPTS_NOTHING;
}

/* The compactor's. */
struct rk_stats_merge {
    _Alignas(64) rk_counter running; /* 1 or 0 */
    rk_counter done;                 /* merges, by how they ended */
    rk_counter cancelled;
    rk_counter failed;
    rk_counter read_bytes;      /* of data files */
    rk_counter written_bytes;   /* to merged files */
    rk_counter reclaimed_bytes; /* of files that are gone, less what was written */
    rk_counter copied_records;
    rk_counter dropped_records;
    rk_counter expired_records; /* found since the start: by looks, or by the merge itself */
};

struct rk_stats_client {
    _Alignas(64) rk_counter hits;
    rk_counter misses;
    rk_counter disk_reads; /* not in the page cache: a reader thread did it */
    rk_counter corrupt;
    rk_counter read_errors;
    rk_counter ring_full;
};

#endif

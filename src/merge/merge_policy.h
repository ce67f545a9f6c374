/* Which data files to merge, and why not the others. Pure: figures in, verdicts out; no clock, no disk.
 *
 * A merge starts when a file passes a trigger; then all files past a threshold take part, the largest gain first
 * (Bitcask's merge_triggers and merge_thresholds). What a merge can gain of a file is what is overwritten, deleted or
 * expired in it, and its tombstones if every record older than them is in the same merge or gone: a tombstone that is
 * dropped earlier lets deleted keys come back. */
#ifndef RK_MERGE_POLICY_H
#define RK_MERGE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_merge_policy_settings {
    bool enabled;                   /* not merge.policy: never, and inside of the window */
    unsigned trigger_fragmentation; /* percent of the file that is dead */
    uint64_t trigger_dead_bytes;
    unsigned threshold_fragmentation;
    uint64_t threshold_dead_bytes;
    uint64_t threshold_small_file_bytes; /* smaller files take part, so that they become one */
};

/* One sealed data file, or the active one; oldest first. */
struct rk_merge_policy_file {
    uint32_t file_number;
    bool is_active;
    uint64_t file_bytes;
    uint64_t dead_bytes;      /* overwritten, deleted and expired */
    uint64_t tombstone_bytes; /* with those of what has expired that a tombstone in its place would have: not dead */
    uint64_t live_bytes;
    uint64_t first_sequence; /* of its records, tombstones included; UINT64_MAX without any */
    uint64_t last_sequence;
};

enum rk_merge_policy_reason {
    RK_MERGE_TRIGGERED,       /* starts a merge */
    RK_MERGE_FRAGMENTATION,   /* takes part: past threshold.fragmentation */
    RK_MERGE_DEAD_BYTES,      /* takes part: past threshold.dead_bytes */
    RK_MERGE_SMALL_FILE,      /* takes part: below threshold.small_file, and not alone */
    RK_MERGE_TOMBSTONES,      /* takes part: its tombstones can go with this merge */
    RK_MERGE_ALL_DEAD,        /* goes without being copied */
    RK_MERGE_KEEP_ACTIVE,     /* is written to: roll it to make it eligible */
    RK_MERGE_KEEP_LIVE,       /* too little is dead in it */
    RK_MERGE_KEEP_NO_TRIGGER, /* past a threshold, but no file is past a trigger */
    RK_MERGE_KEEP_DISABLED,   /* merge.policy: never, or outside of the window */
    RK_MERGE_N_REASONS,
};

struct rk_merge_policy_verdict {
    enum rk_merge_policy_reason reason;
    bool is_eligible;
    uint64_t gain_bytes; /* what a merge of all eligible files would free here */
};

/* Fills one verdict for each file; returns how many are eligible. */
size_t rk_merge_policy_judge(const struct rk_merge_policy_settings *settings, const struct rk_merge_policy_file *files,
                             size_t n_files, struct rk_merge_policy_verdict *verdicts_out);

/* A word for programs ("fragmentation"), and a sentence for people. Never NULL. */
const char *rk_merge_policy_reason_word(enum rk_merge_policy_reason reason);
const char *rk_merge_policy_reason_text(enum rk_merge_policy_reason reason);

/* How much a merge is to give way to requests, in percent: all the way while it gives back more than dies meanwhile;
 * not at all once the dead bytes have grown by a sixteenth of all bytes that there were when it began. Pure. */
unsigned rk_merge_policy_patience(uint64_t all_bytes_before, uint64_t dead_bytes_before, uint64_t dead_bytes_now);

#endif

/* The compactor: a thread of the master that gives back the space of records that are no longer anybody's newest. What
 * it may do and in which order is in merge.h; when it does it by itself, in merge_policy.h.
 *
 * Every function here may be called by any thread of the master but the writer thread and the compactor's own. None of
 * them waits for a merge. Some wait for a look for what has expired, and say so. */
#ifndef RK_COMPACTOR_H
#define RK_COMPACTOR_H

#include "base/base_err.h"
#include "merge/merge_policy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_detail;
struct rk_grace_region;
struct rk_grace_writer;
struct rk_keydir_writer;
struct rk_log_store;
struct rk_log_writer;
struct rk_stats_block;
struct rk_stats_merge;
struct rk_compactor;
struct rk_space;
struct rk_writer;

#define RK_COMPACTOR_MERGE_HISTORY 32 /* merges that are remembered */

struct rk_compactor_settings {
    struct rk_log_store *store;
    struct rk_log_writer *log;
    struct rk_writer *writer; /* runs: the compactor ends before it */
    struct rk_keydir_writer *keydir;
    struct rk_space *space;
    struct rk_grace_writer *grace; /* with a slot of its own for the compactor, which reads the keydir */
    struct rk_grace_region *grace_region;
    unsigned grace_slot;
    _Atomic uint64_t *files_edition; /* on the board */
    struct rk_stats_merge *stats;
    const struct rk_stats_block *block; /* n_slots workers: who yields must know whether there are requests */
    unsigned n_slots;
    struct rk_merge_policy_settings policy; /* `enabled` is merge.policy; the window is checked on top */
    bool has_window;
    unsigned window_begin_minute, window_end_minute; /* of the local day; the window may go past midnight */
    uint32_t check_interval_ms;
    unsigned jitter_percent;
    uint64_t rate_bytes_per_s; /* of what is copied; 0: no limit but the one that foreground latency sets */
    uint64_t min_free_bytes;   /* of the disk, that a merge leaves alone */
    uint64_t file_size_bytes;
};

enum rk_err rk_compactor_start(struct rk_compactor **compactor_out, const struct rk_compactor_settings *settings,
                               struct rk_detail *detail);

/* A merge that runs is cancelled: nothing of it is left but what it finished. Main thread. NULL inside is fine. */
void rk_compactor_stop(struct rk_compactor **compactor);

struct rk_compactor_merge_request {
    const uint32_t *files; /* exactly these, or with n_files 0: those that the policy finds */
    size_t n_files;
    bool all; /* every file, after rolling the active one */
};

/* Without files, and not all, what has expired is looked for first, for two seconds at most, as for
 * rk_compactor_files. RK_OK and the number of the merge that will run; RK_ERR_BUSY: one is under way;
 * RK_ERR_NOT_FOUND: nothing to merge; RK_ERR_INVALID: a file that is not there, or is the active one; the detail says
 * which. */
enum rk_err rk_compactor_request(struct rk_compactor *compactor, const struct rk_compactor_merge_request *request,
                                 uint64_t *merge_id_out, struct rk_detail *detail);

/* A paused compactor starts nothing, and a merge that runs stands still. Cancel: RK_ERR_NOT_FOUND when none runs. */
void rk_compactor_pause(struct rk_compactor *compactor);
void rk_compactor_resume(struct rk_compactor *compactor);
enum rk_err rk_compactor_cancel(struct rk_compactor *compactor);

/* 0: no limit. `paced`: yields to foreground requests as well. From the next piece on. */
void rk_compactor_set_rate(struct rk_compactor *compactor, uint64_t rate_bytes_per_s, bool paced);

enum rk_compactor_merge_state {
    RK_COMPACTOR_MERGE_WAITING, /* asked for, not begun */
    RK_COMPACTOR_MERGE_RUNNING,
    RK_COMPACTOR_MERGE_DONE,
    RK_COMPACTOR_MERGE_CANCELLED,
    RK_COMPACTOR_MERGE_FAILED,
};

struct rk_compactor_merge_report {
    uint64_t id; /* from 1 on, in the order of their starts; 0: there is none */
    enum rk_compactor_merge_state state;
    bool by_policy;
    uint64_t started_ms; /* wall clock, ms since 1970 */
    uint64_t elapsed_ms;
    uint64_t n_files;     /* that go in */
    uint64_t total_bytes; /* of them */
    uint64_t read_bytes;  /* of these, so far */
    uint64_t written_bytes;
    uint64_t reclaimed_bytes; /* of files that are gone, less what was written */
    uint64_t n_records;       /* copied */
    uint64_t n_dropped;       /* records and tombstones that were not */
    uint64_t n_expired;       /* of these, whose keys were there until then */
    char why[256];            /* of a failure; else "" */
};

/* What is done about a full disk, for which neither policy nor window are asked. */
enum rk_merge_rescue_state {
    RK_MERGE_RESCUE_NONE,    /* it is not full */
    RK_MERGE_RESCUE_WORKING, /* space is given back */
    RK_MERGE_RESCUE_PAUSED,  /* it would be, but merging is paused */
    RK_MERGE_RESCUE_STUCK,   /* nothing is dead that could be given back */
};

struct rk_compactor_status {
    enum rk_merge_rescue_state rescue;
    uint64_t holes_bytes; /* given back by holes since the start */
    bool paused;
    bool paced;
    uint64_t rate_bytes_per_s;
    uint64_t next_check_ms;                   /* until the policy is asked again */
    struct rk_compactor_merge_report current; /* id 0 when none runs or waits */
};

struct rk_compactor_status rk_compactor_status(struct rk_compactor *compactor);

/* The last merges, newest first; returns how many. */
size_t rk_compactor_history(struct rk_compactor *compactor,
                            struct rk_compactor_merge_report reports[RK_COMPACTOR_MERGE_HISTORY]);

/* The disk is full, or not any more: what there is to do should not wait. */
void rk_compactor_hurry(struct rk_compactor *compactor);

/* Every data file with its bytes by column, and what the policy says of it. */
struct rk_compactor_file_report {
    struct rk_merge_policy_file file;
    struct rk_merge_policy_verdict verdict;
    uint64_t n_records[5]; /* by enum rk_space_column */
    uint64_t bytes[5];
    uint64_t frame_bytes;        /* header and trailer */
    uint64_t preallocated_bytes; /* of the active file */
    bool has_hint;
};

/* Has what has expired looked for first, and waits two seconds at most for that; while a merge runs, not at all. RK_OK:
 * the detail says why some of what has expired may still count as live, or "" when none does. RK_ERR_CLOSED: the server
 * ends. The files are allocated; free() them. The columns, frame and preallocated bytes of each file add up to its
 * size.
 */
enum rk_err rk_compactor_files(struct rk_compactor *compactor, struct rk_compactor_file_report **files_out,
                               size_t *n_files_out, struct rk_detail *detail);

/* The server ends: who waits for a look returns at once, now and from now on. */
void rk_compactor_dismiss(struct rk_compactor *compactor);

#endif

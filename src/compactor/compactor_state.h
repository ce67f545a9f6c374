/* What the files of the compactor share; nobody else includes this. From the floor up: compactor_gate.c, _kept.c;
 * compactor_state.c (the lock, the queue of one); compactor_pace.c, _hooks.c; compactor_look.c; compactor_survey.c;
 * compactor_rescue.c; compactor_ask.c (what others ask); compactor.c (the thread). */
#ifndef RK_COMPACTOR_STATE_H
#define RK_COMPACTOR_STATE_H

#include "compactor/compactor.h"
#include "compactor/compactor_gate.h"
#include "compactor/compactor_kept.h"
#include "expire/expire_clock.h"
#include "merge/merge.h"

#include <pthread.h>

/* How fast a merge may go: the thread's own, but for what `mutex` guards of the compactor. */
struct rk_compactor_pace {
    uint64_t begun_ns;      /* of the piece that runs */
    uint64_t seen_requests; /* when it began */
    uint64_t seen_written;  /* bytes of the merge, then */
    uint64_t allowed_ns;    /* by the rate, nothing is written before */
    uint64_t all_before;    /* bytes of all records when the merge began, and the dead ones of them */
    uint64_t dead_before;
    unsigned patience_percent; /* when the piece began */
};

/* What is done about a full disk (compactor_rescue.c): the thread's own, but for is_stuck and freed_bytes,
 * which change under `mutex`. */
struct rk_merge_rescue {
    bool is_active;    /* since the disk is full */
    bool is_merging;   /* the merge in line is a step of it */
    bool has_failed;   /* the last such merge: it had no room */
    bool has_no_holes; /* of any use: the disk gets nothing back for them */
    bool has_rolled;   /* the active file */
    bool is_lent;      /* what puts leave free for merges: of no use then */
    bool is_stuck;     /* the last step gave nothing */
    uint64_t due_ns;   /* the next step, if something is different by then */
    uint64_t due_always_ns;
    uint64_t again_ns; /* for so long it waits for something different; longer each time that it did not help */
    uint64_t seen_dead_bytes; /* after the last step */
    uint64_t seen_free_bytes;
    uint64_t room_bytes;  /* of the disk, when the step began */
    uint64_t freed_bytes; /* by holes, since the start */
};

struct rk_compactor {
    struct rk_compactor_settings settings;
    pthread_t thread;
    struct rk_compactor_pace pace;
    struct rk_expire_clock clock; /* the thread's own */
    struct rk_compactor_gate *gate;
    struct rk_compactor_kept kept; /* the thread's own */
    struct rk_grace_agent *agent;
    struct rk_merge_rescue rescue;

    pthread_mutex_t mutex; /* guards what follows; never held while something is done */
    pthread_cond_t wake;
    bool stopping;
    bool paused;
    bool cancelled;
    bool paced;
    uint64_t rate_bytes_per_s;
    uint64_t looks_wanted; /* for what has expired; the last of them may be under way */
    uint64_t looks_done;
    unsigned n_waiting;       /* for one of them */
    bool doubted_clock;       /* the last look did */
    bool is_dismissed;        /* nobody waits any more */
    char expire_failure[256]; /* of the last look; else "" */
    uint64_t due_ns;          /* the next look whether there is something to merge */
    uint64_t last_id;
    uint32_t *files; /* of the merge that waits or runs */
    struct rk_compactor_merge_report current;
    uint64_t current_begun_ns;
    struct rk_compactor_merge_report history[RK_COMPACTOR_MERGE_HISTORY]; /* by id */
};

/* When the policy is asked again, if it was asked now. */
uint64_t rk_compactor_next_due_ns(const struct rk_compactor *compactor);

void rk_compactor_lock(struct rk_compactor *compactor);
void rk_compactor_unlock(struct rk_compactor *compactor);

/* Locked: waits until it is woken, or until then. */
void rk_compactor_wait_locked(struct rk_compactor *compactor, uint64_t until_ns);

/* Locked: wakes the thread, and who waits for it. */
void rk_compactor_wake_locked(struct rk_compactor *compactor);

/* Locked, the thread itself: looks for what has expired, without the lock. */
void rk_compactor_expire_locked(struct rk_compactor *compactor);

/* Another thread: has the compactor look for what has expired, and waits for it: two seconds at most, and not if a
 * merge runs. Why something may be missing, or "". */
void rk_compactor_look(struct rk_compactor *compactor, struct rk_detail *missing_out);

/* The thread itself: seconds since 1970, by which records go for good. */
uint64_t rk_compactor_now_s(struct rk_compactor *compactor);

/* Puts a merge in line; `files` becomes the compactor's, unless RK_ERR_BUSY: there is one. */
enum rk_err rk_compactor_enqueue(struct rk_compactor *compactor, uint32_t *files, size_t n_files,
                                 uint64_t *merge_id_out);

/* How long the thread should sleep now, having done what the merge says; 0: go on. */
uint64_t rk_compactor_pace_next(struct rk_compactor *compactor, const struct rk_merge_progress *progress,
                                uint64_t rate_bytes_per_s, bool paced);

/* A merge begins, or a piece of a look. */
void rk_compactor_pace_start(struct rk_compactor *compactor);

/* Between two records. */
void rk_compactor_pace_pause(const struct rk_compactor *compactor);

/* The thread goes on after it slept: as soon as a processor is free, if there are requests; but it does go on. */
void rk_compactor_pace_begin(struct rk_compactor *compactor, const struct rk_merge_progress *progress);

/* The same, but that nothing is waited for: somebody waits for the thread. */
void rk_compactor_pace_rush(struct rk_compactor *compactor, const struct rk_merge_progress *progress);

/* Whether a merge may begin at this moment of the local day: from the first minute of merge.window on, up to its last
 * and without that; without a window always. Pure, but for the time zone. */
bool rk_compactor_is_in_window(const struct rk_compactor_settings *settings, uint64_t wall_ms);

/* Whether puts are refused because the disk is full. */
bool rk_compactor_is_full(const struct rk_compactor *compactor);

/* Locked, the thread itself: whether a step of the rescue is due; the step, without the lock: it may put a merge in
 * line. */
bool rk_compactor_wants_rescue_locked(struct rk_compactor *compactor);
void rk_compactor_rescue_locked(struct rk_compactor *compactor);
enum rk_merge_rescue_state rk_compactor_rescue_state_locked(const struct rk_compactor *compactor);

/* What is different about a merge that is a step of the rescue; and that it failed. */
void rk_compactor_adapt_merge(const struct rk_compactor *compactor, struct rk_merge_settings *merge);
void rk_compactor_merge_failed_locked(struct rk_compactor *compactor);

/* After a merge that was a step of it; does nothing after others. Not locked. */
void rk_compactor_rescue_after_merge(struct rk_compactor *compactor);

/* Hooks of whatever the thread runs. */
enum rk_err rk_compactor_on_call(void *context, void (*run)(void *argument), void *argument);
enum rk_err rk_compactor_on_wait_grace(void *context, uint64_t ticket);
bool rk_compactor_on_release(void *context);

enum rk_err rk_compactor_enqueue_locked(struct rk_compactor *compactor, uint32_t *files, size_t n_files,
                                        bool by_policy);

/* Has the active file rolled over, at all costs. */
enum rk_err rk_compactor_roll(struct rk_compactor *compactor, struct rk_detail *detail);

/* As rk_compactor_files, without a look. */
enum rk_err rk_compactor_survey(struct rk_compactor *compactor, bool always,
                                struct rk_compactor_file_report **files_out, size_t *n_files_out,
                                struct rk_detail *detail);

/* The files of a merge that the policy asks for (always: whatever merge.policy says), allocated; n 0: none. */
enum rk_err rk_compactor_choose(struct rk_compactor *compactor, bool always, uint32_t **files_out, size_t *n_files_out,
                                struct rk_detail *detail);

#endif

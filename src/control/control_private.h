/* What the verbs share. Private to src/control. Verbs run on the server's thread or, where they may have to wait, on
 * threads of their own (control_jobs.h): what they share is written before `serving` is set, or guards itself. */
#ifndef RK_CONTROL_PRIVATE_H
#define RK_CONTROL_PRIVATE_H

#include "control/control.h"
#include "control/control_server.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rk_control {
    struct rk_control_settings settings; /* strings of our own */
    struct rk_control_server *server;
    _Atomic bool serving; /* release by the main thread: what follows is set */
    struct rk_log_writer *log;
    struct rk_compactor *compactor;
};

/* A request, as an object; its answer, which begins with "ok". */
typedef json_t *rk_control_verb_fn(struct rk_control *control, const json_t *request);

/* control_verbs.c: looks the request's command up, checks its members, and has it answered. Any thread, for several
 * requests at a time. */
json_t *rk_control_answer(void *control, const json_t *request);

/* Whether the answer may have to wait for something: not on the server's thread, then. */
bool rk_control_may_wait(void *control, const json_t *request);

rk_control_verb_fn rk_control_verb_status; /* control_status.c */
rk_control_verb_fn rk_control_verb_stats;  /* control_stats.c */
rk_control_verb_fn rk_control_verb_roll;   /* control_log.c */
rk_control_verb_fn rk_control_verb_sync;
rk_control_verb_fn rk_control_verb_whereis;
rk_control_verb_fn rk_control_verb_file_list; /* control_files.c */
rk_control_verb_fn rk_control_verb_explain_space;
rk_control_verb_fn rk_control_verb_merge_start; /* control_merge.c */
rk_control_verb_fn rk_control_verb_merge_pause;
rk_control_verb_fn rk_control_verb_merge_resume;
rk_control_verb_fn rk_control_verb_merge_cancel;
rk_control_verb_fn rk_control_verb_merge_status;
rk_control_verb_fn rk_control_verb_merge_history;
rk_control_verb_fn rk_control_verb_merge_rate;

/* control_merge.c: what "merge status" answers. */
json_t *rk_control_show_merging(const struct rk_control *control);

/* control_show.c: the answer to something that failed: the name that programs know the error by, and words. */
json_t *rk_control_refuse_err(enum rk_err err, const char *text);

json_t *rk_control_number(uint64_t number);

#endif

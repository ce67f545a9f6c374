/* From a request to the function that answers it. */
#include "control/control_check.h"
#include "control/control_private.h"

#include "base/base_diag_file.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static json_t *answer_ping(struct rk_control *control, const json_t *request)
{
    bool serving = atomic_load_explicit(&control->serving, memory_order_relaxed);

    return json_pack("{s:b, s:s, s:i}", RK_CONTROL_OK, 1, RK_CONTROL_STATE, serving ? "serving" : "recovering",
                     RK_CONTROL_PID, (int)getpid());
}

static json_t *answer_version(struct rk_control *control, const json_t *request)
{
    return json_pack("{s:b, s:s}", RK_CONTROL_OK, 1, RK_CONTROL_VERSION, PACKAGE_VERSION);
}

/* The main thread does it: the same as an administrator who sends the signal. */
static json_t *answer_reopen(struct rk_control *control, const json_t *request)
{
    if (!rk_diag_file_is_open())
        return rk_control_refuse("invalid",
                                 "messages go to standard error: server.log_file names no file to open again");
    (void)kill(getpid(), SIGUSR1); /* to oneself it cannot fail */
    return json_pack("{s:b, s:s}", RK_CONTROL_OK, 1, RK_CONTROL_LOG_FILE, rk_diag_file_path());
}

static rk_control_verb_fn *const runs[RK_CONTROL_N_VERBS] = {
    [RK_CONTROL_VERB_PING] = answer_ping,
    [RK_CONTROL_VERB_VERSION] = answer_version,
    [RK_CONTROL_VERB_STATUS] = rk_control_verb_status,
    [RK_CONTROL_VERB_STATS] = rk_control_verb_stats,
    [RK_CONTROL_VERB_REOPEN] = answer_reopen,
    [RK_CONTROL_VERB_ROLL] = rk_control_verb_roll,
    [RK_CONTROL_VERB_SYNC] = rk_control_verb_sync,
    [RK_CONTROL_VERB_WHEREIS] = rk_control_verb_whereis,
    [RK_CONTROL_VERB_FILE_LIST] = rk_control_verb_file_list,
    [RK_CONTROL_VERB_EXPLAIN_SPACE] = rk_control_verb_explain_space,
    [RK_CONTROL_VERB_MERGE_START] = rk_control_verb_merge_start,
    [RK_CONTROL_VERB_MERGE_PAUSE] = rk_control_verb_merge_pause,
    [RK_CONTROL_VERB_MERGE_RESUME] = rk_control_verb_merge_resume,
    [RK_CONTROL_VERB_MERGE_CANCEL] = rk_control_verb_merge_cancel,
    [RK_CONTROL_VERB_MERGE_STATUS] = rk_control_verb_merge_status,
    [RK_CONTROL_VERB_MERGE_HISTORY] = rk_control_verb_merge_history,
    [RK_CONTROL_VERB_MERGE_RATE] = rk_control_verb_merge_rate,
};

static json_t *refuse_unknown(const char *name)
{
    const char *meant = rk_control_verb_suggest(name);

    if (meant != NULL)
        return rk_control_refuse("unknown_command", "there is no command '%.60s'; did you mean '%s'?", name, meant);
    return rk_control_refuse("unknown_command", "there is no command '%.60s'; doc/control.md lists them", name);
}

static const char *command_of(const json_t *request)
{
    return json_string_value(json_object_get(request, RK_CONTROL_COMMAND));
}

bool rk_control_may_wait(void *context, const json_t *request)
{
    const char *name = command_of(request);
    enum rk_control_verb_id verb = name != NULL ? rk_control_verb_lookup(name) : RK_CONTROL_N_VERBS;

    return verb != RK_CONTROL_N_VERBS && rk_control_verb_may_wait(verb);
}

json_t *rk_control_answer(void *context, const json_t *request)
{
    struct rk_control *control = context;
    const char *name = command_of(request);
    enum rk_control_verb_id verb;
    json_t *refusal;

    if (name == NULL)
        return rk_control_refuse("usage", "a request names its command, as {\"command\": \"ping\"}");
    verb = rk_control_verb_lookup(name);
    if (verb == RK_CONTROL_N_VERBS)
        return refuse_unknown(name);
    refusal = rk_control_check_members(verb, request);
    if (refusal != NULL)
        return refusal;
    /* Partner: the release store of rk_control_serve. */
    if (!rk_control_verb_answers_while_recovering(verb)
        && !atomic_load_explicit(&control->serving, memory_order_acquire))
        return rk_control_refuse("recovering", "the server is recovering: %s must wait; status says how far it is",
                                 name);
    return runs[verb](control, request);
}

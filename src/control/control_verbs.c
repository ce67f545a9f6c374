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

/* Who answers: a row for each verb. */
#define FUNCTION_TABLE(X)                           \
    X(PING, answer_ping)                            \
    X(VERSION, answer_version)                      \
    X(STATUS, rk_control_verb_status)               \
    X(STATS, rk_control_verb_stats)                 \
    X(REOPEN, answer_reopen)                        \
    X(ROLL, rk_control_verb_roll)                   \
    X(SYNC, rk_control_verb_sync)                   \
    X(WHEREIS, rk_control_verb_whereis)             \
    X(FILE_LIST, rk_control_verb_file_list)         \
    X(EXPLAIN_SPACE, rk_control_verb_explain_space) \
    X(MERGE_START, rk_control_verb_merge_start)     \
    X(MERGE_PAUSE, rk_control_verb_merge_pause)     \
    X(MERGE_RESUME, rk_control_verb_merge_resume)   \
    X(MERGE_CANCEL, rk_control_verb_merge_cancel)   \
    X(MERGE_STATUS, rk_control_verb_merge_status)   \
    X(MERGE_HISTORY, rk_control_verb_merge_history) \
    X(MERGE_RATE, rk_control_verb_merge_rate)

static rk_control_verb_fn *const functions[RK_CONTROL_N_VERBS] = {
#define FUNCTION_OF(verb, function) [RK_CONTROL_VERB_##verb] = (function),
    FUNCTION_TABLE(FUNCTION_OF)
#undef FUNCTION_OF
};

#define PLUS_ONE(verb, function) +1
_Static_assert(FUNCTION_TABLE(PLUS_ONE) == RK_CONTROL_N_VERBS, "each verb has a function");
#undef PLUS_ONE

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
    return functions[verb](control, request);
}

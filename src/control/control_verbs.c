/* The table of requests. */
#include "control/control_private.h"

#include "base/base_diag_file.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct verb {
    const char *name;
    bool while_recovering;
    rk_control_verb_fn *run;
};

static json_t *answer_ping(struct rk_control *control, const json_t *request)
{
    bool serving = atomic_load_explicit(&control->serving, memory_order_relaxed);

    return json_pack("{s:b, s:s, s:i}", "ok", 1, "state", serving ? "serving" : "recovering", "pid", (int)getpid());
}

static json_t *answer_version(struct rk_control *control, const json_t *request)
{
    return json_pack("{s:b, s:s}", "ok", 1, "version", PACKAGE_VERSION);
}

/* The main thread does it: the same as an administrator who sends the signal. */
static json_t *answer_reopen(struct rk_control *control, const json_t *request)
{
    if (!rk_diag_file_is_open())
        return rk_control_refuse("invalid",
                                 "messages go to standard error: server.log_file names no file to open again");
    (void)kill(getpid(), SIGUSR1); /* to oneself it cannot fail */
    return json_pack("{s:b, s:s}", "ok", 1, "log_file", rk_diag_file_path());
}

static const struct verb verbs[] = {
    { "ping", true, answer_ping },
    { "version", true, answer_version },
    { "status", true, rk_control_verb_status },
    { "stats", true, rk_control_verb_stats },
    { "reopen", true, answer_reopen },
    { "roll", false, rk_control_verb_roll },
    { "sync", false, rk_control_verb_sync },
    { "whereis", false, rk_control_verb_whereis },
    { "file list", false, rk_control_verb_file_list },
    { "explain-space", false, rk_control_verb_explain_space },
    { "merge start", false, rk_control_verb_merge_start },
    { "merge pause", false, rk_control_verb_merge_pause },
    { "merge resume", false, rk_control_verb_merge_resume },
    { "merge cancel", false, rk_control_verb_merge_cancel },
    { "merge status", false, rk_control_verb_merge_status },
    { "merge history", false, rk_control_verb_merge_history },
    { "merge rate", false, rk_control_verb_merge_rate },
};

json_t *rk_control_number(uint64_t number)
{
    return json_integer((json_int_t)number);
}

json_t *rk_control_refuse_err(enum rk_err err, const char *text)
{
    const char *name = err == RK_ERR_NOT_FOUND   ? "not_found"
                       : err == RK_ERR_BUSY      ? "busy"
                       : err == RK_ERR_INVALID   ? "invalid"
                       : err == RK_ERR_NO_SPACE  ? "no_space"
                       : err == RK_ERR_READ_ONLY ? "read_only"
                       : err == RK_ERR_CLOSED    ? "stopping"
                                                 : "failed";

    return rk_control_refuse(name, "%s", text[0] != '\0' ? text : rk_err_text(err));
}

static json_t *tell_recovering(const struct rk_control *control, const char *name)
{
    return rk_control_refuse("recovering", "the server is recovering: %s must wait; status says how far it is", name);
}

static json_t *refuse_unknown(const char *name)
{
    return rk_control_refuse("unknown_command", "there is no command '%.60s'", name);
}

json_t *rk_control_answer(void *context, const json_t *request)
{
    struct rk_control *control = context;
    const char *name = json_string_value(json_object_get(request, "command"));

    if (name == NULL)
        return rk_control_refuse("usage", "a request names its command, as {\"command\": \"ping\"}");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) != 0)
            continue;
        /* Partner: the release store of rk_control_serve. */
        if (!verbs[i].while_recovering && !atomic_load_explicit(&control->serving, memory_order_acquire))
            return tell_recovering(control, name);
        return verbs[i].run(control, request);
    }
    return refuse_unknown(name);
}

#include "client/client_admin.h"

#include "base/base_detail.h"
#include "client/client_control.h"

#include <stdio.h>
#include <string.h>

uint64_t rk_client_admin_number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

double rk_client_admin_real(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

const char *rk_client_admin_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

bool rk_client_admin_flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

void rk_client_admin_print_json(const json_t *answer)
{
    (void)json_dumpf(answer, stdout,
                     JSON_COMPACT | JSON_REAL_PRECISION(12)); /* rk_client_finish sees whether it arrived */
    (void)fputc('\n', stdout);
}

enum rk_client_exit rk_client_admin_fail(bool json, enum rk_client_exit code, const char *name, const char *text)
{
    json_t *answer;

    if (!json) {
        fprintf(stderr, "rackkvctl: %s\n", text);
        return code;
    }
    answer = json_pack("{s:b, s:s, s:s}", RK_CONTROL_OK, 0, RK_CONTROL_ERROR, name, RK_CONTROL_DETAIL, text);
    rk_client_admin_print_json(answer);
    json_decref(answer);
    return code;
}

/* The server said no. What it cannot read was sent by another version than its own. */
static enum rk_client_exit report_refusal(const struct rk_client_admin *admin, const json_t *answer)
{
    const char *name = rk_client_admin_text(answer, RK_CONTROL_ERROR);
    bool usage = strcmp(name, "usage") == 0 || strcmp(name, "unknown_command") == 0;

    return rk_client_admin_fail(admin->json, usage ? RK_CLIENT_EXIT_USAGE : RK_CLIENT_EXIT_FAILED, name,
                                rk_client_admin_text(answer, RK_CONTROL_DETAIL));
}

json_t *rk_client_admin_request(enum rk_control_verb_id verb)
{
    static const char *const names[] = {
#define VERB_NAME(id, name, while_recovering, may_wait) [RK_CONTROL_VERB_##id] = name,
        RK_CONTROL_VERB_TABLE(VERB_NAME)
#undef VERB_NAME
    };

    return json_pack("{s:s}", RK_CONTROL_COMMAND, names[verb]);
}

enum rk_client_exit rk_client_admin_ask(const struct rk_client_admin *admin, json_t *request, json_t **answer_out)
{
    struct rk_detail detail = { "out of memory" };
    json_t *answer = NULL;
    enum rk_err err = rk_client_control_ask(admin->control, request, &answer, &detail);
    enum rk_client_exit code = RK_CLIENT_EXIT_DONE;

    json_decref(request);
    if (err == RK_ERR_CLOSED || err == RK_ERR_TIMEOUT || err == RK_ERR_MISMATCH)
        return rk_client_admin_fail(admin->json, RK_CLIENT_EXIT_UNREACHABLE,
                                    err == RK_ERR_TIMEOUT    ? "timeout"
                                    : err == RK_ERR_MISMATCH ? "not_rackkv"
                                                             : "unreachable",
                                    detail.text);
    if (err != RK_OK)
        return rk_client_admin_fail(admin->json, RK_CLIENT_EXIT_FAILED, "failed", detail.text);
    if (!rk_client_admin_flag(answer, RK_CONTROL_OK))
        code = report_refusal(admin, answer);
    if (code == RK_CLIENT_EXIT_DONE)
        *answer_out = answer;
    else
        json_decref(answer);
    return code;
}

enum rk_client_exit rk_client_admin_show(const struct rk_client_admin *admin, json_t *request,
                                         void (*show)(const struct rk_client_admin *admin, const json_t *answer))
{
    json_t *answer;
    enum rk_client_exit code = rk_client_admin_ask(admin, request, &answer);

    if (code != RK_CLIENT_EXIT_DONE)
        return code;
    if (admin->json)
        rk_client_admin_print_json(answer);
    else
        show(admin, answer);
    json_decref(answer);
    return code;
}

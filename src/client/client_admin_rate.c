/* merge rate: how fast a merge may be. */
#include "client/client_admin.h"

#include "base/base_detail.h"
#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

/* A size as merge.rate takes it, with or without "/s" behind it. */
static bool parse_rate(const char *text, uint64_t *bytes_out)
{
    struct rk_conf conf;
    char assignment[64];
    size_t len = strlen(text);
    bool good;

    if (len > 2 && strcmp(text + len - 2, "/s") == 0)
        len -= 2;
    if (len > 32)
        return false;
    (void)snprintf(assignment, sizeof assignment, "merge.rate=%.*s", (int)len, text);
    rk_conf_init(&conf);
    good = rk_conf_override(&conf, assignment, NULL) == RK_OK && conf.merge.rate_bytes > 0;
    *bytes_out = conf.merge.rate_bytes;
    rk_conf_fini(&conf);
    return good;
}

static void show_rate(const struct rk_client_admin *admin, const json_t *answer)
{
    rk_client_admin_print_rate(answer);
}

enum rk_client_exit rk_client_admin_merge_rate(const struct rk_client_admin *admin,
                                               const struct rk_client_admin_words *words)
{
    const char *word = words->n_operands > 0 ? words->operands[0] : NULL;
    json_t *request = rk_client_admin_request(RK_CONTROL_VERB_MERGE_RATE);
    uint64_t bytes = 0;

    if (word != NULL && strcmp(word, "unlimited") != 0 && strcmp(word, RK_CONTROL_PACED) != 0
        && !parse_rate(word, &bytes)) {
        json_decref(request);
        return rk_client_admin_fail(admin->json, RK_CLIENT_EXIT_USAGE, "usage",
                                    "merge rate takes a size for each second (50MiB), or unlimited, or paced");
    }
    if (word != NULL) {
        json_object_set_new(request, RK_CONTROL_BYTES_PER_SECOND, json_integer((json_int_t)bytes));
        json_object_set_new(request, RK_CONTROL_PACED, json_boolean(strcmp(word, "unlimited") != 0));
    }
    return rk_client_admin_show(admin, request, show_rate);
}

/* The verbs of rackkvctl(8): each asks the server, prints what came, and returns the exit code. */
#ifndef RK_CLIENT_ADMIN_H
#define RK_CLIENT_ADMIN_H

#include "client/client_exit.h"
#include "rackkv/control.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rk_client_control;
struct rk_detail;

struct rk_client_admin {
    struct rk_client_control *control;
    bool json;     /* the answers as they came, one line each, errors as well */
    bool exact;    /* sizes in tables with all their digits */
    bool terminal; /* standard output is one */
};

/* What stood behind the verb. */
struct rk_client_admin_words {
    char **operands;
    size_t n_operands;
    bool all;
    bool wait;
};

typedef enum rk_client_exit rk_client_admin_fn(const struct rk_client_admin *admin,
                                               const struct rk_client_admin_words *words);

rk_client_admin_fn rk_client_admin_ping, rk_client_admin_status, rk_client_admin_stats;
rk_client_admin_fn rk_client_admin_roll, rk_client_admin_sync;
rk_client_admin_fn rk_client_admin_reopen;
rk_client_admin_fn rk_client_admin_file_list, rk_client_admin_explain_space, rk_client_admin_whereis;
rk_client_admin_fn rk_client_admin_merge_start, rk_client_admin_merge_pause, rk_client_admin_merge_resume;
rk_client_admin_fn rk_client_admin_merge_cancel, rk_client_admin_merge_status, rk_client_admin_merge_history;
rk_client_admin_fn rk_client_admin_merge_rate;

/* Says what went wrong, and returns the code. `name` is for programs. */
enum rk_client_exit rk_client_admin_fail(bool json, enum rk_client_exit code, const char *name, const char *text);

/* ---- what the verbs share ---- */

/* {"command": the verb}: a new reference, to which members are added. */
json_t *rk_client_admin_request(enum rk_control_verb_id verb);

/* Asks (the request is taken over). DONE with the answer, a new reference; or it was said what is wrong. */
enum rk_client_exit rk_client_admin_ask(const struct rk_client_admin *admin, json_t *request, json_t **answer_out);

/* Asks, and prints the answer: as it came, or by the function. */
enum rk_client_exit rk_client_admin_show(const struct rk_client_admin *admin, json_t *request,
                                         void (*show)(const struct rk_client_admin *admin, const json_t *answer));

void rk_client_admin_print_json(const json_t *answer);
void rk_client_admin_print_rate(const json_t *merging);

/* A member of an answer; 0, "" or false when it is not there. */
uint64_t rk_client_admin_number(const json_t *object, const char *name);
double rk_client_admin_real(const json_t *object, const char *name);
const char *rk_client_admin_text(const json_t *object, const char *name);
bool rk_client_admin_flag(const json_t *object, const char *name);

#endif

/* What may stand in a request, by the tables of rackkv/control.h. Pure; any thread. */
#ifndef RK_CONTROL_CHECK_H
#define RK_CONTROL_CHECK_H

#include "rackkv/control.h"

#include <jansson.h>
#include <stdbool.h>

/* RK_CONTROL_N_VERBS: there is none of that name. */
enum rk_control_verb_id rk_control_verb_lookup(const char *name);
const char *rk_control_verb_name(enum rk_control_verb_id verb);
bool rk_control_verb_answers_while_recovering(enum rk_control_verb_id verb);
bool rk_control_verb_may_wait(enum rk_control_verb_id verb);

/* What was probably meant by a name that is none; NULL: nothing is near. */
const char *rk_control_verb_suggest(const char *wrong);

/* NULL when every member is one of the verb's and has its type; else the refusal, which names the member and says what
 * would be right: a new reference. */
json_t *rk_control_check_members(enum rk_control_verb_id verb, const json_t *request);

#endif

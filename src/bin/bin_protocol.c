#include "bin/bin_protocol.h"

#include "rackkv/control.h"

#include <stdio.h>
#include <string.h>

static const char *const verbs[] = {
#define VERB_NAME(id, name, while_recovering, may_wait) [RK_CONTROL_VERB_##id] = name,
    RK_CONTROL_VERB_TABLE(VERB_NAME)
#undef VERB_NAME
};

static const char *const types[] = {
#define TYPE_TEXT(id, text) [RK_CONTROL_TYPE_##id] = text,
    RK_CONTROL_TYPE_TABLE(TYPE_TEXT)
#undef TYPE_TEXT
};

static const struct {
    enum rk_control_verb_id verb;
    const char *name;
    enum rk_control_type type;
    const char *text;
} members[] = {
#define MEMBER_ROW(verb, name, type, text) { RK_CONTROL_VERB_##verb, name, RK_CONTROL_TYPE_##type, text },
    RK_CONTROL_MEMBER_TABLE(MEMBER_ROW)
#undef MEMBER_ROW
};

void rk_bin_protocol_print(const char *verb)
{
    for (size_t i = 0; i < RK_CONTROL_N_VERBS; i++)
        if (strcmp(verbs[i], verb) == 0)
            printf("\nOn the control socket: {\"" RK_CONTROL_COMMAND "\":\"%s\"}\n", verb);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(verbs[members[i].verb], verb) == 0)
            printf("  \"%s\": %s\n    %s\n", members[i].name, types[members[i].type], members[i].text);
}

#include "control/control_check.h"

#include "base/base_suggest.h"
#include "control/control_server.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct verb {
    const char *name;
    bool while_recovering;
    bool may_wait;
};

struct member {
    enum rk_control_verb_id verb;
    const char *name;
    enum rk_control_type type;
};

static const struct verb verbs[RK_CONTROL_N_VERBS] = {
#define VERB_ENTRY(id, name, while_recovering, may_wait) [RK_CONTROL_VERB_##id] = { name, while_recovering, may_wait },
    RK_CONTROL_VERB_TABLE(VERB_ENTRY)
#undef VERB_ENTRY
};

static const struct member members[] = {
#define MEMBER_ENTRY(verb, name, type, text) { RK_CONTROL_VERB_##verb, name, RK_CONTROL_TYPE_##type },
    RK_CONTROL_MEMBER_TABLE(MEMBER_ENTRY)
#undef MEMBER_ENTRY
};

static const char *const type_texts[] = {
#define TYPE_ENTRY(id, text) [RK_CONTROL_TYPE_##id] = text,
    RK_CONTROL_TYPE_TABLE(TYPE_ENTRY)
#undef TYPE_ENTRY
};

#define N_MEMBERS  (sizeof members / sizeof members[0])
#define LIST_BYTES 160

enum rk_control_verb_id rk_control_verb_lookup(const char *name)
{
    enum rk_control_verb_id verb = RK_CONTROL_VERB_PING;

    while (verb < RK_CONTROL_N_VERBS && strcmp(verbs[verb].name, name) != 0)
        verb++;
    return verb;
}

const char *rk_control_verb_name(enum rk_control_verb_id verb)
{
    return verbs[verb].name;
}

bool rk_control_verb_answers_while_recovering(enum rk_control_verb_id verb)
{
    return verbs[verb].while_recovering;
}

bool rk_control_verb_may_wait(enum rk_control_verb_id verb)
{
    return verbs[verb].may_wait;
}

const char *rk_control_verb_suggest(const char *wrong)
{
    const char *best = NULL;

    for (size_t i = 0; i < RK_CONTROL_N_VERBS; i++)
        best = rk_suggest_better(wrong, verbs[i].name, best);
    return best;
}

static const struct member *lookup_member(enum rk_control_verb_id verb, const char *name)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (members[i].verb == verb && strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

/* "it takes "files", "all"", or that it takes nothing. */
static const char *list_members(enum rk_control_verb_id verb, char list_out[LIST_BYTES])
{
    size_t used = 0;

    (void)snprintf(list_out, LIST_BYTES, "it takes none");
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (members[i].verb == verb)
            used += (size_t)snprintf(list_out + used, LIST_BYTES - used, "%s\"%s\"", used == 0 ? "it takes " : ", ",
                                     members[i].name);
    return list_out;
}

static json_t *refuse_unknown(enum rk_control_verb_id verb, const char *name)
{
    const char *best = NULL;
    char list[LIST_BYTES];

    for (size_t i = 0; i < N_MEMBERS; i++)
        if (members[i].verb == verb)
            best = rk_suggest_better(name, members[i].name, best);
    if (best != NULL)
        return rk_control_refuse("usage", "%s has no member \"%.60s\"; did you mean \"%s\"?", verbs[verb].name, name,
                                 best);
    return rk_control_refuse("usage", "%s has no member \"%.60s\": %s", verbs[verb].name, name,
                             list_members(verb, list));
}

static bool is_file_list(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *number = json_array_get(value, i);

        if (!json_is_integer(number) || json_integer_value(number) <= 0 || json_integer_value(number) > UINT32_MAX)
            return false;
    }
    return json_is_array(value);
}

static bool has_type(const json_t *value, enum rk_control_type type)
{
    switch (type) {
    case RK_CONTROL_TYPE_FLAG:
        return json_is_boolean(value);
    case RK_CONTROL_TYPE_NUMBER:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case RK_CONTROL_TYPE_TEXT:
        return json_is_string(value);
    case RK_CONTROL_TYPE_FILES:
        return is_file_list(value);
    }
    return false;
}

json_t *rk_control_check_members(enum rk_control_verb_id verb, const json_t *request)
{
    const struct member *member;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)request, name, value) /* it is only read: jansson's loop has no const */
    {
        if (strcmp(name, RK_CONTROL_COMMAND) == 0)
            continue;
        member = lookup_member(verb, name);
        if (member == NULL)
            return refuse_unknown(verb, name);
        if (!has_type(value, member->type))
            return rk_control_refuse("usage", "\"%s\" of %s is %s", name, verbs[verb].name, type_texts[member->type]);
    }
    return NULL;
}

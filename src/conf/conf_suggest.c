/* What was probably meant by a name that the table does not have. */
#include "base/base_suggest.h"
#include "conf/conf_table.h"

#include <string.h>

const char *rk_conf_section_suggest(const char *section)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        size_t distance = rk_suggest_distance(section, rk_conf_keys[i].section);

        if (distance < best_distance && rk_suggest_is_close(section, rk_conf_keys[i].section, distance)) {
            best = rk_conf_keys[i].section;
            best_distance = distance;
        }
    }
    return best;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

/* A name of a group may be written without it, or in the wrong one. */
static size_t name_distance(const char *wrong, const char *name)
{
    size_t whole = rk_suggest_distance(wrong, name);
    size_t last = rk_suggest_distance(last_part(wrong), last_part(name));

    if (last == SIZE_MAX)
        return whole;
    last += strchr(wrong, '.') != NULL ? 2 : 0;
    return last < whole ? last : whole;
}

/* The right name in the wrong section is the likeliest mistake; after that, the closest name, of this section first. */
const struct rk_conf_key *rk_conf_key_suggest(const char *section, const char *name)
{
    const struct rk_conf_key *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        const struct rk_conf_key *key = &rk_conf_keys[i];
        size_t distance = name_distance(name, key->name);
        bool here = strcmp(key->section, section) == 0;

        if (!rk_suggest_is_close(name, key->name, distance))
            continue;
        distance = 2 * distance + (here ? 0 : 1);
        if (distance < best_distance) {
            best = key;
            best_distance = distance;
        }
    }
    return best;
}

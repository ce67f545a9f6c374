/* What was probably meant by a name that the table does not have. */
#include "conf/conf_table.h"

#include <string.h>

#define SUGGEST_NAME_MAX 32u

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein distance; names longer than any of ours are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[SUGGEST_NAME_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > SUGGEST_NAME_MAX || b_len > SUGGEST_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];

            row[j] = min_of(diagonal + (a[i - 1] != b[j - 1]), min_of(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b_len];
}

/* Close enough that one was meant for the other: a third of the letters, two at least for names that are not tiny. */
static bool is_close(const char *wrong, const char *name, size_t distance)
{
    size_t len = strlen(name);

    return distance <= (len >= 4 ? min_of(len / 2, 3) : 1) && distance < strlen(wrong);
}

const char *rk_conf_section_suggest(const char *section)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (size_t i = 0; i < RK_CONF_N_KEYS; i++) {
        size_t distance = edit_distance(section, rk_conf_keys[i].section);

        if (distance < best_distance && is_close(section, rk_conf_keys[i].section, distance)) {
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
    size_t whole = edit_distance(wrong, name);
    size_t last = edit_distance(last_part(wrong), last_part(name));

    if (last == SIZE_MAX)
        return whole;
    return min_of(whole, last + (strchr(wrong, '.') != NULL ? 2 : 0));
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

        if (!is_close(name, key->name, distance))
            continue;
        distance = 2 * distance + (here ? 0 : 1);
        if (distance < best_distance) {
            best = key;
            best_distance = distance;
        }
    }
    return best;
}

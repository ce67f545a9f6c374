/* What is accepted is a mapping of sections, each a mapping of keys to scalars or lists of scalars (some keys stand in
 * a mapping within their section), and nothing else. */
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "conf/conf_set.h"
#include "conf/conf_value.h"
#include "conf/conf_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loader {
    struct rk_conf_yaml yaml;
    struct rk_conf *conf;
    size_t section_lines[RK_CONF_N_KEYS]; /* by the section's first row; 0: not seen yet */
    size_t key_lines[RK_CONF_N_KEYS];
    size_t group_lines[RK_CONF_N_KEYS]; /* by the group's first row */
};

/* Which mapping is being read. */
struct place {
    const char *section;
    const char *group; /* NULL: the section itself */
};

#define NAME_BYTES 64u /* longer than any of ours */

static enum rk_err refuse_value(struct loader *loader, const struct rk_conf_key *key, yaml_mark_t mark)
{
    char problem[RK_DETAIL_BYTES];

    (void)snprintf(problem, sizeof problem, "%s", loader->yaml.detail != NULL ? loader->yaml.detail->text : "");
    return rk_conf_yaml_refuse(&loader->yaml, mark, "%s.%s: %s", key->section, key->name, problem);
}

static enum rk_err refuse_type(struct loader *loader, const struct rk_conf_key *key, const char *found)
{
    char allowed[RK_CONF_DESCRIBE_BYTES];

    rk_conf_describe(key, allowed);
    return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark, "%s.%s: this is %s; allowed is %s%s",
                               key->section, key->name, found, allowed, key->type == RK_CONF_LIST ? ": [a, b]" : "");
}

static enum rk_err load_scalar(struct loader *loader, const struct rk_conf_key *key)
{
    if (rk_conf_yaml_is_null(&loader->yaml))
        return refuse_type(loader, key, "empty");
    if (loader->yaml.event.type == YAML_SEQUENCE_START_EVENT)
        return refuse_type(loader, key, "a list");
    if (loader->yaml.event.type == YAML_MAPPING_START_EVENT)
        return refuse_type(loader, key, "a mapping");
    if (rk_conf_set_scalar(loader->conf, key, rk_conf_yaml_text(&loader->yaml), loader->yaml.detail) != RK_OK)
        return refuse_value(loader, key, loader->yaml.event.start_mark);
    return RK_OK;
}

struct items {
    char *texts[RK_CONF_LISTEN_MAX];
    yaml_mark_t marks[RK_CONF_LISTEN_MAX];
    size_t n;
};

/* Up to the end of the sequence. */
static enum rk_err read_items(struct loader *loader, const struct rk_conf_key *key, struct items *items)
{
    for (;;) {
        enum rk_err err = rk_conf_yaml_next(&loader->yaml);

        if (err != RK_OK || loader->yaml.event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (loader->yaml.event.type != YAML_SCALAR_EVENT || rk_conf_yaml_is_null(&loader->yaml))
            return rk_conf_yaml_refuse(
                &loader->yaml, loader->yaml.event.start_mark,
                "%s.%s: an item is %s; what begins with a bracket or has \": \" in it stands in quotes", key->section,
                key->name, rk_conf_yaml_is_null(&loader->yaml) ? "empty" : "not a plain text");
        if (items->n == key->max)
            return refuse_type(loader, key, "one item too many");
        items->marks[items->n] = loader->yaml.event.start_mark;
        items->texts[items->n++] = rk_mem_strdup(rk_conf_yaml_text(&loader->yaml));
    }
}

static enum rk_err load_list(struct loader *loader, const struct rk_conf_key *key)
{
    yaml_mark_t start = loader->yaml.event.start_mark;
    struct items items = { .n = 0 };
    size_t bad_item;
    enum rk_err err;

    if (loader->yaml.event.type != YAML_SEQUENCE_START_EVENT)
        return refuse_type(loader, key,
                           loader->yaml.event.type == YAML_MAPPING_START_EVENT ? "a mapping" : "not a list");
    err = read_items(loader, key, &items);
    if (err == RK_OK) {
        err = rk_conf_set_list(loader->conf, key, (const char *const *)items.texts, items.n, &bad_item,
                               loader->yaml.detail);
        if (err != RK_OK)
            err = refuse_value(loader, key, bad_item < items.n ? items.marks[bad_item] : start);
    }
    for (size_t i = 0; i < items.n; i++)
        free(items.texts[i]);
    return err;
}

/* The name as the table has it: "key", or "group.key". */
static void name_in_place(const struct loader *loader, struct place place, char name_out[NAME_BYTES])
{
    if (place.group == NULL)
        (void)snprintf(name_out, NAME_BYTES, "%.60s",
                       rk_conf_yaml_text(&loader->yaml)); /* what is cut is none of ours */
    else
        (void)snprintf(name_out, NAME_BYTES, "%.20s.%.40s", place.group, rk_conf_yaml_text(&loader->yaml));
}

static enum rk_err refuse_unknown_key(struct loader *loader, struct place place)
{
    const struct rk_conf_key *meant;
    char name[NAME_BYTES], quoted[RK_CONF_QUOTE_BYTES], where[2 * NAME_BYTES];

    name_in_place(loader, place, name);
    meant = rk_conf_key_suggest(place.section, name);
    rk_conf_quote(rk_conf_yaml_text(&loader->yaml), quoted);
    (void)snprintf(where, sizeof where, "%s%s%s", place.section, place.group != NULL ? "." : "",
                   place.group != NULL ? place.group : "");
    if (meant != NULL)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                   "there is no key %s in %s; did you mean %s.%s?", quoted, where, meant->section,
                                   meant->name);
    return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark, "there is no key %s in %s", quoted, where);
}

/* The current event is the key's name: notes that it was seen. */
static enum rk_err note_seen(struct loader *loader, size_t *seen_line, const char *section, const char *name)
{
    if (*seen_line != 0)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                   "%s.%s is there twice: first in line %zu", section, name, *seen_line);
    *seen_line = loader->yaml.event.start_mark.line + 1;
    return RK_OK;
}

static enum rk_err load_value(struct loader *loader, const struct rk_conf_key *key)
{
    enum rk_err err = note_seen(loader, &loader->key_lines[key - rk_conf_keys], key->section, key->name);
    yaml_mark_t mark;

    if (err == RK_OK)
        err = rk_conf_yaml_next(&loader->yaml);
    if (err != RK_OK)
        return err;
    mark = loader->yaml.event.start_mark;
    err = key->type == RK_CONF_LIST ? load_list(loader, key) : load_scalar(loader, key);
    if (err == RK_OK)
        rk_conf_set_origin(loader->conf, key, loader->yaml.name, mark.line + 1, mark.column + 1);
    return err;
}

/* Loads what a mapping holds, up to its end, by a function that is called at each key. */
static enum rk_err load_mapping(struct loader *loader, struct place place,
                                enum rk_err (*load_entry)(struct loader *loader, struct place place))
{
    for (;;) {
        enum rk_err err = rk_conf_yaml_next(&loader->yaml);

        if (err != RK_OK || loader->yaml.event.type == YAML_MAPPING_END_EVENT)
            return err;
        err = load_entry(loader, place);
        if (err != RK_OK)
            return err;
    }
}

static enum rk_err load_grouped_key(struct loader *loader, struct place place)
{
    const struct rk_conf_key *key;
    char name[NAME_BYTES];

    if (loader->yaml.event.type != YAML_SCALAR_EVENT)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark, "a key is a name");
    name_in_place(loader, place, name);
    key = rk_conf_key_lookup(place.section, name);
    return key != NULL ? load_value(loader, key) : refuse_unknown_key(loader, place);
}

/* The rows of a group stand in a mapping of their own. */
static enum rk_err load_group(struct loader *loader, const struct rk_conf_key *first)
{
    char group[NAME_BYTES];
    struct place place = { .section = first->section, .group = group };
    enum rk_err err;

    (void)snprintf(group, sizeof group, "%.*s", (int)rk_conf_group_len(first), first->name);
    err = note_seen(loader, &loader->group_lines[first - rk_conf_keys], first->section, group);
    if (err == RK_OK)
        err = rk_conf_yaml_next(&loader->yaml);
    if (err != RK_OK || rk_conf_yaml_is_null(&loader->yaml)) /* all its keys are commented out */
        return err;
    if (loader->yaml.event.type != YAML_MAPPING_START_EVENT)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                   "%s.%s holds keys of its own: allowed is a mapping of keys to values",
                                   first->section, group);
    return load_mapping(loader, place, load_grouped_key);
}

static enum rk_err load_key(struct loader *loader, struct place place)
{
    const struct rk_conf_key *key, *group;

    if (loader->yaml.event.type != YAML_SCALAR_EVENT)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark, "a key is a name");
    group = rk_conf_group_lookup(place.section, rk_conf_yaml_text(&loader->yaml));
    if (group != NULL)
        return load_group(loader, group);
    key = rk_conf_key_lookup(place.section, rk_conf_yaml_text(&loader->yaml));
    if (key == NULL || rk_conf_group_len(key) > 0) /* "group.key: value" is for the command line */
        return refuse_unknown_key(loader, place);
    return load_value(loader, key);
}

static enum rk_err refuse_unknown_section(struct loader *loader)
{
    const char *name = rk_conf_yaml_text(&loader->yaml);
    const char *meant = rk_conf_section_suggest(name);
    char quoted[RK_CONF_QUOTE_BYTES];

    rk_conf_quote(name, quoted);
    if (meant != NULL)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                   "there is no section %s; did you mean %s?", quoted, meant);
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++)
        if (strcmp(rk_conf_keys[i].name, name) == 0)
            return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                       "there is no section %s; the key %s belongs into %s", quoted, name,
                                       rk_conf_keys[i].section);
    return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark, "there is no section %s", quoted);
}

static enum rk_err load_section(struct loader *loader, struct place none)
{
    const struct rk_conf_key *first = rk_conf_keys;
    const struct rk_conf_key *end = rk_conf_keys + RK_CONF_N_KEYS;
    size_t *seen_line;
    enum rk_err err;

    if (loader->yaml.event.type != YAML_SCALAR_EVENT)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark, "a section is a name");
    while (first < end && strcmp(first->section, rk_conf_yaml_text(&loader->yaml)) != 0)
        first = rk_conf_section_end(first);
    if (first == end)
        return refuse_unknown_section(loader);
    seen_line = &loader->section_lines[first - rk_conf_keys];
    if (*seen_line != 0)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                   "the section %s is there twice: first in line %zu", first->section, *seen_line);
    *seen_line = loader->yaml.event.start_mark.line + 1;
    err = rk_conf_yaml_next(&loader->yaml);
    if (err != RK_OK || rk_conf_yaml_is_null(&loader->yaml)) /* all its keys are commented out */
        return err;
    if (loader->yaml.event.type != YAML_MAPPING_START_EVENT)
        return rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                   "%s is a section: allowed is a mapping of keys to values", first->section);
    return load_mapping(loader, (struct place){ .section = first->section }, load_key);
}

/* The events of a whole stream: at most one document. */
static enum rk_err load_stream(struct loader *loader)
{
    enum rk_err err = rk_conf_yaml_next(&loader->yaml); /* the stream's start */

    if (err == RK_OK)
        err = rk_conf_yaml_next(&loader->yaml); /* the document's, or the stream's end */
    if (err != RK_OK || loader->yaml.event.type == YAML_STREAM_END_EVENT)
        return err;
    err = rk_conf_yaml_next(&loader->yaml);
    if (err != RK_OK)
        return err;
    if (loader->yaml.event.type == YAML_MAPPING_START_EVENT)
        err = load_mapping(loader, (struct place){ .section = NULL }, load_section);
    else if (!rk_conf_yaml_is_null(&loader->yaml))
        err = rk_conf_yaml_refuse(
            &loader->yaml, loader->yaml.event.start_mark,
            "a configuration is a mapping of sections (server, http ...), each a mapping of keys to values");
    if (err == RK_OK)
        err = rk_conf_yaml_next(&loader->yaml); /* the document's end */
    if (err == RK_OK)
        err = rk_conf_yaml_next(&loader->yaml);
    if (err == RK_OK && loader->yaml.event.type != YAML_STREAM_END_EVENT)
        err = rk_conf_yaml_refuse(&loader->yaml, loader->yaml.event.start_mark,
                                  "a second document begins here; a configuration is one");
    return err;
}

enum rk_err rk_conf_load_text(struct rk_conf *conf, const char *name, const char *text, size_t size,
                              struct rk_detail *detail)
{
    struct rk_detail unread; /* refuse_value reads the text back, so there always is one */
    struct loader loader = { .conf = conf,
                             .yaml = { .name = name, .text = text, .detail = detail != NULL ? detail : &unread } };
    enum rk_err err = rk_conf_yaml_open(&loader.yaml, size);

    if (err != RK_OK)
        return err;
    err = load_stream(&loader);
    rk_conf_yaml_close(&loader.yaml);
    return err;
}

/* Prints the effective configuration through libyaml's emitter, which knows what must be quoted. */
#include "base/base_assert.h"
#include "base/base_mem.h"
#include "conf/conf_set.h"
#include "conf/conf_value.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The events are well-formed and small: what can fail is memory, and the stream, whose error is its owner's to see. */
static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int made)
{
    RK_ASSERT(made);
    (void)yaml_emitter_emit(emitter, event);
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;

    emit(emitter, &event,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style));
}

/* A string that would be read as nothing without quotes. */
static void emit_string(yaml_emitter_t *emitter, const char *text)
{
    bool null_word = text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;

    emit_scalar(emitter, text, null_word ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE);
}

static void emit_list(yaml_emitter_t *emitter, char *const *items, size_t n_items)
{
    yaml_event_t event;

    emit(emitter, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE));
    for (size_t i = 0; i < n_items; i++)
        emit_string(emitter, items[i]);
    emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static void emit_value(yaml_emitter_t *emitter, const struct rk_conf *conf, const struct rk_conf_key *key)
{
    char text[RK_CONF_NUMBER_BYTES];

    if (key->type == RK_CONF_STRING)
        emit_string(emitter, *(char **)rk_conf_at(conf, key->offset));
    else if (key->type == RK_CONF_LIST)
        emit_list(emitter, rk_conf_at(conf, key->offset), *(size_t *)rk_conf_at(conf, key->count_offset));
    else {
        rk_conf_number_format(key, rk_conf_get_number(conf, key), text);
        emit_scalar(emitter, text, YAML_ANY_SCALAR_STYLE);
    }
}

static void emit_mapping_start(yaml_emitter_t *emitter)
{
    yaml_event_t event;

    emit(emitter, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

static void emit_mapping_end(yaml_emitter_t *emitter)
{
    yaml_event_t event;

    emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

/* The rows from key on that are in its group, as a mapping within the section; returns the next row. */
static const struct rk_conf_key *emit_group(yaml_emitter_t *emitter, const struct rk_conf *conf,
                                            const struct rk_conf_key *key, const struct rk_conf_key *end)
{
    size_t len = rk_conf_group_len(key);
    char *group = rk_mem_strdup(key->name);
    const struct rk_conf_key *first = key;

    group[len] = '\0';
    emit_string(emitter, group);
    free(group);
    emit_mapping_start(emitter);
    for (; key < end && rk_conf_same_group(key, first); key++) {
        emit_string(emitter, key->name + len + 1);
        emit_value(emitter, conf, key);
    }
    emit_mapping_end(emitter);
    return key;
}

static void emit_keys(yaml_emitter_t *emitter, const struct rk_conf *conf, const struct rk_conf_key *key,
                      const struct rk_conf_key *end)
{
    while (key < end) {
        if (rk_conf_group_len(key) > 0) {
            key = emit_group(emitter, conf, key, end);
            continue;
        }
        emit_string(emitter, key->name);
        emit_value(emitter, conf, key++);
    }
}

static void emit_sections(yaml_emitter_t *emitter, const struct rk_conf *conf)
{
    const struct rk_conf_key *key = rk_conf_keys;

    emit_mapping_start(emitter);
    while (key < rk_conf_keys + RK_CONF_N_KEYS) {
        const struct rk_conf_key *end = rk_conf_section_end(key);

        emit_string(emitter, key->section);
        emit_mapping_start(emitter);
        emit_keys(emitter, conf, key, end);
        emit_mapping_end(emitter);
        key = end;
    }
    emit_mapping_end(emitter);
}

static void emit_all(const struct rk_conf *conf, FILE *out)
{
    yaml_emitter_t emitter;
    yaml_event_t event;

    RK_ASSERT(yaml_emitter_initialize(&emitter));
    yaml_emitter_set_output_file(&emitter, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1); /* never breaks a line */
    emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    emit_sections(&emitter, conf);
    emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
    emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
    yaml_emitter_delete(&emitter);
}

/* What the emitter wrote, with the notes as comments: it has none of its own. It puts each value that is a number on a
 * line "  key: value" of its section, whose line is "section:". */
static void print_noted(const char *text, const struct rk_conf_note *notes, size_t n_notes, FILE *out)
{
    char section[32] = "", name[32] = "";

    for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        (void)fprintf(out, "%.*s", (int)len, text);
        if (sscanf(text, text[0] == ' ' ? "  %31[a-z_]:" : "%31[a-z_]:", text[0] == ' ' ? name : section) == 1)
            for (size_t i = 0; text[0] == ' ' && i < n_notes; i++)
                if (strcmp(notes[i].name[0], section) == 0 && strcmp(notes[i].name[1], name) == 0)
                    (void)fprintf(out, " # %s", notes[i].text);
        (void)fputc('\n', out);
    }
}

void rk_conf_print(const struct rk_conf *conf, const struct rk_conf_note *notes, size_t n_notes, FILE *out)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    RK_ASSERT(memory != NULL);
    emit_all(conf, memory);
    RK_ASSERT(fclose(memory) == 0);
    print_noted(text, notes, n_notes, out);
    free(text);
}

#include "conf/conf_yaml.h"

#include "base/base_detail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum rk_err rk_conf_yaml_refuse(struct rk_conf_yaml *yaml, yaml_mark_t mark, const char *format, ...)
{
    char problem[RK_DETAIL_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    rk_detail_set(yaml->detail, "%s:%zu:%zu: %s", yaml->name, mark.line + 1, mark.column + 1, problem);
    return RK_ERR_INVALID;
}

/* Bytes that are no characters: libyaml knows only their offset then. */
static yaml_mark_t mark_of_offset(const struct rk_conf_yaml *yaml, size_t offset)
{
    yaml_mark_t mark = { .index = offset };

    for (size_t i = 0; i < offset; i++) {
        mark.column++;
        if (yaml->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static enum rk_err refuse_syntax(struct rk_conf_yaml *yaml)
{
    const yaml_parser_t *parser = &yaml->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "it can't be read";

    if (parser->error == YAML_MEMORY_ERROR) {
        rk_detail_set(yaml->detail, "%s: out of memory", yaml->name);
        return RK_ERR_NO_MEMORY;
    }
    if (parser->error == YAML_READER_ERROR)
        return rk_conf_yaml_refuse(yaml, mark_of_offset(yaml, parser->problem_offset), "this is not YAML: %s", problem);
    return rk_conf_yaml_refuse(yaml, parser->problem_mark, "this is not YAML: %s%s%s", problem,
                               parser->context != NULL ? ", " : "", parser->context != NULL ? parser->context : "");
}

const char *rk_conf_yaml_text(const struct rk_conf_yaml *yaml)
{
    return (const char *)yaml->event.data.scalar.value;
}

/* What YAML has and a configuration does not need. */
static enum rk_err check_plain(struct rk_conf_yaml *yaml)
{
    const yaml_event_t *event = &yaml->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return rk_conf_yaml_refuse(yaml, event->start_mark,
                                   "aliases (*name) are not used in a configuration: repeat the value");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        if (strlen(rk_conf_yaml_text(yaml)) != event->data.scalar.length)
            return rk_conf_yaml_refuse(yaml, event->start_mark, "there is a zero byte in the text");
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    if (anchor != NULL)
        return rk_conf_yaml_refuse(yaml, event->start_mark, "anchors (&name) are not used in a configuration");
    if (tag != NULL)
        return rk_conf_yaml_refuse(yaml, event->start_mark, "tags (!name) are not used in a configuration");
    return RK_OK;
}

enum rk_err rk_conf_yaml_next(struct rk_conf_yaml *yaml)
{
    yaml_event_delete(&yaml->event);
    if (yaml_parser_parse(&yaml->parser, &yaml->event) == 0)
        return refuse_syntax(yaml);
    return check_plain(yaml);
}

bool rk_conf_yaml_is_null(const struct rk_conf_yaml *yaml)
{
    const char *text;

    if (yaml->event.type != YAML_SCALAR_EVENT || yaml->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    text = rk_conf_yaml_text(yaml);
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

enum rk_err rk_conf_yaml_open(struct rk_conf_yaml *yaml, size_t size)
{
    if (yaml_parser_initialize(&yaml->parser) == 0) {
        rk_detail_set(yaml->detail, "%s: out of memory", yaml->name);
        return RK_ERR_NO_MEMORY;
    }
    yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)yaml->text, size);
    return RK_OK;
}

void rk_conf_yaml_close(struct rk_conf_yaml *yaml)
{
    yaml_event_delete(&yaml->event);
    yaml_parser_delete(&yaml->parser);
}

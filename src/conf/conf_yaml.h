/* A text as YAML, by libyaml's events and not as a document: each event has its line and column, and aliases are still
 * seen. What a configuration does not need of YAML is refused here; what its events mean is conf_load.c's. */
#ifndef RK_CONF_YAML_H
#define RK_CONF_YAML_H

#include "base/base_err.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct rk_detail;

struct rk_conf_yaml {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *name;   /* of the file */
    const char *text;
    struct rk_detail *detail;
};

/* Begins with the text; name, text and detail are set. RK_ERR_NO_MEMORY. */
enum rk_err rk_conf_yaml_open(struct rk_conf_yaml *yaml, size_t size);
void rk_conf_yaml_close(struct rk_conf_yaml *yaml);

/* The next event. RK_ERR_INVALID and where and why: what is no YAML, an alias, an anchor, a tag, a zero byte. */
enum rk_err rk_conf_yaml_next(struct rk_conf_yaml *yaml);

/* Says what is wrong at the mark, with file, line and column: RK_ERR_INVALID. */
enum rk_err rk_conf_yaml_refuse(struct rk_conf_yaml *yaml, yaml_mark_t mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The text of the current event, which is a scalar. */
const char *rk_conf_yaml_text(const struct rk_conf_yaml *yaml);

/* Whether it is nothing, `~` or `null` without quotes. */
bool rk_conf_yaml_is_null(const struct rk_conf_yaml *yaml);

#endif

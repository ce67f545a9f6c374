#include "client/client_fields.h"

#include "base/base_detail.h"
#include "base/base_mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 255
#define SHOWN          80 /* bytes of a mistake that are shown */

/* RFC 9110 section 5.6.2. */
static bool is_token(struct rk_client_bytes name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    const char *text = name.bytes;

    for (size_t i = 0; i < name.size; i++) {
        bool is_alnum = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'z')
                        || (text[i] >= 'A' && text[i] <= 'Z');

        if (!is_alnum && (text[i] == '\0' || strchr(marks, text[i]) == NULL))
            return false;
    }
    return name.size > 0 && name.size <= NAME_MAX_BYTES;
}

/* Section 5.5: what ends a line would begin another field. */
static bool is_value(struct rk_client_bytes value)
{
    const unsigned char *bytes = value.bytes;

    for (size_t i = 0; i < value.size; i++)
        if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f)
            return false;
    return true;
}

static enum rk_err add_line(struct rk_client_fields *fields, const char *prefix, struct rk_client_bytes name,
                            struct rk_client_bytes value)
{
    size_t size = strlen(prefix) + name.size + value.size + 3;
    char *line = rk_mem_calloc(1, size);

    (void)snprintf(line, size, "%s%.*s%s%.*s", prefix, (int)name.size, (const char *)name.bytes,
                   value.size > 0 ? ": " : ";", (int)value.size, value.size > 0 ? (const char *)value.bytes : "");
    fields->lines[fields->n++] = line;
    return RK_OK;
}

enum rk_err rk_client_fields_add_named(struct rk_client_fields *fields, const char *what, const char *prefix,
                                       struct rk_client_bytes name, struct rk_client_bytes value,
                                       struct rk_detail *detail)
{
    if (!is_token(name)) {
        rk_detail_set(detail, "%s: '%.*s' is no name of a field; it has letters, digits and -._ only", what,
                      (int)(name.size < SHOWN ? name.size : SHOWN), name.size > 0 ? (const char *)name.bytes : "");
        return RK_ERR_INVALID;
    }
    if (!is_value(value)) {
        rk_detail_set(detail,
                      "%s: the value has a byte that a header cannot carry (a line end, or another control "
                      "character)",
                      what);
        return RK_ERR_INVALID;
    }
    if (fields->n == RK_CLIENT_FIELDS_MAX || value.size > 65535) {
        rk_detail_set(detail, "%s: more than a request can carry (%d fields, of 65535 bytes each)", what,
                      RK_CLIENT_FIELDS_MAX);
        return RK_ERR_LIMIT;
    }
    return add_line(fields, prefix, name, value);
}

enum rk_err rk_client_fields_add(struct rk_client_fields *fields, const char *what, const char *name,
                                 struct rk_client_bytes value, struct rk_detail *detail)
{
    return rk_client_fields_add_named(fields, what, "", (struct rk_client_bytes){ name, strlen(name) }, value, detail);
}

const char *rk_client_fields_get(const struct rk_client_fields *fields, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < fields->n; i++) {
        const char *line = fields->lines[i];

        if (strncasecmp(line, name, len) == 0 && (line[len] == ':' || line[len] == ';'))
            return line[len] == ':' ? line + len + 2 : "";
    }
    return NULL;
}

void rk_client_fields_fini(struct rk_client_fields *fields)
{
    for (size_t i = 0; i < fields->n; i++)
        free(fields->lines[i]);
    fields->n = 0;
}

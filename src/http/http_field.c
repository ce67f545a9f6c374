#include "http/http_field.h"

#include <string.h>
#include <strings.h>

#define OWN_PREFIX "RackKV-"

static const struct {
    const char *name;
    size_t len;
} names[RK_HTTP_N_FIELDS] = {
#define NAME_ENTRY(id, name) { name, sizeof(name) - 1 },
    RK_HTTP_FIELD_TABLE(NAME_ENTRY)
#undef NAME_ENTRY
};

static bool begins_with(const char *name, size_t len, const char *start, size_t start_len)
{
    return len >= start_len && strncasecmp(name, start, start_len) == 0;
}

enum rk_http_field_id rk_http_field_recognise(const char *name, size_t len)
{
    const size_t meta_len = names[RK_HTTP_FIELD_META].len;

    for (enum rk_http_field_id id = 0; id < RK_HTTP_FIELD_META; id++)
        if (names[id].len == len && (*name | 0x20) == (*names[id].name | 0x20)
            && strncasecmp(name, names[id].name, len) == 0)
            return id;
    if (!begins_with(name, len, OWN_PREFIX, strlen(OWN_PREFIX)))
        return RK_HTTP_FIELD_OTHER;
    return begins_with(name, len, names[RK_HTTP_FIELD_META].name, meta_len) ? RK_HTTP_FIELD_META
                                                                            : RK_HTTP_FIELD_UNKNOWN_OWN;
}

const char *rk_http_field_name(enum rk_http_field_id id)
{
    return names[id].name;
}

static void add_line(struct rk_http_fields *fields, enum rk_http_field_id id, struct rk_http_span value,
                     struct rk_http_line *line)
{
    *line = (struct rk_http_line){ value, NULL };
    if (fields->first[id] == NULL)
        fields->first[id] = line;
    else
        fields->last[id]->next = line;
    fields->last[id] = line;
    fields->given |= UINT32_C(1) << id;
}

bool rk_http_field_take(struct rk_http_fields *fields, struct rk_http_span name, struct rk_http_span value,
                        struct rk_http_line *line)
{
    enum rk_http_field_id id = rk_http_field_find(name.at, name.len);

    if (id == RK_HTTP_FIELD_UNKNOWN_OWN && fields->unknown.at == NULL)
        fields->unknown = name;
    if (id >= RK_HTTP_N_FIELDS)
        return false;
    if (id == RK_HTTP_FIELD_META && name.len > strlen(RK_HTTP_FIELD_WHOLE))
        value = (struct rk_http_span){ name.at, (size_t)(value.at + value.len - name.at) };
    add_line(fields, id, value, line);
    return true;
}

#include "http/http_metadata.h"

#include "base/base_bytes.h"
#include "http/http_text.h"

#include <strings.h>

#define ITEM_HEADER 3
#define TAG_OWN     (RK_HTTP_N_STORED + 1)
#define PREFIX_LEN  (sizeof RK_HTTP_OWN_PREFIX - 1)

_Static_assert(RK_HTTP_METADATA_MAX <= UINT16_MAX, "a record has room for it");

/* Fields that are lists may have several lines. */
static const struct {
    const char *name;
    bool is_list;
} fields[RK_HTTP_N_STORED] = {
    [RK_HTTP_CONTENT_TYPE] = { "Content-Type", false },
    [RK_HTTP_CONTENT_ENCODING] = { "Content-Encoding", true },
    [RK_HTTP_CACHE_CONTROL] = { "Cache-Control", true },
    [RK_HTTP_CONTENT_DISPOSITION] = { "Content-Disposition", false },
    [RK_HTTP_CONTENT_LANGUAGE] = { "Content-Language", true },
};

const char *rk_http_metadata_name(enum rk_http_stored field)
{
    return fields[field].name;
}

static bool is_value(struct rk_http_span value)
{
    return rk_http_text_skip_value(value.at, value.at + value.len) == value.at + value.len;
}

/* The prefix and something behind it; no byte that could end a name. */
static bool is_own_name(struct rk_http_span name)
{
    if (name.len <= PREFIX_LEN || name.len > RK_HTTP_METADATA_NAME_MAX
        || strncasecmp(name.at, RK_HTTP_OWN_PREFIX, PREFIX_LEN) != 0)
        return false;
    for (size_t i = PREFIX_LEN; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f || name.at[i] == ':')
            return false;
    return true;
}

/* ---- writing ---- */

static enum rk_err put_lines(const struct rk_http_line *lines, uint8_t *out, size_t *len_ref)
{
    size_t len = 0;

    for (const struct rk_http_line *line = lines; line != NULL; line = line->next) {
        size_t comma = len > 0 ? 2 : 0;

        if (line->value.len == 0)
            continue;
        if (line->value.len + comma > RK_HTTP_METADATA_VALUE_MAX - len)
            return RK_ERR_TOO_LARGE;
        if (!is_value(line->value))
            return RK_ERR_INVALID;
        memcpy(out + len, ", ", comma);
        memcpy(out + len + comma, line->value.at, line->value.len);
        len += comma + line->value.len;
    }
    *len_ref = len;
    return RK_OK;
}

static enum rk_err put_stored(enum rk_http_stored field, const struct rk_http_line *lines, uint8_t **at)
{
    size_t len = 0;
    enum rk_err err;

    if (lines == NULL)
        return RK_OK;
    if (lines->next != NULL && !fields[field].is_list)
        return RK_ERR_INVALID;
    err = put_lines(lines, *at + ITEM_HEADER, &len);
    if (err != RK_OK || len == 0)
        return err;
    (*at)[0] = (uint8_t)(field + 1);
    rk_bytes_store16(*at + 1, (uint16_t)len);
    *at += ITEM_HEADER + len;
    return RK_OK;
}

enum rk_err rk_http_metadata_encode_type(struct rk_http_span type, uint8_t *out, size_t *len_out)
{
    if (type.len > RK_HTTP_METADATA_VALUE_MAX)
        return RK_ERR_TOO_LARGE;
    if (!is_value(type))
        return RK_ERR_INVALID;
    *len_out = type.len > 0 ? ITEM_HEADER + type.len : 0;
    if (type.len == 0)
        return RK_OK;
    out[0] = RK_HTTP_CONTENT_TYPE + 1;
    rk_bytes_store16(out + 1, (uint16_t)type.len);
    memcpy(out + ITEM_HEADER, type.at, type.len);
    return RK_OK;
}

/* "RackKV-Meta-Owner: me": the value has no white space around it. */
static bool split_line(struct rk_http_span line, struct rk_http_span *name_out, struct rk_http_span *value_out)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct rk_http_span value;

    if (colon == NULL)
        return false;
    *name_out = (struct rk_http_span){ line.at, (size_t)(colon - line.at) };
    value = (struct rk_http_span){ colon + 1, line.len - name_out->len - 1 };
    while (value.len > 0 && (*value.at == ' ' || *value.at == '\t')) {
        value.at++;
        value.len--;
    }
    *value_out = value;
    return is_own_name(*name_out) && is_value(value);
}

/* `left`: bytes that names and values may still have. */
static enum rk_err put_own_line(struct rk_http_span line, uint8_t **at, size_t *left)
{
    struct rk_http_span name, value;
    size_t counted;

    if (!split_line(line, &name, &value))
        return RK_ERR_INVALID;
    counted = name.len - PREFIX_LEN + value.len;
    if (counted > *left)
        return RK_ERR_TOO_LARGE;
    *left -= counted;
    (*at)[0] = (uint8_t)name.len;
    rk_bytes_store16(*at + 1, (uint16_t)value.len);
    *at = mempcpy(*at + ITEM_HEADER, name.at, name.len);
    *at = mempcpy(*at, value.at, value.len);
    return RK_OK;
}

static enum rk_err put_own(const struct rk_http_line *lines, uint8_t **at, struct rk_http_span *wrong_out)
{
    uint8_t *item = *at, *end = *at + ITEM_HEADER;
    size_t left = RK_HTTP_METADATA_VALUE_MAX, n_fields = 0;

    if (lines == NULL)
        return RK_OK;
    for (const struct rk_http_line *line = lines; line != NULL; line = line->next) {
        enum rk_err err =
            ++n_fields > RK_HTTP_METADATA_OWN_FIELDS_MAX ? RK_ERR_TOO_LARGE : put_own_line(line->value, &end, &left);

        if (err == RK_OK)
            continue;
        *wrong_out = (struct rk_http_span){ RK_HTTP_OWN_PREFIX "*", PREFIX_LEN + 1 };
        return err;
    }
    item[0] = TAG_OWN;
    rk_bytes_store16(item + 1, (uint16_t)(end - item - ITEM_HEADER));
    *at = end;
    return RK_OK;
}

enum rk_err rk_http_metadata_encode(const struct rk_http_metadata_lines *lines, uint8_t *out, size_t *len_out,
                                    struct rk_http_span *wrong_out)
{
    uint8_t *at = out;
    enum rk_err err;

    for (enum rk_http_stored field = 0; field < RK_HTTP_N_STORED; field++) {
        err = put_stored(field, lines->stored[field], &at);
        if (err == RK_OK)
            continue;
        *wrong_out = (struct rk_http_span){ fields[field].name, strlen(fields[field].name) };
        return err;
    }
    err = put_own(lines->own, &at, wrong_out);
    if (err == RK_OK)
        *len_out = (size_t)(at - out);
    return err;
}

/* ---- reading ---- */

/* Whether the list of own fields adds up, and each could be sent. */
static bool is_own(struct rk_http_span own)
{
    struct rk_http_span name, value;

    if (own.len == 0)
        return false;
    while (own.len > 0)
        if (!rk_http_metadata_next_own(&own, &name, &value) || !is_own_name(name) || !is_value(value))
            return false;
    return true;
}

static bool get_item(struct rk_http_metadata *metadata, unsigned tag, struct rk_http_span value)
{
    if (tag > TAG_OWN)
        return true;
    if (tag == TAG_OWN) {
        metadata->own = value;
        return value.len <= RK_HTTP_METADATA_OWN_BYTES && is_own(value);
    }
    metadata->stored[tag - 1] = value;
    return value.len <= RK_HTTP_METADATA_VALUE_MAX && is_value(value);
}

enum rk_err rk_http_metadata_decode(const uint8_t *bytes, size_t len, struct rk_http_metadata *metadata_out)
{
    struct rk_http_metadata metadata = { .own = { NULL, 0 } };
    unsigned last_tag = 0;

    while (len > 0) {
        size_t value_len;

        if (len < ITEM_HEADER || bytes[0] <= last_tag)
            return RK_ERR_CORRUPT;
        last_tag = bytes[0];
        value_len = rk_bytes_load16(bytes + 1);
        if (value_len > len - ITEM_HEADER
            || !get_item(&metadata, last_tag, (struct rk_http_span){ (const char *)bytes + ITEM_HEADER, value_len }))
            return RK_ERR_CORRUPT;
        bytes += ITEM_HEADER + value_len;
        len -= ITEM_HEADER + value_len;
    }
    *metadata_out = metadata;
    return RK_OK;
}

bool rk_http_metadata_next_own(struct rk_http_span *own, struct rk_http_span *name_out, struct rk_http_span *value_out)
{
    size_t name_len, value_len;
    const char *at = own->at;

    if (own->len < ITEM_HEADER)
        return false;
    name_len = (unsigned char)at[0];
    value_len = rk_bytes_load16(at + 1);
    if (name_len + value_len > own->len - ITEM_HEADER)
        return false;
    *name_out = (struct rk_http_span){ at + ITEM_HEADER, name_len };
    *value_out = (struct rk_http_span){ at + ITEM_HEADER + name_len, value_len };
    *own = (struct rk_http_span){ value_out->at + value_len, own->len - ITEM_HEADER - name_len - value_len };
    return true;
}

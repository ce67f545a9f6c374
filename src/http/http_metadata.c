#include "http/http_metadata.h"

#include "base/base_bytes.h"
#include "http/http_text.h"

#include <stdbool.h>

#define ITEM_HEADER 3

enum tag { TAG_CONTENT_TYPE = 1, TAG_CONTENT_ENCODING = 2 };

static bool is_header_value(const char *at, size_t len)
{
    return rk_http_text_skip_value(at, at + len) == at + len;
}

static enum rk_err put_item(uint8_t **at, enum tag tag, const char *value, size_t len)
{
    if (value == NULL)
        return RK_OK;
    if (len > RK_HTTP_METADATA_VALUE_MAX)
        return RK_ERR_TOO_LARGE;
    if (!is_header_value(value, len))
        return RK_ERR_INVALID;
    (*at)[0] = (uint8_t)tag;
    rk_bytes_store16(*at + 1, (uint16_t)len);
    memcpy(*at + ITEM_HEADER, value, len);
    *at += ITEM_HEADER + len;
    return RK_OK;
}

enum rk_err rk_http_metadata_encode(const struct rk_http_metadata *metadata, uint8_t *out, size_t *len_out)
{
    uint8_t *at = out;
    enum rk_err err = put_item(&at, TAG_CONTENT_TYPE, metadata->content_type, metadata->content_type_len);

    if (err == RK_OK)
        err = put_item(&at, TAG_CONTENT_ENCODING, metadata->content_encoding, metadata->content_encoding_len);
    if (err == RK_OK)
        *len_out = (size_t)(at - out);
    return err;
}

static bool get_item(struct rk_http_metadata *metadata, unsigned tag, const char *value, size_t len)
{
    if (tag != TAG_CONTENT_TYPE && tag != TAG_CONTENT_ENCODING)
        return true;
    if (len > RK_HTTP_METADATA_VALUE_MAX || !is_header_value(value, len))
        return false;
    if (tag == TAG_CONTENT_TYPE) {
        metadata->content_type = value;
        metadata->content_type_len = len;
    } else {
        metadata->content_encoding = value;
        metadata->content_encoding_len = len;
    }
    return true;
}

enum rk_err rk_http_metadata_decode(const uint8_t *bytes, size_t len, struct rk_http_metadata *metadata_out)
{
    struct rk_http_metadata metadata = { NULL, 0, NULL, 0 };
    unsigned last_tag = 0;

    while (len > 0) {
        size_t value_len;

        if (len < ITEM_HEADER || bytes[0] <= last_tag)
            return RK_ERR_CORRUPT;
        last_tag = bytes[0];
        value_len = rk_bytes_load16(bytes + 1);
        if (value_len > len - ITEM_HEADER
            || !get_item(&metadata, last_tag, (const char *)bytes + ITEM_HEADER, value_len))
            return RK_ERR_CORRUPT;
        bytes += ITEM_HEADER + value_len;
        len -= ITEM_HEADER + value_len;
    }
    *metadata_out = metadata;
    return RK_OK;
}

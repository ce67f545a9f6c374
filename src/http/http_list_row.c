#include "http/http_list_row.h"

#include "http/http_json.h"
#include "http/http_metadata.h"

#include <strings.h>

static const char *const stored_names[RK_HTTP_N_STORED] = {
    [RK_HTTP_CONTENT_TYPE] = "content_type",         [RK_HTTP_CONTENT_ENCODING] = "content_encoding",
    [RK_HTTP_CACHE_CONTROL] = "cache_control",       [RK_HTTP_CONTENT_DISPOSITION] = "content_disposition",
    [RK_HTTP_CONTENT_LANGUAGE] = "content_language",
};

static void add_string(struct rk_list_buffer *out, struct rk_http_span text)
{
    rk_http_json_string(out, (const uint8_t *)text.at, text.len);
}

/* ---- RackKV-Meta-* ---- */

static struct rk_http_span name_behind_prefix(struct rk_http_span name)
{
    size_t len = sizeof RK_HTTP_OWN_PREFIX - 1;

    return (struct rk_http_span){ name.at + len, name.len - len };
}

static bool is_same_name(struct rk_http_span a, struct rk_http_span b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

/* Whether one before it has the name as well. */
static bool came_before(struct rk_http_span own, struct rk_http_span name)
{
    struct rk_http_span other, value;

    while (rk_http_metadata_next_own(&own, &other, &value) && other.at != name.at)
        if (is_same_name(other, name))
            return true;
    return false;
}

/* All values of a name that comes more than once, as one (RFC 9110 section 5.3). */
static void add_values(struct rk_list_buffer *out, struct rk_http_span own, struct rk_http_span name)
{
    struct rk_list_buffer joined = { .len = 0 };
    struct rk_http_span other, value;

    while (rk_http_metadata_next_own(&own, &other, &value)) {
        if (!is_same_name(other, name))
            continue;
        if (joined.len > 0)
            rk_http_json_raw(&joined, ", ");
        rk_list_buffer_append(&joined, value.at, value.len);
    }
    rk_http_json_string(out, joined.bytes, joined.len);
    rk_list_buffer_fini(&joined);
}

static void add_own(struct rk_list_buffer *out, struct rk_http_span all)
{
    struct rk_http_span rest = all, name, value;
    const char *separator = ",\"meta\":{";

    while (rk_http_metadata_next_own(&rest, &name, &value)) {
        if (came_before(all, name))
            continue;
        rk_http_json_raw(out, separator);
        add_string(out, name_behind_prefix(name));
        rk_http_json_raw(out, ":");
        add_values(out, all, name);
        separator = ",";
    }
    if (all.len > 0)
        rk_http_json_raw(out, "}");
}

/* ---- all of it ---- */

static enum rk_err add_metadata(struct rk_list_buffer *out, struct rk_list_span bytes)
{
    struct rk_http_metadata metadata;

    if (bytes.len == 0)
        return RK_OK;
    if (rk_http_metadata_decode(bytes.at, bytes.len, &metadata) != RK_OK)
        return RK_ERR_CORRUPT;
    for (int field = 0; field < RK_HTTP_N_STORED; field++) {
        if (metadata.stored[field].len == 0)
            continue;
        rk_http_json_raw(out, ",\"");
        rk_http_json_raw(out, stored_names[field]);
        rk_http_json_raw(out, "\":");
        add_string(out, metadata.stored[field]);
    }
    add_own(out, metadata.own);
    return RK_OK;
}

enum rk_err rk_http_list_row(struct rk_list_buffer *out, const struct rk_list_item *item, bool with_value)
{
    rk_http_json_raw(out, "{");
    rk_http_json_member(out, "key", item->key.at, item->key.len);
    rk_http_json_raw(out, ",\"size\":");
    rk_http_json_number(out, item->value_len);
    rk_http_json_raw(out, ",\"etag\":\"\\\"");
    rk_http_json_number(out, item->sequence);
    rk_http_json_raw(out, "\\\"\",\"seq\":");
    rk_http_json_number(out, item->sequence);
    rk_http_json_raw(out, ",\"expires\":");
    if (item->expiry_ms == 0)
        rk_http_json_raw(out, "null");
    else
        rk_http_json_number(out, (item->expiry_ms + 999) / 1000); /* the first second at which it is surely gone */
    if (with_value)
        return add_metadata(out, item->metadata);
    rk_http_json_raw(out, "}");
    return RK_OK;
}

void rk_http_list_row_value(struct rk_list_buffer *out, struct rk_list_span value)
{
    rk_http_json_raw(out, ",");
    rk_http_json_member(out, "value", value.at, value.len);
    rk_http_json_raw(out, "}");
}

void rk_http_list_row_large_begin(struct rk_list_buffer *out, struct rk_http_list_large *large)
{
    large->n_left = 0;
    rk_http_json_raw(out, ",\"value64\":\"");
}

void rk_http_list_row_large_piece(struct rk_list_buffer *out, struct rk_http_list_large *large,
                                  struct rk_list_span piece)
{
    size_t n_whole;

    while (large->n_left > 0 && large->n_left < 3 && piece.len > 0) {
        large->left[large->n_left++] = *piece.at++;
        piece.len--;
    }
    if (large->n_left == 3) {
        rk_http_json_base64(out, large->left, 3);
        large->n_left = 0;
    }
    if (large->n_left > 0)
        return;
    n_whole = piece.len / 3 * 3;
    rk_http_json_base64(out, piece.at, n_whole);
    large->n_left = piece.len - n_whole;
    memcpy(large->left, piece.at + n_whole, large->n_left);
}

void rk_http_list_row_large_end(struct rk_list_buffer *out, struct rk_http_list_large *large)
{
    rk_http_json_base64(out, large->left, large->n_left);
    rk_http_json_raw(out, "\"}");
}

#include "client/client_item.h"

#include "base/base_detail.h"
#include "base/base_suggest.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct member;

typedef enum rk_err take_fn(struct rk_client_item *item, const struct member *member, const json_t *value,
                            struct rk_detail *detail);

static take_fn take_text, take_base64, take_ttl, take_expires, take_field, take_meta, take_listed, pass_over;

static const struct member {
    const char *name;
    take_fn *take;
    const char *field; /* the field of the PUT that it becomes */
} members[] = {
    { "key", take_text, NULL },
    { "key64", take_base64, NULL },
    { "value", take_text, NULL },
    { "value64", take_base64, NULL },
    { "ttl", take_ttl, "RackKV-TTL" },
    { "expires", take_expires, "RackKV-Expires" },
    { "content_type", take_field, "Content-Type" },
    { "content_encoding", take_field, "Content-Encoding" },
    { "cache_control", take_field, "Cache-Control" },
    { "content_disposition", take_field, "Content-Disposition" },
    { "content_language", take_field, "Content-Language" },
    { "meta", take_meta, "RackKV-Meta-" },
    { "seq", take_listed, NULL },
    { "etag", take_listed, NULL },
    { "size", pass_over, NULL },
};

#define N_MEMBERS (sizeof members / sizeof members[0])

static enum rk_err refuse(const char *name, const char *right, struct rk_detail *detail)
{
    rk_detail_set(detail, "\"%s\" is %s", name, right);
    return RK_ERR_INVALID;
}

static struct rk_client_bytes bytes_of(const json_t *string)
{
    return (struct rk_client_bytes){ json_string_value(string), json_string_length(string) };
}

/* ---- keys and values ---- */

/* Key or value: whether it has not been said before, in whichever of its two forms. */
static enum rk_err choose_buffer(struct rk_client_item *item, const struct member *member,
                                 struct rk_client_buffer **buffer_out, struct rk_detail *detail)
{
    bool is_key = strncmp(member->name, "key", 3) == 0;
    bool *has = is_key ? &item->has_key : &item->has_value;

    if (*has)
        return refuse(member->name, "there twice, as text and as base64", detail);
    *has = true;
    *buffer_out = is_key ? &item->key : &item->value;
    return RK_OK;
}

static enum rk_err fill(struct rk_client_buffer *buffer, struct rk_client_bytes bytes, struct rk_detail *detail)
{
    if (rk_client_buffer_append(buffer, bytes.bytes, bytes.size))
        return RK_OK;
    rk_detail_set(detail, "out of memory");
    return RK_ERR_NO_MEMORY;
}

static enum rk_err take_text(struct rk_client_item *item, const struct member *member, const json_t *value,
                             struct rk_detail *detail)
{
    struct rk_client_buffer *buffer;

    if (!json_is_string(value))
        return refuse(member->name, "a string (bytes that are no UTF-8 go into the same name with 64, as base64)",
                      detail);
    if (choose_buffer(item, member, &buffer, detail) != RK_OK)
        return RK_ERR_INVALID;
    return fill(buffer, bytes_of(value), detail);
}

static enum rk_err take_base64(struct rk_client_item *item, const struct member *member, const json_t *value,
                               struct rk_detail *detail)
{
    struct rk_client_bytes text = bytes_of(value);
    struct rk_client_buffer *buffer;
    enum rk_err err;

    if (!json_is_string(value))
        return refuse(member->name, "a string of base64", detail);
    if (choose_buffer(item, member, &buffer, detail) != RK_OK)
        return RK_ERR_INVALID;
    err = fill(buffer, text, detail); /* it is longer than what it stands for */
    if (err == RK_OK && text.size > 0 /* an empty one has no memory */
        && sodium_base642bin((unsigned char *)buffer->bytes, text.size, text.bytes, text.size, NULL, &buffer->size,
                             NULL, sodium_base64_VARIANT_ORIGINAL)
               != 0)
        return refuse(member->name, "base64 with its padding (RFC 4648 section 4)", detail);
    return err;
}

/* ---- what becomes a field ---- */

static enum rk_err add_number(struct rk_client_item *item, const struct member *member, json_int_t number,
                              struct rk_detail *detail)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, number);
    return rk_client_fields_add(&item->fields, member->name, member->field,
                                (struct rk_client_bytes){ text, strlen(text) }, detail);
}

static enum rk_err take_ttl(struct rk_client_item *item, const struct member *member, const json_t *value,
                            struct rk_detail *detail)
{
    if (json_is_integer(value) && json_integer_value(value) > 0)
        return add_number(item, member, json_integer_value(value), detail);
    if (!json_is_string(value))
        return refuse(member->name, "seconds, or a string with a unit as \"10m\"", detail);
    return rk_client_fields_add(&item->fields, member->name, member->field, bytes_of(value), detail);
}

/* A listing says it of every key: null where there is none. */
static enum rk_err take_expires(struct rk_client_item *item, const struct member *member, const json_t *value,
                                struct rk_detail *detail)
{
    if (json_is_null(value))
        return RK_OK;
    if (!json_is_integer(value) || json_integer_value(value) <= 0)
        return refuse(member->name, "seconds since 1970, or null", detail);
    return add_number(item, member, json_integer_value(value), detail);
}

static enum rk_err take_field(struct rk_client_item *item, const struct member *member, const json_t *value,
                              struct rk_detail *detail)
{
    if (!json_is_string(value))
        return refuse(member->name, "a string", detail);
    return rk_client_fields_add(&item->fields, member->name, member->field, bytes_of(value), detail);
}

static enum rk_err take_meta(struct rk_client_item *item, const struct member *member, const json_t *value,
                             struct rk_detail *detail)
{
    enum rk_err err = RK_OK;
    const char *name;
    json_t *text;

    if (!json_is_object(value))
        return refuse(member->name, "an object of strings, as {\"owner\":\"me\"}", detail);
    json_object_foreach((json_t *)(uintptr_t)value, name, text)
    {
        if (!json_is_string(text))
            return refuse(member->name, "an object of strings, as {\"owner\":\"me\"}", detail);
        err = rk_client_fields_add_named(&item->fields, member->name, member->field,
                                         (struct rk_client_bytes){ name, strlen(name) }, bytes_of(text), detail);
        if (err != RK_OK)
            return err;
    }
    return err;
}

static enum rk_err take_listed(struct rk_client_item *item, const struct member *member, const json_t *value,
                               struct rk_detail *detail)
{
    item->is_listed = true;
    return RK_OK;
}

static enum rk_err pass_over(struct rk_client_item *item, const struct member *member, const json_t *value,
                             struct rk_detail *detail)
{
    return RK_OK;
}

/* ---- a line ---- */

static enum rk_err refuse_unknown(const char *name, struct rk_detail *detail)
{
    const char *best = NULL;

    for (size_t i = 0; i < N_MEMBERS; i++)
        best = rk_suggest_better(name, members[i].name, best);
    rk_detail_set(detail, "\"%.80s\" is not known here%s%s%s", name, best != NULL ? "; did you mean \"" : "",
                  best != NULL ? best : "", best != NULL ? "\"?" : "");
    return RK_ERR_INVALID;
}

static enum rk_err take_member(struct rk_client_item *item, const char *name, const json_t *value,
                               struct rk_detail *detail)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].take(item, &members[i], value, detail);
    return refuse_unknown(name, detail);
}

static enum rk_err take_members(struct rk_client_item *item, json_t *object, struct rk_detail *detail)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        enum rk_err err = take_member(item, name, value, detail);

        if (err != RK_OK)
            return err;
    }
    if (item->key.size == 0) {
        rk_detail_set(detail, "there is no \"key\", or an empty one; right is {\"key\":\"a\",\"value\":\"1\"}");
        return RK_ERR_INVALID;
    }
    if (!item->has_value) {
        rk_detail_set(detail, "there is no \"value\"; right is {\"key\":\"a\",\"value\":\"1\"}");
        return RK_ERR_INVALID;
    }
    return RK_OK;
}

static bool is_end(const json_t *object)
{
    return json_is_true(json_object_get(object, "complete")) && json_object_size(object) == 1;
}

enum rk_err rk_client_item_parse(struct rk_client_item *item_out, const char *line, size_t size,
                                 struct rk_detail *detail)
{
    json_error_t error;
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    enum rk_err err = RK_OK;

    *item_out = (struct rk_client_item){ .is_end = is_end(object) };
    if (object == NULL) {
        rk_detail_set(detail, "column %d: %s; right is one JSON object a line", error.column, error.text);
        return RK_ERR_INVALID;
    }
    if (!json_is_object(object)) {
        rk_detail_set(detail, "this is no JSON object; right is {\"key\":\"a\",\"value\":\"1\"}");
        err = RK_ERR_INVALID;
    } else if (!item_out->is_end) {
        err = take_members(item_out, object, detail);
    }
    json_decref(object);
    return err;
}

void rk_client_item_fini(struct rk_client_item *item)
{
    rk_client_buffer_fini(&item->key);
    rk_client_buffer_fini(&item->value);
    rk_client_fields_fini(&item->fields);
    *item = (struct rk_client_item){ .is_end = false };
}

bool rk_client_item_is_end(const char *line, size_t size)
{
    json_t *object = json_loadb(line, size, 0, NULL);
    bool result = is_end(object);

    json_decref(object);
    return result;
}

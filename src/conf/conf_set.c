#include "conf/conf_set.h"

#include "base/base_assert.h"
#include "base/base_detail.h"
#include "base/base_mem.h"
#include "base/base_plural.h"
#include "conf/conf_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The enums of struct rk_conf are stored through this one. */
_Static_assert(sizeof(enum rk_conf_sync) == sizeof(unsigned), "an enum is as wide as an int");

static void store_number(struct rk_conf *conf, const struct rk_conf_key *key, uint64_t number)
{
    void *at = rk_conf_at(conf, key->offset);

    if (key->type == RK_CONF_BOOL)
        *(bool *)at = number != 0;
    else if (key->type == RK_CONF_ENUM)
        *(unsigned *)at = (unsigned)number;
    else
        *(uint64_t *)at = number;
}

uint64_t rk_conf_get_number(const struct rk_conf *conf, const struct rk_conf_key *key)
{
    const void *at = rk_conf_at(conf, key->offset);

    RK_ASSERT(key->type != RK_CONF_STRING && key->type != RK_CONF_LIST);
    if (key->type == RK_CONF_BOOL)
        return *(const bool *)at;
    if (key->type == RK_CONF_ENUM)
        return *(const unsigned *)at;
    return *(const uint64_t *)at;
}

static void store_string(char **at, const char *text)
{
    char *copy = rk_mem_strdup(text);

    free(*at);
    *at = copy;
}

enum rk_err rk_conf_set_scalar(struct rk_conf *conf, const struct rk_conf_key *key, const char *text,
                               struct rk_detail *detail)
{
    uint64_t number;
    enum rk_err err;

    RK_ASSERT(key->type != RK_CONF_LIST);
    if (key->type == RK_CONF_STRING) {
        err = rk_conf_string_check(key, text, detail);
        if (err == RK_OK)
            store_string(rk_conf_at(conf, key->offset), text);
        return err;
    }
    err = rk_conf_number_parse(key, text, &number, detail);
    if (err == RK_OK)
        store_number(conf, key, number);
    return err;
}

enum rk_err rk_conf_set_list(struct rk_conf *conf, const struct rk_conf_key *key, const char *const *items,
                             size_t n_items, size_t *bad_item_out, struct rk_detail *detail)
{
    char **at = rk_conf_at(conf, key->offset);
    size_t *count = rk_conf_at(conf, key->count_offset);
    char allowed[RK_CONF_DESCRIBE_BYTES];

    if (n_items < key->min || n_items > key->max) {
        *bad_item_out = n_items;
        rk_conf_describe(key, allowed);
        rk_detail_set(detail, "the list has %zu item%s; allowed is %s", n_items, rk_plural(n_items), allowed);
        return RK_ERR_INVALID;
    }
    for (size_t i = 0; i < n_items; i++) {
        enum rk_err err = rk_conf_string_check(key, items[i], detail);

        *bad_item_out = i;
        if (err != RK_OK)
            return err;
    }
    for (size_t i = 0; i < n_items; i++)
        store_string(&at[i], items[i]);
    for (size_t i = n_items; i < *count; i++) {
        free(at[i]);
        at[i] = NULL;
    }
    *count = n_items;
    return RK_OK;
}

static enum rk_err set_comma_list(struct rk_conf *conf, const struct rk_conf_key *key, const char *text,
                                  struct rk_detail *detail)
{
    char *copy = rk_mem_strdup(text), *rest = copy;
    const char **items = rk_mem_calloc(strlen(text) + 1, sizeof *items);
    size_t n_items = 0, bad_item;
    enum rk_err err;

    while (text[0] != '\0' && rest != NULL)
        items[n_items++] = strsep(&rest, ",");
    err = rk_conf_set_list(conf, key, items, n_items, &bad_item, detail);
    free(items);
    free(copy);
    return err;
}

enum rk_err rk_conf_set_text(struct rk_conf *conf, const struct rk_conf_key *key, const char *text,
                             struct rk_detail *detail)
{
    return key->type == RK_CONF_LIST ? set_comma_list(conf, key, text, detail)
                                     : rk_conf_set_scalar(conf, key, text, detail);
}

void rk_conf_set_origin(struct rk_conf *conf, const struct rk_conf_key *key, const char *source, size_t line,
                        size_t column)
{
    struct rk_conf_origin *origin = &conf->origins[key - rk_conf_keys];

    store_string(&origin->source, source);
    origin->line = line;
    origin->column = column;
}

/* What single values cannot show: values that contradict each other. The error stands at the value that somebody wrote;
 * of two, at the first one named. */
#include "base/base_detail.h"
#include "conf/conf_set.h"
#include "conf/conf_value.h"

#include <string.h>

static const struct rk_conf_origin *origin_of(const struct rk_conf *conf, const char *section, const char *name)
{
    return &conf->origins[rk_conf_key_lookup(section, name) - rk_conf_keys];
}

/* "section.name 64MiB", and "(default)" if nobody wrote it. */
static void name_value(const struct rk_conf *conf, const char *section, const char *name, char *text_out, size_t size)
{
    const struct rk_conf_key *key = rk_conf_key_lookup(section, name);
    char value[RK_CONF_NUMBER_BYTES];

    rk_conf_number_format(key, rk_conf_get_number(conf, key), value);
    (void)snprintf(text_out, size, "%s.%s: %s%s", section, name, value,
                   origin_of(conf, section, name)->source == NULL ? " (the default)" : "");
}

uint64_t rk_conf_round_up(uint64_t bytes)
{
    uint64_t unit = bytes < (1u << 20) ? 1024 : 1u << 20;

    return (bytes + unit - 1) / unit * unit;
}

static void wrap_origin(const struct rk_conf_origin *origin, struct rk_detail *detail)
{
    if (origin->line != 0)
        rk_detail_wrap(detail, "%s:%zu:%zu", origin->source, origin->line, origin->column);
    else if (origin->source != NULL)
        rk_detail_wrap(detail, "%s", origin->source);
}

enum rk_err rk_conf_check_holds(const struct rk_conf *conf, const char *const small[2], const char *const large[2],
                                uint64_t needed, struct rk_detail *detail)
{
    const struct rk_conf_key *key = rk_conf_key_lookup(small[0], small[1]);
    const struct rk_conf_origin *origin = origin_of(conf, small[0], small[1]);
    char small_text[96], large_text[96], needed_text[RK_CONF_NUMBER_BYTES];

    if (rk_conf_get_number(conf, key) >= needed)
        return RK_OK;
    name_value(conf, small[0], small[1], small_text, sizeof small_text);
    name_value(conf, large[0], large[1], large_text, sizeof large_text);
    rk_conf_number_format(key, rk_conf_round_up(needed), needed_text);
    rk_detail_set(detail, "%s is too small for %s; it must be at least %s", small_text, large_text, needed_text);
    wrap_origin(origin->source != NULL ? origin : origin_of(conf, large[0], large[1]), detail);
    return RK_ERR_INVALID;
}

/* "section.name: 60 (the default)" must not be above the other. */
static enum rk_err check_not_above(const struct rk_conf *conf, const char *const low[2], const char *const high[2],
                                   struct rk_detail *detail)
{
    const struct rk_conf_origin *origin = origin_of(conf, low[0], low[1]);
    uint64_t limit = rk_conf_get_number(conf, rk_conf_key_lookup(high[0], high[1]));
    char low_text[96], high_text[96];

    if (rk_conf_get_number(conf, rk_conf_key_lookup(low[0], low[1])) <= limit)
        return RK_OK;
    name_value(conf, low[0], low[1], low_text, sizeof low_text);
    name_value(conf, high[0], high[1], high_text, sizeof high_text);
    rk_detail_set(
        detail, "%s is above %s; a file that starts a merge takes part in it, so the threshold is at most the trigger",
        low_text, high_text);
    wrap_origin(origin->source != NULL ? origin : origin_of(conf, high[0], high[1]), detail);
    return RK_ERR_INVALID;
}

static enum rk_err check_merge(const struct rk_conf *conf, struct rk_detail *detail)
{
    static const char *const threshold_fragmentation[] = { "merge", "threshold.fragmentation" };
    static const char *const trigger_fragmentation[] = { "merge", "trigger.fragmentation" };
    static const char *const threshold_dead[] = { "merge", "threshold.dead_bytes" };
    static const char *const trigger_dead[] = { "merge", "trigger.dead_bytes" };
    enum rk_err err = check_not_above(conf, threshold_fragmentation, trigger_fragmentation, detail);

    return err == RK_OK ? check_not_above(conf, threshold_dead, trigger_dead, detail) : err;
}

/* Two listeners on one address; port 0 is a new one each time. */
static enum rk_err check_listen(const struct rk_conf *conf, struct rk_detail *detail)
{
    for (size_t i = 0; i < conf->http.n_listen; i++)
        for (size_t j = 0; j < i; j++) {
            const char *text = conf->http.listen[i];
            size_t len = strlen(text);

            if (strcmp(text, conf->http.listen[j]) != 0 || (len > 2 && strcmp(text + len - 2, ":0") == 0))
                continue;
            rk_detail_set(detail, "http.listen: '%s' is there twice; each address is listed once", text);
            wrap_origin(origin_of(conf, "http", "listen"), detail);
            return RK_ERR_INVALID;
        }
    return RK_OK;
}

enum rk_err rk_conf_check(const struct rk_conf *conf, struct rk_detail *detail)
{
    static const char *const max_head[] = { "limits", "max_head" };
    static const char *const max_key[] = { "limits", "max_key" };
    static const char *const max_value[] = { "limits", "max_value" };
    static const char *const upload_memory[] = { "limits", "upload_memory" };
    enum rk_err err;

    /* a key of bytes that are all percent-encoded still has room for headers beside it */
    err = rk_conf_check_holds(conf, max_head, max_key, 3 * conf->limits.max_key_bytes + 512, detail);
    if (err == RK_OK && conf->limits.upload_memory_bytes != 0)
        err = rk_conf_check_holds(conf, upload_memory, max_value,
                                  RK_CONF_BODY_BUFFER_BYTES(conf->limits.max_value_bytes), detail);
    if (err == RK_OK)
        err = check_listen(conf, detail);
    if (err == RK_OK)
        err = check_merge(conf, detail);
    return err;
}

enum rk_err rk_conf_refuse(const struct rk_conf *conf, const char *const name[2], struct rk_detail *detail)
{
    wrap_origin(origin_of(conf, name[0], name[1]), detail);
    return RK_ERR_INVALID;
}

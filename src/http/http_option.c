#include "http/http_option.h"

#include "http/http_number.h"

#include <string.h>

static bool span_is(struct rk_http_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

/* ---- times ---- */

static const struct {
    const char *name;
    uint64_t ms;
} units[] = {
    { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "d", 24 * 60 * 60 * 1000 },
};

#define N_UNITS (sizeof units / sizeof units[0])

bool rk_http_option_ttl(struct rk_http_span text, uint64_t *ttl_ms_out)
{
    struct rk_http_span number = { text.at, 0 };
    struct rk_http_span unit;
    uint64_t count;

    while (number.len < text.len && text.at[number.len] >= '0' && text.at[number.len] <= '9')
        number.len++;
    unit = (struct rk_http_span){ text.at + number.len, text.len - number.len };
    for (size_t i = 0; i < N_UNITS; i++) {
        if (!span_is(unit, units[i].name))
            continue;
        if (!rk_http_number_parse_unsigned(number, RK_HTTP_TTL_MAX_MS / units[i].ms, &count) || count == 0)
            return false;
        *ttl_ms_out = count * units[i].ms;
        return true;
    }
    return false;
}

bool rk_http_option_expires(struct rk_http_span text, uint64_t *expires_ms_out)
{
    uint64_t seconds;

    if (!rk_http_number_parse_unsigned(text, RK_HTTP_EXPIRES_MAX_S, &seconds) || seconds == 0)
        return false;
    *expires_ms_out = seconds * 1000;
    return true;
}

uint64_t rk_http_option_expiry_ms(const struct rk_http_expiry *expiry, uint64_t now_ms)
{
    return expiry->ttl_ms != 0 ? now_ms + expiry->ttl_ms : expiry->expires_ms;
}

/* ---- names ---- */

const char *rk_http_option_durability_name(bool is_synced)
{
    return is_synced ? "synced" : "written";
}

bool rk_http_option_durability(struct rk_http_span text, bool *is_synced_out)
{
    bool is_synced = span_is(text, rk_http_option_durability_name(true));

    if (!is_synced && !span_is(text, rk_http_option_durability_name(false)))
        return false;
    *is_synced_out = is_synced;
    return true;
}

struct rk_http_span rk_http_option_decode(struct rk_http_span text, bool plus_is_space,
                                          char room[RK_HTTP_OPTION_BYTES_MAX])
{
    if (text.len > RK_HTTP_OPTION_BYTES_MAX || !rk_http_target_decode(&text, plus_is_space, room))
        text.len = 0;
    return text;
}

bool rk_http_option_is(struct rk_http_span text, const char *name)
{
    char room[RK_HTTP_OPTION_BYTES_MAX];

    return text.at != NULL && span_is(rk_http_option_decode(text, false, room), name);
}

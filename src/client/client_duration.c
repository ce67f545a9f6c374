#include "client/client_duration.h"

#include "base/base_detail.h"

#include <stddef.h>
#include <string.h>

#define MAX_MS  86400000u
#define DIGITS  "0123456789"
#define WRITTEN 40 /* characters of a mistake that are shown */

static const struct {
    const char *name;
    uint64_t ms;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

static uint64_t lookup_unit(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i].name, name) == 0)
            return units[i].ms;
    return 0;
}

static enum rk_err refuse(const char *option, const char *text, const char *problem, struct rk_detail *detail)
{
    rk_detail_set(detail, "%s: '%.*s' %s; needed is a duration from 1ms to 1d, as 500ms, 5s or 2m", option, WRITTEN,
                  text, problem);
    return RK_ERR_INVALID;
}

enum rk_err rk_client_duration_parse(const char *option, const char *text, uint64_t *ms_out, struct rk_detail *detail)
{
    size_t n_digits = strspn(text, DIGITS);
    uint64_t unit_ms = lookup_unit(text + n_digits), number = 0;

    if (n_digits == 0)
        return refuse(option, text, "is no number with a unit", detail);
    if (text[n_digits] == '\0')
        return refuse(option, text, "has no unit", detail);
    if (unit_ms == 0)
        return refuse(option, text, "has a unit that is not known", detail);
    for (size_t i = 0; i < n_digits && number <= MAX_MS; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    if (number == 0 || number > MAX_MS / unit_ms)
        return refuse(option, text, number == 0 ? "is no time at all" : "is too long", detail);
    *ms_out = number * unit_ms;
    return RK_OK;
}

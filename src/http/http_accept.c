#include "http/http_accept.h"

#include <string.h>
#include <strings.h>

struct span {
    const char *at;
    size_t len;
};

/* The bytes up to the separator, without blanks around them; both go from the rest. */
static struct span take(struct span *rest, char separator)
{
    const char *end = memchr(rest->at, separator, rest->len);
    struct span taken = { rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len };
    size_t used = taken.len + (end != NULL);

    rest->at += used;
    rest->len -= used;
    while (taken.len > 0 && (*taken.at == ' ' || *taken.at == '\t')) {
        taken.at++;
        taken.len--;
    }
    while (taken.len > 0 && (taken.at[taken.len - 1] == ' ' || taken.at[taken.len - 1] == '\t'))
        taken.len--;
    return taken;
}

/* "0.25" is 250. */
static unsigned parse_weight(struct span text)
{
    unsigned weight = 0, unit = RK_HTTP_ACCEPT_FULL / 10;

    if (text.len == 0 || text.at[0] != '0')
        return RK_HTTP_ACCEPT_FULL;
    for (size_t i = 2; i < text.len && unit > 0; i++, unit /= 10) {
        if (text.at[1] != '.' || text.at[i] < '0' || text.at[i] > '9')
            return RK_HTTP_ACCEPT_FULL;
        weight += (unsigned)(text.at[i] - '0') * unit;
    }
    return weight;
}

static unsigned weight_of(struct span parameters)
{
    while (parameters.len > 0) {
        struct span parameter = take(&parameters, ';');

        if (parameter.len > 2 && strncasecmp(parameter.at, "q=", 2) == 0)
            return parse_weight((struct span){ parameter.at + 2, parameter.len - 2 });
    }
    return RK_HTTP_ACCEPT_FULL;
}

unsigned rk_http_accept_weight(const char *list, size_t len, const char *type)
{
    struct span rest = { list, len };
    size_t type_len = strlen(type);

    while (rest.len > 0) {
        struct span element = take(&rest, ',');
        struct span name = take(&element, ';');

        if (name.len == type_len && strncasecmp(name.at, type, type_len) == 0)
            return weight_of(element);
    }
    return 0;
}

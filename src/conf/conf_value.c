#include "conf/conf_value.h"

#include "base/base_detail.h"

#include <inttypes.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
    bool preferred; /* in print; these stand from the largest to the smallest */
};

static const struct unit size_units[] = {
    { "TiB", (uint64_t)1 << 40, true },
    { "GiB", (uint64_t)1 << 30, true },
    { "MiB", (uint64_t)1 << 20, true },
    { "KiB", (uint64_t)1 << 10, true },
    { "", 1, true },
    { "B", 1, false },
    { "kB", 1000, false },
    { "MB", 1000000, false },
    { "GB", 1000000000, false },
    { "TB", 1000000000000, false },
    { NULL, 0, false },
};

static const struct unit duration_units[] = {
    { "d", 86400000, true }, { "h", 3600000, true }, { "m", 60000, true },
    { "s", 1000, true },     { "ms", 1, true },      { NULL, 0, false },
};

static const struct unit no_units[] = { { "", 1, true }, { NULL, 0, false } };

static const struct unit *units_of(enum rk_conf_type type)
{
    return type == RK_CONF_SIZE ? size_units : type == RK_CONF_DURATION ? duration_units : no_units;
}

const char *rk_conf_quote(const char *text, char quoted_out[RK_CONF_QUOTE_BYTES])
{
    static const char cut_end[] = "...'";
    size_t used = 0;

    quoted_out[used++] = '\'';
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (used + 4 + sizeof cut_end > RK_CONF_QUOTE_BYTES) {
            memcpy(quoted_out + used, cut_end, sizeof cut_end);
            return quoted_out;
        }
        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(quoted_out + used, 5, "\\x%02x", c);
        else
            quoted_out[used++] = (char)c;
    }
    quoted_out[used++] = '\'';
    quoted_out[used] = '\0';
    return quoted_out;
}

static void describe_words(const char *const *words, char text_out[RK_CONF_DESCRIBE_BYTES])
{
    size_t used = 0;

    for (size_t i = 0; words[i] != NULL; i++) {
        const char *before = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";

        used += (size_t)snprintf(text_out + used, RK_CONF_DESCRIBE_BYTES - used, "%s%s", before, words[i]);
    }
}

static void describe_range(const struct rk_conf_key *key, const char *what, char text_out[RK_CONF_DESCRIBE_BYTES])
{
    char min[RK_CONF_NUMBER_BYTES], max[RK_CONF_NUMBER_BYTES];

    rk_conf_number_format(key, key->min, min);
    rk_conf_number_format(key, key->max, max);
    (void)snprintf(text_out, RK_CONF_DESCRIBE_BYTES, "%s from %s to %s%s", what, min, max,
                   key->auto_allowed ? ", or auto" : "");
}

void rk_conf_describe(const struct rk_conf_key *key, char text_out[RK_CONF_DESCRIBE_BYTES])
{
    text_out[0] = '\0';
    switch (key->type) {
    case RK_CONF_BOOL:
        (void)snprintf(text_out, RK_CONF_DESCRIBE_BYTES, "on or off (true or false)");
        break;
    case RK_CONF_INTEGER:
        describe_range(key, "a number", text_out);
        break;
    case RK_CONF_SIZE:
        describe_range(key, "a size", text_out);
        break;
    case RK_CONF_DURATION:
        describe_range(key, "a duration", text_out);
        break;
    case RK_CONF_ENUM:
        describe_words(key->words, text_out);
        break;
    case RK_CONF_STRING:
        (void)snprintf(text_out, RK_CONF_DESCRIBE_BYTES, "%s", key->item_text);
        break;
    case RK_CONF_LIST:
        (void)snprintf(text_out, RK_CONF_DESCRIBE_BYTES, "a list of %" PRIu64 " to %" PRIu64 ", each %s", key->min,
                       key->max, key->item_text);
        break;
    }
}

/* "<problem>: allowed is ..." */
static enum rk_err refuse(const struct rk_conf_key *key, const char *text, const char *problem,
                          struct rk_detail *detail)
{
    char allowed[RK_CONF_DESCRIBE_BYTES], quoted[RK_CONF_QUOTE_BYTES];

    rk_conf_describe(key, allowed);
    rk_detail_set(detail, "%s %s; allowed is %s", rk_conf_quote(text, quoted), problem, allowed);
    return RK_ERR_INVALID;
}

static enum rk_err parse_bool(const struct rk_conf_key *key, const char *text, uint64_t *number_out,
                              struct rk_detail *detail)
{
    if (strcmp(text, "on") == 0 || strcmp(text, "true") == 0)
        *number_out = 1;
    else if (strcmp(text, "off") == 0 || strcmp(text, "false") == 0)
        *number_out = 0;
    else
        return refuse(key, text, "is neither on nor off", detail);
    return RK_OK;
}

static enum rk_err parse_enum(const struct rk_conf_key *key, const char *text, uint64_t *number_out,
                              struct rk_detail *detail)
{
    for (size_t i = 0; key->words[i] != NULL; i++)
        if (strcmp(key->words[i], text) == 0) {
            *number_out = i;
            return RK_OK;
        }
    return refuse(key, text, "is not one of the words", detail);
}

static const char *problem_with_unit(enum rk_conf_type type, const char *unit)
{
    if (type == RK_CONF_INTEGER)
        return "is not a whole number";
    if (unit[0] == '.')
        return "has a fraction: write a smaller unit instead";
    if (type == RK_CONF_DURATION && unit[0] == '\0')
        return "has no unit: ms, s, m, h or d";
    return type == RK_CONF_DURATION
               ? "is not a number with a unit ms, s, m, h or d"
               : "is not a number of bytes, nor one with a unit KiB, MiB, GiB, TiB, kB, MB, GB, TB";
}

/* Digits and a unit. */
static enum rk_err parse_quantity(const struct rk_conf_key *key, const char *text, uint64_t *number_out,
                                  struct rk_detail *detail)
{
    const struct unit *unit = units_of(key->type);
    size_t n_digits = strspn(text, "0123456789");
    uint64_t number = 0;
    bool overflow = false;

    if (n_digits == 0)
        return refuse(key, text, text[0] == '-' ? "is negative" : problem_with_unit(key->type, "x"), detail);
    for (size_t i = 0; i < n_digits; i++)
        overflow = overflow || __builtin_mul_overflow(number, (uint64_t)10, &number)
                   || __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number);
    while (unit->name != NULL && strcmp(unit->name, text + n_digits) != 0)
        unit++;
    if (unit->name == NULL && !(number == 0 && !overflow && text[n_digits] == '\0')) /* 0 needs no unit */
        return refuse(key, text, problem_with_unit(key->type, text + n_digits), detail);
    if (unit->name != NULL)
        overflow = overflow || __builtin_mul_overflow(number, unit->factor, &number);
    if (overflow || number > key->max)
        return refuse(key, text, "is too large", detail);
    if (number < key->min)
        return refuse(key, text, "is too small", detail);
    *number_out = number;
    return RK_OK;
}

enum rk_err rk_conf_number_parse(const struct rk_conf_key *key, const char *text, uint64_t *number_out,
                                 struct rk_detail *detail)
{
    if (key->auto_allowed && strcmp(text, "auto") == 0) {
        *number_out = 0;
        return RK_OK;
    }
    if (key->type == RK_CONF_BOOL)
        return parse_bool(key, text, number_out, detail);
    if (key->type == RK_CONF_ENUM)
        return parse_enum(key, text, number_out, detail);
    return parse_quantity(key, text, number_out, detail);
}

void rk_conf_number_format(const struct rk_conf_key *key, uint64_t number, char text_out[RK_CONF_NUMBER_BYTES])
{
    const struct unit *unit = units_of(key->type);

    if (key->auto_allowed && number == 0)
        (void)snprintf(text_out, RK_CONF_NUMBER_BYTES, "auto");
    else if (key->type == RK_CONF_BOOL)
        (void)snprintf(text_out, RK_CONF_NUMBER_BYTES, "%s", number != 0 ? "on" : "off");
    else if (key->type == RK_CONF_ENUM)
        (void)snprintf(text_out, RK_CONF_NUMBER_BYTES, "%s", key->words[number]);
    else if (number == 0)
        (void)snprintf(text_out, RK_CONF_NUMBER_BYTES, key->type == RK_CONF_DURATION ? "0s" : "0");
    else {
        while (number % unit->factor != 0) /* ends: the last preferred factor is 1 */
            unit++;
        (void)snprintf(text_out, RK_CONF_NUMBER_BYTES, "%" PRIu64 "%s", number / unit->factor, unit->name);
    }
}

/* The length of the UTF-8 character at text, or 0: overlong forms, surrogates and what is past U+10FFFF are none. */
static size_t utf8_len(const unsigned char *text)
{
    unsigned char c = text[0];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;

    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) || (c == 0xf0 && text[1] < 0x90)
        || (c == 0xf4 && text[1] > 0x8f))
        return 0;
    return len;
}

/* Text that can be printed, and read back from YAML. */
static bool is_text(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        size_t len = utf8_len(at);

        if (len == 0 || *at < 0x20 || *at == 0x7f)
            return false;
        at += len;
    }
    return true;
}

enum rk_err rk_conf_string_check(const struct rk_conf_key *key, const char *text, struct rk_detail *detail)
{
    const char *problem;
    size_t len = strlen(text);

    if (!is_text(text))
        return refuse(key, text, "has a control character, or is not UTF-8", detail);
    if (key->check != NULL && !key->check(text, &problem))
        return refuse(key, text, problem, detail);
    if (key->type == RK_CONF_STRING && len < key->min)
        return refuse(key, text, "is empty", detail);
    if (key->type == RK_CONF_STRING && len > key->max)
        return refuse(key, text, "is too long", detail);
    return RK_OK;
}

#include "client/client_options.h"

#include "base/base_detail.h"

#include <stdio.h>
#include <string.h>

#define META_PREFIX "RackKV-Meta-"
#define DIGITS      "0123456789"
#define ETAG_BYTES  32

static enum rk_err refuse(struct rk_detail *detail, const char *name, struct rk_client_bytes argument,
                          const char *right)
{
    rk_detail_set(detail, "--%s: '%.*s' is not one; right is %s", name, (int)(argument.size < 80 ? argument.size : 80),
                  argument.size > 0 ? (const char *)argument.bytes : "", right);
    return RK_ERR_INVALID;
}

static bool is_digits(struct rk_client_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (((const char *)text.bytes)[i] < '0' || ((const char *)text.bytes)[i] > '9')
            return false;
    return text.size > 0;
}

/* An ETag's quotes get lost on the way through a shell: a number alone is one, too. */
static enum rk_err take_etags(struct rk_client_options *options, const char *what, const char *name,
                              struct rk_client_bytes argument, struct rk_detail *detail)
{
    char quoted[ETAG_BYTES];

    if (argument.size == 0)
        return refuse(detail, what + 2, argument, "an ETag as \"12\" or 12, several with commas between them, or *");
    if (!is_digits(argument) || argument.size + 3 > sizeof quoted)
        return rk_client_fields_add(&options->fields, what, name, argument, detail);
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"", (int)argument.size, (const char *)argument.bytes);
    return rk_client_fields_add(&options->fields, what, name, (struct rk_client_bytes){ quoted, argument.size + 2 },
                                detail);
}

static enum rk_err take_if_match(struct rk_client_options *options, struct rk_client_bytes argument,
                                 struct rk_detail *detail)
{
    return take_etags(options, "--if-match", "If-Match", argument, detail);
}

static enum rk_err take_if_none_match(struct rk_client_options *options, struct rk_client_bytes argument,
                                      struct rk_detail *detail)
{
    return take_etags(options, "--if-none-match", "If-None-Match", argument, detail);
}

/* A number, and perhaps a unit; how long it may be, the server says. */
static enum rk_err take_ttl(struct rk_client_options *options, struct rk_client_bytes argument,
                            struct rk_detail *detail)
{
    static const char *const units[] = { "", "ms", "s", "m", "h", "d" };
    const char *text = argument.bytes;
    size_t n_digits = 0;

    while (n_digits < argument.size && strchr(DIGITS, text[n_digits]) != NULL && text[n_digits] != '\0')
        n_digits++;
    for (size_t i = 0; n_digits > 0 && i < sizeof units / sizeof units[0]; i++)
        if (argument.size - n_digits == strlen(units[i]) && memcmp(text + n_digits, units[i], strlen(units[i])) == 0)
            return rk_client_fields_add(&options->fields, "--ttl", "RackKV-TTL", argument, detail);
    return refuse(detail, "ttl", argument, "seconds as 60, or a number with a unit as 500ms, 10m, 2h or 7d");
}

static enum rk_err take_type(struct rk_client_options *options, struct rk_client_bytes argument,
                             struct rk_detail *detail)
{
    if (argument.size == 0)
        return refuse(detail, "type", argument, "a media type as text/plain");
    return rk_client_fields_add(&options->fields, "--type", "Content-Type", argument, detail);
}

static enum rk_err take_meta(struct rk_client_options *options, struct rk_client_bytes argument,
                             struct rk_detail *detail)
{
    const char *text = argument.bytes;
    const char *equals = argument.size > 0 ? memchr(text, '=', argument.size) : NULL;
    size_t len;

    if (equals == NULL)
        return refuse(detail, "meta", argument, "NAME=VALUE");
    len = (size_t)(equals - text);
    return rk_client_fields_add_named(&options->fields, "--meta", META_PREFIX, (struct rk_client_bytes){ text, len },
                                      (struct rk_client_bytes){ equals + 1, argument.size - len - 1 }, detail);
}

/* Of two numbers in digits; leading zeros change nothing. */
static bool is_greater(struct rk_client_bytes a, struct rk_client_bytes b)
{
    const char *a_text = a.bytes, *b_text = b.bytes;

    while (a.size > 0 && *a_text == '0') {
        a_text++;
        a.size--;
    }
    while (b.size > 0 && *b_text == '0') {
        b_text++;
        b.size--;
    }
    return a.size != b.size ? a.size > b.size : memcmp(a_text, b_text, a.size) > 0;
}

/* 0-99, 100- or -50: one range, in bytes, that does not end before it begins: a server would send the whole value. */
static bool is_range(struct rk_client_bytes argument)
{
    const char *text = argument.bytes;
    const char *dash = argument.size > 1 ? memchr(text, '-', argument.size) : NULL;
    struct rk_client_bytes first, last;

    if (dash == NULL)
        return false;
    first = (struct rk_client_bytes){ text, (size_t)(dash - text) };
    last = (struct rk_client_bytes){ dash + 1, argument.size - first.size - 1 };
    if ((first.size > 0 && !is_digits(first)) || (last.size > 0 && !is_digits(last)))
        return false;
    return first.size == 0 || last.size == 0 || !is_greater(first, last);
}

static enum rk_err take_range(struct rk_client_options *options, struct rk_client_bytes argument,
                              struct rk_detail *detail)
{
    char text[64];

    if (!is_range(argument) || argument.size + sizeof "bytes=" > sizeof text)
        return refuse(detail, "range", argument,
                      "FIRST-LAST in bytes from 0, as 0-99; FIRST- up to the end; or -N, the last N bytes");
    (void)snprintf(text, sizeof text, "bytes=%.*s", (int)argument.size, (const char *)argument.bytes);
    return rk_client_fields_add(&options->fields, "--range", "Range", (struct rk_client_bytes){ text, strlen(text) },
                                detail);
}

static bool word_is(struct rk_client_bytes word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.bytes, text, word.size) == 0;
}

static enum rk_err take_durability(struct rk_client_options *options, struct rk_client_bytes argument,
                                   struct rk_detail *detail)
{
    if (argument.size == 0 || (!word_is(argument, "written") && !word_is(argument, "synced")))
        return refuse(detail, "durability", argument, "written or synced");
    return rk_client_fields_add(&options->fields, "--durability", "RackKV-Durability", argument, detail);
}

/* It is in the set of what was given, and no field. */
static enum rk_err take_noted(struct rk_client_options *options, struct rk_client_bytes argument,
                              struct rk_detail *detail)
{
    return RK_OK;
}

static enum rk_err take_delimiter(struct rk_client_options *options, struct rk_client_bytes argument,
                                  struct rk_detail *detail)
{
    if (argument.size == 0)
        return refuse(detail, "delimiter", argument, "one byte at least, as /");
    options->delimiter = argument;
    return RK_OK;
}

const struct rk_client_option rk_client_options_table[RK_CLIENT_N_OPTIONS] = {
    [RK_CLIENT_OPTION_IF_MATCH] = { "if-match", "ETAG", '\0',
                                    "only if this is still the value's ETag (* if there is any)", take_if_match },
    [RK_CLIENT_OPTION_IF_NONE_MATCH] = { "if-none-match", "ETAG", '\0',
                                         "only if the value's ETag is another one (* if there is none)",
                                         take_if_none_match },
    [RK_CLIENT_OPTION_TTL] = { "ttl", "TIME", '\0', "the key is gone after that time: 60 (seconds), 500ms, 10m, 2h, 7d",
                               take_ttl },
    [RK_CLIENT_OPTION_TYPE] = { "type", "TYPE", '\0', "the value's media type, as text/plain; it comes back with it",
                                take_type },
    [RK_CLIENT_OPTION_META] = { "meta", "NAME=VALUE", '\0',
                                "kept with the value as RackKV-Meta-NAME; may be given several times", take_meta },
    [RK_CLIENT_OPTION_RANGE] = { "range", "RANGE", '\0',
                                 "some of its bytes: 0-99, 100- (to the end), -50 (the last 50)", take_range },
    [RK_CLIENT_OPTION_DURABILITY] = { "durability", "WHEN", '\0',
                                      "answered once it is written, or once it is synced to the disk",
                                      take_durability },
    [RK_CLIENT_OPTION_HEAD] = { "head", NULL, 'i', "print the fields of the answer's head", take_noted },
    [RK_CLIENT_OPTION_DELIMITER] = { "delimiter", "TEXT", '\0',
                                     "what keys share up to TEXT, behind PREFIX, is one line", take_delimiter },
    [RK_CLIENT_OPTION_VALUES] = { "values", NULL, '\0', "print the values as well", take_noted },
};

bool rk_client_options_has(const struct rk_client_options *options, enum rk_client_option_id id)
{
    return (options->given & RK_CLIENT_OPTION_BIT(id)) != 0;
}

enum rk_err rk_client_options_take(struct rk_client_options *options, enum rk_client_option_id id,
                                   struct rk_client_bytes argument, struct rk_detail *detail)
{
    if (rk_client_options_has(options, id) && id != RK_CLIENT_OPTION_META && id != RK_CLIENT_OPTION_HEAD) {
        rk_detail_set(detail, "--%s is given twice", rk_client_options_table[id].name);
        return RK_ERR_INVALID;
    }
    options->given |= RK_CLIENT_OPTION_BIT(id);
    return rk_client_options_table[id].take(options, argument, detail);
}

enum rk_client_option_id rk_client_options_lookup(struct rk_client_bytes name, unsigned set)
{
    for (unsigned id = 0; id < RK_CLIENT_N_OPTIONS; id++)
        if ((set & RK_CLIENT_OPTION_BIT(id)) != 0 && word_is(name, rk_client_options_table[id].name))
            return id;
    return RK_CLIENT_N_OPTIONS;
}

void rk_client_options_fini(struct rk_client_options *options)
{
    rk_client_fields_fini(&options->fields);
    options->given = 0;
}

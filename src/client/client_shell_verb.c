#include "client/client_shell_verb.h"

#include "base/base_detail.h"

#include <ctype.h>
#include <string.h>

const char *rk_client_shell_name(const char *name, char name_out[RK_CLIENT_SHELL_NAME_BYTES])
{
    size_t len = 0;

    for (; name[len] != '\0' && len + 1 < RK_CLIENT_SHELL_NAME_BYTES; len++)
        name_out[len] = (char)toupper((unsigned char)name[len]);
    name_out[len] = '\0';
    return name_out;
}

const struct rk_client_verb *rk_client_shell_verb_lookup(struct rk_client_bytes name)
{
    const struct rk_client_verb *verb = rk_client_verb_lookup(name);

    return verb != NULL && verb->kind == RK_CLIENT_VERB_KEY ? verb : NULL;
}

void rk_client_shell_verb_print_help(const struct rk_client_verb *verb)
{
    char name[RK_CLIENT_SHELL_NAME_BYTES];

    printf("%s %s%s: %s\n", rk_client_shell_name(verb->name, name), verb->options != 0 ? "[OPTIONS] " : "",
           verb->operands, verb->summary);
    rk_client_verb_print_options(verb, stdout);
}

static bool is_option(const struct rk_client_line *line, size_t at)
{
    struct rk_client_bytes word = at < line->n_words ? line->words[at] : (struct rk_client_bytes){ NULL, 0 };

    return word.size > 2 && !line->is_quoted[at] && memcmp(word.bytes, "--", 2) == 0;
}

/* --name, --name=argument, or --name with its argument in the next word, at *at_io, which moves past it all. */
static enum rk_err read_option(const struct rk_client_verb *verb, const struct rk_client_line *line, size_t *at_io,
                               struct rk_client_options *options, struct rk_detail *detail)
{
    struct rk_client_bytes word = line->words[(*at_io)++];
    const char *text = word.bytes, *equals = memchr(text, '=', word.size);
    struct rk_client_bytes name = { text + 2, (equals != NULL ? (size_t)(equals - text) : word.size) - 2 };
    enum rk_client_option_id id = rk_client_options_lookup(name, verb->options);
    struct rk_client_bytes argument = { "", 0 };
    char verb_name[RK_CLIENT_SHELL_NAME_BYTES];

    if (id == RK_CLIENT_N_OPTIONS || (equals != NULL && rk_client_options_table[id].argument == NULL)) {
        rk_detail_set(detail,
                      "there is no option %.*s here (HELP %s lists them); a key that begins with -- stands in quotes",
                      (int)(word.size < 80 ? word.size : 80), text, rk_client_shell_name(verb->name, verb_name));
        return RK_ERR_INVALID;
    }
    if (equals != NULL) {
        argument = (struct rk_client_bytes){ equals + 1, word.size - (size_t)(equals + 1 - text) };
    } else if (rk_client_options_table[id].argument != NULL) {
        if (*at_io >= line->n_words) {
            rk_detail_set(detail, "behind --%s stands its %s", rk_client_options_table[id].name,
                          rk_client_options_table[id].argument);
            return RK_ERR_INVALID;
        }
        argument = line->words[(*at_io)++];
    }
    return rk_client_options_take(options, id, argument, detail);
}

static enum rk_client_exit refuse_usage(const struct rk_client_session *session, const struct rk_client_verb *verb)
{
    char name[RK_CLIENT_SHELL_NAME_BYTES];

    return rk_client_refuse(session, "usage: %s %s (a word with spaces stands in quotes)",
                            rk_client_shell_name(verb->name, name), verb->operands);
}

/* A value of several plain words is those words with one space between them, as in the original's client. */
static enum rk_client_exit run_operands(const struct rk_client_session *session, const struct rk_client_verb *verb,
                                        const struct rk_client_line *line, size_t first,
                                        const struct rk_client_options *options)
{
    struct rk_client_words words = { .options = options };
    size_t n_operands = line->n_words - first;

    if (n_operands < (size_t)verb->min_operands || (n_operands > (size_t)verb->max_operands && !verb->takes_value))
        return refuse_usage(session, verb);
    if (n_operands > 2 && line->last_quoted > first + 1)
        return refuse_usage(session, verb);
    words.key = line->words[first];
    if (words.key.size == 0)
        return rk_client_refuse(session, "a key has at least one byte");
    if (n_operands > 1)
        words.value = rk_client_line_rest(line, first + 1);
    return verb->run(session, &words);
}

enum rk_client_exit rk_client_shell_verb_run(const struct rk_client_session *session, const struct rk_client_verb *verb,
                                             const struct rk_client_line *line)
{
    struct rk_client_options options = { .given = 0 };
    struct rk_detail detail;
    enum rk_client_exit code;
    enum rk_err err = RK_OK;
    size_t at = 1;

    while (err == RK_OK && at < RK_CLIENT_LINE_WORDS_MAX - 3 && is_option(line, at)) /* behind it are two operands */
        err = read_option(verb, line, &at, &options, &detail);
    if (err == RK_OK && is_option(line, at))
        code = rk_client_refuse(session, "these are more options than a line may have");
    else if (err != RK_OK)
        code = rk_client_report(session, err, NULL, &detail);
    else
        code = run_operands(session, verb, line, at, &options);
    rk_client_options_fini(&options);
    return code;
}

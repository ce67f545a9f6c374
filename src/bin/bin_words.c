#include "bin/bin_words.h"

#include "base/base_detail.h"
#include "client/client_duration.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* In the order of the table below. */
enum common { COMMON_URL, COMMON_TIMEOUT, COMMON_JSON, COMMON_HELP, COMMON_VERSION, N_COMMON };

const struct rk_bin_option rk_bin_options[] = {
    [COMMON_URL] = { "url", "URL", 'u',
                     "where the server is: http://host:port or unix:/path\n"
                     "(default: $RACKKV_URL, else " RK_CLIENT_URL_DEFAULT ")" },
    [COMMON_TIMEOUT] = { "timeout", "TIME", 't', "how long a request may take, as 500ms or 5s" },
    [COMMON_JSON] = { "json", NULL, '\0', "one JSON object on standard output, stable for programs" },
    [COMMON_HELP] = { "help", NULL, 'h', "about a command" },
    [COMMON_VERSION] = { "version", NULL, 'V', "print the version" },
};

const size_t rk_bin_n_options = N_COMMON;

#define LETTERS_MAX (2 + 2 * (N_COMMON + RK_CLIENT_N_OPTIONS))
#define COMMAND_ID  256 /* + rk_client_option_id */
#define COMMON_ID   128 /* + enum common */

static struct option *add_option(struct option *next, const char *name, const char *argument, int id)
{
    *next = (struct option){ name, argument != NULL ? required_argument : no_argument, NULL, id };
    return next + 1;
}

static void add_letter(char *letters, char letter, const char *argument)
{
    size_t len = strlen(letters);

    if (letter == '\0')
        return;
    letters[len++] = letter;
    letters[len++] = argument != NULL ? ':' : '\0';
    letters[len] = '\0';
}

/* What getopt_long wants to know, from the two tables. */
static void list_options(const struct rk_client_verb *verb, struct option *options, char *letters)
{
    for (int i = 0; i < N_COMMON; i++) {
        options = add_option(options, rk_bin_options[i].name, rk_bin_options[i].argument, COMMON_ID + i);
        add_letter(letters, rk_bin_options[i].letter, rk_bin_options[i].argument);
    }
    for (int id = 0; verb != NULL && id < RK_CLIENT_N_OPTIONS; id++) {
        const struct rk_client_option *option = &rk_client_options_table[id];

        if ((verb->options & RK_CLIENT_OPTION_BIT(id)) == 0)
            continue;
        options = add_option(options, option->name, option->argument, COMMAND_ID + id);
        add_letter(letters, option->letter, option->argument);
    }
    (void)add_option(options, NULL, NULL, 0);
}

/* The number of an option that was said by its letter. */
static int id_of_letter(int letter)
{
    for (int i = 0; i < N_COMMON; i++)
        if (rk_bin_options[i].letter == letter)
            return COMMON_ID + i;
    for (int id = 0; id < RK_CLIENT_N_OPTIONS; id++)
        if (rk_client_options_table[id].letter == letter)
            return COMMAND_ID + id;
    return '?';
}

static enum rk_err take(struct rk_bin_words *words, int id, struct rk_detail *detail)
{
    switch (id) {
    case COMMON_ID + COMMON_URL:
        words->url = optarg;
        return RK_OK;
    case COMMON_ID + COMMON_TIMEOUT:
        return rk_client_duration_parse("--timeout", optarg, &words->timeout_ms, detail);
    case COMMON_ID + COMMON_JSON:
        words->json = true;
        return RK_OK;
    case COMMON_ID + COMMON_HELP:
        words->help = true;
        return RK_OK;
    case COMMON_ID + COMMON_VERSION:
        words->version = true;
        return RK_OK;
    default:
        return rk_client_options_take(
            &words->options, (enum rk_client_option_id)(id - COMMAND_ID),
            (struct rk_client_bytes){ optarg != NULL ? optarg : "", optarg != NULL ? strlen(optarg) : 0 }, detail);
    }
}

int rk_bin_words_read(int argc, char **argv, const struct rk_client_verb *verb, struct rk_bin_words *words)
{
    struct option options[N_COMMON + RK_CLIENT_N_OPTIONS + 1];
    char letters[LETTERS_MAX] = "+";
    struct rk_detail detail;
    int option;

    list_options(verb, options, letters);
    optind = 0; /* begins anew */
    while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        if (option == '?')
            return RK_BIN_WORDS_UNKNOWN; /* it was said which */
        if (take(words, option < COMMON_ID ? id_of_letter(option) : option, &detail) == RK_OK)
            continue;
        fprintf(stderr, "rackkv: %s\nTry: rackkv help%s%s\n", detail.text, verb != NULL ? " " : "",
                verb != NULL ? verb->name : "");
        return RK_BIN_WORDS_WRONG;
    }
    return optind;
}

void rk_bin_words_fini(struct rk_bin_words *words)
{
    rk_client_options_fini(&words->options);
}
